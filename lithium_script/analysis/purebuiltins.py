"""Bounds of what Python's own functions give back, for those that a proof of purity knows."""

from __future__ import annotations

from collections.abc import Callable

from lithium_script.analysis.bounds import (
    BOOL,
    FLOAT,
    FLOAT_MAGNITUDE,
    MAX_CELLS,
    NONE,
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

_MAX_DIGITS = 300


def number(bound: Bound) -> Bound:
    """Give back the bound of a number; raise ``Unproven`` for anything else."""
    if known(bound).kind not in ("int", "float"):
        raise Unproven("an operation on values of unknown kind")
    return bound


def _items(bound: Bound) -> Bound:
    if known(bound).kind == "str":
        return text(1)
    if bound.kind not in ("seq", "dict"):
        raise Unproven("goes through a value of unknown shape")
    return bound.item or NONE


def _range(arguments: list[Bound]) -> Bound:
    if not 1 <= len(arguments) <= 3 or any(argument.kind != "int" for argument in arguments):
        raise Unproven("a range of unknown size")
    length = sum(argument.size for argument in arguments[:2])
    if length > MAX_CELLS:
        raise Unproven("a range without a small bound")
    # Its numbers are made as they are asked for, and lie between its ends.
    return Bound("seq", length, whole(max(argument.size for argument in arguments[:2])), total=min(length, MAX_CELLS))


def _sum(arguments: list[Bound]) -> Bound:
    numbers = joined([number(_items(arguments[0]))] if arguments and arguments[0].size else [BOOL])
    start = number(arguments[1]) if len(arguments) > 1 else BOOL
    if "float" in (numbers.kind, start.kind):
        return join(FLOAT, whole(FLOAT_MAGNITUDE))
    return whole(numbers.size * arguments[0].size + start.size)


def _whole_of(arguments: list[Bound]) -> Bound:
    if len(arguments) != 1:
        raise Unproven("reads a number in another base")
    bound = known(arguments[0])
    if bound.kind == "str":
        if bound.size > _MAX_DIGITS:
            raise Unproven("reads a number without a small bound")
        return whole(10**bound.size)
    return whole(FLOAT_MAGNITUDE if number(bound).kind == "float" else bound.size)


def _extreme(arguments: list[Bound]) -> Bound:
    return joined(arguments) if len(arguments) > 1 else _items(arguments[0])


def _sequence(arguments: list[Bound]) -> Bound:
    if not arguments:
        return several(0, NONE)
    return several(known(arguments[0]).size, _items(arguments[0]))


def _zip(arguments: list[Bound]) -> Bound:
    items = [_items(argument) for argument in arguments]
    return several(min((argument.size for argument in arguments), default=0), collection(items))


def _enumerate(arguments: list[Bound]) -> Bound:
    if len(arguments) != 1:
        raise Unproven("a count from an unknown start")
    return several(arguments[0].size, collection([whole(arguments[0].size), _items(arguments[0])]))


def _absolute(arguments: list[Bound]) -> Bound:
    return FLOAT if number(arguments[0]).kind == "float" else whole(arguments[0].size)


def _nearest(arguments: list[Bound]) -> Bound:
    return whole(FLOAT_MAGNITUDE if number(arguments[0]).kind == "float" else arguments[0].size)


def _digits(arguments: list[Bound]) -> Bound:
    return text(number(arguments[0]).size.bit_length() + 3)


def _text_of(arguments: list[Bound]) -> Bound:
    return text(sum(argument.text_length for argument in arguments[:1]))


def _character(arguments: list[Bound]) -> Bound:
    return text(1)


def _parts_of_division(arguments: list[Bound]) -> Bound:
    numbers = joined([number(argument) for argument in arguments])
    if numbers.kind == "float":
        return collection([FLOAT, FLOAT])
    return collection([whole(numbers.size + 1), whole(numbers.size)])


def _length(arguments: list[Bound]) -> Bound:
    return whole(arguments[0].size if _items(arguments[0]) else 0)


def _truth(arguments: list[Bound]) -> Bound:
    return BOOL


def _real(arguments: list[Bound]) -> Bound:
    return FLOAT


def _code_point(arguments: list[Bound]) -> Bound:
    return whole(0x10FFFF)


def _printed(arguments: list[Bound]) -> Bound:
    text(sum(argument.text_length for argument in arguments))
    return NONE


BUILTINS: dict[str, Callable[[list[Bound]], Bound]] = {
    "abs": _absolute,
    "all": _truth,
    "any": _truth,
    "bin": _digits,
    "bool": _truth,
    "chr": _character,
    "divmod": _parts_of_division,
    "enumerate": _enumerate,
    "float": _real,
    "hex": _digits,
    "int": _whole_of,
    "len": _length,
    "list": _sequence,
    "max": _extreme,
    "min": _extreme,
    "oct": _digits,
    "ord": _code_point,
    "print": _printed,
    "range": _range,
    "repr": _text_of,
    "reversed": _sequence,
    "round": _nearest,
    "set": _sequence,
    "sorted": _sequence,
    "str": _text_of,
    "sum": _sum,
    "tuple": _sequence,
    "zip": _zip,
}
