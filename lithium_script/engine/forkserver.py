"""A worker's handle on one fork server: starts it, keeps children warm ahead of time, restarts it if it dies."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import threading
import time
from collections import deque
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lithium_script.engine.rundirectory import make_directory, remove
from lithium_script.engine.warmchild import WarmChild
from lithium_script.errors import ServiceUnavailable
from lithium_script.sandbox import protocol
from lithium_script.sandbox.forkserver import command

log = logging.getLogger(__name__)

START_TIMEOUT_S = 60.0
TAKE_TIMEOUT_S = 30.0
# One BLAS thread: more of them double the cost of a fork, and fight over the cores that other executions use.
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
}
# What the processor needs said, not what the service is configured with.
INHERITED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "NVPL_BLAS_DEBUG_CPU_TYPE", "TZ")


def script_environment() -> dict[str, str]:
    """Give the minimal environment of fork servers and scripts; the service's own never leaks in."""
    return ENVIRONMENT | {name: os.environ[name] for name in INHERITED if name in os.environ}


class ForkServer:
    """Keeps ``stock`` children warm; thread-safe. A thread of its own refills, off the way of requests."""

    def __init__(
        self,
        name: str,
        executable: str,
        preload: tuple[str, ...],
        confinement: dict[str, Any] | None,
        run_root: Path,
        stock: int,
    ) -> None:
        self.name = name
        self._executable = executable
        self._options = {"preload": list(preload), "confinement": confinement}
        self._run_root = run_root
        self._stock = stock
        self._warm: deque[WarmChild] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._failure = "starting"
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._thread = threading.Thread(target=self._refill, name=f"fork-server-{name}", daemon=True)

    @property
    def available(self) -> int:
        """How many children wait for work."""
        return len(self._warm)

    @property
    def failure(self) -> str:
        """Why no child can be had, empty while some can."""
        return self._failure

    @property
    def pid(self) -> int | None:
        """The process id of the fork server, None while there is none."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the server in the background; ``take`` waits for it."""
        self._thread.start()

    def take(self) -> WarmChild:
        """Take a warm child; raise ``ServiceUnavailable`` if none comes in time."""
        deadline = time.monotonic() + TAKE_TIMEOUT_S
        with self._changed:
            while not self._warm:
                left = deadline - time.monotonic()
                if self._closing or left <= 0:
                    raise ServiceUnavailable(f"the fork server '{self.name}' gives no child: {self._failure}")
                self._changed.wait(left)
            child = self._warm.popleft()
            self._changed.notify_all()
            return child

    def close(self) -> None:
        """End the server and all that hangs below it; returns when it is gone."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(timeout=START_TIMEOUT_S)
        self._stop()

    def _refill(self) -> None:
        delay_s = 0.05
        while not self._closing:
            try:
                self._launch()
                delay_s = 0.05
                self._keep_stocked()
            except (OSError, ValueError, protocol.ProtocolError) as error:
                if self._closing:
                    return
                self._failure = str(error) or type(error).__name__
                log.warning("fork server %s failed: %s; starting it again", self.name, self._failure)
                self._stop()
                with self._changed:
                    self._changed.wait(delay_s)
                delay_s = min(delay_s * 2, 5.0)

    def _launch(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                command(self._executable, theirs.fileno(), self._options),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=script_environment(),
                cwd="/",
                start_new_session=True,
            )
        ours.settimeout(START_TIMEOUT_S)
        self._control = ours
        if not ours.recv(4096):
            raise ConnectionError("the fork server ended while it started")

    def _keep_stocked(self) -> None:
        while True:
            with self._changed:
                while not self._closing and len(self._warm) >= self._stock:
                    # Nothing tells us that an idle server died but its socket; look now and then.
                    if not self._changed.wait(1.0) and self._process is not None and self._process.poll() is not None:
                        raise ConnectionError("the fork server ended")
                if self._closing:
                    return
            child = self._spawn()
            with self._changed:
                self._warm.append(child)
                self._failure = ""
                self._changed.notify_all()

    def _spawn(self) -> WarmChild:
        assert self._control is not None
        with ExitStack() as far, ExitStack() as near:
            home = make_directory(self._run_root)
            near.callback(remove, home)
            control, far_control = _sockets(near, far)
            status, far_status = _sockets(near, far)
            far_stdin, stdin = _pipe(far, near)
            stdout, far_stdout = _pipe(near, far)
            stderr, far_stderr = _pipe(near, far)
            theirs = [far_stdin, far_stdout, far_stderr, far_control.fileno(), far_status.fileno()]
            socket.send_fds(self._control, [json.dumps({"home": home}).encode()], theirs)
            message, fds, _, _ = socket.recv_fds(self._control, 4096, 1)
            for fd in fds:
                near.callback(os.close, fd)
            if not message or len(fds) != 1:
                raise ConnectionError("the fork server ended")
            # The keeper's first word: it is ready for signals.
            status.settimeout(START_TIMEOUT_S)
            if protocol.receive(status, 4096) is None:
                raise ConnectionError("the keeper ended while it started")
            for fd in (stdin, stdout, stderr):
                os.set_blocking(fd, False)
            child = WarmChild(home, json.loads(message)["pid"], fds[0], control, status, stdin, stdout, stderr)
            # From here on the child owns the near ends; until here the stack did.
            near.pop_all()
            return child

    def _stop(self) -> None:
        with self._changed:
            children = list(self._warm)
            self._warm.clear()
        for child in children:
            child.discard()
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


def _sockets(near: ExitStack, far: ExitStack) -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair()
    near.callback(ours.close)
    far.callback(theirs.close)
    return ours, theirs


def _pipe(reader: ExitStack, writer: ExitStack) -> tuple[int, int]:
    read, write = os.pipe2(os.O_CLOEXEC)
    reader.callback(os.close, read)
    writer.callback(os.close, write)
    return read, write
