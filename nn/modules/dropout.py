"""PyTorch's path of what `tensorgrad.nn.dropout` defines."""

from tensorgrad.nn.dropout import Dropout

__all__ = ["Dropout"]
