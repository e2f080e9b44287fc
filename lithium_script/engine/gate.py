"""A fair gate: so many executions at once, so many waiting, the next one refused."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from lithium_script.errors import ResourceExhausted
from lithium_script.model import Cancellation


class Gate:
    """First come, first served; thread-safe."""

    def __init__(self, places: int, max_waiting: int) -> None:
        self._lock = threading.Lock()
        self._free = places
        self._waiting: deque[threading.Event] = deque()
        self._max_waiting = max_waiting
        self.places = places

    @property
    def busy(self) -> int:
        """How many executions run now."""
        return self.places - self._free

    @property
    def waiting(self) -> int:
        """How many executions wait for a place."""
        return len(self._waiting)

    @contextmanager
    def place(self, cancellation: Cancellation) -> Iterator[bool]:
        """Hold a place; yield False where the wait was cancelled. Raise ``ResourceExhausted`` if too many wait."""
        turn = self._enter()
        if turn is not None:
            with cancellation.calling(lambda level: turn.set()):
                turn.wait()
            if self._give_up(turn):
                yield False
                return
        try:
            yield True
        finally:
            self._leave()

    def _enter(self) -> threading.Event | None:
        with self._lock:
            if self._free > 0:
                self._free -= 1
                return None
            if len(self._waiting) >= self._max_waiting:
                raise ResourceExhausted(
                    f"{self.places} executions run and {len(self._waiting)} wait; try again later",
                    {"running": self.places, "queued": len(self._waiting)},
                )
            turn = threading.Event()
            self._waiting.append(turn)
            return turn

    def _give_up(self, turn: threading.Event) -> bool:
        """Leave the line after a cancellation; False where the turn had come by then."""
        with self._lock:
            try:
                self._waiting.remove(turn)
            except ValueError:
                return False
            return True

    def _leave(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1

    def wait_until_idle(self, timeout_s: float) -> bool:
        """Wait until nothing runs or waits; False if that did not happen in time."""
        deadline = time.monotonic() + timeout_s
        idle = threading.Event()
        while self.busy or self.waiting:
            if time.monotonic() >= deadline:
                return False
            idle.wait(0.02)
        return True
