"""IsolatedRunner: as the pool, behind the layers that keep an untrusted script to itself."""

from __future__ import annotations

from pathlib import Path

from lithium_script.engine.isolation import Isolation
from lithium_script.engine.registry import RunningExecution
from lithium_script.engine.runner import ForkRunner
from lithium_script.errors import ServiceUnavailable
from lithium_script.model import EventSink, ExecutionOutcome, ExecutionRequest, Mode
from lithium_script.sandbox import policy


class IsolatedRunner(ForkRunner):
    """Runs ``isolated`` executions, and none at all while a required layer is missing."""

    mode = Mode.ISOLATED

    def __init__(self, run_root: Path, stock: int, isolation: Isolation) -> None:
        super().__init__(run_root, stock, isolation.confinement)
        self.layers = isolation.layers

    def run(
        self, request: ExecutionRequest, running: RunningExecution, needs_numpy: bool, sink: EventSink | None
    ) -> ExecutionOutcome:
        """Run a request as the pool does; raise ``ServiceUnavailable`` naming the layers that are missing."""
        self.check()
        return super().run(request, running, needs_numpy, sink)

    def check(self) -> None:
        """Raise ``ServiceUnavailable`` while a required layer is missing: never a silent downgrade."""
        missing = policy.missing(self.layers)
        if missing:
            names = ", ".join(layer.name for layer in missing)
            details = {layer.name: [layer.reason] for layer in missing}
            raise ServiceUnavailable(f"isolated execution is refused: required but missing: {names}", details)

    def readiness(self) -> dict[str, str]:
        """Tell about the fork servers, and about each required layer."""
        layers = {f"sandbox.{layer.name}": layer.reason for layer in policy.missing(self.layers)}
        return super().readiness() | layers
