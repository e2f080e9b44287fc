"""Operations on a real service, called without any door."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lithium_script.errors import Forbidden, FunctionNotFound, ScriptError
from lithium_script.model import LOCAL, Caller
from lithium_script.operations.table import REGISTRY
from lithium_script.service import ScriptService

OPERATIONS = {operation.name: operation for operation in REGISTRY.operations}
OBSERVER = Caller("observer", frozenset({"read", "execute"}))
LONG_MS = "30000"


def _call(service: ScriptService, name: str, caller: Caller = LOCAL, **raw: Any) -> Any:
    return OPERATIONS[name].call(service, raw, caller)[0]


@pytest.fixture
def scripts(service: ScriptService) -> Path:
    folder = service.settings.execution.files_dir
    (folder / "double.py").write_text("result = 42")
    (folder / "doubling.py").write_text("def double(x):\n    return 2 * x\n")
    return folder


def _ended(service: ScriptService, submitted: dict[str, Any]) -> Any:
    assert submitted["status"] == "queued"
    return _call(service, "tasks.get", taskId=submitted["taskId"], wait=LONG_MS)


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("python.execute", {"code": "result = 2 * args['x']", "args": {"x": 21}}),
        ("python.executeFile", {"path": "double.py"}),
        ("python.executeFunction", {"module": "doubling", "function": "double", "args": {"x": 21}}),
        ("python.executeFunction", {"module": "doubling", "function": "double", "args": [21]}),
    ],
)
@pytest.mark.usefixtures("scripts")
def test_same_arguments_give_the_same_outcome_at_once_and_as_a_task(
    service: ScriptService, name: str, raw: dict[str, Any]
) -> None:
    outcome = _call(service, name, **raw)
    assert (outcome["success"], outcome["result"]) == (True, 42)
    task = _ended(service, _call(service, "python.executeAsync", **raw))
    assert (task["status"], task["kind"]) == ("succeeded", name)
    varying = {"executionId", "executionTime", "cpuTime", "memoryUsed"}
    for field in outcome.keys() - varying:
        assert task["outcome"][field] == outcome[field], field


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({}, "code"),
        ({"code": "1", "path": "double.py"}, "path"),
        ({"code": "1", "module": "m", "function": "f"}, "module"),
        ({"module": "m"}, "function"),
        ({"function": "f"}, "code"),
        ({"code": "1", "function": "f"}, "function"),
        ({"code": "1", "args": [1]}, "args"),
        ({"path": "double.py", "args": [1]}, "args"),
        ({"path": ""}, "path"),
        ({"code": "1", "timeout": 0}, "timeout"),
        ({"code": "1", "env": {"PATH": "x"}}, "env.PATH"),
        ({"path": "absent.py"}, "path"),
        ({"path": "../double.py"}, "path"),
        ({"code": "1", "workingDirectory": "/etc"}, "workingDirectory"),
        ({"code": "1", "venv": "absent"}, "venv"),
        ({"code": "import shutil\nshutil.rmtree('/')"}, "dangers"),
    ],
)
@pytest.mark.usefixtures("scripts")
def test_task_that_could_not_run_is_refused_before_it_is_stored(
    service: ScriptService, raw: dict[str, Any], field: str
) -> None:
    before = _call(service, "tasks.list")["tasks"]
    with pytest.raises(ScriptError) as caught:
        _call(service, "python.executeAsync", **raw)
    assert field in caught.value.details
    assert _call(service, "tasks.list")["tasks"] == before


def test_inprocess_by_name_takes_admin_at_once_and_as_a_task(service: ScriptService) -> None:
    for name in ("python.execute", "python.executeAsync"):
        with pytest.raises(Forbidden, match="admin"):
            _call(service, name, OBSERVER, code="1", mode="InProcess")
    assert _call(service, "python.execute", LOCAL, code="1", mode="InProcess")["mode"] == "inprocess"


def test_task_shows_its_output_from_an_offset_and_is_cancelled_by_its_owner_or_admin(service: ScriptService) -> None:
    code = "import time\nprint('begun', flush=True)\ntime.sleep(60)"
    task = _call(service, "python.executeAsync", LOCAL, code=code)["taskId"]
    with pytest.raises(Forbidden):
        _call(service, "tasks.cancel", OBSERVER, taskId=task)
    _call(service, "tasks.cancel", LOCAL, taskId=task)
    assert _call(service, "tasks.get", taskId=task, wait=LONG_MS)["status"] == "cancelled"
    output = _call(service, "tasks.output", taskId=task)
    assert output["finished"] is True
    assert _call(service, "tasks.output", taskId=task, offset=str(output["nextOffset"]))["events"] == []


def test_validation_judges_for_the_mode_and_offers_safe_code_only_where_there_is_some(service: ScriptService) -> None:
    fine = _call(service, "python.validate", code="1 + 1")
    assert fine == {"valid": True, "mode": "inprocess", "dangers": [], "undecided": False}
    code = "import os\nos.getcwd()"
    assert _call(service, "python.validate", code=code)["valid"] is True
    refused = _call(service, "python.validate", code=code, mode="in_process")
    assert (refused["valid"], refused["mode"]) == (False, "inprocess")
    assert {"category", "command", "reason", "severity", "line", "column", "context"} == set(refused["dangers"][0])
    assert all(isinstance(answer.get("safeVersion", ""), str) for answer in (fine, refused))
    assert _call(service, "python.validate", code="x =")["valid"] is False
    assert _call(service, "python.validate", code="(" * 100_000)["undecided"] is True


@pytest.mark.parametrize(("code", "language"), [("import json\ndef f(): pass", "python"), ("rm -rf /", "shell")])
def test_analysis_has_every_field_of_the_reference(service: ScriptService, code: str, language: str) -> None:
    answer = _call(service, "python.analyze", code=code, language=language.upper())
    assert set(answer) == {
        "valid", "language", "complexity", "dangers", "imports", "functions", "recommendedMode", "reasons",
        "executionTime",
    }  # fmt: skip
    assert answer["language"] == language


def test_numpy_answers_with_shape_and_type_and_knows_what_it_does_not_know(service: ScriptService) -> None:
    answer = _call(service, "python.numpy", operation="add", arrays=[[1, 2], [3, 4]])
    assert (answer["result"], answer["shape"], answer["dtype"]) == ([4, 6], [2], "int64")
    with pytest.raises(FunctionNotFound):
        _call(service, "python.numpy", operation="no_such", arrays=[[1]])


def test_statistics_count_executions_and_begin_anew_after_a_reset(service: ScriptService) -> None:
    _call(service, "python.execute", code="1")
    assert _call(service, "python.statistics")["totalExecutions"] > 0
    assert _call(service, "python.statistics.reset") == {"reset": True}
    assert _call(service, "python.statistics")["totalExecutions"] == 0
