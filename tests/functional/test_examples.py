"""The examples of the API reference answer what it promises."""

from __future__ import annotations

from tests.booted import CHECKOUT, Client


def test_execute_example_answers_its_sum(client: Client) -> None:
    request = {
        "code": "result = sum([1, 2, 3, 4, 5])",
        "args": {},
        "mode": "auto",
        "timeout": 30000,
        "validate": True,
    }
    reply = client.post("/api/python/execute", request)
    assert reply.status == 200
    assert reply.data["success"] is True
    assert reply.data["result"] == 15


def test_numpy_example_answers_the_stacked_rows(client: Client) -> None:
    request = {"operation": "stack", "arrays": [[1, 2, 3], [4, 5, 6]], "params": {"axis": 0}}
    reply = client.post("/api/python/numpy", request)
    assert reply.status == 200
    assert reply.data["result"] == [[1, 2, 3], [4, 5, 6]]
    assert reply.data["shape"] == [2, 3]


def test_example_script_runs_as_a_file(client: Client) -> None:
    assert (CHECKOUT / "scripts" / "hello.py").is_file()
    outcome = client.post("/api/python/executeFile", {"path": "hello.py", "args": {"name": "Ada"}}).data
    assert (outcome["result"], outcome["stdout"]) == ({"greeted": "Ada", "length": 3}, "Hello, Ada!\n")


def test_function_is_called_with_keywords_or_positions(client: Client) -> None:
    call = {"module": "math", "function": "hypot"}
    assert client.post("/api/python/executeFunction", {**call, "args": [3, 4]}).data["result"] == 5
    call = {"module": "textwrap", "function": "shorten", "args": {"text": "a b c", "width": 3, "placeholder": "."}}
    assert client.post("/api/python/executeFunction", call).data["result"] == "a."


def test_every_reply_carries_its_request_id(client: Client) -> None:
    reply = client.post("/api/python/execute", {"code": "1"}, {"X-Request-ID": "mine-1"})
    assert reply.headers["X-Request-ID"] == reply.body["request_id"] == "mine-1"
    reply = client.get("/nowhere")
    assert reply.headers["X-Request-ID"] == reply.body["request_id"] != ""
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


def test_unknown_field_is_warned_of_with_the_nearest_name(client: Client) -> None:
    reply = client.post("/api/python/execute", {"code": "1", "timeuot": 5})
    assert reply.data["result"] == 1
    assert reply.body["warnings"] == ["unknown field 'timeuot' ignored; did you mean 'timeout'?"]


def test_validate_and_analyze_judge_without_running(client: Client) -> None:
    harmful = "import shutil\nshutil.rmtree('/')"
    verdict = client.post("/api/python/validate", {"code": harmful}).data
    assert verdict["valid"] is False
    critical = [danger["line"] for danger in verdict["dangers"] if danger["severity"] == "critical"]
    assert critical == [2]
    analysis = client.post("/api/python/analyze", {"code": "import os\ndef f(): pass\nos.getcwd()"}).data
    assert (analysis["imports"], analysis["functions"]) == (["os"], ["f"])
    assert (analysis["language"], analysis["recommendedMode"]) == ("python", "isolated")


def test_asynchronous_execution_is_promised_at_once_and_ends_as_a_task(client: Client) -> None:
    reply = client.post("/api/python/executeAsync", {"code": "print('working')\nresult = 6 * 7"})
    assert (reply.status, reply.data["status"]) == (202, "queued")
    task = client.get(f"/api/tasks/{reply.data['taskId']}?wait=30000").data
    assert (task["status"], task["outcome"]["result"]) == ("succeeded", 42)
    output = client.get(f"/api/tasks/{reply.data['taskId']}/output").data
    assert (output["stdout"], output["finished"]) == ("working\n", True)
    listed = client.get("/api/tasks?status=succeeded&limit=5").data["tasks"]
    assert reply.data["taskId"] in [task["taskId"] for task in listed]
