"""Finds out what this machine offers by trying it, in processes that are thrown away."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

from lithium_script.sandbox import processtree
from lithium_script.sandbox.forkserver import BOOTSTRAP

TRY_TIMEOUT_S = 60


def offered() -> dict[str, str]:
    """Try every layer that is this package's own; map its name to "" where it works, else to why it does not."""
    tried = {layer: _start(layer) for layer in ("no_new_privs", "namespaces", "landlock")}
    results = {layer: _answer(process) for layer, process in tried.items()}
    return results | {"rlimits": _try_rlimits(), "watcher": _try_watcher()}


def _start(layer: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-I", BOOTSTRAP, "try", layer]
    return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def _answer(process: subprocess.Popen[bytes]) -> str:
    try:
        _, errors = process.communicate(timeout=TRY_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return f"no answer within {TRY_TIMEOUT_S} s"
    lines = errors.decode("utf-8", "replace").strip().splitlines()
    return "" if process.returncode == 0 else (lines[-1] if lines else f"ended with {process.returncode}")


def _try_rlimits() -> str:
    try:
        resource.setrlimit(resource.RLIMIT_CORE, resource.getrlimit(resource.RLIMIT_CORE))
    except (OSError, ValueError) as error:
        return f"setrlimit was refused: {error}"
    return ""


def _try_watcher() -> str:
    children_file = f"/proc/self/task/{os.getpid()}/children"
    if not os.path.exists(children_file):
        return f"{children_file} is missing: /proc is hidden, or the kernel lacks CONFIG_PROC_CHILDREN"
    return "" if processtree.usage(os.getppid()).processes else "/proc shows no other process"
