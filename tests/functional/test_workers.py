"""Any worker answers anything, and the loss of one costs only what it was running."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psutil

from tests.booted import Client, Service

SLEEP = "print('started')\nimport time\ntime.sleep(120)"


def _submit(client: Client, code: str) -> str:
    task_id: str = client.post("/api/python/executeAsync", {"code": code, "timeout": 150_000}).data["taskId"]
    return task_id


def _wait_for_output(client: Client, task_id: str, text: str) -> None:
    deadline = time.monotonic() + 20
    while text not in client.get(f"/api/tasks/{task_id}/output?offset=0").data["stdout"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_task_is_seen_waited_for_and_cancelled_from_every_worker(service: Service) -> None:
    clients = list(service.client_of_each_worker().values())
    for submitting in clients:
        task_id = _submit(submitting, SLEEP)
        for client in clients:
            _wait_for_output(client, task_id, "started")
            assert client.get(f"/api/tasks/{task_id}").data["status"] == "running"
            assert task_id in [task["taskId"] for task in client.get("/api/tasks?status=running").data["tasks"]]
        with ThreadPoolExecutor(len(clients)) as threads:
            waits = [threads.submit(client.get, f"/api/tasks/{task_id}?wait=20000") for client in clients]
            cancelling = service.client()
            assert cancelling.post(f"/api/tasks/{task_id}/cancel").status == 200
            assert [wait.result().data["status"] for wait in waits] == ["cancelled"] * len(clients)


def test_live_execution_id_is_a_conflict_on_every_worker(service: Service) -> None:
    client = service.client()
    request = {"code": SLEEP, "executionId": "twice"}
    task_id = client.post("/api/python/executeAsync", request).data["taskId"]
    _wait_for_output(client, task_id, "started")
    for other in service.client_of_each_worker().values():
        reply = other.post("/api/python/execute", {"code": "1", "executionId": "twice"})
        assert (reply.status, reply.error["code"]) == (409, "conflict")
    client.post(f"/api/tasks/{task_id}/cancel")
    assert client.get(f"/api/tasks/{task_id}?wait=30000").data["status"] == "cancelled"
    assert client.execute("1", executionId="twice")["executionId"] == "twice"


def test_statistics_are_exact_over_all_workers(service: Service) -> None:
    clients = list(service.client_of_each_worker().values())
    clients[0].post("/api/python/statistics/reset")

    def run(number: int) -> bool:
        client = service.client()
        success: bool = client.execute(["1 + 1", "1 / 0", "import os\nos.getcwd()"][number % 3])["success"]
        client.close()
        return success

    with ThreadPoolExecutor(8) as threads:
        successes = sum(threads.map(run, range(100)))
    assert successes == 67
    for client in clients:
        counted = client.get("/api/python/statistics").data
        assert (counted["totalExecutions"], counted["successfulExecutions"], counted["failedExecutions"]) == (
            100,
            67,
            33,
        )
        assert sum(counted["byMode"].values()) == sum(counted["byOutcome"].values()) == 100
        assert counted["interpreterPool"]["size"] >= len(clients)


def _running_marks(mark: str) -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["cmdline"]) if mark in (p.info["cmdline"] or [])]


def test_killed_worker_leaves_no_process_and_its_task_is_lost(fresh_service: Callable[..., Service]) -> None:
    service = fresh_service()
    mark = f"{service.port}.25"
    clients = service.client_of_each_worker()
    code = f"import subprocess\nprint('started')\nsubprocess.run(['sleep', '{mark}'], start_new_session=True)"
    observer = service.client()
    task_id = _submit(observer, code)
    _wait_for_output(observer, task_id, "started")
    (sleeper,) = _running_marks(mark)
    ancestors = {process.pid for process in sleeper.parents()}
    (worker,) = [worker for worker in service.workers() if worker.pid in ancestors]
    family = worker.children(recursive=True)
    worker.kill()
    killed_at = time.monotonic()
    _, alive = psutil.wait_procs([*family, sleeper], 10)
    assert not alive
    survivor = next(client for pid, client in clients.items() if pid != worker.pid)
    assert survivor.execute("1 + 1")["result"] == 2
    status = survivor.get(f"/api/tasks/{task_id}?wait=30000").data["status"]
    assert (status, time.monotonic() - killed_at < 30) == ("lost", True)
    service.wait_until_ready()
    assert len(service.workers()) == 3
    assert all(client.execute("2 + 2")["result"] == 4 for client in service.client_of_each_worker().values())


def test_tasks_left_queued_by_a_stopped_service_run_after_its_restart(fresh_service: Callable[..., Service]) -> None:
    service = fresh_service(WORKERS=1, POOL_SIZE=1)
    client = service.client()
    running = _submit(client, "print('started')\nimport time\ntime.sleep(2)\nresult = 'finished'")
    _wait_for_output(client, running, "started")
    queued = _submit(client, "result = 'later'")
    client.close()
    assert service.stop() == 0
    again = fresh_service(WORKERS=1, DATA_DIR=service.data_dir).client()
    ended = again.get(f"/api/tasks/{running}?wait=20000").data
    assert (ended["status"], ended["outcome"]["result"]) == ("succeeded", "finished")
    assert again.get(f"/api/tasks/{queued}?wait=20000").data["outcome"]["result"] == "later"


def test_flood_of_executions_is_refused_at_once_beyond_the_queue(fresh_service: Callable[..., Service]) -> None:
    service = fresh_service(WORKERS=1, POOL_SIZE=1, MAX_QUEUED=2)

    def run(number: int) -> int:
        client = service.client()
        reply = client.post("/api/python/execute", {"code": "import time\ntime.sleep(1)", "mode": "pooled"})
        assert reply.status == 200 or (reply.error["code"], reply.headers["Retry-After"]) == ("resource_exhausted", "1")
        return reply.status

    with ThreadPoolExecutor(8) as threads:
        statuses = sorted(threads.map(run, range(8)))
    assert statuses == [200] * 3 + [503] * 5
