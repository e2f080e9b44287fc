"""Estimates of products, decompositions and polynomials, whose work grows faster than their arrays."""

from __future__ import annotations

import math

import numpy as np

from lithium_script.python.numeric.shapes import LOOP, Array, Need, Params, Shape, broadcast, length_along, whole

# Products of whole numbers do not go through BLAS.
_WHOLE_NUMBERS = 8
_DECOMPOSING = {"eig": 20, "eigvals": 10, "svd": 15, "svdvals": 5, "pinv": 15, "cond": 5, "matrix_rank": 5, "eigh": 8}


def linear(_: str, arrays: list[Array], __: Params) -> Need:
    total = sum(array.size for array in arrays)
    return total, total


def outer(_: str, arrays: list[Array], __: Params) -> Need:
    size = math.prod(max(1, array.size) for array in arrays)
    return size, size


def contraction(operation: str, arrays: list[Array], _: Params) -> Need:
    shape, largest, steps = arrays[0].shape, arrays[0].size, 0
    for array in arrays[1:]:
        shared = shape[-1] if shape else 1
        shape = _contracted(operation.rpartition(".")[2], shape, array.shape)
        largest = max(largest, math.prod(shape))
        steps += math.prod(shape) * shared
    return largest, steps * (1 if any(array.dtype.kind in "fc" for array in arrays) else _WHOLE_NUMBERS)


def _contracted(name: str, a: Shape, b: Shape) -> Shape:
    if not a or not b:
        return a or b
    if name == "inner":
        return a[:-1] + b[:-1]
    last = b[-1:] if len(b) > 1 else ()
    if name == "dot":
        return a[:-1] + b[:-2] + last
    try:
        return np.broadcast_shapes(a[:-2], b[:-2]) + a[-2:-1] + last
    except ValueError:
        return a


def chain(_: str, arrays: list[Array], __: Params) -> Need:
    # The order that NumPy finds makes no intermediate larger than the steps of the plain order.
    largest, steps = contraction("dot", arrays, {})
    side = max(max(array.shape, default=1) for array in arrays)
    return max(largest, min(side * side, steps)), steps + LOOP * len(arrays) ** 3


def tensordot(_: str, arrays: list[Array], params: Params) -> Need:
    first, axes = arrays[0], params.get("axes", 2)
    shared = 1
    if type(axes) is int and axes > 0:
        shared = math.prod(first.shape[-axes:])
    elif isinstance(axes, list) and axes:
        places = axes[0] if isinstance(axes[0], list) else axes[:1]
        shared = math.prod(length_along(first, place) for place in places if type(place) is int)
    shared = max(1, shared)
    size = math.prod(max(1, array.size // shared) for array in arrays)
    return size + sum(array.size for array in arrays), size * shared * _WHOLE_NUMBERS


def sliding(_: str, arrays: list[Array], __: Params) -> Need:
    total = sum(array.size for array in arrays)
    return total, math.prod(array.size for array in arrays) + LOOP * arrays[0].size // 10


def decomposition(operation: str, arrays: list[Array], params: Params) -> Need:
    name, elements, steps = operation.rpartition(".")[2], sum(array.size for array in arrays), 0
    full = (name == "svd" and params.get("full_matrices") is not False) or params.get("mode") == "complete"
    for array in arrays[:1] if name in ("solve", "lstsq") else arrays:
        rows, columns = (1, 1, *array.shape)[-2:]
        count = math.prod(array.shape[:-2])
        elements += array.size * 2 + (count * (rows * rows + columns * columns) if full else 0)
        steps += count * rows * columns * min(rows, columns)
    if name in ("solve", "lstsq"):
        steps += math.prod((1, 1, *arrays[0].shape)[-2:]) * max(1, arrays[-1].size)
        elements += broadcast([array.shape[:-2] for array in arrays]) * math.prod(arrays[-1].shape[-2:])
    power = 2 * abs(whole(params.get("n"), 1)).bit_length() if name == "matrix_power" else 1
    integers = _WHOLE_NUMBERS if name == "matrix_power" and arrays[0].dtype.kind in "biu" else 1
    return elements, steps * _DECOMPOSING.get(name, 1) * power * integers


def norm(operation: str, arrays: list[Array], params: Params) -> Need:
    if params.get("ord") in (2, -2, "nuc"):
        sides = [array for array in arrays if array.ndim > 1]
        elements, total = sum(array.size for array in arrays) * 3, 0
        for array in sides:
            # Any two axes may be the matrix: the longest two are the dearest.
            total += array.size * sorted(array.shape)[-2] * _DECOMPOSING["svdvals"]
        return elements, total
    return linear(operation, arrays, params)


def covariance(_: str, arrays: list[Array], params: Params) -> Need:
    elements = steps = 0
    for array in arrays:
        axis = 1 if params.get("rowvar") in (False, 0) else 0
        rows = length_along(array, axis) if array.ndim == 2 else 1
        elements += array.size * 2 + rows * rows
        steps += rows * array.size
    return elements, steps


def polynomial(operation: str, arrays: list[Array], params: Params) -> Need:
    sides = [a.size if operation != "poly" or a.ndim < 2 else max(a.shape) for a in arrays]
    if operation == "polyfit":
        columns = whole(params.get("deg"), 0) + 1
        return sides[0] * columns * 3, sides[0] * columns * min(sides[0], columns) * 15
    if operation in ("polyder", "polyint"):
        times = whole(params.get("m"), 1)
        return sum(sides) + times, times * (sum(sides) + times + LOOP)
    return sum(side * side for side in sides), sum(10 * side**3 + LOOP * side for side in sides)
