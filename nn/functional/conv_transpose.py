"""Transposed convolutions: the adjoints of convolutions with respect to their input."""

from __future__ import annotations

from typing import Any

from tensorgrad.errors import describe
from tensorgrad.nn.functional.checks import expect_tensor, numbers, optional_tensor
from tensorgrad.ops import convolution as ops
from tensorgrad.ops import elementwise
from tensorgrad.ops import shape as shape_ops
from tensorgrad.tensor import Tensor

__all__ = ["conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]


def _check(
    name: str, n: int, input: Tensor, weight: Tensor, bias: Tensor | None, groups: int
) -> None:
    expect_tensor(name, "input", input)
    expect_tensor(name, "weight", weight)
    optional_tensor(name, "bias", bias)
    x, w = input._array, weight._array
    if w.ndim != n + 2:
        raise RuntimeError(
            f"{name}(): expected a weight (in, out / groups, *kernel) of {n + 2} dimensions, got "
            f"{describe(weight)}"
        )
    if x.ndim not in (n + 1, n + 2):
        raise RuntimeError(
            f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {name}, but got input "
            f"of size: {list(x.shape)}"
        )
    if x.dtype.kind not in "fc":
        raise RuntimeError(
            f"{name}(): expected an input of floating-point numbers, got {describe(input)}; "
            "convert it with .float()"
        )
    channels = x.shape[x.ndim - n - 1]
    if w.shape[0] != channels or channels % groups:
        raise RuntimeError(
            f"{name}(): given groups={groups} and weight of size {list(w.shape)}, expected input "
            f"{list(x.shape)} to have {w.shape[0]} channels, a multiple of groups, but got "
            f"{channels} channels instead"
        )
    if 0 in x.shape[x.ndim - n :]:
        raise RuntimeError(
            f"{name}(): expected non-zero spatial dimensions, got input {describe(input)}"
        )
    outs = w.shape[1] * groups
    if bias is not None and bias._array.shape != (outs,):
        raise RuntimeError(f"{name}(): expected bias of shape ({outs},), got {describe(bias)}")
    given = [t for t in (input, weight, bias) if t is not None]
    if len({t._array.dtype for t in given}) > 1:
        raise RuntimeError(
            f"{name}(): input, weight and bias should have one type, got "
            f"{', '.join(describe(t) for t in given)}"
        )


def _conv_transpose(
    n: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Tensor:
    name = f"conv_transpose{n}d"
    (groups,) = numbers(name, "groups", groups, 1, 1)
    _check(name, n, input, weight, bias, groups)
    steps = numbers(name, "stride", stride, n, 1)
    pads = numbers(name, "padding", padding, n, 0)
    extra = numbers(name, "output_padding", output_padding, n, 0)
    spread = numbers(name, "dilation", dilation, n, 1)
    for e, s, d in zip(extra, steps, spread):
        if e >= max(s, d):
            raise RuntimeError(
                f"{name}(): output padding must be smaller than either stride or dilation, but got "
                f"output_padding={e}, stride={s} and dilation={d}"
            )
    x = input
    if input.ndim == n + 1:
        x = shape_ops.reshape(input, shape=(1, *input._array.shape))
    # output_padding reveals elements that the padding behind would cut off; what it asks for
    # beyond those is 0.  So the number of windows over the output is that of the input, whatever
    # output_padding is, and the adjoint of the adjoint is the convolution.
    borders = tuple((p, max(p - e, 0)) for p, e in zip(pads, extra))
    zeros = [max(e - p, 0) for p, e in zip(pads, extra)]
    size = [
        (m - 1) * s + d * (k - 1) + 1 - low - high
        for m, s, d, k, (low, high) in zip(
            x._array.shape[2:], steps, spread, weight._array.shape[2:], borders
        )
    ]
    if any(m + z < 1 for m, z in zip(size, zeros)) or min(size) < 0:
        raise RuntimeError(
            f"{name}(): the output would have the spatial size "
            f"{[m + z for m, z in zip(size, zeros)]}, which is too small; got input "
            f"{describe(input)}, weight {describe(weight)} and padding={padding!r}"
        )
    outs = weight._array.shape[1] * groups
    out = ops.conv_input(
        x,
        weight,
        shape=(x._array.shape[0], outs, *size),
        stride=steps,
        padding=borders,
        dilation=spread,
        groups=groups,
    )
    if any(zeros):
        out = shape_ops.pad(out, widths=((0, 0), (0, 0), *((0, z) for z in zeros)), value=0)
    if bias is not None:
        out = elementwise.add(out, shape_ops.reshape(bias, shape=(1, outs, *(1,) * n)))
    return out[0] if input.ndim == n + 1 else out


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """Spread ``input`` (N, C, L) or (C, L) by ``weight`` (C, O / groups, K).

    See `conv_transpose2d`.
    """
    return _conv_transpose(
        1, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """Spread ``input`` (N, C, H, W) or (C, H, W) by ``weight`` (C, O / groups, KH, KW).

    The map from outputs' gradients to inputs' gradients of the convolution with this weight: each
    element adds its multiple of the kernel to the output, ``stride`` apart.  The output's size is
    (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1.

    padding: what is cut from both ends of the output.
    output_padding: how much longer the output is at its end, less than stride or dilation.
    """
    return _conv_transpose(
        2, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """Spread ``input`` (N, C, D, H, W) by ``weight`` (C, O / groups, KD, KH, KW).

    See `conv_transpose2d`.
    """
    return _conv_transpose(
        3, input, weight, bias, stride, padding, output_padding, groups, dilation
    )
