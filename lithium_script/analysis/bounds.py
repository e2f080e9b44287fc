"""Upper bounds of values, as the proof of purity follows them through a script.

A ``Bound`` says of what kind a value is and how large it can be at most; ``cells`` is a measure of the whole value with
all that it contains, against which the cost of copying, comparing, hashing or printing it is charged.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_MAGNITUDE = 1 << 4096
MAX_CELLS = 20_000
FLOAT_CELLS = 50
FLOAT_MAGNITUDE = 1 << 1024
CHARS_PER_CELL = 12


class Unproven(Exception):
    """The code could not be shown to be pure and bounded; the message says why in words."""


@dataclass(frozen=True, slots=True)
class Bound:
    """``size`` is the largest magnitude of an ``int`` (floats included), the longest length of all else.

    Kinds: ``int``, ``float`` (complex included), ``str``, ``seq`` (any sized or lazy collection without keys),
    ``dict``, ``none``, ``any`` (known to be bounded by ``total`` cells), ``unknown`` (not bounded), ``module`` and
    ``function`` (``name`` tells which).
    """

    kind: str
    size: int = 0
    item: Bound | None = None
    parts: tuple[Bound, ...] | None = None
    total: int = 0
    name: str = ""

    @property
    def cells(self) -> int:
        if self.kind == "int":
            return 4 + self.size.bit_length() // 8
        if self.kind == "float":
            return FLOAT_CELLS
        return 1 + self.total

    @property
    def text_length(self) -> int:
        """The most characters that ``str`` or ``repr`` make of it."""
        return self.size if self.kind == "str" else self.cells * CHARS_PER_CELL


UNKNOWN = Bound("unknown")
NONE = Bound("none")
BOOL = Bound("int", 1)
MAX_ADDED = 1 << 192
# What starts below MAX_ADDED and only ever has less than that added to it stays below this for as many steps as any
# proof allows; every operation but a copy makes an ordinary bound of it.
RUNNING_TOTAL = Bound("int", 1 << 256, name="running total")
FLOAT = Bound("float")


def whole(magnitude: int) -> Bound:
    """Bound an integer; raise ``Unproven`` above the largest magnitude that is followed."""
    if magnitude > MAX_MAGNITUDE:
        raise Unproven("a number without a small bound")
    return Bound("int", magnitude)


def text(length: int) -> Bound:
    """Bound a string by its length in characters."""
    return _checked(Bound("str", length, total=length))


def several(length: int, item: Bound, kind: str = "seq") -> Bound:
    """Bound a collection of up to ``length`` items, each within ``item``."""
    return _checked(Bound(kind, length, item, total=length * (1 + known(item).cells)))


def collection(parts: list[Bound], kind: str = "seq") -> Bound:
    """Bound a literal collection, part by part."""
    item = joined(parts)
    total = sum(1 + known(part).cells for part in parts)
    return _checked(Bound(kind, len(parts), item, tuple(parts) if len(parts) <= 8 else None, total))


def known(bound: Bound) -> Bound:
    """Give the bound back; raise ``Unproven`` where it bounds nothing."""
    if bound.kind in ("unknown", "module", "function"):
        raise Unproven("depends on values of unknown size")
    return bound


def joined(bounds: list[Bound]) -> Bound:
    """Bound a value that may be any of ``bounds``."""
    if not bounds:
        return NONE
    result = bounds[0]
    for bound in bounds[1:]:
        if bound != result:
            result = join(result, bound)
    return result


def join(one: Bound, other: Bound) -> Bound:
    """Bound a value that is either of two."""
    if one == other:
        return one
    kinds = {one.kind, other.kind}
    if kinds & {"unknown", "module", "function"}:
        return UNKNOWN
    if kinds == {"int"} and "running total" in (one.name, other.name):
        total, rest = (one, other) if one.name else (other, one)
        return total if rest.name or rest.size <= MAX_ADDED else whole(max(one.size, other.size))
    if kinds == {"int", "float"}:
        return Bound("int", max(one.size, other.size, FLOAT_MAGNITUDE))
    if len(kinds) > 1 or one.kind == "any":
        return Bound("any", total=max(one.cells, other.cells))
    item = joined([bound.item for bound in (one, other) if bound.item is not None])
    return Bound(one.kind, max(one.size, other.size), item, _join_parts(one, other), max(one.total, other.total))


def _join_parts(one: Bound, other: Bound) -> tuple[Bound, ...] | None:
    if one.parts is None or other.parts is None or len(one.parts) != len(other.parts):
        return None
    return tuple(join(a, b) for a, b in zip(one.parts, other.parts, strict=True))


def _checked(bound: Bound) -> Bound:
    if bound.total > MAX_CELLS:
        raise Unproven("a value without a small bound")
    return bound
