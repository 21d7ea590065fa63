"""PyTorch's path of the layers that normalise a sample by itself."""

from tensorgrad.nn.distance import LocalResponseNorm
from tensorgrad.nn.layernorm import CrossMapLRN2d, GroupNorm, LayerNorm, RMSNorm

__all__ = [
    "CrossMapLRN2d",
    "GroupNorm",
    "LayerNorm",
    "LocalResponseNorm",
    "RMSNorm",
]
