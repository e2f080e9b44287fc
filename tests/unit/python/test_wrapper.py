"""Code inside the service's own process: captured, interrupted at its timeout, and never in the way of others."""

from __future__ import annotations

import sys
import threading
import uuid
from collections.abc import Callable

import pytest

from lithium_script.engine.registry import RunningExecution
from lithium_script.errors import ResourceExhausted
from lithium_script.model import Cancellation, Code, ExecutionOutcome, ExecutionRequest, Limits
from lithium_script.python.wrapper import PythonWrapper


@pytest.fixture
def stuck() -> list[bool]:
    return []


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, stuck: list[bool]) -> Callable[..., ExecutionOutcome]:
    wrapper = PythonWrapper(2, lambda: stuck.append(True))

    def run(
        code: str,
        *,
        proven: bool = False,
        timeout_ms: int = 20_000,
        cancellation: Cancellation | None = None,
        **options: object,
    ) -> ExecutionOutcome:
        for name in ("stdin", "stdout", "stderr"):
            monkeypatch.setattr(sys, name, getattr(sys, name))
        wrapper.start()
        request = ExecutionRequest(Code(code), limits=Limits(timeout_ms=timeout_ms), **options)  # type: ignore[arg-type]
        running = RunningExecution(uuid.uuid4().hex, "tests", cancellation or Cancellation())
        return (wrapper.run_proven if proven else wrapper.run)(request, running)

    return run


@pytest.mark.parametrize("proven", [True, False])
def test_result_output_and_arguments_are_as_in_a_process(run, proven: bool) -> None:
    outcome = run("print(x + args['x'])\nx * 2", proven=proven, args={"x": 4})
    assert (outcome.result, outcome.result_type, outcome.stdout, outcome.error) == (8, "int", "8\n", None)


@pytest.mark.parametrize("proven", [True, False])
def test_error_shows_the_script_s_own_line(run, proven: bool) -> None:
    error = run("a = 1\nb = a / 0", proven=proven).error
    assert (error.code, error.type, error.line) == ("execution_failed", "ZeroDivisionError", 2)
    assert "wrapper.py" not in error.traceback


def test_loop_is_interrupted_at_its_timeout_with_its_output(run, stuck: list[bool]) -> None:
    outcome = run("print('on')\nwhile True: pass", timeout_ms=100)
    assert (outcome.error.code, outcome.stdout, stuck) == ("timeout", "on\n", [])


def test_script_that_does_not_yield_gets_its_reply_and_has_the_worker_replaced(run, stuck: list[bool]) -> None:
    released = threading.Event()
    threading.stuck_test = released  # type: ignore[attr-defined]
    outcome = run("import threading\nwhile not threading.stuck_test.wait(60): pass", timeout_ms=50)
    assert (outcome.error.code, stuck) == ("timeout", [True])
    released.set()


def test_cancellation_ends_it(run) -> None:
    cancellation = Cancellation()
    timer = threading.Timer(0.1, cancellation.request)
    timer.start()
    outcome = run("while True: pass", cancellation=cancellation)
    timer.join()
    assert outcome.error.code == "cancelled"


def test_blocked_import_is_refused_to_the_script_and_allowed_to_what_it_imports(run) -> None:
    error = run("import json", blocked_imports=("json",)).error
    assert (error.type, "blockedImports" in error.message) == ("ImportError", True)
    assert run("import statistics\nstatistics.mean([1, 3])", allowed_imports=("statistics",)).result == 2
    assert run("import os", allowed_imports=("statistics",)).error.type == "ImportError"


def test_stdin_is_the_script_s_own(run) -> None:
    assert run("input() + input()", stdin="a\nb\n").result == "ab"
    assert run("input()").error.type == "EOFError"


def test_exit_status_is_kept(run) -> None:
    outcome = run("import sys\nsys.exit(3)")
    assert (outcome.exit_code, outcome.error.type) == (3, "SystemExit")
    assert run("raise SystemExit").error is None


def test_more_threads_than_places_are_refused(run) -> None:
    started = threading.Barrier(3)
    threading.barrier_test = started  # type: ignore[attr-defined]
    threading.event_test = threading.Event()  # type: ignore[attr-defined]
    code = "import threading\nthreading.barrier_test.wait()\nthreading.event_test.wait(20)"
    threads = [threading.Thread(target=run, args=(code,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    started.wait()
    with pytest.raises(ResourceExhausted):
        run("1")
    threading.event_test.set()  # type: ignore[attr-defined]
    for thread in threads:
        thread.join()
