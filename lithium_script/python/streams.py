"""Standard streams that know which thread uses them, for code that runs inside the service's own process.

``contextlib.redirect_stdout`` is process-wide (cpython#130148): one script's output would reach another's caller.
"""

from __future__ import annotations

import io
import sys
import threading
from typing import Any

_current = threading.local()


class Capture:
    """What one thread prints and reads while the block lasts; cut at ``limit`` bytes a stream."""

    def __init__(self, stdin: str, limit: int) -> None:
        self.stdin = io.StringIO(stdin)
        self.stdout = _Sink(limit)
        self.stderr = _Sink(limit)

    def __enter__(self) -> Capture:
        _current.capture = self
        return self

    def __exit__(self, *exception: object) -> None:
        _current.capture = None


class _Sink(io.TextIOBase):
    """Keeps text up to a number of UTF-8 bytes."""

    encoding = "utf-8"

    def __init__(self, limit: int) -> None:
        self._parts: list[str] = []
        self._left = limit
        self.truncated = False

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if not self.truncated:
            data = text.encode("utf-8", "replace")
            self.truncated = len(data) > self._left
            self._parts.append(data[: self._left].decode("utf-8", "ignore"))
            self._left -= min(len(data), self._left)
        return len(text)

    def text(self) -> str:
        """Give all that was kept."""
        return "".join(self._parts)


class _ThreadAware:
    """Stands for ``sys.stdout`` and its like: the thread's own stream inside a ``Capture``, else the original."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._original = getattr(sys, name)

    def __getattr__(self, attribute: str) -> Any:
        capture = getattr(_current, "capture", None)
        return getattr(self._original if capture is None else getattr(capture, self._name), attribute)

    def __iter__(self) -> Any:
        return iter(self.readline, "")


def install() -> None:
    """Make the process's standard streams thread-aware; once is enough, more does no harm."""
    for name in ("stdin", "stdout", "stderr"):
        if not isinstance(getattr(sys, name), _ThreadAware):
            setattr(sys, name, _ThreadAware(name))
