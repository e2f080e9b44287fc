"""Reading and ending process trees through /proc (proc(5)).

A tree is found by parentage: whoever owns the tree is a child subreaper (PR_SET_CHILD_SUBREAPER, prctl(2)),
so that daemons that forked twice or called setsid still hang below it.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Usage:
    """What a process tree holds at one moment; ``cpu_ms`` counts children that have ended, too."""

    processes: int
    rss_bytes: int
    cpu_ms: float


def children(pid: int) -> list[int]:
    """List the children of every thread of a process; empty once it is gone."""
    found: list[int] = []
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for task in tasks:
        try:
            with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                found += map(int, file.read().split())
        except OSError:
            continue
    return found


def descendants(pid: int) -> list[int]:
    """List all that hangs below a process, parents before their children."""
    found: list[int] = []
    seen: set[int] = {pid}
    queue = [pid]
    while queue:
        for child in children(queue.pop()):
            if child not in seen:
                seen.add(child)
                found.append(child)
                queue.append(child)
    return found


def usage(pid: int) -> Usage:
    """Sum memory and CPU time over all that hangs below a process."""
    processes, rss, ticks = 0, 0, 0
    for child in descendants(pid):
        try:
            with open(f"/proc/{child}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        processes += 1
        ticks += sum(map(int, fields[11:15]))
        rss += int(fields[21]) * _PAGE
    return Usage(processes, rss, ticks * 1000.0 / _TICKS_PER_SECOND)


def proportional_bytes(pid: int) -> int:
    """Sum the proportional set size below a process: pages that several share are counted once."""
    total = 0
    for child in descendants(pid):
        try:
            with open(f"/proc/{child}/smaps_rollup", "rb") as file:
                lines = [line for line in file if line.startswith(b"Pss:")]
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines) * 1024
    return total


def kill_descendants(pid: int) -> None:
    """Send SIGKILL to all that hangs below a process, stopping it first so that it cannot grow meanwhile."""
    stopped: set[int] = set()
    while True:
        fresh = [child for child in descendants(pid) if child not in stopped]
        if not fresh:
            break
        for child in fresh:
            send(child, signal.SIGSTOP)
        stopped.update(fresh)
    for child in stopped:
        send(child, signal.SIGKILL)


def send(pid: int, signum: int) -> None:
    """Send a signal to a process that may be gone."""
    try:
        os.kill(pid, signum)
    except (ProcessLookupError, PermissionError):
        return
