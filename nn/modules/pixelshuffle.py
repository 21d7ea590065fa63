"""PyTorch's path of what `tensorgrad.nn.folding` defines."""

from tensorgrad.nn.folding import PixelShuffle, PixelUnshuffle

__all__ = ["PixelShuffle", "PixelUnshuffle"]
