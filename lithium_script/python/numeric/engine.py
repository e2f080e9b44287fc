"""NumericEngine: checks, estimates and applies one NumPy operation.

What an operation will need is estimated from shapes before anything is computed, in Python's exact integers, so that
no request can take the worker's memory or time. Thread-safe.
"""

from __future__ import annotations

import difflib
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from lithium_script.errors import FunctionNotFound, InvalidArguments, SecurityViolation
from lithium_script.model import Json
from lithium_script.python.numeric.arrays import SPECIAL, dtype_of, read_array
from lithium_script.python.numeric.cost import check
from lithium_script.python.numeric.shapes import Array
from lithium_script.python.numeric.table import DENIED, TABLE, Entry
from lithium_script.sandbox.encoding import encode

# What can be written as JSON in well under a second.
MAX_RESULT_ITEMS = 2_000_000
# NumPy fails inside itself, not with an error of its own, on other values of some of these.
_TEXTS = frozenset(
    ("UPLO", "bitorder", "indexing", "kind", "method", "mode", "norm", "order", "reflect_type", "side", "trim", "unit")
)


@dataclass(frozen=True, slots=True)
class NumericResult:
    """What an operation gives, ready for JSON; shape and dtype are lists where the result is one."""

    result: Json
    shape: Json
    dtype: Json
    execution_time_ms: float


class NumericEngine:
    """Applies operations of the table within a memory limit, in MiB."""

    def __init__(self, max_memory_mb: int) -> None:
        self._max_bytes = max_memory_mb << 20

    def evaluate(
        self, operation: str, arrays: list[Json], params: dict[str, Json], dtype: str | None
    ) -> NumericResult:
        """Apply an operation.

        Raises ``SecurityViolation`` for what is never offered, ``FunctionNotFound`` for an unknown name, and
        ``InvalidArguments`` for arrays or parameters that do not fit, with NumPy's own message where it is NumPy's.
        """
        started = time.perf_counter()
        entry = _find(operation)
        _check_names(operation, entry, params)
        wanted = dtype_of(dtype)
        read = [read_array(array, wanted, index, self._max_bytes) for index, array in enumerate(arrays)]
        if (entry.style == "make") == bool(read):
            needs = "no array is taken: give params" if read else "at least one array is needed"
            raise InvalidArguments.field("arrays", needs)
        value = self._compute(operation, entry, read, params, wanted)
        items = _count(value)
        if items > MAX_RESULT_ITEMS:
            raise InvalidArguments.field("arrays", f"the result has {items} values, above {MAX_RESULT_ITEMS} for JSON")
        shape, name = _describe(value)
        return NumericResult(_to_json(value), shape, name, (time.perf_counter() - started) * 1000)

    def _compute(
        self, operation: str, entry: Entry, read: list[Array], params: dict[str, Json], dtype: np.dtype[Any] | None
    ) -> Any:
        try:
            check(operation, entry, read, params, self._max_bytes)
            with np.errstate(all="ignore"):
                value = _apply(entry, read, _parameters(params))
                return value.astype(dtype) if entry.style == "make" and dtype is not None else value
        except np.exceptions.AxisError as error:
            raise InvalidArguments.field("params.axis", str(error)) from error
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
            shapes = [list(array.shape) for array in read]
            message = f"{operation}: {error}"
            raise InvalidArguments(message, {"arrays": [f"{error} (shapes {shapes})"]}) from error
        except MemoryError as error:
            raise InvalidArguments.field("arrays", f"'{operation}' needs more memory than there is") from error


def _find(operation: str) -> Entry:
    entry = TABLE.get(operation)
    if entry is not None:
        return entry
    if operation.split(".")[0] in DENIED or operation.split(".")[-1] in DENIED or operation[:1] == "_":
        raise SecurityViolation(f"the operation '{operation[:64]}' is never offered", {"operation": ["is refused"]})
    near = difflib.get_close_matches(operation[:64], TABLE, 1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise FunctionNotFound(f"there is no operation '{operation[:64]}'{hint}", {"operation": near})


def _check_names(operation: str, entry: Entry, params: dict[str, Json]) -> None:
    unknown = set(params) - entry.params
    if unknown:
        name = min(unknown)
        takes = ", ".join(sorted(entry.params)) or "no parameters"
        raise InvalidArguments.field(f"params.{name}", f"'{operation}' takes {takes}")
    for name in sorted(_TEXTS & set(params)):
        if not isinstance(params[name], str | None):
            raise InvalidArguments.field(f"params.{name}", "must be a text")


def _parameters(params: dict[str, Json]) -> dict[str, Any]:
    # NumPy takes tuples where JSON has lists: axes and shapes.
    return {
        name: tuple(value) if isinstance(value, list) and name != "q" else _special(value)
        for name, value in params.items()
    }


def _special(value: Json) -> Any:
    return SPECIAL.get(value, value) if isinstance(value, str) else value


def _apply(entry: Entry, arrays: list[Array], params: dict[str, Any]) -> Any:
    if entry.style == "join":
        return entry.function(arrays, **params)
    if entry.style in ("make", "spread"):
        return entry.function(*arrays, **params)
    if entry.style == "each":
        return [entry.function(array, **params) for array in arrays]
    if entry.style == "together":
        if len(arrays) != entry.count:
            raise ValueError(f"takes exactly {entry.count} arrays, not {len(arrays)}")
        return entry.function(*arrays, **params)
    if len(arrays) < 2:
        raise ValueError("takes at least 2 arrays")
    folded: Any = arrays[0]
    for array in arrays[1:]:
        folded = entry.function(folded, array, **params)
    return folded


def _count(value: Any) -> int:
    if isinstance(value, list | tuple):
        return sum(map(_count, value))
    return int(np.size(value))


def _to_json(value: Any) -> Json:
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: _to_json(part) for name, part in zip(value._fields, value, strict=True)}
    if isinstance(value, list | tuple):
        return [_to_json(part) for part in value]
    return encode(value, 1 << 62)[0]


def _describe(value: Any) -> tuple[Json, Json]:
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        parts = {name: _describe(part) for name, part in zip(value._fields, value, strict=True)}
        return {name: part[0] for name, part in parts.items()}, {name: part[1] for name, part in parts.items()}
    if isinstance(value, list | tuple):
        described = [_describe(part) for part in value]
        return [shape for shape, _ in described], [dtype for _, dtype in described]
    array = np.asarray(value)
    return list(array.shape), str(array.dtype)
