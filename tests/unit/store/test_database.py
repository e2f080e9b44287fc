"""Start, migration, durability and trouble of the database."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text, update

from lithium_script.errors import ScriptError, ServiceUnavailable
from lithium_script.settings import SettingsError
from lithium_script.store import database as module
from lithium_script.store.database import Database
from lithium_script.store.documents import SettingsStore
from lithium_script.store.schema import schema_version
from lithium_script.store.tasks import TaskStore
from tests.unit.store.processes import begin, run_at_once


def _add_colour(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE documents ADD COLUMN colour VARCHAR"))


def _paint(connection: Connection) -> None:
    connection.execute(text("UPDATE documents SET colour = 'red'"))


def _fail(connection: Connection) -> None:
    _paint(connection)
    raise ValueError("no")


def _version(database: Database) -> int | None:
    with database.reading() as connection:
        return connection.execute(select(schema_version.c.version)).scalar()


def test_four_processes_that_start_at_once_all_find_a_migrated_database(url: str) -> None:
    assert run_at_once(4, "migrate", url) == ["ok"] * 4


def test_sqlite_files_are_for_their_owner_only_and_written_through(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "test.sqlite3"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    with database.reading() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        }
    modes = [stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()]
    database.close()
    assert found == {"journal_mode": "wal", "synchronous": 2}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700 and modes and set(modes) == {0o600}


def test_missing_steps_are_taken_in_order_and_only_once(database: Database) -> None:
    SettingsStore(database).put("wall", {})
    for _ in range(2):
        database.migrate([_add_colour, _paint])
    with database.reading() as connection:
        assert connection.execute(text("SELECT colour FROM documents")).scalar() == "red"
    assert _version(database) == 3


def test_a_step_that_fails_leaves_the_database_as_it_was(database: Database) -> None:
    with pytest.raises(ValueError, match="no"):
        database.migrate([_add_colour, _fail])
    assert _version(database) == 1
    database.migrate([_add_colour])


def test_a_database_of_a_newer_release_is_refused(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(update(schema_version).values(version=99))
    with pytest.raises(ScriptError, match=r"version 99.*newer release"):
        database.migrate()


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "mysql://host/x", "nonsense", "sqlite:////proc/no/x"]
)
def test_a_database_that_workers_cannot_share_is_refused(url: str) -> None:
    with pytest.raises(SettingsError):
        Database(url)


def test_every_id_that_was_given_out_survives_a_kill(url: str) -> None:
    process = begin("create", url)
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    promised = [process.stdout.readline().strip() for _ in range(50)]
    os.kill(process.pid, signal.SIGKILL)
    rest, _ = process.communicate()
    promised += [line for line in rest.splitlines() if len(line) == 32]
    database = Database(url)
    database.migrate()
    assert {TaskStore(database).get(task_id)["status"] for task_id in promised} == {"queued"}
    assert database.check_writable() == "ok"
    database.close()


def test_a_transaction_that_raised_left_no_trace(database: Database) -> None:
    changed = update(schema_version).values(version=7)
    with pytest.raises(KeyError), database.writing() as connection:
        {}[connection.execute(changed)]
    assert _version(database) == 1


def test_readers_and_writers_wait_for_each_other_instead_of_failing(database: Database) -> None:
    store, failures = SettingsStore(database), []

    def change(name: str) -> None:
        try:
            for number in range(25):
                store.merge("shared", {f"{name}{number}": number})
                store.get("shared")
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=change, args=(name,)) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures and len(store.get("shared") or {}) == 200


def test_a_database_that_stays_locked_is_unavailable_and_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_S", 0)
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    database.migrate()
    other = sqlite3.connect(tmp_path / "x.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert database.check_writable() == "the database cannot be used at the moment"
    with pytest.raises(ServiceUnavailable):
        TaskStore(database).create("k", "n", {}, "o")
    other.close()
    assert database.check_writable() == "ok"
    database.close()
