"""Every operation of the table against NumPy itself, and everything that must be refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lithium_script.errors import FunctionNotFound, InvalidArguments, SecurityViolation
from lithium_script.python.numeric.engine import NumericEngine
from lithium_script.python.numeric.table import DENIED, TABLE
from lithium_script.sandbox.encoding import encode

ENGINE = NumericEngine(512)
SQUARE = [[4, 1, 0], [1, 3, 1], [0, 1, 2]]
INDEXES = [0, 2, 1]
# What an operation needs beyond one or two arrays of small whole numbers.
SPECIAL: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "percentile": ([SQUARE], {"q": 30}), "nanpercentile": ([SQUARE], {"q": [30, 60]}),
    "quantile": ([SQUARE], {"q": 0.3}), "nanquantile": ([SQUARE], {"q": 0.3}),
    "reshape": ([SQUARE], {"shape": [9]}), "expand_dims": ([SQUARE], {"axis": 0}), "flip": ([SQUARE], {"axis": 0}),
    "moveaxis": ([SQUARE], {"source": 0, "destination": 1}), "swapaxes": ([SQUARE], {"axis1": 0, "axis2": 1}),
    "rollaxis": ([SQUARE], {"axis": 1}), "roll": ([SQUARE], {"shift": 1}), "clip": ([SQUARE], {"min": 1, "max": 2}),
    "partition": ([INDEXES], {"kth": 1}), "argpartition": ([INDEXES], {"kth": 1}), "bincount": ([INDEXES], {}),
    "full_like": ([SQUARE], {"fill_value": 7}), "linalg.matrix_power": ([SQUARE], {"n": 3}),
    "cumulative_sum": ([INDEXES], {}), "cumulative_prod": ([INDEXES], {}), "hypot": ([INDEXES, INDEXES], {}),
    "ldexp": ([INDEXES, INDEXES], {}), "take": ([SQUARE, INDEXES], {"axis": 0}),
    "take_along_axis": ([INDEXES, INDEXES], {"axis": 0}), "compress": ([[True, False, True], SQUARE], {"axis": 0}),
    "searchsorted": ([[1, 2, 3], INDEXES], {}), "digitize": ([INDEXES, [0, 1, 2]], {}),
    "convolve": ([INDEXES, INDEXES], {"mode": "full"}), "correlate": ([INDEXES, INDEXES], {}),
    "cross": ([INDEXES, [1, 2, 3]], {}), "interp": ([[0.5], [0, 1], [2, 4]], {}),
    "polyval": ([[1, 2], [3]], {}), "polyadd": ([[1], [1, 2]], {}), "polysub": ([[1], [1, 2]], {}),
    "polymul": ([[1], [1, 2]], {}), "polydiv": ([[1, 2, 1], [1, 1]], {}), "isnat": ([["2026-01-02"]], {}),
    "where": ([[True, False], [1, 2], [3, 4]], {}), "tensordot": ([SQUARE, SQUARE], {"axes": 1}),
    "arccosh": ([[1, 2]], {}), "unique": ([INDEXES], {"return_counts": True}),
}  # fmt: skip
WHOLE = "invert bitwise gcd lcm shift"


def _inputs(name: str) -> tuple[list[Any], dict[str, Any]]:
    if name in SPECIAL:
        return SPECIAL[name]
    entry = TABLE[name]
    count = entry.count if entry.style == "together" else 2
    return [SQUARE] * count, {}


def _direct(name: str, given: list[Any], params: dict[str, Any]) -> Any:
    entry = TABLE[name]
    taken = [np.array(array, dtype="datetime64[D]" if name == "isnat" else None) for array in given]
    tuples = {key: tuple(value) if key == "shape" else value for key, value in params.items()}
    with np.errstate(all="ignore"):
        if entry.style == "join":
            return entry.function(taken, **tuples)
        if entry.style == "each":
            return [entry.function(array, **tuples) for array in taken]
        if entry.style == "together":
            return entry.function(*taken, **tuples)
        return entry.function(taken[0], taken[1], **tuples)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: _plain(part) for name, part in zip(value._fields, value, strict=True)}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return encode(value, 1 << 40)[0]


@pytest.mark.parametrize("name", [name for name in TABLE if name not in ("empty_like",)])
def test_operation_gives_what_numpy_gives_as_strict_json(name: str) -> None:
    given, params = _inputs(name)
    result = ENGINE.evaluate(name, given, params, "datetime64[D]" if name == "isnat" else None)
    assert result.result == _plain(_direct(name, given, params))
    json.dumps([result.result, result.shape, result.dtype], allow_nan=False)


@given(
    st.sampled_from(["add", "multiply", "maximum", "arctan2", "logical_and"]),
    arrays.arrays(np.float64, arrays.array_shapes(max_dims=3, max_side=4)),
)
def test_binary_operations_on_any_floats_survive_the_way_through_json(name: str, array: np.ndarray) -> None:
    sent = encode(array, 1 << 40)[0]
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(array, array)
    assert ENGINE.evaluate(name, [sent, sent], {}, "float64").result == encode(expected, 1 << 40)[0]


@pytest.mark.parametrize("name", [*sorted(DENIED), "f2py.sys", "lib.format", "__class__", "random.random"])
def test_dangerous_name_is_refused(name: str) -> None:
    with pytest.raises(SecurityViolation):
        ENGINE.evaluate(name, [[1]], {}, None)


def test_unknown_name_is_not_found_with_the_nearest_one() -> None:
    with pytest.raises(FunctionNotFound, match="did you mean 'concatenate'"):
        ENGINE.evaluate("concatnate", [[1]], {}, None)


@pytest.mark.parametrize(
    ("operation", "given", "params", "dtype", "field"),
    [
        ("sum", [], {}, None, "arrays"),
        ("sum", [[[1], [1, 2]]], {}, None, "arrays.0"),
        ("sum", [[1], ["a", {}]], {}, None, "arrays.1"),
        ("sum", [[None]], {}, None, "arrays.0"),
        ("sum", [[1]], {"out": [1]}, None, "params.out"),
        ("sum", [[1]], {"axis": 3}, None, "params.axis"),
        ("sum", [[1]], {}, "object", "dtype"),
        ("sum", [["x"]], {}, "float64", "arrays.0"),
        ("add", [[1, 2], [1, 2, 3]], {}, None, "arrays"),
        ("add", [[1]], {}, None, "arrays"),
        ("where", [[1]], {}, None, "arrays"),
        ("linalg.inv", [[[0, 0], [0, 0]]], {}, None, "arrays"),
        ("linalg.inv", [[1, 2]], {}, None, "arrays"),
        ("fft.fft", [[1]], {"n": 10**12}, None, "params.n"),
        ("histogram", [[1]], {"bins": 10**12}, None, "params.bins"),
        ("bincount", [[10**9]], {}, None, "arrays"),
        ("diagflat", [[0] * 20_000], {}, None, "arrays"),
    ],
)
def test_what_does_not_fit_names_its_field(
    operation: str, given: list[Any], params: dict[str, Any], dtype: str | None, field: str
) -> None:
    with pytest.raises(InvalidArguments) as caught:
        ENGINE.evaluate(operation, given, params, dtype)
    assert field in caught.value.details


@pytest.mark.parametrize("operation", ["outer", "kron", "multiply", "tensordot"])
def test_result_above_the_memory_limit_is_refused_before_it_is_made(operation: str) -> None:
    wide = [list(range(30_000))]
    tall = [[number] for number in range(30_000)]
    params = {"axes": 0} if operation == "tensordot" else {}
    with pytest.raises(InvalidArguments, match="above the limit"):
        ENGINE.evaluate(operation, [wide, tall], params, None)


def test_special_numbers_come_in_as_they_go_out() -> None:
    result = ENGINE.evaluate("add", [["NaN", "Infinity", {"re": 1, "im": 2}], [0, 0, 1]], {}, None)
    assert result.result[2] == {"re": 2.0, "im": 2.0}
    assert ENGINE.evaluate("sum", [["NaN", 1.0], ["-Infinity", 1.0]], {}, None).result == ["NaN", "-Infinity"]
