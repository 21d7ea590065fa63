"""PyTorch's path of what `tensorgrad.nn.conv` defines."""

from tensorgrad.nn.conv import Conv1d, Conv2d, Conv3d

__all__ = ["Conv1d", "Conv2d", "Conv3d"]
