"""Puts the ending of an execution into words: one explicit code for each cause, never a bare 137."""

from __future__ import annotations

import os
import signal
from typing import Any

from lithium_script.engine.execution import Ending
from lithium_script.errors import FunctionNotFound, ModuleNotFound
from lithium_script.model import ExecutionError, ExecutionOutcome, ExecutionRequest, Limits, Mode, OutputFile

_MISSING = {"module_not_found": ModuleNotFound, "function_not_found": FunctionNotFound}


def outcome_of(
    ending: Ending,
    request: ExecutionRequest,
    execution_id: str,
    mode: Mode,
    files: tuple[OutputFile, ...],
    warnings: tuple[str, ...],
) -> ExecutionOutcome:
    """Judge an ending; raise ``ModuleNotFound`` or ``FunctionNotFound`` where there was nothing to run."""
    frame = _checked(ending)
    error = _error(ending, frame, request.limits)
    if error is not None and error.code in _MISSING:
        raise _MISSING[error.code](error.message)
    exit_code, signal_name = _exit(ending.status)
    truncated = list(ending.truncated)
    if frame is not None and frame.get("truncated") is True:
        truncated.append("result")
    return ExecutionOutcome(
        execution_id=execution_id,
        success=error is None,
        result=frame.get("result") if frame is not None and error is None else None,
        result_type=frame["resultType"] if frame is not None and error is None else "NoneType",
        stdout=ending.stdout,
        stderr=ending.stderr,
        error=error,
        mode=mode,
        execution_time_ms=ending.elapsed_ms,
        cpu_time_ms=ending.cpu_ms,
        memory_used=ending.memory_bytes,
        exit_code=exit_code,
        signal=signal_name,
        truncated=tuple(truncated),
        files=files,
        warnings=warnings,
    )


def _checked(ending: Ending) -> dict[str, Any] | None:
    """Take the result frame as far as its form holds; a script can have written it itself."""
    frame = ending.frame
    if frame is None or not isinstance(frame.get("resultType"), str):
        return None
    error = frame.get("error")
    if error is not None and not (isinstance(error, dict) and all(isinstance(error.get(k), str) for k in _TEXTS)):
        return None
    return frame


_TEXTS = ("code", "type", "message", "traceback")
_SCRIPT_CODES = ("execution_failed", "syntax_error", "memory_limit", *_MISSING)


def _error(ending: Ending, frame: dict[str, Any] | None, limits: Limits) -> ExecutionError | None:
    said = frame.get("error") if frame is not None else None
    line = said.get("line") if said is not None and isinstance(said.get("line"), int) else None
    traceback = said["traceback"] if said is not None else ""
    if ending.cause is not None:
        kind, message = _CAUSES[ending.cause](limits)
        return ExecutionError(ending.cause, kind, message, traceback, line)
    if ending.broken or (ending.frame is not None and frame is None):
        why = ending.broken or "not the frame of a result"
        return ExecutionError("execution_failed", "ProtocolError", f"the script's result could not be read: {why}")
    if ending.status is None:
        return ExecutionError("killed", "Killed", "the process was killed from outside")
    if os.WIFSIGNALED(ending.status):
        return _signalled(os.WTERMSIG(ending.status), limits)
    if said is not None:
        code = said["code"] if said["code"] in _SCRIPT_CODES else "execution_failed"
        return ExecutionError(code, said["type"], said["message"], traceback, line)
    status = os.WEXITSTATUS(ending.status)
    if status != 0:
        return ExecutionError("execution_failed", "SystemExit", f"exited with status {status}")
    return None


def _signalled(number: int, limits: Limits) -> ExecutionError:
    if number == signal.SIGXCPU:
        kind, message = _CAUSES["cpu_limit"](limits)
        return ExecutionError("cpu_limit", kind, message)
    name = _signal_name(number)
    return ExecutionError("crashed", name, f"the script died of {name}: {signal.strsignal(number)}")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"


def _exit(status: int | None) -> tuple[int | None, str | None]:
    if status is None:
        return None, "SIGKILL"
    if os.WIFSIGNALED(status):
        return None, _signal_name(os.WTERMSIG(status))
    return os.WEXITSTATUS(status), None


_CAUSES: dict[str, Any] = {
    "timeout": lambda limits: ("TimeoutError", f"ran longer than its timeout of {limits.timeout_ms} ms"),
    "cpu_limit": lambda limits: ("CpuLimit", f"used more CPU time than {limits.cpu_timeout_ms} ms"),
    "memory_limit": lambda limits: ("MemoryError", f"used more memory than {limits.max_memory_mb} MB"),
    "process_limit": lambda limits: ("ProcessLimit", f"had more than {limits.max_processes} processes"),
    "output_limit": lambda limits: ("OutputLimit", f"printed over 100 times {limits.max_output_bytes} bytes"),
    "cancelled": lambda limits: ("Cancelled", "cancelled on request"),
    "killed": lambda limits: ("Killed", "killed on request"),
}
