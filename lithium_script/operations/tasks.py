"""The operations of ``/api/tasks``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import Schema, validate

from lithium_script.model import Json, TaskStatus
from lithium_script.operations.fields import Choice, Text, Whole
from lithium_script.operations.registry import Call, Operation

if TYPE_CHECKING:
    from lithium_script.service import ScriptService

MAX_WAIT_MS = 60_000
MAX_LISTED = 1000
MAX_DIGITS = 15
RANGE = "must be from {min} to {max}"


class QueryNumber(Whole):
    """A whole number that may come as the text of a query string."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS:
            return int(value)
        return super()._deserialize(value, attr, data, **kwargs)


class ListSchema(Schema):
    """Which tasks to list."""

    status = Choice(tuple(status.value for status in TaskStatus), load_default=None)
    kind = Text(load_default=None)
    limit = QueryNumber(load_default=100, validate=validate.Range(1, MAX_LISTED, error=RANGE))
    before = Text(load_default=None)


class TaskSchema(Schema):
    """Which task."""

    task_id = Text(data_key="taskId", required=True)


class WaitSchema(TaskSchema):
    """Which task, and how many milliseconds to wait for its end."""

    wait = QueryNumber(load_default=0, validate=validate.Range(0, MAX_WAIT_MS, error=RANGE))


class OutputSchema(TaskSchema):
    """Which task, and after which event."""

    offset = QueryNumber(load_default=0, validate=validate.Range(0, 10**MAX_DIGITS, error=RANGE))


def list_tasks(service: ScriptService, call: Call) -> dict[str, Json]:
    """List tasks, newest first."""
    arguments = call.arguments
    return service.tasks.list(arguments["status"], arguments["kind"], arguments["limit"], arguments["before"])


def get_task(service: ScriptService, call: Call) -> dict[str, Json]:
    """Describe a task, at once or when it has ended."""
    return service.tasks.wait(call.arguments["task_id"], call.arguments["wait"])


def task_output(service: ScriptService, call: Call) -> dict[str, Json]:
    """Give what a task printed so far."""
    return service.tasks.output(call.arguments["task_id"], call.arguments["offset"])


def cancel_task(service: ScriptService, call: Call) -> dict[str, Json]:
    """Ask a task to end."""
    return service.tasks.cancel(call.arguments["task_id"], call.caller)


OPERATIONS = (
    Operation("tasks.list", "GET", "/api/tasks", "read", ListSchema, list_tasks),
    Operation("tasks.get", "GET", "/api/tasks/<taskId>", "read", WaitSchema, get_task),
    Operation("tasks.output", "GET", "/api/tasks/<taskId>/output", "read", OutputSchema, task_output),
    Operation("tasks.cancel", "POST", "/api/tasks/<taskId>/cancel", "execute", TaskSchema, cancel_task),
)
