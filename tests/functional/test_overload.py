"""A service that is full goes on answering everything that is quick."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from tests.booted import Service

SLEEP = {"code": "import time\ntime.sleep(8)", "mode": "pooled"}


def test_health_is_answered_while_more_long_scripts_wait_than_there_are_threads(
    fresh_service: Callable[..., Service],
) -> None:
    service = fresh_service(WORKERS=1, THREADS=8, POOL_SIZE=1)
    statuses: list[int] = []

    def execute() -> None:
        client = service.client()
        statuses.append(client.post("/api/python/execute", SLEEP).status)
        client.close()

    threads = [threading.Thread(target=execute) for _ in range(12)]
    for thread in threads:
        thread.start()
    client = service.client()
    answered, deadline = 0, time.monotonic() + 30
    while 503 not in statuses:
        assert time.monotonic() < deadline, "nothing was refused although more waited than may"
        assert client.get("/healthz").status == 200
        answered += 1
    assert answered
    # Still full of waiting scripts, and still answering: none of the eight seconds is over.
    assert 200 not in statuses
    for process in service.workers():
        process.terminate()
    for thread in threads:
        thread.join()


def test_burst_of_short_scripts_is_served_whole(fresh_service: Callable[..., Service]) -> None:
    service = fresh_service(WORKERS=1, THREADS=8, POOL_SIZE=2)
    statuses: list[int] = []

    def execute() -> None:
        client = service.client()
        statuses.append(client.post("/api/python/execute", {"code": "1", "mode": "pooled"}).status)
        client.close()

    threads = [threading.Thread(target=execute) for _ in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 60
