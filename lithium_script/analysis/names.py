"""What names stand for: dotted names through imports, assignments, ``getattr`` and ``__import__``, and constants.

Scopes are followed loosely: the latest binding in the order of the text counts, and a function's arguments end with it.
Names of built-in functions stand for them even where the script sets them, as it may do so only on some path.
"""

from __future__ import annotations

import ast
import builtins
import sys
from dataclasses import dataclass, field

from lithium_script.analysis.rules import Rules

_BUILTINS = frozenset({*dir(builtins), "__builtins__"})
_IMPORTERS = ("__import__", "importlib.import_module", "importlib.__import__")
_NAMESPACES = ("builtins", "__builtins__", "globals()", "locals()")


@dataclass(slots=True)
class Names:
    """The names bound so far."""

    rules: Rules
    dotted: dict[str, str | None] = field(default_factory=dict)
    constants: dict[str, str | int] = field(default_factory=dict)
    chains: dict[str, tuple[str, ...]] = field(default_factory=dict)
    modules: set[str] = field(default_factory=set)

    def bind(self, name: str, value: ast.expr | None) -> None:
        """Let ``name`` stand for ``value`` from now on; None for a value that is not known."""
        dotted = self.resolve(value) if value is not None else None
        constant = self.constant(value) if value is not None else None
        self.chains.pop(name, None)
        if isinstance(value, ast.Attribute | ast.Subscript | ast.Call) and (chain := self.chain(value)):
            self.chains[name] = chain
        if dotted is not None or name not in _BUILTINS:
            self.dotted[name] = dotted
        self.constants.pop(name, None)
        if constant is not None:
            self.constants[name] = constant

    def resolve(self, node: ast.expr) -> str | None:
        """Give the dotted name that ``node`` stands for; a call of one ends in ``()``."""
        if isinstance(node, ast.Name):
            return self.dotted.get(node.id) or (node.id if node.id in _BUILTINS else None)
        if isinstance(node, ast.Attribute):
            base = self.resolve(node.value)
            return None if base is None else self.member(base, node.attr)
        if isinstance(node, ast.Subscript):
            base, key = self.resolve(node.value), self.constant(node.slice)
            if base is not None and isinstance(key, str):
                return self.member(base, key)
        if isinstance(node, ast.Call):
            return self._resolve_call(node)
        if isinstance(node, ast.NamedExpr):
            return self.resolve(node.value)
        return None

    def member(self, base: str, attribute: str) -> str:
        """Name the member of what ``base`` stands for."""
        if base == "sys.modules":
            return attribute
        if base in _NAMESPACES:
            return self.dotted.get(attribute) or attribute
        if attribute == "__dict__":
            return base
        name = f"{base}.{attribute}"
        if attribute in sys.stdlib_module_names and (base in self.modules or base in self.rules.pooled_imports):
            # A module that another happens to have imported, such as json.codecs, is that module.
            own = attribute == base.rpartition(".")[2] or name in self.rules.submodules or name in self.modules
            return name if own else attribute
        return name

    def imported(self, call: ast.Call) -> str | None:
        """Name the module that ``call`` imports, where it is a call that imports a constant name."""
        if not call.args or self.resolve(call.func) not in _IMPORTERS:
            return None
        module = self.constant(call.args[0])
        return module if isinstance(module, str) else None

    def _resolve_call(self, node: ast.Call) -> str | None:
        function = self.resolve(node.func)
        if function is None:
            return None
        module = self.imported(node)
        if module is not None:
            return module.partition(".")[0] if function == "__import__" else module
        if function == "getattr" and len(node.args) >= 2:
            base, attribute = self.resolve(node.args[0]), self.constant(node.args[1])
            return self.member(base, attribute) if base is not None and isinstance(attribute, str) else None
        if function == "vars" and node.args:
            return self.resolve(node.args[0])
        return f"{function}()"

    def constant(self, node: ast.expr) -> str | int | None:
        """Give the text or whole number that ``node`` is, where that can be read off."""
        if isinstance(node, ast.Constant):
            if isinstance(node.value, bytes):
                return node.value.decode("latin-1")
            return node.value if isinstance(node.value, str | int) else None
        if isinstance(node, ast.Name):
            return self.constants.get(node.id)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            value = self.constant(node.operand)
            return -value if isinstance(value, int) else None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = self.constant(node.left), self.constant(node.right)
            if isinstance(left, str) and isinstance(right, str) and len(left) + len(right) < 10_000:
                return left + right
        if isinstance(node, ast.JoinedStr):
            parts = [self.constant(p.value if isinstance(p, ast.FormattedValue) else p) for p in node.values]
            return "".join(map(str, parts)) if None not in parts else None
        return None

    def chain(self, node: ast.expr) -> tuple[str, ...]:
        """List the attributes that lead to ``node``, after what they start from where that tells something."""
        found: list[str] = []
        while True:
            if isinstance(node, ast.Attribute):
                found.append(node.attr)
                node = node.value
            elif isinstance(node, ast.Subscript):
                node = node.value
            elif isinstance(node, ast.Call):
                name = self.constant(node.args[1]) if len(node.args) >= 2 else None
                if isinstance(node.func, ast.Name) and node.func.id == "getattr" and isinstance(name, str):
                    found.append(name)
                    node = node.args[0]
                elif isinstance(node.func, ast.Name) and node.func.id == "type" and node.args:
                    found.append("__class__")
                    node = node.args[0]
                else:
                    node = node.func
            else:
                break
        if isinstance(node, ast.Constant | ast.Tuple | ast.List | ast.Dict | ast.Set):
            found.append("<literal>")
        elif isinstance(node, ast.Name):
            found += reversed(self.chains.get(node.id, ("<object>",) if node.id == "object" else ()))
        return tuple(reversed(found))
