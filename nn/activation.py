"""Activations as layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.kernels import gelu
from tensorgrad.kernels.registry import described
from tensorgrad.machine.blocks import LARGE
from tensorgrad.nn import functional as F
from tensorgrad.nn.module import Module
from tensorgrad.nn.short_calls import on_arrays
from tensorgrad.ops import elementwise
from tensorgrad.ops.unary import sigmoid_of_negative
from tensorgrad.primitive import primitives
from tensorgrad.tensor import Tensor

__all__ = [
    "ELU",
    "GELU",
    "InplaceActivation",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmin",
    "Softplus",
    "Tanh",
]


# --- On arrays, where nothing is recorded ---------------------------------------------------------


def _relu(module: Any, x: Any, own: bool) -> Any:
    return None if module.__dict__["inplace"] else primitives["relu"].forward(x)


def _gelu(module: Any, x: Any, own: bool) -> Any:
    approximate = module.__dict__["approximate"]
    if approximate not in ("none", "tanh"):
        return None
    problem = described(gelu.Problem, (x.shape, x.dtype, approximate == "tanh"))
    return gelu.gelu.choose(problem)(problem, x, False)[0]


def _sigmoid(module: Any, x: Any, own: bool) -> Any:
    return sigmoid_of_negative(np.negative(x, x) if own else np.negative(x))


def _tanh(module: Any, x: Any, own: bool) -> Any:
    if x.size >= LARGE:  # in pieces, on several threads
        return None
    return np.tanh(x, x) if own else np.tanh(x)


# --- The layers -----------------------------------------------------------------------------------


class InplaceActivation(Module):
    """An activation without parameters that can work in place."""

    inplace: bool

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class ReLU(InplaceActivation):
    """max(x, 0); the derivative at 0 is 0."""

    @on_arrays(_relu, rising=True)
    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation."""
        return F.relu(input, self.inplace)


class SiLU(InplaceActivation):
    """x * sigmoid(x)."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation."""
        return F.silu(input, self.inplace)


class LeakyReLU(Module):
    """x where x > 0, else negative_slope * x."""

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation."""
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class ELU(Module):
    """x where x > 0, else alpha * (e**x - 1)."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation."""
        return F.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class GELU(Module):
    """x * P(Z <= x) for a standard normal Z; approximate="tanh" is the usual approximation."""

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    @on_arrays(_gelu)
    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation."""
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class Softplus(Module):
    """log(1 + e**(beta x)) / beta; x itself where beta x > threshold."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation."""
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class Sigmoid(Module):
    """1 / (1 + e**-x)."""

    @on_arrays(_sigmoid, lambda module, x: elementwise.sigmoid(x))
    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation."""
        return F.sigmoid(input)


class LogSigmoid(Module):
    """log(1 / (1 + e**-x))."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation."""
        return F.logsigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent."""

    @on_arrays(_tanh, lambda module, x: elementwise.tanh(x))
    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation."""
        return F.tanh(input)


class _AlongDim(Module):
    """A function of all elements along ``dim``."""

    dim: int | None

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_AlongDim):
    """e**x_i / sum_j e**x_j along ``dim``."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation."""
        return F.softmax(input, self.dim)


class Softmin(_AlongDim):
    """The softmax of -x along ``dim``."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation."""
        return F.softmin(input, self.dim)


class LogSoftmax(_AlongDim):
    """The logarithm of the softmax along ``dim``."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation."""
        return F.log_softmax(input, self.dim)
