"""Composes the layers of an isolated execution, each where it is entered cheapest.

A confinement is a JSON object that the service makes and the fork server is started with: which layers hold here
(``namespaces``, ``landlock`` with its ABI, ``seccomp`` as base64) and what a script may reach (``readable``,
``writable``, ``network``, ``sharedMemoryBytes``). Whatever fails here ends the process: nothing runs half confined.
"""

from __future__ import annotations

import base64
import os
import sys
from typing import Any

from lithium_script.sandbox import capabilities, landlock, namespaces, prctl, seccomp


def enter_server(confinement: dict[str, Any]) -> None:
    """Enter what all executions of a fork server share."""
    if confinement["namespaces"]:
        namespaces.enter_server(confinement["network"])


def fork_keeper(confinement: dict[str, Any] | None) -> int:
    """Fork a keeper, as ``os.fork`` does, into a PID namespace of its own where there are such."""
    return namespaces.fork_first() if confinement is not None and confinement["namespaces"] else os.fork()


def enter_keeper(confinement: dict[str, Any], home: str) -> None:
    """Enter, in the keeper, what belongs to one execution and takes privileges; then give those up."""
    if confinement["namespaces"]:
        namespaces.enter_execution(home, confinement["sharedMemoryBytes"])
    prctl.forbid_new_privileges()
    capabilities.drop_all()


def enter_script(confinement: dict[str, Any], home: str) -> None:
    """Confine the script itself: what the keeper must not be bound by."""
    prctl.forbid_new_privileges()
    if confinement["landlock"]:
        writable = [home, *confinement["writable"]]
        landlock.restrict(confinement["readable"], writable, confinement["network"], confinement["landlock"])
    if confinement["seccomp"]:
        seccomp.install(base64.b64decode(confinement["seccomp"]))


def attempt(layer: str) -> None:
    """Try one layer on this very process; raise what the kernel answers. Run in a process that is thrown away."""
    if layer == "landlock":
        prctl.forbid_new_privileges()
        landlock.restrict(["/usr"], [], False, landlock.abi())
    elif layer == "namespaces":
        namespaces.enter_server(False)
        pid = namespaces.fork_first()
        if pid:
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        # Any folder will do: the mount is this process's own.
        namespaces.enter_execution("/usr", 1 << 20)
    elif layer == "no_new_privs":
        prctl.forbid_new_privileges()
        capabilities.drop_all()
