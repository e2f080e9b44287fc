"""Proves that a script is pure and bounded, so that it may run inside the service itself.

The proof follows upper bounds of all values through the script (``bounds``) and adds up what each step can cost at
most, loops multiplied out. Whatever it does not know is not proven: there is no list of what is forbidden. Values are
never changed in place, so that a name's bound cannot be outgrown through another name; names that the script has not
certainly set may come from the request and bound nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager

from lithium_script.analysis.arithmetic import maybe_fraction
from lithium_script.analysis.bounds import (
    MAX_ADDED,
    NONE,
    RUNNING_TOTAL,
    Bound,
    Unproven,
    join,
    known,
)
from lithium_script.analysis.collecting import Collecting, check_settable
from lithium_script.analysis.purecalls import CONSTANTS, MODULES

MAX_STEPS = 100_000
"""The most a proven script can cost, in steps of roughly a tenth of a microsecond."""
MAX_PROOF_STEPS = 3_000
"""How much of the script the proof itself may visit, loops it must go round included."""


def unproven_reason(tree: ast.Module) -> str | None:
    """Say in words why ``tree`` is not proven pure and bounded; None where it is."""
    try:
        Proof().run(tree.body)
    except Unproven as error:
        return str(error)
    except RecursionError:
        return "too deeply nested to prove"
    return None


class Proof(Collecting):
    """One proof: the bounds of all names so far, and the cost so far."""

    def __init__(self) -> None:
        super().__init__()
        self._visited = 0
        self._steps = 0
        self._times = 1
        self._uncertain = 0

    def charge(self, cells: int) -> None:
        self._steps += self._times * (1 + cells // 4)
        self._visited += 1
        if self._steps > MAX_STEPS:
            raise Unproven("could take too many steps")
        if self._visited > MAX_PROOF_STEPS:
            raise Unproven("too long to prove")

    @contextmanager
    def repeated(self, times: int) -> Iterator[None]:
        before = self._times
        self._times = before * max(times, 1)
        try:
            yield
        finally:
            self._times = before

    def run(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self.charge(0)
            method = getattr(self, f"_{type(statement).__name__.lower()}", None)
            if method is None:
                raise Unproven(f"uses a statement that is not proven: {type(statement).__name__.lower()}")
            method(statement)

    def bind(self, target: ast.expr, value: Bound) -> None:
        if isinstance(target, ast.Name):
            check_settable(target.id)
            before = self.names.get(target.id)
            self.names[target.id] = join(before, value) if before is not None and self._uncertain else value
        elif isinstance(target, ast.Tuple | ast.List):
            if known(value).kind == "any" or any(isinstance(part, ast.Starred) for part in target.elts):
                raise Unproven("unpacks a value of unknown shape")
            for index, part in enumerate(target.elts):
                self.bind(part, self.part_of(value, index, len(target.elts)))
        else:
            raise Unproven("changes a value in place")

    def _expr(self, statement: ast.Expr) -> None:
        self.value(statement.value)

    def _assign(self, statement: ast.Assign) -> None:
        value = self.value(statement.value)
        for target in statement.targets:
            self.bind(target, value)

    def _annassign(self, statement: ast.AnnAssign) -> None:
        note = statement.annotation
        if not isinstance(note, ast.Name) or note.id in self.names or note.id not in ("int", "float", "str", "bool"):
            raise Unproven("an annotation that is not proven")
        if statement.value is not None:
            self.bind(statement.target, self.value(statement.value))

    def _augassign(self, statement: ast.AugAssign) -> None:
        if not isinstance(statement.target, ast.Name):
            raise Unproven("changes a value in place")
        before = known(self.name(statement.target.id))
        added = known(self.value(statement.value))
        if before.kind not in ("int", "float", "str"):
            raise Unproven("changes a value in place")
        small = before is RUNNING_TOTAL or before.size <= MAX_ADDED
        sums = isinstance(statement.op, ast.Add | ast.Sub) and before.kind == added.kind == "int"
        if self._uncertain and sums and small and added is not RUNNING_TOTAL and added.size <= MAX_ADDED:
            self.charge(before.cells)
            self.bind(statement.target, RUNNING_TOTAL)
        else:
            self.bind(statement.target, maybe_fraction(statement.op, self.operation(statement.op, before, added)))

    def _pass(self, statement: ast.Pass) -> None:
        pass

    def _break(self, statement: ast.Break) -> None:
        pass

    def _continue(self, statement: ast.Continue) -> None:
        pass

    def _assert(self, statement: ast.Assert) -> None:
        self.value(statement.test)
        if statement.msg is not None:
            known(self.value(statement.msg))

    def _import(self, statement: ast.Import) -> None:
        for alias in statement.names:
            if alias.name not in MODULES or self._uncertain:
                raise Unproven(f"imports {alias.name}")
            self.names[alias.asname or alias.name] = Bound("module", name=alias.name)

    def _importfrom(self, statement: ast.ImportFrom) -> None:
        for alias in statement.names:
            dotted = f"{statement.module}.{alias.name}"
            if statement.level or statement.module not in MODULES or alias.name not in MODULES[statement.module]:
                raise Unproven(f"imports {dotted}")
            if self._uncertain:
                raise Unproven("imports under a condition")
            self.names[alias.asname or alias.name] = CONSTANTS.get(dotted, Bound("function", name=dotted))

    def _if(self, statement: ast.If) -> None:
        self.value(statement.test)
        first = self._block(statement.body)
        second = self._block(statement.orelse)
        for name in first.keys() & second.keys():
            self.names[name] = join(first[name], second[name])

    def _for(self, statement: ast.For) -> None:
        loop = self.value(statement.iter)
        times, item = self.length_of(loop), self.item_of(loop)
        for round_number in range(times):
            before = dict(self.names)
            # Once a round changes no bound, none of the others can: they all cost the same.
            with self.repeated(times if round_number == 0 else times - round_number):
                self._block(statement.body, statement.target, item)
            if self.names == before:
                break
        self._block(statement.orelse)

    def _block(self, body: list[ast.stmt], target: ast.expr | None = None, item: Bound = NONE) -> dict[str, Bound]:
        """Go through a block that may run, in part or in whole; give back what it set that was not set before."""
        before = set(self.names)
        self._uncertain += 1
        if target is not None:
            self.bind(target, item)
        self.run(body)
        self._uncertain -= 1
        return {name: self.names.pop(name) for name in list(self.names) if name not in before}
