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
    list, ``fold`` goes through them from left to right, ``together`` takes exactly ``count`` arrays, ``spread`` any
    number of them, ``make`` none."""

    function: Callable[..., Any]
    style: str
    params: frozenset[str]
    count: int = 1
    cost: str = "linear"
    """What the work and the result grow with: the name of one of the estimates."""


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
    **_group(np, "percentile nanpercentile quantile nanquantile", "each", "q axis method keepdims", cost="quantile"),
    **_group(np, "average", "each", "axis weights keepdims"),
    **_group(np, "trapezoid", "each", "dx axis"),
    **_group(np, "argmax argmin nanargmax nanargmin", "each", "axis keepdims"),
    **_group(np, "cumsum cumprod nancumsum nancumprod", "each", "axis"),
    **_group(np, "cumulative_sum cumulative_prod", "each", "axis include_initial"),
    **_group(np, "diff", "each", "n axis", cost="differences"),
    **_group(np, "gradient", "each", "axis edge_order"),
    **_group(np, "trace diagonal", "each", "offset axis1 axis2"),
    **_group(np, "reshape", "each", "shape order"),
    **_group(np, "transpose permute_dims", "each", "axes"),
    **_group(np, "ravel", "each", "order"),
    **_group(np, "squeeze expand_dims flip", "each", "axis"),
    **_group(np, "moveaxis", "each", "source destination"),
    **_group(np, "swapaxes", "each", "axis1 axis2"),
    **_group(np, "rollaxis", "each", "axis start"),
    **_group(np, "roll", "each", "shift axis"),
    **_group(np, "rot90", "each", "k axes"),
    **_group(np, "fliplr flipud atleast_1d atleast_2d atleast_3d matrix_transpose", "each"),
    **_group(np, "tril triu", "each", "k", cost="triangle"),
    **_group(np, "diag diagflat", "each", "k", cost="diagonal"),
    **_group(np, "tile", "each", "reps", cost="growth"),
    **_group(np, "repeat", "each", "repeats axis", cost="growth"),
    **_group(np, "pad", "each", "pad_width mode constant_values end_values stat_length reflect_type", cost="growth"),
    **_group(np, "broadcast_to", "each", "shape", cost="growth"),
    **_group(np, "resize", "each", "new_shape", cost="growth"),
    **_group(np, "vander", "each", "N increasing", cost="growth"),
    **_group(np, "split array_split", "each", "indices_or_sections axis", cost="sections"),
    **_group(np, "hsplit vsplit dsplit", "each", "indices_or_sections", cost="sections"),
    **_group(np, "unstack", "each", "axis", cost="unstacking"),
    **_group(np, "delete", "each", "obj axis"),
    **_group(np, "trim_zeros", "each", "trim axis"),
    **_group(np, "copy ndim shape size unique_all unique_inverse real_if_close", "each"),
    **_group(np, "packbits unpackbits", "each", "axis bitorder"),
    **_group(np, "unravel_index", "each", "shape order"),
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
    **_group(np, "histogram", "each", "bins range density", cost="histogram"),
    **_group(np, "histogram_bin_edges", "each", "bins range", cost="histogram"),
    **_group(np, "zeros_like ones_like", "each"),
    **_group(np, "full_like", "each", "fill_value"),
    **_group(np, "corrcoef cov", "each", "rowvar", cost="covariance"),
    **_group(np, "poly roots", "each", cost="polynomial"),
    **_group(np, "polyder", "each", "m", cost="polynomial"),
    **_group(np, "polyint", "each", "m k", cost="polynomial"),
    **_group(np, "polyfit", "together", "deg", 2, "polynomial"),
    **_group(np, "is_busday", "each", "weekmask"),
    **_group(np, "busday_count", "together", "weekmask", 2, "elementwise"),
    **_group(np, "datetime_as_string", "each", "unit"),
    **_group(np, "lexsort", "join", "axis"),
    **_group(np, "meshgrid", "spread", "indexing sparse", cost="grid"),
    **_group(np, "broadcast_arrays", "spread", cost="spread"),
    **_group(np, "extract", "together", count=2),
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
        cost="elementwise",
    ),
    **_group(np, "dot matmul inner", "fold", cost="contraction"),
    **_group(np, "kron outer", "fold", cost="outer"),
    **_group(np, "divmod cross", "together", count=2, cost="elementwise"),
    **_group(np, "tensordot", "together", "axes", 2, "tensordot"),
    **_group(np, "vdot", "together", count=2),
    **_group(np, "vecdot", "together", "axis", 2, "elementwise"),
    **_group(np, "convolve correlate", "together", "mode", 2, "sliding"),
    **_group(np, "searchsorted", "together", "side", 2),
    **_group(np, "digitize", "together", "right", 2),
    **_group(np, "isin", "together", "assume_unique invert", 2),
    **_group(np, "isclose allclose", "together", "rtol atol equal_nan", 2, "elementwise"),
    **_group(np, "array_equal", "together", "equal_nan", 2, "elementwise"),
    **_group(np, "array_equiv", "together", count=2, cost="elementwise"),
    **_group(np, "setxor1d union1d setdiff1d intersect1d", "together", count=2),
    **_group(np, "take", "together", "axis mode", 2, "taking"),
    **_group(np, "take_along_axis", "together", "axis", 2, "along"),
    **_group(np, "compress", "together", "axis", 2),
    **_group(np, "append", "together", "axis", 2),
    **_group(np, "polyval", "together", count=2, cost="sliding"),
    **_group(np, "polyadd polysub", "together", count=2),
    **_group(np, "polymul polydiv", "together", count=2, cost="sliding"),
    **_group(np, "interp", "together", "left right period", 3),
    **_group(np, "where", "together", count=3, cost="elementwise"),
    **_group(np, "zeros ones", "make", "shape", cost="making"),
    **_group(np, "full", "make", "shape fill_value", cost="making"),
    **_group(np, "eye tri", "make", "N M k", cost="making"),
    **_group(np, "identity", "make", "n", cost="making"),
    **_group(np, "indices", "make", "dimensions", cost="making"),
    **_group(np, "tril_indices triu_indices", "make", "n k m", cost="making"),
    **_group(np, "arange", "make", "start stop step", cost="making"),
    **_group(np, "linspace", "make", "start stop num endpoint", cost="making"),
    **_group(np, "logspace", "make", "start stop num endpoint base", cost="making"),
    **_group(np, "geomspace", "make", "start stop num endpoint", cost="making"),
    **_group(np, "hanning hamming blackman bartlett", "make", "M", cost="making"),
    **_group(np, "kaiser", "make", "M beta", cost="making"),
    **_group(np.linalg, "norm vector_norm", "each", "ord axis keepdims", cost="norm", prefix="linalg."),
    **_group(np.linalg, "matrix_norm", "each", "ord keepdims", cost="norm", prefix="linalg."),
    **_group(np.linalg, "matrix_transpose", "each", prefix="linalg."),
    **_group(np.linalg, "diagonal trace", "each", "offset", prefix="linalg."),
    **_group(np.linalg, "matmul", "fold", cost="contraction", prefix="linalg."),
    **_group(np.linalg, "outer", "fold", cost="outer", prefix="linalg."),
    **_group(np.linalg, "cross vecdot", "together", "axis", 2, "elementwise", prefix="linalg."),
    **_group(np.linalg, "tensordot", "together", "axes", 2, "tensordot", prefix="linalg."),
    **_group(np.linalg, "det slogdet inv eig eigvals", "each", cost="decomposition", prefix="linalg."),
    **_group(np.linalg, "eigh eigvalsh", "each", "UPLO", cost="decomposition", prefix="linalg."),
    **_group(np.linalg, "cholesky svdvals cond", "each", cost="decomposition", prefix="linalg."),
    **_group(np.linalg, "svd", "each", "full_matrices compute_uv hermitian", cost="decomposition", prefix="linalg."),
    **_group(np.linalg, "qr", "each", "mode", cost="decomposition", prefix="linalg."),
    **_group(np.linalg, "pinv matrix_rank", "each", "rcond tol hermitian", cost="decomposition", prefix="linalg."),
    **_group(np.linalg, "matrix_power", "each", "n", cost="decomposition", prefix="linalg."),
    **_group(np.linalg, "solve", "together", "", 2, "decomposition", prefix="linalg."),
    **_group(np.linalg, "lstsq", "together", "rcond", 2, "decomposition", prefix="linalg."),
    **_group(np.linalg, "multi_dot", "join", cost="chain", prefix="linalg."),
    **_group(np.fft, "fft ifft rfft irfft hfft ihfft", "each", "n axis norm", cost="transform", prefix="fft."),
    **_group(np.fft, "fft2 ifft2 rfft2 irfft2", "each", "s axes norm", cost="transform", prefix="fft."),
    **_group(np.fft, "fftn ifftn rfftn irfftn", "each", "s axes norm", cost="transform", prefix="fft."),
    **_group(np.fft, "fftfreq rfftfreq", "make", "n d", cost="making", prefix="fft."),
    **_group(np.fft, "fftshift ifftshift", "each", "axes", prefix="fft."),
}

# Files, code, callbacks, writing in place, the process's own settings, and what was in its memory before.
DENIED = frozenset(
    (
        "load", "save", "savez", "savez_compressed", "loadtxt", "savetxt", "genfromtxt", "fromfile", "fromstring",
        "frombuffer", "fromregex", "tofile", "memmap", "frompyfunc", "vectorize", "apply_along_axis",
        "apply_over_axes", "fromfunction", "fromiter", "piecewise", "f2py", "ctypeslib", "lib", "test", "testing",
        "show_config", "info", "source", "lookfor", "put", "putmask", "place", "copyto", "fill_diagonal", "einsum",
        "einsum_path", "nditer", "set_printoptions", "seterr", "seterrcall", "setbufsize", "array2string",
        "array_str", "array_repr", "core", "random", "rec", "empty", "empty_like", "from_dlpack", "nested_iters",
        "put_along_axis", "asarray_chkfinite", "bmat", "get_include", "show_runtime", "printoptions",
    )
)  # fmt: skip
