"""The life of tasks as rows."""

from __future__ import annotations

import itertools
import re
import time
from typing import Any

import pytest

from lithium_script.errors import InvalidArguments, TaskNotFound
from lithium_script.store.database import Database
from lithium_script.store.tasks import TaskStore
from tests.unit.store.processes import run_at_once

DONE = {"success": True, "result": [1, None, "\x00\ud800é"]}
NO_TASK = "0" * 32


def _create(tasks: TaskStore, name: str = "task", kind: str = "python.execute") -> str:
    return str(tasks.create(kind, name, {"code": "1"}, "alice")["taskId"])


def _claim(tasks: TaskStore, worker: str = "w1") -> dict[str, Any]:
    row = tasks.claim(worker)
    assert row is not None
    return row


def test_eight_processes_claim_200_tasks_each_once(database: Database, url: str) -> None:
    tasks = TaskStore(database)
    created = [_create(tasks) for _ in range(200)]
    claimed = run_at_once(8, "claim", url)
    assert sorted(itertools.chain(*claimed)) == sorted(created)
    assert sum(1 for ids in claimed if ids) > 1
    assert tasks.counts() == {"queued": 0, "running": 0}


def test_a_task_goes_from_queued_to_running_to_its_outcome(tasks: TaskStore) -> None:
    created = tasks.create("python.execute", "odd \x00 \ud800", {"code": "\x00"}, "alice", "e1")
    assert created["status"] == "queued" and created["startedAt"] is created["outcome"] is created["progress"] is None
    row = _claim(tasks)
    assert row == {
        "taskId": created["taskId"],
        "kind": "python.execute",
        "name": "odd \x00 \ud800",
        "payload": {"code": "\x00"},
        "owner": "alice",
        "executionId": "e1",
    }
    assert tasks.set_progress(row["taskId"], 0.5, "half") and tasks.finish(row["taskId"], "succeeded", DONE)
    task = tasks.get(row["taskId"])
    assert (task["status"], task["progress"], task["message"], task["outcome"]) == ("succeeded", 0.5, "half", DONE)
    for name in ("createdAt", "startedAt", "finishedAt"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", task[name])
    assert task["createdAt"] <= task["startedAt"] <= task["finishedAt"]
    assert tasks.owner(row["taskId"]) == "alice"


def test_the_oldest_is_claimed_first_and_none_when_none_waits(tasks: TaskStore) -> None:
    created = [_create(tasks) for _ in range(3)]
    assert [_claim(tasks)["taskId"] for _ in created] == created
    assert tasks.claim("w1") is None and tasks.counts() == {"queued": 0, "running": 3}


def test_what_has_ended_stays_as_it_ended(tasks: TaskStore) -> None:
    task_id = _create(tasks)
    _claim(tasks)
    assert tasks.finish(task_id, "failed", {"success": False}, "first")
    assert not tasks.finish(task_id, "succeeded", DONE) and not tasks.set_progress(task_id, 1.0, "late")
    assert tasks.request_cancel(task_id)["status"] == "failed" and tasks.release_lost(["w1"]) == 0
    assert tasks.get(task_id)["message"] == "first"


def test_cancelling_ends_a_queued_task_at_once_and_flags_a_running_one(tasks: TaskStore) -> None:
    running, queued = _create(tasks), _create(tasks)
    _claim(tasks)
    ended = tasks.request_cancel(queued)
    assert ended["status"] == "cancelled" and ended["outcome"]["error"]["code"] == "cancelled" and ended["finishedAt"]
    assert tasks.claim("w2") is None and tasks.cancel_requests("w1") == {}
    assert tasks.request_cancel(running)["status"] == "running"
    assert tasks.cancel_requests("w1") == {running: "cancel"} and tasks.cancel_requests("w2") == {}
    tasks.request_cancel(running, "kill")
    tasks.request_cancel(running, "cancel")
    assert tasks.cancel_requests("w1") == {running: "kill"}


def test_output_comes_back_from_any_offset_with_its_streams_apart(tasks: TaskStore) -> None:
    task_id = _create(tasks)
    assert tasks.output(task_id, 0) == {"events": [], "stdout": "", "stderr": "", "nextOffset": 0, "finished": False}
    tasks.append_output(task_id, [(1, "stdout", "a\x00"), (2, "stderr", "b")])
    tasks.append_output(task_id, [])
    first = tasks.output(task_id, 0)
    tasks.append_output(task_id, [(3, "stdout", "c")])
    tasks.finish(task_id, "succeeded", DONE)
    assert (first["stdout"], first["stderr"], first["nextOffset"], first["finished"]) == ("a\x00", "b", 3, False)
    rest = tasks.output(task_id, first["nextOffset"])
    assert rest["events"] == [{"seq": 3, "stream": "stdout", "text": "c"}] and rest["finished"]
    assert tasks.output(task_id, rest["nextOffset"])["nextOffset"] == 4


def test_output_too_long_for_one_answer_comes_in_several(database: Database) -> None:
    tasks = TaskStore(database, max_answer_chars=100)
    task_id = _create(tasks)
    tasks.append_output(task_id, [(seq, "stdout", str(seq) * 60) for seq in range(1, 6)])
    tasks.finish(task_id, "succeeded", DONE)
    text, offset, finished, answers = "", 0, False, 0
    while not finished:
        answer = tasks.output(task_id, offset)
        text, offset, finished, answers = (
            text + answer["stdout"],
            answer["nextOffset"],
            answer["finished"],
            answers + 1,
        )
    assert text == "".join(str(seq) * 60 for seq in range(1, 6)) and answers == 5


@pytest.mark.parametrize("task_id", [NO_TASK, "", "\x00", "\ud800", "x" * 10_000, NO_TASK + "\n"])
def test_an_unknown_task_is_not_found_whatever_is_asked(tasks: TaskStore, task_id: str) -> None:
    for ask in (
        tasks.get,
        tasks.owner,
        tasks.request_cancel,
        lambda name: tasks.output(name, 0),
        lambda name: tasks.append_output(name, [(1, "stdout", "x")]),
    ):
        with pytest.raises(TaskNotFound):
            ask(task_id)
    assert not tasks.finish(task_id, "succeeded", DONE)


def test_pages_go_through_all_tasks_once_while_others_come_and_go(tasks: TaskStore) -> None:
    created = [_create(tasks, str(number)) for number in range(7)]
    seen: list[str] = []
    before = None
    while True:
        page = tasks.list(None, None, 3, before)
        seen += [task["taskId"] for task in page["tasks"]]
        before = page["nextBefore"]
        if before is None:
            break
        tasks.finish(seen[-1], "succeeded", DONE)
        tasks.delete_finished_before(time.time() + 1)
        _create(tasks, "later")
    assert seen == created[::-1]


def test_lists_hold_what_was_asked_for(database: Database) -> None:
    tasks = TaskStore(database, max_answer_chars=300)
    shell = _create(tasks, kind="script.run")
    python = [_create(tasks) for _ in range(3)]
    for task_id in python:
        tasks.finish(task_id, "succeeded", {"result": "x" * 200})
    assert [task["taskId"] for task in tasks.list("queued", None, 10, None)["tasks"]] == [shell]
    assert [task["taskId"] for task in tasks.list(None, "script.run", 10, None)["tasks"]] == [shell]
    assert tasks.list("succeeded", "script.run", 10, None) == {"tasks": [], "nextBefore": None}
    assert tasks.list(None, "\x00", 10, None)["tasks"] == []
    big = tasks.list("succeeded", None, 10, None)
    assert len(big["tasks"]) == 1 and big["nextBefore"] is not None
    assert tasks.list(None, None, 4, None)["tasks"][0]["taskId"] == python[-1]


@pytest.mark.parametrize("before", ["", "x", "-1", "9" * 30, "\x00"])
def test_a_cursor_that_was_never_given_out_is_refused(tasks: TaskStore, before: str) -> None:
    with pytest.raises(InvalidArguments, match="before"):
        tasks.list(None, None, 10, before)


def test_running_tasks_of_dead_workers_are_lost_and_no_others(tasks: TaskStore) -> None:
    lost, kept, queued = _create(tasks), _create(tasks), _create(tasks)
    _claim(tasks, "dead")
    _claim(tasks, "alive")
    assert tasks.release_lost(["dead", "other"]) == 1 and tasks.release_lost([]) == 0
    task = tasks.get(lost)
    assert task["status"] == "lost" and task["finishedAt"] and task["outcome"]["error"]["message"]
    assert tasks.get(kept)["status"] == "running" and tasks.get(queued)["status"] == "queued"
    assert not tasks.finish(lost, "succeeded", DONE)


def test_retention_deletes_what_ended_before_with_its_output(tasks: TaskStore) -> None:
    old, running = _create(tasks), _create(tasks)
    tasks.append_output(old, [(1, "stdout", "x")])
    tasks.finish(old, "succeeded", DONE)
    assert tasks.delete_finished_before(time.time() - 60) == 0
    assert tasks.delete_finished_before(time.time() + 1) == 1
    with pytest.raises(TaskNotFound):
        tasks.output(old, 0)
    assert tasks.get(running)["status"] == "queued"
