"""PyTorch's path of what `tensorgrad.nn.sparse` defines."""

from tensorgrad.nn.sparse import Embedding

__all__ = ["Embedding"]
