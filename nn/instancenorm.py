"""Instance normalisation layers."""

from __future__ import annotations

from typing import Any

from tensorgrad.graph.provenance import warn
from tensorgrad.nn import functional as F
from tensorgrad.nn.batchnorm import NormBase
from tensorgrad.tensor import Tensor

__all__ = ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"]


class _InstanceNorm(NormBase):
    """What instance normalisation over sequences, images and volumes shares."""

    _rank: int  # of an input without a batch

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def _check_input(self, input: Tensor) -> bool:
        """Whether the input is a batch, after a check of its dimensions and channels."""
        name, rank = type(self).__name__, self._rank
        if input.ndim not in (rank, rank + 1):
            raise ValueError(
                f"{name}: expected {rank}D or {rank + 1}D input (got {input.ndim}D input of shape "
                f"{tuple(input.shape)})"
            )
        dim = input.ndim - rank
        if input.shape[dim] != self.num_features:
            if self.affine:
                raise ValueError(
                    f"{name}: expected input's size at dim={dim} to match num_features "
                    f"({self.num_features}), but got: {input.shape[dim]}, an input of shape "
                    f"{tuple(input.shape)}"
                )
            warn(
                f"{name}: input's size at dim={dim} does not match num_features "
                f"({self.num_features}). You can silence this warning by not passing in "
                "num_features, which is not used because affine=False"
            )
        return dim == 1

    def forward(self, input: Tensor) -> Tensor:
        """Normalise by each sample's statistics, or in evaluation by those that were tracked."""
        is_batch = self._check_input(input)
        out = F.instance_norm(
            input if is_batch else input.unsqueeze(0),
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return out if is_batch else out.squeeze(0)


class InstanceNorm1d(_InstanceNorm):
    """(x - mean) / sqrt(var + eps) per sample and channel of (N, C, L) or (C, L).

    affine: whether there are weight and bias per channel; ``bias=False`` leaves out the latter.
    track_running_stats: whether evaluation uses running statistics, which training moves by
    ``momentum`` towards the samples' average.
    """

    _rank = 2


class InstanceNorm2d(_InstanceNorm):
    """Instance norm of (N, C, H, W) or (C, H, W); arguments as `InstanceNorm1d`."""

    _rank = 3


class InstanceNorm3d(_InstanceNorm):
    """Instance norm of (N, C, D, H, W) or (C, D, H, W); arguments as `InstanceNorm1d`."""

    _rank = 4
