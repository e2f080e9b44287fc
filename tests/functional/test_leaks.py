"""Hundreds of executions later everything that can leak stands where it stood."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from tests.booted import Client, Service

GROWTH_BYTES = 12 << 20

SCRIPTS = (
    ("1 + 1", "auto"),
    ("print('x' * 1000)\nresult = [1] * 100", "pooled"),
    ("1 / 0", "isolated"),
    ("import numpy as np\nnp.ones(100).sum()", "pooled"),
    ("import subprocess\nsubprocess.Popen(['sleep', '60'], start_new_session=True)", "isolated"),
    ("import os\nos._exit(3)", "pooled"),
    ("open('left.txt', 'w').write('x')", "isolated"),
)


@dataclass(frozen=True)
class Standing:
    """What a service holds on to at one moment; ``memory`` is by process id."""

    processes: int
    zombies: int
    descriptors: int
    threads: int
    run_directories: int
    memory: dict[int, int]


def _standing(service: Service) -> Standing:
    processes = service.processes()
    workers = service.workers()
    lasting = [*workers, *(server for worker in workers for server in worker.children())]
    return Standing(
        processes=len(processes),
        zombies=sum(process.status() == psutil.STATUS_ZOMBIE for process in processes),
        descriptors=sum(process.num_fds() for process in lasting),
        threads=sum(process.num_threads() for process in workers),
        run_directories=sum(1 for _ in (service.data_dir / "runs").glob("*/*")),
        memory={process.pid: process.memory_info().rss for process in lasting},
    )


def _settled(service: Service) -> Standing:
    """Take the standing once it does not change any more: warm children are refilled in the background."""
    deadline = time.monotonic() + 20
    previous = None
    while True:
        try:
            current = _standing(service)
        except psutil.NoSuchProcess:
            continue
        same = previous is not None and (current.processes, current.descriptors, current.zombies) == (
            previous.processes,
            previous.descriptors,
            previous.zombies,
        )
        if same or time.monotonic() > deadline:
            return current
        previous = current
        time.sleep(0.5)


def _run(client: Client, count: int) -> None:
    for number in range(count):
        code, mode = SCRIPTS[number % len(SCRIPTS)]
        client.execute(code, mode=mode, validate=False)


def test_nothing_is_left_of_500_executions(fresh_service: Callable[..., Service]) -> None:
    service = fresh_service(WORKERS=1)
    client = service.client()
    _run(client, 20)
    before = _settled(service)
    _run(client, 500)
    after = _settled(service)
    assert after.memory.keys() == before.memory.keys(), "a worker or fork server was replaced"
    assert after.zombies == 0
    assert after.processes == before.processes
    assert after.run_directories == before.run_directories
    assert abs(after.descriptors - before.descriptors) <= 2
    assert abs(after.threads - before.threads) <= 2
    growth = {pid: after.memory[pid] - before.memory[pid] for pid in before.memory}
    assert max(growth.values()) < GROWTH_BYTES, growth
