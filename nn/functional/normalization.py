"""Batch normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.autograd.grad_mode import no_grad
from tensorgrad.batching import Batch, is_batched
from tensorgrad.errors import describe
from tensorgrad.graph.node import local
from tensorgrad.nn.functional.checks import expect_number, expect_tensor
from tensorgrad.ops import elementwise, shape
from tensorgrad.ops import normalization as ops
from tensorgrad.tensor import Tensor

__all__ = ["batch_norm", "scale_and_offset"]

_ARGUMENTS = ("running_mean", "running_var", "weight", "bias")


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias, per channel of an input (N, C, ...).

    training: normalise by the batch's own mean and (biased) variance, and move the running ones,
    if given, towards them: running = (1 - momentum) * running + momentum * batch, with the
    unbiased variance.  Otherwise normalise by the running ones.
    """
    expect_tensor("batch_norm", "input", input)
    expect_number("batch_norm", "momentum", momentum)
    expect_number("batch_norm", "eps", eps)
    x = input._array
    if x.ndim < 2:
        raise IndexError(
            "batch_norm(): Dimension out of range: expected an input (N, C, ...), got "
            f"{describe(input)}"
        )
    for name, value in zip(_ARGUMENTS, (running_mean, running_var, weight, bias)):
        if value is not None:
            check_channels("batch_norm", name, value, x)
    if not training:
        if running_mean is None or running_var is None:
            which = "running_mean" if running_mean is None else "running_var"
            raise RuntimeError(
                f"batch_norm(): {which} must be defined in evaluation mode; pass training=True to "
                "use the batch's own statistics"
            )
        if eps < 0:
            raise ValueError(f"batch_norm(): eps must be non-negative, but got {eps}")
        return by_running(input, running_mean, running_var, weight, bias, eps)
    if eps <= 0:
        raise ValueError(f"batch_norm(): eps must be positive during training, but got {eps}")
    n = x.size // x.shape[1] if x.shape[1] else 0
    if n == 1:
        raise ValueError(
            "batch_norm(): Expected more than 1 value per channel when training, got input size "
            f"{list(x.shape)}"
        )
    mean, var = ops.statistics(x)
    out = ops.batch_norm(input, weight, bias, mean=mean, var=var, eps=eps)
    if n:
        move_running(running_mean, mean, momentum)
        move_running(running_var, var * var.dtype.type(n / (n - 1)), momentum)
    return out


def check_channels(name: str, argument: str, value: Tensor, x: Any) -> None:
    """Raise unless a value per channel fits the array x (N, C, ...) in size and dtype."""
    expect_tensor(name, argument, value)
    if value._array.shape != (x.shape[1],):
        raise RuntimeError(
            f"{name}(): {argument} should contain {x.shape[1]} elements not {value.numel()}: an "
            f"input of shape {x.shape} has {x.shape[1]} channels"
        )
    if value._array.dtype != x.dtype:
        raise RuntimeError(
            f"{name}(): mixed dtype: all inputs must share same datatype, got input {x.dtype} "
            f"and {argument} {value._array.dtype}; convert the module or the input"
        )


def move_running(running: Tensor | None, batch: Any, momentum: float) -> None:
    """Move a running statistic towards the batch's, in place and unrecorded."""
    if running is None:
        return
    array = running._array
    if isinstance(array, Batch) or isinstance(batch, Batch):
        _move_each(running, batch, momentum)
        return
    array *= array.dtype.type(1 - momentum)
    array += (batch * batch.dtype.type(momentum)).astype(array.dtype, copy=False)
    if running._held is not None:  # else nothing saved or shares this memory
        running._bump()


def _move_each(running: Tensor, batch: Any, momentum: float) -> None:
    """Under vmap: each example's statistics move its own running ones, in the array of them all."""
    if not is_batched(running):
        raise RuntimeError(
            "vmap: the running statistics are shared by all examples, and each example would move "
            "them in place. Map over them too (func.stack_module_state gives every network its "
            "own), use track_running_stats=False, or eval()"
        )
    with no_grad():
        running.copy_(elementwise.add(running * (1 - momentum), batch * momentum))


def by_running(
    input: Tensor,
    mean: Tensor,
    var: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
) -> Tensor:
    """x * scale + shift, with both worked out per channel first."""
    wide = (1, -1) + (1,) * (input.ndim - 2)
    if not (_recorded(weight) or _recorded(bias)):
        # One number per channel each: six recorders would take longer than the arithmetic.
        w, b = (t if t is None else t._array for t in (weight, bias))
        scale, offset = scale_and_offset(mean._array, var._array, w, b, eps)
        return elementwise.add(elementwise.mul(input, scale.reshape(wide)), offset.reshape(wide))
    centre = mean._array.copy()  # a later batch moves the running mean in place
    scale = np.reciprocal(np.sqrt(var._array + var._array.dtype.type(eps)))
    if weight is not None:
        scale = elementwise.mul(weight, scale)
        shift = elementwise.neg(elementwise.mul(scale, centre))
        scale = shape.reshape(scale, shape=wide)
    else:
        shift = -centre * scale
        scale = scale.reshape(wide)
    if bias is not None:
        shift = elementwise.add(bias, shift)
    if isinstance(shift, Tensor):
        shift = shape.reshape(shift, shape=wide)
    else:
        shift = shift.reshape(wide)
    return elementwise.add(elementwise.mul(input, scale), shift)


def scale_and_offset(mean: Any, var: Any, weight: Any, bias: Any, eps: float) -> tuple[Any, Any]:
    """The two arrays that normalise by running statistics: x * scale + offset."""
    scale = np.reciprocal(np.sqrt(var + var.dtype.type(eps)))
    if weight is not None:
        scale *= weight
    centre = mean * scale
    return scale, -centre if bias is None else bias - centre


def _recorded(value: Tensor | None) -> bool:
    """Whether what is done with a weight must be recorded, or is watched."""
    context = local.context
    if value is None:
        return context.dispatch is not None
    return bool(context.dispatch or (context.grad_enabled and value._requires_grad))
