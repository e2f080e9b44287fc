"""Works out what an isolated execution is confined to on this machine, from what the kernel offers."""

from __future__ import annotations

import base64
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lithium_script.engine import syscallfilter
from lithium_script.sandbox import landlock, policy, probe

SHARED_MEMORY_BYTES = 64 << 20
# Libraries, interpreters and what they look up; nothing that holds a secret.
SYSTEM_READABLE = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/ld.so.cache", "/etc/ld.so.conf",
    "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/localtime", "/etc/timezone", "/etc/mime.types", "/etc/passwd",
    "/etc/group", "/etc/nsswitch.conf", "/etc/ssl/openssl.cnf", "/etc/ssl/certs", "/etc/fonts",
    "/sys/devices/system/cpu",
)  # fmt: skip
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


@dataclass(frozen=True, slots=True)
class Isolation:
    """The layers with their state, and the confinement that fork servers are started with."""

    layers: tuple[policy.Layer, ...]
    confinement: dict[str, Any]


def work_out(required: tuple[str, ...], readable: tuple[Path, ...]) -> Isolation:
    """Probe the kernel and combine what it offers with what is required; ``readable`` are the operator's folders."""
    offered = probe.offered()
    program = b""
    try:
        program = syscallfilter.compile_program(network=False)
        offered["seccomp"] = ""
    except (ImportError, OSError, ValueError, RuntimeError) as error:
        offered["seccomp"] = f"libseccomp: {error}"
    layers = policy.plan(offered, required)
    active = {layer.name for layer in layers if layer.active}
    namespaces = "namespaces" in active
    return Isolation(
        layers,
        {
            "namespaces": namespaces,
            "landlock": landlock.abi() if "landlock" in active else 0,
            "seccomp": base64.b64encode(program).decode("ascii"),
            "network": False,
            "readable": [*SYSTEM_READABLE, *_interpreter(), *map(str, readable)],
            "writable": [*DEVICES, *(["/dev/shm"] if namespaces else [])],
            "sharedMemoryBytes": SHARED_MEMORY_BYTES,
        },
    )


def _interpreter() -> list[str]:
    """List what the interpreter and its environment are made of."""
    executable = os.path.realpath(sys.executable)
    return sorted({sys.prefix, sys.base_prefix, sys.exec_prefix, os.path.dirname(os.path.dirname(executable))})
