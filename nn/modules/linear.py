"""PyTorch's path of what `tensorgrad.nn.linear` defines."""

from tensorgrad.nn.linear import Identity, Linear

__all__ = ["Identity", "Linear"]
