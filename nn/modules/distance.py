"""PyTorch's path of what `tensorgrad.nn.distance` defines."""

from tensorgrad.nn.distance import CosineSimilarity, PairwiseDistance

__all__ = ["CosineSimilarity", "PairwiseDistance"]
