"""Code in the service's own process, asked for by name, on a real worker."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.booted import Service

# No bytecode runs while it waits for the lock, so nothing can be raised in it.
STUBBORN = "import threading\nlock = threading.Lock()\nlock.acquire()\nprint('on')\nlock.acquire()"


def _replaced(service: Service, old: int) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if old not in [worker.pid for worker in service.workers()] and service.workers():
            return True
        time.sleep(0.05)
    return False


def test_worker_of_a_script_that_does_not_yield_is_replaced_after_the_reply(
    fresh_service: Callable[..., Service],
) -> None:
    service = fresh_service(WORKERS=1)
    (worker,) = service.workers()
    client = service.client()
    outcome = client.execute(STUBBORN, mode="inprocess", validate=False, timeout=300)
    assert (outcome["error"]["code"], outcome["mode"], outcome["stdout"]) == ("timeout", "inprocess", "on\n")
    client.close()
    assert _replaced(service, worker.pid)
    service.wait_until_ready()
    fresh = service.client()
    assert fresh.execute("1 + 1")["result"] == 2
    fresh.close()


def test_loop_is_interrupted_and_the_worker_stays(fresh_service: Callable[..., Service]) -> None:
    service = fresh_service(WORKERS=1)
    (worker,) = service.workers()
    client = service.client()
    outcome = client.execute("print('on')\nwhile True: pass", mode="inprocess", timeout=300)
    assert (outcome["error"]["code"], outcome["stdout"]) == ("timeout", "on\n")
    assert [process.pid for process in service.workers()] == [worker.pid]
    client.close()
