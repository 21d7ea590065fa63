"""Invertible functions with the logarithm of their Jacobian's determinant, and combinations."""

from __future__ import annotations

import math
from typing import Any

import tensorgrad as tg
from tensorgrad.distributions import constraints
from tensorgrad.size import Size
from tensorgrad.tensor import Tensor

__all__ = [
    "ComposeTransform",
    "IndependentTransform",
    "ReshapeTransform",
    "Transform",
    "identity_transform",
    "sum_rightmost",
]


def sum_rightmost(value: Any, count: int) -> Any:
    """Summed over the last ``count`` dimensions."""
    if count == 0 or not isinstance(value, Tensor):
        return value
    return value.reshape(*tuple(value.shape)[: value.ndim - count], -1).sum(-1)


class Transform:
    """y = t(x), with ``t.inv`` and ``t.log_abs_det_jacobian(x, y)``.

    cache_size=1 keeps the last (x, y), so that inverting y gives that very x.
    """

    bijective = False
    domain: Any = constraints.real
    codomain: Any = constraints.real

    def __init__(self, cache_size: int = 0) -> None:
        if cache_size not in (0, 1):
            raise ValueError("cache_size must be 0 or 1")
        self._cache_size = cache_size
        self._pair: tuple[Any, Any] = (None, None)

    @property
    def event_dim(self) -> int:
        """How many dimensions are transformed together, when domain and codomain agree on it."""
        if self.domain.event_dim == self.codomain.event_dim:
            return self.domain.event_dim  # type: ignore[no-any-return]
        raise ValueError("Please use either .domain.event_dim or .codomain.event_dim")

    @property
    def inv(self) -> Transform:
        """The inverse."""
        return _Inverse(self)

    @property
    def sign(self) -> Any:
        """1 if it increases, -1 if it decreases."""
        raise NotImplementedError(f"{type(self).__name__}.sign")

    def with_cache(self, cache_size: int = 1) -> Transform:
        """The same transform with another cache size."""
        if self._cache_size == cache_size:
            return self
        import copy

        made = copy.copy(self)
        Transform.__init__(made, cache_size)
        return made

    def __call__(self, x: Tensor) -> Tensor:
        if self._cache_size and x is self._pair[0]:
            return self._pair[1]  # type: ignore[no-any-return]
        y = self._call(x)
        if self._cache_size:
            self._pair = (x, y)
        return y

    def _inv_call(self, y: Tensor) -> Tensor:
        if self._cache_size and y is self._pair[1]:
            return self._pair[0]  # type: ignore[no-any-return]
        x = self._inverse(y)
        if self._cache_size:
            self._pair = (x, y)
        return x

    def _call(self, x: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__}._call")

    def _inverse(self, y: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} has no inverse")

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """log |det dy/dx|, given x and y."""
        raise NotImplementedError(f"{type(self).__name__}.log_abs_det_jacobian")

    def forward_shape(self, shape: Any) -> Size:
        """The shape of y for that of x."""
        return Size(shape)

    def inverse_shape(self, shape: Any) -> Size:
        """The shape of x for that of y."""
        return Size(shape)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(type(self))

    def _key(self) -> Any:
        return ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class _Inverse(Transform):
    """A transform from the other side."""

    def __init__(self, transform: Transform) -> None:
        super().__init__()
        self._of = transform
        self.bijective = transform.bijective
        self.domain, self.codomain = transform.codomain, transform.domain

    @property
    def inv(self) -> Transform:
        return self._of

    @property
    def sign(self) -> Any:
        return self._of.sign

    def __call__(self, x: Tensor) -> Tensor:
        return self._of._inv_call(x)

    def _inv_call(self, y: Tensor) -> Tensor:
        return self._of(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -self._of.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: Any) -> Size:
        return self._of.inverse_shape(shape)

    def inverse_shape(self, shape: Any) -> Size:
        return self._of.forward_shape(shape)

    def _key(self) -> Any:
        return self._of

    def __repr__(self) -> str:
        return f"_InverseTransform({self._of!r})"


class ComposeTransform(Transform):
    """Several transforms, one after the other."""

    def __init__(self, parts: Any, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.parts = [part.with_cache(cache_size) if cache_size else part for part in parts]
        self.bijective = all(part.bijective for part in self.parts)
        self.domain, self.codomain = constraints.real, constraints.real
        if self.parts:
            self.domain = _at_least(self.parts[0].domain, self._depth(True))
            self.codomain = _at_least(self.parts[-1].codomain, self._depth(False))

    def _depth(self, first: bool) -> int:
        """Dimensions that are transformed together at the one end, by what all parts need."""
        parts = self.parts[::-1] if first else self.parts
        depth = 0
        for part in parts:
            here, there = part.domain.event_dim, part.codomain.event_dim
            here, there = (there, here) if first else (here, there)
            depth = max(depth - here, 0) + there
        return depth

    @property
    def sign(self) -> Any:
        return math.prod(part.sign for part in self.parts)

    @property
    def inv(self) -> Transform:
        return ComposeTransform([part.inv for part in reversed(self.parts)])

    def _call(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x)
        return x

    def _inverse(self, y: Tensor) -> Tensor:
        for part in reversed(self.parts):
            y = part._inv_call(y)
        return y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        if not self.parts:
            return tg.zeros_like(x)
        total: Any = 0
        depth = self.domain.event_dim
        for part in self.parts:
            after = part(x)
            term = part.log_abs_det_jacobian(x, after)
            total = total + sum_rightmost(term, depth - part.domain.event_dim)
            depth += part.codomain.event_dim - part.domain.event_dim
            x = after
        return total  # type: ignore[no-any-return]

    def forward_shape(self, shape: Any) -> Size:
        for part in self.parts:
            shape = part.forward_shape(shape)
        return Size(shape)

    def inverse_shape(self, shape: Any) -> Size:
        for part in reversed(self.parts):
            shape = part.inverse_shape(shape)
        return Size(shape)

    def _key(self) -> Any:
        return self.parts

    def __repr__(self) -> str:
        inside = ",\n    ".join(repr(part) for part in self.parts)
        return f"ComposeTransform(\n    {inside}\n)"


def _at_least(constraint: Any, depth: int) -> Any:
    more = depth - constraint.event_dim
    return constraints.independent(constraint, more) if more > 0 else constraint


class IndependentTransform(Transform):
    """A transform whose last batch dimensions count as part of the event."""

    def __init__(
        self, base_transform: Transform, reinterpreted_batch_ndims: int, cache_size: int = 0
    ) -> None:
        super().__init__(cache_size)
        self.base_transform = base_transform
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims
        self.bijective = base_transform.bijective
        self.domain = constraints.independent(base_transform.domain, reinterpreted_batch_ndims)
        self.codomain = constraints.independent(base_transform.codomain, reinterpreted_batch_ndims)

    @property
    def sign(self) -> Any:
        return self.base_transform.sign

    def _call(self, x: Tensor) -> Tensor:
        return self.base_transform(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return self.base_transform._inv_call(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        term = self.base_transform.log_abs_det_jacobian(x, y)
        return sum_rightmost(term, self.reinterpreted_batch_ndims)  # type: ignore[no-any-return]

    def _key(self) -> Any:
        return (self.base_transform, self.reinterpreted_batch_ndims)

    def __repr__(self) -> str:
        return f"IndependentTransform({self.base_transform!r}, {self.reinterpreted_batch_ndims})"


class ReshapeTransform(Transform):
    """The last dimensions in another shape."""

    bijective = True

    def __init__(self, in_shape: Any, out_shape: Any, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.in_shape, self.out_shape = Size(in_shape), Size(out_shape)
        if self.in_shape.numel() != self.out_shape.numel():
            raise ValueError(
                f"in_shape, out_shape have different numbers of elements: {tuple(self.in_shape)}, "
                f"{tuple(self.out_shape)}"
            )
        self.domain = constraints.independent(constraints.real, len(self.in_shape))
        self.codomain = constraints.independent(constraints.real, len(self.out_shape))

    def _batch(self, shape: Any, event: Size) -> tuple[int, ...]:
        cut = len(shape) - len(event)
        if cut < 0 or tuple(shape)[cut:] != tuple(event):
            raise ValueError(f"Shape mismatch: expected ...{tuple(event)} but got {tuple(shape)}")
        return tuple(shape)[:cut]

    def _call(self, x: Tensor) -> Tensor:
        return x.reshape(*self._batch(x.shape, self.in_shape), *self.out_shape)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.reshape(*self._batch(y.shape, self.out_shape), *self.in_shape)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return tg.zeros(self._batch(x.shape, self.in_shape), dtype=x.dtype)

    def forward_shape(self, shape: Any) -> Size:
        return Size((*self._batch(shape, self.in_shape), *self.out_shape))

    def inverse_shape(self, shape: Any) -> Size:
        return Size((*self._batch(shape, self.out_shape), *self.in_shape))

    def _key(self) -> Any:
        return (tuple(self.in_shape), tuple(self.out_shape))


identity_transform = ComposeTransform([])
