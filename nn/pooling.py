"""Pooling layers over one, two and three dimensions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tensorgrad.nn import functional as F
from tensorgrad.nn.functional.checks import numbers
from tensorgrad.nn.functional.pool_windows import geometry
from tensorgrad.nn.module import Module
from tensorgrad.nn.short_calls import of_maxima, on_arrays
from tensorgrad.ops.pooling import max_pool
from tensorgrad.primitive import primitives
from tensorgrad.tensor import Tensor

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
]


def _windows(module: Any, shape: tuple[int, ...]) -> dict[str, Any]:
    """How a max pooling layer pools an input of a shape; raises where its function would."""
    state, rank = module.__dict__, module._rank
    if len(shape) != rank + 2 or state["return_indices"]:
        raise NotImplementedError
    return geometry(
        f"max_pool{rank}d", rank, shape, state["kernel_size"], state["stride"], state["padding"],
        state["dilation"], bool(state["ceil_mode"]),
    )  # fmt: skip


def _maxima(module: Any, x: Any, own: bool) -> Any:
    return primitives["max_pool"].forward(x, **_windows(module, x.shape))


def _recorded_maxima(module: Any, x: Any) -> Any:
    return max_pool(x, **_windows(module, x._array.shape))


class _MaxPoolNd(Module):
    _pool: Callable[..., Any]  # the function of the subclass
    _rank: int

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    @of_maxima
    @on_arrays(_maxima, _recorded_maxima)
    def forward(self, input: Tensor) -> Any:
        """The maxima, and with return_indices their places."""
        return type(self)._pool(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.ceil_mode,
            self.return_indices,
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPoolNd):
    """The maximum of every window of (N, C, L) or (C, L); see `functional.max_pool1d`."""

    _pool = staticmethod(F.max_pool1d)
    _rank = 1
    forward = _MaxPoolNd.forward  # its own: see `short_calls.recorded`


class MaxPool2d(_MaxPoolNd):
    """The maximum of every window of (N, C, H, W) or (C, H, W); see `functional.max_pool2d`."""

    _pool = staticmethod(F.max_pool2d)
    _rank = 2
    forward = _MaxPoolNd.forward  # its own: see `short_calls.recorded`


class MaxPool3d(_MaxPoolNd):
    """The maximum of every window of (N, C, D, H, W); see `functional.max_pool3d`."""

    _pool = staticmethod(F.max_pool3d)
    _rank = 3
    forward = _MaxPoolNd.forward  # its own: see `short_calls.recorded`


class _MaxUnpoolNd(Module):
    _unpool: Callable[..., Tensor]
    _rank: int

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__()
        name, n = type(self).__name__, self._rank
        self.kernel_size = numbers(name, "kernel_size", kernel_size, n, 1)
        steps = stride if stride is not None else kernel_size
        self.stride = numbers(name, "stride", steps, n, 1)
        self.padding = numbers(name, "padding", padding, n, 0)

    def forward(
        self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        """The maxima at their indices, zeros elsewhere."""
        return type(self)._unpool(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpoolNd):
    """Puts the maxima of `MaxPool1d` back at their indices; see `functional.max_unpool1d`."""

    _unpool = staticmethod(F.max_unpool1d)
    _rank = 1


class MaxUnpool2d(_MaxUnpoolNd):
    """Puts the maxima of `MaxPool2d` back at their indices; see `functional.max_unpool2d`."""

    _unpool = staticmethod(F.max_unpool2d)
    _rank = 2


class MaxUnpool3d(_MaxUnpoolNd):
    """Puts the maxima of `MaxPool3d` back at their indices; see `functional.max_unpool3d`."""

    _unpool = staticmethod(F.max_unpool3d)
    _rank = 3


class _AvgPoolNd(Module):
    _pool: Callable[..., Tensor]

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        """The means."""
        return type(self)._pool(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(Module):
    """The mean of every window of (N, C, L) or (C, L); see `functional.avg_pool1d`."""

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.kernel_size = numbers(name, "kernel_size", kernel_size, 1, 1)
        steps = stride if stride is not None else kernel_size
        self.stride = numbers(name, "stride", steps, 1, 1)
        self.padding = numbers(name, "padding", padding, 1, 0)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        """The means."""
        return F.avg_pool1d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
        )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(_AvgPoolNd):
    """The mean of every window of (N, C, H, W) or (C, H, W); see `functional.avg_pool2d`."""

    _pool = staticmethod(F.avg_pool2d)


class AvgPool3d(_AvgPoolNd):
    """The mean of every window of (N, C, D, H, W); see `functional.avg_pool3d`."""

    _pool = staticmethod(F.avg_pool3d)


class _LPPoolNd(Module):
    _pool: Callable[..., Tensor]

    def __init__(
        self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        """The power sums' roots."""
        return type(self)._pool(
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPoolNd):
    """(sum of x**p)**(1/p) over every window of (N, C, L); see `functional.lp_pool1d`."""

    _pool = staticmethod(F.lp_pool1d)


class LPPool2d(_LPPoolNd):
    """(sum of x**p)**(1/p) over every window of (N, C, H, W); see `functional.lp_pool2d`."""

    _pool = staticmethod(F.lp_pool2d)


class LPPool3d(_LPPoolNd):
    """(sum of x**p)**(1/p) over every window of (N, C, D, H, W); see `functional.lp_pool3d`."""

    _pool = staticmethod(F.lp_pool3d)


class _AdaptiveAvgPoolNd(Module):
    _pool: Callable[..., Tensor]

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        """The means, of shape (..., *output_size)."""
        return type(self)._pool(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """Means over output_size nearly equal parts; see `functional.adaptive_avg_pool1d`."""

    _pool = staticmethod(F.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """Means over output_size nearly equal parts; see `functional.adaptive_avg_pool2d`."""

    _pool = staticmethod(F.adaptive_avg_pool2d)


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """Means over output_size nearly equal parts; see `functional.adaptive_avg_pool3d`."""

    _pool = staticmethod(F.adaptive_avg_pool3d)


class _AdaptiveMaxPoolNd(Module):
    _pool: Callable[..., Any]

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        """The maxima, of shape (..., *output_size), and with return_indices their places."""
        return type(self)._pool(input, self.output_size, self.return_indices)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """Maxima over output_size nearly equal parts; see `functional.adaptive_max_pool1d`."""

    _pool = staticmethod(F.adaptive_max_pool1d)


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """Maxima over output_size nearly equal parts; see `functional.adaptive_max_pool2d`."""

    _pool = staticmethod(F.adaptive_max_pool2d)


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """Maxima over output_size nearly equal parts; see `functional.adaptive_max_pool3d`."""

    _pool = staticmethod(F.adaptive_max_pool3d)
