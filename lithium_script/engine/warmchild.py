"""One warm child as its parent holds it: its pidfd and the near ends of its sockets and pipes."""

from __future__ import annotations

import os
import signal
import socket
from dataclasses import dataclass

from lithium_script.engine.rundirectory import remove


@dataclass(slots=True)
class WarmChild:
    """A script process that waits for its job in its own directory ``home``, and the keeper above it."""

    home: str
    keeper_pid: int
    keeper_pidfd: int
    control: socket.socket
    status: socket.socket
    stdin: int
    stdout: int
    stderr: int

    def signal(self, signum: int) -> None:
        """Signal the keeper: SIGINT interrupts the script, SIGTERM kills its tree."""
        # SIGKILL is the last resort: the fork server then finds the orphans, and kills them.
        try:
            signal.pidfd_send_signal(self.keeper_pidfd, signum)
        except ProcessLookupError:
            return

    def close_stdin(self) -> None:
        """Give the script its end of file."""
        if self.stdin >= 0:
            os.close(self.stdin)
            self.stdin = -1

    def discard(self) -> None:
        """Let go of every descriptor and remove the directory; a child that still waits for a job ends by that."""
        self.control.close()
        self.status.close()
        self.close_stdin()
        for fd in (self.stdout, self.stderr, self.keeper_pidfd):
            os.close(fd)
        remove(self.home)
