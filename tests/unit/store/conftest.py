"""A migrated database of one's own: SQLite always, PostgreSQL where a URL of an empty one is given."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from lithium_script.store.database import Database
from lithium_script.store.tasks import TaskStore

POSTGRESQL = "LITHIUM_SCRIPT_TEST_POSTGRESQL"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'data' / 'test.sqlite3'}"
    if not os.environ.get(POSTGRESQL):
        pytest.skip(f"{POSTGRESQL} names no database to test with")
    database = Database(os.environ[POSTGRESQL])
    with database.writing() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    database.close()
    return os.environ[POSTGRESQL]


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """A migrated database."""
    database = Database(url)
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def tasks(database: Database) -> TaskStore:
    """The tasks of a database without any."""
    return TaskStore(database)
