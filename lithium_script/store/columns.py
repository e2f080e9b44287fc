"""Column types, and times as clients see them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator

from lithium_script.model import Json

# SQLite numbers rows only for a column that is exactly INTEGER (https://www.sqlite.org/autoinc.html).
BIG = BigInteger().with_variant(Integer, "sqlite")


class JsonText(TypeDecorator[Any]):
    """A JSON value as ASCII text; a NULL is None.

    Also for plain text that scripts and clients choose: PostgreSQL stores no U+0000 and neither database stores lone
    surrogates, while their escapes pass.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Json, dialect: Dialect) -> str | None:
        """Encode; raise ``ValueError`` for NaN and infinities, which are not JSON."""
        return None if value is None else json.dumps(value, allow_nan=False, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Json:
        """Decode."""
        return None if value is None else json.loads(value)


def iso_time(epoch_s: float | None) -> str | None:
    """Write a time as ISO 8601, in UTC, to the millisecond; None stays None."""
    if epoch_s is None:
        return None
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
