"""Whatever is wrong with a request is said by status, code and field, and costs nothing but that request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.booted import Client, Service

Bad = tuple[str, Any, int, str, str | None]

EXECUTE = "/api/python/execute"
NUMPY = "/api/python/numpy"


def _option(field: str, value: Any, status: int = 400, code: str = "invalid_arguments") -> Bad:
    return (EXECUTE, {"code": "1", field: value}, status, code, field)


BODIES: list[Bad] = [
    (EXECUTE, b"{", 400, "invalid_json", None),
    (EXECUTE, b'{"code": NaN}', 400, "invalid_json", None),
    (EXECUTE, b'{"code": "1", "args": {"x": Infinity}}', 400, "invalid_json", None),
    (EXECUTE, b"[]", 400, "invalid_json", None),
    (EXECUTE, b'"code"', 400, "invalid_json", None),
    (EXECUTE, b'{"code": "\xff"}', 400, "invalid_json", None),
    (EXECUTE, b"[" * 100_000, 400, "invalid_json", None),
]

OPTIONS: list[Bad] = [
    (EXECUTE, None, 400, "invalid_arguments", "code"),
    (EXECUTE, {}, 400, "invalid_arguments", "code"),
    (EXECUTE, {"code": 5}, 400, "invalid_arguments", "code"),
    (EXECUTE, {"code": None}, 400, "invalid_arguments", "code"),
    *(_option("args", value) for value in ([1], "x", 5)),
    *(_option("mode", value) for value in ("fast", "", 5)),
    *(_option("timeout", value) for value in (0, -1, 3_600_001, "soon", 1.5, True, [1])),
    *(_option("validate", value) for value in ("maybe", 5, [])),
    *(_option("cpuTimeout", value) for value in (0, -5, "x", 1.5)),
    *(_option("maxMemoryMB", value) for value in (0, -1, 4097, "x", 1.5)),
    *(_option("allowedImports", value) for value in ("os", [1], {})),
    *(_option("blockedImports", value) for value in ("os", [None], 5)),
    *(_option("captureOutput", value) for value in ("maybe", 5)),
    *(_option("stdin", value) for value in (5, ["x"])),
    *(_option("env", value) for value in ([], "A=1", {"A": 1}, {"A=B": "x"}, {"A": "x\0y"})),
    *(
        _option("env", {name: "x"})
        for name in ("PATH", "LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONSTARTUP", "BASH_ENV", "IFS")
    ),
    *(_option("files", value) for value in ("x", [5], [{}], [{"path": "a"}], [{"path": "", "content": ""}])),
    _option("files", [{"path": "a", "content": "x", "contentBase64": "eA=="}]),
    _option("files", [{"path": "a", "contentBase64": "?"}]),
    *(_option("files", [{"path": path, "content": ""}]) for path in ("../a", "a/../../b", "/tmp/a", "a/")),
    *(_option("outputFiles", value) for value in ("x", [5])),
    *(_option("executionId", value) for value in (5, "")),
    _option("workingDirectory", 5),
    _option("venv", 5),
    _option("venv", "no-such-environment", 404, "environment_not_found"),
]

REFUSED: list[Bad] = [
    _option("workingDirectory", "/etc", 403, "security_violation"),
    (EXECUTE, {"code": "import shutil\nshutil.rmtree('/')"}, 403, "security_violation", "dangers"),
    (EXECUTE, {"code": "import os\nos.getcwd()", "mode": "inprocess"}, 403, "security_violation", "dangers"),
    ("/api/python/executeAsync", {"code": "import shutil\nshutil.rmtree('/')"}, 403, "security_violation", "dangers"),
]

OTHERS: list[Bad] = [
    ("/api/python/executeFile", {}, 400, "invalid_arguments", "path"),
    ("/api/python/executeFile", {"path": "no_such_file.py"}, 404, "file_not_found", None),
    ("/api/python/executeFile", {"path": "../setup.py"}, 403, "security_violation", None),
    ("/api/python/executeFile", {"path": "/etc/passwd"}, 403, "security_violation", None),
    ("/api/python/executeFile", {"path": "a\0b"}, 400, "invalid_arguments", "path"),
    ("/api/python/executeFunction", {"function": "f"}, 400, "invalid_arguments", "module"),
    ("/api/python/executeFunction", {"module": "math"}, 400, "invalid_arguments", "function"),
    ("/api/python/executeFunction", {"module": "../x", "function": "f"}, 400, "invalid_arguments", "module"),
    ("/api/python/executeFunction", {"module": "no_such_module", "function": "f"}, 404, "module_not_found", None),
    ("/api/python/executeFunction", {"module": "math", "function": "no_such"}, 404, "function_not_found", None),
    ("/api/python/executeFunction", {"module": "math", "function": "pi"}, 404, "function_not_found", None),
    ("/api/python/executeFunction", {"module": "math", "function": "sin", "args": 5}, 400, "invalid_arguments", "args"),
    ("/api/python/executeAsync", {}, 400, "invalid_arguments", "code"),
    ("/api/python/executeAsync", {"code": "1", "timeout": 0}, 400, "invalid_arguments", "timeout"),
    ("/api/python/validate", {}, 400, "invalid_arguments", "code"),
    ("/api/python/validate", {"code": "1", "mode": "fast"}, 400, "invalid_arguments", "mode"),
    ("/api/python/analyze", {}, 400, "invalid_arguments", "code"),
    ("/api/python/analyze", {"code": "1", "language": "cobol"}, 400, "invalid_arguments", "language"),
    (NUMPY, {"arrays": []}, 400, "invalid_arguments", "operation"),
    (NUMPY, {"operation": "sum"}, 400, "invalid_arguments", "arrays"),
    (NUMPY, {"operation": "sum", "arrays": 5}, 400, "invalid_arguments", "arrays"),
    (NUMPY, {"operation": "sum", "arrays": []}, 400, "invalid_arguments", "arrays"),
    (NUMPY, {"operation": "sum", "arrays": [[[1], [2, 3]]]}, 400, "invalid_arguments", "arrays"),
    (NUMPY, {"operation": "stack", "arrays": [[1], [2, 3]]}, 400, "invalid_arguments", "arrays"),
    (NUMPY, {"operation": "sum", "arrays": [[1]], "params": []}, 400, "invalid_arguments", "params"),
    (NUMPY, {"operation": "sum", "arrays": [[1]], "params": {"axis": 9}}, 400, "invalid_arguments", "axis"),
    (NUMPY, {"operation": "sum", "arrays": [[1]], "params": {"nope": 9}}, 400, "invalid_arguments", "params"),
    (NUMPY, {"operation": "sum", "arrays": [[1]], "dtype": "nope"}, 400, "invalid_arguments", "dtype"),
    (NUMPY, {"operation": "sum", "arrays": [["a"]], "dtype": "object"}, 400, "invalid_arguments", "dtype"),
    (NUMPY, {"operation": "no_such_thing", "arrays": [[1]]}, 404, "function_not_found", None),
    (NUMPY, {"operation": "load", "arrays": [[1]]}, 403, "security_violation", None),
    (NUMPY, {"operation": "f2py.sys", "arrays": [[1]]}, 403, "security_violation", None),
    (NUMPY, {"operation": "vectorize", "arrays": [[1]]}, 403, "security_violation", None),
    ("/api/tasks/no-such-task/cancel", None, 404, "task_not_found", None),
]

QUERIES = [
    ("/api/tasks/no-such-task", 404, "task_not_found", None),
    ("/api/tasks/no-such-task/output", 404, "task_not_found", None),
    ("/api/tasks?status=asleep", 400, "invalid_arguments", "status"),
    ("/api/tasks?limit=0", 400, "invalid_arguments", "limit"),
    ("/api/tasks?limit=many", 400, "invalid_arguments", "limit"),
    ("/api/tasks/x?wait=-1", 400, "invalid_arguments", "wait"),
    ("/api/tasks/x/output?offset=-1", 400, "invalid_arguments", "offset"),
    ("/api/python/execute", 405, "method_not_allowed", None),
    ("/api/python/nothing", 404, "not_found", None),
]


@pytest.fixture(scope="module", autouse=True)
def statistics_are_unmoved(service: Service) -> Iterator[None]:
    """None of what is refused here is an execution, and the service is as well afterwards as before."""
    client = service.client()
    before = client.get("/api/python/statistics").data
    workers = {worker.pid for worker in service.workers()}
    yield
    after = client.get("/api/python/statistics").data
    for name in ("totalExecutions", "failedExecutions", "byOutcome"):
        assert after[name] == before[name]
    assert {worker.pid for worker in service.workers()} == workers
    assert client.get("/readyz").status == 200
    assert client.execute("40 + 2")["result"] == 42


@pytest.mark.parametrize(("path", "body", "status", "code", "field"), [*BODIES, *OPTIONS, *REFUSED, *OTHERS])
def test_bad_request_is_answered_with_what_is_wrong(
    client: Client, path: str, body: Any, status: int, code: str, field: str | None
) -> None:
    reply = client.post(path, body)
    assert (reply.status, reply.error["code"]) == (status, code), reply.body
    if field is not None and code != "environment_not_found":
        assert field in str(reply.error["details"]), reply.body
    if code == "invalid_arguments":
        assert all(isinstance(messages, list) and messages for messages in reply.error["details"].values())


@pytest.mark.parametrize(("path", "status", "code", "field"), QUERIES)
def test_bad_query_is_answered_with_what_is_wrong(
    client: Client, path: str, status: int, code: str, field: str | None
) -> None:
    reply = client.get(path)
    assert (reply.status, reply.error["code"]) == (status, code), reply.body
    assert field is None or field in reply.error["details"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"X-Forwarded-For": "10.0.0.1"},
        {"X-Real-IP": "10.0.0.1"},
        {"Forwarded": "for=10.0.0.1"},
    ],
)
def test_request_that_is_not_local_is_forbidden_while_there_are_no_keys(
    client: Client, headers: dict[str, str]
) -> None:
    reply = client.post(EXECUTE, {"code": "1"}, headers)
    assert (reply.status, reply.error["code"]) == (403, "forbidden")
    assert "LITHIUM_SCRIPT_API_KEYS" in reply.error["message"]


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_body_of_another_media_type_is_refused(client: Client, media_type: str) -> None:
    reply = client.post(EXECUTE, {"code": "1"}, {"Content-Type": media_type})
    assert (reply.status, reply.error["code"]) == (415, "unsupported_media_type")


def test_files_for_a_directory_that_isolated_scripts_only_read_are_refused(client: Client) -> None:
    body = {"code": "1", "mode": "isolated", "workingDirectory": ".", "files": [{"path": "a", "content": "b"}]}
    reply = client.post(EXECUTE, body)
    assert (reply.status, reply.error["code"]) == (400, "invalid_arguments")
    assert "files" in reply.error["details"]


def test_body_that_is_too_large_is_refused(client: Client) -> None:
    reply = client.post(EXECUTE, b'{"code": "' + b"#" * (16 << 20) + b'"}')
    assert (reply.status, reply.error["code"]) == (413, "payload_too_large")
