"""What registering a hook returns, under PyTorch's path."""

from tensorgrad.graph.hooks import RemovableHandle

__all__ = ["RemovableHandle"]
