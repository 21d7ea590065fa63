"""Smooth activations and gates, as layers."""

from __future__ import annotations

from tensorgrad.nn import functional as F
from tensorgrad.nn.activation import InplaceActivation
from tensorgrad.nn.module import Module
from tensorgrad.tensor import Tensor

__all__ = ["CELU", "GLU", "SELU", "Mish", "Softmax2d", "Softsign", "Tanhshrink"]


class CELU(Module):
    """x where x > 0, else alpha * (e**(x / alpha) - 1)."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation."""
        return F.celu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class SELU(InplaceActivation):
    """The self-normalising exponential unit; see `functional.selu`."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation."""
        return F.selu(input, self.inplace)


class Mish(InplaceActivation):
    """x * tanh(log(1 + e**x))."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation."""
        return F.mish(input, self.inplace)


class GLU(Module):
    """a * sigmoid(b) for the halves a and b of the input along ``dim``."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation."""
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation."""
        return F.softsign(input)


class Tanhshrink(Module):
    """x - tanh(x)."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation."""
        return F.tanhshrink(input)


class Softmax2d(Module):
    """The softmax over the channels of every place of images (N, C, H, W) or (C, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply the activation."""
        if input.ndim not in (3, 4):
            raise ValueError(
                f"Softmax2d: expected input to be 3D or 4D, got {input.ndim}D instead: an input of "
                f"shape {tuple(input.shape)}"
            )
        return F.softmax(input, -3)
