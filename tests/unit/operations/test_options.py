"""Execution options: what is taken, what is refused and by which name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from lithium_script.errors import FileNotFound, InvalidArguments, ScriptError, SecurityViolation
from lithium_script.model import Code, ExecutionRequest, Function, InputFile, Limits, Mode, ScriptFile
from lithium_script.operations.options import request_of
from lithium_script.operations.python import EXECUTE, EXECUTE_FILE, EXECUTE_FUNCTION
from lithium_script.operations.registry import Operation
from lithium_script.settings import ExecutionSettings, Settings


@pytest.fixture
def settings(tmp_path: Path) -> ExecutionSettings:
    root = tmp_path / "scripts"
    (root / "sub").mkdir(parents=True)
    (root / "ok.py").write_text("result = 1")
    (tmp_path / "secret.py").write_text("result = 2")
    os.mkfifo(root / "pipe")
    (root / "way_out").symlink_to(tmp_path)
    (root / "loop").symlink_to("loop")
    return Settings.from_env({"LITHIUM_SCRIPT_FILES_DIR": str(root)}).execution


def _request(settings: ExecutionSettings, raw: dict[str, Any], operation: Operation = EXECUTE) -> ExecutionRequest:
    return request_of(operation.load(raw), settings)


def _refusal(settings: ExecutionSettings, raw: dict[str, Any], operation: Operation = EXECUTE) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        _request(settings, raw, operation)
    return caught.value


def test_code_alone_gets_the_documented_defaults(settings: ExecutionSettings) -> None:
    assert _request(settings, {"code": "1"}) == ExecutionRequest(Code("1"), limits=Limits(30_000, None, 512))


def test_every_option_reaches_the_request(settings: ExecutionSettings) -> None:
    raw = {
        "code": "1", "args": {"a": [1]}, "mode": "Isolated", "timeout": 5, "validate": False, "cpuTimeout": 7,
        "maxMemoryMB": 16, "allowedImports": ["json", "os.path"], "blockedImports": ["ctypes"],
        "workingDirectory": "sub", "captureOutput": False, "stdin": "in\0put", "env": {"TZ": "UTC"},
        "files": [{"path": "a/b", "content": "é"}, {"path": "c", "contentBase64": "AAE="}],
        "outputFiles": ["out/*.png"], "venv": "v", "session": "s", "executionId": "run:1",
    }  # fmt: skip
    assert _request(settings, raw) == ExecutionRequest(
        source=Code("1"),
        args={"a": [1]},
        mode=Mode.ISOLATED,
        validate=False,
        limits=Limits(5, 7, 16),
        allowed_imports=("json", "os"),
        blocked_imports=("ctypes",),
        working_directory=str(settings.files_dir.resolve() / "sub"),
        capture_output=False,
        stdin="in\0put",
        env={"TZ": "UTC"},
        files=(InputFile("a/b", "é".encode()), InputFile("c", b"\0\1")),
        output_files=("out/*.png",),
        venv="v",
        session="s",
        execution_id="run:1",
    )


@pytest.mark.parametrize("mode", ["InProcess", "inprocess", "in_process", "IN-PROCESS", "in process"])
def test_mode_is_taken_in_any_spelling(settings: ExecutionSettings, mode: str) -> None:
    assert _request(settings, {"code": "1", "mode": mode}).mode is Mode.INPROCESS


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("timeout", value) for value in ("5", True, 1.5, 5.0, 0, -1, 3_600_001, 10**30, None, [])),
        *(("cpuTimeout", value) for value in ("5", True, 1.5, 0, 10**30)),
        *(("maxMemoryMB", value) for value in ("64", 15, 4097, True, 64.0)),
        *(("validate", value) for value in (0, 1, "true", "", None)),
        *(("captureOutput", value) for value in (0, "yes", None)),
        *(("mode", value) for value in ("fast", "", None, 1, ["auto"])),
        *(("args", value) for value in ([], "x", None)),
        *(("executionId", value) for value in ("", "a" * 129, "a/b", "../a", "a b", "a\n", "é", 5)),
        *(("allowedImports", value) for value in ("os", [""], ["a b"], ["a..b"], ["os\n"], [1], ["-m"])),
        *(("outputFiles", value) for value in (["/etc/*"], ["../*"], [""], ["a/../../b"], "x", [None], ["a"] * 101)),
        *(("stdin", value) for value in (5, [], "\ud800")),
        *(("workingDirectory", value) for value in ("nowhere", "ok.py", "pipe", "loop", "a" * 300, "a\0b", 5)),
        *(("venv", value) for value in (5, "a\0")),
        *(("session", value) for value in (5, [])),
    ],
)
def test_wrong_value_is_refused_by_the_name_of_its_field(settings: ExecutionSettings, field: str, value: Any) -> None:
    error = _refusal(settings, {"code": "1", field: value})
    assert error.code == "invalid_arguments"
    assert all(name.split(".")[0] == field for name in error.details) and error.message.startswith(field)


@pytest.mark.parametrize(("value", "message"), [({}, "code: required"), ({"code": None}, "code: must not be null")])
def test_missing_code_is_said_in_a_word(settings: ExecutionSettings, value: dict[str, Any], message: str) -> None:
    assert _refusal(settings, value).message == message


@pytest.mark.parametrize(
    "name",
    [
        "PATH", "HOME", "TMPDIR", "ENV", "IFS", "PS4", "SHELLOPTS", "BASH_ENV", "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_",
        "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "GCONV_PATH", "LOCPATH", "NLSPATH", "PERL5LIB", "PERL5OPT",
        "RUBYLIB", "RUBYOPT", "NODE_OPTIONS", "NODE_PATH", "OPENSSL_CONF", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS",
        "GLIBC_TUNABLES", "GIT_SSH_COMMAND", "A=B", "", "1A", "A-B", "A\n", "Ä",
    ],
)  # fmt: skip
def test_variable_that_steers_programs_or_is_no_name_is_refused_by_name(settings: ExecutionSettings, name: str) -> None:
    error = _refusal(settings, {"code": "1", "env": {"FINE": "x", name: "y"}})
    assert error.code == "invalid_arguments" and list(error.details) == [f"env.{name}"]


@pytest.mark.parametrize("name", ["TZ", "LANG", "NODE_ENV", "TEMP", "MY_PATH", "PATHS", "path", "OMP_NUM_THREADS", "_"])
def test_ordinary_variable_is_taken(settings: ExecutionSettings, name: str) -> None:
    assert _request(settings, {"code": "1", "env": {name: "x"}}).env == {name: "x"}


@pytest.mark.parametrize("value", ["x\0y", "\ud800", 5, None, True])
def test_value_of_a_variable_is_text_that_a_program_can_get(settings: ExecutionSettings, value: Any) -> None:
    assert list(_refusal(settings, {"code": "1", "env": {"A": value}}).details) == ["env.A"]


@pytest.mark.parametrize(
    ("files", "field"),
    [
        *(([{"path": path, "content": ""}], "files.0.path") for path in ("", ".", "./", "/a", "../a", "a/..", "a/")),
        *(([{"path": path, "content": ""}], "files.0.path") for path in ("a\0b", "a" * 256, "a/" * 600 + "b", 5)),
        ([{"path": "a", "content": "x"}, {"path": "./a", "content": "y"}], "files"),
        ([{"path": "a", "content": "x"}, {"path": "a/b", "content": "y"}], "files"),
        ([{"path": "a"}], "files.0.content"),
        ([{"path": "a", "content": "x", "contentBase64": ""}], "files.0.content"),
        ([{"path": "a", "content": 5}], "files.0.content"),
        ([{"content": "x"}], "files.0.path"),
        *(
            ([{"path": "a", "contentBase64": text}], "files.0.contentBase64")
            for text in ("?", "AA", "A A=", "é", "AA==x")
        ),
        ({}, "files"),
        ([{"path": str(number), "content": ""} for number in range(1001)], "files"),
    ],
)
def test_input_file_that_cannot_be_written_is_refused(settings: ExecutionSettings, files: Any, field: str) -> None:
    error = _refusal(settings, {"code": "1", "files": files})
    assert error.code == "invalid_arguments" and list(error.details) == [field]


def test_file_is_found_by_relative_and_by_absolute_path(settings: ExecutionSettings) -> None:
    path = str(settings.files_dir.resolve() / "ok.py")
    for given in ("ok.py", "./sub/../ok.py", path):
        assert _request(settings, {"path": given}, EXECUTE_FILE).source == ScriptFile(path)


@pytest.mark.parametrize(
    "path",
    ["../secret.py", "../nothing", "/etc/passwd", "/nothing", "way_out/secret.py", "way_out/nothing", "sub/../.."],
)
def test_path_out_of_the_root_is_refused_before_its_existence_shows(settings: ExecutionSettings, path: str) -> None:
    for field, operation in (("path", EXECUTE_FILE), ("workingDirectory", EXECUTE)):
        error = _refusal(settings, {"code": "1", field: path}, operation)
        assert isinstance(error, SecurityViolation) and list(error.details) == [field]
        assert error.message == f"{field}: '{path}' leaves its allowed root"


@pytest.mark.parametrize("path", ["absent.py", "ok.py/below", "a" * 300 + ".py", "a/" * 3000])
def test_file_that_does_not_exist_is_not_found(settings: ExecutionSettings, path: str) -> None:
    assert isinstance(_refusal(settings, {"path": path}, EXECUTE_FILE), FileNotFound)


@pytest.mark.parametrize("path", ["sub", ".", "pipe", "loop", ""])
def test_what_is_no_regular_file_is_not_run(settings: ExecutionSettings, path: str) -> None:
    error = _refusal(settings, {"path": path}, EXECUTE_FILE)
    assert isinstance(error, InvalidArguments) and list(error.details) == ["path"]


@pytest.mark.parametrize("args", [{"x": 1}, [1, 2], {}])
def test_function_is_looked_for_in_the_files_folder_first(settings: ExecutionSettings, args: Any) -> None:
    request = _request(settings, {"module": "pkg.mod", "function": "Class.method", "args": args}, EXECUTE_FUNCTION)
    assert request.source == Function("pkg.mod", "Class.method", (str(settings.files_dir),)) and request.args == args


@pytest.mark.parametrize("field", ["module", "function"])
@pytest.mark.parametrize("name", ["", ".", "a.", ".a", "a..b", "a/b", "a b", "1a", "a\n", "a;b", 5, None])
def test_name_that_is_no_identifier_is_refused(settings: ExecutionSettings, field: str, name: Any) -> None:
    error = _refusal(settings, {"module": "m", "function": "f", field: name}, EXECUTE_FUNCTION)
    assert error.code == "invalid_arguments" and list(error.details) == [field]
