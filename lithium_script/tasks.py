"""Asynchronous calls: stored before they are promised, run by whichever worker is free, seen by all of them.

A task is a row: its kind, its JSON payload and its owner are all that running it needs, so any worker can claim it
and an engine elsewhere could. Output goes to the store in small batches; ends and cancellations are announced
to the other workers, so that a waiting client hears of them at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lithium_script.errors import Forbidden, ResourceExhausted, ScriptError, ServiceUnavailable
from lithium_script.model import Caller, Cancellation, Event, EventSink, Json, TaskStatus
from lithium_script.peers import PeerHub
from lithium_script.store.tasks import TaskStore

log = logging.getLogger(__name__)

TaskRunner = Callable[[str, dict[str, Json], str, EventSink, Cancellation], dict[str, Json]]
"""Runs ``(kind, payload, owner, sink, cancellation)`` and gives the outcome in wire form."""

TICK_S = 0.2
IDLE_S = 1.0
_TERMINAL = {status.value for status in TaskStatus if status.terminal}


class _Running:
    """A task that runs in this worker: how to cancel it, and what it printed since the last flush."""

    def __init__(self) -> None:
        self.cancellation = Cancellation()
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._events: list[tuple[int, str, str]] = []
        self._seq = 0
        self._progress: tuple[float, str] | None = None

    def sink(self, event: Event) -> None:
        """Keep an event until the next flush."""
        with self._lock:
            if event.kind in ("stdout", "stderr"):
                self._seq += 1
                self._events.append((self._seq, event.kind, str(event.data["text"])))
            elif event.kind == "progress":
                self._progress = (float(event.data["fraction"]), str(event.data["message"]))

    def flush(self, store: TaskStore, task_id: str) -> None:
        """Write what came since the last flush, in order; what cannot be written now is kept for the next."""
        with self._writing:
            with self._lock:
                events, progress = list(self._events), self._progress
            if events:
                store.append_output(task_id, events)
            if progress is not None:
                store.set_progress(task_id, *progress)
            with self._lock:
                del self._events[: len(events)]
                if self._progress is progress:
                    self._progress = None


class TaskManager:
    """Submits, runs, shows and cancels tasks; thread-safe. ``runner`` is given by ``app``, before ``start``."""

    def __init__(self, store: TaskStore, peers: PeerHub, worker_id: str, places: int, max_queued: int) -> None:
        self._store = store
        self._peers = peers
        self._worker_id = worker_id
        self._places = places
        self._max_queued = max_queued
        self._running: dict[str, _Running] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._ended = threading.Condition()
        self._closing = False
        self._threads = ThreadPoolExecutor(places, thread_name_prefix="task")
        self._loop = threading.Thread(target=self._run_loop, name="tasks", daemon=True)
        self.runner: TaskRunner | None = None
        peers.handlers["task.cancel"] = self._on_cancel
        peers.handlers["task.ended"] = self._on_ended
        peers.handlers["task.submitted"] = self._on_submitted

    def start(self) -> None:
        """Begin to claim tasks."""
        self._loop.start()

    def submit(
        self, kind: str, name: str, payload: dict[str, Json], owner: str, execution_id: str | None = None
    ) -> dict[str, Json]:
        """Store a task; when this returns, it will run. Raise ``ResourceExhausted`` if too many wait."""
        if self._closing:
            raise ServiceUnavailable("the service is stopping")
        queued = self._store.counts()["queued"]
        if queued >= self._max_queued:
            raise ResourceExhausted(f"{queued} tasks wait; try again later", {"queued": queued})
        task = self._store.create(kind, name, payload, owner, execution_id)
        self._wake.set()
        if len(self._running) >= self._places:
            self._peers.broadcast("task.submitted", {})
        return task

    def get(self, task_id: str) -> dict[str, Json]:
        """Describe a task; raise ``TaskNotFound``."""
        return self._store.get(task_id)

    def wait(self, task_id: str, wait_ms: int) -> dict[str, Json]:
        """Describe a task when it has ended, or when ``wait_ms`` are over; raise ``TaskNotFound``."""
        deadline = time.monotonic() + wait_ms / 1000
        with self._ended:
            while True:
                task = self._store.get(task_id)
                left = deadline - time.monotonic()
                if task["status"] in _TERMINAL or left <= 0 or self._closing:
                    return task
                # An announcement can be missed where a worker is killed: look again now and then.
                self._ended.wait(min(left, IDLE_S))

    def list(self, status: str | None, kind: str | None, limit: int, before: str | None) -> dict[str, Json]:
        """List tasks, newest first."""
        return self._store.list(status, kind, limit, before)

    def output(self, task_id: str, offset: int) -> dict[str, Json]:
        """Give what a task printed after the event ``offset``; raise ``TaskNotFound``."""
        running = self._running.get(task_id)
        if running is not None:
            running.flush(self._store, task_id)
        return self._store.output(task_id, offset)

    def cancel(self, task_id: str, caller: Caller) -> dict[str, Json]:
        """Ask a task to end; raise ``TaskNotFound``, or ``Forbidden`` for another's task."""
        owner = self._store.owner(task_id)
        if owner != caller.name and not caller.may("admin"):
            raise Forbidden("cancelling what another key started takes the scope admin")
        task = self._store.request_cancel(task_id)
        announcement = "task.cancel" if task["status"] == "running" else "task.ended"
        self._peers.broadcast(announcement, {"taskId": task_id, "level": "cancel"})
        return task

    def counts(self) -> dict[str, int]:
        """Tell how many tasks are queued and running, on every worker."""
        return self._store.counts()

    def close(self, grace_s: float) -> None:
        """Stop claiming, wait for what runs, then kill it; every task of this worker ends in a terminal state."""
        self._closing = True
        self._wake.set()
        with self._ended:
            self._ended.notify_all()
            self._ended.wait_for(lambda: not self._running, grace_s)
        for running in list(self._running.values()):
            running.cancellation.request("kill")
        if self._loop.ident is not None:
            self._loop.join()
        self._threads.shutdown()

    def _run_loop(self) -> None:
        looked_at = 0.0
        while not self._closing or self._running:
            self._wake.wait(TICK_S if self._running else IDLE_S)
            self._wake.clear()
            try:
                if not self._closing:
                    self._claim()
                for task_id, running in list(self._running.items()):
                    running.flush(self._store, task_id)
                if self._running and time.monotonic() - looked_at > IDLE_S:
                    looked_at = time.monotonic()
                    for task_id, level in self._store.cancel_requests(self._worker_id).items():
                        self._on_cancel({"taskId": task_id, "level": level})
            except Exception:
                log.exception("the task loop failed; it goes on")

    def _claim(self) -> None:
        while len(self._running) < self._places:
            row = self._store.claim(self._worker_id)
            if row is None:
                return
            running = _Running()
            with self._lock:
                self._running[row["taskId"]] = running
            self._threads.submit(self._run, row, running)

    def _run(self, row: dict[str, Any], running: _Running) -> None:
        task_id = row["taskId"]
        assert self.runner is not None
        try:
            outcome = self.runner(row["kind"], row["payload"], row["owner"], running.sink, running.cancellation)
        except ScriptError as error:
            outcome = _failed(error.code, error.message, error.details)
        except Exception:
            log.exception("task %s failed", task_id)
            outcome = _failed("internal_error", "a defect of the service; its log tells more", {})
        try:
            running.flush(self._store, task_id)
            self._finish(task_id, outcome)
        except Exception:
            log.exception("the end of task %s could not be stored; its lease will make it lost", task_id)
        finally:
            with self._lock:
                del self._running[task_id]
            self._wake.set()
            self._peers.broadcast("task.ended", {"taskId": task_id})

    def _finish(self, task_id: str, outcome: dict[str, Json]) -> None:
        try:
            self._store.finish(task_id, _status(outcome), outcome)
        except ValueError:
            log.exception("the outcome of task %s is no JSON", task_id)
            outcome = _failed("internal_error", "a defect of the service; its log tells more", {})
            self._store.finish(task_id, _status(outcome), outcome)

    def _on_cancel(self, params: dict[str, Json]) -> bool:
        running = self._running.get(params["taskId"])
        if running is None:
            return False
        running.cancellation.request(params["level"])
        return True

    def _on_ended(self, params: dict[str, Json]) -> bool:
        with self._ended:
            self._ended.notify_all()
        return True

    def _on_submitted(self, params: dict[str, Json]) -> bool:
        self._wake.set()
        return True


def _failed(code: str, message: str, details: dict[str, Json]) -> dict[str, Json]:
    return {"success": False, "error": {"code": code, "message": message, "details": details}}


def _status(outcome: dict[str, Json]) -> str:
    if outcome.get("success", True):
        return str(TaskStatus.SUCCEEDED.value)
    code = (outcome.get("error") or {}).get("code")
    return str((TaskStatus.CANCELLED if code in ("cancelled", "killed") else TaskStatus.FAILED).value)
