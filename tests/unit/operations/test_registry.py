"""The table of operations: names, warnings about unknown fields, errors by field."""

from __future__ import annotations

import time
from typing import Any

import pytest

from lithium_script.errors import InvalidArguments
from lithium_script.operations.python import EXECUTE
from lithium_script.operations.registry import MAX_WARNINGS, Call, Operation
from lithium_script.operations.table import REGISTRY


def _warnings(raw: dict[str, Any]) -> list[str]:
    """Give what an operation with the options of execute, which runs nothing, warns of."""

    def nothing(service: Any, call: Call) -> dict[str, Any]:
        return {}

    operation = Operation("nothing", "POST", "/nothing", "read", EXECUTE.request, nothing)
    return operation.call(None, {"code": "1", **raw}, Call({}, {}).caller)[1]  # type: ignore[arg-type]


def test_operations_have_the_paths_of_the_reference() -> None:
    assert {(operation.method, operation.path) for operation in REGISTRY.operations} >= {
        *(("POST", f"/api/python/{name}") for name in ("execute", "executeFile", "executeFunction", "executeAsync")),
        *(("POST", f"/api/python/{name}") for name in ("numpy", "validate", "analyze", "statistics/reset")),
        ("GET", "/api/python/statistics"),
        ("GET", "/api/tasks"),
        ("GET", "/api/tasks/<taskId>"),
        ("GET", "/api/tasks/<taskId>/output"),
        ("POST", "/api/tasks/<taskId>/cancel"),
    }


def test_names_paths_and_commands_are_unique() -> None:
    operations = REGISTRY.operations
    commands = [operation.command for operation in operations if operation.command]
    assert len({(operation.method, operation.path) for operation in operations}) == len(operations)
    assert len(set(commands)) == len(commands)


def test_misspelt_field_is_ignored_with_the_documented_warning() -> None:
    assert _warnings({"timeuot": 5}) == ["unknown field 'timeuot' ignored; did you mean 'timeout'?"]
    assert _warnings({"max_memory_mb": 5, "zzz": 1})[1] == "unknown field 'zzz' ignored"
    assert _warnings({"timeout": 5}) == []


def test_misspelt_field_of_an_input_file_is_warned_of_by_its_place() -> None:
    files = [{"path": "a", "content": ""}, {"path": "b", "content": "", "contnet": 1}]
    assert _warnings({"files": files}) == ["unknown field 'files.1.contnet' ignored; did you mean 'content'?"]


def test_flood_of_unknown_fields_is_cheap_and_told_of_in_part() -> None:
    raw = {f"timeou{number}": 1 for number in range(200_000)} | {"timeout" * 100_000: 1}
    before = time.process_time()
    warnings = _warnings(raw)
    assert len(warnings) == MAX_WARNINGS and time.process_time() - before < 2
    (long,) = _warnings({"timeout" * 100_000: 1})
    assert len(long) < 120


def test_every_wrong_field_is_named_and_the_first_one_is_the_message() -> None:
    with pytest.raises(InvalidArguments) as caught:
        EXECUTE.load({"code": 5, "timeout": "x", "env": {"PATH": "x"}, "files": [{"path": "/a", "content": ""}]})
    details = caught.value.details
    assert set(details) == {"code", "timeout", "env.PATH", "files.0.path"}
    assert all(isinstance(message, str) for messages in details.values() for message in messages)
    first = next(iter(details))
    assert caught.value.message == f"{first}: {details[first][0]}"
