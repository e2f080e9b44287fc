"""Statistics add up over threads, processes and resets."""

from __future__ import annotations

import random
import threading

import pytest

from lithium_script.store.database import Database
from lithium_script.store.documents import SettingsStore
from lithium_script.store.statistics import StatisticsBatch, StatisticsStore
from tests.unit.store.processes import run_at_once


def test_nothing_counted_reads_as_zeros(database: Database) -> None:
    read = StatisticsStore(database).read()
    assert read.pop("since").endswith("Z")
    assert read == {
        "totalExecutions": 0,
        "successfulExecutions": 0,
        "failedExecutions": 0,
        "totalExecutionTimeMs": 0.0,
        "averageExecutionTimeMs": 0.0,
        "byMode": {},
        "byOutcome": {},
        "latencyMs": {"p50": 0.0, "p95": 0.0, "p99": 0.0},
    }


def test_four_processes_lose_no_count_and_no_field(database: Database, url: str) -> None:
    run_at_once(4, "count", url)
    read = StatisticsStore(database).read()
    assert read["totalExecutions"] == 160 and read["successfulExecutions"] == read["failedExecutions"] == 80
    assert read["byMode"] == {"pooled": 80, "isolated": 80}
    assert read["byOutcome"] == {"success": 80, "timeout": 80}
    assert read["totalExecutionTimeMs"] == 80 * 52.0 and read["averageExecutionTimeMs"] == 26.0
    assert len(SettingsStore(database).get("shared") or {}) == 80


def test_percentiles_are_right_within_two_percent(database: Database) -> None:
    store, batch = StatisticsStore(database), StatisticsBatch()
    times = sorted(random.Random(7).lognormvariate(2, 2) for _ in range(2000))
    for ms in times:
        batch.record("pooled", "success", ms)
    store.add(batch.drain())
    latency = store.read()["latencyMs"]
    for percent in (50, 95, 99):
        assert latency[f"p{percent}"] == pytest.approx(times[2000 * percent // 100 - 1], rel=0.02)


def test_no_time_at_all_can_be_counted(database: Database) -> None:
    store, batch = StatisticsStore(database), StatisticsBatch()
    batch.record("inprocess", "success", 0.0)
    store.add(batch.drain())
    assert store.read()["latencyMs"]["p50"] == pytest.approx(0.001, abs=0.001)


def test_a_drained_batch_is_empty_and_no_thread_is_missed() -> None:
    batch = StatisticsBatch()
    threads = [
        threading.Thread(target=lambda: [batch.record("pooled", "success", 1.0) for _ in range(500)]) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    totals = batch.drain()
    assert totals and totals.counts["pooled", "success"] == 4000 and totals.buckets.total() == 4000
    assert not batch.drain()


def test_a_reset_counts_anew_from_now(database: Database) -> None:
    store, batch = StatisticsStore(database), StatisticsBatch()
    batch.record("pooled", "success", 1.0)
    store.add(batch.drain())
    before = store.read()["since"]
    store.reset()
    read = store.read()
    assert read["totalExecutions"] == 0 and read["byMode"] == {} and read["since"] >= before
