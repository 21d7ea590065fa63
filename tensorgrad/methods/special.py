"""Special functions as methods: each calls the function of its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad.functions import special as functions

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["SpecialMethods"]


class SpecialMethods:
    """Special functions as methods: each calls the function of its name."""

    __slots__ = ()

    def digamma(self: Any) -> Tensor:
        """The derivative of log Gamma; infinite at 0, NaN at -1, -2, ..."""
        return functions.digamma(self)

    def erf(self: Any) -> Tensor:
        """2/sqrt(pi) times the integral of exp(-t**2) from 0 to x."""
        return functions.erf(self)

    def erfc(self: Any) -> Tensor:
        """1 - erf(x), without cancellation."""
        return functions.erfc(self)

    def erfinv(self: Any) -> Tensor:
        """The number with erf x; infinite at -1 and 1, NaN beyond."""
        return functions.erfinv(self)

    def i0(self: Any) -> Tensor:
        """The modified Bessel function of order 0."""
        return functions.i0(self)

    def igamma(self: Any, other: Tensor) -> Tensor:
        """The regularised lower incomplete Gamma function P(self, other)."""
        return functions.igamma(self, other)

    def igammac(self: Any, other: Tensor) -> Tensor:
        """The regularised upper incomplete Gamma function Q(self, other)."""
        return functions.igammac(self, other)

    def lgamma(self: Any) -> Tensor:
        """log |Gamma(x)|; infinite at 0, -1, -2, ..."""
        return functions.lgamma(self)

    def logaddexp(self: Any, other: Tensor) -> Tensor:
        """log(e**input + e**other), which overflows nowhere."""
        return functions.logaddexp(self, other)

    def logaddexp2(self: Any, other: Tensor) -> Tensor:
        """log2(2**input + 2**other), which overflows nowhere."""
        return functions.logaddexp2(self, other)

    def logit(self: Any, eps: float | None = None) -> Tensor:
        """log(x / (1 - x)), NaN outside [0, 1]; with ``eps``, x is first brought into [eps, 1 -
        eps], and the derivative outside is 0."""
        return functions.logit(self, eps)

    def mvlgamma(self: Any, p: int) -> Tensor:
        """The logarithm of the multivariate Gamma function of dimension p >= 1, without a constant:
        p (p - 1) / 4 log(pi) + the sum of lgamma(x - j / 2) over j = 0, ..., p - 1."""
        return functions.mvlgamma(self, p)

    def polygamma(self: Any, n: int) -> Tensor:
        """The derivative of order n >= 0 of digamma."""
        return functions.polygamma(n, self)

    def xlogy(self: Any, other: Any) -> Tensor:
        """input * log(other), 0 where input is 0 (unless other is NaN)."""
        return functions.xlogy(self, other)
