"""The functions and methods that a proof of purity knows, and bounds of what each gives back.

None of them reads or changes anything outside its arguments, calls back into the script, or takes longer than a small
multiple of the size of its arguments. ``print`` is here as its output belongs to the execution.
"""

from __future__ import annotations

import ast
import math

from lithium_script.analysis.bounds import (
    BOOL,
    FLOAT,
    FLOAT_MAGNITUDE,
    NONE,
    Bound,
    Unproven,
    collection,
    joined,
    known,
    several,
    text,
    whole,
)
from lithium_script.analysis.purebuiltins import BUILTINS, number

_FLOAT_FUNCTIONS = {
    "math": "sqrt cbrt exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan atan2 sinh cosh tanh "
    "asinh acosh atanh pow hypot degrees radians fabs fmod copysign erf erfc gamma lgamma "
    "isnan isinf isfinite isclose remainder",
    "cmath": "sqrt exp log log10 sin cos tan asin acos atan sinh cosh tanh phase isnan isinf isfinite",
    "statistics": "mean fmean stdev pstdev variance pvariance median",
}
_WHOLE_FUNCTIONS = {"math": "floor ceil trunc gcd isqrt factorial"}
_STRINGS = ("ascii_letters", "ascii_lowercase", "ascii_uppercase", "digits", "hexdigits", "punctuation", "printable")
CONSTANTS: dict[str, Bound] = {
    **{f"math.{name}": FLOAT for name in ("pi", "e", "tau", "inf", "nan")},
    **{f"cmath.{name}": FLOAT for name in ("pi", "e", "tau", "inf", "nan")},
    **{f"string.{name}": text(128) for name in _STRINGS},
}
MODULES: dict[str, frozenset[str]] = {
    module: frozenset(
        _FLOAT_FUNCTIONS.get(module, "").split()
        + _WHOLE_FUNCTIONS.get(module, "").split()
        + [name.partition(".")[2] for name in CONSTANTS if name.startswith(module + ".")]
    )
    for module in ("math", "cmath", "statistics", "string")
}
KEYWORDS = frozenset({("print", "sep"), ("print", "end"), ("print", "flush"), ("sorted", "reverse")})
_COMPARED_OFTEN = 20


def cost_factor(function: str) -> int:
    """Tell how many times over ``function`` goes through its arguments, at most."""
    if function.startswith("statistics."):
        return 200
    return _COMPARED_OFTEN if function in ("sorted", "math.factorial", "math.gcd", "math.isqrt") else 1


def hashing_cells(length: int) -> int:
    """Give the cost of hashing so many items, all of which may have been made to collide."""
    return length * length // 16


def mapping(length: int, key: Bound, value: Bound) -> Bound:
    """Bound a dictionary; its items are its keys, and ``parts`` remembers the value."""
    bound = several(length, collection([known(key), known(value)]))
    return Bound("dict", length, key, (value,), bound.total)


def value_of(bound: Bound) -> Bound:
    """Bound a value of a dictionary."""
    return bound.parts[0] if bound.parts else NONE


def call(name: str, arguments: list[Bound], nodes: list[ast.expr]) -> Bound:
    """Bound what the function ``name`` gives back; raise ``Unproven`` where its arguments do not allow it."""
    module, _, function = name.rpartition(".")
    if module and function in _FLOAT_FUNCTIONS.get(module, "").split():
        if module == "statistics":
            for argument in arguments:
                number(argument.item or NONE)
        # The statistics of whole numbers may be one of them, and large ones do not fit a float.
        return joined([FLOAT, whole(FLOAT_MAGNITUDE)]) if module == "statistics" else FLOAT
    if name == "math.factorial":
        return whole(math.factorial(_small(arguments, 200)))
    if module:
        numbers = joined([number(argument) for argument in arguments])
        return whole(max(numbers.size, FLOAT_MAGNITUDE) if numbers.kind == "float" else numbers.size + 1)
    if name == "round" and len(arguments) > 1:
        digits = nodes[1]
        if not isinstance(digits, ast.Constant) or not isinstance(digits.value, int) or digits.value > 20:
            raise Unproven("rounds to an unknown number of digits")
        return arguments[0] if number(arguments[0]).kind == "float" else whole(arguments[0].size)
    if not arguments and name not in ("print", "list", "tuple", "set", "zip"):
        raise Unproven("calls without the arguments it needs")
    return BUILTINS[name](arguments)


def method(owner: Bound, name: str, arguments: list[Bound]) -> Bound:
    """Bound what a method of a value gives back; raise ``Unproven`` for one that is not known to be pure."""
    if owner.kind == "str":
        return _text_method(owner, name, arguments)
    if owner.kind == "dict" and name in ("keys", "values", "items") and not arguments:
        item = owner.item or NONE
        given = {"keys": item, "values": value_of(owner), "items": collection([item, value_of(owner)])}
        return several(owner.size, given[name])
    if owner.kind == "dict" and name == "get" and 1 <= len(arguments) <= 2:
        return joined([value_of(owner), arguments[1] if len(arguments) > 1 else NONE])
    if owner.kind == "seq" and name in ("index", "count"):
        return whole(owner.size)
    raise Unproven(f"calls a method that is not proven: {name}")


def _text_method(owner: Bound, name: str, arguments: list[Bound]) -> Bound:
    if name in ("upper", "lower", "title", "capitalize", "swapcase", "casefold", "strip", "lstrip", "rstrip"):
        return text(owner.size * 3)
    if name in ("startswith", "endswith") or (name.startswith("is") and name[2:].islower()):
        return BOOL
    if name in ("find", "rfind", "index", "count", "rindex"):
        return whole(owner.size + 1)
    if name in ("split", "rsplit", "splitlines"):
        return Bound("seq", owner.size + 1, text(owner.size), total=4 * owner.size + 4)
    if name == "replace" and len(arguments) == 2 and arguments[1].kind == "str":
        return text(owner.size + (owner.size + 1) * arguments[1].size)
    if name in ("removeprefix", "removesuffix"):
        return owner
    if name == "join" and len(arguments) == 1 and arguments[0].kind in ("seq", "dict", "str"):
        return text(arguments[0].cells + arguments[0].size * owner.size)
    raise Unproven(f"calls a method that is not proven: {name}")


def _small(arguments: list[Bound], limit: int) -> int:
    if len(arguments) != 1 or arguments[0].kind != "int" or arguments[0].size > limit:
        raise Unproven("a number without a small bound")
    return arguments[0].size
