"""Turns what a script left in ``result`` into strict JSON, keeping the name of its type.

JSON values pass as they are; the rest is encoded as the API reference says. A cycle, or what lies deeper than
``MAX_DEPTH`` levels, becomes its ``repr``, so that no value can hang or overflow the encoder.
"""

from __future__ import annotations

import base64
import datetime
import json
import math
import sys
from typing import Any

MAX_DEPTH = 100
# CPython refuses to write longer integers in decimal (sys.set_int_max_str_digits): 4300 digits are 14284 bits.
MAX_INT_BITS = 14_000


def encode(value: Any, limit: int) -> tuple[Any, str, bool]:
    """Give the JSON value, the name of the original type, and whether it was dropped for exceeding ``limit`` bytes."""
    name = type(value).__name__
    encoded = _encode(value, 0, set())
    if isinstance(encoded, (bool, int, float, type(None))):
        return encoded, name, False
    if len(json.dumps(encoded, ensure_ascii=False)) > limit:
        return None, name, True
    return encoded, name, False


def _encode(value: Any, depth: int, above: set[int]) -> Any:
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        number = int(value)
        return number if number.bit_length() <= MAX_INT_BITS else hex(number)
    if isinstance(value, float):
        return _real(float(value))
    if isinstance(value, complex):
        return {"re": _real(value.real), "im": _real(value.imag)}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(bytes(value)).decode("ascii")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (dict, list, tuple, set, frozenset)):
        return _container(value, depth, above)
    return _foreign(value, depth, above)


def _container(value: Any, depth: int, above: set[int]) -> Any:
    if depth >= MAX_DEPTH or id(value) in above:
        return _text(repr(value))
    above.add(id(value))
    try:
        if isinstance(value, dict):
            return {_key(key): _encode(item, depth + 1, above) for key, item in value.items()}
        items = _in_order(value) if isinstance(value, (set, frozenset)) else value
        return [_encode(item, depth + 1, above) for item in items]
    finally:
        above.discard(id(value))


def _in_order(items: Any) -> Any:
    """Sort a set where its members can be compared, so that equal sets give equal answers."""
    try:
        return sorted(items)
    except TypeError:
        return items


def _foreign(value: Any, depth: int, above: set[int]) -> Any:
    """Encode values of libraries, where the script has loaded them."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, (numpy.ndarray, numpy.generic)):
        return _encode(_array(numpy, value), depth, above)
    pandas = sys.modules.get("pandas")
    if pandas is not None:
        if isinstance(value, pandas.DataFrame):
            return _encode(value.to_dict("records"), depth, above)
        if isinstance(value, (pandas.Series, pandas.Index)):
            return _encode(value.tolist(), depth, above)
    return _text(repr(value))


def _array(numpy: Any, value: Any) -> Any:
    """Turn an array or scalar of NumPy into Python's own values."""
    kind = value.dtype.kind
    if kind == "M":
        return numpy.datetime_as_string(value).tolist()
    if kind == "m":
        return value.astype(str).tolist()
    if kind == "V":
        return repr(value)
    # Extended precision has no Python type: `tolist` would give back the same scalar.
    widest = {"f": numpy.float64, "c": numpy.complex128}.get(kind)
    if widest is not None and value.dtype.itemsize > numpy.dtype(widest).itemsize:
        value = value.astype(widest)
    return value.tolist()


def _key(key: Any) -> str:
    return _text(key) if isinstance(key, str) else _text(str(key))


def _real(number: float) -> Any:
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else ("Infinity" if number > 0 else "-Infinity")


def _text(text: str) -> str:
    """Replace lone surrogates, which UTF-8 cannot carry."""
    return str(text) if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
