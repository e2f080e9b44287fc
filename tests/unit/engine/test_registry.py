"""Live executions: seen, ended by id or owner, and claimed on the host while they live."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lithium_script.engine.registry import ExecutionRegistry, RunningExecution
from lithium_script.errors import Conflict
from lithium_script.model import Cancellation


@pytest.fixture
def registry(tmp_path: Path) -> ExecutionRegistry:
    registry = ExecutionRegistry(tmp_path / "claims")
    registry.start()
    return registry


def _execution(name: str, owner: str = "me") -> RunningExecution:
    return RunningExecution(name, owner, Cancellation())


def test_chosen_id_is_taken_while_it_lives_and_free_afterwards(registry: ExecutionRegistry) -> None:
    with (
        registry.entered(_execution("mine"), chosen=True),
        pytest.raises(Conflict) as caught,
        registry.entered(_execution("mine"), chosen=True),
    ):
        pass
    assert "executionId" in caught.value.details
    with registry.entered(_execution("mine"), chosen=True):
        pass


def test_claim_of_a_killed_process_is_free(registry: ExecutionRegistry, tmp_path: Path) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\n"
        "from lithium_script.engine.registry import ExecutionRegistry\n"
        "registry = ExecutionRegistry(Path(sys.argv[1]))\nregistry._claim('mine')\nos.kill(os.getpid(), 9)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path / "claims")], timeout=60)
    assert ended.returncode == -9
    with registry.entered(_execution("mine"), chosen=True):
        pass


def test_end_is_asked_of_the_owner_s_executions_only(registry: ExecutionRegistry) -> None:
    mine, other = _execution("a"), _execution("b", "other")
    with registry.entered(mine, chosen=False), registry.entered(other, chosen=False):
        assert registry.request_end(None, "cancel", "me") == ["a"]
        assert (mine.cancellation.level, other.cancellation.level) == ("cancel", None)
        assert registry.request_end("b", "kill", None) == ["b"]
        assert registry.request_end("c", "kill", None) == []
        assert [row["executionId"] for row in registry.describe()] == ["a", "b"]
    assert registry.describe() == []
