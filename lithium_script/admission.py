"""Decides where each request runs, and refuses what must not run; analysis chooses, the kernel protects."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
from dataclasses import dataclass

from lithium_script.analysis.analyzer import Analysis, ScriptAnalyzer
from lithium_script.errors import EnvironmentNotFound, FileNotFound, InvalidArguments, SecurityViolation
from lithium_script.model import Code, ExecutionOutcome, ExecutionRequest, Function, Mode, ScriptFile
from lithium_script.settings import ExecutionSettings

_NEEDS_PROCESS = ("files", "output_files", "env", "working_directory")
_WIRE_NAMES = {"output_files": "outputFiles", "working_directory": "workingDirectory"}


@dataclass(frozen=True, slots=True)
class Choice:
    """Where a request runs and why; ``proven`` is code that may run on the caller's own thread."""

    request: ExecutionRequest
    mode: Mode
    reason: str
    needs_numpy: bool
    proven: bool

    def explain(self, outcome: ExecutionOutcome) -> ExecutionOutcome:
        """Put mode and reason into an outcome."""
        return dataclasses.replace(outcome, mode=self.mode, mode_reason=self.reason)


class Admission:
    """Chooses from the analysis, the request and the settings; thread-safe."""

    def __init__(self, analyzer: ScriptAnalyzer, settings: ExecutionSettings) -> None:
        self._analyzer = analyzer
        self._settings = settings

    def choose(self, request: ExecutionRequest) -> Choice:
        """Choose a mode; raise ``SecurityViolation`` for what validation refuses, ``InvalidArguments`` for options
        that do not go together, ``EnvironmentNotFound`` for an unknown ``venv``."""
        request = self._completed(request)
        if request.mode is Mode.INPROCESS:
            request = _for_this_process(request)
        analysis = self._analyzer.analyze(_text(request), "python")
        if request.validate:
            self._refuse(analysis, request.mode)
        mode, reason = _mode(request, analysis)
        if mode is Mode.ISOLATED and request.working_directory is not None and request.files:
            raise InvalidArguments.field("files", "isolated scripts only read workingDirectory: use one of the two")
        proven = mode is Mode.INPROCESS and analysis.recommended_mode is Mode.INPROCESS
        return Choice(request, mode, reason, analysis.needs_numpy, proven)

    def _completed(self, request: ExecutionRequest) -> ExecutionRequest:
        if request.venv is not None:
            raise EnvironmentNotFound(f"there is no environment '{request.venv}'", {"venv": ["is not known"]})
        if request.session is not None:
            raise InvalidArguments.field("session", "sessions are not offered by this version")
        limits = dataclasses.replace(
            request.limits,
            max_output_bytes=self._settings.max_output_bytes,
            max_result_bytes=self._settings.max_result_bytes,
        )
        return dataclasses.replace(request, limits=limits)

    def _refuse(self, analysis: Analysis, mode: Mode) -> None:
        dangers = self._analyzer.refusals(analysis, mode)
        if dangers:
            first = dangers[0]
            raise SecurityViolation(
                f"line {first.line}: {first.reason}", {"dangers": [danger.to_json() for danger in dangers]}
            )


def _mode(request: ExecutionRequest, analysis: Analysis) -> tuple[Mode, str]:
    if not analysis.valid and request.mode is not Mode.INPROCESS:
        return Mode.ISOLATED, "runs unvalidated behind the sandbox"
    if request.mode is not Mode.AUTO:
        return request.mode, "requested"
    mode, reason = analysis.recommended_mode, ", ".join(analysis.reasons)
    if mode is Mode.INPROCESS:
        if not isinstance(request.source, Code):
            return Mode.POOLED, reason
        needing = [_WIRE_NAMES.get(name, name) for name in _NEEDS_PROCESS if getattr(request, name)]
        if needing:
            return Mode.POOLED, f"{reason}; '{needing[0]}' needs a process of its own"
    return mode, reason


def _for_this_process(request: ExecutionRequest) -> ExecutionRequest:
    for name in _NEEDS_PROCESS:
        if getattr(request, name):
            field = _WIRE_NAMES.get(name, name)
            raise InvalidArguments.field(field, "needs a process of its own: use mode pooled or isolated")
    if isinstance(request.source, ScriptFile):
        return dataclasses.replace(request, source=Code(_text(request), request.source.path))
    if not isinstance(request.source, Code):
        raise InvalidArguments.field("mode", "functions run in a process of their own: use pooled or isolated")
    return request


def _text(request: ExecutionRequest) -> str:
    """Give the source text that will run, as far as it can be found without running anything."""
    match request.source:
        case Code(text):
            return text
        case ScriptFile(path):
            return _read(path)
        case Function(module, _, search_path):
            relative = module.replace(".", os.sep)
            for folder in search_path:
                for candidate in (f"{relative}.py", os.path.join(relative, "__init__.py")):
                    if os.path.isfile(os.path.join(folder, candidate)):
                        return _read(os.path.join(folder, candidate))
            return f"import {module}"
        case _:
            return ""


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return importlib.util.decode_source(file.read())
    except OSError as error:
        raise FileNotFound(f"{os.path.basename(path)}: {error.strerror}") from error
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise InvalidArguments.field("path", f"is no Python source: {error}") from error
