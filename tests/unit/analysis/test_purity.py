"""Code that is proven pure and bounded ends at once, stays small and touches nothing, whatever it looks like."""

from __future__ import annotations

import ast
import contextlib
import io
import sys
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithium_script.analysis.purity import unproven_reason

NAMES = st.sampled_from(["a", "b", "c"])
NUMBERS = st.sampled_from(["0", "1", "7", "2.5", "100", "1000", "99999999999", "-3", "10**9", "True"])
LEAVES = (
    NAMES | NUMBERS | st.sampled_from(["'xy'", "[1, 2, 3]", "(4, 5)", "{'k': 1}", "None", "range(20)", "range(999)"])
)
OPERATORS = st.sampled_from(["+", "-", "*", "**", "//", "%", "<<", ">>", "/", "&", "|", "<", "==", "in", "and", "or"])
CALLS = st.sampled_from(
    [
        "sum",
        "len",
        "max",
        "list",
        "sorted",
        "str",
        "repr",
        "int",
        "float",
        "abs",
        "round",
        "range",
        "set",
        "tuple",
        "open",
    ]
)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} {} {})".format, inner, OPERATORS, inner),
        st.builds("{}({})".format, CALLS, inner),
        st.builds("[{} for {} in {}]".format, inner, NAMES, inner),
        st.builds("sum({} for {} in {} if {})".format, inner, NAMES, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("', '.join({})".format, inner),
        st.builds("f'{{{}}}'".format, inner.filter(lambda text: "'" not in text)),
    )


EXPRESSIONS = st.recursive(LEAVES, _larger, max_leaves=6)
SIMPLE = st.one_of(
    st.builds("{} = {}".format, NAMES, EXPRESSIONS),
    st.builds("{} {}= {}".format, NAMES, st.sampled_from(["+", "-", "*", "**", "<<", "//"]), EXPRESSIONS),
    st.builds("a, b = {}, {}".format, EXPRESSIONS, EXPRESSIONS),
    st.builds("print({})".format, EXPRESSIONS),
)


def _indented(body: list[str]) -> str:
    return "\n".join("    " + line for statement in body for line in statement.split("\n"))


def _blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    body = st.lists(inner, min_size=1, max_size=3).map(_indented)
    loops = st.sampled_from(["range(5)", "range(40)", "range(500)", "[1, 2]", "a", "b"])
    return st.one_of(
        st.builds("for {} in {}:\n{}".format, NAMES, loops, body),
        st.builds("if {}:\n{}".format, EXPRESSIONS, body),
    )


PROGRAMS = st.lists(st.recursive(SIMPLE, _blocks, max_leaves=4), min_size=1, max_size=6)
_WATCHED = ("open", "os.", "socket.", "subprocess.", "import", "exec", "shutil.")
_touched: list[str] = []
_watching = threading.local()


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if getattr(_watching, "on", False) and event.startswith(_WATCHED):
        _touched.append(event)


sys.addaudithook(_watch)


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@settings(max_examples=1500, deadline=None)
@given(PROGRAMS)
def test_programs_judged_pure_run_fast_and_touch_nothing(statements: list[str]) -> None:
    code = "\n".join(["a = 3", "b = [1, 2]", "c = 'z'", *statements])
    tree = ast.parse(code)
    if unproven_reason(tree) is not None:
        return
    program = compile(tree, "<script>", "exec")
    output = io.StringIO()
    names: dict[str, object] = {}
    _touched.clear()
    started = time.process_time()
    with contextlib.redirect_stdout(output), contextlib.suppress(Exception):
        runner = compile("exec(program, names)", "<test>", "eval")
        _watching.on = True
        try:
            eval(runner, {"program": program, "names": names})
        finally:
            _watching.on = False
    assert time.process_time() - started < 0.25, code
    # The audit event of the test's own eval and of the script itself being run.
    assert [event for event in _touched if event != "exec"] == [], code
    assert len(output.getvalue()) < 3_000_000, code
    assert all(len(repr(names[name])) < 1_000_000 for name in "abc"), code


def test_enough_programs_are_judged_pure_for_the_test_to_mean_something() -> None:
    found = 0

    @settings(max_examples=300, deadline=None, database=None, derandomize=True)
    @given(PROGRAMS)
    def count(statements: list[str]) -> None:
        nonlocal found
        tree = ast.parse("\n".join(["a = 3", "b = [1, 2]", "c = 'z'", *statements]))
        found += unproven_reason(tree) is None

    count()
    assert found > 30
