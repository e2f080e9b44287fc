"""Frames between the service and its children: four bytes of length, big-endian, then strict JSON.

Never pickle: the child is not trusted, and a frame that is broken, oversized or not JSON must cost nothing
but its own execution.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

HEADER = struct.Struct(">I")


class ProtocolError(Exception):
    """The peer sent something that is no frame."""


def pack(message: dict[str, Any]) -> bytes:
    """Encode one message as a frame."""
    body = json.dumps(message, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")
    return HEADER.pack(len(body)) + body


def send(sock: socket.socket, message: dict[str, Any]) -> None:
    """Write one frame, blocking until it is gone."""
    sock.sendall(pack(message))


def receive(sock: socket.socket, limit: int) -> dict[str, Any] | None:
    """Read one frame, blocking; None at the end of the stream."""
    header = _read_exactly(sock, HEADER.size)
    if header is None:
        return None
    (size,) = HEADER.unpack(header)
    if size > limit:
        raise ProtocolError(f"a frame of {size} bytes exceeds {limit}")
    body = _read_exactly(sock, size)
    if body is None:
        raise ProtocolError("the stream ended inside a frame")
    return parse(body)


def parse(body: bytes) -> dict[str, Any]:
    """Decode the body of a frame; raise ``ProtocolError`` for anything but a strict JSON object."""
    try:
        message = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"not strict JSON: {error}") from error
    if not isinstance(message, dict):
        raise ProtocolError("not a JSON object")
    return message


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _read_exactly(sock: socket.socket, size: int) -> bytes | None:
    buffer = bytearray(size)
    view = memoryview(buffer)
    done = 0
    while done < size:
        count = sock.recv_into(view[done:])
        if count == 0:
            return None
        done += count
    return bytes(buffer)


class FrameReader:
    """Cut a stream that arrives in pieces into messages, holding at most ``limit`` bytes of one."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Take the next piece and return the messages it completes."""
        self._buffer += data
        messages = []
        while len(self._buffer) >= HEADER.size:
            (size,) = HEADER.unpack_from(self._buffer)
            if size > self._limit:
                raise ProtocolError(f"a frame of {size} bytes exceeds {self._limit}")
            end = HEADER.size + size
            if len(self._buffer) < end:
                break
            messages.append(parse(bytes(self._buffer[HEADER.size : end])))
            del self._buffer[:end]
        return messages
