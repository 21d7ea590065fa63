"""PyTorch's path of what `tensorgrad.nn.instancenorm` defines."""

from tensorgrad.nn.instancenorm import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d

__all__ = [
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
]
