"""What an analysis found: plain immutable values; lines count from 1 and columns from 0."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from lithium_script.analysis.metrics import cyclomatic_complexity
from lithium_script.model import Json, Mode

INFO, WARNING, CRITICAL = "info", "warning", "critical"


@dataclass(frozen=True, slots=True)
class Danger:
    """One finding; ``command`` is the resolved name or text it is about, ``context`` the line of code it stands on."""

    category: str
    command: str
    reason: str
    severity: str
    line: int
    column: int
    context: str
    rule: str = ""

    def to_json(self) -> dict[str, Json]:
        """Give the wire form."""
        return {
            "category": self.category,
            "command": self.command,
            "reason": self.reason,
            "severity": self.severity,
            "line": self.line,
            "column": self.column,
            "context": self.context,
        }


@dataclass(frozen=True)
class Analysis:
    """All that is known of one script; ``undecided`` means that it was too large or too deep to be read."""

    language: str
    source: str
    dangers: tuple[Danger, ...] = ()
    imports: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    recommended_mode: Mode = Mode.ISOLATED
    reasons: tuple[str, ...] = ()
    undecided: bool = False
    syntax_error: tuple[str, int] | None = None
    needs_numpy: bool = False
    execution_time_ms: float = 0.0

    @property
    def valid(self) -> bool:
        """Tell whether nothing critical was found."""
        return all(danger.severity != CRITICAL for danger in self.dangers)

    @cached_property
    def complexity(self) -> int:
        """Count the independent paths; worked out when first asked for, as executions never ask."""
        if self.undecided or self.syntax_error is not None:
            return 0
        if self.language == "shell":
            return 1 + sum(self.source.count(word) for word in ("if ", "for ", "while ", "case ", "&&", "||"))
        return cyclomatic_complexity(self.source)


def refusals(analysis: Analysis, mode: Mode) -> tuple[Danger, ...]:
    """Give the dangers for which validation refuses the script in ``mode``: critical ones; in-process, warnings too."""
    refused = (CRITICAL, WARNING) if mode is Mode.INPROCESS else (CRITICAL,)
    return tuple(danger for danger in analysis.dangers if danger.severity in refused)
