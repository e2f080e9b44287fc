"""Bounds of expressions: what each operation can make of its operands at most, and what that can cost."""

from __future__ import annotations

import ast
import re
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager

from lithium_script.analysis import purecalls
from lithium_script.analysis.arithmetic import combined, maybe_fraction
from lithium_script.analysis.bounds import (
    BOOL,
    FLOAT,
    NONE,
    UNKNOWN,
    Bound,
    Unproven,
    collection,
    join,
    joined,
    known,
    several,
    text,
    whole,
)
from lithium_script.analysis.purebuiltins import BUILTINS

_SMALL_FORMAT = re.compile(r"(.?[<>=^])?[-+ ]?#?0?(\d{1,2})?[,_]?(\.\d{1,2})?[bcdeEfFgGnosxX%]?")


class Expressions(ABC):
    """The bounds of names, and of expressions over them."""

    def __init__(self) -> None:
        self.names: dict[str, Bound] = {}

    @abstractmethod
    def charge(self, cells: int) -> None:
        """Add the cost of one step over so many cells; raise ``Unproven`` above the budget."""

    @abstractmethod
    def repeated(self, times: int) -> AbstractContextManager[None]:
        """Have each step within the block cost ``times`` as much."""

    @abstractmethod
    def bind(self, target: ast.expr, value: Bound) -> None:
        """Set what ``target`` names."""

    def value(self, node: ast.expr) -> Bound:
        """Bound ``node``; raise ``Unproven`` where that cannot be done."""
        self.charge(0)
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise Unproven(f"uses an expression that is not proven: {type(node).__name__.lower()}")
        bound: Bound = method(node)
        return bound

    def name(self, identifier: str) -> Bound:
        if identifier.startswith("__"):
            raise Unproven("uses a special name")
        bound = self.names.get(identifier)
        if bound is None:
            return Bound("function", name=identifier) if identifier in BUILTINS else UNKNOWN
        return bound

    def item_of(self, bound: Bound) -> Bound:
        if known(bound).kind == "str":
            return text(1)
        if bound.kind not in ("seq", "dict") or bound.item is None:
            raise Unproven("takes items of a value of unknown shape")
        return bound.item

    def part_of(self, bound: Bound, index: int, count: int) -> Bound:
        """Bound one of ``count`` parts that a value is unpacked into."""
        if bound.kind == "seq" and bound.parts is not None and len(bound.parts) == count:
            return bound.parts[index]
        return self.item_of(bound)

    def length_of(self, bound: Bound) -> int:
        if known(bound).kind not in ("seq", "dict", "str"):
            raise Unproven("goes through a value of unknown shape")
        return bound.size

    def operation(self, operator: ast.operator, left: Bound, right: Bound) -> Bound:
        """Bound ``left operator right`` and charge for it."""
        self.charge(known(left).cells + known(right).cells)
        return combined(operator, left, right)

    def _constant(self, node: ast.Constant) -> Bound:
        value = node.value
        if value is None:
            return NONE
        if isinstance(value, int):
            return whole(abs(int(value)))
        if isinstance(value, float | complex):
            return FLOAT
        if isinstance(value, str):
            return text(len(value))
        raise Unproven("uses bytes or an ellipsis")

    def _name(self, node: ast.Name) -> Bound:
        return self.name(node.id)

    def _binop(self, node: ast.BinOp) -> Bound:
        bound = self.operation(node.op, self.value(node.left), self.value(node.right))
        literal = isinstance(node.right, ast.Constant)
        return bound if literal else maybe_fraction(node.op, bound)

    def _unaryop(self, node: ast.UnaryOp) -> Bound:
        operand = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            return BOOL
        if known(operand).kind not in ("int", "float"):
            raise Unproven("an operation on values of unknown kind")
        self.charge(operand.cells)
        return FLOAT if operand.kind == "float" else whole(operand.size + isinstance(node.op, ast.Invert))

    def _boolop(self, node: ast.BoolOp) -> Bound:
        return joined([self.value(part) for part in node.values])

    def _compare(self, node: ast.Compare) -> Bound:
        operands = [self.value(part) for part in (node.left, *node.comparators)]
        if not all(isinstance(operator, ast.Is | ast.IsNot) for operator in node.ops):
            for operand in operands:
                self.charge(known(operand).cells)
        return BOOL

    def _ifexp(self, node: ast.IfExp) -> Bound:
        self.value(node.test)
        return join(self.value(node.body), self.value(node.orelse))

    def _tuple(self, node: ast.Tuple) -> Bound:
        return self._collection(node.elts)

    def _list(self, node: ast.List) -> Bound:
        return self._collection(node.elts)

    def _set(self, node: ast.Set) -> Bound:
        bound = self._collection(node.elts)
        self.charge(purecalls.hashing_cells(bound.size))
        return several(bound.size, bound.item or NONE)

    def _collection(self, elements: list[ast.expr]) -> Bound:
        bound = collection([self.value(element) for element in elements])
        self.charge(bound.cells)
        return bound

    def _dict(self, node: ast.Dict) -> Bound:
        keys = [self.value(key) for key in node.keys if key is not None]
        if len(keys) < len(node.keys):
            raise Unproven("merges dictionaries")
        values = [self.value(value) for value in node.values]
        bound = purecalls.mapping(len(keys), joined(keys), joined(values))
        self.charge(bound.cells + purecalls.hashing_cells(bound.size))
        return bound

    def _subscript(self, node: ast.Subscript) -> Bound:
        container = known(self.value(node.value))
        if isinstance(node.slice, ast.Slice):
            for part in (node.slice.lower, node.slice.upper, node.slice.step):
                if part is not None:
                    known(self.value(part))
            if container.kind not in ("str", "seq"):
                raise Unproven("takes items of a value of unknown shape")
            self.charge(container.cells)
            return text(container.size) if container.kind == "str" else several(container.size, container.item or NONE)
        self.charge(known(self.value(node.slice)).cells)
        if container.kind == "dict":
            return purecalls.value_of(container)
        return self.item_of(container)

    def _joinedstr(self, node: ast.JoinedStr) -> Bound:
        length = 0
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                length += self._formatted(part)
            else:
                length += self.value(part).size
        self.charge(length)
        return text(length)

    def _formatted(self, node: ast.FormattedValue) -> int:
        bound = known(self.value(node.value))
        if node.format_spec is None:
            return bound.text_length
        parts = node.format_spec.values if isinstance(node.format_spec, ast.JoinedStr) else []
        spec = "".join(part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str))
        if any(not isinstance(part, ast.Constant) for part in parts) or not _SMALL_FORMAT.fullmatch(spec):
            raise Unproven("a format without a small constant width")
        # Binary digits and thousands separators make at most twelve characters of eight bits.
        return bound.text_length + 200

    def _attribute(self, node: ast.Attribute) -> Bound:
        owner = self.value(node.value)
        if owner.kind != "module" or node.attr not in purecalls.MODULES[owner.name]:
            raise Unproven(f"uses an attribute that is not proven: {node.attr}")
        dotted = f"{owner.name}.{node.attr}"
        return purecalls.CONSTANTS.get(dotted, Bound("function", name=dotted))
