"""Drives one execution from its job to its end: feeds stdin, drains the pipes, keeps the limits, hears the keeper.

One thread, the caller's, runs the loop: a poll over the control and status sockets, the three pipes and a wake-up
for cancellation. Between events it samples the process tree, so that memory, CPU time and process count are kept
for the tree as a whole. Whatever ends the script, all that it had printed by then is there.
"""

from __future__ import annotations

import os
import select
import signal
import time
from dataclasses import dataclass, field
from typing import Any

from lithium_script.engine.streams import OutputStream
from lithium_script.engine.warmchild import WarmChild
from lithium_script.engine.watcher import TreeWatcher
from lithium_script.model import Cancellation, Event, EventSink, Limits
from lithium_script.sandbox import protocol

CHUNK = 1 << 16
GRACE_S = 2.0
KILL_WAIT_S = 5.0
DRAIN_S = 1.0
# Room in a result frame for everything but the result: error, traceback, escapes.
FRAME_OVERHEAD = 4 << 20


@dataclass(slots=True)
class Ending:
    """How an execution ended, before anyone has put it into words."""

    cause: str | None = None
    """The limit or request that ended it: an ``error.code``; None where it ended by itself."""
    status: int | None = None
    """The script's wait status (wait(2)); None where its keeper did not live to tell."""
    frame: dict[str, Any] | None = None
    broken: str = ""
    stdout: str = ""
    stderr: str = ""
    truncated: list[str] = field(default_factory=list)
    elapsed_ms: float = 0.0
    cpu_ms: float = 0.0
    memory_bytes: int = 0


class Execution:
    """One run of one job in one warm child; used once, by one thread."""

    def __init__(
        self,
        execution_id: str,
        child: WarmChild,
        limits: Limits,
        *,
        sink: EventSink | None,
        cancellation: Cancellation,
        keep_output: bool = True,
    ) -> None:
        self._id = execution_id
        self._child = child
        self._limits = limits
        self._sink = sink
        self._cancellation = cancellation
        self._keep_output = keep_output
        self._frames = protocol.FrameReader(2 * limits.max_result_bytes + FRAME_OVERHEAD)
        self._streams = {
            "stdout": OutputStream(limits.max_output_bytes),
            "stderr": OutputStream(limits.max_output_bytes),
        }
        self._ending = Ending()
        self._seq = 0
        self._poller = select.poll()
        self._handlers: dict[int, Any] = {}
        self._ended = False
        self._kill_at: float | None = None
        self._hard_kill_at: float | None = None

    def run(self, job: dict[str, Any], stdin: bytes) -> Ending:
        """Send the job and stay with it to the end; the child is used up afterwards."""
        wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        started = time.monotonic()
        try:
            self._watch(wake_read, lambda: self._cancelled(wake_read))
            with self._cancellation.calling(lambda level: _poke(wake_write)):
                self._attach(protocol.pack(job), stdin)
                self._loop(started)
                self._drain()
        finally:
            os.close(wake_read)
            os.close(wake_write)
        self._ending.elapsed_ms = (time.monotonic() - started) * 1000
        for name, stream in self._streams.items():
            self._emit_text(name, stream.finish())
            if stream.truncated:
                self._ending.truncated.append(name)
        self._ending.stdout = self._streams["stdout"].text()
        self._ending.stderr = self._streams["stderr"].text()
        return self._ending

    def _watch(self, fd: int, handler: Any, events: int = select.POLLIN) -> None:
        self._handlers[fd] = handler
        self._poller.register(fd, events)

    def _unwatch(self, fd: int) -> None:
        if self._handlers.pop(fd, None) is not None:
            self._poller.unregister(fd)

    def _attach(self, frame: bytes, stdin: bytes) -> None:
        child = self._child
        child.control.setblocking(False)
        child.status.setblocking(False)
        self._job = memoryview(frame)
        self._send_job()
        events = select.POLLIN | (select.POLLOUT if self._job else 0)
        self._watch(child.control.fileno(), self._on_control, events)
        self._watch(child.status.fileno(), self._on_status)
        self._watch(child.stdout, lambda: self._on_output("stdout", child.stdout))
        self._watch(child.stderr, lambda: self._on_output("stderr", child.stderr))
        self._stdin = memoryview(stdin)
        if stdin:
            self._watch(child.stdin, self._feed_stdin, select.POLLOUT)
        else:
            child.close_stdin()

    def _loop(self, started: float) -> None:
        deadline = started + self._limits.timeout_ms / 1000
        watcher = TreeWatcher(self._child.keeper_pid, self._limits)
        while not self._ended:
            now = time.monotonic()
            if now >= deadline and self._ending.cause is None:
                self._end("timeout")
            if self._kill_at is not None and now >= self._kill_at:
                self._kill_at = None
                self._terminate()
            if self._hard_kill_at is not None and now >= self._hard_kill_at:
                self._child.signal(signal.SIGKILL)
                return
            if now >= watcher.due_at:
                exceeded = watcher.sample()
                self._ending.memory_bytes = watcher.peak_bytes
                if exceeded is not None and self._ending.cause is None:
                    self._end(exceeded)
            due = deadline if self._ending.cause is None else None
            times = [watcher.due_at, due, self._kill_at, self._hard_kill_at]
            wake_at = min(at for at in times if at is not None)
            # Rounded up: a poll that returns just before its time would spin.
            for fd, _ in self._poller.poll(max(0.0, wake_at - time.monotonic()) * 1000 + 1):
                handler = self._handlers.get(fd)
                if handler is not None:
                    handler()

    def _drain(self) -> None:
        """Read what is left in the pipes; everyone who could write to them is dead, or will be within a moment."""
        for fd in list(self._handlers):
            if fd not in (self._child.stdout, self._child.stderr, self._child.control.fileno()):
                self._unwatch(fd)
        deadline = time.monotonic() + DRAIN_S
        while self._handlers and time.monotonic() < deadline:
            for fd, _ in self._poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
                handler = self._handlers.get(fd)
                if handler is not None:
                    handler()

    def _send_job(self) -> None:
        try:
            while self._job:
                self._job = self._job[self._child.control.send(self._job) :]
        except BlockingIOError:
            return
        except OSError:
            self._job = memoryview(b"")

    def _on_control(self) -> None:
        if self._job:
            self._send_job()
            if not self._job:
                self._poller.modify(self._child.control, select.POLLIN)
        try:
            data = self._child.control.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._unwatch(self._child.control.fileno())
            return
        try:
            for frame in self._frames.feed(data):
                self._on_frame(frame)
        except protocol.ProtocolError as error:
            self._ending.broken = str(error)
            self._ending.frame = None
            self._unwatch(self._child.control.fileno())
            self._terminate()

    def _on_frame(self, frame: dict[str, Any]) -> None:
        if "event" in frame:
            data = frame.get("data")
            if frame["event"] in ("progress", "display") and isinstance(data, dict):
                self._emit(frame["event"], data)
        elif self._ending.frame is None:
            self._ending.frame = frame

    def _on_status(self) -> None:
        try:
            report = protocol.receive(self._child.status, 4096)
        except (BlockingIOError, protocol.ProtocolError, OSError):
            report = None
        if report is not None:
            self._ending.status = report["status"]
            self._ending.cpu_ms = report["cpuTime"]
            self._ending.memory_bytes = max(self._ending.memory_bytes, report["maxRss"])
        self._ended = True

    def _on_output(self, name: str, fd: int) -> None:
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._unwatch(fd)
            return
        if not self._keep_output:
            return
        stream = self._streams[name]
        self._emit_text(name, stream.feed(data))
        if stream.flooded:
            self._end("output_limit")

    def _feed_stdin(self) -> None:
        try:
            self._stdin = self._stdin[os.write(self._child.stdin, self._stdin[:CHUNK]) :]
        except BlockingIOError:
            return
        except OSError:
            self._stdin = memoryview(b"")
        if not self._stdin:
            self._unwatch(self._child.stdin)
            self._child.close_stdin()

    def _cancelled(self, wake_read: int) -> None:
        os.read(wake_read, CHUNK)
        if self._cancellation.level == "kill":
            self._end("killed")
        elif self._ending.cause is None:
            self._ending.cause = "cancelled"
            self._child.signal(signal.SIGINT)
            self._kill_at = time.monotonic() + GRACE_S

    def _end(self, cause: str) -> None:
        """Kill the tree; the first cause is the one that is told, but a kill overrides the cancel before it."""
        if self._ending.cause is None:
            self._ending.cause = cause
        self._terminate()

    def _terminate(self) -> None:
        if self._hard_kill_at is None:
            self._hard_kill_at = time.monotonic() + KILL_WAIT_S
            self._kill_at = None
            self._child.signal(signal.SIGTERM)

    def _emit_text(self, stream: str, text: str) -> None:
        if text:
            self._emit(stream, {"text": text})

    def _emit(self, kind: str, data: dict[str, Any]) -> None:
        if self._sink is not None:
            self._seq += 1
            self._sink(Event(kind, data, self._seq, self._id))


def _poke(fd: int) -> None:
    try:
        os.write(fd, b"!")
    except BlockingIOError:
        return
