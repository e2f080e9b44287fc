"""Leases run out, and documents are kept."""

from __future__ import annotations

import time

from lithium_script.store.database import Database
from lithium_script.store.documents import SettingsStore
from lithium_script.store.workers import LEASE_S, WorkerStore


def test_a_lease_runs_out_unless_it_is_renewed(database: Database) -> None:
    workers = WorkerStore(database)
    workers.register("w1", "host", 17)
    (lease,) = workers.live()
    assert (lease.worker_id, lease.host, lease.pid) == ("w1", "host", 17)
    assert workers.expired(time.time()) == [] and workers.expired(time.time() + LEASE_S + 1) == ["w1"]
    workers.renew("w1")
    assert workers.expired(lease.renewed + LEASE_S) == []
    assert workers.live()[0].started == lease.started


def test_a_removed_lease_is_gone_and_can_be_taken_out_anew(database: Database) -> None:
    workers = WorkerStore(database)
    workers.register("w1", "host", 17)
    workers.remove("w1")
    workers.remove("w1")
    assert workers.live() == [] and workers.expired(time.time() + 1000) == []
    workers.renew("w1")
    assert [lease.pid for lease in workers.live()] == [17]


def test_documents_are_replaced_by_put_and_completed_by_merge(database: Database) -> None:
    store = SettingsStore(database)
    assert store.get("isolation") is None
    assert store.merge("isolation", {"a": 1}) == {"a": 1}
    assert store.merge("isolation", {"b": {"c": None}}) == {"a": 1, "b": {"c": None}}
    store.put("isolation", {"d": "\x00"})
    assert store.get("isolation") == {"d": "\x00"} and store.get("other") is None
