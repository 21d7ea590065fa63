"""Layers and losses, built from the operations of tensorgrad."""

from tensorgrad.nn import functional, init, modules, parameter, utils
from tensorgrad.nn.activation import (
    ELU,
    GELU,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softmin,
    Softplus,
    Tanh,
)
from tensorgrad.nn.batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from tensorgrad.nn.container import ModuleDict, ModuleList, Sequential
from tensorgrad.nn.conv import Conv1d, Conv2d, Conv3d
from tensorgrad.nn.dropout import Dropout
from tensorgrad.nn.flatten import Flatten, Unflatten
from tensorgrad.nn.linear import Identity, Linear
from tensorgrad.nn.loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
)
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Buffer, Parameter
from tensorgrad.nn.parameter_container import ParameterDict, ParameterList
from tensorgrad.nn.pooling import AdaptiveAvgPool2d, AvgPool2d, MaxPool2d
from tensorgrad.nn.sparse import Embedding

__all__ = [
    "AdaptiveAvgPool2d",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "Buffer",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "CrossEntropyLoss",
    "Dropout",
    "ELU",
    "Embedding",
    "Flatten",
    "GELU",
    "HuberLoss",
    "Identity",
    "L1Loss",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "ModuleDict",
    "ModuleList",
    "NLLLoss",
    "Parameter",
    "ParameterDict",
    "ParameterList",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Softmin",
    "Softplus",
    "Tanh",
    "Unflatten",
    "functional",
    "init",
    "modules",
    "parameter",
    "utils",
]
