"""How many values and how many steps each kind of operation needs, from shapes and parameters, in exact integers.

Parameters come unchecked from a request: what makes no sense counts as nothing here, and NumPy refuses it later.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np

from lithium_script.python.numeric import products
from lithium_script.python.numeric.shapes import LOOP, Array, Need, Params, broadcast, length_along, numbers, whole

_STONE = 100
# The parameter that says how much larger the result is.
_GROWING = {
    "tile": "reps",
    "repeat": "repeats",
    "pad": "pad_width",
    "broadcast_to": "shape",
    "resize": "new_shape",
    "vander": "N",
}


def elementwise(_: str, arrays: list[Array], __: Params) -> Need:
    size = max(sum(array.size for array in arrays), broadcast([array.shape for array in arrays]))
    return size, size * len(arrays)


def diagonal(operation: str, arrays: list[Array], params: Params) -> Need:
    away = abs(whole(params.get("k"), 0))
    flat = operation == "diagflat"
    size = sum((a.size + away) ** 2 if flat or a.ndim == 1 else a.size for a in arrays)
    return size, size


def triangle(_: str, arrays: list[Array], __: Params) -> Need:
    size = sum(a.size**2 if a.ndim == 1 else a.size for a in arrays)
    return size, size


def values(_: str, arrays: list[Array], params: Params) -> Need:
    highest = [int(a.max()) for a in arrays if a.size and a.dtype.kind in "biu"]
    total = sum(a.size for a in arrays) + sum(highest) + whole(params.get("minlength"), 0) * len(arrays)
    return total, total


def quantile(_: str, arrays: list[Array], params: Params) -> Need:
    asked, axis = sum(1 for _ in numbers(params.get("q"))), params.get("axis")
    size = sum(a.size for a in arrays)
    if axis is None:
        kept = len(arrays)
    else:
        kept = sum(a.size // length_along(a, axis) if type(axis) is int else a.size for a in arrays)
    return size + asked * kept * 3, size * 20 + asked * kept


def differences(_: str, arrays: list[Array], params: Params) -> Need:
    total, times = sum(a.size for a in arrays), max(1, whole(params.get("n"), 1))
    return total, times * (LOOP * len(arrays) + total)


def transform(operation: str, arrays: list[Array], params: Params) -> Need:
    total = 0
    for array in arrays:
        shape = dict(enumerate(max(1, length) for length in array.shape))
        lengths = [params.get("n")] if "n" in params else params.get("s")
        if isinstance(lengths, list):
            axes = params.get("axes", [params.get("axis", -1)] if "n" in params else None)
            places = axes if isinstance(axes, list) else range(-len(lengths), 0)
            for place, length in zip(places, lengths, strict=False):
                if type(length) is int and length > 0 and type(place) is int and array.ndim:
                    shape[place % array.ndim] = length
        total += max(array.size, math.prod(shape.values())) * 2
    return total, total * 40


def taking(_: str, arrays: list[Array], params: Params) -> Need:
    source, indices = arrays[0], arrays[-1]
    each = source.size // length_along(source, params["axis"]) if type(params.get("axis")) is int else 1
    total = source.size + indices.size * max(1, each)
    return total, total


def along(_: str, arrays: list[Array], params: Params) -> Need:
    source, indices = arrays[0], arrays[-1]
    place = whole(params.get("axis"), -1)
    if source.ndim != indices.ndim or not -source.ndim <= place < source.ndim:
        return source.size, source.size
    shapes = [list(source.shape), list(indices.shape)]
    shapes[0][place] = 1
    size = source.size + broadcast([tuple(shape) for shape in shapes])
    return size * max(1, source.ndim), size


def histogram(_: str, arrays: list[Array], params: Params) -> Need:
    bins, total = params.get("bins", 10), sum(a.size for a in arrays)
    if isinstance(bins, str):
        # Stone's rule tries every number of bins up to a hundred, or to the root of the size.
        tried = max(_STONE, math.isqrt(total)) if bins == "stone" else 1
        return total + sum(_STONE + _chosen_bins(a) for a in arrays), total * 20 * tried
    count = len(bins) if isinstance(bins, list) else whole(bins, 10)
    return total + count * len(arrays), total * 20 + count * len(arrays)


def _chosen_bins(array: Array) -> int:
    """Bound the bins that NumPy's rules choose; Freedman-Diaconis' goes by the inner half of the data."""
    if array.dtype.kind not in "biuf" or not array.size or not np.isfinite(array).all():
        return array.size
    data = array.astype(np.float64)
    inner = float(np.subtract(*np.percentile(data, [75, 25])))
    span = float(data.max() - data.min())
    if not inner or not math.isfinite(span):
        return array.size
    # The cube root of the size, rounded up.
    return math.ceil(min(span / inner, 1e15) * math.ceil(math.cbrt(array.size))) + array.size


def growth(operation: str, arrays: list[Array], params: Params) -> Need:
    total, size = 0, params.get(_GROWING[operation])
    given = [abs(math.ceil(number)) for number in numbers(size)]
    for array in arrays:
        if operation == "pad":
            total += math.prod(length + 2 * max(given, default=0) for length in array.shape)
        elif operation == "repeat":
            total += array.size * max(given, default=1)
        elif operation in ("broadcast_to", "resize"):
            total += math.prod(given)
        elif operation == "tile":
            total += array.size * math.prod(max(1, number) for number in given)
        else:
            total += array.size * whole(size, max(1, array.size))
    return total, total + (LOOP * max(given, default=0) // 10 if operation == "pad" else 0)


def sections(_: str, arrays: list[Array], params: Params) -> Need:
    given = params.get("indices_or_sections")
    parts = len(given) if isinstance(given, list) else whole(given, 0)
    total = sum(a.size for a in arrays) + 64 * parts * len(arrays)
    return total, total + LOOP * parts * len(arrays)


def unstacking(_: str, arrays: list[Array], params: Params) -> Need:
    parts = sum(length_along(a, params.get("axis", 0)) for a in arrays)
    return sum(a.size for a in arrays) + 64 * parts, LOOP * parts // 10


def grid(_: str, arrays: list[Array], params: Params) -> Need:
    size = math.prod(max(1, a.size) for a in arrays) if params.get("sparse") is not True else 1
    return size * len(arrays) + sum(a.size for a in arrays), size * len(arrays)


def spread(_: str, arrays: list[Array], __: Params) -> Need:
    size = broadcast([a.shape for a in arrays]) * len(arrays)
    return size, size


def making(operation: str, _: list[Array], params: Params) -> Need:
    """Count what is made from parameters alone."""
    if operation == "arange":
        low, high = params.get("start", 0), params.get("stop", 0)
        step = params.get("step", 1)
        if any(type(number) not in (int, float) for number in (low, high, step)) or not step:
            return 1, 1
        size = math.ceil(min(max(0, (high - low) / step), 1e300))
        return size, size
    ends = math.prod(max(1, sum(1 for _ in numbers(params.get(name)))) for name in ("start", "stop", "fill_value"))
    counts = [params[name] for name in ("shape", "dimensions", "num", "M", "N", "n", "m") if name in params]
    made = [abs(math.ceil(number)) for number in itertools.chain.from_iterable(map(numbers, counts))]
    size = math.prod(made) * (max(1, len(made)) if operation == "indices" else 1)
    if len(made) == 1 and operation in ("eye", "identity", "tri", "tril_indices", "triu_indices"):
        size *= size
    if operation in ("linspace", "logspace", "geomspace") and "num" not in params:
        size = 50
    return size * max(1, ends), size * max(1, ends)


_ALL = (
    elementwise, diagonal, triangle, values, quantile, differences, transform, taking, along, histogram, growth,
    sections, unstacking, grid, spread, making, products.linear, products.outer, products.contraction, products.chain,
    products.tensordot, products.sliding, products.decomposition, products.norm, products.covariance,
    products.polynomial,
)  # fmt: skip
ESTIMATES: dict[str, Callable[[str, list[Array], Params], Need]] = {each.__name__: each for each in _ALL}
