"""Several processes that work on one database at the same time."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any


def begin(what: str, url: str) -> subprocess.Popen[str]:
    """Start a process that is ready to do ``what`` of the workload, and does it as soon as it reads a line."""
    command = [sys.executable, "-m", "tests.unit.store.workload", what, url]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def run_at_once(count: int, what: str, url: str) -> list[Any]:
    """Have several processes do the same at once, and give what each printed last."""
    processes = [begin(what, url) for _ in range(count)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = []
    for process in processes:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        answers.append(json.loads(output))
    return answers
