"""PyTorch's path of what `tensorgrad.nn.linear` defines."""

from tensorgrad.nn.linear import Bilinear, Identity, Linear

__all__ = ["Bilinear", "Identity", "Linear"]
