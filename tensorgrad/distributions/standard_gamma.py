"""Gamma variates that are differentiable functions of their concentration.

A sample x of the law with distribution function F(x; a) moves with a so that F stays as it is:
dx/da = -(dF/da) / (dF/dx)   (implicit reparametrisation: Figurnov, Mohamed and Mnih, 2018).
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tensorgrad as tg
from tensorgrad.autograd import Function, once_differentiable
from tensorgrad.random import rng_of
from tensorgrad.tensor import Tensor

__all__ = ["standard_gamma"]

# Nodes and weights of the double-exponential rule on (0, inf): s = exp(pi/2 sinh(t)).
_T = np.linspace(-4.0, 3.0, 141)
_NODES = np.exp(np.pi / 2 * np.sinh(_T))
_WEIGHTS = (_T[1] - _T[0]) * np.pi / 2 * np.cosh(_T) * _NODES


def gamma_derivative(x: Any, a: Any) -> Any:
    """dx/da of a gamma variate x with concentration a, both positive float64 arrays.

    With f the density, -dF/da / f(x) is an integral of log(t) - digamma(a) over one of the tails,
    whichever is the lighter; after t = x + s above and t = x exp(-s) below, it is over (0, inf),
    with a scale that is known.
    """
    x, a = (v[..., None] for v in np.broadcast_arrays(x, a))
    digamma: Any = tg.special.digamma(tg.from_numpy(np.ascontiguousarray(a))).numpy()
    with np.errstate(all="ignore"):
        # above: integral of exp(-s) (1 + s/x)**(a-1) (log(x + s) - digamma(a))
        scale = 1 / np.maximum(1 - (a - 1) / x, np.sqrt(np.maximum(a, 1)) / x)
        s = scale * _NODES
        weight = np.exp(-s + (a - 1) * np.log1p(s / x)) * scale * _WEIGHTS
        above = (weight * (np.log(x + s) - digamma)).sum(-1)
        # below: -x times the integral of exp(-a s + x (1 - exp(-s))) (log(x) - s - digamma(a))
        scale = 1 / np.maximum(a - x, np.sqrt(np.maximum(x, a * a * 1e-8)))
        s = scale * _NODES
        weight = np.exp(-a * s - x * np.expm1(-s)) * scale * _WEIGHTS
        below = -x[..., 0] * (weight * (np.log(x) - s - digamma)).sum(-1)
    return np.where((x > a)[..., 0], above, below)


class _StandardGamma(Function):
    """Draws, and moves the draws with the concentration."""

    @staticmethod
    def forward(ctx: Any, concentration: Tensor) -> Tensor:
        a = concentration.detach().numpy()
        drawn = np.asarray(rng_of(None).standard_gamma(a.astype(np.float64)))
        drawn = np.maximum(drawn.astype(a.dtype), np.finfo(a.dtype).tiny)
        out = tg.from_numpy(np.ascontiguousarray(drawn).reshape(a.shape))
        ctx.save_for_backward(concentration, out)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        concentration, out = ctx.saved_tensors
        a, x = (t.detach().numpy().astype(np.float64) for t in (concentration, out))
        slope = gamma_derivative(x, a).reshape(a.shape)
        return grad * tg.from_numpy(np.ascontiguousarray(slope)).to(grad.dtype)


def standard_gamma(concentration: Tensor) -> Tensor:
    """Gamma variates of rate 1; differentiable once."""
    return _StandardGamma.apply(concentration.contiguous())  # type: ignore[no-any-return]
