"""Every route and every scope, on a service with keys."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from lithium_script.operations.table import REGISTRY
from tests.booted import Client, Service

SCOPES = ("read", "execute", "manage", "admin")
KEYS = {scope: f"key-for-{scope}-only" for scope in SCOPES}
OPERATIONS = {operation.name: operation for operation in REGISTRY.operations}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    keys = ",".join(f"{scope}:{key}:{scope}" for scope, key in KEYS.items())
    service = Service(tmp_path_factory.mktemp("guarded"), WORKERS=1, API_KEYS=keys)
    try:
        service.wait_until_ready()
        yield service
    finally:
        service.stop()


@pytest.fixture
def client(guarded: Service) -> Iterator[Client]:
    client = guarded.client()
    yield client
    client.close()


def _send(client: Client, name: str, headers: dict[str, str]):
    operation = OPERATIONS[name]
    path = operation.path.replace("<taskId>", "none")
    return client.get(path, headers) if operation.method == "GET" else client.post(path, {}, headers)


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_operation_answers_without_a_key_or_to_a_foreign_page(client: Client, name: str) -> None:
    reply = _send(client, name, {})
    assert (reply.status, reply.error["code"]) == (401, "unauthorized")
    assert "WWW-Authenticate" in reply.headers
    reply = _send(client, name, {"X-API-Key": KEYS["admin"], "Origin": "https://evil.example"})
    assert (reply.status, reply.error["code"]) == (403, "forbidden")


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("name", OPERATIONS)
def test_operation_answers_to_its_scope_only(client: Client, name: str, scope: str) -> None:
    reply = _send(client, name, {"X-API-Key": KEYS[scope]})
    allowed = scope in (OPERATIONS[name].scope, "admin")
    assert (reply.status != 403 or reply.error["code"] != "forbidden") is allowed, reply.body


def test_inprocess_by_name_takes_admin_and_auto_does_not(client: Client) -> None:
    headers = {"X-API-Key": KEYS["execute"]}
    reply = client.post("/api/python/execute", {"code": "1 + 1", "mode": "inprocess"}, headers)
    assert (reply.status, reply.error["code"]) == (403, "forbidden")
    assert client.post("/api/python/execute", {"code": "1 + 1"}, headers).data["mode"] == "inprocess"


def test_task_of_another_key_is_cancelled_by_admin_only(client: Client) -> None:
    execute, admin = {"X-API-Key": KEYS["execute"]}, {"X-API-Key": KEYS["admin"]}
    task = client.post("/api/python/executeAsync", {"code": "import time\ntime.sleep(60)"}, admin).data["taskId"]
    reply = client.post(f"/api/tasks/{task}/cancel", {}, execute)
    assert (reply.status, reply.error["code"]) == (403, "forbidden")
    client.post(f"/api/tasks/{task}/cancel", {}, admin)
    assert client.get(f"/api/tasks/{task}?wait=20000", {"X-API-Key": KEYS["admin"]}).data["status"] == "cancelled"


def test_execution_of_another_key_is_ended_by_admin_only(client: Client) -> None:
    execute, admin = {"X-API-Key": KEYS["execute"]}, {"X-API-Key": KEYS["admin"]}
    body = {"code": "import time\ntime.sleep(60)", "executionId": "of-admin"}
    task = client.post("/api/python/executeAsync", body, admin).data["taskId"]
    deadline = time.monotonic() + 20
    while not client.get("/isolated/processId", {"X-API-Key": KEYS["read"]}).data["available"]:
        assert time.monotonic() < deadline, "the execution never ran"
    for wish in ("cancel", "kill"):
        reply = client.post(f"/isolated/{wish}", {"executionId": "of-admin"}, execute)
        assert (reply.status, reply.error["code"]) == (403, "forbidden")
        assert client.post(f"/isolated/{wish}", {}, execute).data["executions"] == []
    assert client.post("/isolated/kill", {}, admin).data["executions"] == ["of-admin"]
    assert client.get(f"/api/tasks/{task}?wait=20000", {"X-API-Key": KEYS["read"]}).data["status"] == "cancelled"


def test_health_needs_no_key_and_every_response_forbids_sniffing(client: Client) -> None:
    for path in ("/healthz", "/readyz", "/nothing"):
        assert client.get(path).headers["X-Content-Type-Options"] == "nosniff"
    assert client.get("/healthz").status == 200
