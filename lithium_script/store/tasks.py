"""Tasks and what they print, as rows that any worker can claim and any client can follow.

Times are epoch seconds in the rows and ISO 8601 in what is returned. A task moves from queued to running to one
terminal status and never back, whatever several workers do at once.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from lithium_script.model import Json, TaskStatus
from lithium_script.store.database import Database
from lithium_script.store.schema import task_output, tasks
from lithium_script.store.taskrows import SHOWN, change, cursor, find, no_result, wire

QUEUED, RUNNING, CANCELLED, LOST = (
    status.value for status in (TaskStatus.QUEUED, TaskStatus.RUNNING, TaskStatus.CANCELLED, TaskStatus.LOST)
)
MAX_ANSWER_CHARS = 16 << 20
_DELETED_AT_ONCE = 500
_STREAMED = {"yield_per": 8}


class TaskStore:
    """The tasks of all workers; each call is one transaction; thread-safe.

    Answers that would grow above ``max_answer_chars`` are cut between rows; their cursors lead to the rest.
    """

    def __init__(self, database: Database, max_answer_chars: int = MAX_ANSWER_CHARS) -> None:
        self._database = database
        self._max_answer_chars = max_answer_chars

    def create(
        self, kind: str, name: str, payload: dict[str, Json], owner: str, execution_id: str | None = None
    ) -> dict[str, Json]:
        """Store a queued task; when this returns, it is on disk."""
        task_id = uuid.uuid4().hex
        row = {
            "id": task_id,
            "kind": kind,
            "name": name,
            "payload": payload,
            "owner": owner,
            "execution_id": execution_id,
            "status": QUEUED,
            "created": time.time(),
            "message": "",
            "cancel_requested": "",
        }
        with self._database.writing() as connection:
            connection.execute(insert(tasks).values(row))
            return wire(find(connection, task_id))

    def claim(self, worker: str) -> dict[str, Any] | None:
        """Take the oldest queued task for a worker; None where none is queued. No two claims get the same."""
        oldest = select(tasks).where(tasks.c.status == QUEUED).order_by(tasks.c.seq).limit(1)
        # Workers ask often and mostly in vain, so look without the write lock first.
        with self._database.reading() as connection:
            if connection.execute(oldest.with_only_columns(tasks.c.id)).first() is None:
                return None
        with self._database.writing() as connection:
            row = connection.execute(oldest.with_for_update(skip_locked=True)).first()
            if row is None:
                return None
            claimed = {"status": RUNNING, "worker": worker, "started": time.time()}
            connection.execute(update(tasks).where(tasks.c.id == row.id).values(claimed))
        return {
            "taskId": row.id,
            "kind": row.kind,
            "name": row.name,
            "payload": row.payload,
            "owner": row.owner,
            "executionId": row.execution_id,
        }

    def finish(self, task_id: str, status: str, outcome: Json, message: str = "") -> bool:
        """End a task that has not ended; tell whether it was so. An empty message keeps the one it has."""
        values = {"status": status, "outcome": outcome, "finished": time.time()}
        with self._database.writing() as connection:
            return change(connection, task_id, (QUEUED, RUNNING), values | ({"message": message} if message else {}))

    def set_progress(self, task_id: str, progress: float, message: str) -> bool:
        """Note how far a running task is, from 0 to 1; tell whether it runs."""
        with self._database.writing() as connection:
            return change(connection, task_id, (RUNNING,), {"progress": progress, "message": message})

    def request_cancel(self, task_id: str, level: str = "cancel") -> dict[str, Json]:
        """Cancel a queued task, ask for the end of a running one, leave one that has ended; raise ``TaskNotFound``.

        ``level`` is "cancel" or "kill"; a kill is not taken back by a later cancel.
        """
        outcome = no_result("cancelled", "Cancelled", "cancelled on request, before it started")
        with self._database.writing() as connection:
            ended = {"status": CANCELLED, "finished": time.time(), "outcome": outcome, "cancel_requested": level}
            if not change(connection, task_id, (QUEUED,), ended):
                lower = tasks.c.cancel_requested.in_(("", level))
                change(connection, task_id, (RUNNING,), {"cancel_requested": level}, *[lower] * (level != "kill"))
            return wire(find(connection, task_id))

    def cancel_requests(self, worker: str) -> dict[str, str]:
        """Give the running tasks of a worker that are to end, with the level of the request."""
        query = select(tasks.c.id, tasks.c.cancel_requested).where(
            tasks.c.status == RUNNING, tasks.c.worker == worker, tasks.c.cancel_requested != ""
        )
        with self._database.reading() as connection:
            return {row.id: row.cancel_requested for row in connection.execute(query)}

    def append_output(self, task_id: str, events: Sequence[tuple[int, str, str]]) -> None:
        """Store what a task printed, as ``(seq, stream, text)`` in rising order; raise ``TaskNotFound``."""
        rows = [{"task": task_id, "seq": seq, "stream": stream, "text": text} for seq, stream, text in events]
        if not rows:
            return
        with self._database.writing() as connection:
            find(connection, task_id)
            connection.execute(insert(task_output), rows)

    def output(self, task_id: str, offset: int) -> dict[str, Json]:
        """Give what a task printed from the event ``offset`` on; raise ``TaskNotFound``.

        ``finished`` says that the task has ended and that this is all of it.
        """
        query = (
            select(task_output.c.seq, task_output.c.stream, task_output.c.text)
            .where(task_output.c.task == task_id, task_output.c.seq >= offset)
            .order_by(task_output.c.seq)
        )
        events: list[dict[str, Json]] = []
        chars = 0
        with self._database.reading() as connection:
            # The status first: what is printed before the end is stored before the end.
            finished = TaskStatus(find(connection, task_id).status).terminal
            for seq, stream, text in connection.execute(query, execution_options=_STREAMED):
                chars += len(text)
                if events and chars > self._max_answer_chars:
                    finished = False
                    break
                events.append({"seq": seq, "stream": stream, "text": text})
        streams = {name: "".join(e["text"] for e in events if e["stream"] == name) for name in ("stdout", "stderr")}
        next_offset = events[-1]["seq"] + 1 if events else offset
        return {"events": events, **streams, "nextOffset": next_offset, "finished": finished}

    def get(self, task_id: str) -> dict[str, Json]:
        """Describe a task in wire form; raise ``TaskNotFound``."""
        with self._database.reading() as connection:
            return wire(find(connection, task_id))

    def owner(self, task_id: str) -> str:
        """Name the key that submitted a task; raise ``TaskNotFound``."""
        with self._database.reading() as connection:
            return str(find(connection, task_id, tasks.c.owner).owner)

    def list(self, status: str | None, kind: str | None, limit: int, before: str | None) -> dict[str, Json]:
        """List tasks, newest first; ``before`` is a ``nextBefore`` of an earlier answer, or ``InvalidArguments``."""
        query = select(*SHOWN, func.length(tasks.c.outcome).label("size")).order_by(tasks.c.seq.desc())
        if status is not None:
            query = query.where(tasks.c.status == status)
        if kind is not None:
            query = query.where(tasks.c.kind == (kind if kind.isprintable() else ""))
        if before is not None:
            query = query.where(tasks.c.seq < cursor(before))
        shown: list[Any] = []
        chars, more = 0, False
        with self._database.reading() as connection:
            for row in connection.execute(query.limit(limit + 1), execution_options=_STREAMED):
                chars += row.size or 0
                more = len(shown) == limit or (bool(shown) and chars > self._max_answer_chars)
                if more:
                    break
                shown.append(row)
        return {"tasks": [wire(row) for row in shown], "nextBefore": str(shown[-1].seq) if more and shown else None}

    def counts(self) -> dict[str, int]:
        """Tell how many tasks are queued and running."""
        query = select(tasks.c.status, func.count()).where(tasks.c.status.in_((QUEUED, RUNNING)))
        with self._database.reading() as connection:
            found = {row[0]: row[1] for row in connection.execute(query.group_by(tasks.c.status))}
        return {QUEUED: found.get(QUEUED, 0), RUNNING: found.get(RUNNING, 0)}

    def release_lost(self, dead_workers: Sequence[str]) -> int:
        """End the running tasks of dead workers as lost; give their number."""
        outcome = no_result("lost", "Lost", "the worker that ran it went down")
        dead = (tasks.c.status == RUNNING, tasks.c.worker.in_(dead_workers))
        values = {"status": LOST, "finished": time.time(), "outcome": outcome}
        with self._database.writing() as connection:
            return connection.execute(update(tasks).where(*dead).values(values)).rowcount

    def delete_finished_before(self, epoch_s: float) -> int:
        """Delete tasks that ended before a time, with what they printed; give their number."""
        old = select(tasks.c.seq).where(tasks.c.finished < epoch_s).limit(_DELETED_AT_ONCE)
        deleted = 0
        while True:
            # A few at a time, so that others get to write in between.
            with self._database.writing() as connection:
                found = connection.execute(old).scalars().all()
                connection.execute(delete(tasks).where(tasks.c.seq.in_(found)))
            deleted += len(found)
            if len(found) < _DELETED_AT_ONCE:
                return deleted
