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
    "arccosh": ([[1, 2]], {}), "tile": ([SQUARE], {"reps": [2, 1]}), "repeat": ([SQUARE], {"repeats": 2, "axis": 0}),
    "pad": ([SQUARE], {"pad_width": 1}), "resize": ([SQUARE], {"new_shape": [2, 7]}), "delete": ([INDEXES], {"obj": 1}),
    "broadcast_to": ([INDEXES], {"shape": [2, 3]}), "vander": ([INDEXES], {"N": 2}), "polyder": ([[1, 2, 3]], {}),
    "split": ([INDEXES], {"indices_or_sections": 3}), "array_split": ([INDEXES], {"indices_or_sections": 2}),
    "hsplit": ([SQUARE], {"indices_or_sections": 3}), "vsplit": ([SQUARE], {"indices_or_sections": [1]}),
    "dsplit": ([[[[1, 2]]]], {"indices_or_sections": 2}), "packbits": ([[True, False]], {}), "polyint": ([[1, 2]], {}),
    "unpackbits": ([[1, 3]], {}), "unravel_index": ([INDEXES], {"shape": [2, 2]}), "roots": ([[1, -3, 2]], {}),
    "polyfit": ([[0, 1, 2], [1, 3, 5]], {"deg": 1}), "is_busday": ([["2026-11-27"]], {}),
    "busday_count": ([["2026-11-02"], ["2026-11-27"]], {}), "datetime_as_string": ([["2026-11-27"]], {}),
    "meshgrid": ([INDEXES, INDEXES], {}), "extract": ([[True, False], [1, 2]], {}), "zeros": ([], {"shape": [2, 3]}),
    "ones": ([], {"shape": 2}), "full": ([], {"shape": [2], "fill_value": 7}), "eye": ([], {"N": 3, "k": 1}),
    "tri": ([], {"N": 3}), "identity": ([], {"n": 2}), "indices": ([], {"dimensions": [2, 3]}),
    "tril_indices": ([], {"n": 3}), "triu_indices": ([], {"n": 3}),
    "arange": ([], {"start": 1, "stop": 2, "step": 0.25}),
    "linspace": ([], {"start": 0, "stop": 1, "num": 5}), "logspace": ([], {"start": 0, "stop": 1, "num": 5}),
    "geomspace": ([], {"start": 1, "stop": 8, "num": 4}), "hanning": ([], {"M": 5}), "hamming": ([], {"M": 5}),
    "blackman": ([], {"M": 5}), "bartlett": ([], {"M": 5}), "kaiser": ([], {"M": 5, "beta": 2}),
    "fft.fftfreq": ([], {"n": 4}), "fft.rfftfreq": ([], {"n": 4, "d": 0.5}), "linalg.outer": ([INDEXES, INDEXES], {}),
    "linalg.cross": ([INDEXES, [1, 2, 3]], {}), "unique": ([INDEXES], {"return_counts": True}),
}  # fmt: skip
DTYPES = dict.fromkeys(("isnat", "is_busday", "busday_count", "datetime_as_string"), "datetime64[D]")
DTYPES["unpackbits"] = "uint8"


def _inputs(name: str) -> tuple[list[Any], dict[str, Any]]:
    if name in SPECIAL:
        return SPECIAL[name]
    entry = TABLE[name]
    count = entry.count if entry.style == "together" else 2
    return [SQUARE] * count, {}


def _direct(name: str, given: list[Any], params: dict[str, Any]) -> Any:
    entry = TABLE[name]
    taken = [np.array(array, dtype=DTYPES.get(name)) for array in given]
    tuples = {key: tuple(value) if isinstance(value, list) and key != "q" else value for key, value in params.items()}
    with np.errstate(all="ignore"):
        if entry.style == "join":
            return entry.function(taken, **tuples)
        if entry.style == "each":
            return [entry.function(array, **tuples) for array in taken]
        if entry.style in ("together", "make", "spread"):
            return entry.function(*taken, **tuples)
        return entry.function(taken[0], taken[1], **tuples)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: _plain(part) for name, part in zip(value._fields, value, strict=True)}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return encode(value, 1 << 40)[0]


@pytest.mark.parametrize("name", list(TABLE))
def test_operation_gives_what_numpy_gives_as_strict_json(name: str) -> None:
    given, params = _inputs(name)
    result = ENGINE.evaluate(name, given, params, DTYPES.get(name))
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
        ("zeros", [[1]], {"shape": 2}, None, "arrays"),
        ("linalg.eigh", [SQUARE], {"UPLO": 5}, None, "params.UPLO"),
        ("linalg.eigh", [SQUARE], {"UPLO": None}, None, "arrays"),
        ("take", [5, 5], {"axis": 1, "mode": 2}, None, "params.mode"),
        ("pad", [[1]], {"pad_width": 1, "mode": "empty"}, None, "params.mode"),
        ("histogram", [[1, 2]], {"bins": "fd", "range": [0, 10**15]}, None, "params.bins"),
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
    with pytest.raises(InvalidArguments, match="above maxMemoryMB"):
        ENGINE.evaluate(operation, [wide, tall], params, None)


def test_special_numbers_come_in_as_they_go_out() -> None:
    result = ENGINE.evaluate("add", [["NaN", "Infinity", {"re": 1, "im": 2}], [0, 0, 1]], {}, None)
    assert result.result[2] == {"re": 2.0, "im": 2.0}
    assert ENGINE.evaluate("sum", [["NaN", 1.0], ["-Infinity", 1.0]], {}, None).result == ["NaN", "-Infinity"]


def test_special_numbers_are_read_in_parameters_too() -> None:
    assert ENGINE.evaluate("linalg.norm", [[3, -4]], {"ord": "Infinity"}, None).result == [4.0]


def test_stack_answers_result_shape_and_type() -> None:
    done = ENGINE.evaluate("stack", [[1, 2, 3], [4, 5, 6]], {"axis": 0}, None)
    assert (done.result, done.shape, done.dtype) == ([[1, 2, 3], [4, 5, 6]], [2, 3], "int64")


def test_what_is_made_from_parameters_has_the_type_asked_for() -> None:
    assert ENGINE.evaluate("zeros", [], {"shape": [2]}, "int8").dtype == "int8"
