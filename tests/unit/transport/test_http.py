"""The HTTP door in front of a real service."""

from __future__ import annotations

import io
import logging
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lithium_script.app import EXTENSION
from lithium_script.operations.python import NothingSchema
from lithium_script.operations.registry import Call, Operation, Registry
from lithium_script.service import ScriptService
from lithium_script.settings import AccessSettings
from lithium_script.transport.auth import Access
from lithium_script.transport.http import register_http

EXECUTE = "/api/python/execute"
LIMIT = 65536


def _answer(response: TestResponse) -> Any:
    """Give the body; every response, whatever its status, is an envelope with its id and nosniff."""
    body = response.get_json()
    assert response.content_type == "application/json"
    assert response.headers["X-Request-ID"] == body["request_id"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert body["success"] is (response.status_code < 400)
    return body


def _refusal(response: TestResponse) -> tuple[int, str]:
    return response.status_code, _answer(response)["error"]["code"]


def test_execution_answers_in_the_envelope(client: FlaskClient) -> None:
    response = client.post(EXECUTE, json={"code": "6 * 7"}, headers={"X-Request-ID": "night-1"})
    body = _answer(response)
    assert (response.status_code, body["request_id"], body["data"]["result"]) == (200, "night-1", 42)
    assert "warnings" not in body


def test_script_that_raises_is_no_http_error(client: FlaskClient) -> None:
    response = client.post(EXECUTE, json={"code": "1 / 0"})
    assert response.status_code == 200 and _answer(response)["data"]["error"]["type"] == "ZeroDivisionError"


def test_what_is_ignored_is_told(client: FlaskClient) -> None:
    body = _answer(client.post(f"{EXECUTE}?timeout=5", json={"code": "1", "timeuot": 5}))
    assert body["warnings"] == [
        "unknown field 'timeuot' ignored; did you mean 'timeout'?",
        "query parameter 'timeout' ignored",
    ]


def test_task_goes_the_whole_way_by_path_and_query(client: FlaskClient) -> None:
    response = client.post("/api/python/executeAsync", json={"code": "print('hello')", "mode": "pooled"})
    assert response.status_code == 202
    path = f"/api/tasks/{_answer(response)['data']['taskId']}"
    assert _answer(client.get(f"{path}?wait=30000"))["data"]["status"] == "succeeded"
    assert _answer(client.get(f"{path}/output?offset=0"))["data"]["stdout"] == "hello\n"
    listed = _answer(client.get("/api/tasks?status=Succeeded&limit=1"))["data"]["tasks"]
    assert [task["status"] for task in listed] == ["succeeded"]


def test_path_and_not_the_body_says_which_task(client: FlaskClient) -> None:
    response = client.post("/api/tasks/none/cancel", json={"taskId": "other"})
    assert "'none'" in _answer(response)["error"]["message"]


@pytest.mark.parametrize("data", [None, b"", b"{}"])
def test_post_that_needs_no_field_takes_no_body(client: FlaskClient, data: bytes | None) -> None:
    content_type = "application/json" if data else None
    response = client.post("/api/python/statistics/reset", data=data, content_type=content_type)
    assert _answer(response)["data"] == {"reset": True}


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
        "a/b/c",
    ],
)
def test_body_of_another_type_is_unsupported(client: FlaskClient, content_type: str | None) -> None:
    response = client.post(EXECUTE, data=b'{"code": "1"}', content_type=content_type)
    assert _refusal(response) == (415, "unsupported_media_type")


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_is_taken_in_any_spelling(client: FlaskClient, content_type: str) -> None:
    assert _answer(client.post(EXECUTE, data=b'{"code": "1"}', content_type=content_type))["data"]["result"] == 1


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"code": NaN}', b"\xff", b"[" * 60_000, b" "])
def test_body_that_is_no_strict_object_is_invalid(client: FlaskClient, data: bytes) -> None:
    assert _refusal(client.post(EXECUTE, data=data, content_type="application/json")) == (400, "invalid_json")


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("size", "status"), [(LIMIT - 1, 200), (LIMIT, 200), (LIMIT + 1, 413), (3 * LIMIT, 413)])
def test_body_is_taken_up_to_the_limit_exactly(client: FlaskClient, size: int, status: int, chunked: bool) -> None:
    data = b'{"code": "1"}'.ljust(size)
    if chunked:
        # As gunicorn hands over a chunked body: no length, and a stream that ends by itself.
        response = client.post(
            EXECUTE,
            input_stream=io.BytesIO(data),
            content_type="application/json",
            headers={"Transfer-Encoding": "chunked"},
            environ_overrides={"wsgi.input_terminated": True},
        )
    else:
        response = client.post(EXECUTE, data=data, content_type="application/json")
    assert response.status_code == status
    assert status == 200 or _refusal(response) == (413, "payload_too_large")


@pytest.mark.parametrize(
    "path", ["/", "/api", "/api/python/none", "/api/tasks/", "/api//tasks", "/static/x", "/api/tasks/a/b/c"]
)
def test_unknown_path_is_not_found(client: FlaskClient, path: str) -> None:
    assert _refusal(client.get(path)) == (404, "not_found")
    assert _refusal(client.post(path)) == (404, "not_found")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [(EXECUTE, "POST"), ("/api/tasks", "GET, HEAD"), ("/healthz", "GET, HEAD"), ("/readyz", "GET, HEAD")],
)
@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "ODD"])
def test_other_method_is_not_allowed_and_told_which_is(
    client: FlaskClient, path: str, allowed: str, method: str
) -> None:
    response = client.open(path, method=method)
    assert _refusal(response) == (405, "method_not_allowed")
    assert response.headers["Allow"] == allowed


def test_head_is_get_without_the_body(client: FlaskClient) -> None:
    for path in ("/healthz", "/api/tasks"):
        response = client.head(path)
        assert (response.status_code, response.data) == (200, b"")
        assert response.headers["X-Content-Type-Options"] == "nosniff" and response.headers["X-Request-ID"]


@pytest.mark.parametrize("host", ["evil.example", "[::1", "a b", "evil@127.0.0.1", "127.0.0.1/x", "", "é"])
def test_foreign_or_malformed_host_is_forbidden_but_healthz_answers(client: FlaskClient, host: str) -> None:
    assert _refusal(client.get("/api/tasks", headers={"Host": host})) == (403, "forbidden")
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


def test_defect_is_logged_under_the_request_id_and_not_shown(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    def defective(service: ScriptService, call: Call) -> dict[str, Any]:
        raise LookupError("inner-secret")

    broken = Flask("broken", static_folder=None)
    operation = Operation("defective", "GET", "/defective", "read", NothingSchema, defective)
    register_http(broken, app.extensions[EXTENSION], Registry([operation]), Access(AccessSettings("", "")))
    with caplog.at_level(logging.ERROR):
        response = broken.test_client().get("/defective", headers={"X-Request-ID": "night-2"})
    assert _refusal(response) == (500, "internal_error")
    assert b"Traceback" not in response.data and b"inner-secret" not in response.data
    assert any("night-2" in record.getMessage() and record.exc_info for record in caplog.records)


def test_readiness_names_what_is_missing(app: Flask, client: FlaskClient) -> None:
    service = app.extensions[EXTENSION]
    service.draining = True
    try:
        response = client.get("/readyz")
    finally:
        service.draining = False
    assert _refusal(response) == (503, "service_unavailable")
    assert _answer(response)["error"]["details"] and response.headers["Retry-After"]
    assert client.get("/healthz").status_code == 200
