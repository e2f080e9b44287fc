"""A migrated database of one's own, on SQLite and on a real PostgreSQL that the tests start for themselves."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from lithium_script.store.database import Database
from lithium_script.store.tasks import TaskStore

# PostgreSQL refuses to run as root.
UNPRIVILEGED = "nobody"


def _program(name: str) -> str | None:
    """Find a server program of PostgreSQL; Debian keeps them out of the search path."""
    debian = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
    return debian[-1] if debian else shutil.which(name)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL that listens on a Unix socket only, and ends with the tests."""
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    if initdb is None or pg_ctl is None:
        assert not os.environ.get("CI"), "PostgreSQL is missing"
        pytest.skip("PostgreSQL is not installed")
    # Not below pytest's own folder, which another user cannot enter.
    folder = Path(tempfile.mkdtemp(prefix="lithium-script-pg-"))
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    if user is not None:
        shutil.chown(folder, user)
    data = str(folder / "data")

    def run(*words: str) -> None:
        subprocess.run(words, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL, timeout=120)

    try:
        run(initdb, "-D", data, "-U", "tests", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        run(pg_ctl, "-D", data, "-w", "-o", options, "-l", str(folder / "log"), "start")
        yield f"postgresql+psycopg://tests@/postgres?host={folder}"
        run(pg_ctl, "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'data' / 'test.sqlite3'}"
    address: str = request.getfixturevalue("postgresql")
    database = Database(address)
    with database.writing() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    database.close()
    return address


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
