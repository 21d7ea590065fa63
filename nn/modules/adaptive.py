"""PyTorch's path of the adaptive softmax."""

from tensorgrad.nn.linear_losses import AdaptiveLogSoftmaxWithLoss

__all__ = ["AdaptiveLogSoftmaxWithLoss"]
