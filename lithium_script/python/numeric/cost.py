"""Estimates, from shapes and before anything is computed, what an operation will need; in exact integers.

Refusing here keeps a request from taking the worker's memory or one of its threads for minutes.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from lithium_script.errors import InvalidArguments
from lithium_script.model import Json
from lithium_script.python.numeric.table import Entry

Array = np.ndarray[Any, Any]

MAX_STEPS = 2 * 10**10
MAX_COUNT = 10**7
ITEM_BYTES = 16
# NumPy works with copies: of the input in another type or order, of intermediate results.
COPIES = 2
# Parameters that say how large something becomes.
_SIZES = ("n", "s", "bins", "minlength", "shape")


def check(operation: str, entry: Entry, arrays: list[Array], params: dict[str, Json], max_bytes: int) -> None:
    """Raise ``InvalidArguments`` for what would exceed ``max_bytes`` or take too long."""
    elements, steps = _estimate(entry, arrays)
    for name in _SIZES:
        given = params.get(name)
        counts = [abs(count) for count in (given if isinstance(given, list) else [given]) if type(count) is int]
        if any(count > MAX_COUNT for count in counts):
            raise InvalidArguments.field(f"params.{name}", f"must not exceed {MAX_COUNT}")
        if name == "s" and counts:
            elements = max(elements, math.prod(counts))
        elif name == "n" and counts and operation.startswith("fft."):
            elements = max(elements, counts[0] * max(array.size for array in arrays))
    if operation == "linalg.matrix_power":
        steps *= 64
    needed = elements * ITEM_BYTES * COPIES
    if needed > max_bytes:
        limit = f"above the limit of {max_bytes >> 20} MiB"
        raise InvalidArguments.field("arrays", f"'{operation}' needs about {needed >> 20} MiB, {limit}")
    if steps > MAX_STEPS:
        raise InvalidArguments.field("arrays", f"'{operation}' on arrays of this size takes too long: run a script")


def _estimate(entry: Entry, arrays: list[Array]) -> tuple[int, int]:
    """Give the number of elements of the result and the number of steps to it."""
    sizes = [array.size for array in arrays]
    total, largest = sum(sizes), max(sizes)
    side = max((max(array.shape, default=1) for array in arrays), default=1)
    if entry.cost == "product":
        return math.prod(sizes), math.prod(sizes)
    if entry.cost == "contraction":
        return _contraction(arrays), largest * side
    if entry.cost == "cubic":
        return max(total, side * side), largest * side
    if entry.cost == "square":
        return max(total, side * side), total
    if entry.cost == "values":
        numbers = [int(array.max()) for array in arrays if array.size and array.dtype.kind in "biu"]
        return max([total, *numbers]), total
    return (total if entry.style == "join" else _broadcast(arrays)), total


def _contraction(arrays: list[Array]) -> int:
    size = arrays[0].size
    for before, after in itertools.pairwise(arrays):
        shared = max(1, before.shape[-1] if before.ndim else 1)
        size = max(size, max(1, size // shared) * max(1, after.size // shared))
    return size


def _broadcast(arrays: list[Array]) -> int:
    try:
        return math.prod(np.broadcast_shapes(*(array.shape for array in arrays)))
    except ValueError:
        return max(array.size for array in arrays)
