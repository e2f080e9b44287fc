"""The options that every execution takes, and the request they make."""

from __future__ import annotations

import base64
import os
import re
import stat
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from lithium_script.errors import FileNotFound, InvalidArguments, SecurityViolation
from lithium_script.model import Code, ExecutionRequest, Function, InputFile, Limits, Mode, ScriptFile
from lithium_script.operations.fields import (
    MODULE,
    Arguments,
    Choice,
    Environment,
    Flag,
    InputFileSchema,
    Listing,
    Object,
    Text,
    Whole,
    at_most,
    matching,
    module_names,
    relative_path,
)
from lithium_script.settings import ExecutionSettings

MAX_FILES = 1000
MAX_GLOBS = 100
EXECUTION_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
MODES = tuple(mode.value for mode in Mode)
MIN_MEMORY_MB = 16
# What JSON carries exactly, and the kernel's limits take.
MAX_CPU_TIMEOUT_MS = 1 << 53


class OptionsSchema(Schema):
    """The shared execution options, by their names on the wire."""

    mode = Choice(MODES, load_default="auto")
    timeout = Whole(load_default=30_000)
    validated = Flag(data_key="validate", load_default=True)
    cpu_timeout = Whole(
        data_key="cpuTimeout",
        load_default=None,
        allow_none=True,
        validate=validate.Range(1, MAX_CPU_TIMEOUT_MS, error="must be from {min} to {max}"),
    )
    max_memory_mb = Whole(data_key="maxMemoryMB", load_default=512)
    allowed_imports = module_names("allowedImports")
    blocked_imports = module_names("blockedImports")
    working_directory = Text(data_key="workingDirectory", load_default=None, allow_none=True)
    capture_output = Flag(data_key="captureOutput", load_default=True)
    stdin = Text(nul=True, load_default="", allow_none=True)
    env = Environment(load_default=dict)
    files = Listing(fields.Nested(InputFileSchema), load_default=list, validate=at_most(MAX_FILES))
    output_files = Listing(
        Text(validate=relative_path), data_key="outputFiles", load_default=list, validate=at_most(MAX_GLOBS)
    )
    venv = Text(load_default=None, allow_none=True)
    session = Text(load_default=None, allow_none=True)
    execution_id = Text(
        data_key="executionId",
        load_default=None,
        allow_none=True,
        validate=matching(EXECUTION_ID, "must be 1 to 128 of A-Z a-z 0-9 . _ : -"),
    )

    @validates_schema
    def _distinct_paths(self, data: dict[str, Any], **kwargs: Any) -> None:
        paths = [os.path.normpath(file["path"]) for file in data.get("files", ())]
        if len(set(paths)) != len(paths):
            raise ValidationError("two files have the same path", "files")
        folders = {str(folder) for path in paths for folder in Path(path).parents}
        if not folders.isdisjoint(paths):
            raise ValidationError("the path of one file is the folder of another", "files")


class CodeSchema(OptionsSchema):
    """Source text, with options."""

    code = Text(required=True, nul=True)
    args = Object(load_default=dict)


class FileSchema(OptionsSchema):
    """A file of the files folder, with options."""

    path = Text(required=True, validate=validate.Length(min=1, error="must not be empty"))
    args = Object(load_default=dict)


_MODULE = matching(MODULE, "is no dotted name of a module")
_FUNCTION = matching(MODULE, "is no name of a function")


class FunctionSchema(OptionsSchema):
    """A function of a module, with options."""

    module = Text(required=True, validate=_MODULE)
    function = Text(required=True, validate=_FUNCTION)
    args = Arguments(load_default=dict)


class AsyncSchema(OptionsSchema):
    """Code, or a file, or a function, with options."""

    code = Text(nul=True)
    path = Text()
    module = Text(validate=_MODULE)
    function = Text(validate=_FUNCTION)
    args = Arguments(load_default=dict)

    @validates_schema
    def _one_source(self, data: dict[str, Any], **kwargs: Any) -> None:
        given = [name for name in ("code", "path", "module") if name in data]
        if len(given) != 1:
            message = "give exactly one of code, path, or module with function"
            raise ValidationError(message, given[-1] if given else "code")
        if ("module" in data) != ("function" in data):
            raise ValidationError("module and function go together", "function")


def request_of(arguments: dict[str, Any], settings: ExecutionSettings) -> ExecutionRequest:
    """Make the request; raise ``InvalidArguments`` for what exceeds the operator's ceilings, ``SecurityViolation``
    for a path outside its root, ``FileNotFound`` for one that is not there."""
    timeout_ms = _within("timeout", arguments["timeout"], 1, settings.max_timeout_ms)
    memory_mb = _within("maxMemoryMB", arguments["max_memory_mb"], MIN_MEMORY_MB, settings.max_memory_mb)
    working_directory = arguments["working_directory"]
    if working_directory is not None:
        folder = _inside(settings.files_dir, working_directory, "workingDirectory")
        if not stat.S_ISDIR(_type_of(folder)):
            raise InvalidArguments.field("workingDirectory", "is no directory")
        working_directory = str(folder)
    return ExecutionRequest(
        source=_source(arguments, settings),
        args=arguments["args"],
        mode=Mode(arguments["mode"]),
        validate=arguments["validated"],
        limits=Limits(timeout_ms, arguments["cpu_timeout"], memory_mb),
        allowed_imports=_top_level(arguments["allowed_imports"]),
        blocked_imports=_top_level(arguments["blocked_imports"]) or (),
        working_directory=working_directory,
        capture_output=arguments["capture_output"],
        stdin=arguments["stdin"] or "",
        env=arguments["env"],
        files=tuple(_file(file) for file in arguments["files"]),
        output_files=tuple(arguments["output_files"]),
        venv=arguments["venv"],
        session=arguments["session"],
        execution_id=arguments["execution_id"],
    )


def _within(name: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise InvalidArguments.field(name, f"must be from {low} to {high}")
    return value


def _top_level(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(name.partition(".")[0] for name in names)


def _file(file: dict[str, Any]) -> InputFile:
    if "content" in file:
        return InputFile(file["path"], file["content"].encode("utf-8"))
    return InputFile(file["path"], base64.b64decode(file["content_base64"]))


def _source(arguments: dict[str, Any], settings: ExecutionSettings) -> Code | ScriptFile | Function:
    if "code" in arguments:
        return Code(arguments["code"])
    if "path" in arguments:
        path = _inside(settings.files_dir, arguments["path"], "path")
        found = _type_of(path)
        if not found:
            raise FileNotFound(f"there is no file '{arguments['path']}'", {"path": ["does not exist"]})
        if not stat.S_ISREG(found):
            raise InvalidArguments.field("path", "is no regular file")
        return ScriptFile(str(path))
    return Function(arguments["module"], arguments["function"], (str(settings.files_dir),))


def _type_of(path: Path) -> int:
    """Give the type of what is at a path; 0 where there is nothing, or nothing can be."""
    try:
        return stat.S_IFMT(path.stat().st_mode)
    except OSError:
        return 0


def _inside(root: Path, path: str, name: str) -> Path:
    """Resolve a path, links included; raise ``SecurityViolation`` where it is not below ``root``."""
    try:
        resolved = (root / path).resolve()
    except (OSError, RuntimeError) as error:
        raise InvalidArguments.field(name, "cannot be resolved") from error
    if not resolved.is_relative_to(root.resolve()):
        raise SecurityViolation(f"{name}: '{path}' leaves its allowed root", {name: ["leaves its allowed root"]})
    return resolved
