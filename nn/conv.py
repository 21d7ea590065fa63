"""Convolution layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tensorgrad.nn import functional as F
from tensorgrad.nn import init
from tensorgrad.nn.factory import parameter
from tensorgrad.nn.functional.checks import numbers
from tensorgrad.nn.functional.convolution import geometry
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter
from tensorgrad.nn.short_calls import before_relu, on_arrays
from tensorgrad.ops.convolution import conv
from tensorgrad.ops.rectified_convolution import rectified_conv
from tensorgrad.primitive import primitives
from tensorgrad.tensor import Tensor

__all__ = ["Conv1d", "Conv2d", "Conv3d"]

_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    """What convolutions and transposed ones share.

    The arguments are those of PyTorch's class of this name, for layers that derive from it: sizes
    as tuples, ``output_padding`` and ``transposed`` among them.
    """

    in_channels: int
    out_channels: int
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: str | tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int
    padding_mode: str
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        stride: tuple[int, ...],
        padding: str | tuple[int, ...],
        dilation: tuple[int, ...],
        transposed: bool,
        output_padding: tuple[int, ...],
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        if groups <= 0:
            raise ValueError(f"{name}: groups must be a positive integer, got {groups}")
        for what, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups:
                raise ValueError(
                    f"{name}: {what} must be divisible by groups, got {what}={channels} and "
                    f"groups={groups}"
                )
        if padding_mode not in _MODES:
            raise ValueError(f"{name}: padding_mode must be one of {_MODES}, got {padding_mode!r}")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.dilation = dilation
        if isinstance(padding, str):
            if padding not in ("valid", "same"):
                raise ValueError(
                    f"{name}: Invalid padding string {padding!r}, should be one of 'valid', 'same'"
                )
            if padding == "same" and any(s != 1 for s in self.stride):
                raise ValueError(
                    f"{name}: padding='same' is not supported for strided convolutions, got "
                    f"stride={stride}"
                )
        self.padding = padding
        self.groups = groups
        self.padding_mode = padding_mode
        self.output_padding = output_padding
        self.transposed = transposed
        ends = (in_channels, out_channels) if transposed else (out_channels, in_channels)
        shape = (ends[0], ends[1] // groups, *self.kernel_size)
        self.weight = parameter(self, shape, device, dtype)
        if bias:
            self.bias = parameter(self, (out_channels,), device, dtype)
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew from U(-k, k), k = 1 / sqrt(inputs of one output)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        n = len(self.kernel_size)
        zeros, ones = (0,) * n, (1,) * n
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        )
        if self.padding != zeros:
            text += f", padding={self.padding}"
        if self.dilation != ones:
            text += f", dilation={self.dilation}"
        if self.output_padding != zeros:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


def _described(module: Any, rank: int) -> tuple[Any, Any, dict[str, Any]]:
    """Weight, bias and windows as the primitive takes them, for an input of ``rank`` axes.

    Raises, so that the forward is called, for an example without a batch, another padding than by
    numbers of zeros, a class of somebody else's, and where ``_conv_forward`` was replaced: those
    may do anything.
    """
    state = module.__dict__
    padding = state["padding"]
    kind = type(module)
    if kind.__dict__.get("forward") is not _Conv.forward or rank != module._rank + 2:
        raise NotImplementedError
    if "_conv_forward" in state or kind._conv_forward is not _own_conv_forward:
        raise NotImplementedError
    if state["padding_mode"] != "zeros" or isinstance(padding, str):
        raise NotImplementedError
    parameters = state["_parameters"]
    weight = parameters["weight"]
    steps, pads, spread = geometry(
        f"conv{module._rank}d", weight._array.shape[2:], state["stride"], padding,
        state["dilation"],
    )  # fmt: skip
    how = {"stride": steps, "padding": pads, "dilation": spread, "groups": state["groups"]}
    return weight, parameters["bias"], how


def _convolved(module: Any, x: Any, own: bool) -> Any:
    weight, bias, how = _described(module, x.ndim)
    b = None if bias is None else bias._array
    return primitives["conv"].forward(x, weight._array, b, **how).y


def _recorded(module: Any, x: Any) -> Any:
    weight, bias, how = _described(module, x._array.ndim)
    return conv(x, weight, bias, **how)


def _rectified(module: Any, x: Any) -> Any:
    """The convolution of a batch and the ReLU behind it; see `tensorgrad.nn.short_calls`."""
    weight, bias, how = _described(module, x._array.ndim)
    return rectified_conv(x, weight, bias, **how)


class _Conv(_ConvNd):
    """What the convolutions over one, two and three dimensions share."""

    _convolve: Callable[..., Tensor]  # the function of the subclass
    _rank: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        name, n = type(self).__name__, self._rank
        super().__init__(
            in_channels,
            out_channels,
            numbers(name, "kernel_size", kernel_size, n, 1),
            numbers(name, "stride", stride, n, 1),
            padding if isinstance(padding, str) else numbers(name, "padding", padding, n, 0),
            numbers(name, "dilation", dilation, n, 1),
            False,
            (0,) * n,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _border(self) -> list[int]:
        """The padding as `functional.pad` takes it: pairs from the last dimension backwards."""
        border: list[int] = []
        for i in reversed(range(self._rank)):
            if self.padding == "same":
                total = self.dilation[i] * (self.kernel_size[i] - 1)
                border += [total // 2, total - total // 2]
            elif self.padding == "valid":
                border += [0, 0]
            else:
                width = self.padding[i]
                assert isinstance(width, int)
                border += [width, width]
        return border

    @before_relu(_rectified)
    @on_arrays(_convolved, _recorded)
    def forward(self, input: Tensor) -> Tensor:
        """Apply the layer."""
        return self._conv_forward(input, self.weight, self.bias)

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Apply the layer with another weight and bias; layers that derive from it call this."""
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._border(), mode=self.padding_mode)
            padding = 0  # type: ignore[assignment]
        return type(self)._convolve(
            input, weight, bias, self.stride, padding, self.dilation, self.groups
        )


_own_conv_forward = _Conv._conv_forward


class Conv1d(_Conv):
    """Slides a weight (out, in / groups, K) over (N, in, L) or (in, L); arguments as `Conv2d`."""

    _convolve = staticmethod(F.conv1d)
    _rank = 1
    forward = _Conv.forward  # its own: see `short_calls.recorded`


class Conv2d(_Conv):
    """Slides a weight (out, in / groups, KH, KW) over (N, in, H, W) or (in, H, W).

    kernel_size, stride, dilation: an int, or one per dimension.
    padding: the same, or "valid", or "same" (stride 1).
    padding_mode: what the border holds: "zeros", or the input "reflect"ed, "replicate"d at its
    edge, or taken as "circular".
    """

    _convolve = staticmethod(F.conv2d)
    _rank = 2
    forward = _Conv.forward  # its own: see `short_calls.recorded`


class Conv3d(_Conv):
    """Slides a weight (out, in / groups, KD, KH, KW) over (N, in, D, H, W); as `Conv2d`."""

    _convolve = staticmethod(F.conv3d)
    _rank = 3
    forward = _Conv.forward  # its own: see `short_calls.recorded`
