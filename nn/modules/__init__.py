"""PyTorch's paths of the layers: ``nn.modules.conv``, ``nn.modules.linear``, ..."""

from tensorgrad.nn.modules import (
    activation,
    batchnorm,
    container,
    conv,
    dropout,
    flatten,
    linear,
    loss,
    module,
    padding,
    pooling,
    sparse,
)
from tensorgrad.nn.modules.module import Module

__all__ = [
    "Module",
    "activation",
    "batchnorm",
    "container",
    "conv",
    "dropout",
    "flatten",
    "linear",
    "loss",
    "module",
    "padding",
    "pooling",
    "sparse",
]
