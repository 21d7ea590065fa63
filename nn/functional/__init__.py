"""Layers and losses as functions, with PyTorch's names and arguments."""

from tensorgrad.nn.functional.activation import (
    elu,
    elu_,
    gelu,
    leaky_relu,
    leaky_relu_,
    log_softmax,
    logsigmoid,
    relu,
    relu_,
    sigmoid,
    silu,
    softmax,
    softmin,
    softplus,
    tanh,
)
from tensorgrad.nn.functional.binary import binary_cross_entropy, binary_cross_entropy_with_logits
from tensorgrad.nn.functional.classification import cross_entropy, nll_loss
from tensorgrad.nn.functional.convolution import conv1d, conv2d, conv3d
from tensorgrad.nn.functional.dropout import dropout
from tensorgrad.nn.functional.linear import embedding, linear, one_hot
from tensorgrad.nn.functional.loss import huber_loss, l1_loss, mse_loss, smooth_l1_loss
from tensorgrad.nn.functional.normalization import batch_norm
from tensorgrad.nn.functional.padding import pad
from tensorgrad.nn.functional.pooling import (
    adaptive_avg_pool2d,
    avg_pool2d,
    max_pool2d,
    max_pool2d_with_indices,
)

__all__ = [
    "adaptive_avg_pool2d",
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "conv1d",
    "conv2d",
    "conv3d",
    "cross_entropy",
    "dropout",
    "elu",
    "elu_",
    "embedding",
    "gelu",
    "huber_loss",
    "l1_loss",
    "leaky_relu",
    "leaky_relu_",
    "linear",
    "log_softmax",
    "logsigmoid",
    "max_pool2d",
    "max_pool2d_with_indices",
    "mse_loss",
    "nll_loss",
    "one_hot",
    "pad",
    "relu",
    "relu_",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "softmax",
    "softmin",
    "softplus",
    "tanh",
]
