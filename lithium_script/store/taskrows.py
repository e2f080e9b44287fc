"""One row of a task: how it is found and changed, and what clients see of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select, update

from lithium_script.errors import InvalidArguments, TaskNotFound
from lithium_script.model import Json
from lithium_script.store.columns import iso_time
from lithium_script.store.schema import tasks

SHOWN = (
    tasks.c.seq,
    tasks.c.id,
    tasks.c.kind,
    tasks.c.name,
    tasks.c.status,
    tasks.c.created,
    tasks.c.started,
    tasks.c.finished,
    tasks.c.progress,
    tasks.c.message,
    tasks.c.outcome,
)


def find(connection: Connection, task_id: str, *columns: ColumnElement[Any]) -> Row[Any]:
    """Read columns of a task, by default what clients see; raise ``TaskNotFound``."""
    # Ids come from clients; what cannot be one must not reach a database that cannot store it.
    if re.fullmatch("[0-9a-f]{32}", task_id):
        row = connection.execute(select(*(columns or SHOWN)).where(tasks.c.id == task_id)).first()
        if row is not None:
            return row
    raise TaskNotFound(f"no task {task_id[:64]!r}; it may be past its retention")


def change(
    connection: Connection,
    task_id: str,
    statuses: Sequence[str],
    values: dict[str, Any],
    *conditions: ColumnElement[bool],
) -> bool:
    """Change a task that is in one of the statuses and meets the conditions; tell whether one was."""
    if not re.fullmatch("[0-9a-f]{32}", task_id):
        return False
    which = (tasks.c.id == task_id, tasks.c.status.in_(statuses), *conditions)
    return connection.execute(update(tasks).where(*which).values(values)).rowcount == 1


def cursor(text: str) -> int:
    """Read a cursor of lists; raise ``InvalidArguments`` for what is none."""
    if not re.fullmatch("[0-9]{1,18}", text):
        raise InvalidArguments.field("before", "not a nextBefore of an earlier answer")
    return int(text)


def no_result(code: str, kind: str, message: str) -> dict[str, Json]:
    """Make the outcome of a task that came to none of its own."""
    return {"success": False, "error": {"code": code, "type": kind, "message": message}}


def wire(row: Row[Any]) -> dict[str, Json]:
    """Describe a task as clients see it."""
    return {
        "taskId": row.id,
        "kind": row.kind,
        "name": row.name,
        "status": row.status,
        "createdAt": iso_time(row.created),
        "startedAt": iso_time(row.started),
        "finishedAt": iso_time(row.finished),
        "progress": row.progress,
        "message": row.message,
        "outcome": row.outcome,
    }
