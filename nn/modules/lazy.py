"""PyTorch's path of what `tensorgrad.nn.lazy` defines."""

from tensorgrad.nn.lazy import LazyModuleMixin

__all__ = ["LazyModuleMixin"]
