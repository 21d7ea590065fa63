"""In-place products, scans, triangles, and Python functions of the elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.dtypes import numpy_dtype
from tensorgrad.functions import (
    combining,
    indexing,
    products,
    reduction,
    scattering,
    shape,
    statistics,
)
from tensorgrad.graph.node import wrap as as_tensor
from tensorgrad.scalars import element
from tensorgrad.views.following import before_write, write

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["InplaceMatrixMethods"]


def _into(tensor: Any, value: Any, name: str) -> Tensor:
    return write(tensor, value, name)  # type: ignore[no-any-return]


class InplaceMatrixMethods:
    """Methods whose names end in an underscore, of matrices and whole dimensions."""

    __slots__ = ()

    def addmm_(self: Any, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        """In-place `addmm`."""
        return _into(
            self,
            products.addmm(before_write(self, mat1, mat2), mat1, mat2, beta=beta, alpha=alpha),
            "addmm_",
        )

    def addmv_(self: Any, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        """In-place `addmv`."""
        return _into(
            self,
            products.addmv(before_write(self, mat, vec), mat, vec, beta=beta, alpha=alpha),
            "addmv_",
        )

    def addr_(self: Any, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        """In-place `addr`."""
        return _into(
            self,
            products.addr(before_write(self, vec1, vec2), vec1, vec2, beta=beta, alpha=alpha),
            "addr_",
        )

    def addbmm_(
        self: Any, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1
    ) -> Tensor:
        """In-place `addbmm`."""
        return _into(
            self,
            products.addbmm(
                before_write(self, batch1, batch2), batch1, batch2, beta=beta, alpha=alpha
            ),
            "addbmm_",
        )

    def baddbmm_(
        self: Any, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1
    ) -> Tensor:
        """In-place `baddbmm`."""
        return _into(
            self,
            products.baddbmm(
                before_write(self, batch1, batch2), batch1, batch2, beta=beta, alpha=alpha
            ),
            "baddbmm_",
        )

    def cumsum_(self: Any, dim: int, *, dtype: Any = None) -> Tensor:
        """In-place `cumsum`."""
        kind = _own_dtype(self, dtype, "cumsum_")
        return _into(self, reduction.cumsum(before_write(self), dim, dtype=kind), "cumsum_")

    def cumprod_(self: Any, dim: int, *, dtype: Any = None) -> Tensor:
        """In-place `cumprod`."""
        kind = _own_dtype(self, dtype, "cumprod_")
        return _into(self, statistics.cumprod(before_write(self), dim, dtype=kind), "cumprod_")

    def tril_(self: Any, diagonal: int = 0) -> Tensor:
        """In-place `tril`."""
        return _into(self, shape.tril(before_write(self), diagonal), "tril_")

    def triu_(self: Any, diagonal: int = 0) -> Tensor:
        """In-place `triu`."""
        return _into(self, shape.triu(before_write(self), diagonal), "triu_")

    def renorm_(self: Any, p: float, dim: int, maxnorm: float) -> Tensor:
        """In-place `renorm`."""
        return _into(self, combining.renorm(before_write(self), p, dim, maxnorm), "renorm_")

    def index_reduce_(
        self: Any,
        dim: int,
        index: Tensor,
        source: Tensor,
        reduce: str,
        *,
        include_self: bool = True,
    ) -> Tensor:
        """In-place `index_reduce`."""
        changed = scattering.index_reduce(
            before_write(self, source), dim, index, source, reduce, include_self=include_self
        )
        return _into(self, changed, "index_reduce_")

    def fill_diagonal_(self: Any, fill_value: float, wrap: bool = False) -> Tensor:
        """One number on the main diagonal; wrap: begin again below it in a tall matrix."""
        array = self._array
        if array.ndim < 2:
            raise RuntimeError(f"fill_diagonal_: dimensions must larger than 1, got {array.ndim}")
        if array.ndim > 2 and len(set(array.shape)) > 1:
            raise RuntimeError(
                "fill_diagonal_: all dimensions of input must be of equal length, got "
                f"{list(array.shape)}"
            )
        here = np.zeros(array.shape, bool)
        count = min(array.shape)
        here[(np.arange(count),) * array.ndim] = True
        if wrap and array.ndim == 2:
            rows = np.arange(array.shape[0])
            columns = rows % (array.shape[1] + 1)
            inside = columns < array.shape[1]
            here[rows[inside], columns[inside]] = True
        value = np.asarray(element("fill_diagonal_", fill_value, array.dtype), array.dtype)
        changed = indexing.masked_fill(before_write(self), as_tensor(here), as_tensor(value))
        return _into(self, changed, "fill_diagonal_")

    def apply_(self: Any, callable: Callable[[Any], Any]) -> Tensor:
        """Each element replaced by a Python function of it: slow, and without a gradient."""
        return _mapped(self, "apply_", callable)

    def map_(self: Any, other: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
        """Each element replaced by a Python function of it and the other tensor's."""
        return _mapped(self, "map_", callable, other)

    def map2_(self: Any, x: Tensor, y: Tensor, callable: Callable[[Any, Any, Any], Any]) -> Tensor:
        """Each element replaced by a Python function of it and two other tensors'."""
        return _mapped(self, "map2_", callable, x, y)


def _own_dtype(tensor: Any, dtype: Any, name: str) -> Any:
    own = tensor._array.dtype
    if dtype is not None and numpy_dtype(dtype) != own:
        raise RuntimeError(
            f"Bad in-place call: {name} of a tensor of {own} cannot give {numpy_dtype(dtype)}"
        )
    return own


def _mapped(tensor: Any, name: str, function: Callable[..., Any], *others: Any) -> Tensor:
    if any(t.requires_grad for t in (tensor, *others)):
        raise RuntimeError(
            f"Can't call {name}() on Variable that requires grad. "
            f"Use var.detach().{name}() instead."
        )
    array = tensor._array
    for other in others:
        if other._array.dtype != array.dtype:
            raise TypeError(f"{name}: expected a tensor of {array.dtype}, got {other.dtype}")
    try:
        columns = [np.broadcast_to(t._array, array.shape).ravel().tolist() for t in others]
    except ValueError:
        shapes = ", ".join(str(list(t.shape)) for t in others)
        raise RuntimeError(
            f"{name}: {shapes} cannot be expanded to the tensor's {list(tensor.shape)}"
        ) from None
    found = [function(*row) for row in zip(array.ravel().tolist(), *columns, strict=True)]
    values = np.array([array.dtype.type(v) for v in found], array.dtype).reshape(array.shape)
    return _into(tensor, as_tensor(values), "copy_")
