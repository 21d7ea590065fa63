"""False alarms are defects: healthy models, at their first step and after some, give silence."""

from __future__ import annotations

import numpy as np
import pytest
from example_tools import example

import tensorgrad as tg
from tensorgrad import nn, optim, viz
from tensorgrad.data import Digits
from tensorgrad.nn import functional as F

PIXELS, LABELS = Digits(train=True).arrays()
X, Y = tg.tensor(PIXELS).float() / 16, tg.tensor(LABELS)  # (N, 1, 8, 8), (N,)


class Recurrent(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.body, self.head = kind(8, 32, batch_first=True), nn.Linear(32, 10)

    def forward(self, x):
        return self.head(self.body(x.squeeze(1))[0][:, -1])


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(8, 32)
        self.layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        return self.head(self.layer(self.embed(x.squeeze(1))).mean(1))


class Coder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 8))
        self.decode = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 64), nn.Sigmoid())

    def forward(self, x):
        return self.decode(self.encode(x))


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.head = nn.Embedding(17, 16), nn.Linear(64 * 16, 10)

    def forward(self, x):
        return self.head(self.table((x.flatten(1) * 16).long()).flatten(1))


def deep(activation, init, depth):
    layers = [nn.Flatten()]
    for _ in range(depth):
        linear = nn.Linear(64, 64)
        init(linear.weight)
        layers += [linear, activation()]
    return nn.Sequential(*layers, nn.Linear(64, 10))


def conv_net():
    # With biases in front of batch norms: their gradients are rounding errors, and that is well.
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU()),
        *(nn.Conv2d(16, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10)),
    )


def flat(*layers):
    return nn.Sequential(nn.Flatten(), *layers)


def cross_entropy(output, x, y):
    return F.cross_entropy(output, y)


def reconstruction(output, x, y):
    return F.binary_cross_entropy(output, x.flatten(1))


def regression(output, x, y):
    return F.mse_loss(output.squeeze(-1), y.float())


def binary(output, x, y):
    return F.binary_cross_entropy_with_logits(output.squeeze(-1), (y > 4).float())


def evidence_bound(output, x, y):  # a sum over the batch, not a mean
    return F.binary_cross_entropy(output, x.flatten(1), reduction="sum") + 0.5 * output.sum()


def summed(output, x, y):
    return F.cross_entropy(output, y, reduction="sum")


def sgd(lr, momentum=0.0):
    return lambda p: optim.SGD(p, lr=lr, momentum=momentum)


def adam(lr):
    return lambda p: optim.Adam(p, lr=lr)


MODELS = {
    "demo MLP": (lambda: example("demo").make_mlp(), cross_entropy, sgd(0.1, 0.9)),
    "demo CNN": (lambda: example("demo").make_cnn(), cross_entropy, adam(3e-3)),
    "logistic": (lambda: flat(nn.Linear(64, 10)), cross_entropy, sgd(0.5)),
    "sigmoid": (
        lambda: flat(nn.Linear(64, 50), nn.Sigmoid(), nn.Linear(50, 10)), cross_entropy, sgd(0.5)
    ),
    "deep tanh": (lambda: deep(nn.Tanh, nn.init.xavier_normal_, 5), cross_entropy, adam(1e-3)),
    "deep ReLU": (lambda: deep(nn.ReLU, nn.init.kaiming_normal_, 8), cross_entropy, adam(1e-3)),
    "batch norm": (conv_net, cross_entropy, sgd(0.05, 0.9)),
    "autoencoder": (Coder, reconstruction, adam(1e-3)),
    "a loss that is a sum": (Coder, evidence_bound, adam(1e-3)),
    "a sum of cross-entropies": (lambda: flat(nn.Linear(64, 10)), summed, adam(1e-3)),
    "regression": (
        lambda: flat(nn.Linear(64, 32), nn.GELU(), nn.Linear(32, 1)), regression, adam(1e-3)
    ),
    "binary": (lambda: flat(nn.Linear(64, 1)), binary, sgd(0.5)),
    "LSTM": (lambda: Recurrent(nn.LSTM), cross_entropy, adam(3e-3)),
    "GRU": (lambda: Recurrent(nn.GRU), cross_entropy, adam(3e-3)),
    "attention": (Attention, cross_entropy, adam(1e-3)),
    "embedding": (Words, cross_entropy, adam(1e-3)),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_silence(name):
    make, loss_of, optimizer_of = MODELS[name]
    tg.manual_seed(0)
    model = make()
    optimizer = optimizer_of(model.parameters())
    rng = np.random.default_rng(0)

    def loss(rows):
        return loss_of(model(X[rows]), X[rows], Y[rows])

    first = viz.doctor(model, lambda: loss(np.arange(64)), optimizer=optimizer)
    assert not first, str(first)
    assert not viz.doctor(model, loss(np.arange(64)))
    monitor = viz.Monitor(model, optimizer, every=5, activations=True)
    for _ in range(40):
        optimizer.zero_grad()
        loss(rng.integers(0, len(X), 64)).backward()
        optimizer.step()
    warned = monitor.warnings()
    assert not warned, str(warned)
    last = viz.doctor(model, lambda: loss(np.arange(64)), optimizer=optimizer)
    assert not last, str(last)
