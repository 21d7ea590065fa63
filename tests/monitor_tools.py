"""A small model and its training, watched by a viz.Monitor."""

from __future__ import annotations

import numpy as np

import tensorgrad as tg
from tensorgrad import nn, optim, viz
from tensorgrad.nn import functional as F


class Net(nn.Module):
    """Functional activations, a frozen layer, one that is not used."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(8, 16)
        self.frozen = nn.Linear(16, 16)
        self.last = nn.Linear(16, 3)
        self.unused = nn.Linear(2, 2)
        self.frozen.requires_grad_(False)

    def forward(self, x):
        return self.last(tg.tanh(self.frozen(F.relu(self.first(x)))))


def batch(n=32, features=8, classes=3):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, features)).astype(np.float32)
    return tg.from_numpy(x), tg.from_numpy(rng.integers(0, classes, n))


def train(model, optimizer, steps, data=None):
    x, y = data or batch()
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()


def watched(steps=30, every=10, activations=True, **kwargs):
    tg.manual_seed(0)
    model = Net()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    monitor = viz.Monitor(model, optimizer, every=every, activations=activations, **kwargs)
    train(model, optimizer, steps)
    return model, optimizer, monitor


def course(monitor, name):
    return next(c for c in monitor.courses() if c.name == name)
