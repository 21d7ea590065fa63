"""What the tests of viz.doctor share: data, models, and looking at findings."""

from __future__ import annotations

import numpy as np

import tensorgrad as tg
from tensorgrad import nn, viz
from tensorgrad.nn import functional as F


def batch(n=64, features=16, classes=4):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, features)).astype(np.float32)
    return tg.from_numpy(x), tg.from_numpy(rng.integers(0, classes, n))


def mlp(activation=nn.ReLU, depth=2, width=16, classes=4):
    layers = []
    for _ in range(depth):
        layers += [nn.Linear(16, width) if not layers else nn.Linear(width, width), activation()]
    return nn.Sequential(*layers, nn.Linear(width, classes))


def classify(model, x, y):
    return lambda: F.cross_entropy(model(x), y)


def watched(model, loss, optimizer, steps=8):
    monitor = viz.Monitor(model, optimizer, every=1, activations=True)
    for _ in range(steps):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    return monitor.warnings()


def one(findings, cause):
    """The finding of this cause, among others."""
    (found,) = [f for f in findings if f.cause == cause]
    return found


def only(findings, cause):
    assert findings.causes == [cause], str(findings)
    return findings[0]


class Forgetful(nn.Module):
    def __init__(self):
        super().__init__()
        self.used = nn.Linear(16, 4)
        self.spare = nn.Linear(16, 4)

    def forward(self, x):
        return self.used(x)
