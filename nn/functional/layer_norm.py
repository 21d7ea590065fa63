"""Normalisation of every sample by itself: over its last axes, groups of channels, or channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad.errors import describe
from tensorgrad.graph.provenance import warn
from tensorgrad.nn.functional.checks import expect_number, expect_tensor, floating, optional_tensor
from tensorgrad.nn.functional.normalization import by_running, check_channels, move_running
from tensorgrad.ops import elementwise
from tensorgrad.ops import layer_norm as ops
from tensorgrad.ops import normalization as channel_ops
from tensorgrad.ops import shape as shape_ops
from tensorgrad.tensor import Tensor

__all__ = ["group_norm", "instance_norm", "layer_norm", "rms_norm"]


def _last(name: str, input: Tensor, normalized_shape: Any, kinds: str = "f") -> tuple[int, ...]:
    """The normalised shape, which must be that of the input's last axes."""
    expect_tensor(name, "input", input)
    if input._array.dtype.kind not in kinds:
        floating(name, input)
    if isinstance(normalized_shape, (int, np.integer, str)) or not isinstance(
        normalized_shape, Sequence
    ):
        raise TypeError(
            f"{name}(): argument 'normalized_shape' must be tuple of ints, not "
            f"{type(normalized_shape).__name__}; write ({normalized_shape!r},)"
        )
    shape = tuple(normalized_shape)
    if any(isinstance(n, bool) or not hasattr(n, "__index__") for n in shape):
        raise TypeError(f"{name}(): normalized_shape must be tuple of ints, got {shape!r}")
    if not shape:
        raise RuntimeError(
            f"{name}(): Expected normalized_shape to be at least 1-dimensional, but got []"
        )
    if input._array.shape[-len(shape) :] != shape:
        wanted = ", ".join(map(str, shape))
        raise RuntimeError(
            f"{name}(): Given normalized_shape={list(shape)}, expected input with shape "
            f"[*, {wanted}], but got input {describe(input)}"
        )
    return shape


def _fit(input: Any, shape: Any, *others: Any) -> bool:
    """Whether all is as it mostly is; if not, the checks find what is wrong, or that it is not.

    They take as long as a norm of some thousand numbers.
    """
    if type(shape) is not tuple or not shape or not isinstance(input, Tensor):
        return False
    x = input._array
    kind = x.dtype
    if kind.kind != "f" or x.shape[-len(shape) :] != shape:
        return False
    for size in shape:
        if type(size) is not int:
            return False
    for value in others:
        if value is not None and (
            not isinstance(value, Tensor)
            or value._array.shape != shape
            or value._array.dtype is not kind
        ):
            return False
    return True


def _one_shape(name: str, argument: str, value: Tensor | None, shape: tuple[int, ...]) -> None:
    optional_tensor(name, argument, value)
    if value is not None and value._array.shape != shape:
        raise RuntimeError(
            f"{name}(): Expected {argument} to be of same shape as normalized_shape, but got "
            f"{argument} {describe(value)} and normalized_shape = {list(shape)}"
        )


def _one_dtype(name: str, input: Tensor, **others: Tensor | None) -> None:
    for argument, value in others.items():
        if value is not None and value._array.dtype != input._array.dtype:
            raise RuntimeError(
                f"{name}(): mixed dtype: all inputs must share same datatype, got input "
                f"{describe(input)} and {argument} {describe(value)}; convert the module or the "
                "input"
            )


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias over the last axes (Ba, Kiros, Hinton, 2016).

    normalized_shape: the sizes of those axes; weight and bias have this shape.  The variance is
    the biased one.
    """
    if type(eps) is not float or not _fit(input, normalized_shape, weight, bias):
        name = "layer_norm"
        normalized_shape = _last(name, input, normalized_shape)
        _one_shape(name, "weight", weight, normalized_shape)
        _one_shape(name, "bias", bias, normalized_shape)
        expect_number(name, "eps", eps)
        _one_dtype(name, input, weight=weight, bias=bias)
    return ops.layer_norm(input, weight, bias, axes=len(normalized_shape), eps=eps)


def rms_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """x / sqrt(mean(x**2) + eps) * weight over the last axes (Zhang and Sennrich, 2019).

    eps: None stands for the spacing of the dtype's numbers at 1, float32's for float16.
    """
    name = "rms_norm"
    expect_tensor(name, "input", input)
    is_complex = input._array.dtype.kind == "c"
    shape = _last(name, input, normalized_shape, "fc")
    _one_shape(name, "weight", weight, shape)
    if eps is None:
        eps = float(np.finfo(np.result_type(input._array.real.dtype, np.float32)).eps)
    expect_number(name, "eps", eps)
    if weight is not None and weight._array.dtype != input._array.dtype:
        warn(
            f"rms_norm(): Mismatch dtype between input and weight: input {describe(input)}, weight "
            f"{describe(weight)}; the result has the input's"
        )
        product = elementwise.mul(ops.rms_norm(input, None, axes=len(shape), eps=eps), weight)
        return elementwise.astype(product, dtype=input._array.dtype)
    if is_complex:  # of squares, as in PyTorch, not of absolute values: no norm, but holomorphic
        out: Tensor = ops.composed_rms_norm(input, weight, axes=len(shape), eps=eps)
        return out
    return ops.rms_norm(input, weight, axes=len(shape), eps=eps)


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Layer norm of each sample's groups of channels (Wu and He, 2018): input (N, C, ...).

    num_groups: divides C.  weight, bias: one factor and one term per channel (C,).
    """
    name = "group_norm"
    expect_tensor(name, "input", input)
    x = input._array
    if x.ndim < 2:
        raise RuntimeError(
            f"{name}(): Expected at least 2 dimensions for input tensor but received "
            f"{describe(input)}"
        )
    if isinstance(num_groups, bool) or not hasattr(num_groups, "__index__"):
        raise TypeError(f"{name}(): argument 'num_groups' must be int, got {num_groups!r}")
    if num_groups == 0:
        raise ZeroDivisionError(f"{name}(): num_groups is 0; it must divide {x.shape[1]} channels")
    if num_groups < 0:
        raise RuntimeError(f"{name}(): Expected num groups to be greater than 0, got {num_groups}")
    if x.shape[1] % num_groups:
        raise RuntimeError(
            f"{name}(): Expected number of channels in input to be divisible by num_groups, but "
            f"got input {describe(input)} and num_groups={num_groups}"
        )
    if x.size and x.size // num_groups == 1:
        raise ValueError(
            f"{name}(): Expected more than 1 value per channel when training, got input size "
            f"{list(x.shape)} and num_groups={num_groups}"
        )
    for argument, value in (("weight", weight), ("bias", bias)):
        optional_tensor(name, argument, value)
        if value is not None and value._array.shape != (x.shape[1],):
            raise RuntimeError(
                f"{name}(): Expected {argument} to be a vector of size equal to the number of "
                f"channels in input, but got {argument} {describe(value)} and input "
                f"{describe(input)}"
            )
    floating(name, input)
    _one_dtype(name, input, weight=weight, bias=bias)
    return _by_group(input, num_groups, weight, bias, eps)


def _by_group(
    input: Tensor, groups: int, weight: Tensor | None, bias: Tensor | None, eps: float
) -> Tensor:
    shape = input._array.shape
    count = shape[1] // groups
    grouped = shape_ops.reshape(input, shape=(shape[0], groups, count, *shape[2:]))
    out = ops.layer_norm(grouped, None, None, axes=len(shape) - 1, eps=eps)
    out = shape_ops.reshape(out, shape=shape)
    wide = (-1,) + (1,) * (len(shape) - 2)
    if weight is not None:
        out = elementwise.mul(out, shape_ops.reshape(weight, shape=wide))
    if bias is not None:
        out = elementwise.add(out, shape_ops.reshape(bias, shape=wide))
    return out


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Batch norm of every sample by itself, per channel of (N, C, ...) (Ulyanov et al., 2016).

    use_input_stats: normalise by the sample's own mean and (biased) variance, and move the running
    ones, if given, towards the samples' average.  Otherwise normalise by the running ones.
    """
    name = "instance_norm"
    expect_tensor(name, "input", input)
    x = input._array
    if x.ndim < 2 or (use_input_stats and x.size == x.shape[0] * x.shape[1] > 0):
        raise ValueError(
            f"{name}(): Expected more than 1 spatial element when training, got input size "
            f"{list(x.shape)}"
        )
    if (running_mean is None) != (running_var is None):
        raise ValueError(
            f"{name}(): running_mean and running_var must either both be None or neither be None"
        )
    floating(name, input)
    expect_number(name, "momentum", momentum)
    expect_number(name, "eps", eps)
    statistics = {"running_mean": running_mean, "running_var": running_var}
    for argument, value in {**statistics, "weight": weight, "bias": bias}.items():
        if value is not None:
            check_channels(name, argument, value, x)
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise RuntimeError(
                f"{name}(): Expected running_mean and running_var to be defined when "
                "use_input_stats is false"
            )
        return by_running(input, running_mean, running_var, weight, bias, eps)
    if running_mean is not None and x.size:
        _track(x, running_mean, running_var, momentum)
    return _by_group(input, x.shape[1], weight, bias, eps) if x.shape[1] else input.clone()


def _track(x: Any, mean: Tensor | None, var: Tensor | None, momentum: float) -> None:
    """Move the running statistics towards the average of the samples' own."""
    samples, channels = x.shape[:2]
    rows = x.reshape(1, samples * channels, -1)
    n = rows.shape[2]
    means, spreads = channel_ops.statistics(rows)
    spreads = spreads * x.dtype.type(n / (n - 1))
    for running, found in ((mean, means), (var, spreads)):
        move_running(running, found.reshape(samples, channels).mean(0), momentum)
