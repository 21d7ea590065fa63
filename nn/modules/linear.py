"""PyTorch's path of what the modules below define."""

from tensorgrad.nn.lazy_layers import (
    LazyLinear,
)
from tensorgrad.nn.linear import Bilinear, Identity, Linear

__all__ = ["LazyLinear", "Bilinear", "Identity", "Linear"]
