"""Cyclomatic complexity of a whole script, by mccabe; never on the way of an execution."""

from __future__ import annotations

import ast

from mccabe import PathGraphingAstVisitor


def cyclomatic_complexity(source: str) -> int:
    """Give 1 plus the decisions of every function and block; 0 where the code is nested too deeply to count."""
    visitor = PathGraphingAstVisitor()
    try:
        visitor.preorder(ast.parse(source), visitor)
        return 1 + int(sum(graph.complexity() - 1 for graph in visitor.graphs.values()))
    except (RecursionError, MemoryError):
        return 0
