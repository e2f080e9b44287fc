"""The form of an outcome on the wire."""

from __future__ import annotations

from lithium_script.model import ExecutionError, ExecutionOutcome, Mode, OutputFile
from lithium_script.operations.outcome import outcome_to_json


def test_outcome_has_every_field_of_the_reference() -> None:
    outcome = ExecutionOutcome(
        execution_id="e1",
        success=False,
        result=[1],
        result_type="list",
        stdout="out",
        stderr="err",
        error=ExecutionError("execution_failed", "ValueError", "no", "Traceback", 3),
        mode=Mode.POOLED,
        mode_reason="bounded effects",
        execution_time_ms=1.23456,
        cpu_time_ms=0.98765,
        memory_used=4096,
        exit_code=None,
        signal="SIGKILL",
        truncated=("stdout",),
        files=(OutputFile("out/a.bin", b"\0\xff", "application/octet-stream"),),
    )
    assert outcome_to_json(outcome) == {
        "executionId": "e1",
        "success": False,
        "result": [1],
        "resultType": "list",
        "stdout": "out",
        "stderr": "err",
        "error": {
            "code": "execution_failed",
            "type": "ValueError",
            "message": "no",
            "traceback": "Traceback",
            "line": 3,
        },
        "mode": "pooled",
        "modeReason": "bounded effects",
        "executionTime": 1.235,
        "cpuTime": 0.988,
        "memoryUsed": 4096,
        "exitCode": None,
        "signal": "SIGKILL",
        "truncated": {"stdout": True, "stderr": False, "result": False},
        "files": [{"path": "out/a.bin", "size": 2, "mimeType": "application/octet-stream", "content": "AP8="}],
    }


def test_success_has_no_error() -> None:
    assert outcome_to_json(ExecutionOutcome("e2", True))["error"] is None
