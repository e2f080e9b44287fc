"""Takes times: of requests over keep-alive connections, and of interpreters started one after another."""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Timing:
    """What one kind of call costs: one at a time in milliseconds, several at a time in calls a second."""

    p50_ms: float
    p99_ms: float
    per_second: float


class Connection:
    """Sends one prepared request again and again; so lean that mostly the service is measured."""

    def __init__(self, port: int, path: str, body: dict[str, Any]) -> None:
        payload = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(payload)}\r\n\r\n"
        )
        self._request = head.encode() + payload
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def call(self) -> None:
        """Send the request and read its answer; raise ``RuntimeError`` where it is no success."""
        self._socket.sendall(self._request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._receive()
        head, _, body = answer.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += self._receive()
        if b'"success":true' not in body.replace(b" ", b"") or b'"success":false' in body.replace(b" ", b""):
            raise RuntimeError(body.decode())

    def _receive(self) -> bytes:
        data = self._socket.recv(1 << 16)
        if not data:
            raise RuntimeError("the service closed the connection")
        return data

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


def requests(port: int, path: str, body: dict[str, Any], count: int, clients: int) -> Timing:
    """Time ``count`` requests from one client, then ``count`` from several at once."""
    connections = [Connection(port, path, body) for _ in range(clients)]
    try:
        for connection in connections:
            connection.call()
        return _timing([connection.call for connection in connections], count)
    finally:
        for connection in connections:
            connection.close()


def interpreters(code: str, count: int, at_once: int) -> Timing:
    """Time ``count`` interpreters started one after another, then as many, several at once."""

    def start() -> None:
        subprocess.run([sys.executable, "-c", code], check=True, stdin=subprocess.DEVNULL)

    start()
    return _timing([start] * at_once, count)


def _timing(calls: list[Callable[[], None]], count: int) -> Timing:
    times = sorted(_timed(calls[0]) for _ in range(count))
    each = max(1, count // len(calls))

    def repeat(call: Callable[[], None]) -> None:
        for _ in range(each):
            call()

    with ThreadPoolExecutor(len(calls)) as threads:
        started = time.perf_counter()
        list(threads.map(repeat, calls))
        elapsed = time.perf_counter() - started
    p99 = times[min(len(times) - 1, int(len(times) * 0.99))]
    return Timing(statistics.median(times) * 1000, p99 * 1000, each * len(calls) / elapsed)


def _timed(call: Callable[[], None]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
