"""Runs a script as ``python script.py`` would: in ``__main__``, with its threads joined and atexit called."""

from __future__ import annotations

import ast
import atexit
import builtins
import importlib
import importlib.util
import keyword
import linecache
import os
import sys
import threading
import traceback
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lithium_script.sandbox.importguard import ImportGuard

_own_modules: tuple[str, ...] = ()


def note_own_modules() -> None:
    """Note, in the fork server, which modules a script must not see.

    A child that walked over all modules would write to, and so copy, a page for nearly each.
    """
    global _own_modules
    _own_modules = tuple(name for name in sys.modules if name.partition(".")[0] == "lithium_script")


@dataclass
class Outcome:
    """How the script's own code ended; ``error`` is in wire form."""

    value: Any = None
    error: dict[str, Any] | None = None
    exit_code: int = 0


def run(job: dict[str, Any], guard: ImportGuard, progress: Callable[..., None]) -> Outcome:
    """Run the job's code, file or function, and whatever ``python`` does between its last line and its exit."""
    names: dict[str, Any] = {}
    own: tuple[str, ...] = (job["directory"] + os.sep, *(path + os.sep for path in job.get("searchPath", ())))
    try:
        if job["kind"] == "function":
            value = _call(job, guard)
        else:
            text, filename = _source(job)
            own = (filename, *own)
            names = _main_module(filename, job["args"], progress)
            code = compile_source(text, filename)
            guard.install()
            value = execute(code, names)
        outcome = Outcome(value)
    except BaseException as error:
        outcome = failure(error, own)
    outcome = _wind_down(outcome, own)
    if outcome.error is None and names.get("result") is not None:
        outcome.value = names["result"]
    return outcome


def _source(job: dict[str, Any]) -> tuple[str, str]:
    if job["kind"] == "file":
        with open(job["path"], "rb") as file:
            data = file.read()
        sys.path.insert(0, os.path.dirname(job["path"]))
        return importlib.util.decode_source(data), job["path"]
    text, filename = job["text"], job["filename"]
    # Tracebacks, inspect and doctest find the source here.
    linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
    return text, filename


def _main_module(filename: str, args: dict[str, Any], progress: Callable[..., None]) -> dict[str, Any]:
    for name in _own_modules:
        sys.modules.pop(name, None)
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    sys.argv = [filename]
    names = main.__dict__
    if os.path.isabs(filename):
        names["__file__"] = filename
    names.update(__builtins__=builtins, args=args, progress=progress)
    for key, value in variables(args).items():
        names.setdefault(key, value)
    return names


def variables(args: dict[str, Any]) -> dict[str, Any]:
    """Pick the arguments that a script sees as variables of their own: those whose key is an identifier."""
    return {
        key: value
        for key, value in args.items()
        if key.isidentifier() and not keyword.iskeyword(key) and not key.startswith("__")
    }


def compile_source(text: str, filename: str) -> tuple[types.CodeType, types.CodeType | None]:
    """Compile the statements, and apart from them the last one if it is an expression."""
    try:
        tree = ast.parse(text, filename)
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr):
            expression = ast.Expression(tree.body.pop().value)  # type: ignore[attr-defined]
            last = compile(expression, filename, "eval", dont_inherit=True)
        return compile(tree, filename, "exec", dont_inherit=True), last
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Uncompilable from error


class Uncompilable(Exception):
    """The source is no program; the cause says why."""


def execute(code: tuple[types.CodeType, types.CodeType | None], names: dict[str, Any]) -> Any:
    """Run compiled source in ``names``; give the value of its last expression, else None."""
    exec(code[0], names)
    return None if code[1] is None else eval(code[1], names)


def _call(job: dict[str, Any], guard: ImportGuard) -> Any:
    """Import the module and call the function; their absence is told apart from errors inside them."""
    guard.install()
    name = job["module"]
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name + ".").startswith(error.name + "."):
            raise Missing("module_not_found", f"no module named '{error.name}'") from error
        raise
    target: Any = module
    for part in job["function"].split("."):
        try:
            target = getattr(target, part)
        except AttributeError as error:
            raise Missing("function_not_found", f"module '{name}' has no function '{job['function']}'") from error
    if not callable(target):
        raise Missing("function_not_found", f"'{job['function']}' of module '{name}' is not callable")
    args = job["args"]
    return target(**args) if isinstance(args, dict) else target(*args)


class Missing(Exception):
    """The module or function to call is not there."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _wind_down(outcome: Outcome, own: tuple[str, ...]) -> Outcome:
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except BaseException as error:
        return outcome if outcome.error else failure(error, own)
    return outcome


def failure(error: BaseException, own: tuple[str, ...]) -> Outcome:
    """Describe what ended the script, showing only frames of files that start with one of ``own``."""
    if isinstance(error, SystemExit):
        return _exit(error, own)
    code, exit_code = "execution_failed", 1
    if isinstance(error, Uncompilable) and error.__cause__ is not None:
        code, error = "syntax_error", error.__cause__
    elif isinstance(error, Missing):
        code = error.code
    elif isinstance(error, MemoryError):
        code = "memory_limit"
    elif isinstance(error, KeyboardInterrupt):
        exit_code = 130
    return Outcome(None, _describe(error, code, own), exit_code)


def _exit(error: SystemExit, own: tuple[str, ...]) -> Outcome:
    status = error.code
    if status is None or status == 0:
        return Outcome()
    if not isinstance(status, int):
        print(status, file=sys.stderr)
        status = 1
    described = _describe(error, "execution_failed", own)
    described["message"] = f"exited with status {status}" if error.code == status else str(error.code)
    return Outcome(None, described, status)


def _describe(error: BaseException, code: str, own: tuple[str, ...]) -> dict[str, Any]:
    shown = traceback.TracebackException.from_exception(error, compact=True)
    line = _keep_own(shown, own, [])
    if code == "syntax_error":
        line = getattr(error, "lineno", None)
    try:
        message = str(error)
    except BaseException:
        message = f"<unprintable {type(error).__name__}>"
    if isinstance(error, SyntaxError):
        message = error.msg or message
    text = "".join(shown.format())
    return {"code": code, "type": type(error).__name__, "message": message, "traceback": text, "line": line}


def _keep_own(shown: traceback.TracebackException, own: tuple[str, ...], seen: list[int]) -> int | None:
    """Drop foreign frames from an exception and from those it is chained to; give the innermost line of its own."""
    seen.append(id(shown))
    frames = [frame for frame in shown.stack if frame.filename.startswith(own)]
    shown.stack = traceback.StackSummary.from_list(frames)
    for chained in (shown.__cause__, shown.__context__, *(getattr(shown, "exceptions", None) or ())):
        if chained is not None and id(chained) not in seen:
            _keep_own(chained, own, seen)
    return frames[-1].lineno if frames else None
