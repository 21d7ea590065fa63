"""PyTorch's path of what `tensorgrad.nn.pooling` defines."""

from tensorgrad.nn.pooling import AdaptiveAvgPool2d, AvgPool2d, MaxPool2d

__all__ = ["AdaptiveAvgPool2d", "AvgPool2d", "MaxPool2d"]
