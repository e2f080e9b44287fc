"""Counts and latencies of executions: added up in memory, written as increments, read for all workers together."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Table, delete, select, update

from lithium_script.model import Json
from lithium_script.store.columns import iso_time
from lithium_script.store.database import Database
from lithium_script.store.schema import statistics_counts, statistics_latencies, statistics_since

SUCCESS = "success"
_LOG_WIDTH = math.log(1.02)
_SHORTEST_MS = 0.001


@dataclass(slots=True)
class StatisticsTotals:
    """What a number of executions add up to; false where there were none."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By mode and outcome (``success`` or an error code)."""
    total_ms: Counter[tuple[str, str]] = field(default_factory=Counter)
    buckets: Counter[int] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        return bool(self.counts)


class StatisticsBatch:
    """Adds up executions until they are drained; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals = StatisticsTotals()

    def record(self, mode: str, outcome: str, execution_time_ms: float) -> None:
        """Count one execution; ``outcome`` is ``success`` or an error code."""
        bucket = bucket_of(execution_time_ms)
        with self._lock:
            self._totals.counts[mode, outcome] += 1
            # Counter is declared for whole numbers, and adds up any.
            self._totals.total_ms[mode, outcome] += execution_time_ms  # type: ignore[assignment]
            self._totals.buckets[bucket] += 1

    def drain(self) -> StatisticsTotals:
        """Give what was counted since the last time, and begin anew."""
        with self._lock:
            totals, self._totals = self._totals, StatisticsTotals()
        return totals


class StatisticsStore:
    """The totals of all workers since the last reset; thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, totals: StatisticsTotals) -> None:
        """Add totals to what is stored, all or none of them."""
        # In a fixed order, so that two workers cannot wait for each other's rows.
        counts = [
            {"mode": mode, "outcome": outcome, "count": count, "total_ms": totals.total_ms[mode, outcome]}
            for (mode, outcome), count in sorted(totals.counts.items())
        ]
        buckets = [{"bucket": bucket, "count": count} for bucket, count in sorted(totals.buckets.items())]
        with self._database.writing() as connection:
            self._increment(connection, statistics_counts, counts)
            self._increment(connection, statistics_latencies, buckets)

    def _increment(self, connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        insert = self._database.insert(table)
        keys = [column.name for column in table.primary_key]
        sums = {c.name: c + insert.excluded[c.name] for c in table.columns if not c.primary_key}
        connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=sums), rows)

    def read(self) -> dict[str, Json]:
        """Sum up, in wire form."""
        with self._database.reading() as connection:
            counts = connection.execute(select(statistics_counts)).all()
            latencies = connection.execute(select(statistics_latencies.c.bucket, statistics_latencies.c.count)).all()
            since = connection.execute(select(statistics_since.c.since)).scalar_one()
        by_mode: Counter[str] = Counter()
        by_outcome: Counter[str] = Counter()
        for mode, outcome, count, _ in counts:
            by_mode[mode] += count
            by_outcome[outcome] += count
        total = by_outcome.total()
        total_ms = math.fsum(row.total_ms for row in counts)
        return {
            "totalExecutions": total,
            "successfulExecutions": by_outcome[SUCCESS],
            "failedExecutions": total - by_outcome[SUCCESS],
            "totalExecutionTimeMs": round(total_ms, 3),
            "averageExecutionTimeMs": round(total_ms / total, 3) if total else 0.0,
            "byMode": dict(by_mode),
            "byOutcome": {outcome: count for outcome, count in by_outcome.items() if count},
            "latencyMs": _percentiles({row.bucket: row[1] for row in latencies}),
            "since": iso_time(since),
        }

    def reset(self) -> None:
        """Begin to count anew, from now on."""
        with self._database.writing() as connection:
            connection.execute(delete(statistics_counts))
            connection.execute(delete(statistics_latencies))
            connection.execute(update(statistics_since).values(since=time.time()))


def bucket_of(ms: float) -> int:
    """Find the bucket of a time; each is 2 % wider than the one before, the lowest takes all below a microsecond."""
    return math.floor(math.log(max(ms, _SHORTEST_MS)) / _LOG_WIDTH)


def _percentiles(buckets: Mapping[int, int]) -> dict[str, float]:
    return {f"p{percent}": _percentile(buckets, percent) for percent in (50, 95, 99)}


def _percentile(buckets: Mapping[int, int], percent: int) -> float:
    """Give the middle of the bucket that holds the percentile, in milliseconds; 0 where nothing was counted."""
    rank, seen = math.ceil(sum(buckets.values()) * percent / 100), 0
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen >= rank:
            return round(math.exp((bucket + 0.5) * _LOG_WIDTH), 3)
    return 0.0
