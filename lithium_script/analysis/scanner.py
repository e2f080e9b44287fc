"""One walk over the syntax tree of a Python script: what it imports and defines, and which rules it meets."""

from __future__ import annotations

import ast
from collections.abc import Callable

from lithium_script.analysis.checks import CHECKS, escapes
from lithium_script.analysis.findings import WARNING, Danger
from lithium_script.analysis.names import Names
from lithium_script.analysis.rules import Rule, load_rules
from lithium_script.analysis.walking import Step, children, optional

_LOOPS = frozenset({ast.While, ast.For, ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp})
_HARMLESS_LOOKUPS = ("getattr", "__import__", "importlib.import_module", "operator.attrgetter", "operator.methodcaller")


class Scanner:
    """One scan of one script."""

    def __init__(self, source: str) -> None:
        self.rules = load_rules()
        self.names = Names(self.rules)
        self.dangers: list[Danger] = []
        self.imports: dict[str, None] = {}
        self.functions: list[str] = []
        self._source = source
        self._lines: list[str] | None = None
        self._loops: list[ast.AST] = []
        self._found: set[tuple[str, int, int]] = set()
        # Functions found to be called, which a rule on any use of them then need not report again.
        self._called: set[int] = set()
        self._handlers: dict[type[ast.AST], Callable[..., list[Step] | None]] = {
            ast.Import: self._import,
            ast.ImportFrom: self._import_from,
            ast.Assign: self._assign,
            ast.NamedExpr: self._walrus,
            ast.FunctionDef: self._function,
            ast.AsyncFunctionDef: self._function,
            ast.Lambda: self._lambda,
            ast.Call: self._call,
            ast.Name: self._name,
            ast.Attribute: self._attribute,
            ast.Subscript: self._subscript,
            ast.Constant: self._constant,
            ast.MatchClass: self._pattern,
        }

    def scan(self, tree: ast.Module) -> None:
        """Walk ``tree`` in the order of its text, without recursion."""
        stack: list[Step] = [tree]
        while stack:
            node = stack.pop()
            if not isinstance(node, ast.AST):
                node()
                continue
            kind = type(node)
            handler = self._handlers.get(kind)
            following = handler(node) if handler is not None else None
            if following is None:
                following = children(node)
                if kind in _LOOPS:
                    self._loops.append(node)
                    stack.append(self._leave_loop)
            following.reverse()
            stack += following

    def _leave_loop(self) -> None:
        self._loops.pop()

    def report(self, rule: Rule, command: str, node: ast.expr | ast.stmt | ast.pattern) -> None:
        """Add the danger of ``rule`` once for each place."""
        key = (rule.name, node.lineno, node.col_offset)
        if key in self._found:
            return
        self._found.add(key)
        if self._lines is None:
            self._lines = self._source.splitlines()
        line = self._lines[node.lineno - 1].strip()[:200] if node.lineno <= len(self._lines) else ""
        self.dangers.append(
            Danger(rule.category, command, rule.reason, rule.severity, node.lineno, node.col_offset, line, rule.name)
        )

    def _module(self, module: str, node: ast.expr | ast.stmt) -> None:
        self.imports[module] = None
        self.names.modules.add(module)
        for rule in self.rules.matching("import", module):
            self.report(rule, module, node)

    def _import(self, node: ast.Import) -> list[Step]:
        for alias in node.names:
            self._module(alias.name, node)
            self.names.modules.add(alias.name.partition(".")[0])
            name = alias.asname or alias.name.partition(".")[0]
            self.names.dotted[name] = alias.name if alias.asname else name
        return []

    def _import_from(self, node: ast.ImportFrom) -> list[Step]:
        module = "." * node.level + (node.module or "")
        self._module(module, node)
        if any(alias.name == "*" for alias in node.names):
            self.names.dotted.update({name: f"{module}.{name}" for name in self.rules.members(module)})
            return []
        for alias in node.names:
            dotted = self.names.member(module, alias.name)
            self.names.dotted[alias.asname or alias.name] = dotted
            if "." not in dotted or self.rules.names_module(dotted):
                self._module(dotted, node)
            self._private(dotted, node)
            for rule in self.rules.matching("use", dotted):
                self.report(rule, dotted, node)
        return []

    def _assign(self, node: ast.Assign) -> list[Step]:
        targets = [target.id for target in node.targets if isinstance(target, ast.Name)]
        others = [target for target in node.targets if not isinstance(target, ast.Name)]

        def bind() -> None:
            for name in targets:
                self.names.bind(name, node.value)
            for target in others:
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    for part, value in zip(target.elts, node.value.elts, strict=False):
                        if isinstance(part, ast.Name):
                            self.names.bind(part.id, value)

        return [node.value, *others, bind]

    def _walrus(self, node: ast.NamedExpr) -> list[Step]:
        return [node.value, lambda: self.names.bind(node.target.id, node.value)]

    def _function(self, node: ast.FunctionDef) -> list[Step]:
        self.functions.append(node.name)
        self._loops.append(node)
        return [*node.decorator_list, *self._scope(node.args, [*optional(node.returns), *node.body]), self._leave_loop]

    def _lambda(self, node: ast.Lambda) -> list[Step]:
        return self._scope(node.args, [node.body])

    def _scope(self, arguments: ast.arguments, body: list[ast.AST]) -> list[Step]:
        outer: dict[str, str | None] = {}
        names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
        names += [a.arg for a in (arguments.vararg, arguments.kwarg) if a is not None]

        def enter() -> None:
            outer.update({name: self.names.dotted.get(name) for name in names})
            for name in names:
                self.names.bind(name, None)

        def leave() -> None:
            self.names.dotted.update(outer)

        return [arguments, enter, *body, leave]

    def _call(self, node: ast.Call) -> None:
        name = self.names.resolve(node.func)
        if name is not None:
            for rule in self.rules.matching("call", name):
                if rule.check is None or CHECKS[rule.check](self.names, node, self._loops):
                    self.report(rule, name, node)
            if name in _HARMLESS_LOOKUPS:
                self._lookup(name, node)
        target = self.names.resolve(node)
        if target is not None and not target.endswith("()"):
            if self.names.imported(node) is not None:
                self._module(target, node)
            else:
                self._use(target, node)

    def _lookup(self, name: str, node: ast.Call) -> None:
        """Judge a look-up by the constant it is given; one that is not constant stays a use of the function."""
        index = 1 if name == "getattr" else 0
        constants = [self.names.constant(argument) for argument in node.args[index : index + 1]]
        if not constants or not isinstance(constants[0], str):
            return
        self._called.add(id(node.func))
        for attribute in constants[0].split("."):
            chain = self.names.chain(node.args[0]) if name == "getattr" else ()
            if not name.startswith(("__import__", "importlib")):
                self._by_attribute(attribute, chain, node)

    def _name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            name = self.names.resolve(node)
            if name is not None and id(node) not in self._called:
                self._use(name, node)
        elif isinstance(node.ctx, ast.Store) and node.id in self.names.dotted:
            self.names.bind(node.id, None)

    def _attribute(self, node: ast.Attribute) -> None:
        name = self.names.resolve(node)
        if name is not None and id(node) not in self._called:
            self._use(name, node)
        self._by_attribute(node.attr, self.names.chain(node.value), node)

    def _subscript(self, node: ast.Subscript) -> None:
        name = self.names.resolve(node)
        if name is not None:
            self._use(name, node)
        chain, key = self.names.chain(node.value), self.names.constant(node.slice)
        if chain and chain[-1] in ("__globals__", "f_globals", "f_builtins", "__dict__") and isinstance(key, str):
            if key == "__builtins__":
                for rule in self.rules.matching("attribute", "__globals__"):
                    self.report(rule, f"{chain[-1]}[{key!r}]", node)
            else:
                self._by_attribute(key, chain, node)

    def _use(self, name: str, node: ast.expr) -> None:
        for rule in self.rules.matching("use", name):
            self.report(rule, name, node)
        if name not in self.names.modules and self.rules.names_module(name):
            self._module(name, node)
        self._private(name, node)

    def _private(self, name: str, node: ast.expr | ast.stmt) -> None:
        module, *members = name.split(".")
        if module in self.names.modules and any(part.startswith("_") and not part.endswith("__") for part in members):
            for rule in self.rules.matching("private", "any"):
                self.report(rule, name, node)

    def _by_attribute(self, attribute: str, chain: tuple[str, ...], node: ast.expr) -> None:
        for rule in self.rules.matching("attribute", attribute):
            if rule.check is None or escapes(attribute, chain):
                self.report(rule, attribute, node)

    def _constant(self, node: ast.Constant) -> list[Step]:
        value = node.value
        if isinstance(value, str | bytes) and len(value) >= 20:
            text = value if isinstance(value, str) else value.decode("latin-1")
            for rule in self.rules.texts:
                if rule.pattern is not None and (match := rule.pattern.search(text)):
                    # The secret itself is not repeated.
                    self.report(rule, match.group()[:4] + "...", node)
        return []

    def _pattern(self, node: ast.MatchClass) -> None:
        for attribute in node.kwd_attrs:
            for rule in self.rules.matching("attribute", attribute):
                if rule.severity == WARNING:
                    self.report(rule, attribute, node)
