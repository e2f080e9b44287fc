"""Settings that clients change at run time, as JSON documents by name, shared by all workers."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select, update

from lithium_script.model import Json
from lithium_script.store.database import Database
from lithium_script.store.schema import documents


class SettingsStore:
    """Reads and changes documents; each call is one transaction; thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> dict[str, Json] | None:
        """Give a document, or None where it was never stored."""
        with self._database.reading() as connection:
            body: dict[str, Json] | None = connection.execute(
                select(documents.c.body).where(documents.c.name == name)
            ).scalar()
        return body

    def put(self, name: str, body: Mapping[str, Json]) -> None:
        """Store a document in the place of what it was."""
        insert = self._database.insert(documents).values(name=name, body=dict(body))
        with self._database.writing() as connection:
            connection.execute(
                insert.on_conflict_do_update(index_elements=["name"], set_={"body": insert.excluded.body})
            )

    def merge(self, name: str, changes: Mapping[str, Json]) -> dict[str, Json]:
        """Set the given top-level fields, keep the others, and give the whole; no concurrent change is lost."""
        this = documents.c.name == name
        with self._database.writing() as connection:
            # The row must be there to be locked, or two first changes could miss each other.
            connection.execute(self._database.insert(documents).values(name=name, body={}).on_conflict_do_nothing())
            body = connection.execute(select(documents.c.body).where(this).with_for_update()).scalar_one()
            merged: dict[str, Json] = {**body, **changes}
            connection.execute(update(documents).where(this).values(body=merged))
        return merged
