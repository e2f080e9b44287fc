"""Reads arrays from JSON: nested lists, with the encodings that results have."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from lithium_script.errors import InvalidArguments
from lithium_script.model import Json

_DTYPE = re.compile(
    r"bool|u?int(8|16|32|64)?|float(16|32|64)?|complex(64|128)?|(datetime64|timedelta64)\[(Y|M|W|D|h|m|s|ms|us|ns)\]|"
    r"str|U\d{1,4}|<U\d{1,4}"
)
SPECIAL = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}
_CHARACTER_BYTES = 4


def dtype_of(name: str | None) -> np.dtype[Any] | None:
    """Give the dtype of a safe name; raise ``InvalidArguments`` for any other, objects included."""
    if name is None:
        return None
    if not _DTYPE.fullmatch(name):
        raise InvalidArguments.field("dtype", f"'{name[:32]}' is not one of the numeric, datetime and string types")
    return np.dtype(name)


def read_array(value: Json, dtype: np.dtype[Any] | None, index: int, max_bytes: int) -> np.ndarray[Any, Any]:
    """Make an array; raise ``InvalidArguments`` naming ``arrays.<index>`` for what makes none."""
    name = f"arrays.{index}"
    try:
        kind = None if dtype is None else dtype.kind
        _check_text(value, dtype, name, max_bytes)
        array = np.array(value if kind in ("U", "M", "m") else _decoded(value, kind is not None), dtype=dtype)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise InvalidArguments.field(name, str(error)) from error
    except MemoryError as error:
        raise InvalidArguments.field(name, "needs more memory than there is") from error
    if array.dtype.kind not in "biufcmMU":
        raise InvalidArguments.field(name, "holds values that make no array of one type")
    return array


def _check_text(value: Json, dtype: np.dtype[Any] | None, name: str, max_bytes: int) -> None:
    """Refuse texts that NumPy would widen to the longest of them, or to the dtype's width, beyond ``max_bytes``."""
    count, longest = _texts(value)
    if dtype is not None and dtype.kind == "U":
        longest = max(longest, dtype.itemsize // _CHARACTER_BYTES)
    needed = count * longest * _CHARACTER_BYTES
    if needed > max_bytes:
        limit = f"above maxMemoryMB, {max_bytes >> 20} MiB"
        raise InvalidArguments.field(name, f"needs about {needed >> 20} MiB as texts of one length, {limit}")


def _texts(value: Json) -> tuple[int, int]:
    """Give how many values there are, and the length of the longest text."""
    if isinstance(value, str):
        return 1, len(value)
    if not isinstance(value, list):
        return 1, 0
    count = longest = 0
    for item in value:
        if isinstance(item, list | str):
            inner, length = _texts(item)
            count, longest = count + inner, max(longest, length)
        else:
            count += 1
    return count, longest


def _decoded(value: Json, numeric: bool) -> Any:
    """Turn the encodings of special numbers back, where the data is numeric otherwise."""
    if isinstance(value, list):
        return [_decoded(item, numeric) for item in value]
    if isinstance(value, dict):
        if set(value) == {"re", "im"}:
            return complex(_decoded(value["re"], True), _decoded(value["im"], True))
        raise ValueError("an object in an array must be {re, im}")
    if isinstance(value, str):
        if value in SPECIAL:
            return SPECIAL[value]
        if numeric:
            raise ValueError(f"'{value[:32]}' is no number")
    return value
