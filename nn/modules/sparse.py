"""PyTorch's path of what `tensorgrad.nn.sparse` defines."""

from tensorgrad.nn.embedding_bag import EmbeddingBag
from tensorgrad.nn.sparse import Embedding

__all__ = [
    "Embedding",
    "EmbeddingBag",
]
