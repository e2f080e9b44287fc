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
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from lithium_script.model import Json

log = logging.getLogger(__name__)

Handler = Callable[[dict[str, Json]], Json]

MAX_MESSAGE_BYTES = 1 << 20
PATIENCE_S = 1.0
_LAST_LOOK_S = 0.05
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
        self._listener: socket.socket | None = None
        self._closing = threading.Event()
        self._places = threading.Semaphore(_MAX_CONNECTIONS)
        self._threads = ThreadPoolExecutor(_HANDLERS, thread_name_prefix="peer")
        self._acceptor = threading.Thread(target=self._accept, name="peers", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        # Under its name only once it listens: a peer that is refused takes the worker for dead.
        unready = self._folder / f"{self._name}.unready"
        unready.unlink(missing_ok=True)
        with _short(self._folder) as folder:
            self._listener.bind(f"{folder}/{unready.name}")
        self._listener.listen(_MAX_CONNECTIONS)
        unready.rename(self._folder / self._name)
        self._acceptor.start()

    def close(self) -> None:
        """Stop answering; what is being answered is brought to its end."""
        if self._listener is None or self._closing.is_set():
            return
        self._closing.set()
        (self._folder / self._name).unlink(missing_ok=True)
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
        question: Json = {"method": method, "params": params}
        questions = self._ask_peers(_frame(question))
        try:
            # The others work on theirs meanwhile.
            replies = [(self._worker_id, self._answer(question))]
            replies += _gather(questions, deadline)
        finally:
            for asked in questions:
                asked.socket.close()
        answers = []
        for worker_id, reply in replies:
            if isinstance(reply, dict) and "answer" in reply:
                answers.append((worker_id, reply["answer"]))
            else:
                log.warning("worker %s could not answer %s: %.200s", worker_id, method, reply)
        return answers

    def _ask_peers(self, message: bytes) -> list[_Question]:
        if self._listener is None or self._closing.is_set():
            return []
        questions = []
        try:
            with _short(self._folder) as folder:
                for path in sorted(self._folder.glob("*.sock")):
                    peer = None if path.name == self._name else _connect(f"{folder}/{path.name}", path)
                    if peer is not None:
                        questions.append(_Question(path.stem, peer, message))
                        # What fails now fails again when its answer is gathered.
                        with suppress(OSError):
                            questions[-1].advance()
        except OSError as error:
            log.warning("peers cannot be asked: %s", error)
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


@contextmanager
def _short(folder: Path) -> Iterator[str]:
    """Give a short name of a folder, as an address has room for 107 bytes (unix(7))."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _connect(address: str, path: Path) -> socket.socket | None:
    """Connect without waiting; the socket of a dead worker is removed."""
    peer = socket.socket(socket.AF_UNIX)
    peer.setblocking(False)
    try:
        peer.connect(address)
        return peer
    except (ConnectionRefusedError, FileNotFoundError):
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("worker %s cannot be asked: %s", path.stem, error)
    peer.close()
    return None


@dataclass(slots=True, eq=False)
class _Question:
    """One question on its way to a peer and back, without ever waiting."""

    worker_id: str
    socket: socket.socket
    unsent: bytes
    received: bytearray = field(default_factory=bytearray)
    reply: Json = None

    @property
    def waits_for(self) -> int:
        """What ``advance`` needs the socket to be ready for."""
        return selectors.EVENT_WRITE if self.unsent else selectors.EVENT_READ

    def advance(self) -> bool:
        """Send or receive what is possible; tell whether the reply is there. Raise ``OSError``, ``ValueError``."""
        if self.unsent:
            self.unsent = self.unsent[self.socket.send(self.unsent) :]
            return False
        self.received += _some(self.socket)
        body = _body(self.received)
        if body is not None:
            self.reply = json.loads(body)
        return body is not None


def _gather(questions: list[_Question], deadline: float) -> list[tuple[str, Json]]:
    replies: list[tuple[str, Json]] = []
    with selectors.PollSelector() as selector:
        for question in questions:
            selector.register(question.socket, question.waits_for, question)
        # At the deadline, what has arrived while this worker made its own answer still counts.
        deadline = max(deadline, time.monotonic() + _LAST_LOOK_S)
        while selector.get_map() and (left := deadline - time.monotonic()) > 0:
            for key, _ in selector.select(left):
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
        late = [(key.data.worker_id, {"error": "no answer in time"}) for key in selector.get_map().values()]
    return replies + late


def _frame(message: Json) -> bytes:
    body = json.dumps(message, allow_nan=False).encode()
    if len(body) > MAX_MESSAGE_BYTES:
        raise ValueError(f"a message of {len(body)} bytes is too large")
    return _LENGTH.pack(len(body)) + body


def _some(connection: socket.socket) -> bytes:
    chunk = connection.recv(65536)
    if not chunk:
        raise ConnectionError("it hung up")
    return chunk


def _body(received: bytearray) -> bytes | None:
    """Give the body of a message once all of it is there; raise ``ValueError`` for one that is too large."""
    if len(received) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack_from(received)
    if length > MAX_MESSAGE_BYTES:
        raise ValueError(f"a message of {length} bytes is too large")
    end = _LENGTH.size + length
    return bytes(received[_LENGTH.size : end]) if len(received) >= end else None


def _receive(connection: socket.socket, deadline: float) -> Json:
    """Read a message; raise ``TimeoutError`` at the deadline however slowly it trickles in."""
    received = bytearray()
    while (body := _body(received)) is None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("it is too slow")
        connection.settimeout(left)
        received += _some(connection)
    return json.loads(body)
