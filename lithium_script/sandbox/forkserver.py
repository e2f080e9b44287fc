"""The fork server: a small single-threaded process that forks warm children on request.

It is started by exec, imports once what scripts commonly need, and then serves its socket: each request brings
the descriptors of one child, each answer its pid and a pidfd (pidfd_open(2)). It is the subreaper of all that it
forked, and kills what a keeper left behind. When its socket closes, because the worker ended in whatever way, it
kills everything below itself and exits.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from typing import Any

from lithium_script.sandbox import confinement, keeper, prctl, processtree, script

# Every page that these take is mapped anew by each fork: what few scripts import is dearer here than in those scripts.
PLAIN_MODULES = (
    "abc", "ast", "base64", "bisect", "cmath", "collections", "contextlib", "copy", "dataclasses", "datetime",
    "decimal", "enum", "fractions", "functools", "hashlib", "heapq", "io", "itertools", "json", "linecache", "math",
    "numbers", "operator", "pathlib", "random", "re", "signal", "statistics", "string", "struct", "subprocess",
    "textwrap", "threading", "time", "traceback", "types", "typing", "warnings", "weakref",
)  # fmt: skip
NUMPY_MODULES = ("numpy", "numpy.random", "numpy.linalg", "numpy.fft")
REQUEST_BYTES = 4096
DESCRIPTORS = 5
BOOTSTRAP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bootstrap.py")


def main(control_fd: int, options: dict[str, Any]) -> None:
    """Serve until the control socket closes; never returns."""
    control = socket.socket(fileno=control_fd)
    prctl.become_subreaper()
    limits = options["confinement"]
    if limits is not None:
        confinement.enter_server(limits)
    for name in [*PLAIN_MODULES, *options["preload"]]:
        importlib.import_module(name)
    # The worker's signals are not ours: it ends us by closing the socket.
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    script.note_own_modules()
    gc.collect()
    gc.freeze()
    try:
        # A broken pipe means what a closed socket means: the worker is gone.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            control.send(b'{"ready": true}')
            _serve(control, limits)
    finally:
        _end_everything()
        os._exit(0)


def _serve(control: socket.socket, limits: dict[str, Any] | None) -> None:
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda signum, frame: None)
    poller = select.poll()
    poller.register(control, select.POLLIN)
    poller.register(wake_read, select.POLLIN)
    keepers: set[int] = set()
    while True:
        ready = {fd for fd, _ in poller.poll()}
        if wake_read in ready:
            os.read(wake_read, 4096)
            _reap(keepers)
        if control.fileno() in ready:
            message, fds, _, _ = socket.recv_fds(control, REQUEST_BYTES, DESCRIPTORS)
            if not message:
                return
            keepers.add(_fork(control, json.loads(message)["home"], limits, fds))


def _fork(control: socket.socket, home: str, limits: dict[str, Any] | None, fds: list[int]) -> int:
    pid = confinement.fork_keeper(limits)
    if pid == 0:
        signal.set_wakeup_fd(-1)
        keeper.main(fds, home, limits)
    for fd in fds:
        os.close(fd)
    pidfd = os.pidfd_open(pid)
    socket.send_fds(control, [json.dumps({"pid": pid}).encode()], [pidfd])
    os.close(pidfd)
    return pid


def _reap(keepers: set[int]) -> None:
    """Collect what ended, and kill orphans: children of ours that are no keepers."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            break
        keepers.discard(pid)
    for pid in processtree.children(os.getpid()):
        if pid not in keepers:
            processtree.kill_descendants(pid)
            processtree.send(pid, signal.SIGKILL)


def _end_everything() -> None:
    while True:
        processtree.kill_descendants(os.getpid())
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def command(executable: str, control_fd: int, options: dict[str, Any]) -> list[str]:
    """Give the words that start a fork server with an interpreter.

    ``options`` are ``preload`` (names of modules) and ``confinement`` (None outside the sandbox).
    ``-I`` keeps the environment and the working directory out of what it imports.
    """
    return [executable, "-I", "-X", "utf8", BOOTSTRAP, str(control_fd), json.dumps(options)]


if __name__ == "__main__":
    sys.exit("started through bootstrap.py")
