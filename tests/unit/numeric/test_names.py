"""Every public function of NumPy is offered, refused, or left out for a reason that is written down."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from lithium_script.python.numeric.table import DENIED, TABLE

NOT_OFFERED = {
    "an array comes as JSON, with its type; there is nothing to convert": (
        "array asanyarray asarray ascontiguousarray asfortranarray asmatrix astype require"
    ),
    "it is about types or about Python objects, not about arrays": (
        "can_cast common_type datetime_data isdtype issubdtype min_scalar_type mintypecode promote_types result_type "
        "typename iscomplexobj isrealobj isscalar isfortran iterable may_share_memory shares_memory broadcast_shapes"
    ),
    "it makes text of one number": "base_repr binary_repr format_float_positional format_float_scientific",
    "it tells how the process is set up": "get_printoptions getbufsize geterr geterrcall",
    "its arrays need types of their own, or lists of lists of arrays": (
        "busday_offset choose select insert ravel_multi_index ix_ histogram2d histogramdd"
    ),
    "another operation gives the same": (
        "row_stack diag_indices diag_indices_from tril_indices_from triu_indices_from matvec vecmat "
        "linalg.tensorinv linalg.tensorsolve"
    ),
    "it takes a function": "mask_indices",
}
LEFT_OUT = {name for names in NOT_OFFERED.values() for name in names.split()}


def _public(module: ModuleType, prefix: str) -> list[str]:
    names = (name for name in dir(module) if not name.startswith("_"))
    return [
        prefix + name
        for name in names
        if callable(getattr(module, name)) and not isinstance(getattr(module, name), type)
    ]


@pytest.mark.parametrize("name", _public(np, "") + _public(np.linalg, "linalg.") + _public(np.fft, "fft."))
def test_public_function_is_offered_refused_or_left_out_for_a_reason(name: str) -> None:
    assert name in TABLE or name.rpartition(".")[2] in DENIED or name in LEFT_OUT


def test_nothing_offered_is_refused_or_left_out() -> None:
    assert not set(TABLE) & DENIED
    assert not set(TABLE) & LEFT_OUT
    assert len(TABLE) >= 150


def test_no_operation_takes_a_place_to_write_to_or_a_type() -> None:
    taken = {name for entry in TABLE.values() for name in entry.params}
    assert not {"out", "dtype", "where", "like", "casting"} & taken
