"""Makes a safe version of a refused script: each refused statement raises ``PermissionError`` in its place."""

from __future__ import annotations

import ast

from lithium_script.analysis.findings import Danger


def without_refused(tree: ast.Module, refused: tuple[Danger, ...]) -> str:
    """Give the text of ``tree`` with the smallest statements that hold the dangers replaced; comments are lost."""
    return ast.unparse(ast.fix_missing_locations(_Replacement(refused).visit(tree)))


class _Replacement(ast.NodeTransformer):
    def __init__(self, refused: tuple[Danger, ...]) -> None:
        self._refused = refused

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, None)
            if isinstance(body, list):
                setattr(node, name, [self._replaced(statement) for statement in body])
        for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            self.generic_visit(part)
        return node

    def _replaced(self, statement: ast.stmt) -> ast.stmt:
        danger = next((danger for danger in self._refused if _stands_in(statement, danger)), None)
        if danger is None:
            self.generic_visit(statement)
            return statement
        message = ast.Constant(f"{danger.rule}: {danger.reason}")
        return ast.Raise(ast.Call(ast.Name("PermissionError", ast.Load()), [message], []), None)


def _stands_in(statement: ast.stmt, danger: Danger) -> bool:
    """Tell whether the danger stands in the statement itself, and not in a block within it."""
    place = (danger.line, danger.column)
    if not _holds(statement, place):
        return False
    blocks = [*getattr(statement, "body", ()), *getattr(statement, "orelse", ()), *getattr(statement, "finalbody", ())]
    for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        blocks += part.body
    return not any(isinstance(block, ast.stmt) and _holds(block, place) for block in blocks)


def _holds(node: ast.stmt, place: tuple[int, int]) -> bool:
    first = min((d.lineno for d in getattr(node, "decorator_list", ())), default=node.lineno)
    start = (first, 0) if first < node.lineno else (node.lineno, node.col_offset)
    return start <= place < (node.end_lineno or node.lineno, node.end_col_offset or 0)
