"""The models of the UvA course's first assignment, which reports 000 and 003 share."""

from __future__ import annotations

from typing import Any

import numpy as np

import tensorgrad as tg
from tensorgrad import nn

# train_mlp_numpy.py's defaults; weights from N(0, 0.0001²), biases 0.
DEFAULT = {"hidden": 100, "lr": 2e-3, "steps": 1500, "batch": 200, "std": 1e-4}


def mlp(hidden: list[int], batch_norm: bool = False) -> nn.Sequential:
    """ReLU layers of these widths on 3,072 pixels, ten outputs, the framework's own weights."""
    layers: list[nn.Module] = []
    width = 3072
    for size in hidden:
        layers.append(nn.Linear(width, size))
        if batch_norm:
            layers.append(nn.BatchNorm1d(size))
        layers.append(nn.ReLU())
        width = size
    return nn.Sequential(*layers, nn.Linear(width, 10))


def default_mlp() -> nn.Sequential:
    """3072-100-10 with the course's tiny weights: 308,310 parameters."""
    model = mlp([DEFAULT["hidden"]])
    for layer in (model[0], model[2]):
        nn.init.normal_(layer.weight, std=DEFAULT["std"])
        nn.init.zeros_(layer.bias)
    return model


def numpy_twin(start: list[Any], batches: Any, steps: int) -> list[float]:
    """The same MLP by hand, in float64: forward, backward and update as the report derives them."""
    w1, b1, w2, b2 = (p.astype(float) for p in start)
    losses = []
    for _ in range(steps):
        inputs, labels = (t.numpy() for t in batches.next())
        n, x = np.arange(len(inputs)), inputs.astype(float)
        z = x @ w1.T + b1
        h = np.maximum(z, 0)
        o = h @ w2.T + b2
        o -= o.max(1, keepdims=True)
        p = np.exp(o) / np.exp(o).sum(1, keepdims=True)
        losses.append(float(-np.log(p[n, labels]).mean()))
        d = p.copy()
        d[n, labels] -= 1
        d /= len(x)
        dh = (d @ w2) * (z > 0)
        for weight, gradient in ((w2, d.T @ h), (b2, d.sum(0)), (w1, dh.T @ x), (b1, dh.sum(0))):
            weight -= DEFAULT["lr"] * gradient
    return losses


def mini_vgg() -> nn.Sequential:
    """The assignment's ConvNet: 9,231,114 parameters."""
    layers: list[nn.Module] = []
    channels = 3
    for size in (64, "pool", 128, "pool", 256, 256, "pool", 512, 512, "pool", 512, 512, "pool"):
        if isinstance(size, str):
            layers.append(nn.MaxPool2d(3, stride=2, padding=1))
        else:
            layers += [nn.Conv2d(channels, size, 3, padding=1), nn.BatchNorm2d(size), nn.ReLU()]
            channels = size
    return nn.Sequential(*layers, nn.AvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def composed_batch_norm(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
    """Question 3.1: batch norm from primitives, without running statistics."""
    centred = x - x.mean(0)
    return gamma * centred / ((centred**2).mean(0) + eps).sqrt() + beta


def wrong_batch_norm_dx(x: Any, gamma: Any, g: Any, eps: float = 1e-5) -> Any:
    """Report 000's dxm1 + dxm2, letter by letter."""
    centred, n = x - x.mean(0), len(x)
    deviation = ((centred**2).mean(0) + eps).sqrt()
    first = g * gamma / deviation
    second = g * gamma * centred / deviation**2 * 0.5 / deviation * 2 / n * centred
    return first + second
