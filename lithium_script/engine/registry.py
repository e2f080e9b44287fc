"""The executions that run in this worker now: by id, so that each can be seen, cancelled and killed.

Other workers ask over the peer channel; nothing of this is in the database, where it would be in the way of every
execution. An id that a client chose is claimed on the host for as long as it lives, by a lock that the kernel
releases with its holder.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lithium_script.errors import Conflict
from lithium_script.model import Cancellation, Json
from lithium_script.sandbox import processtree


@dataclass(slots=True)
class RunningExecution:
    """One execution between its admission and its end."""

    execution_id: str
    owner: str
    cancellation: Cancellation
    mode: str = ""
    started_at: float = field(default_factory=time.time)
    keeper_pid: int | None = None

    @property
    def script_pid(self) -> int | None:
        """The script's process id as the host sees it, while it has one."""
        found = [] if self.keeper_pid is None else processtree.children(self.keeper_pid)
        return found[0] if found else None


def _memory(keeper_pid: int | None) -> int:
    return 0 if keeper_pid is None else processtree.usage(keeper_pid).rss_bytes


class ExecutionRegistry:
    """Holds what runs in this worker; thread-safe."""

    def __init__(self, claims: Path) -> None:
        self._claims = claims
        self._lock = threading.Lock()
        self._running: dict[str, RunningExecution] = {}

    def start(self) -> None:
        """Make the folder of claims."""
        self._claims.mkdir(parents=True, exist_ok=True, mode=0o700)

    @contextmanager
    def entered(self, execution: RunningExecution, chosen: bool) -> Iterator[None]:
        """List an execution for as long as the block lasts; raise ``Conflict`` where its chosen id is live."""
        claim = self._claim(execution.execution_id) if chosen else None
        with self._lock:
            self._running[execution.execution_id] = execution
        try:
            yield
        finally:
            with self._lock:
                del self._running[execution.execution_id]
            if claim is not None:
                os.unlink(claim[1])
                os.close(claim[0])

    def describe(self) -> list[dict[str, Json]]:
        """Describe what runs, oldest first."""
        with self._lock:
            running = list(self._running.values())
        return [
            {
                "executionId": execution.execution_id,
                "owner": execution.owner,
                "mode": execution.mode,
                "startedAt": execution.started_at,
                "processId": execution.script_pid,
                "memoryBytes": _memory(execution.keeper_pid),
            }
            for execution in running
        ]

    def request_end(self, execution_id: str | None, level: str, owner: str | None) -> list[str]:
        """Ask one execution, or all, to end; only those of ``owner`` unless that is None. Give the ids asked."""
        with self._lock:
            chosen = [
                execution
                for execution in self._running.values()
                if execution_id in (None, execution.execution_id) and owner in (None, execution.owner)
            ]
        for execution in chosen:
            execution.cancellation.request(level)
        return [execution.execution_id for execution in chosen]

    def _claim(self, execution_id: str) -> tuple[int, str]:
        name = hashlib.sha256(execution_id.encode()).hexdigest()[:32]
        path = str(self._claims / name)
        while True:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                os.close(fd)
                raise Conflict(
                    f"an execution with the id '{execution_id}' is running", {"executionId": ["is in use"]}
                ) from error
            # Its last holder may have removed the file between our open and our lock.
            if os.fstat(fd).st_nlink:
                return fd, path
            os.close(fd)
