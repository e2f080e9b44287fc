"""Refuses, before anything is computed, what would take the worker's memory or one of its threads for minutes."""

from __future__ import annotations

from lithium_script.errors import InvalidArguments
from lithium_script.python.numeric.estimates import ESTIMATES
from lithium_script.python.numeric.shapes import Array, Params, numbers
from lithium_script.python.numeric.table import Entry

MAX_STEPS = 2 * 10**10
MAX_COUNT = 10**7
ITEM_BYTES = 16
# NumPy works with copies: of the input in another type or order, of intermediate results.
COPIES = 2
# What one more array costs beside its values: a call of NumPy from Python.
_STEPS_PER_ARRAY = 100_000
# Parameters that say how large something becomes.
_COUNTS = frozenset(
    ("n", "s", "bins", "minlength", "shape", "new_shape", "k", "num", "M", "N", "m", "deg", "reps", "repeats",
     "pad_width", "dimensions", "indices_or_sections")
)  # fmt: skip


def check(operation: str, entry: Entry, arrays: list[Array], params: Params, max_bytes: int) -> None:
    """Raise ``InvalidArguments`` for what would exceed ``max_bytes`` or take too long."""
    for name in _COUNTS & set(params):
        # A list of bins holds their edges, which may be any numbers.
        given = [] if name == "bins" and isinstance(params[name], list) else numbers(params[name])
        if any(abs(count) > MAX_COUNT for count in given):
            raise InvalidArguments.field(f"params.{name}", f"must not exceed {MAX_COUNT}")
    if isinstance(params.get("bins"), str) and "range" in params:
        raise InvalidArguments.field("params.bins", "must be a number or a list of edges where there is a range")
    if params.get("mode") == "empty":
        raise InvalidArguments.field("params.mode", "'empty' would show what was in memory before")
    elements, steps = ESTIMATES[entry.cost](operation, arrays, params)
    item_bytes = max([ITEM_BYTES, *(array.itemsize for array in arrays)])
    needed = elements * item_bytes * COPIES
    blamed = "arrays" if arrays else "params"
    if needed > max_bytes:
        limit = f"above maxMemoryMB, {max_bytes >> 20} MiB"
        raise InvalidArguments.field(blamed, f"'{operation}' needs about {needed >> 20} MiB, {limit}")
    if steps + _STEPS_PER_ARRAY * len(arrays) > MAX_STEPS:
        raise InvalidArguments.field(blamed, f"'{operation}' on arrays of this size takes too long: run a script")
