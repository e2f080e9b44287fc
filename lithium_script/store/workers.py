"""Leases: which workers are alive, on any host of the database.

A worker renews its lease every few seconds; one whose lease ran out is dead, or has stood still for as long. Times are
epoch seconds, so hosts that share a database must have their clocks within a few seconds of each other.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from lithium_script.store.database import Database
from lithium_script.store.schema import workers

LEASE_S = 20.0


@dataclass(frozen=True, slots=True)
class WorkerLease:
    """Who holds a lease, and since when."""

    worker_id: str
    host: str
    pid: int
    started: float
    renewed: float


class WorkerStore:
    """The leases of all workers; thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._own: dict[str, WorkerLease] = {}

    def register(self, worker_id: str, host: str, pid: int) -> None:
        """Take out a lease."""
        now = time.time()
        self._own[worker_id] = WorkerLease(worker_id, host, pid, now, now)
        self.renew(worker_id)

    def renew(self, worker_id: str) -> None:
        """Extend a lease that was registered here; one that ran out and was removed is taken out anew."""
        own, now = self._own[worker_id], time.time()
        with self._database.writing() as connection:
            _put(self._database, connection, own, now)

    def remove(self, worker_id: str) -> None:
        """Give a lease back; one that is gone already is fine."""
        with self._database.writing() as connection:
            connection.execute(delete(workers).where(workers.c.id == worker_id))

    def expired(self, now: float) -> list[str]:
        """List the workers whose lease has run out by ``now``."""
        query = select(workers.c.id).where(workers.c.renewed < now - LEASE_S).order_by(workers.c.id)
        with self._database.reading() as connection:
            return list(connection.execute(query).scalars())

    def live(self) -> list[WorkerLease]:
        """List the leases in force."""
        query = select(workers).where(workers.c.renewed >= time.time() - LEASE_S).order_by(workers.c.started)
        with self._database.reading() as connection:
            return [WorkerLease(*row) for row in connection.execute(query)]


def _put(database: Database, connection: Connection, own: WorkerLease, now: float) -> None:
    row = {"id": own.worker_id, "host": own.host, "pid": own.pid, "started": own.started, "renewed": now}
    connection.execute(
        database.insert(workers).values(row).on_conflict_do_update(index_elements=["id"], set_={"renewed": now})
    )
