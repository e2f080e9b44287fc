"""The rules as data: ``rules.json`` says which names, attributes and texts mean what; here they are looked up.

A rule is ``on`` an ``import``, any ``use`` of a dotted name, a ``call`` of one, a ``private`` member of a module, an
``attribute`` of whatever object, or a ``text``. A trailing ``*`` matches any ending; ``check`` names a further
condition (``checks``).
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of ``rules.json``."""

    name: str
    category: str
    severity: str
    reason: str
    check: str | None = None
    pattern: re.Pattern[str] | None = None


class Rules:
    """All rules, looked up by what they are on and the name that is met there."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.pooled_imports = frozenset(document["pooled_imports"])
        self.submodules = frozenset(document["submodules"])
        self._exact: dict[tuple[str, str], list[Rule]] = defaultdict(list)
        self._endings: dict[str, list[tuple[str, Rule]]] = defaultdict(list)
        self.texts: list[Rule] = []
        for row in document["rules"]:
            pattern = re.compile(row["pattern"]) if "pattern" in row else None
            rule = Rule(row["name"], row["category"], row["severity"], row["reason"], row.get("check"), pattern)
            if pattern is not None:
                self.texts.append(rule)
            for name in row.get("match", ()):
                if name.endswith("*"):
                    self._endings[row["on"]].append((name[:-1], rule))
                else:
                    self._exact[row["on"], name].append(rule)

    def matching(self, on: str, name: str) -> list[Rule]:
        """Give the rules on ``name``; an import matches by each of its leading packages too."""
        found = list(self._exact.get((on, name), ()))
        if on == "import":
            while "." in name and not found:
                name = name.rpartition(".")[0]
                found = list(self._exact.get((on, name), ()))
        elif on != "attribute" and "." in name:
            found += [rule for beginning, rule in self._endings[on] if name.startswith(beginning)]
        return found

    def members(self, module: str) -> list[str]:
        """List the members of ``module`` that rules name, for those who import them all at once."""
        members = [name for on, name in self._exact if on in ("use", "call") and name.rpartition(".")[0] == module]
        return [name.rpartition(".")[2] for name in members]

    def names_module(self, name: str) -> bool:
        """Tell whether a rule is on importing exactly ``name``."""
        return ("import", name) in self._exact

    def allows_pooled(self, module: str) -> bool:
        """Tell whether importing ``module`` leaves a script fit for the pool."""
        top = module.partition(".")[0]
        return top in self.pooled_imports and not self.matching("import", module)


@cache
def load_rules() -> Rules:
    """Read the rules that come with the package."""
    text = resources.files(__package__).joinpath("rules.json").read_text("utf-8")
    return Rules(json.loads(text))
