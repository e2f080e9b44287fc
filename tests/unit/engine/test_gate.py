"""The gate: fair, bounded, and left at once by who is cancelled."""

from __future__ import annotations

import threading

import pytest

from lithium_script.engine.gate import Gate
from lithium_script.errors import ResourceExhausted
from lithium_script.model import Cancellation


def _wait_until(condition, what: str) -> None:
    for _ in range(500):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError(what)


def test_places_are_given_in_order_of_arrival() -> None:
    gate = Gate(1, 10, 10)
    order: list[int] = []

    def enter(number: int) -> None:
        with gate.place(Cancellation()) as entered:
            assert entered
            order.append(number)

    with gate.place(Cancellation()):
        threads = []
        for number in range(5):
            threads.append(threading.Thread(target=enter, args=(number,)))
            threads[-1].start()
            _wait_until(lambda n=number: gate.waiting == n + 1, "the thread did not line up")
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]
    assert (gate.busy, gate.waiting) == (0, 0)


def test_full_queue_refuses_at_once_and_says_so() -> None:
    gate = Gate(1, 0, 0)
    with gate.place(Cancellation()):
        with pytest.raises(ResourceExhausted) as caught, gate.place(Cancellation()):
            pass
        assert caught.value.details == {"running": 1, "queued": 0}
    with gate.place(Cancellation()) as entered:
        assert entered


def test_cancelled_waiter_leaves_and_takes_no_place() -> None:
    gate = Gate(1, 10, 10)
    cancellation = Cancellation()
    seen: list[bool] = []

    def enter() -> None:
        with gate.place(cancellation) as entered:
            seen.append(entered)

    with gate.place(Cancellation()):
        thread = threading.Thread(target=enter)
        thread.start()
        _wait_until(lambda: gate.waiting == 1, "the thread did not line up")
        cancellation.request()
        thread.join(5)
        assert seen == [False]
        assert gate.busy == 1
    assert gate.busy == 0


def test_who_comes_after_the_patient_ones_waits_for_a_moment_only() -> None:
    gate = Gate(1, 10, 0)
    with gate.place(Cancellation()):
        with pytest.raises(ResourceExhausted), gate.place(Cancellation()):
            pass
        assert gate.waiting == 0
    with gate.place(Cancellation()) as entered:
        assert entered
