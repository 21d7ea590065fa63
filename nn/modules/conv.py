"""PyTorch's path of what `tensorgrad.nn.conv` and `tensorgrad.nn.conv_transpose` define."""

from tensorgrad.nn.conv import (
    Conv1d,
    Conv2d,
    Conv3d,
)
from tensorgrad.nn.conv_transpose import (
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
)

__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
]
