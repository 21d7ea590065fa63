"""The gradients of convolutions as functions: with respect to the input, and to the weight.

They are linear in each of their tensors, are recorded like any operation and can be differentiated
again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tensorgrad.errors import describe
from tensorgrad.nn.functional.checks import expect_tensor, numbers
from tensorgrad.ops import convolution as ops
from tensorgrad.tensor import Tensor

__all__ = [
    "conv1d_input",
    "conv1d_weight",
    "conv2d_input",
    "conv2d_weight",
    "conv3d_input",
    "conv3d_weight",
]


def _how(
    name: str, n: int, stride: Any, padding: Any, dilation: Any, groups: Any
) -> dict[str, Any]:
    widths = numbers(name, "padding", padding, n, 0)
    return {
        "stride": numbers(name, "stride", stride, n, 1),
        "padding": tuple((width, width) for width in widths),
        "dilation": numbers(name, "dilation", dilation, n, 1),
        "groups": numbers(name, "groups", groups, 1, 1)[0],
    }


def _check(
    name: str,
    x: Sequence[int],
    w: Sequence[int],
    grad_output: Tensor,
    how: dict[str, Any],
) -> None:
    """RuntimeError unless the three shapes are those of one convolution."""
    n = len(how["stride"])
    told = f"{name}: an input {tuple(x)}, a weight {tuple(w)}, {describe(grad_output)} as gradient"
    if len(x) != n + 2 or len(w) != n + 2 or grad_output.ndim != n + 2:
        raise RuntimeError(f"{told}: all must have {n + 2} dimensions")
    if x[1] != w[1] * how["groups"]:
        raise RuntimeError(
            f"{told}: the input's channels are not groups={how['groups']} times {w[1]}"
        )
    sizes = [
        (x[i + 2] + low + high - how["dilation"][i] * (w[i + 2] - 1) - 1) // how["stride"][i] + 1
        for i, (low, high) in enumerate(how["padding"])
    ]
    wanted = (x[0], w[0], *sizes)
    if tuple(grad_output.shape) != wanted:
        raise RuntimeError(f"{told}: the output, and so its gradient, has the shape {wanted}")


def _input(n: int, input_size: Any, weight: Tensor, grad_output: Tensor, *how_given: Any) -> Tensor:
    name = f"conv{n}d_input"
    expect_tensor(name, "weight", weight)
    expect_tensor(name, "grad_output", grad_output)
    shape = tuple(int(size) for size in input_size)
    how = _how(name, n, *how_given)
    _check(name, shape, weight.shape, grad_output, how)
    return ops.conv_input(grad_output, weight, shape=shape, **how)


def _weight(
    n: int, input: Tensor, weight_size: Any, grad_output: Tensor, *how_given: Any
) -> Tensor:
    name = f"conv{n}d_weight"
    expect_tensor(name, "input", input)
    expect_tensor(name, "grad_output", grad_output)
    shape = tuple(int(size) for size in weight_size)
    how = _how(name, n, *how_given)
    _check(name, input.shape, shape, grad_output, how)
    return ops.conv_weight(input, grad_output, shape=shape, **how)


def conv1d_input(
    input_size: Sequence[int],
    weight: Tensor,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of `functional.conv1d` with respect to its input, of the shape input_size."""
    return _input(1, input_size, weight, grad_output, stride, padding, dilation, groups)


def conv1d_weight(
    input: Tensor,
    weight_size: Sequence[int],
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of `functional.conv1d` with respect to its weight, of the shape weight_size."""
    return _weight(1, input, weight_size, grad_output, stride, padding, dilation, groups)


def conv2d_input(
    input_size: Sequence[int],
    weight: Tensor,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of `functional.conv2d` with respect to its input, of the shape input_size."""
    return _input(2, input_size, weight, grad_output, stride, padding, dilation, groups)


def conv2d_weight(
    input: Tensor,
    weight_size: Sequence[int],
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of `functional.conv2d` with respect to its weight, of the shape weight_size."""
    return _weight(2, input, weight_size, grad_output, stride, padding, dilation, groups)


def conv3d_input(
    input_size: Sequence[int],
    weight: Tensor,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of `functional.conv3d` with respect to its input, of the shape input_size."""
    return _input(3, input_size, weight, grad_output, stride, padding, dilation, groups)


def conv3d_weight(
    input: Tensor,
    weight_size: Sequence[int],
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of `functional.conv3d` with respect to its weight, of the shape weight_size."""
    return _weight(3, input, weight_size, grad_output, stride, padding, dilation, groups)
