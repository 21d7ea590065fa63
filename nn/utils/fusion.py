"""A batch norm in evaluation is an affine map per channel: the layer before it can take it in."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

from tensorgrad.functions.elementwise import rsqrt
from tensorgrad.nn.batchnorm import _BatchNorm
from tensorgrad.nn.conv import _ConvNd
from tensorgrad.nn.linear import Linear
from tensorgrad.nn.parameter import Parameter
from tensorgrad.tensor import Tensor

__all__ = [
    "fuse_conv_bn_eval",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_eval",
    "fuse_linear_bn_weights",
]

ConvT = TypeVar("ConvT", bound=_ConvNd)
LinearT = TypeVar("LinearT", bound=Linear)


def _statistics(name: str, layer: Any, bn: Any) -> tuple[Tensor, Tensor]:
    """The running mean and variance; AssertionError, as in PyTorch, where fusing is not defined."""
    if layer.training or bn.training:
        raise AssertionError(
            f"{name}: Fusion only for eval! Call .eval() on both {type(layer).__name__} and "
            f"{type(bn).__name__}: while training a batch norm depends on the batch"
        )
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError(
            f"{name}: {type(bn).__name__}'s running_mean and running_var must not be None"
        )
    return bn.running_mean, bn.running_var


def fuse_conv_bn_eval(conv: ConvT, bn: _BatchNorm, transpose: bool = False) -> ConvT:
    """A copy of the convolution that computes bn(conv(x)); both must be in evaluation mode.

    transpose: the weight has the output channels in dimension 1, as transposed convolutions do.
    """
    mean, var = _statistics("fuse_conv_bn_eval", conv, bn)
    fused = copy.deepcopy(conv)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, mean, var, bn.eps, bn.weight, bn.bias, transpose
    )
    return fused


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of a convolution followed by (y - bn_rm) / sqrt(bn_rv + eps) * bn_w + bn_b.

    The dtypes are those of the convolution.  transpose: see `fuse_conv_bn_eval`.
    """
    scale = rsqrt(bn_rv.detach() + bn_eps)
    if bn_w is not None:
        scale = scale * bn_w.detach()
    shape = [1] * conv_w.ndim
    shape[1 if transpose else 0] = -1
    weight = conv_w.detach() * scale.reshape(shape)
    return _made(conv_w, weight, conv_b, bn_rm, scale, bn_b)


def fuse_linear_bn_eval(linear: LinearT, bn: _BatchNorm) -> LinearT:
    """A copy of the linear layer that computes bn(linear(x)); both must be in evaluation mode."""
    if linear.out_features != bn.num_features and bn.num_features != 1:
        raise AssertionError(
            "fuse_linear_bn_eval: To fuse, linear.out_features == bn.num_features or "
            f"bn.num_features == 1, got linear.out_features={linear.out_features} and "
            f"bn.num_features={bn.num_features}"
        )
    mean, var = _statistics("fuse_linear_bn_eval", linear, bn)
    fused = copy.deepcopy(linear)
    fused.weight, fused.bias = fuse_linear_bn_weights(
        fused.weight,
        fused.bias,
        mean,
        var,
        bn.eps,
        bn.weight,  # type: ignore[arg-type]
        bn.bias,  # type: ignore[arg-type]
    )
    return fused


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor,
    bn_b: Tensor,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of a linear layer followed by a batch norm; see `fuse_conv_bn_weights`."""
    for what, value in (("bn_w", bn_w), ("bn_b", bn_b)):
        if not isinstance(value, Tensor):
            raise TypeError(
                f"fuse_linear_bn_weights: {what} must be a Tensor, got {type(value).__name__}: a "
                "batch norm without weight or bias cannot be fused into a linear layer"
            )
    scale = rsqrt(bn_rv.detach() + bn_eps) * bn_w.detach()
    weight = linear_w.detach() * scale.unsqueeze(-1)
    return _made(linear_w, weight, linear_b, bn_rm, scale, bn_b)


def _made(
    before: Tensor, weight: Tensor, bias: Tensor | None, mean: Tensor, scale: Tensor, shift: Any
) -> tuple[Parameter, Parameter]:
    """Both Parameters, in the layer's dtypes."""
    moved = -mean.detach() if bias is None else bias.detach() - mean.detach()
    moved = moved * scale
    if shift is not None:
        moved = moved + shift.detach()
    kind, trained = (before, False) if bias is None else (bias, bias.requires_grad)
    return (
        Parameter(weight.to(before.dtype), before.requires_grad),
        Parameter(moved.to(kind.dtype), trained),
    )
