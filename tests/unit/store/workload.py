"""What tests run in processes of their own: ``python -m tests.unit.store.workload WHAT URL``."""

from __future__ import annotations

import json
import os
import sys

from lithium_script.store.database import Database
from lithium_script.store.documents import SettingsStore
from lithium_script.store.statistics import StatisticsBatch, StatisticsStore
from lithium_script.store.tasks import TaskStore


def claim(database: Database) -> list[str]:
    """Claim and finish until nothing is queued."""
    store, claimed = TaskStore(database), []
    while (row := store.claim(str(os.getpid()))) is not None:
        claimed.append(row["taskId"])
        store.finish(row["taskId"], "succeeded", {"success": True})
    return claimed


def create(database: Database) -> None:
    """Create tasks and print their ids, without end."""
    store = TaskStore(database)
    while True:
        print(store.create("python.execute", "task", {"code": "1"}, "local")["taskId"], flush=True)


def migrate(database: Database) -> str:
    """Migrate, as was done already, and try a write."""
    return database.check_writable()


def count(database: Database) -> None:
    """Add 20 executions one by one, and as many fields of a document."""
    batch, store, settings = StatisticsBatch(), StatisticsStore(database), SettingsStore(database)
    for number in range(20):
        batch.record("pooled", "success", 2.0)
        batch.record("isolated", "timeout", 50.0)
        store.add(batch.drain())
        settings.merge("shared", {f"{os.getpid()}-{number}": number})


if __name__ == "__main__":
    opened = Database(sys.argv[2])
    print("ready", flush=True)
    sys.stdin.readline()
    opened.migrate()
    print(json.dumps({"claim": claim, "create": create, "migrate": migrate, "count": count}[sys.argv[1]](opened)))
