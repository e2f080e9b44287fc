"""What analysis says of scripts: where to run them and which to refuse, whatever the text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithium_script.analysis.analyzer import ScriptAnalyzer
from lithium_script.model import Mode
from tests.unit.analysis import corpus

ANALYZER = ScriptAnalyzer()


@pytest.mark.parametrize("code", corpus.INPROCESS)
def test_proven_code_runs_in_process(code: str) -> None:
    found = ANALYZER.analyze(code)
    assert (found.recommended_mode, found.reasons) == (Mode.INPROCESS, ("pure and bounded",))
    assert found.valid and not ANALYZER.refusals(found, Mode.INPROCESS)


@pytest.mark.parametrize("code", corpus.POOLED)
def test_unproven_code_without_access_is_pooled(code: str) -> None:
    found = ANALYZER.analyze(code)
    assert found.recommended_mode is Mode.POOLED
    assert found.valid and found.reasons


@pytest.mark.parametrize("code", corpus.ISOLATED)
def test_code_with_access_is_isolated_and_not_refused(code: str) -> None:
    found = ANALYZER.analyze(code)
    assert found.recommended_mode is Mode.ISOLATED
    assert found.valid and found.reasons


@pytest.mark.parametrize("code", corpus.CRITICAL)
def test_dangerous_code_is_refused_and_its_safe_version_is_not(code: str) -> None:
    found = ANALYZER.analyze(code)
    assert found.recommended_mode is Mode.ISOLATED
    assert not found.valid and ANALYZER.refusals(found, Mode.AUTO)
    safe = ANALYZER.safe_version(code)
    assert safe is not None and "raise PermissionError(" in safe
    assert ANALYZER.analyze(safe).valid


@pytest.mark.parametrize("code", corpus.SHELL_CRITICAL)
def test_dangerous_shell_is_refused(code: str) -> None:
    assert not ANALYZER.analyze(code, "shell").valid


@pytest.mark.parametrize("code", corpus.SHELL_HARMLESS)
def test_harmless_shell_is_not_refused(code: str) -> None:
    found = ANALYZER.analyze(code, "shell")
    assert found.valid and found.language == "shell" and found.recommended_mode is Mode.ISOLATED


@pytest.mark.parametrize(
    "code", ["#!/bin/sh\nls -la", "rm -rf /", "curl http://x | sh", "if [ -f x ]; then\n  echo $x\nfi"]
)
def test_shell_is_told_from_python(code: str) -> None:
    assert ANALYZER.analyze(code).language == "shell"


def test_danger_says_what_where_and_why() -> None:
    danger = ANALYZER.analyze("import os\n\nif True:\n    os.system('ls')\n").dangers[-1]
    assert danger.to_json() == {
        "category": "process",
        "command": "os.system",
        "reason": "starts processes",
        "severity": "warning",
        "line": 4,
        "column": 4,
        "context": "os.system('ls')",
    }


def test_secret_is_not_repeated_as_command() -> None:
    assert "IOSFODNN7" not in ANALYZER.analyze("k = 'AKIAIOSFODNN7EXAMPLE'").dangers[0].command


def test_warning_refuses_only_in_process() -> None:
    found = ANALYZER.analyze("import os")
    assert ANALYZER.refusals(found, Mode.INPROCESS) and not ANALYZER.refusals(found, Mode.ISOLATED)


def test_imports_functions_and_complexity_are_counted() -> None:
    found = ANALYZER.analyze("import numpy as np, json\ndef f(x):\n    if x:\n        return 1\n    return 2\n")
    assert (found.imports, found.functions, found.complexity, found.needs_numpy) == (("numpy", "json"), ("f",), 2, True)


def test_syntax_error_names_its_line() -> None:
    found = ANALYZER.analyze("x = 1\ndef f(:\n")
    assert found.valid and found.syntax_error is not None and found.syntax_error[1] == 2


def test_same_text_is_analysed_once() -> None:
    assert ANALYZER.analyze("result = 40 + 2") is ANALYZER.analyze("result = 40 + 2")


def test_nothing_is_refused_so_there_is_no_safe_version() -> None:
    assert ANALYZER.safe_version("import os") is None


@pytest.mark.parametrize(
    "code",
    [
        "x = 1\n" * 100_000,
        "(" * 5000,
        "[" * 100 + "]" * 100,
        "{1:" * 90,
        "x = " + "-" * 50_000 + "1",
        "x = " + "not " * 50_000 + "1",
        "".join(f"{' ' * depth}if 1:\n" for depth in range(90)) + " " * 90 + "pass",
        "x = " + "1+" * 50_000 + "1",
        "x" + ".a" * 50_000,
        "x = " + "2**" * 5000 + "2",
    ],
)
def test_code_over_budget_is_isolated_at_once(code: str) -> None:
    started = time.perf_counter()
    found = ScriptAnalyzer().analyze(code)
    assert found.recommended_mode is Mode.ISOLATED or found.syntax_error is not None
    assert time.perf_counter() - started < 2


@given(st.text())
def test_any_text_has_an_analysis(text: str) -> None:
    for language in ("auto", "python", "shell"):
        found = ANALYZER.analyze(text, language)
        assert found.complexity >= 0


@pytest.mark.parametrize("code", ["\x00", "x = '\ud800'", "\ufeffx = 1", "x = " + "9" * 5000, "\\", "'''", "\r\n\t x"])
def test_odd_text_has_an_analysis(code: str) -> None:
    assert ANALYZER.analyze(code).execution_time_ms >= 0


@settings(max_examples=200)
@given(st.lists(st.sampled_from((*corpus.INPROCESS, *corpus.ISOLATED, *corpus.CRITICAL)), max_size=4))
def test_one_dangerous_part_decides_for_the_whole(parts: list[str]) -> None:
    critical = any(part in corpus.CRITICAL for part in parts)
    found = ANALYZER.analyze("\n".join(parts))
    assert found.valid is not critical
    if critical or any(part in corpus.ISOLATED for part in parts):
        assert found.recommended_mode is Mode.ISOLATED
