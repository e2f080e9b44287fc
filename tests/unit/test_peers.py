"""Workers reach each other, and neither the dead nor the odd keep them from it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lithium_script.model import Json
from lithium_script.peers import MAX_MESSAGE_BYTES, PeerHub

Make = Callable[[str], PeerHub]

WORKER = """
import sys
from pathlib import Path
from lithium_script.peers import PeerHub
hub = PeerHub(Path(sys.argv[1]), sys.argv[2])
hub.handlers["name"] = lambda params: [sys.argv[2], params]
hub.start()
print("ready", flush=True)
sys.stdin.read()
hub.close()
"""


def _fail(params: dict[str, Json]) -> Json:
    raise RuntimeError("no")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose path is longer than a socket address may be."""
    return tmp_path / ("x" * 120) / "peers"


@pytest.fixture
def make(folder: Path) -> Iterator[Make]:
    """A maker of started hubs, which say their names when asked."""
    made: list[PeerHub] = []

    def start(name: str) -> PeerHub:
        hub = PeerHub(folder, name)
        hub.handlers["name"] = lambda params: [name, params]
        hub.handlers["mirror"] = lambda params: params
        made.append(hub)
        hub.start()
        return hub

    yield start
    for hub in made:
        hub.close()


def _process(folder: Path, name: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(folder), name], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    return process


def _connect(folder: Path, name: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(5)
    descriptor = os.open(folder, os.O_RDONLY)
    connection.connect(f"/proc/self/fd/{descriptor}/{name}.sock")
    os.close(descriptor)
    return connection


def test_every_worker_answers_the_asking_one_too(make: Make, folder: Path) -> None:
    hub = make("a")
    processes = [_process(folder, name) for name in ("b", "c")]
    answers = hub.broadcast("name", {"n": 1})
    for process in processes:
        process.communicate(timeout=10)
    assert sorted(answers) == [("a", ["a", {"n": 1}]), ("b", ["b", {"n": 1}]), ("c", ["c", {"n": 1}])]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sorted(os.listdir(folder)) == ["a.sock"]


def test_the_socket_of_a_killed_worker_is_removed(make: Make, folder: Path) -> None:
    hub, process = make("a"), _process(folder, "b")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert "b.sock" in os.listdir(folder)
    assert [name for name, _ in hub.broadcast("name", {})] == ["a"]
    assert os.listdir(folder) == ["a.sock"]


def test_a_worker_that_stands_still_costs_no_more_than_the_timeout(make: Make, folder: Path) -> None:
    hub, process = make("a"), _process(folder, "b")
    make("c")
    os.kill(process.pid, signal.SIGSTOP)
    began = time.monotonic()
    answers = hub.broadcast("name", {}, timeout_s=0.3)
    took = time.monotonic() - began
    os.kill(process.pid, signal.SIGCONT)
    process.communicate(timeout=10)
    assert sorted(name for name, _ in answers) == ["a", "c"] and 0.25 < took < 2


def test_a_handler_that_fails_or_is_missing_is_skipped(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    hub, other = make("a"), make("b")
    other.handlers["name"] = _fail
    del make("c").handlers["name"]
    assert hub.broadcast("name", {}) == [("a", ["a", {}])]
    assert "RuntimeError: no" in caplog.text


def test_an_answer_that_cannot_be_sent_is_an_error_of_its_worker_only(make: Make) -> None:
    hub, other = make("a"), make("b")
    for answer in (object(), float("nan"), "x" * MAX_MESSAGE_BYTES):
        other.handlers["name"] = lambda params, answer=answer: answer
        assert [name for name, _ in hub.broadcast("name", {})] == ["a"]


def test_large_messages_arrive_whole_and_too_large_ones_are_refused(make: Make) -> None:
    hub = make("a")
    make("b")
    text = "ä" * (MAX_MESSAGE_BYTES // 7)
    assert hub.broadcast("mirror", {"text": text}, timeout_s=10) == [("a", {"text": text}), ("b", {"text": text})]
    with pytest.raises(ValueError, match="too large"):
        hub.broadcast("mirror", {"text": "x" * MAX_MESSAGE_BYTES})


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\0",
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack("!I", MAX_MESSAGE_BYTES + 1),
        struct.pack("!I", 5) + b"\xff\xfe{]x",
        struct.pack("!I", 2) + b"[]",
        struct.pack("!I", 0),
        struct.pack("!I", 14) + b'{"method": []}',
        struct.pack("!I", 200_000) + b"[" * 200_000,
    ],
)
def test_garbage_is_survived(make: Make, folder: Path, garbage: bytes) -> None:
    hub = make("a")
    make("b")
    with _connect(folder, "b") as connection:
        connection.sendall(garbage)
        connection.shutdown(socket.SHUT_WR)
        try:
            while connection.recv(4096):
                pass
        except ConnectionResetError:
            pass
    assert len(hub.broadcast("name", {})) == 2


def test_those_that_connect_and_say_nothing_do_not_keep_others_from_being_answered(make: Make, folder: Path) -> None:
    hub = make("a")
    make("b")
    silent = [_connect(folder, "b") for _ in range(20)]
    answers = hub.broadcast("name", {}, timeout_s=10)
    for connection in silent:
        connection.close()
    assert len(answers) == 2


@pytest.mark.parametrize("reply", [b"", b"\0\0", b"\xff" * 9, b"\0\0\0\1}", b"\0\0\0\1" * 9, b"\0\0\0\2[]"])
def test_a_peer_that_replies_nonsense_is_skipped(make: Make, folder: Path, reply: bytes) -> None:
    hub = make("a")
    odd = socket.socket(socket.AF_UNIX)
    descriptor = os.open(folder, os.O_RDONLY)
    odd.bind(f"/proc/self/fd/{descriptor}/odd.sock")
    odd.listen()

    def answer() -> None:
        connection, _ = odd.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(reply)

    thread = threading.Thread(target=answer)
    thread.start()
    assert hub.broadcast("name", {}, timeout_s=5) == [("a", ["a", {}])]
    thread.join()
    odd.close()
    os.close(descriptor)


def test_all_work_on_their_answers_at_the_same_time(make: Make) -> None:
    hubs = [make(name) for name in "abcd"]
    together = threading.Barrier(len(hubs), timeout=5)
    for hub in hubs:
        hub.handlers["name"] = lambda params: together.wait() >= 0
    assert len(hubs[0].broadcast("name", {}, timeout_s=10)) == 4


def test_an_answer_that_trickles_in_is_given_up_at_the_deadline(make: Make, folder: Path) -> None:
    hub = make("a")
    odd = socket.socket(socket.AF_UNIX)
    descriptor = os.open(folder, os.O_RDONLY)
    odd.bind(f"/proc/self/fd/{descriptor}/odd.sock")
    odd.listen()

    def trickle() -> None:
        connection, _ = odd.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(struct.pack("!I", 1 << 20))
            while True:
                connection.send(b" ")

    thread = threading.Thread(target=trickle)
    thread.start()
    began = time.monotonic()
    assert len(hub.broadcast("name", {}, timeout_s=0.2)) == 1 and time.monotonic() - began < 1
    thread.join()
    odd.close()
    os.close(descriptor)


def test_many_may_ask_at_once(make: Make) -> None:
    hubs = [make(name) for name in "abcd"]
    counts: list[int] = []
    threads = [
        threading.Thread(target=lambda hub=hub: counts.extend(len(hub.broadcast("name", {}, 10)) for _ in range(20)))
        for hub in hubs * 4
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [4] * 320


def test_one_that_is_not_started_or_is_closed_answers_itself_only(make: Make, folder: Path) -> None:
    make("a")
    hub = PeerHub(folder, "b")
    hub.handlers["name"] = lambda params: "b"
    assert hub.broadcast("name", {}) == [("b", "b")]
    hub.start()
    assert len(hub.broadcast("name", {})) == 2
    hub.close()
    hub.close()
    assert hub.broadcast("name", {}) == [("b", "b")] and os.listdir(folder) == ["a.sock"]


def test_a_closed_hub_leaves_no_thread_and_no_descriptor(folder: Path) -> None:
    def state() -> tuple[int, int]:
        return threading.active_count(), len(os.listdir("/proc/self/fd"))

    before = state()
    for _ in range(3):
        hub = PeerHub(folder, "a")
        hub.handlers["name"] = lambda params: 1
        hub.start()
        hub.broadcast("name", {})
        _connect(folder, "a").close()
        hub.close()
    assert state() == before
