"""Transforms made of others: of pieces along a dimension, and of a distribution."""

from __future__ import annotations

from typing import Any

import tensorgrad as tg
from tensorgrad.distributions import constraints
from tensorgrad.distributions.constraints import along, cat, stack
from tensorgrad.distributions.transform import Transform, sum_rightmost
from tensorgrad.tensor import Tensor

__all__ = ["CatTransform", "CumulativeDistributionTransform", "StackTransform"]


class _Joined(Transform):
    """What the two share: transforms, a dimension, and how values fall apart along it."""

    def __init__(self, tseq: Any, dim: int, cache_size: int) -> None:
        super().__init__(cache_size)
        given = list(tseq)
        if not all(isinstance(t, Transform) for t in given):
            raise AssertionError(f"{type(self).__name__}: expected Transforms, got {given!r}")
        self.transforms = [t.with_cache(cache_size) if cache_size else t for t in given]
        self.dim = dim
        self.bijective = all(t.bijective for t in self.transforms)

    def _length(self) -> int:
        return len(self.transforms)

    def _pieces(self, value: Tensor) -> Any:
        raise NotImplementedError

    def _checked(self, value: Tensor) -> Any:
        along(type(self).__name__, self.dim, value)
        if value.shape[self.dim] != self._length():
            raise AssertionError(
                f"{type(self).__name__}: size {value.shape[self.dim]} of dimension {self.dim} "
                f"must equal {self._length()}"
            )
        return self._pieces(value)

    def _key(self) -> Any:
        return (self.transforms, self.dim)


class CatTransform(_Joined):
    """Transforms of pieces along a dimension, of given lengths (1 each), as `cat` joins them."""

    def __init__(self, tseq: Any, dim: int = 0, lengths: Any = None, cache_size: int = 0) -> None:
        super().__init__(tseq, dim, cache_size)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.transforms):
            raise AssertionError(
                f"CatTransform: lengths ({len(self.lengths)}) must match transforms "
                f"({len(self.transforms)})"
            )
        self.domain = cat([t.domain for t in self.transforms], dim, self.lengths)
        self.codomain = cat([t.codomain for t in self.transforms], dim, self.lengths)

    @property
    def event_dim(self) -> int:
        """The most dimensions that one of the transforms takes together."""
        return max(t.event_dim for t in self.transforms)  # type: ignore[no-any-return]

    @property
    def length(self) -> int:
        """The size of the dimension."""
        return sum(self.lengths)

    def _length(self) -> int:
        return self.length

    def _pieces(self, value: Tensor) -> Any:
        return value.split(self.lengths, self.dim)

    def _call(self, x: Tensor) -> Tensor:
        parts = zip(self.transforms, self._checked(x), strict=True)
        return tg.cat([t(piece) for t, piece in parts], self.dim)

    def _inverse(self, y: Tensor) -> Tensor:
        parts = zip(self.transforms, self._checked(y), strict=True)
        return tg.cat([t._inv_call(piece) for t, piece in parts], self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        depth = self.event_dim
        terms = [
            sum_rightmost(t.log_abs_det_jacobian(a, b), depth - t.event_dim)
            for t, a, b in zip(self.transforms, self._checked(x), self._checked(y), strict=True)
        ]
        place = (self.dim - x.ndim if self.dim >= 0 else self.dim) + depth
        # within the events there is nothing left to join
        return tg.cat(terms, place) if place < 0 else sum(terms[1:], terms[0])

    def _key(self) -> Any:
        return (self.transforms, self.dim, self.lengths)


class StackTransform(_Joined):
    """Transforms of the places along a dimension, as `stack` joins them."""

    def __init__(self, tseq: Any, dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(tseq, dim, cache_size)
        self.domain = stack([t.domain for t in self.transforms], dim)
        self.codomain = stack([t.codomain for t in self.transforms], dim)

    def _pieces(self, value: Tensor) -> Any:
        return value.unbind(self.dim)

    def _call(self, x: Tensor) -> Tensor:
        parts = zip(self.transforms, self._checked(x), strict=True)
        return tg.stack([t(piece) for t, piece in parts], self.dim)

    def _inverse(self, y: Tensor) -> Tensor:
        parts = zip(self.transforms, self._checked(y), strict=True)
        return tg.stack([t._inv_call(piece) for t, piece in parts], self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        parts = zip(self.transforms, self._checked(x), self._checked(y), strict=True)
        return tg.stack([t.log_abs_det_jacobian(a, b) for t, a, b in parts], self.dim)


class CumulativeDistributionTransform(Transform):
    """x to P(X <= x), for a distribution that has `cdf`, `icdf` and `log_prob`."""

    bijective, sign = True, 1
    codomain = constraints.unit_interval

    def __init__(self, distribution: Any, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.distribution = distribution
        self.domain = distribution.support

    def _call(self, x: Tensor) -> Tensor:
        return self.distribution.cdf(x)  # type: ignore[no-any-return]

    def _inverse(self, y: Tensor) -> Tensor:
        return self.distribution.icdf(y)  # type: ignore[no-any-return]

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return self.distribution.log_prob(x)  # type: ignore[no-any-return]

    def _key(self) -> Any:
        return self.distribution
