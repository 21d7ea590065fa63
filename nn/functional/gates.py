"""Smooth activations: exponential tails, gates, and the Gumbel softmax."""

from __future__ import annotations

import numpy as np

from tensorgrad.errors import describe
from tensorgrad.graph.provenance import warn
from tensorgrad.nn.functional.checks import expect_number, expect_tensor, floating
from tensorgrad.ops import elementwise as ops
from tensorgrad.ops import softmax as softmax_ops
from tensorgrad.random import rng_of
from tensorgrad.tensor import Tensor
from tensorgrad.views.following import before_write, write

__all__ = [
    "celu",
    "celu_",
    "glu",
    "gumbel_softmax",
    "mish",
    "selu",
    "selu_",
    "softsign",
    "tanhshrink",
]

# The fixed point of mean 0 and variance 1 (Klambauer et al., 2017, equation 14).
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


def _celu(name: str, input: Tensor, alpha: float) -> Tensor:
    floating(name, input)
    expect_number(name, "alpha", alpha)
    if alpha == 0:
        raise RuntimeError(f"{name}(): alpha cannot be 0 for CELU: it divides by it")
    # One branch for each sign, as in elu: where() would give 0 * inf in a large x's gradient.
    below = ops.clamp(input, min=None, max=0)
    if alpha == 1:
        return ops.add(ops.relu(input), ops.expm1(below))
    return ops.add(ops.relu(input), ops.mul(ops.expm1(ops.div(below, float(alpha))), float(alpha)))


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha * (e**(x / alpha) - 1) (Barron, 2017)."""
    return celu_(input, alpha) if inplace else _celu("celu", input, alpha)


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`celu` in place."""
    expect_tensor("celu_", "input", input)
    out: Tensor = write(input, _celu("celu_", before_write(input), alpha), "celu_")
    return out


def _selu(name: str, input: Tensor) -> Tensor:
    floating(name, input)
    below = ops.mul(ops.expm1(ops.clamp(input, min=None, max=0)), SELU_ALPHA * SELU_SCALE)
    return ops.add(ops.mul(ops.relu(input), SELU_SCALE), below)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """scale * (x where x > 0, else alpha * (e**x - 1)), which keeps mean 0 and variance 1.

    scale 1.0507 and alpha 1.6733 (Klambauer et al., 2017); the derivative at 0 is scale * alpha.
    """
    return selu_(input) if inplace else _selu("selu", input)


def selu_(input: Tensor) -> Tensor:
    """`selu` in place."""
    expect_tensor("selu_", "input", input)
    out: Tensor = write(input, _selu("selu_", before_write(input)), "selu_")
    return out


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * tanh(log(1 + e**x)) (Misra, 2019)."""
    floating("mish", input)
    x = before_write(input) if inplace else input
    out = ops.mul(x, ops.tanh(ops.neg(ops.log_sigmoid(ops.neg(x)))))
    return write(input, out, "mish_") if inplace else out


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    expect_tensor("softsign", "input", input)
    if input._array.dtype.kind == "b":
        raise NotImplementedError("softsign(): not implemented for bool; use input.float()")
    return ops.div(input, ops.add(ops.abs(input), 1))


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)."""
    expect_tensor("tanhshrink", "input", input)
    if input._array.dtype.kind == "b":
        raise RuntimeError("tanhshrink(): subtraction from a bool tensor is not supported")
    return ops.sub(input, ops.tanh(input))


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a * sigmoid(b) for the halves a and b of the input along ``dim`` (Dauphin et al., 2016)."""
    floating("glu", input)
    rank = input.ndim
    if rank == 0:
        raise RuntimeError(
            "glu(): glu does not support scalars because halving size must be even; got a 0-d input"
        )
    if not -rank <= dim < rank:
        raise IndexError(
            f"glu(): Dimension out of range (expected to be in range of [{-rank}, {rank - 1}], but "
            f"got {dim})"
        )
    size = input._array.shape[dim]
    if size % 2:
        raise RuntimeError(
            f"glu(): Halving dimension must be even, but dimension {dim % rank} of "
            f"{describe(input)} is size {size}"
        )
    before = (slice(None),) * (dim % rank)
    value = input[(*before, slice(None, size // 2))]
    gate = input[(*before, slice(size // 2, None))]
    return ops.mul(value, ops.sigmoid(gate))


def gumbel_softmax(
    logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """A sample of the relaxed categorical distribution: softmax((logits + Gumbel noise) / tau).

    hard: one-hot vectors forward, with the gradient of the soft sample (Jang, Gu and Poole, 2016).
    eps: has had no effect since PyTorch's first release of it; another value warns.
    """
    expect_tensor("gumbel_softmax", "logits", logits)
    if eps != 1e-10:
        warn("`eps` parameter is deprecated and has no effect.")
    x = logits._array
    if x.dtype.kind != "f":
        raise RuntimeError(
            "gumbel_softmax(): the noise is a continuous distribution: expected logits of "
            f"floating-point numbers, got {describe(logits)}; convert them with .float()"
        )
    span = max(x.ndim, 1)
    if not -span <= dim < span:
        raise IndexError(
            f"gumbel_softmax(): Dimension out of range (expected to be in range of [{-span}, "
            f"{span - 1}], but got {dim}) for {describe(logits)}"
        )
    # An exponential variate of exactly 0 would be an infinite noise.
    waits = np.maximum(rng_of(None).standard_exponential(x.shape), np.finfo(np.float64).tiny)
    noisy = ops.add(logits, (-np.log(waits)).astype(x.dtype))
    soft = softmax_ops.softmax(ops.div(noisy, tau), axis=dim % span)
    if not hard:
        return soft
    one = np.zeros_like(soft._array)
    if x.ndim:
        np.put_along_axis(one, np.expand_dims(soft._array.argmax(dim), dim), 1, axis=dim)
    else:
        one[...] = 1
    # Straight through: exactly one-hot forward, the soft sample's gradient backward.
    return ops.add(ops.sub(soft, soft.detach()), one)
