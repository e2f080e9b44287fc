"""One execution in a given pool."""

from __future__ import annotations

from lithium_script.engine.registry import RunningExecution
from lithium_script.engine.runner import ForkRunner
from lithium_script.model import Cancellation, Code, ExecutionOutcome, ExecutionRequest


def execute(pool: ForkRunner, code: str) -> ExecutionOutcome:
    """Run code in a pool, whatever pool it is."""
    return pool.run(ExecutionRequest(Code(code)), RunningExecution("one", "tests", Cancellation()), False, None)
