"""What every worker does every few seconds: renew its lease, give up those of dead workers, drop what is old."""

from __future__ import annotations

import logging
import threading
import time

from lithium_script.store.tasks import TaskStore
from lithium_script.store.workers import WorkerStore

log = logging.getLogger(__name__)

RENEW_S = 5.0
CLEAN_S = 600.0


class Upkeep:
    """Runs on one thread of its own; a failing database is tried again at the next turn."""

    def __init__(self, workers: WorkerStore, tasks: TaskStore, worker_id: str, retention_hours: int) -> None:
        self._workers = workers
        self._tasks = tasks
        self._worker_id = worker_id
        self._retention_s = retention_hours * 3600
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def start(self, host: str, pid: int) -> None:
        """Take out this worker's lease and begin to renew it."""
        self._workers.register(self._worker_id, host, pid)
        self._thread.start()

    def close(self) -> None:
        """Give the lease back."""
        self._stopping.set()
        self._thread.join()
        self._workers.remove(self._worker_id)

    def _run(self) -> None:
        cleaned_at = 0.0
        while True:
            try:
                self._workers.renew(self._worker_id)
                dead = self._workers.expired(time.time())
                if dead:
                    self._tasks.release_lost(dead)
                    for worker_id in dead:
                        self._workers.remove(worker_id)
                if time.monotonic() - cleaned_at > CLEAN_S:
                    cleaned_at = time.monotonic()
                    self._tasks.delete_finished_before(time.time() - self._retention_s)
            except Exception:
                log.exception("upkeep failed; it is tried again in %s s", RENEW_S)
            if self._stopping.wait(RENEW_S):
                return
