"""Layers that normalise every sample by itself, and across channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tensorgrad.kernels import layer_norm
from tensorgrad.kernels.registry import described
from tensorgrad.nn import functional as F
from tensorgrad.nn import init
from tensorgrad.nn.factory import parameter
from tensorgrad.nn.functional.avg_pooling import average
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter
from tensorgrad.nn.short_calls import on_arrays
from tensorgrad.ops import elementwise
from tensorgrad.ops import shape as shape_ops
from tensorgrad.primitive import raw
from tensorgrad.tensor import Tensor

__all__ = ["CrossMapLRN2d", "GroupNorm", "LayerNorm", "RMSNorm"]


def _shape_of(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    if hasattr(normalized_shape, "__index__"):
        return (int(normalized_shape),)
    return tuple(normalized_shape)


def _layer_norm(module: Any, x: Any, own: bool) -> Any:
    state = module.__dict__
    parameters, shape, eps = state["_parameters"], state["normalized_shape"], state["eps"]
    axes = len(shape)
    sizes = x.shape
    if type(eps) is not float or not axes or sizes[-axes:] != shape:
        return None
    w, b = parameters["weight"], parameters["bias"]
    kind = x.dtype
    if w is not None:
        w = w._array
        if w.dtype is not kind or w.shape != shape:
            return None
    if b is not None:
        b = b._array
        if b.dtype is not kind or b.shape != shape:
            return None
    if axes > 1:
        return raw.layer_norm(x, w, b, axes=axes, eps=eps)
    rows = x if len(sizes) == 2 else x.reshape(-1, shape[0])
    problem = described(layer_norm.Problem, (rows.shape, kind, True))
    y = layer_norm.layer_norm.choose(problem)(problem, rows, w, b, eps)[0]
    return y if rows is x else y.reshape(sizes)


class LayerNorm(Module):
    """(x - mean) / sqrt(var + eps) * weight + bias over the last axes.

    normalized_shape: the sizes of those axes, or of the last one.  elementwise_affine: whether
    there are weight and bias, of that shape; ``bias=False`` leaves out the latter alone.
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape_of(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        for name, wanted in (("weight", True), ("bias", bias)):
            made = None
            if elementwise_affine and wanted:
                made = parameter(self, self.normalized_shape, device, dtype)
            self.register_parameter(name, made)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight 1, bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    @on_arrays(_layer_norm)
    def forward(self, input: Tensor) -> Tensor:
        """Apply the layer."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """x / sqrt(mean(x**2) + eps) * weight over the last axes; see `functional.rms_norm`."""

    weight: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape_of(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        made = parameter(self, self.normalized_shape, device, dtype) if elementwise_affine else None
        self.register_parameter("weight", made)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class GroupNorm(Module):
    """Layer norm of each sample's groups of channels, with a weight and a bias per channel.

    num_groups: divides num_channels.  affine: whether there are weight and bias; ``bias=False``
    leaves out the latter alone.
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(
                f"GroupNorm: num_channels ({num_channels}) must be divisible by num_groups "
                f"({num_groups})"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            made = parameter(self, (num_channels,), device, dtype) if wanted else None
            self.register_parameter(name, made)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight 1, bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """Apply the layer."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class CrossMapLRN2d(Module):
    """(N, C, H, W) divided by (k + alpha / size * sum of x**2 of neighbouring channels)**beta.

    The neighbours are (size - 1) // 2 channels to each side: for an even size one less than
    `LocalResponseNorm` takes, though the sum is divided by ``size`` as there.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        """The input, normalised."""
        if input.ndim != 4:
            raise ValueError(
                f"CrossMapLRN2d: Expected input to be 4D, got {input.ndim}D instead: an input of "
                f"shape {tuple(input.shape)}"
            )
        shape = input._array.shape
        if 0 in shape:
            return input
        side = (self.size - 1) // 2
        squares = elementwise.mul(input, input)
        rows = shape_ops.reshape(squares, shape=(shape[0], 1, shape[1], -1))
        padded = shape_ops.pad(rows, widths=((0, 0), (0, 0), (side, side), (0, 0)), value=0)
        width = 2 * side + 1
        means = average("CrossMapLRN2d", 2, padded, (width, 1), 1, 0, False, True, None)
        share = self.alpha * width / self.size
        scale = elementwise.add(
            elementwise.mul(shape_ops.reshape(means, shape=shape), share), self.k
        )
        return elementwise.mul(input, scale**-self.beta)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
