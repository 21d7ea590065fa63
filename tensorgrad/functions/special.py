"""The special functions that PyTorch has among its plain ones; `tensorgrad.special` has all."""

from __future__ import annotations

from math import log, pi
from typing import TYPE_CHECKING, Any

from tensorgrad.ops import elementwise as basic
from tensorgrad.ops import logarithmic
from tensorgrad.ops import special as ops
from tensorgrad.ops.kinds import refuse_complex

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "digamma",
    "erf",
    "erfc",
    "erfinv",
    "i0",
    "igamma",
    "igammac",
    "lgamma",
    "logaddexp",
    "logaddexp2",
    "logit",
    "mvlgamma",
    "polygamma",
    "xlogy",
]


def erf(input: Tensor) -> Tensor:
    """2/sqrt(pi) times the integral of exp(-t**2) from 0 to x."""
    return ops.erf(input)


def erfc(input: Tensor) -> Tensor:
    """1 - erf(x), without cancellation."""
    return ops.erfc(input)


def erfinv(input: Tensor) -> Tensor:
    """The number with erf x; infinite at -1 and 1, NaN beyond."""
    return ops.erfinv(input)


def lgamma(input: Tensor) -> Tensor:
    """log |Gamma(x)|; infinite at 0, -1, -2, ..."""
    return ops.lgamma(input)


def digamma(input: Tensor) -> Tensor:
    """The derivative of log Gamma; infinite at 0, NaN at -1, -2, ..."""
    return ops.digamma(input)


def polygamma(n: int, input: Tensor) -> Tensor:
    """The derivative of order n >= 0 of digamma."""
    if n < 0:
        raise RuntimeError(f"polygamma(n, x) does not support negative n, got n={n}")
    return ops.polygamma(input, n=n) if n else ops.digamma(input)


def mvlgamma(input: Tensor, p: int) -> Tensor:
    """The logarithm of the multivariate Gamma function of dimension p >= 1, without a constant:
    p (p - 1) / 4 log(pi) + the sum of lgamma(x - j / 2) over j = 0, ..., p - 1."""
    if p < 1:
        raise RuntimeError(f"mvlgamma: p has to be greater than or equal to 1, got p={p}")
    if input._array.dtype.kind == "b":
        raise RuntimeError("mvlgamma: the input tensor may not be a boolean tensor")
    total = ops.lgamma(input)
    for j in range(1, p):
        total = basic.add(total, ops.lgamma(basic.sub(input, j / 2)))
    return basic.add(total, p * (p - 1) / 4 * log(pi))


def i0(input: Tensor) -> Tensor:
    """The modified Bessel function of order 0."""
    return ops.i0(input)


def _of_gamma(name: str, input: Any, other: Any) -> None:
    """Refuse what the incomplete Gamma functions do not take."""
    for what, value in (("input", input), ("other", other)):
        if not hasattr(value, "_array"):
            raise TypeError(f"{name}: {what} must be a Tensor, not {type(value).__name__}")
    refuse_complex(name, input._array, other._array)
    if not (input.is_floating_point() or other.is_floating_point()):
        raise NotImplementedError(
            f"{name} is not implemented for {input.dtype} and {other.dtype}; one must be "
            "floating-point"
        )


def igamma(input: Tensor, other: Tensor) -> Tensor:
    """The regularised lower incomplete Gamma function P(a, x), a = input, x = other: the integral
    of t**(a - 1) exp(-t) / Gamma(a) from 0 to x. Backward refuses the derivative in a."""
    _of_gamma("igamma", input, other)
    return ops.igamma(input, other)


def igammac(input: Tensor, other: Tensor) -> Tensor:
    """The regularised upper incomplete Gamma function Q(a, x) = 1 - `igamma`, without
    cancellation. Backward refuses the derivative in a."""
    _of_gamma("igammac", input, other)
    return ops.igammac(input, other)


def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """log(x / (1 - x)), NaN outside [0, 1]; with ``eps``, x is first brought into
    [eps, 1 - eps], and the derivative outside is 0."""
    return logarithmic.logit(input, eps=eps)


def xlogy(input: Any, other: Any) -> Tensor:
    """input * log(other), 0 where input is 0 (unless other is NaN)."""
    return logarithmic.xlogy(input, other)


def logaddexp(input: Tensor, other: Tensor) -> Tensor:
    """log(e**input + e**other), which overflows nowhere."""
    return logarithmic.logaddexp(input, other)


def logaddexp2(input: Tensor, other: Tensor) -> Tensor:
    """log2(2**input + 2**other), which overflows nowhere."""
    return logarithmic.logaddexp2(input, other)
