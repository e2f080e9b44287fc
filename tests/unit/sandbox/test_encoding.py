"""Results become strict JSON, whatever the script left."""

from __future__ import annotations

import datetime
import enum
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lithium_script.sandbox.encoding import encode

LIMIT = 1 << 20


class Custom:
    def __repr__(self) -> str:
        return "Custom()"


class Color(enum.IntEnum):
    RED = 1


@pytest.mark.parametrize(
    ("value", "encoded", "name"),
    [
        (1, 1, "int"),
        (True, True, "bool"),
        (None, None, "NoneType"),
        (math.nan, "NaN", "float"),
        ([math.inf, -math.inf], ["Infinity", "-Infinity"], "list"),
        (b"\x00\xff", "AP8=", "bytes"),
        ((1, 2), [1, 2], "tuple"),
        ({3, 1, 2}, [1, 2, 3], "set"),
        (1 + 2j, {"re": 1.0, "im": 2.0}, "complex"),
        (datetime.datetime(2026, 1, 2, 3, 4), "2026-01-02T03:04:00", "datetime"),
        (datetime.date(2026, 1, 2), "2026-01-02", "date"),
        ({1: "a", None: "b", (1, 2): "c"}, {"1": "a", "None": "b", "(1, 2)": "c"}, "dict"),
        (Custom(), "Custom()", "Custom"),
        (Color.RED, 1, "Color"),
        ("\ud800", "?", "str"),
        (np.arange(4).reshape(2, 2), [[0, 1], [2, 3]], "ndarray"),
        (np.float32(1.5), 1.5, "float32"),
        (np.array([math.nan]), ["NaN"], "ndarray"),
        (np.longdouble(1.5), 1.5, "longdouble"),
        (np.array([1 + 1j]), [{"re": 1.0, "im": 1.0}], "ndarray"),
        (np.datetime64("2026-01-02"), "2026-01-02", "datetime64"),
        (np.array(["a", "b"]), ["a", "b"], "ndarray"),
    ],
)
def test_value_is_encoded_and_its_type_named(value: object, encoded: object, name: str) -> None:
    assert encode(value, LIMIT) == (encoded, name, False)


def test_integer_too_long_for_decimal_is_written_in_hexadecimal() -> None:
    assert encode(10**5000, LIMIT) == (hex(10**5000), "int", False)


def test_cycle_becomes_its_repr() -> None:
    loop: list[object] = [1]
    loop.append(loop)
    assert encode(loop, LIMIT)[0] == [1, "[1, [...]]"]


def test_value_met_twice_is_no_cycle() -> None:
    shared = [1]
    assert encode([shared, shared], LIMIT)[0] == [[1], [1]]


def test_what_lies_deeper_than_a_hundred_levels_becomes_its_repr() -> None:
    deep: list[object] = []
    for _ in range(300):
        deep = [deep]
    encoded = encode(deep, LIMIT)[0]
    for _ in range(100):
        encoded = encoded[0]
    assert encoded == "[" * 201 + "]" * 201


def test_result_above_the_limit_is_dropped_and_flagged() -> None:
    assert encode("x" * 100, 50) == (None, "str", True)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.complex_numbers(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=20,
)


@given(ANYTHING)
def test_anything_becomes_strict_json(value: object) -> None:
    encoded, _, _ = encode(value, LIMIT)
    json.loads(json.dumps(encoded, allow_nan=False).encode("utf-8"))
