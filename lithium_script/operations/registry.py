"""The table of operations: one record each, looked up by path, by WebSocket command and by the kind of a task.

No operation knows through which door it was called, and no door names an operation.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields

from lithium_script.errors import InvalidArguments, NotFound
from lithium_script.model import LOCAL, Caller, Cancellation, EventSink, Json

if TYPE_CHECKING:
    from lithium_script.service import ScriptService

MAX_WARNINGS = 20
MAX_SHOWN = 64


@dataclass(slots=True)
class Call:
    """One call of one operation: its arguments, loaded and as they were sent, and who calls."""

    arguments: dict[str, Any]
    raw: dict[str, Json]
    caller: Caller = LOCAL
    sink: EventSink | None = None
    cancellation: Cancellation = field(default_factory=Cancellation)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Operation:
    """What can be asked for; ``path`` may hold ``<name>`` parts, which are arguments like any other."""

    name: str
    method: str
    path: str
    scope: str
    request: type[Schema]
    function: Callable[[ScriptService, Call], dict[str, Json]]
    command: str | None = None
    status: int = 200

    @cached_property
    def schema(self) -> Schema:
        """The request schema, made once."""
        return self.request(unknown=EXCLUDE)

    @cached_property
    def field_names(self) -> frozenset[str]:
        """The names of all fields as clients send them."""
        return _names(self.schema)

    @cached_property
    def _member_names(self) -> dict[str, frozenset[str]]:
        """The names of the fields that the members of a list of objects take, by the list's own name."""
        return {
            field.data_key or name: _names(field.inner.schema)
            for name, field in self.schema.fields.items()
            if isinstance(field, fields.List) and isinstance(field.inner, fields.Nested)
        }

    def call(
        self,
        service: ScriptService,
        raw: dict[str, Json],
        caller: Caller,
        sink: EventSink | None = None,
        cancellation: Cancellation | None = None,
    ) -> tuple[dict[str, Json], list[str]]:
        """Load the arguments and call the function; give its data and the warnings.

        Raises ``InvalidArguments`` naming each field, and whatever the function raises.
        """
        warnings = list(itertools.islice(self._unknown(raw), MAX_WARNINGS))
        call = Call(self.load(raw), raw, caller, sink, cancellation or Cancellation(), warnings)
        return self.function(service, call), call.warnings

    def load(self, raw: dict[str, Json]) -> dict[str, Any]:
        """Check arguments against the schema; raise ``InvalidArguments`` naming each field."""
        try:
            loaded: dict[str, Any] = self.schema.load(raw)
        except ValidationError as error:
            details = _flat(error.normalized_messages())  # type: ignore[no-untyped-call] # marshmallow leaves it untyped
            first, messages = next(iter(details.items()))
            raise InvalidArguments(f"{first}: {messages[0]}", details) from error
        return loaded

    def _unknown(self, raw: dict[str, Json]) -> Iterator[str]:
        """Give a warning for each field that nothing reads, lazily: there may be a million."""
        yield from (unknown_field(name, self.field_names) for name in raw if name not in self.field_names)
        for key, known in self._member_names.items():
            if key in raw:
                # The arguments are not loaded yet, so the list may be anything.
                members = raw[key] if isinstance(raw[key], list) else []
                yield from (
                    unknown_field(name, known, f"{key}.{index}.")
                    for index, member in enumerate(members)
                    if isinstance(member, dict)
                    for name in member
                    if name not in known
                )


def unknown_field(name: str, known: frozenset[str], prefix: str = "") -> str:
    """Word the warning for a field that is ignored, with the nearest known name."""
    if len(name) > MAX_SHOWN:
        return f"unknown field '{prefix}{name[:MAX_SHOWN]}...' ignored"
    near = difflib.get_close_matches(name, sorted(known), 1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return f"unknown field '{prefix}{name}' ignored{hint}"


def _names(schema: Schema) -> frozenset[str]:
    return frozenset(field.data_key or name for name, field in schema.fields.items())


def _flat(messages: dict[Any, Any], prefix: str = "") -> dict[str, list[str]]:
    """Turn nested messages into a mapping from dotted field names to lists of text."""
    flat: dict[str, list[str]] = {}
    for key, value in messages.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            flat |= _flat(value, f"{name}.")
        else:
            flat[name] = [str(message) for message in (value if isinstance(value, list) else [value])]
    return flat


class Registry:
    """All operations, by name."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self.operations = tuple(operations)
        self._by_name = {operation.name: operation for operation in self.operations}
        assert len(self._by_name) == len(self.operations), "two operations share a name"

    def run_task(
        self,
        service: ScriptService,
        kind: str,
        payload: dict[str, Json],
        owner: str,
        sink: EventSink,
        cancellation: Cancellation,
    ) -> dict[str, Json]:
        """Run the operation that a task was made of; its owner passed every check when it was submitted."""
        operation = self._by_name.get(kind)
        if operation is None:
            raise NotFound(f"this version has no operation '{kind}'")
        caller = Caller(owner, frozenset({"admin"}))
        return operation.call(service, payload, caller, sink, cancellation)[0]
