"""Special functions, by the names of torch.special.

All in NumPy alone, to 1e-13 relative accuracy in float64 away from their zeros, and differentiable
at every order: also those that are not in PyTorch, in their argument but not in a degree or order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad.functions.elementwise import expm1, log1p, round
from tensorgrad.functions.elementwise import sigmoid as expit
from tensorgrad.functions.reduction import log_softmax, logsumexp, softmax
from tensorgrad.functions.special import (
    digamma,
    erf,
    erfc,
    erfinv,
    i0,
    logit,
    polygamma,
    xlogy,
)
from tensorgrad.functions.special import igamma as gammainc
from tensorgrad.functions.special import igammac as gammaincc
from tensorgrad.functions.special import lgamma as gammaln
from tensorgrad.functions.special import mvlgamma as multigammaln
from tensorgrad.functions.trigonometric import exp2, sinc
from tensorgrad.ops import logarithmic
from tensorgrad.ops import special as ops
from tensorgrad.outputs import publish
from tensorgrad.special.bessel import (
    airy_ai,
    bessel_j0,
    bessel_j1,
    bessel_y0,
    bessel_y1,
    modified_bessel_k0,
    modified_bessel_k1,
    scaled_modified_bessel_k0,
    scaled_modified_bessel_k1,
    spherical_bessel_j0,
)
from tensorgrad.special.polynomials import (
    chebyshev_polynomial_t,
    chebyshev_polynomial_u,
    chebyshev_polynomial_v,
    chebyshev_polynomial_w,
    hermite_polynomial_h,
    hermite_polynomial_he,
    laguerre_polynomial_l,
    legendre_polynomial_p,
    shifted_chebyshev_polynomial_t,
    shifted_chebyshev_polynomial_u,
    shifted_chebyshev_polynomial_v,
    shifted_chebyshev_polynomial_w,
)

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "airy_ai",
    "bessel_j0",
    "bessel_j1",
    "bessel_y0",
    "bessel_y1",
    "chebyshev_polynomial_t",
    "chebyshev_polynomial_u",
    "chebyshev_polynomial_v",
    "chebyshev_polynomial_w",
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfcx",
    "erfinv",
    "exp2",
    "expit",
    "expm1",
    "gammainc",
    "gammaincc",
    "gammaln",
    "hermite_polynomial_h",
    "hermite_polynomial_he",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "laguerre_polynomial_l",
    "legendre_polynomial_p",
    "log1p",
    "log_ndtr",
    "log_softmax",
    "logit",
    "logsumexp",
    "modified_bessel_i0",
    "modified_bessel_i1",
    "modified_bessel_k0",
    "modified_bessel_k1",
    "multigammaln",
    "ndtr",
    "ndtri",
    "polygamma",
    "psi",
    "round",
    "scaled_modified_bessel_k0",
    "scaled_modified_bessel_k1",
    "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u",
    "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w",
    "sinc",
    "softmax",
    "spherical_bessel_j0",
    "xlog1py",
    "xlogy",
    "zeta",
]

psi = digamma


def entr(input: Tensor) -> Tensor:
    """-x log(x): 0 at 0, -inf below."""
    return logarithmic.entr(input)


def erfcx(input: Tensor) -> Tensor:
    """exp(x**2) erfc(x), which neither underflows nor, above -26, overflows."""
    return ops.erfcx(input)


def ndtr(input: Tensor) -> Tensor:
    """The normal distribution's probability below x."""
    return ops.ndtr(input)


def log_ndtr(input: Tensor) -> Tensor:
    """log(ndtr(x)), which underflows nowhere."""
    return ops.log_ndtr(input)


def ndtri(input: Tensor) -> Tensor:
    """The number below which the normal distribution has probability x; NaN outside [0, 1]."""
    return ops.ndtri(input)


def i0e(input: Tensor) -> Tensor:
    """exp(-|x|) i0(x)."""
    return ops.i0e(input)


def i1(input: Tensor) -> Tensor:
    """The modified Bessel function of order 1."""
    return ops.i1(input)


def i1e(input: Tensor) -> Tensor:
    """exp(-|x|) i1(x)."""
    return ops.i1e(input)


def xlog1py(input: Any, other: Any) -> Tensor:
    """input * log(1 + other), 0 where input is 0 (unless other is NaN)."""
    return logarithmic.xlog1py(input, other)


def zeta(input: Any, other: Any) -> Tensor:
    """Hurwitz's zeta function: the sum of (other + k)**-input over k = 0, 1, ..., for
    input > 1; its derivative in ``input`` is refused in backward, as in PyTorch."""
    return ops.zeta(input, other)


modified_bessel_i0 = i0
modified_bessel_i1 = i1


publish(globals(), "special")
