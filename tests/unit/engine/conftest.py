"""A real pool of warm interpreters, shared by the tests of the engine."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lithium_script.engine.registry import RunningExecution
from lithium_script.engine.rundirectory import RunRoot
from lithium_script.model import Cancellation, Code, EventSink, ExecutionOutcome, ExecutionRequest, Limits
from lithium_script.python.pool import InterpreterPool

Run = Callable[..., ExecutionOutcome]


@pytest.fixture(scope="session")
def run_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = RunRoot(tmp_path_factory.mktemp("runs"), "worker")
    root.start()
    yield root.path
    root.close()


@pytest.fixture(scope="session")
def pool(run_root: Path) -> Iterator[InterpreterPool]:
    pool = InterpreterPool(run_root, 2)
    pool.start()
    yield pool
    pool.close()


@pytest.fixture
def run(pool: InterpreterPool) -> Run:
    def run(
        code: str,
        *,
        limits: Limits | None = None,
        numpy: bool = False,
        sink: EventSink | None = None,
        cancellation: Cancellation | None = None,
        **options: object,
    ) -> ExecutionOutcome:
        request = ExecutionRequest(Code(code), limits=limits or Limits(timeout_ms=20_000), **options)  # type: ignore[arg-type]
        running = RunningExecution(uuid.uuid4().hex, "tests", cancellation or Cancellation())
        return pool.run(request, running, numpy, sink)

    return run
