"""The steps of a walk over a syntax tree: its nodes, and what is to be done between them."""

from __future__ import annotations

import ast
from collections.abc import Callable

_ABSTRACT = (ast.expr_context, ast.operator, ast.boolop, ast.cmpop, ast.unaryop)
# Nodes that no rule is on; looked up by type, as this is done for every node of every script.
_SKIPPED = frozenset(
    {kind for base in _ABSTRACT for kind in base.__subclasses__()} | {ast.Pass, ast.Break, ast.Continue}
)

Step = ast.AST | Callable[[], None]
"""A node to visit, or a function to call once all that comes before it has been visited."""


def optional(node: ast.AST | None) -> list[ast.AST]:
    """Give the node as a list of one, or of none."""
    return [] if node is None else [node]


def children(node: ast.AST) -> list[Step]:
    """List the parts of ``node`` that rules may be on, in the order of the text."""
    found: list[Step] = []
    for name in node._fields:
        value = getattr(node, name, None)
        if type(value) is list:
            found += [part for part in value if isinstance(part, ast.AST) and type(part) not in _SKIPPED]
        elif isinstance(value, ast.AST) and type(value) not in _SKIPPED:
            found.append(value)
    return found
