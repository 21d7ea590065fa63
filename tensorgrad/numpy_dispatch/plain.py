"""NumPy functions whose results have no gradient: questions, files, text, counts, new arrays.

They run on the arrays.  Questions about shape, dtype, memory and equality may be asked of any
tensor; what would carry numbers out of the graph (a file) is refused for one that requires grad,
as ``.numpy()`` is.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy import ndarray

from tensorgrad.dtypes import as_dtype, dtype
from tensorgrad.graph.node import TensorBase, wrap
from tensorgrad.numpy_dispatch.table import FUNCTIONS, implements, no_others, tensor_of

__all__: list[str] = []

# The answer is Python's or NumPy's own.
ASKED = (
    "shape", "ndim", "size", "iscomplexobj", "isrealobj", "may_share_memory", "shares_memory",
    "array_equal", "array_equiv", "allclose", "result_type", "can_cast", "min_scalar_type",
    "common_type", "array2string", "array_repr", "array_str", "einsum_path",
)  # fmt: skip

# Numbers go out of the graph: refused for a tensor that requires grad.
WRITTEN = ("save", "savez", "savez_compressed", "savetxt")

# The result is a Tensor that no gradient reaches: counts, places, tests.
COUNTED = (
    "isclose", "isin", "iscomplex", "isreal", "isposinf", "isneginf", "digitize", "bincount",
    "histogram", "histogram2d", "histogramdd", "histogram_bin_edges", "lexsort", "argpartition",
    "nanargmax", "nanargmin", "unravel_index", "ravel_multi_index", "packbits", "unpackbits",
    "intersect1d", "setdiff1d", "setxor1d", "union1d", "diag_indices_from", "tril_indices_from",
    "triu_indices_from", "ix_",
)  # fmt: skip

# A new Tensor: `np.zeros(3, like=x)`, `np.zeros_like(x)`.
MADE = (
    "array", "asarray", "asanyarray", "ascontiguousarray", "zeros", "ones", "empty", "full",
    "arange", "eye", "identity", "tri", "fromfunction", "zeros_like", "ones_like", "empty_like",
    "full_like",
)  # fmt: skip


def _bare(value: Any, *, refuse: bool) -> Any:
    """Arguments with arrays in place of Tensors."""
    if isinstance(value, TensorBase):
        tensor: Any = value
        return tensor.numpy(force=not refuse)
    if isinstance(value, (list, tuple)):
        return type(value)(_bare(v, refuse=refuse) for v in value)
    return value.dtype if isinstance(value, dtype) else value


def _back(value: Any) -> Any:
    """Results with Tensors in place of arrays."""
    if isinstance(value, (ndarray, np.generic)):
        return wrap(np.asarray(value))
    if isinstance(value, (list, tuple)):
        return tuple(_back(v) for v in value)
    return value


def _enter(name: str, *, refuse: bool, back: bool) -> None:
    function = operator.attrgetter(name)(np)

    def adapter(*args: Any, **words: Any) -> Any:
        no_others(name, {"out": words.pop("out", None)})
        bare = {k: _bare(v, refuse=refuse) for k, v in words.items()}
        found = function(*(_bare(a, refuse=refuse) for a in args), **bare)
        return _back(found) if back else found

    FUNCTIONS[function] = adapter


for _name in ASKED:
    _enter(_name, refuse=False, back=False)
for _name in WRITTEN:
    _enter(_name, refuse=True, back=False)
for _name in (*COUNTED, *MADE):
    _enter(_name, refuse=False, back=True)


@implements("copyto")
def _copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    if isinstance(dst, TensorBase):
        no_others("copyto", {"where": where})
        source: Any = tensor_of(src)
        if not np.can_cast(source._array.dtype, dst._array.dtype, casting):  # type: ignore[arg-type]
            raise TypeError(
                f"np.copyto: cannot cast {source.dtype} to {as_dtype(dst._array.dtype)} according "
                f"to the rule {casting!r}"
            )
        target: Any = dst
        target.copy_(source)
        return
    np.copyto(dst, _bare(src, refuse=True), casting, _bare(where, refuse=False))  # type: ignore[arg-type]
