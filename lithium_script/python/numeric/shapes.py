"""Reads sizes from shapes and from parameters, which come unchecked from a request."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lithium_script.model import Json

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]
Params = dict[str, Json]
# Values and steps.
Need = tuple[int, int]
# One step of a loop in Python, in steps of compiled code.
LOOP = 5_000


def numbers(value: Json) -> Iterator[int | float]:
    """Give every number in a value, however deeply it is nested."""
    if isinstance(value, list):
        for item in value:
            yield from numbers(item)
    elif type(value) in (int, float):
        yield value


def whole(value: Json, default: int) -> int:
    """Give the whole number that a parameter is, or the default."""
    return value if type(value) is int else default


def broadcast(shapes: Sequence[Shape]) -> int:
    """Count the values of shapes broadcast together; of the largest, where they do not fit."""
    try:
        return math.prod(np.broadcast_shapes(*shapes))
    except ValueError:
        return max(math.prod(shape) for shape in shapes)


def length_along(array: Array, axis: Json, default: int = -1) -> int:
    """Give the length along an axis, and 1 where there is no such axis."""
    place = whole(axis, default)
    return max(1, array.shape[place]) if -array.ndim <= place < array.ndim else 1
