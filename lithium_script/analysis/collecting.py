"""Bounds of comprehensions and calls: the parts of an expression that repeat work or hand it to known functions."""

from __future__ import annotations

import ast

from lithium_script.analysis import purecalls
from lithium_script.analysis.bounds import NONE, Bound, Unproven, known, several
from lithium_script.analysis.expressions import Expressions
from lithium_script.analysis.purebuiltins import BUILTINS

_LAZY_CONSUMERS = frozenset({"sum", "min", "max", "any", "all", "list", "tuple", "set", "sorted"})
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


def check_settable(name: str) -> None:
    """Raise ``Unproven`` for a name that must keep its meaning, as it may be set on one path and used on another."""
    if name.startswith("__") or name in BUILTINS:
        raise Unproven("sets a name that has a meaning of its own")


class Collecting(Expressions):
    """Expressions with comprehensions and calls."""

    def _listcomp(self, node: ast.ListComp) -> Bound:
        return self._comprehension(node)

    def _setcomp(self, node: ast.SetComp) -> Bound:
        return self._comprehension(node)

    def _dictcomp(self, node: ast.DictComp) -> Bound:
        return self._comprehension(node)

    def _comprehension(self, node: _COMPREHENSIONS) -> Bound:
        outer = dict(self.names)
        try:
            bound = self._generated(node, 0, 1)
            if isinstance(node, ast.SetComp | ast.DictComp):
                self.charge(purecalls.hashing_cells(bound.size))
            return bound
        finally:
            self.names = outer

    def _generated(self, node: _COMPREHENSIONS, index: int, total: int) -> Bound:
        if index == len(node.generators):
            if isinstance(node, ast.DictComp):
                return purecalls.mapping(total, self.value(node.key), self.value(node.value))
            bound = several(total, self.value(node.elt))
            self.charge(known(bound.item or NONE).cells)
            return bound
        generator = node.generators[index]
        if generator.is_async:
            raise Unproven("waits")
        source = self.value(generator.iter)
        times = self.length_of(source)
        with self.repeated(times):
            self.names.update(self._targets(generator.target, self.item_of(source)))
            for condition in generator.ifs:
                self.value(condition)
            return self._generated(node, index + 1, total * times)

    def _targets(self, target: ast.expr, item: Bound) -> dict[str, Bound]:
        if isinstance(target, ast.Name):
            check_settable(target.id)
            return {target.id: item}
        if not isinstance(target, ast.Tuple):
            raise Unproven("changes a value in place")
        names: dict[str, Bound] = {}
        for index, part in enumerate(target.elts):
            names.update(self._targets(part, self.part_of(item, index, len(target.elts))))
        return names

    def _call(self, node: ast.Call) -> Bound:
        if isinstance(node.func, ast.Attribute):
            owner = self.value(node.func.value)
            if owner.kind != "module":
                arguments = self._arguments(node, lazy=node.func.attr == "join")
                self.charge(known(owner).cells * (1 + len(arguments)) + sum(known(a).cells for a in arguments))
                bound = purecalls.method(owner, node.func.attr, arguments)
                self.charge(bound.cells)
                return bound
        function = self.value(node.func)
        if function.kind != "function":
            raise Unproven("calls what is not proven")
        arguments = self._arguments(node, lazy=function.name in _LAZY_CONSUMERS, function=function.name)
        cells = sum(known(argument).cells for argument in arguments)
        self.charge(cells * purecalls.cost_factor(function.name))
        if function.name == "set" and arguments:
            self.charge(purecalls.hashing_cells(arguments[0].size))
        bound = purecalls.call(function.name, arguments, node.args)
        self.charge(bound.cells)
        return bound

    def _arguments(self, node: ast.Call, lazy: bool, function: str = "") -> list[Bound]:
        for keyword in node.keywords:
            if (function, keyword.arg) not in purecalls.KEYWORDS or not isinstance(keyword.value, ast.Constant):
                raise Unproven("a named argument that is not proven")
            if keyword.arg in ("sep", "end") and len(str(keyword.value.value)) > 20:
                raise Unproven("a named argument that is not proven")
        bounds = []
        for argument in node.args:
            # Anywhere else it would be run later, when the names it uses may have outgrown their bounds.
            if isinstance(argument, ast.GeneratorExp) and lazy:
                bounds.append(self._comprehension(argument))
            else:
                bounds.append(self.value(argument))
        return bounds
