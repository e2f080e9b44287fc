"""The database of all workers: its connections, transactions and dialects.

SQLite in WAL mode by default, PostgreSQL by URL; all that differs between the two is here. Thread-safe. An object
may be made before a fork, as connections are opened at first use; it must be used on one side of it only.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, exc, func, make_url, select, update
from sqlalchemy.dialects import postgresql, sqlite

from lithium_script.errors import ScriptError, ServiceUnavailable
from lithium_script.settings import SettingsError
from lithium_script.store import schema

log = logging.getLogger(__name__)

BUSY_TIMEOUT_S = 10
_MIGRATION_LOCK = 0x6C697468


class Database:
    """One engine for one URL; ``migrate`` before anything else."""

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
            self._is_sqlite = parsed.get_backend_name() == "sqlite"
            self._path: Path | None = None
            if self._is_sqlite:
                self._path = _database_file(parsed.database)
                self.engine = create_engine(parsed, pool_size=8, max_overflow=-1)
                _speak_sqlite(self.engine)
            elif parsed.get_backend_name() == "postgresql":
                self.engine = create_engine(parsed, pool_size=4, max_overflow=8, pool_pre_ping=True)
            else:
                raise SettingsError(f"the database must be SQLite or PostgreSQL, not {parsed.get_backend_name()}")
        except (exc.ArgumentError, ImportError) as error:
            raise SettingsError(f"the database URL cannot be used: {error}") from error
        self._writer = self.engine.execution_options(begin="IMMEDIATE")

    def migrate(self, migrations: Sequence[schema.Migration] = schema.MIGRATIONS) -> None:
        """Create or upgrade the tables; safe where several workers start at once.

        Raise ``ScriptError`` for a database of a newer release, ``ServiceUnavailable`` where it cannot be reached.
        """
        if self._path is not None:
            with _folder_locked(self._path):
                self._make_wal()
        with self.reading() as connection:
            if schema.is_current(connection, migrations):
                return
        with self.writing() as connection:
            if not self._is_sqlite:
                connection.execute(select(func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            schema.upgrade(connection, migrations)

    def check_writable(self) -> str:
        """Try a write; give "ok", or what is wrong. May take ``BUSY_TIMEOUT_S``."""
        try:
            with self.writing() as connection:
                connection.execute(update(schema.schema_version).values(version=schema.schema_version.c.version))
        except ScriptError as error:
            return error.message
        except exc.SQLAlchemyError as error:
            return type(error).__name__
        return "ok"

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that only reads; raise ``ServiceUnavailable`` where the database cannot be reached."""
        with _reachable(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that is on disk when the block has ended, and has left no trace where it raised.

        Raise ``ServiceUnavailable`` where the database cannot be reached or stays locked for ``BUSY_TIMEOUT_S``.
        """
        with _reachable(), self._writer.begin() as connection:
            yield connection

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """Begin an INSERT that can have an ``on_conflict`` clause."""
        return sqlite.insert(table) if self._is_sqlite else postgresql.insert(table)

    def _make_wal(self) -> None:
        with _reachable():
            connection = self.engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA journal_mode=WAL")
            finally:
                connection.close()


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError, sqlite3.OperationalError) as error:
        log.warning("the database failed: %s", error)
        raise ServiceUnavailable("the database cannot be used at the moment") from error


def _database_file(name: str | None) -> Path:
    if not name or name == ":memory:" or name.startswith("file:"):
        raise SettingsError("SQLite needs the path of a file, which all workers can share")
    path = Path(name).absolute()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite would make it readable by all; its -wal and -shm files take over the mode of this one.
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise SettingsError(f"the database file cannot be made: {error}") from error
    return path


@contextmanager
def _folder_locked(path: Path) -> Iterator[None]:
    """Keep other workers out while the journal mode changes, for which SQLite does not wait but fails.

    The folder and not the file: closing any descriptor of the file would drop SQLite's own locks on it.
    """
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _speak_sqlite(engine: Engine) -> None:
    """Have transactions begin where SQLAlchemy begins them, and writing ones with the write lock.

    The driver would begin them only before the first change; a transaction that reads and then writes would fail at
    once where another has written in between, whatever the timeout (https://www.sqlite.org/isolation.html).
    """

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000}")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN " + connection.get_execution_options().get("begin", "DEFERRED"))
