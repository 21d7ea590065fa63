"""PyTorch's path of what `tensorgrad.nn.flatten` defines."""

from tensorgrad.nn.flatten import Flatten, Unflatten

__all__ = ["Flatten", "Unflatten"]
