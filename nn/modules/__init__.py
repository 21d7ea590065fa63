"""PyTorch's paths of the layers: ``nn.modules.conv``, ``nn.modules.linear``, ..."""

from tensorgrad.nn.modules import (
    activation,
    batchnorm,
    channelshuffle,
    container,
    conv,
    distance,
    dropout,
    flatten,
    fold,
    linear,
    loss,
    module,
    padding,
    pixelshuffle,
    pooling,
    sparse,
    upsampling,
)
from tensorgrad.nn.modules.module import Module

__all__ = [
    "Module",
    "activation",
    "batchnorm",
    "channelshuffle",
    "container",
    "conv",
    "distance",
    "dropout",
    "flatten",
    "fold",
    "linear",
    "loss",
    "module",
    "padding",
    "pixelshuffle",
    "pooling",
    "sparse",
    "upsampling",
]
