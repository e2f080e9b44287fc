"""Bounds of what the operators of Python make of bounded values."""

from __future__ import annotations

import ast

from lithium_script.analysis.bounds import (
    FLOAT,
    FLOAT_MAGNITUDE,
    MAX_MAGNITUDE,
    NONE,
    Bound,
    Unproven,
    joined,
    several,
    text,
    whole,
)


def combined(operator: ast.operator, left: Bound, right: Bound) -> Bound:
    """Bound ``left operator right``; raise ``Unproven`` where its size or kind cannot be told."""
    kinds = (left.kind, right.kind)
    if isinstance(operator, ast.Mult) and "int" in kinds and ({"str", "seq"} & set(kinds)):
        return _repeated(*((left, right) if kinds[1] == "int" else (right, left)))
    if isinstance(operator, ast.Add) and kinds == ("str", "str"):
        return text(left.size + right.size)
    if isinstance(operator, ast.Add) and kinds == ("seq", "seq"):
        return several(left.size + right.size, joined([b.item for b in (left, right) if b.item is not None]))
    if kinds == ("int", "int"):
        return _whole_operation(operator, left.size, right.size)
    if set(kinds) <= {"int", "float"} and not isinstance(operator, ast.LShift | ast.RShift | ast.MatMult):
        return FLOAT
    raise Unproven("an operation on values of unknown kind")


def _repeated(sequence: Bound, count: Bound) -> Bound:
    if sequence.kind == "str":
        return text(sequence.size * count.size)
    return several(sequence.size * count.size, sequence.item or NONE)


def maybe_fraction(operator: ast.operator, bound: Bound) -> Bound:
    """Widen a power whose exponent may be negative: it may be a float, and so divide into one of any size."""
    if isinstance(operator, ast.Pow) and bound.kind == "int":
        return whole(max(bound.size, FLOAT_MAGNITUDE))
    return bound


def _whole_operation(operator: ast.operator, left: int, right: int) -> Bound:
    if isinstance(operator, ast.Add | ast.Sub):
        return whole(left + right)
    if isinstance(operator, ast.Mult):
        return whole(left * right)
    if isinstance(operator, ast.Div):
        return FLOAT
    if isinstance(operator, ast.FloorDiv):
        # Where the divisor may be a tiny float, the quotient is a float of any size.
        return whole(left + 1 if right < FLOAT_MAGNITUDE else max(left + 1, FLOAT_MAGNITUDE))
    if isinstance(operator, ast.RShift):
        return whole(left)
    if isinstance(operator, ast.Mod):
        return whole(max(left, right))
    if isinstance(operator, ast.BitAnd | ast.BitOr | ast.BitXor):
        return whole(1 << max(left.bit_length(), right.bit_length()))
    if isinstance(operator, ast.LShift | ast.Pow):
        bits = left.bit_length() * right if isinstance(operator, ast.Pow) else left.bit_length() + right
        if bits <= MAX_MAGNITUDE.bit_length():
            return whole(max(left, 1) ** right if isinstance(operator, ast.Pow) else left << right)
    raise Unproven("a power or shift without a small bound")
