"""Reads the body of a request: a strict JSON object in UTF-8, of limited size."""

from __future__ import annotations

import json
import math
import re
from typing import NoReturn

from flask import Request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from lithium_script.errors import InvalidJson, PayloadTooLarge, UnsupportedMediaType
from lithium_script.model import Json

JSON = "application/json"
MAX_DISCARDED_BYTES = 64 << 20
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_object(request: Request) -> dict[str, Json]:
    """Give the object of a body, an empty one where there is no body.

    Raises ``PayloadTooLarge``, ``UnsupportedMediaType`` for a body of another type, ``InvalidJson`` for anything but
    an object.
    """
    data = _read(request)
    if not data:
        return {}
    if request.mimetype != JSON:
        raise UnsupportedMediaType(f"the body must be {JSON}, not '{request.mimetype or 'untyped'}'")
    return parse_object(data)


def _read(request: Request) -> bytes:
    too_large = PayloadTooLarge(f"the body exceeds {request.max_content_length} bytes")
    try:
        data = request.get_data(cache=False)
    except RequestEntityTooLarge as error:
        _discard(request)
        raise too_large from error
    except ClientDisconnected as error:
        raise InvalidJson("the body ended before its length") from error
    # A chunked body has no length to compare: Werkzeug reads it up to the limit and does not say that there is more.
    at_limit = len(data) == request.max_content_length and request.content_length is None
    if at_limit and request.environ["wsgi.input"].read(1):
        _discard(request)
        raise too_large
    return data


def _discard(request: Request) -> None:
    """Read on for a while: a client that still sends when the connection closes never sees the reply."""
    stream = request.environ["wsgi.input"]
    left = MAX_DISCARDED_BYTES
    while left > 0:
        data = stream.read(min(left, 1 << 20))
        if not data:
            return
        left -= len(data)


def parse_object(data: bytes | str) -> dict[str, Json]:
    """Parse a strict JSON object; raise ``InvalidJson`` saying what is wrong."""
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
        value = _DECODER.decode(text)
        if _SURROGATE.search(text):
            # Two of them can be one character; what is left alone cannot be written.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidJson(f"the body is not UTF-8: byte {error.start}") from error
    except UnicodeEncodeError as error:
        raise InvalidJson("the body holds a lone surrogate, which is no character") from error
    except RecursionError as error:
        raise InvalidJson("the body is nested too deeply") from error
    except ValueError as error:
        raise InvalidJson(f"the body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidJson("the body must be a JSON object")
    return value


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {text[:32]} is too large")
    return number


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)
