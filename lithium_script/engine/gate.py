"""A fair gate: so many executions at once, so many waiting, the next one refused.

Who waits holds a thread of the server. So that some are left to answer everything else, only ``max_patient`` wait for
as long as it takes; who comes after them waits ``PATIENCE_S``, which lets a burst of short scripts through.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from lithium_script.errors import ResourceExhausted
from lithium_script.model import Cancellation

PATIENCE_S = 1.0


class Gate:
    """First come, first served; thread-safe."""

    def __init__(self, places: int, max_waiting: int, max_patient: int) -> None:
        self._lock = threading.Lock()
        self._free = places
        self._waiting: deque[threading.Event] = deque()
        self._max_waiting = max_waiting
        self._max_patient = max_patient
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
        turn, patience_s = self._enter()
        if turn is not None:
            with cancellation.calling(lambda level: turn.set()):
                came = turn.wait(patience_s)
            if self._give_up(turn):
                if not came:
                    raise self._exhausted()
                yield False
                return
        try:
            yield True
        finally:
            self._leave()

    def _enter(self) -> tuple[threading.Event | None, float | None]:
        with self._lock:
            if self._free > 0:
                self._free -= 1
                return None, None
            if len(self._waiting) >= self._max_waiting:
                raise self._exhausted()
            turn = threading.Event()
            self._waiting.append(turn)
            return turn, None if len(self._waiting) <= self._max_patient else PATIENCE_S

    def _exhausted(self) -> ResourceExhausted:
        waiting = len(self._waiting)
        message = f"{self.places} executions run and {waiting} wait; try again later"
        return ResourceExhausted(message, {"running": self.places, "queued": waiting})

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
