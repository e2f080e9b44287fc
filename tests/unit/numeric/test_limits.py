"""What would take the worker's memory or time is refused before it is computed, and what is ordinary is not."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithium_script.errors import InvalidArguments
from lithium_script.python.numeric.engine import NumericEngine
from lithium_script.python.numeric.estimates import ESTIMATES
from lithium_script.python.numeric.table import TABLE

ENGINE = NumericEngine(512)
LONG = list(range(20_000))
TALL = [[number] for number in LONG]


@pytest.mark.parametrize(
    ("operation", "arrays", "params", "dtype"),
    [
        ("sort", [["a"] * 300_000], {}, "U9999"),
        ("sort", [["x" * 1_000_000] + ["b"] * 3_000], {}, None),
        ("diag", [[1, 2]], {"k": 30_000}, None),
        ("diagflat", [[1, 2]], {"k": -30_000}, None),
        ("percentile", [TALL], {"q": [1] * 20_000, "axis": 1}, None),
        ("fft.fftn", [TALL], {"s": [20_000], "axes": [1]}, None),
        ("fft.fft", [TALL], {"n": 20_000, "axis": 1}, None),
        ("dot", [[[1]] * 20_000, [[1]], [[1] * 20_000]], {}, None),
        ("inner", [TALL, TALL], {}, None),
        ("tensordot", [LONG, LONG], {"axes": 0}, None),
        ("tensordot", [LONG, LONG], {"axes": -1}, None),
        ("histogram", [[*range(1000), 10**12]], {"bins": "fd"}, None),
        ("linalg.svd", [TALL], {}, None),
        ("tile", [LONG], {"reps": [100, 100]}, None),
        ("repeat", [LONG], {"repeats": 10_000}, None),
        ("pad", [[[1]]], {"pad_width": 10_000}, None),
        ("vander", [LONG], {}, None),
        ("meshgrid", [LONG, LONG], {}, None),
        ("take", [TALL, LONG * 5], {"axis": 1}, None),
        ("zeros", [], {"shape": [10_000, 10_000]}, None),
        ("eye", [], {"N": 20_000}, None),
        ("arange", [], {"start": 0, "stop": 1, "step": 1e-12}, None),
        ("hanning", [], {"M": 1e12}, None),
        ("linspace", [], {"start": LONG, "stop": 1, "num": 10_000}, None),
        ("polymul", [LONG * 10, LONG * 10], {}, None),
        ("diff", [[1, 2]], {"n": 10**7}, None),
        ("median", [[1]] * 300_000, {}, None),
    ],
)
def test_what_takes_too_much_is_refused(operation: str, arrays: list[Any], params: dict[str, Any], dtype: str) -> None:
    refusals = r"above maxMemoryMB|takes too long|must not exceed"
    with pytest.raises(InvalidArguments, match=refusals):
        ENGINE.evaluate(operation, arrays, params, dtype)


@pytest.mark.parametrize(
    ("operation", "arrays", "params", "shape"),
    [
        ("linalg.norm", [LONG], {}, [[]]),
        ("cov", [LONG], {}, [[]]),
        ("corrcoef", [[LONG, LONG]], {}, [[2, 2]]),
        ("fft.fft", [LONG], {"n": 20_000}, [[20_000]]),
        ("convolve", [LONG, LONG], {}, [39_999]),
        ("take", [LONG, LONG], {}, [20_000]),
        ("tensordot", [[LONG[:200]] * 200] * 2, {"axes": 1}, [200, 200]),
        ("linalg.inv", [[[[2, 0], [0, 1]]] * 20_000], {}, [[20_000, 2, 2]]),
        ("linalg.qr", [TALL], {}, [{"Q": [20_000, 1], "R": [1, 1]}]),
        ("histogram", [[1_700_000_000]], {"bins": [1_600_000_000, 1_800_000_000]}, [[[1], [2]]]),
        ("median", [[1]] * 1_000, {}, [[]] * 1_000),
    ],
)
def test_ordinary_work_is_not_refused(operation: str, arrays: list[Any], params: dict[str, Any], shape: Any) -> None:
    assert ENGINE.evaluate(operation, arrays, params, None).shape == shape


def test_every_cost_of_the_table_has_an_estimate() -> None:
    assert {entry.cost for entry in TABLE.values()} == set(ESTIMATES)


SIDES = st.integers(1, 6)
GROWING = st.sampled_from(
    [("tile", "reps"), ("repeat", "repeats"), ("pad", "pad_width"), ("diag", "k"), ("fft.fft", "n"), ("vander", "N")]
)


@settings(max_examples=200)
@given(GROWING, st.integers(1, 40), st.integers(1, 60))
def test_estimate_is_never_below_what_numpy_makes(growing: tuple[str, str], length: int, count: int) -> None:
    (operation, parameter), array = growing, np.arange(length)
    entry = TABLE[operation]
    made = entry.function(array, **{parameter: count})
    assert ESTIMATES[entry.cost](operation, [array], {parameter: count})[0] >= made.size


@given(st.sampled_from(["dot", "matmul", "linalg.multi_dot"]), st.lists(SIDES, min_size=3, max_size=6))
def test_estimate_of_a_chain_covers_its_product(operation: str, sides: list[int]) -> None:
    arrays = [np.ones((rows, columns)) for rows, columns in itertools.pairwise(sides)]
    entry = TABLE[operation]
    assert ESTIMATES[entry.cost](operation, arrays, {})[0] >= sides[0] * sides[-1]


@given(
    st.lists(st.one_of(st.floats(-1e6, 1e6), st.sampled_from([0.0, 1.0])), min_size=1, max_size=40),
    st.sampled_from(["auto", "fd", "doane", "scott", "rice", "sturges", "sqrt", "stone"]),
)
def test_estimate_covers_the_bins_that_numpy_chooses(data: list[float], rule: str) -> None:
    needed = ESTIMATES["histogram"]("histogram", [np.array(data)], {"bins": rule})[0]
    if needed < 10**6:
        with np.errstate(all="ignore"):
            assert needed >= np.histogram_bin_edges(np.array(data), rule).size
