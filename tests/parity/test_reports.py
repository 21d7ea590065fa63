"""The reports' scripts beside PyTorch: momentum's start; a CNN from the same weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tensorgrad as tg
from examples.reports import peer, r004, training
from examples.reports.data import Split
from tensorgrad import nn, optim

MU, RATE = 0.9, 0.1
GRADIENTS = (1.0, -0.5, 2.0)


def torch_steps(zero_buffer: bool) -> list[float]:
    p = torch.nn.Parameter(torch.tensor(1.0, dtype=torch.float64))
    optimizer = torch.optim.SGD([p], RATE, momentum=MU, dampening=MU)
    if zero_buffer:
        optimizer.state[p]["momentum_buffer"] = torch.zeros_like(p)
    places = []
    for g in GRADIENTS:
        p.grad = torch.tensor(g, dtype=torch.float64)
        optimizer.step()
        places.append(p.item())
    return places


def test_the_first_three_steps():
    ours = r004.three_steps(lambda p: r004.RunningMean(p, RATE, MU), GRADIENTS)
    sgd = r004.three_steps(lambda p: optim.SGD(p, RATE, momentum=MU, dampening=MU), GRADIENTS)
    assert sgd == pytest.approx(torch_steps(zero_buffer=False), abs=1e-15)
    # PyTorch's, begun with a buffer of zeros, is the report's.
    assert ours == pytest.approx(torch_steps(zero_buffer=True), abs=1e-15)
    assert ours[0] - sgd[0] == pytest.approx(RATE * MU)


def test_a_cnn_from_the_same_weights(tmp_path):
    rng = np.random.default_rng(0)
    split = Split(rng.standard_normal((40, 3, 8, 8)).astype("f"), rng.integers(0, 10, 40))

    def make():
        tg.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1), nn.MaxPool2d(2, stride=4), nn.AvgPool2d(1),
            nn.Flatten(), nn.Linear(4, 10),
        )  # fmt: skip

    def run(steps, path):
        batches = training.Batches(split, 16, 0)
        return peer.train_torch(make(), batches, split, steps, 1e-2, path)

    model = make()
    ours = training.train(
        model, optim.Adam(model.parameters(), lr=1e-2), training.Batches(split, 16, 0), 12,
        name="cnn", folder=tmp_path,
    )  # fmt: skip
    theirs = run(12, tmp_path / "whole.pt")
    assert theirs["loss"] == pytest.approx(ours["loss"], rel=1e-4)
    accuracy = training.measure(model, split)[1]
    assert theirs["test accuracy"] == [pytest.approx(accuracy, abs=0.03)]
    run(5, tmp_path / "parts.pt")
    assert run(12, tmp_path / "parts.pt") == theirs  # goes on from the checkpoint


def points():
    rng = np.random.default_rng(0)
    return Split(rng.standard_normal((40, 12)).astype("f"), rng.integers(0, 10, 40))


def mlp(activation):
    tg.manual_seed(0)
    return nn.Sequential(nn.Linear(12, 7), activation, nn.Linear(7, 10))


def test_an_mlp_with_weight_decay_and_a_rate_that_falls(tmp_path):
    split = points()
    model, batches = mlp(nn.ReLU()), training.Batches(split, 16, 0)
    optimizer = optim.Adam(model.parameters(), lr=1e-2, weight_decay=0.1)
    ours = training.train(
        model, optimizer, batches, 12, name="mlp", folder=tmp_path,
        scheduler=optim.lr_scheduler.StepLR(optimizer, batches.per_epoch, 0.5),
    )  # fmt: skip

    def run(steps, path):
        batches = training.Batches(split, 16, 0)
        return peer.train_torch(
            mlp(nn.ReLU()), batches, split, steps, 1e-2, path, weight_decay=0.1, per_epoch=0.5
        )

    theirs = run(12, tmp_path / "whole.pt")
    assert theirs["loss"] == pytest.approx(ours["loss"], rel=1e-5)
    run(5, tmp_path / "parts.pt")
    assert run(12, tmp_path / "parts.pt") == theirs


def test_single_images_with_sgd(tmp_path):
    split, model = points(), mlp(nn.Sigmoid())
    ours = training.train(
        model, optim.SGD(model.parameters(), lr=0.1), training.Batches(split, 1, 0), 60,
        name="mlp", folder=tmp_path,
    )  # fmt: skip
    batches, path = training.Batches(split, 1, 0), tmp_path / "sgd.pt"
    start = mlp(nn.Sigmoid())
    theirs = peer.train_torch(start, batches, split, 60, 0.1, path, optimizer="SGD")
    assert theirs["loss"] == pytest.approx(ours["loss"], rel=1e-5)
    assert theirs["test loss"] == [pytest.approx(training.measure(model, split)[0], rel=1e-5)]
