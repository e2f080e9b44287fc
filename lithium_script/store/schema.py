"""The tables, their version, and the steps from one version to the next.

A new database gets the tables as they are here; one that exists gets the steps that it lacks, in order. So whoever
changes a table here also appends to ``MIGRATIONS`` what brings an existing one there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from sqlalchemy import (
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    insert,
    inspect,
    select,
    update,
)

from lithium_script.errors import ScriptError
from lithium_script.store.columns import BIG, JsonText

Migration = Callable[[Connection], None]

MIGRATIONS: tuple[Migration, ...] = ()
"""The steps to version 2, 3 and so on; each runs in the transaction that also notes its version."""

metadata = MetaData()

schema_version = Table(
    "schema_version",
    metadata,
    Column("only", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
)

tasks = Table(
    "tasks",
    metadata,
    Column("seq", BIG, primary_key=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("name", JsonText, nullable=False),
    Column("payload", JsonText, nullable=False),
    Column("owner", JsonText, nullable=False),
    Column("execution_id", JsonText),
    Column("status", String(16), nullable=False),
    Column("created", Float(53), nullable=False),
    Column("started", Float(53)),
    Column("finished", Float(53)),
    Column("progress", Float(53)),
    Column("message", JsonText, nullable=False),
    Column("outcome", JsonText),
    Column("worker", String(64)),
    Column("cancel_requested", String(8), nullable=False),
    Index("tasks_by_status", "status", "seq"),
    Index("tasks_by_kind", "kind", "seq"),
    Index("tasks_by_end", "finished"),
    # Row numbers are the cursors of lists, so those of deleted rows must not come again.
    sqlite_autoincrement=True,
)

task_output = Table(
    "task_output",
    metadata,
    Column("task", String(32), ForeignKey(tasks.c.id, ondelete="CASCADE"), primary_key=True),
    Column("seq", BIG, primary_key=True, autoincrement=False),
    Column("stream", String(16), nullable=False),
    Column("text", JsonText, nullable=False),
)

workers = Table(
    "workers",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("host", String, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started", Float(53), nullable=False),
    Column("renewed", Float(53), nullable=False),
)

statistics_counts = Table(
    "statistics_counts",
    metadata,
    Column("mode", String(32), primary_key=True),
    Column("outcome", String(64), primary_key=True),
    Column("count", BIG, nullable=False),
    Column("total_ms", Float(53), nullable=False),
)

statistics_latencies = Table(
    "statistics_latencies",
    metadata,
    Column("bucket", Integer, primary_key=True, autoincrement=False),
    Column("count", BIG, nullable=False),
)

statistics_since = Table(
    "statistics_since",
    metadata,
    Column("only", Integer, primary_key=True, autoincrement=False),
    Column("since", Float(53), nullable=False),
)

documents = Table(
    "documents",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("body", JsonText, nullable=False),
)


def is_current(connection: Connection, migrations: Sequence[Migration] = MIGRATIONS) -> bool:
    """Tell whether nothing needs to be done; raise ``ScriptError`` for a database of a newer release."""
    found, known = _version(connection), 1 + len(migrations)
    if found > known:
        raise ScriptError(
            f"the database has schema version {found}, this release knows up to {known}: "
            "run a newer release, or restore the backup from before the upgrade",
            {"found": found, "known": known},
        )
    return found == known


def upgrade(connection: Connection, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring the tables to the current version, in the caller's transaction, which must exclude all others."""
    if is_current(connection, migrations):
        return
    found, known = _version(connection), 1 + len(migrations)
    if found == 0:
        metadata.create_all(connection)
        connection.execute(insert(schema_version).values(only=1, version=known))
        connection.execute(insert(statistics_since).values(only=1, since=time.time()))
        return
    for migration in migrations[found - 1 :]:
        migration(connection)
    connection.execute(update(schema_version).values(version=known))


def _version(connection: Connection) -> int:
    if not inspect(connection).has_table(schema_version.name):
        return 0
    return connection.execute(select(schema_version.c.version)).scalar() or 0
