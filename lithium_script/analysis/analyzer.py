"""ScriptAnalyzer: reads a script, never runs it, and says what it may do and in which mode it should run.

Analysis chooses where a script runs and gives early errors; it is not what keeps the host safe. Times are milliseconds.
"""

from __future__ import annotations

import ast
import threading
import time
from collections import OrderedDict

from lithium_script.analysis.budget import over_budget
from lithium_script.analysis.findings import CRITICAL, INFO, WARNING, Analysis, Danger, refusals
from lithium_script.analysis.purecalls import MODULES
from lithium_script.analysis.purity import unproven_reason
from lithium_script.analysis.rewriting import without_refused
from lithium_script.analysis.rules import load_rules
from lithium_script.analysis.scanner import Scanner
from lithium_script.analysis.shell import looks_like_shell, shell_findings
from lithium_script.model import Mode

_CACHED_TEXT = 16 << 20
_REASONS_SHOWN = 5
_SAFE_VERSION_ROUNDS = 5

__all__ = ["Analysis", "Danger", "ScriptAnalyzer"]


class ScriptAnalyzer:
    """Analyses scripts and remembers the latest ones by their text; thread-safe."""

    def __init__(self, max_code_bytes: int = 200_000, cached: int = 512) -> None:
        self._max_code_bytes = max_code_bytes
        self._max_cached = cached
        self._cache: OrderedDict[tuple[str, str], Analysis] = OrderedDict()
        self._cached_text = 0
        self._lock = threading.Lock()
        load_rules()

    def analyze(self, code: str, language: str = "auto") -> Analysis:
        """Analyse ``code`` as ``python``, ``shell`` or whichever it is; any text gives an analysis, none an error."""
        key = (language, code)
        with self._lock:
            found = self._cache.get(key)
            if found is not None:
                self._cache.move_to_end(key)
                return found
        analysis = self._analyze(code, language)
        if len(code) <= self._max_code_bytes:
            self._remember(key, analysis)
        return analysis

    def refusals(self, analysis: Analysis, mode: Mode) -> tuple[Danger, ...]:
        """Give the dangers for which validation refuses the script in ``mode``."""
        return refusals(analysis, mode)

    def safe_version(self, code: str, mode: Mode = Mode.AUTO) -> str | None:
        """Give ``code`` with each refused statement raising instead; None where none is, or that cannot be done."""
        for _ in range(_SAFE_VERSION_ROUNDS):
            analysis = self.analyze(code, "python")
            refused = refusals(analysis, mode)
            if not refused or analysis.undecided or analysis.syntax_error is not None:
                return None
            try:
                code = without_refused(ast.parse(code), refused)
            except (RecursionError, MemoryError):
                return None
            if not refusals(self.analyze(code, "python"), mode):
                return code
        return None

    def _remember(self, key: tuple[str, str], analysis: Analysis) -> None:
        with self._lock:
            if key not in self._cache:
                self._cached_text += len(key[1])
            self._cache[key] = analysis
            while self._cached_text > _CACHED_TEXT or len(self._cache) > self._max_cached:
                (_, text), _ = self._cache.popitem(last=False)
                self._cached_text -= len(text)

    def _analyze(self, code: str, language: str) -> Analysis:
        started = time.perf_counter()

        def finished(found: Analysis) -> Analysis:
            object.__setattr__(found, "execution_time_ms", (time.perf_counter() - started) * 1000)
            return found

        reason = over_budget(code, self._max_code_bytes)
        if reason is not None:
            known = "shell" if language == "shell" else "python"
            return finished(Analysis(known, code, reasons=(reason,), undecided=True))
        if language == "shell" or (language == "auto" and code.startswith("#!") and looks_like_shell(code)):
            return finished(_shell(code))
        try:
            return finished(_python(code, ast.parse(code)))
        except (RecursionError, MemoryError):
            return finished(Analysis("python", code, reasons=("too deeply nested to analyse",), undecided=True))
        except (SyntaxError, ValueError) as error:
            if language == "auto" and looks_like_shell(code):
                return finished(_shell(code))
            message = getattr(error, "msg", None) or str(error)
            failure = (message, getattr(error, "lineno", None) or 1)
            reasons = (f"syntax error: {message}",)
            return finished(
                Analysis("python", code, recommended_mode=Mode.POOLED, reasons=reasons, syntax_error=failure)
            )


def _python(code: str, tree: ast.Module) -> Analysis:
    scanner = Scanner(code)
    scanner.scan(tree)
    imports = tuple(scanner.imports)
    mode, reasons = _recommended(scanner, tree)
    return Analysis(
        language="python",
        source=code,
        dangers=tuple(scanner.dangers),
        imports=imports,
        functions=tuple(scanner.functions),
        recommended_mode=mode,
        reasons=reasons,
        needs_numpy=any(module.partition(".")[0] == "numpy" for module in imports),
    )


def _recommended(scanner: Scanner, tree: ast.Module) -> tuple[Mode, tuple[str, ...]]:
    rules = scanner.rules
    steering = [danger for danger in scanner.dangers if danger.severity in (WARNING, CRITICAL)]
    reasons = [f"imports {module}" for module in scanner.imports if not rules.allows_pooled(module)]
    reasons += [f"{danger.reason}: {danger.command}" for danger in steering if danger.command not in scanner.imports]
    if reasons:
        return Mode.ISOLATED, tuple(dict.fromkeys(reasons))[:_REASONS_SHOWN]
    if all(module in MODULES for module in scanner.imports):
        unproven = unproven_reason(tree)
        if unproven is None and not any(danger.severity != INFO for danger in scanner.dangers):
            return Mode.INPROCESS, ("pure and bounded",)
        return Mode.POOLED, (unproven or "effects are bounded",)
    return Mode.POOLED, tuple(f"imports {module}" for module in scanner.imports)[:_REASONS_SHOWN]


def _shell(code: str) -> Analysis:
    lines = code.split("\n")
    dangers = tuple(
        Danger(category, command, reason, severity, line, 0, lines[line - 1].strip()[:200], category)
        for line, (category, command, reason, severity) in shell_findings(code)
    )
    return Analysis("shell", code, dangers, recommended_mode=Mode.ISOLATED, reasons=("shell script",))
