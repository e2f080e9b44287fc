"""Values that every layer shares: what is asked of an execution, and what comes of it.

Times are milliseconds and sizes bytes unless a name says otherwise. All values are immutable but
``Cancellation``, which is thread-safe.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

Json = Any
"""A JSON value: None, bool, int, float, str, list or dict with text keys."""


class Mode(str, Enum):
    """Where a script runs; ``AUTO`` leaves the choice to the analysis."""

    AUTO = "auto"
    INPROCESS = "inprocess"
    POOLED = "pooled"
    ISOLATED = "isolated"


class TaskStatus(str, Enum):
    """The life of an asynchronous call; the last four are terminal."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"

    @property
    def terminal(self) -> bool:
        return self not in (TaskStatus.QUEUED, TaskStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to be written into the working directory before the script starts."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file that the script left behind and the caller asked for."""

    path: str
    content: bytes
    mime_type: str


@dataclass(frozen=True, slots=True)
class Code:
    """Python source text; ``filename`` is what tracebacks and ``__file__`` show."""

    text: str
    filename: str = "<script>"


@dataclass(frozen=True, slots=True)
class ScriptFile:
    """A Python file, absolute and already checked to lie inside an allowed root."""

    path: str


@dataclass(frozen=True, slots=True)
class Function:
    """A function of an importable module; ``search_path`` is put before the interpreter's own."""

    module: str
    name: str
    search_path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """What one execution may use, its whole process tree counted."""

    timeout_ms: int = 30_000
    cpu_timeout_ms: int | None = None
    max_memory_mb: int = 512
    max_processes: int = 64
    max_output_bytes: int = 1 << 20
    max_result_bytes: int = 16 << 20
    max_file_size_mb: int = 256


@dataclass(frozen=True, slots=True)
class ExecutionRequest:
    """One execution as the caller asked for it, already checked for form."""

    source: Code | ScriptFile | Function
    args: Json = field(default_factory=dict)
    mode: Mode = Mode.AUTO
    validate: bool = True
    limits: Limits = Limits()
    allowed_imports: tuple[str, ...] | None = None
    blocked_imports: tuple[str, ...] = ()
    working_directory: str | None = None
    capture_output: bool = True
    stdin: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    files: tuple[InputFile, ...] = ()
    output_files: tuple[str, ...] = ()
    venv: str | None = None
    session: str | None = None
    execution_id: str | None = None


@dataclass(frozen=True, slots=True)
class ExecutionError:
    """Why a script did not succeed; ``line`` is the innermost line of the script's own."""

    code: str
    type: str
    message: str
    traceback: str = ""
    line: int | None = None

    def to_json(self) -> dict[str, Json]:
        return {
            "code": self.code,
            "type": self.type,
            "message": self.message,
            "traceback": self.traceback,
            "line": self.line,
        }


@dataclass(frozen=True, slots=True)
class ExecutionOutcome:
    """What came of one execution, whatever ended it."""

    execution_id: str
    success: bool
    result: Json = None
    result_type: str = "NoneType"
    stdout: str = ""
    stderr: str = ""
    error: ExecutionError | None = None
    mode: Mode = Mode.ISOLATED
    mode_reason: str = ""
    execution_time_ms: float = 0.0
    cpu_time_ms: float = 0.0
    memory_used: int = 0
    exit_code: int | None = 0
    signal: str | None = None
    truncated: tuple[str, ...] = ()
    """Which of ``stdout``, ``stderr`` and ``result`` were cut."""
    files: tuple[OutputFile, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened while an execution ran: stdout, stderr, progress, status or display."""

    kind: str
    data: Mapping[str, Json]
    seq: int
    execution_id: str = ""


EventSink = Callable[[Event], None]
"""Called on the thread that drives the execution, in order of ``seq``; must be quick and never raise."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking: the name of the key (``local`` where no keys are configured) and its scopes."""

    name: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """Tell whether the caller holds ``scope``; ``admin`` implies the others."""
        return scope in self.scopes or "admin" in self.scopes


LOCAL = Caller("local", frozenset({"read", "execute", "manage", "admin"}))
"""The caller of a service without keys, who has passed the loopback rules."""


class Cancellation:
    """A request, made once from any thread, that something running end.

    ``level`` is None, ``"cancel"`` (interrupt, then kill after a grace period) or ``"kill"`` (at once);
    it only ever rises. Callbacks run on the requesting thread, under a lock: they must be quick.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[str], None]] = []
        self.level: str | None = None

    def request(self, level: str = "cancel") -> None:
        """Ask for the end; a ``kill`` may follow a ``cancel``, nothing else has an effect."""
        with self._lock:
            if self.level == "kill" or self.level == level:
                return
            self.level = level
            for callback in self._callbacks:
                callback(level)

    @contextmanager
    def calling(self, callback: Callable[[str], None]) -> Iterator[None]:
        """Have ``callback(level)`` called at each request, past ones included, and not after the block has ended."""
        with self._lock:
            self._callbacks.append(callback)
            if self.level is not None:
                callback(self.level)
        try:
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)
