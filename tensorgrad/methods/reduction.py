"""Reductions and softmaxes as methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad.functions import reduction as functions
from tensorgrad.linalg import old_names
from tensorgrad.ops import reduction as ops
from tensorgrad.recording.spelling import check_flag

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["ReductionMethods"]


class ReductionMethods:
    """Reductions and softmaxes as methods."""

    __slots__ = ()

    def all(self: Any, dim: Any = None, keepdim: bool = False) -> Tensor:
        """Whether all elements are nonzero."""
        return functions.all(self, dim, keepdim)

    def amax(self: Any, dim: Any = None, keepdim: bool = False) -> Tensor:
        """The maximum over dimensions; ties share the gradient evenly."""
        return functions.amax(self, dim, keepdim)

    def amin(self: Any, dim: Any = None, keepdim: bool = False) -> Tensor:
        """The minimum over dimensions; ties share the gradient evenly."""
        return functions.amin(self, dim, keepdim)

    def any(self: Any, dim: Any = None, keepdim: bool = False) -> Tensor:
        """Whether some element is nonzero."""
        return functions.any(self, dim, keepdim)

    def argmax(self: Any, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """The index of the first maximum along a dimension, or in the flattened tensor."""
        return functions.argmax(self, dim, keepdim)

    def argmin(self: Any, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """The index of the first minimum along a dimension, or in the flattened tensor."""
        return functions.argmin(self, dim, keepdim)

    def count_nonzero(self: Any, dim: Any = None, *dims: int) -> Tensor:
        """How many elements are nonzero; dimensions as a tuple or one after the other."""
        return functions.count_nonzero(self, (dim, *dims) if dims else dim)

    def cumsum(self: Any, dim: int, *, dtype: Any = None) -> Tensor:
        """The running sum along a dimension."""
        return functions.cumsum(self, dim, dtype=dtype)

    def log_softmax(self: Any, dim: int, dtype: Any = None) -> Tensor:
        """log(softmax(x)), stable."""
        return functions.log_softmax(self, dim, dtype=dtype)

    def logsumexp(self: Any, dim: Any, keepdim: bool = False) -> Tensor:
        """log sum e**x over dimensions, stable."""
        return functions.logsumexp(self, dim, keepdim)

    def max(self: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
        """max(x): all elements, ties share; max(x, dim): (values, indices); max(x, y):
        elementwise.
        """
        return functions.max(self, dim, keepdim, other=other)

    def mean(self: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
        """The mean over all elements or over dimensions; floating-point only."""
        return functions.mean(self, dim, keepdim, dtype=dtype)

    def min(self: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
        """min(x): all elements, ties share; min(x, dim): (values, indices); min(x, y):
        elementwise.
        """
        return functions.min(self, dim, keepdim, other=other)

    def norm(
        self: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, *, dtype: Any = None
    ) -> Tensor:
        """The p-norm of the elements, over all or some dimensions; p "fro" is 2, inf the
        largest, "nuc" the sum of a matrix's singular values.
        """
        check_flag("norm", "keepdim", keepdim)  # not by the wrapper: NumPy's names are not taken
        return old_names.norm(self, p, dim, keepdim, dtype=dtype)

    def prod(
        self: Any, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None
    ) -> Tensor:
        """The product of all elements or along one dimension."""
        return functions.prod(self, dim, keepdim, dtype=dtype)

    def softmax(self: Any, dim: int, dtype: Any = None) -> Tensor:
        """e**x_i / sum_j e**x_j along a dimension."""
        return functions.softmax(self, dim, dtype=dtype)

    def std(
        self: Any,
        dim: Any = None,
        unbiased: bool | None = None,
        keepdim: bool = False,
        *,
        correction: Any = None,
    ) -> Tensor:
        """The standard deviation, sqrt(var)."""
        return functions.std(self, dim, unbiased, keepdim, correction=correction)

    def std_mean(
        self: Any,
        dim: Any = None,
        unbiased: bool | None = None,
        keepdim: bool = False,
        *,
        correction: Any = None,
    ) -> tuple[Tensor, Tensor]:
        """(std, mean)."""
        return functions.std_mean(self, dim, unbiased, keepdim, correction=correction)

    def sum(self: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
        """The sum over all elements or over dimensions; integers add up as int64."""
        if dim is None and dtype is None:  # the commonest call, without a function in between
            return ops.sum(self, axis=None, keepdims=keepdim)
        return functions.sum(self, dim, keepdim, dtype=dtype)

    def var(
        self: Any,
        dim: Any = None,
        unbiased: bool | None = None,
        keepdim: bool = False,
        *,
        correction: Any = None,
    ) -> Tensor:
        """The variance: squared deviations over (count - correction); correction 1 by default."""
        return functions.var(self, dim, unbiased, keepdim, correction=correction)

    def var_mean(
        self: Any,
        dim: Any = None,
        unbiased: bool | None = None,
        keepdim: bool = False,
        *,
        correction: Any = None,
    ) -> tuple[Tensor, Tensor]:
        """(var, mean)."""
        return functions.var_mean(self, dim, unbiased, keepdim, correction=correction)
