"""The primitives, one family a file.  Importing this package declares them all."""

from tensorgrad.ops import (
    convolution,
    elementwise,
    indexing,
    linalg,
    loss,
    normalization,
    pooling,
    reduction,
    shape,
    softmax,
)

__all__ = [
    "convolution",
    "elementwise",
    "indexing",
    "linalg",
    "loss",
    "normalization",
    "pooling",
    "reduction",
    "shape",
    "softmax",
]
