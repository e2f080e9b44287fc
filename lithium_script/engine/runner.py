"""Runs requests in warm children: takes one, gives it a directory and its job, and judges what came of it."""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lithium_script.engine.execution import Execution
from lithium_script.engine.forkserver import ForkServer
from lithium_script.engine.job import job_for
from lithium_script.engine.registry import RunningExecution
from lithium_script.engine.rundirectory import OutputCollector
from lithium_script.engine.verdict import outcome_of
from lithium_script.model import EventSink, ExecutionOutcome, ExecutionRequest, Mode
from lithium_script.sandbox.forkserver import NUMPY_MODULES


class ForkRunner:
    """Two fork servers, one plain and one with NumPy, and the way a request takes through them; thread-safe."""

    mode: Mode

    def __init__(self, run_root: Path, stock: int, confinement: dict[str, Any] | None = None) -> None:
        self._counting = _Count()
        name = self.mode.value
        self._servers = {
            "plain": ForkServer(f"{name}-plain", sys.executable, (), confinement, run_root, stock),
            "numpy": ForkServer(f"{name}-numpy", sys.executable, NUMPY_MODULES, confinement, run_root, stock),
        }

    @property
    def running(self) -> int:
        """How many executions run now."""
        return self._counting.value

    @property
    def available(self) -> int:
        """How many children are warm."""
        return sum(server.available for server in self._servers.values())

    def start(self) -> None:
        """Start both fork servers; they fill their stock in the background."""
        for server in self._servers.values():
            server.start()

    def close(self) -> None:
        """End both fork servers with all that they run."""
        for server in self._servers.values():
            server.close()

    def readiness(self) -> dict[str, str]:
        """Tell for each fork server "ok" or why it gives no children."""
        return {f"forkServer.{server.name}": server.failure or "ok" for server in self._servers.values()}

    def server_pids(self) -> list[int]:
        """List the process ids of the fork servers."""
        return [server.pid for server in self._servers.values() if server.pid is not None]

    def run(
        self, request: ExecutionRequest, running: RunningExecution, needs_numpy: bool, sink: EventSink | None
    ) -> ExecutionOutcome:
        """Run a request to its end, on the caller's thread.

        Raises ``ServiceUnavailable`` where no child can be had, ``ModuleNotFound`` or ``FunctionNotFound`` where
        there is nothing to run; whatever the script does is an outcome.
        """
        child = self._servers["numpy" if needs_numpy else "plain"].take()
        with self._counting, ExitStack() as after:
            after.callback(child.discard)
            running.keeper_pid = child.keeper_pid
            directory = request.working_directory or child.home
            job = job_for(request, directory, child.home, self.mode is Mode.ISOLATED)
            collector = OutputCollector(directory, request.output_files, request.files)
            execution = Execution(
                running.execution_id,
                child,
                request.limits,
                sink=sink,
                cancellation=running.cancellation,
                keep_output=request.capture_output,
            )
            ending = execution.run(job, request.stdin.encode("utf-8", "surrogatepass"))
            files, left_out = collector.collect()
        return outcome_of(ending, request, running.execution_id, self.mode, files, left_out)



class _Count:
    """Counts the threads inside its block."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.value = 0

    def __enter__(self) -> None:
        with self._lock:
            self.value += 1

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self.value -= 1
