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
_SPECIAL = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}


def dtype_of(name: str | None) -> np.dtype[Any] | None:
    """Give the dtype of a safe name; raise ``InvalidArguments`` for any other, objects included."""
    if name is None:
        return None
    if not _DTYPE.fullmatch(name):
        raise InvalidArguments.field("dtype", f"'{name[:32]}' is not one of the numeric, datetime and string types")
    return np.dtype(name)


def read_array(value: Json, dtype: np.dtype[Any] | None, index: int) -> np.ndarray[Any, Any]:
    """Make an array; raise ``InvalidArguments`` naming ``arrays.<index>`` for what is ragged or of no type."""
    name = f"arrays.{index}"
    try:
        kind = None if dtype is None else dtype.kind
        array = np.array(value if kind in ("U", "M", "m") else _decoded(value, kind is not None), dtype=dtype)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise InvalidArguments.field(name, str(error)) from error
    if array.dtype.kind not in "biufcmMU":
        raise InvalidArguments.field(name, "holds values that make no array of one type")
    return array


def _decoded(value: Json, numeric: bool) -> Any:
    """Turn the encodings of special numbers back, where the data is numeric otherwise."""
    if isinstance(value, list):
        return [_decoded(item, numeric) for item in value]
    if isinstance(value, dict):
        if set(value) == {"re", "im"}:
            return complex(_decoded(value["re"], True), _decoded(value["im"], True))
        raise ValueError("an object in an array must be {re, im}")
    if isinstance(value, str):
        if value in _SPECIAL:
            return _SPECIAL[value]
        if numeric:
            raise ValueError(f"'{value[:32]}' is no number")
    return value
