"""The script's own process: waits for its job, makes itself ready, runs it, and reports.

The result goes over the control socket, which the script could find and write to; that forges nothing but its
own result, and the service treats every frame as untrusted.
"""

from __future__ import annotations

import base64
import io
import os
import resource
import signal
import socket
import sys
from typing import Any

from lithium_script.sandbox import encoding, importguard, protocol, script

JOB_BYTES = 1 << 30


def main(control_fd: int) -> None:
    """Run one job and exit; never returns."""
    control = socket.socket(fileno=control_fd)
    _reset_signals()
    job = protocol.receive(control, JOB_BYTES)
    if job is None:
        os._exit(0)
    status = 1
    try:
        try:
            _prepare(job)
        except OSError as error:
            _tell_failure(control, error)
        else:
            status = _run(job, control)
    finally:
        os._exit(status)


def _tell_failure(control: socket.socket, error: OSError) -> None:
    """Say why the script was not started: a full disk, or a path that cannot be written."""
    described = {
        "code": "execution_failed", "type": type(error).__name__, "message": f"the script was not started: {error}",
        "traceback": "", "line": None,
    }  # fmt: skip
    frame = {"result": None, "resultType": "NoneType", "truncated": False, "error": described, "exitCode": 1}
    protocol.send(control, frame)


def _reset_signals() -> None:
    for signum in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(signum, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _prepare(job: dict[str, Any]) -> None:
    directory = job["directory"]
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(job["env"])
    _limit(job)
    for file in job["files"]:
        _write(file["path"], base64.b64decode(file["content"]))
    _reseed()
    # The same as `python -u`: written through, so that print, os.write and child processes keep their order.
    sys.stdin = open(0, encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115 - it lives as long as the process
    sys.stdout = _output(1, "strict")
    sys.stderr = _output(2, "backslashreplace")
    vars(sys).update(__stdin__=sys.stdin, __stdout__=sys.stdout, __stderr__=sys.stderr)
    sys.path[:0] = [*job.get("searchPath", ()), directory]


def _output(fd: int, errors: str) -> io.TextIOWrapper:
    raw = io.FileIO(fd, "w", closefd=False)
    return io.TextIOWrapper(raw, encoding="utf-8", errors=errors, write_through=True)


def _limit(job: dict[str, Any]) -> None:
    """Set the limits that the kernel keeps for each process; the service watches the tree as a whole."""
    limits = {resource.RLIMIT_CORE: 0}
    if job.get("cpuSeconds"):
        limits[resource.RLIMIT_CPU] = job["cpuSeconds"]
    if job.get("maxFileBytes"):
        limits[resource.RLIMIT_FSIZE] = job["maxFileBytes"]
    if job.get("maxAddressBytes"):
        limits[resource.RLIMIT_AS] = job["maxAddressBytes"]
    if job.get("maxOpenFiles"):
        limits[resource.RLIMIT_NOFILE] = job["maxOpenFiles"]
    for which, wanted in limits.items():
        hard = resource.getrlimit(which)[1]
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(which, (value, value))


def _write(path: str, content: bytes) -> None:
    folder = os.path.dirname(path)
    if folder:
        os.makedirs(folder, exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


def _reseed() -> None:
    """Give NumPy's global generator a seed of its own; the standard library's reseeds itself after a fork."""
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()


def _run(job: dict[str, Any], control: socket.socket) -> int:
    guard = importguard.ImportGuard(job.get("allowedImports"), job.get("blockedImports") or ())

    def progress(fraction: float, message: str = "") -> None:
        """Tell how far the script is: ``fraction`` from 0 to 1."""
        share = min(1.0, max(0.0, float(fraction)))
        protocol.send(control, {"event": "progress", "data": {"fraction": share, "message": str(message)}})

    outcome = script.run(job, guard, progress)
    encoded, name, truncated = _encode(outcome.value, job["maxResultBytes"])
    frame = {
        "result": encoded, "resultType": name, "truncated": truncated, "error": outcome.error,
        "exitCode": outcome.exit_code,
    }  # fmt: skip
    protocol.send(control, frame)
    return outcome.exit_code & 0xFF


def _encode(value: Any, limit: int) -> tuple[Any, str, bool]:
    # A repr of the script's own may raise anything, or never end: the timeout covers the latter.
    try:
        return encoding.encode(value, limit)
    except BaseException as error:
        return f"<unrepresentable {type(value).__name__}: {type(error).__name__}>", type(value).__name__, False
