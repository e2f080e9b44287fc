"""Finds out what this machine offers by trying it, each layer in a process of its own that may fail."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

from lithium_script.sandbox import policy, processtree

_TRY_NO_NEW_PRIVS = """
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
sys.exit(0 if libc.prctl(38, ctypes.c_ulong(1), 0, 0, 0) == 0 and libc.prctl(39, 0, 0, 0, 0) == 1 else 1)
"""


def offered() -> dict[str, str]:
    """Try every layer; map its name to "" where it works, else to the reason why it does not."""
    results = {
        "process": "" if hasattr(os, "pidfd_open") else "the interpreter has no pidfd_open",
        "no_new_privs": _try_no_new_privs(),
        "rlimits": _try_rlimits(),
        "watcher": _try_watcher(),
    }
    assert tuple(results) == policy.LAYERS
    return results


def _try_no_new_privs() -> str:
    tried = subprocess.run([sys.executable, "-I", "-c", _TRY_NO_NEW_PRIVS], capture_output=True, timeout=30)
    return "" if tried.returncode == 0 else "prctl(PR_SET_NO_NEW_PRIVS) was refused"


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
