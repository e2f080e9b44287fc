"""How the workers of a host speak to each other: small questions to all of them, over Unix sockets in one folder.

What is asked is news and gauges; nothing depends on an answer, as any worker may be busy or gone. The folder belongs
to the service's user alone (0700), so a peer is trusted to mean well, not to be quick or correct.
A message is 4 bytes of length, most significant first, and as many of JSON; one each way for a connection.
"""

from __future__ import annotations

import json
import logging
import os
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from lithium_script.model import Json

log = logging.getLogger(__name__)

Handler = Callable[[dict[str, Json]], Json]

MAX_MESSAGE_BYTES = 1 << 20
PATIENCE_S = 1.0
_HANDLERS = 8
_MAX_CONNECTIONS = 128
_LENGTH = struct.Struct("!I")


class PeerHub:
    """Asks and answers for one worker; thread-safe. Fill ``handlers`` before ``start``, and start after any fork."""

    def __init__(self, folder: Path, worker_id: str) -> None:
        self.handlers: dict[str, Handler] = {}
        self._folder = folder
        self._worker_id = worker_id
        self._name = f"{worker_id}.sock"
        self._folder_fd = -1
        self._listener: socket.socket | None = None
        self._closing = threading.Event()
        self._places = threading.Semaphore(_MAX_CONNECTIONS)
        self._threads = ThreadPoolExecutor(_HANDLERS, thread_name_prefix="peer")
        self._acceptor = threading.Thread(target=self._accept, name="peers", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder_fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._listener = socket.socket(socket.AF_UNIX)
        # Under its name only once it listens: a peer that is refused takes the worker for dead.
        unready = f"{self._name}.unready"
        with suppress(FileNotFoundError):
            os.unlink(unready, dir_fd=self._folder_fd)
        self._listener.bind(self._address(unready))
        self._listener.listen(_MAX_CONNECTIONS)
        os.rename(unready, self._name, src_dir_fd=self._folder_fd, dst_dir_fd=self._folder_fd)
        self._acceptor.start()

    def close(self) -> None:
        """Stop answering; what is being answered is brought to its end."""
        if self._listener is None or self._closing.is_set():
            return
        self._closing.set()
        self._unlink(self._name)
        # close() alone would leave the acceptor waiting; this has its accept() fail.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        self._threads.shutdown()

    def broadcast(self, method: str, params: dict[str, Json], timeout_s: float = 1.0) -> list[tuple[str, Json]]:
        """Ask every worker of this host, itself too; give ``(worker_id, answer)`` of those that answered in time.

        Never raises for what a worker does; raises ``ValueError`` for what is not JSON or too large.
        """
        deadline = time.monotonic() + timeout_s
        questions = self._ask_peers(_frame({"method": method, "params": params}))
        answers = []
        try:
            # The others work on theirs meanwhile.
            replies = [(self._worker_id, self._answer({"method": method, "params": params}))]
            replies += _gather(questions, deadline)
        finally:
            for question in questions:
                question.socket.close()
        for worker_id, reply in replies:
            if isinstance(reply, dict) and "answer" in reply:
                answers.append((worker_id, reply["answer"]))
            else:
                log.warning("worker %s could not answer %s: %.200r", worker_id, method, reply)
        return answers

    def _ask_peers(self, message: bytes) -> list[_Question]:
        if self._listener is None or self._closing.is_set():
            return []
        questions = []
        for name in sorted(os.listdir(self._folder_fd)):
            if not name.endswith(".sock") or name == self._name:
                continue
            peer = socket.socket(socket.AF_UNIX)
            peer.setblocking(False)
            try:
                peer.connect(self._address(name))
            except ConnectionRefusedError:
                peer.close()
                self._unlink(name)
            except OSError as error:
                peer.close()
                log.warning("worker %s cannot be asked: %s", name.removesuffix(".sock"), error)
            else:
                questions.append(_Question(name.removesuffix(".sock"), peer, message))
        return questions

    def _accept(self) -> None:
        assert self._listener is not None
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError as error:
                if not self._closing.wait(0.1):
                    log.warning("peers cannot be accepted: %s", error)
                continue
            if self._places.acquire(blocking=False):
                self._threads.submit(self._serve, connection)
            else:
                connection.close()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                reply = self._answer(_receive(connection, time.monotonic() + PATIENCE_S))
                connection.settimeout(PATIENCE_S)
                connection.sendall(_frame(reply))
        except (OSError, ValueError, RecursionError) as error:
            log.warning("a peer was not answered: %s", error)
        finally:
            self._places.release()

    def _answer(self, question: Json) -> dict[str, Json]:
        try:
            answer = {"answer": self.handlers[question["method"]](question["params"])}
            _frame(answer)
        except Exception as error:
            log.exception("a question of a peer could not be answered")
            return {"error": f"{type(error).__name__}: {error}"[:1000]}
        return answer

    def _address(self, name: str) -> str:
        # An address has room for 107 bytes (unix(7)), which a data folder may exceed.
        return f"/proc/self/fd/{self._folder_fd}/{name}"

    def _unlink(self, name: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._folder_fd)


class _Question:
    """One question on its way to a peer and back, without ever waiting."""

    def __init__(self, worker_id: str, peer: socket.socket, message: bytes) -> None:
        self.worker_id = worker_id
        self.socket = peer
        self._unsent = memoryview(message)
        self._received = bytearray()
        self.reply: Json = None

    @property
    def waits_for(self) -> int:
        """What ``advance`` needs the socket to be ready for."""
        return selectors.EVENT_WRITE if self._unsent else selectors.EVENT_READ

    def advance(self) -> bool:
        """Send or receive what is possible; tell whether the reply is there. Raise ``OSError``, ``ValueError``."""
        if self._unsent:
            self._unsent = self._unsent[self.socket.send(self._unsent) :]
            return False
        chunk = self.socket.recv(65536)
        self._received += chunk
        if len(self._received) >= _LENGTH.size:
            end = _LENGTH.size + _length(self._received)
            if len(self._received) >= end:
                self.reply = json.loads(self._received[_LENGTH.size : end])
                return True
        if not chunk:
            raise ConnectionError("it hung up")
        return False


def _gather(questions: list[_Question], deadline: float) -> list[tuple[str, Json]]:
    replies: list[tuple[str, Json]] = []
    with selectors.DefaultSelector() as selector:
        for question in questions:
            selector.register(question.socket, question.waits_for, question)
        while selector.get_map():
            # Past the deadline, what has arrived already still counts.
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                break
            for key, _ in ready:
                question = key.data
                try:
                    done = question.advance()
                except BlockingIOError:
                    continue
                except (OSError, ValueError, RecursionError) as error:
                    done, question.reply = True, {"error": str(error)}
                if done:
                    selector.unregister(question.socket)
                    replies.append((question.worker_id, question.reply))
                elif key.events != question.waits_for:
                    selector.modify(question.socket, question.waits_for, question)
        replies += [(key.data.worker_id, {"error": "no answer in time"}) for key in selector.get_map().values()]
    return replies


def _frame(message: Json) -> bytes:
    body = json.dumps(message, allow_nan=False).encode()
    if len(body) > MAX_MESSAGE_BYTES:
        raise ValueError(f"a message of {len(body)} bytes is too large")
    return _LENGTH.pack(len(body)) + body


def _length(received: bytes | bytearray) -> int:
    (length,) = _LENGTH.unpack_from(received)
    if length > MAX_MESSAGE_BYTES:
        raise ValueError(f"a message of {length} bytes is too large")
    return int(length)


def _receive(connection: socket.socket, deadline: float) -> Json:
    """Read a message; raise ``TimeoutError`` at the deadline however slowly it trickles in."""
    received = bytearray()
    missing = _LENGTH.size
    while len(received) < missing:
        connection.settimeout(max(0.001, deadline - time.monotonic()))
        chunk = connection.recv(missing - len(received))
        if not chunk:
            raise ConnectionError("it hung up")
        received += chunk
        if time.monotonic() > deadline:
            raise TimeoutError("it is too slow")
        if len(received) == _LENGTH.size:
            missing = _LENGTH.size + _length(received)
    return json.loads(received[_LENGTH.size :])
