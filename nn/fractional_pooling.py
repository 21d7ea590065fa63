"""Layers of maxima over windows at random distances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.nn import functional as F
from tensorgrad.nn.functional.checks import numbers
from tensorgrad.nn.module import Module
from tensorgrad.tensor import Tensor

__all__ = ["FractionalMaxPool2d", "FractionalMaxPool3d"]


class _FractionalMaxPoolNd(Module):
    _pool: Callable[..., Any]
    _rank: int

    def __init__(
        self,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        name, n = type(self).__name__, self._rank
        if (output_size is None) == (output_ratio is None):
            raise ValueError(
                f"{name}: requires specifying either an output_size or an output_ratio, and not "
                "both"
            )
        self.kernel_size = numbers(name, "kernel_size", kernel_size, n, 1)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size: Any = None
        self.output_ratio: Any = None
        if output_size is not None:
            self.output_size = numbers(name, "output_size", output_size, n, 1)
        else:
            ratios = output_ratio if isinstance(output_ratio, (tuple, list)) else [output_ratio] * n
            if len(ratios) != n or not all(0 < ratio < 1 for ratio in ratios):
                raise ValueError(
                    f"{name}: output_ratio must be between 0 and 1 (got {output_ratio})"
                )
            self.output_ratio = tuple(ratios)

    def forward(self, input: Tensor) -> Any:
        """The maxima, and with return_indices their places."""
        return type(self)._pool(
            input,
            self.kernel_size,
            self.output_size,
            self.output_ratio,
            self.return_indices,
            self._random_samples,
        )


class FractionalMaxPool2d(_FractionalMaxPoolNd):
    """Shrinks (N, C, H, W) at random; see `functional.fractional_max_pool2d`."""

    _pool = staticmethod(F.fractional_max_pool2d)
    _rank = 2


class FractionalMaxPool3d(_FractionalMaxPoolNd):
    """Shrinks (N, C, D, H, W) at random; see `functional.fractional_max_pool3d`."""

    _pool = staticmethod(F.fractional_max_pool3d)
    _rank = 3
