"""Keeps the limits that count a whole process tree: memory, CPU time, number of processes.

It samples between the events of an execution, soon after the start and then less and less often, so that short
scripts pay nothing and long ones little.
"""

from __future__ import annotations

import time

from lithium_script.model import Limits
from lithium_script.sandbox import processtree

FIRST_SAMPLE_S = 0.015
MAX_INTERVAL_S = 0.1
GROWTH = 1.5


class TreeWatcher:
    """Watches what hangs below one keeper; not thread-safe. ``due_at`` is on the monotonic clock, in seconds."""

    def __init__(self, keeper_pid: int, limits: Limits) -> None:
        self._keeper_pid = keeper_pid
        self._limits = limits
        self._interval_s = FIRST_SAMPLE_S
        self.due_at = time.monotonic() + FIRST_SAMPLE_S
        self.peak_bytes = 0

    def sample(self) -> str | None:
        """Look once; give the ``error.code`` of the limit that is exceeded, if one is."""
        used = processtree.usage(self._keeper_pid)
        memory, limits = used.rss_bytes, self._limits
        if memory > limits.max_memory_mb << 20 and used.processes > 1:
            # Pages shared after a fork count once.
            memory = processtree.proportional_bytes(self._keeper_pid)
        self.peak_bytes = max(self.peak_bytes, memory)
        self._interval_s = min(self._interval_s * GROWTH, MAX_INTERVAL_S)
        self.due_at = time.monotonic() + self._interval_s
        if memory > limits.max_memory_mb << 20:
            return "memory_limit"
        if limits.cpu_timeout_ms is not None and used.cpu_ms > limits.cpu_timeout_ms:
            return "cpu_limit"
        return "process_limit" if used.processes > limits.max_processes else None
