"""Transposed convolution layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tensorgrad.nn import functional as F
from tensorgrad.nn.conv import _ConvNd
from tensorgrad.nn.functional.checks import numbers
from tensorgrad.tensor import Tensor

__all__ = ["ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]


class _ConvTransposeNd(_ConvNd):
    """What the transposed convolutions over one, two and three dimensions share."""

    _convolve: Callable[..., Tensor]  # the function of the subclass
    _rank: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        name, n = type(self).__name__, self._rank
        if padding_mode != "zeros":
            raise ValueError(
                f'{name}: only "zeros" padding mode is supported, got {padding_mode!r}'
            )
        super().__init__(
            in_channels,
            out_channels,
            numbers(name, "kernel_size", kernel_size, n, 1),
            numbers(name, "stride", stride, n, 1),
            numbers(name, "padding", padding, n, 0),
            numbers(name, "dilation", dilation, n, 1),
            True,
            numbers(name, "output_padding", output_padding, n, 0),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _extra(self, input: Tensor, output_size: Sequence[int] | None) -> tuple[int, ...]:
        """The output_padding that gives an output of the size asked for."""
        if output_size is None:
            return self.output_padding
        n = self._rank
        asked = list(output_size)
        if len(asked) == input.ndim and len(asked) > n:
            asked = asked[-n:]
        if len(asked) != n:
            raise ValueError(
                f"{type(self).__name__}: for an input of {input.ndim} dimensions, output_size must "
                f"have {n} or {input.ndim} elements (got {len(asked)})"
            )
        least = []
        for i in range(n):
            width = self.padding[i]
            assert isinstance(width, int)
            size = (input.shape[i - n] - 1) * self.stride[i] - 2 * width
            least.append(size + self.dilation[i] * (self.kernel_size[i] - 1) + 1)
        most = [m + s - 1 for m, s in zip(least, self.stride)]
        if any(not low <= m <= high for m, low, high in zip(asked, least, most)):
            raise ValueError(
                f"{type(self).__name__}: requested an output size of {asked}, but valid sizes "
                f"range from {least} to {most} (for an input of {list(input.shape[-n:])})"
            )
        return tuple(m - low for m, low in zip(asked, least))

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Apply the layer; ``output_size`` picks one of the sizes that stride leaves open."""
        return type(self)._convolve(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self._extra(input, output_size),
            self.groups,
            self.dilation,
        )


class ConvTranspose1d(_ConvTransposeNd):
    """Spreads (N, in, L) by a weight (in, out / groups, K); arguments as `ConvTranspose2d`."""

    _convolve = staticmethod(F.conv_transpose1d)
    _rank = 1


class ConvTranspose2d(_ConvTransposeNd):
    """Spreads (N, in, H, W) or (in, H, W) by a weight (in, out / groups, KH, KW).

    kernel_size, stride, padding, output_padding, dilation: an int, or one per dimension.
    padding: what is cut from both ends of the output.  See `functional.conv_transpose2d`.
    """

    _convolve = staticmethod(F.conv_transpose2d)
    _rank = 2


class ConvTranspose3d(_ConvTransposeNd):
    """Spreads (N, in, D, H, W) by a weight (in, out / groups, KD, KH, KW).

    Arguments as `ConvTranspose2d`.
    """

    _convolve = staticmethod(F.conv_transpose3d)
    _rank = 3
