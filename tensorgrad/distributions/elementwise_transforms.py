"""Transforms of one number at a time."""

from __future__ import annotations

import math
from typing import Any, Self

import tensorgrad as tg
from tensorgrad.distributions import constraints
from tensorgrad.distributions.parameters import softplus
from tensorgrad.distributions.transform import Transform, sum_rightmost
from tensorgrad.tensor import Tensor

__all__ = [
    "AbsTransform",
    "AffineTransform",
    "ExpTransform",
    "PowerTransform",
    "SigmoidTransform",
    "SoftplusTransform",
    "TanhTransform",
]


class ExpTransform(Transform):
    """y = e^x."""

    bijective, sign = True, 1
    codomain = constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return x.exp()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x


class PowerTransform(Transform):
    """y = x^exponent, of positive numbers."""

    bijective = True
    domain = codomain = constraints.positive

    def __init__(self, exponent: Any, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        kind = tg.get_default_dtype()
        self.exponent = (
            exponent if isinstance(exponent, Tensor) else tg.tensor(exponent, dtype=kind)
        )

    @property
    def sign(self) -> Any:
        return self.exponent.sign()

    def _call(self, x: Tensor) -> Tensor:
        return x.pow(self.exponent)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.pow(1 / self.exponent)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return (self.exponent * y / x).abs().log()

    def _key(self) -> Any:
        return self.exponent.tolist()


class SigmoidTransform(Transform):
    """y = 1 / (1 + e^-x)."""

    bijective, sign = True, 1
    codomain = constraints.unit_interval

    def _call(self, x: Tensor) -> Tensor:
        tiny, eps = tg.finfo(x.dtype).tiny, tg.finfo(x.dtype).eps
        return x.sigmoid().clamp(tiny, 1 - eps)

    def _inverse(self, y: Tensor) -> Tensor:
        tiny, eps = tg.finfo(y.dtype).tiny, tg.finfo(y.dtype).eps
        y = y.clamp(tiny, 1 - eps)
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -softplus(-x) - softplus(x)


class SoftplusTransform(Transform):
    """y = log(1 + e^x)."""

    bijective, sign = True, 1
    codomain = constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return softplus(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return (-y).expm1().neg().log() + y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -softplus(-x)


class TanhTransform(Transform):
    """y = tanh(x)."""

    bijective, sign = True, 1
    codomain = constraints.interval(-1.0, 1.0)

    def _call(self, x: Tensor) -> Tensor:
        return x.tanh()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return 2.0 * (math.log(2.0) - x - softplus(-2.0 * x))


class AbsTransform(Transform):
    """y = |x|; the inverse takes the positive x."""

    codomain = constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return x.abs()

    def _inverse(self, y: Tensor) -> Tensor:
        return y


class AffineTransform(Transform):
    """y = loc + scale x."""

    bijective = True

    def __init__(self, loc: Any, scale: Any, event_dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.loc, self.scale, self._event_dim = loc, scale, event_dim
        if event_dim:
            self.domain = self.codomain = constraints.independent(constraints.real, event_dim)

    @property
    def sign(self) -> Any:
        if isinstance(self.scale, Tensor):
            return self.scale.sign()
        return (self.scale > 0) - (self.scale < 0)

    def _call(self, x: Tensor) -> Tensor:
        return self.loc + self.scale * x  # type: ignore[no-any-return]

    def _inverse(self, y: Tensor) -> Tensor:
        return (y - self.loc) / self.scale  # type: ignore[no-any-return]

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        scale = self.scale
        if isinstance(scale, Tensor):
            term = scale.abs().log()
        else:
            term = tg.full_like(x, math.log(abs(scale)))
        if self._event_dim:
            return sum_rightmost(term.expand(x.shape), self._event_dim)  # type: ignore[no-any-return]
        return term.expand(x.shape)

    def _key(self) -> Any:
        values = [v.tolist() if isinstance(v, Tensor) else v for v in (self.loc, self.scale)]
        return (*values, self._event_dim)

    def with_cache(self, cache_size: int = 1) -> Self:
        return super().with_cache(cache_size)  # type: ignore[return-value]
