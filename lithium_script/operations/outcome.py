"""Writes an execution outcome in its form on the wire."""

from __future__ import annotations

import base64

from lithium_script.model import ExecutionOutcome, Json


def outcome_to_json(outcome: ExecutionOutcome) -> dict[str, Json]:
    """Give the outcome as the API reference shows it."""
    return {
        "executionId": outcome.execution_id,
        "success": outcome.success,
        "result": outcome.result,
        "resultType": outcome.result_type,
        "stdout": outcome.stdout,
        "stderr": outcome.stderr,
        "error": None if outcome.error is None else outcome.error.to_json(),
        "mode": outcome.mode.value,
        "modeReason": outcome.mode_reason,
        "executionTime": round(outcome.execution_time_ms, 3),
        "cpuTime": round(outcome.cpu_time_ms, 3),
        "memoryUsed": outcome.memory_used,
        "exitCode": outcome.exit_code,
        "signal": outcome.signal,
        "truncated": {name: name in outcome.truncated for name in ("stdout", "stderr", "result")},
        "files": [
            {
                "path": file.path,
                "size": len(file.content),
                "mimeType": file.mime_type,
                "content": base64.b64encode(file.content).decode("ascii"),
            }
            for file in outcome.files
        ],
    }
