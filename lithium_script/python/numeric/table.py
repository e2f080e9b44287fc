"""The operations that are offered: name, function, how it takes its arrays, and the parameters it takes.

The safe part of NumPy's public API: nothing here reads or writes files, calls back into Python, or takes code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation. ``style``: ``join`` takes the list of arrays, ``each`` is applied to every one and answers a
    list, ``fold`` goes through them from left to right, ``together`` takes exactly ``count`` arrays."""

    function: Callable[..., Any]
    style: str
    params: frozenset[str]
    count: int = 1
    cost: str = "linear"
    """What the work and the result grow with; ``cost`` knows the words."""


def _group(
    module: Any, names: str, style: str, params: str = "", count: int = 1, cost: str = "linear", prefix: str = ""
) -> dict[str, Entry]:
    return {
        prefix + name: Entry(getattr(module, name), style, frozenset(params.split()), count, cost)
        for name in names.split()
    }


TABLE: dict[str, Entry] = {
    **_group(np, "stack concatenate concat", "join", "axis"),
    **_group(np, "vstack hstack dstack column_stack block", "join"),
    **_group(np, "sum prod nansum nanprod", "each", "axis keepdims initial"),
    **_group(np, "mean nanmean any all count_nonzero ptp", "each", "axis keepdims"),
    **_group(np, "max min amax amin nanmax nanmin", "each", "axis keepdims initial"),
    **_group(np, "std var nanstd nanvar", "each", "axis keepdims ddof"),
    **_group(np, "median nanmedian", "each", "axis keepdims"),
    **_group(np, "percentile nanpercentile quantile nanquantile", "each", "q axis method keepdims"),
    **_group(np, "argmax argmin nanargmax nanargmin", "each", "axis keepdims"),
    **_group(np, "cumsum cumprod nancumsum nancumprod", "each", "axis"),
    **_group(np, "cumulative_sum cumulative_prod", "each", "axis include_initial"),
    **_group(np, "diff", "each", "n axis"),
    **_group(np, "gradient", "each", "axis edge_order"),
    **_group(np, "trace diagonal", "each", "offset axis1 axis2"),
    **_group(np, "reshape", "each", "shape order"),
    **_group(np, "transpose permute_dims", "each", "axes"),
    **_group(np, "ravel flatten" if hasattr(np, "flatten") else "ravel", "each", "order"),
    **_group(np, "squeeze expand_dims flip", "each", "axis"),
    **_group(np, "moveaxis", "each", "source destination"),
    **_group(np, "swapaxes", "each", "axis1 axis2"),
    **_group(np, "rollaxis", "each", "axis start"),
    **_group(np, "roll", "each", "shift axis"),
    **_group(np, "rot90", "each", "k axes"),
    **_group(np, "fliplr flipud atleast_1d atleast_2d atleast_3d matrix_transpose", "each"),
    **_group(np, "tril triu diag diagflat", "each", "k", cost="square"),
    **_group(np, "clip", "each", "min max a_min a_max"),
    **_group(np, "round around", "each", "decimals"),
    **_group(np, "nan_to_num", "each", "nan posinf neginf"),
    **_group(np, "sort", "each", "axis kind"),
    **_group(np, "argsort", "each", "axis kind"),
    **_group(np, "partition argpartition", "each", "kth axis"),
    **_group(np, "nonzero flatnonzero argwhere sort_complex unique_values unique_counts", "each"),
    **_group(np, "unique", "each", "return_index return_inverse return_counts axis"),
    **_group(np, "ediff1d", "each"),
    **_group(np, "bincount", "each", "minlength", cost="values"),
    **_group(np, "histogram", "each", "bins range density"),
    **_group(np, "zeros_like ones_like empty_like", "each"),
    **_group(np, "full_like", "each", "fill_value"),
    **_group(np, "corrcoef cov", "each", "rowvar", cost="cubic"),
    **_group(
        np,
        "abs absolute fabs negative positive sign sqrt cbrt square reciprocal exp exp2 expm1 log log2 log10 log1p "
        "sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh asin acos atan asinh acosh atanh "
        "degrees radians deg2rad rad2deg floor ceil trunc rint fix isnan isinf isfinite isposinf isneginf isnat "
        "isreal iscomplex signbit spacing logical_not invert bitwise_not bitwise_invert bitwise_count conj conjugate "
        "real imag modf frexp sinc i0 unwrap",
        "each",
    ),
    **_group(np, "angle", "each", "deg"),
    **_group(
        np,
        "add subtract multiply divide true_divide floor_divide remainder mod fmod power pow float_power maximum "
        "minimum fmax fmin arctan2 atan2 hypot logaddexp logaddexp2 copysign nextafter heaviside gcd lcm logical_and "
        "logical_or logical_xor bitwise_and bitwise_or bitwise_xor left_shift right_shift bitwise_left_shift "
        "bitwise_right_shift equal not_equal less less_equal greater greater_equal ldexp",
        "fold",
    ),
    **_group(np, "dot matmul inner", "fold", cost="contraction"),
    **_group(np, "kron outer", "fold", cost="product"),
    **_group(np, "divmod cross", "together", count=2),
    **_group(np, "tensordot", "together", "axes", 2, "product"),
    **_group(np, "vdot", "together", count=2),
    **_group(np, "vecdot", "together", "axis", 2),
    **_group(np, "convolve correlate", "together", "mode", 2, "product"),
    **_group(np, "searchsorted", "together", "side", 2),
    **_group(np, "digitize", "together", "right", 2),
    **_group(np, "isin", "together", "assume_unique invert", 2),
    **_group(np, "isclose allclose", "together", "rtol atol equal_nan", 2),
    **_group(np, "array_equal", "together", "equal_nan", 2),
    **_group(np, "array_equiv setxor1d union1d setdiff1d intersect1d", "together", count=2),
    **_group(np, "take", "together", "axis mode", 2, "product"),
    **_group(np, "take_along_axis", "together", "axis", 2, "product"),
    **_group(np, "compress", "together", "axis", 2),
    **_group(np, "append", "together", "axis", 2),
    **_group(np, "polyval", "together", count=2),
    **_group(np, "polyadd polysub polymul polydiv", "together", count=2),
    **_group(np, "interp", "together", "left right period", 3),
    **_group(np, "where", "together", count=3),
    **_group(np.linalg, "norm", "each", "ord axis keepdims", cost="cubic", prefix="linalg."),
    **_group(np.linalg, "det slogdet inv eig eigvals", "each", cost="cubic", prefix="linalg."),
    **_group(np.linalg, "eigh eigvalsh", "each", "UPLO", cost="cubic", prefix="linalg."),
    **_group(np.linalg, "cholesky svdvals cond", "each", cost="cubic", prefix="linalg."),
    **_group(np.linalg, "svd", "each", "full_matrices compute_uv hermitian", cost="cubic", prefix="linalg."),
    **_group(np.linalg, "qr", "each", "mode", cost="cubic", prefix="linalg."),
    **_group(np.linalg, "pinv matrix_rank", "each", "rcond tol hermitian", cost="cubic", prefix="linalg."),
    **_group(np.linalg, "matrix_power", "each", "n", cost="cubic", prefix="linalg."),
    **_group(np.linalg, "solve", "together", "", 2, "cubic", prefix="linalg."),
    **_group(np.linalg, "lstsq", "together", "rcond", 2, "cubic", prefix="linalg."),
    **_group(np.linalg, "multi_dot", "join", cost="cubic", prefix="linalg."),
    **_group(np.fft, "fft ifft rfft irfft hfft ihfft", "each", "n axis norm", prefix="fft."),
    **_group(np.fft, "fft2 ifft2 rfft2 irfft2 fftn ifftn rfftn irfftn", "each", "s axes norm", prefix="fft."),
    **_group(np.fft, "fftshift ifftshift", "each", "axes", prefix="fft."),
}

DENIED = frozenset(
    (
        "load", "save", "savez", "savez_compressed", "loadtxt", "savetxt", "genfromtxt", "fromfile", "fromstring",
        "frombuffer", "fromregex", "tofile", "memmap", "frompyfunc", "vectorize", "apply_along_axis",
        "apply_over_axes", "fromfunction", "fromiter", "piecewise", "f2py", "ctypeslib", "lib", "test", "testing",
        "show_config", "info", "source", "lookfor", "put", "putmask", "place", "copyto", "fill_diagonal", "einsum",
        "einsum_path", "nditer", "set_printoptions", "seterr", "seterrcall", "setbufsize", "array2string",
        "array_str", "array_repr", "core", "random", "rec",
    )
)  # fmt: skip
