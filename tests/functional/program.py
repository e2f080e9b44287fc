"""A small program, what is asked beside its code, and exactly what must come of it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

Check = Callable[[Any], bool]


class Program:
    """One row of a table: expectations are dotted paths into the outcome, with a value or a check of it."""

    def __init__(self, name: str, code: str, options: dict[str, Any] | None = None, /, **expected: Any) -> None:
        self.name = name
        self.code = textwrap.dedent(code).strip("\n")
        self.options = options or {}
        self.expected = {path.replace("__", "."): value for path, value in expected.items()}

    def differences(self, outcome: dict[str, Any]) -> dict[str, Any]:
        """Give what came out otherwise than expected; a program succeeds unless it says otherwise."""
        failing = any(path.startswith("error.") for path in self.expected)
        expected = {"success": not failing, **self.expected}
        if not failing:
            expected = {"error": None, "exitCode": 0, "signal": None, **expected}
        found = {path: _at(outcome, path) for path in expected}
        return {path: found[path] for path in expected if not _meets(found[path], expected[path])}


def _at(value: Any, path: str) -> Any:
    for part in path.split("."):
        if not isinstance(value, dict):
            return f"no {part} in {value!r}"
        value = value[part]
    return value


def _meets(found: Any, expected: Any) -> bool:
    if callable(expected):
        return bool(expected(found))
    return type(found) is type(expected) and bool(found == expected)


def contains(*parts: str) -> Check:
    """Expect a text with all the parts in it."""
    return lambda found: all(part in found for part in parts)


def lacks(*parts: str) -> Check:
    """Expect a text with none of the parts in it."""
    return lambda found: not any(part in found for part in parts)
