"""PythonWrapper: runs code inside the service's own process, where starting costs nothing and nothing protects.

What analysis proved pure and bounded runs on the caller's thread: it ends within milliseconds. Code that was sent
here by name runs on a thread of its own and is interrupted at its timeout. If it does not yield, the reply is given
all the same, and ``on_stuck`` has the worker process replaced.
"""

from __future__ import annotations

import builtins
import ctypes
import threading
import time
from collections.abc import Callable
from typing import Any

from lithium_script.engine.registry import RunningExecution
from lithium_script.errors import ResourceExhausted
from lithium_script.model import Code, ExecutionError, ExecutionOutcome, ExecutionRequest, Mode
from lithium_script.python import streams
from lithium_script.sandbox import encoding, script
from lithium_script.sandbox.importguard import ImportGuard

YIELD_S = 2.0


class Interrupted(BaseException):
    """Raised inside a script's thread to end it; not an ``Exception``, so that few scripts catch it."""


class PythonWrapper:
    """Runs source text in this process; thread-safe. ``max_threads`` bounds what runs on threads of its own."""

    def __init__(self, max_threads: int, on_stuck: Callable[[], None]) -> None:
        self._places = threading.BoundedSemaphore(max_threads)
        self._on_stuck = on_stuck
        self.stuck = 0

    def start(self) -> None:
        """Make the process's standard streams thread-aware."""
        streams.install()

    def run_proven(self, request: ExecutionRequest, running: RunningExecution) -> ExecutionOutcome:
        """Run code that is proven pure and bounded, on the caller's thread."""
        return _run(request, running, _capture(request))

    def run(self, request: ExecutionRequest, running: RunningExecution) -> ExecutionOutcome:
        """Run any code on a thread of its own; raise ``ResourceExhausted`` if too many such threads run."""
        if not self._places.acquire(blocking=False):
            raise ResourceExhausted("too many in-process executions run; try again later")
        outcome: list[ExecutionOutcome] = []
        done = threading.Event()
        capture = _capture(request)
        arguments = (request, running, capture, outcome, done)
        thread = threading.Thread(target=self._on_thread, args=arguments, name="inprocess", daemon=True)
        started = time.monotonic()
        with running.cancellation.calling(lambda level: done.set()):
            thread.start()
            done.wait(request.limits.timeout_ms / 1000)
        if not outcome:
            _interrupt(thread)
            thread.join(YIELD_S)
        ended = running.cancellation.level
        if outcome and ended is None and (time.monotonic() - started) * 1000 < request.limits.timeout_ms:
            return outcome[0]
        if not outcome:
            self.stuck += 1
            self._on_stuck()
        return _ended(request, running, capture, (time.monotonic() - started) * 1000)

    def _on_thread(
        self,
        request: ExecutionRequest,
        running: RunningExecution,
        capture: streams.Capture,
        outcome: list[ExecutionOutcome],
        done: threading.Event,
    ) -> None:
        try:
            outcome.append(_run(request, running, capture))
        except Interrupted:
            return
        finally:
            self._places.release()
            done.set()


def _capture(request: ExecutionRequest) -> streams.Capture:
    return streams.Capture(request.stdin, request.limits.max_output_bytes)


def _run(request: ExecutionRequest, running: RunningExecution, capture: streams.Capture) -> ExecutionOutcome:
    assert isinstance(request.source, Code)
    text, filename = request.source.text, request.source.filename
    started, cpu_started = time.perf_counter(), time.thread_time()
    names = _names(request)
    with capture:
        try:
            ended = script.Outcome(script.execute(script.compile_source(text, filename), names))
        except BaseException as raised:
            ended = script.failure(raised, (filename,))
        value = ended.value if names.get("result") is None else names["result"]
        result, name, too_large = _encode(None if ended.error else value, request.limits.max_result_bytes)
    cut = {"stdout": capture.stdout.truncated, "stderr": capture.stderr.truncated, "result": too_large}
    error = None if ended.error is None else ExecutionError(**ended.error)
    return ExecutionOutcome(
        execution_id=running.execution_id,
        success=error is None,
        result=result,
        result_type=name,
        stdout=capture.stdout.text() if request.capture_output else "",
        stderr=capture.stderr.text() if request.capture_output else "",
        error=error,
        mode=Mode.INPROCESS,
        execution_time_ms=(time.perf_counter() - started) * 1000,
        cpu_time_ms=(time.thread_time() - cpu_started) * 1000,
        exit_code=ended.exit_code,
        truncated=tuple(name for name, was_cut in cut.items() if was_cut),
    )


def _encode(value: Any, limit: int) -> tuple[Any, str, bool]:
    try:
        return encoding.encode(value, limit)
    except Exception as error:
        name = type(value).__name__
        return f"<unrepresentable {name}: {type(error).__name__}>", name, False


def _names(request: ExecutionRequest) -> dict[str, Any]:
    names: dict[str, Any] = {
        **script.variables(request.args),
        "__name__": "__main__",
        "__builtins__": builtins,
        "args": request.args,
        "progress": lambda fraction, message="": None,
    }
    if request.allowed_imports is not None or request.blocked_imports:
        # A namespace of its own: the process's builtins serve every other thread.
        guard = ImportGuard(request.allowed_imports, request.blocked_imports)
        names["__builtins__"] = {**vars(builtins), "__import__": guard.checked(builtins.__import__)}
    return names


def _interrupt(thread: threading.Thread) -> None:
    """Raise ``Interrupted`` in a thread at its next bytecode (PyThreadState_SetAsyncExc)."""
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Interrupted))


def _ended(
    request: ExecutionRequest, running: RunningExecution, capture: streams.Capture, elapsed_ms: float
) -> ExecutionOutcome:
    level = running.cancellation.level
    if level is None:
        message = f"ran longer than its timeout of {request.limits.timeout_ms} ms"
        error = ExecutionError("timeout", "TimeoutError", message)
    else:
        code = "killed" if level == "kill" else "cancelled"
        error = ExecutionError(code, code.capitalize(), f"{code} on request")
    return ExecutionOutcome(
        execution_id=running.execution_id,
        success=False,
        stdout=capture.stdout.text() if request.capture_output else "",
        stderr=capture.stderr.text() if request.capture_output else "",
        error=error,
        mode=Mode.INPROCESS,
        execution_time_ms=elapsed_ms,
        exit_code=None,
    )
