"""Threads inside one process never see each other's output (cpython#130148)."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

import pytest

from lithium_script.python import streams


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Install inside the test: pytest puts streams of its own in place between fixture and test."""

    def install() -> None:
        for name in ("stdin", "stdout", "stderr"):
            monkeypatch.setattr(sys, name, getattr(sys, name))
        streams.install()

    return install


def test_thirty_two_threads_keep_their_output_apart(install: Callable[[], None]) -> None:
    install()
    barrier = threading.Barrier(32)
    texts: dict[int, str] = {}

    def work(number: int) -> None:
        with streams.Capture("", 1 << 20) as capture:
            barrier.wait()
            for _ in range(200):
                print(number)
        texts[number] = capture.stdout.text()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == {number: f"{number}\n" * 200 for number in range(32)}


def test_output_is_cut_at_the_limit_on_a_whole_character(install: Callable[[], None]) -> None:
    install()
    with streams.Capture("", 5) as capture:
        print("ééé")
    assert capture.stdout.text() == "éé"
    assert capture.stdout.truncated


def test_input_reads_the_thread_s_own_stdin(install: Callable[[], None]) -> None:
    install()
    with streams.Capture("first\nsecond\n", 100) as capture:
        lines = [sys.stdin.readline(), *list(sys.stdin)]
    assert lines == ["first\n", "second\n"]
    assert capture.stdout.text() == ""
