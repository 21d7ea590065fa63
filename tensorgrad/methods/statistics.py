"""Medians, running extremes and differences as methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad.functions import quantiles
from tensorgrad.functions import statistics as functions

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["StatisticsMethods"]


class StatisticsMethods:
    """Medians, running extremes and differences as methods."""

    __slots__ = ()

    def aminmax(self: Any, *, dim: int | None = None, keepdim: bool = False) -> Any:
        """(min, max), of all elements or along a dimension; ties share the gradient."""
        return functions.aminmax(self, dim=dim, keepdim=keepdim)

    def corrcoef(self: Any) -> Tensor:
        """The matrix of correlation coefficients of variables (rows)."""
        return functions.corrcoef(self)

    def cov(
        self: Any,
        *,
        correction: int = 1,
        fweights: Tensor | None = None,
        aweights: Tensor | None = None,
    ) -> Tensor:
        """The covariance matrix of variables (rows) over observations (columns)."""
        return functions.cov(self, correction=correction, fweights=fweights, aweights=aweights)

    def cummax(self: Any, dim: int) -> Any:
        """The running maximum along a dimension: (values, indices)."""
        return functions.cummax(self, dim)

    def cummin(self: Any, dim: int) -> Any:
        """The running minimum along a dimension: (values, indices)."""
        return functions.cummin(self, dim)

    def cumprod(self: Any, dim: int, *, dtype: Any = None) -> Tensor:
        """The running product along a dimension."""
        return functions.cumprod(self, dim, dtype=dtype)

    def diff(
        self: Any,
        n: int = 1,
        dim: int = -1,
        prepend: Tensor | None = None,
        append: Tensor | None = None,
    ) -> Tensor:
        """n times the difference of neighbours along a dimension."""
        return functions.diff(self, n, dim, prepend, append)

    def logcumsumexp(self: Any, dim: int) -> Tensor:
        """log of the running sum of exponentials along a dimension, stable."""
        return functions.logcumsumexp(self, dim)

    def median(self: Any, dim: int | None = None, keepdim: bool = False) -> Any:
        """The lower median of all elements, or (values, indices) along a dimension."""
        return functions.median(self, dim, keepdim)

    def mode(self: Any, dim: int = -1, keepdim: bool = False) -> Any:
        """The commonest value along a dimension, the smallest of several: (values, indices)."""
        return functions.mode(self, dim, keepdim)

    def nanmean(self: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
        """The mean of what is not NaN."""
        return functions.nanmean(self, dim, keepdim, dtype=dtype)

    def nanmedian(self: Any, dim: int | None = None, keepdim: bool = False) -> Any:
        """As `median`, overlooking NaN."""
        return functions.nanmedian(self, dim, keepdim)

    def nansum(self: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
        """The sum, NaN counting as 0."""
        return functions.nansum(self, dim, keepdim, dtype=dtype)

    def quantile(
        self: Any,
        q: Any,
        dim: int | None = None,
        keepdim: bool = False,
        *,
        interpolation: str = "linear",
    ) -> Tensor:
        """The q-th quantiles of all elements or along a dimension."""
        return quantiles.quantile(self, q, dim, keepdim, interpolation=interpolation)

    def nanquantile(
        self: Any,
        q: Any,
        dim: int | None = None,
        keepdim: bool = False,
        *,
        interpolation: str = "linear",
    ) -> Tensor:
        """As `quantile`, overlooking NaN."""
        return quantiles.nanquantile(self, q, dim, keepdim, interpolation=interpolation)
