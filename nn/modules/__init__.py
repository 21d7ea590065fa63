"""PyTorch's paths of the layers: ``nn.modules.conv``, ``nn.modules.linear``, ...

Every class of `tensorgrad.nn` is an attribute here too.
"""

from __future__ import annotations

from typing import Any

from tensorgrad.nn.modules import (
    activation,
    adaptive,
    batchnorm,
    channelshuffle,
    container,
    conv,
    distance,
    dropout,
    flatten,
    fold,
    instancenorm,
    lazy,
    linear,
    loss,
    module,
    normalization,
    padding,
    pixelshuffle,
    pooling,
    rnn,
    sparse,
    transformer,
    upsampling,
    utils,
)
from tensorgrad.nn.modules.module import Module

__all__ = [
    "Module",
    "activation",
    "adaptive",
    "batchnorm",
    "channelshuffle",
    "container",
    "conv",
    "distance",
    "dropout",
    "flatten",
    "fold",
    "instancenorm",
    "lazy",
    "linear",
    "loss",
    "module",
    "normalization",
    "padding",
    "pixelshuffle",
    "pooling",
    "rnn",
    "sparse",
    "transformer",
    "upsampling",
    "utils",
]


def __getattr__(name: str) -> Any:
    # Not imported above: tensorgrad.nn imports this package before it has its own names.
    from tensorgrad import nn

    found = nn.__dict__.get(name)
    if isinstance(found, type) and issubclass(found, Module):
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
