"""PyTorch's path of what `tensorgrad.nn.module` defines."""

from tensorgrad.nn.module import Module

__all__ = ["Module"]
