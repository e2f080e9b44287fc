"""The operations of ``/isolated``: what runs on this host, and how to end it."""

from __future__ import annotations

import platform
import sys
from typing import TYPE_CHECKING, Any

from marshmallow import Schema

from lithium_script.model import Json
from lithium_script.operations.fields import Text
from lithium_script.operations.registry import Call, Operation

if TYPE_CHECKING:
    from lithium_script.service import ScriptService


class AnythingRunningSchema(Schema):
    """No arguments."""


class EndSchema(Schema):
    """Which execution to end; all of them where none is named."""

    execution_id = Text(data_key="executionId", load_default=None, allow_none=True)


def cancel(service: ScriptService, call: Call) -> dict[str, Json]:
    """Interrupt executions, and kill them after a grace period."""
    ended = service.end_executions(call.arguments["execution_id"], "cancel", call.caller)
    return {"cancelled": bool(ended), "executions": ended}


def kill(service: ScriptService, call: Call) -> dict[str, Json]:
    """Kill executions at once, with their whole process trees."""
    ended = service.end_executions(call.arguments["execution_id"], "kill", call.caller)
    return {"killed": bool(ended), "executions": ended}


def status(service: ScriptService, call: Call) -> dict[str, Json]:
    """Tell what runs, and which layers of the sandbox hold."""
    running, gauges = service.running(), service.gauges()
    pids = _process_ids(running)
    return {
        "running": bool(running),
        "processId": pids[0] if pids else None,
        "executions": running,
        "sandbox": {"level": "sandboxed", "layers": [layer.to_json() for layer in service.isolated.layers]},
        "queue": {"size": gauges["size"], "running": gauges["busy"], "queued": gauges["queued"]},
    }


def memory_usage(service: ScriptService, call: Call) -> dict[str, Json]:
    """Tell how much memory the running executions hold, their process trees counted."""
    running = [one for one in service.running() if one["processId"] is not None]
    total = sum(one["memoryBytes"] for one in running)
    return {
        "available": bool(running),
        "bytes": total,
        "megabytes": round(total / (1 << 20), 3),
        "processes": len(running),
    }


def process_id(service: ScriptService, call: Call) -> dict[str, Json]:
    """Tell the process ids of the running executions, as the host sees them."""
    pids = _process_ids(service.running())
    return {"available": bool(pids), "processId": pids[0] if pids else None, "processIds": pids}


def python_version(service: ScriptService, call: Call) -> dict[str, Json]:
    """Tell which interpreter runs isolated scripts."""
    return {
        "available": True,
        "version": platform.python_version(),
        "implementation": platform.python_implementation(),
        "executable": sys.executable,
        "venv": None,
    }


def _process_ids(running: list[dict[str, Json]]) -> list[int]:
    return [one["processId"] for one in running if one["processId"] is not None]


def _operation(name: str, method: str, scope: str, request: type[Schema], function: Any, **more: Any) -> Operation:
    return Operation(f"isolated.{name}", method, f"/isolated/{name}", scope, request, function, **more)


OPERATIONS = (
    _operation("cancel", "POST", "execute", EndSchema, cancel, command="script.cancel"),
    _operation("kill", "POST", "execute", EndSchema, kill),
    _operation("status", "GET", "read", AnythingRunningSchema, status),
    _operation("memoryUsage", "GET", "read", AnythingRunningSchema, memory_usage),
    _operation("processId", "GET", "read", AnythingRunningSchema, process_id),
    _operation("pythonVersion", "GET", "read", AnythingRunningSchema, python_version),
)
