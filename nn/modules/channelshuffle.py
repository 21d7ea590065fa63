"""PyTorch's path of what `tensorgrad.nn.folding` defines."""

from tensorgrad.nn.folding import ChannelShuffle

__all__ = ["ChannelShuffle"]
