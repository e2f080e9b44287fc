"""The keeper: parent, reaper and executioner of one script, and the only witness of how it ended.

fork server -> keeper -> script. The keeper is a subreaper, so whatever the script starts hangs below it. SIGINT
asks it to interrupt the script as Ctrl-C would, SIGTERM to kill the whole tree. When the script has ended, by
itself or not, the keeper kills what is left, reports exit status and resource usage, and exits.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
from typing import Any

from lithium_script.sandbox import child, confinement, prctl, processtree, protocol

CONTROL_FD = 3
STATUS_FD = 4


def main(fds: list[int], home: str, limits: dict[str, Any] | None) -> None:
    """Become the keeper of one script; never returns."""
    _place(fds)
    os.setsid()
    prctl.become_subreaper()
    prctl.die_with_parent(signal.SIGTERM)
    if limits is not None:
        confinement.enter_keeper(limits, home)
    keeper = os.getpid()
    script = os.fork()
    if script == 0:
        os.close(STATUS_FD)
        os.setsid()
        prctl.die_with_parent(signal.SIGKILL)
        # Between fork and prctl the keeper may have died.
        if os.getppid() != keeper:
            os._exit(1)
        if limits is not None:
            confinement.enter_script(limits, home)
        child.main(CONTROL_FD)
    try:
        _keep(script)
    finally:
        os._exit(0)


def _place(fds: list[int]) -> None:
    """Move stdin, stdout, stderr, control and status to 0..4 and close everything else."""
    # Out of the way first: a source may sit where a target belongs.
    high = [os.dup2(fd, 100 + index, inheritable=False) for index, fd in enumerate(fds)]
    for target, fd in enumerate(high):
        os.dup2(fd, target, inheritable=target < CONTROL_FD)
    os.closerange(STATUS_FD + 1, os.sysconf("SC_OPEN_MAX"))


def _keep(script: int) -> None:
    status_socket = socket.socket(fileno=STATUS_FD)
    # The script's ends of the pipes must close with the script.
    os.closerange(0, STATUS_FD)
    signal.signal(signal.SIGINT, lambda signum, frame: _interrupt(script))
    signal.signal(signal.SIGTERM, lambda signum, frame: _kill_all())
    protocol.send(status_socket, {"pid": script})
    status, max_rss = _wait_for(script)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_rest()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    report = {"status": status, "cpuTime": (used.ru_utime + used.ru_stime) * 1000, "maxRss": max_rss * 1024}
    protocol.send(status_socket, report)


def _wait_for(script: int) -> tuple[int, int]:
    while True:
        pid, status, used = os.wait4(-1, 0)
        if pid == script:
            return status, used.ru_maxrss


def _end_rest() -> None:
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                _kill_all()
                os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _kill_all() -> None:
    if os.getpid() == 1:
        # The first process of a PID namespace: kill(2) reaches all others in it, and only those.
        try:
            os.kill(-1, signal.SIGKILL)
        except ProcessLookupError:
            return
    else:
        processtree.kill_descendants(os.getpid())


def _interrupt(script: int) -> None:
    try:
        os.killpg(script, signal.SIGINT)
    except ProcessLookupError:
        return
