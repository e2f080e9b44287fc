"""InterpreterPool: a fresh fork of a warm interpreter for each task, with the service's own rights."""

from __future__ import annotations

from lithium_script.engine.runner import ForkRunner
from lithium_script.model import Mode


class InterpreterPool(ForkRunner):
    """Runs ``pooled`` executions: pristine interpreters, used once, whose whole process tree ends with them."""

    mode = Mode.POOLED
