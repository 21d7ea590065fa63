"""viz.doctor and Monitor.warnings: each disease is named, and its healthy twin gives silence."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from doctor_tools import Forgetful, batch, classify, mlp, one, only, watched

import tensorgrad as tg
from tensorgrad import nn, optim, viz
from tensorgrad.nn import functional as F


@pytest.fixture(autouse=True)
def _seeded():
    tg.manual_seed(0)


# --- Vanishing, exploding, dead, saturated -------------------------------------------------------


def test_vanishing():
    x, y = batch()
    sick = mlp(nn.Sigmoid, depth=12)
    findings = viz.doctor(sick, classify(sick, x, y))
    assert findings.causes == ["constant predictor", "vanishing gradient"]  # the one by the other
    found = findings[1]
    assert found.layer == "0.weight"
    assert found.data["ratio"] < 1e-4
    assert found.line.rpartition(":")[0].endswith("doctor_tools.py")  # where the loss is written
    assert "kaiming" in found.fix
    warned = watched(sick, classify(sick, x, y), optim.SGD(sick.parameters(), lr=0.1))
    assert "vanishing gradient" in warned.causes
    well = mlp(nn.Sigmoid, depth=2)
    assert not viz.doctor(well, classify(well, x, y))
    assert not watched(well, classify(well, x, y), optim.SGD(well.parameters(), lr=0.1))


def test_exploding():
    x, y = batch()
    sick = mlp(depth=8)
    for p in sick.parameters():
        with tg.no_grad():
            p.mul_(15.0)
    found = one(viz.doctor(sick, classify(sick, x, y)), "exploding gradient")
    assert found.data["ratio"] > 1e3
    still = optim.SGD(sick.parameters(), lr=1e-12)
    assert "exploding gradient" in watched(sick, classify(sick, x, y), still).causes
    well = mlp(depth=8)
    for layer in well:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
    assert not viz.doctor(well, classify(well, x, y))


def test_dead_units():
    x, y = batch()
    sick = mlp()
    with tg.no_grad():
        sick[2].bias.fill_(-50.0)
    findings = viz.doctor(sick, classify(sick, x, y))
    found = one(findings, "dead units")
    assert found.layer == "3: relu"
    assert (found.data["dead"], found.data["units"]) == (16, 16)
    warned = watched(sick, classify(sick, x, y), optim.SGD(sick.parameters(), lr=0.1))
    assert [f.layer for f in warned if f.cause == "dead units"] == ["3: relu"]
    well = mlp()
    assert not viz.doctor(well, classify(well, x, y))


def test_dead_channels_of_a_convolution():
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 4))
    x, y = tg.randn(16, 1, 8, 8), tg.randint(0, 4, (16,))
    assert not viz.doctor(model, classify(model, x, y))
    with tg.no_grad():
        model[0].bias[1:] = -50.0
    found = only(viz.doctor(model, classify(model, x, y)), "dead units")
    assert found.data == {"dead": 7, "units": 8}


@pytest.mark.parametrize("activation", [nn.Tanh, nn.Sigmoid])
def test_saturation(activation):
    x, y = batch()
    sick = mlp(activation)
    findings = viz.doctor(sick, classify(sick, x * 1000, y))
    found = next(f for f in findings if f.cause == "saturation")
    assert found.layer.startswith("1: ")
    assert found.data["share"] > 0.9
    warned = watched(sick, classify(sick, x * 1000, y), optim.SGD(sick.parameters(), lr=1e-3))
    assert "saturation" in warned.causes
    assert "saturation" not in viz.doctor(sick, classify(sick, x, y)).causes


def test_a_sigmoid_that_makes_the_output_may_saturate():
    x, _ = batch()
    model = nn.Sequential(nn.Linear(16, 1), nn.Sigmoid())
    with tg.no_grad():
        model[0].weight.mul_(100.0)
    y = (model(x) > 0.5).float().detach()

    def loss():
        return F.binary_cross_entropy(model(x), y)

    assert "saturation" not in viz.doctor(model, loss).causes
    assert "saturation" not in watched(model, loss, optim.SGD(model.parameters(), lr=1e-3)).causes


# --- The constant predictor of report 001, and the collapse of report 004 ------------------------


def report_001(std):
    """Its five layers, from N(0, std^2) with biases of 0."""
    sizes = [3072, 256, 128, 64, 64, 10]
    layers = []
    for a, b in pairwise(sizes):
        linear = nn.Linear(a, b)
        if std is not None:
            nn.init.normal_(linear.weight, std=std)
            nn.init.zeros_(linear.bias)
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def pixels(n=100):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (n, 3072)).astype(np.float32)
    return tg.from_numpy(x), tg.from_numpy(rng.integers(0, 10, n))


@pytest.mark.parametrize("steps", [0, 10])
def test_the_constant_predictor_of_report_001(steps):
    x, y = pixels()
    x = (x / 255 - 0.5) / 0.5
    model = report_001(1e-3)
    optimizer = optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    findings = viz.doctor(model, nn.CrossEntropyLoss(), (x, y))
    found = one(findings, "constant predictor")
    assert found.data["deviation"] < 1e-6
    assert "classes predicted" in found.evidence
    if steps == 0:
        assert "vanishing gradient" in findings.causes
        tiny = one(findings, "tiny initialisation")
        assert "5 of 5 weights" in tiny.evidence
        assert "kaiming_normal_" in tiny.fix
    well = report_001(None)
    assert not viz.doctor(well, nn.CrossEntropyLoss(), (x, y))


def test_the_collapse_of_report_004():
    """Learning rate 1e-2 on pixels of 0..255: foretold by the doctor, and explained afterwards."""
    x, y = pixels(32)
    x = (x - x.mean(0)).reshape(32, 3, 32, 32)
    model = nn.Sequential(
        *(nn.Conv2d(3, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 24, 5, padding=2), nn.ReLU(), nn.Flatten(), nn.Linear(6144, 10)),
    )
    optimizer = optim.SGD(model.parameters(), lr=1e-2, momentum=0.9, weight_decay=1e-3)
    batch = (x, y)
    found = only(
        viz.doctor(model, nn.CrossEntropyLoss(), batch, optimizer=optimizer),
        "learning rate too high",
    )
    assert "scale them to about 1 first" in found.evidence
    monitor = viz.Monitor(model, optimizer, every=1, activations=True)
    for _ in range(8):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    after = viz.doctor(model, nn.CrossEntropyLoss(), batch)
    assert {"constant predictor", "dead units"} <= set(after.causes)
    assert {"constant predictor", "dead units"} <= set(monitor.warnings().causes)
    tg.manual_seed(0)
    for layer in model:
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    well = optim.SGD(model.parameters(), lr=1e-2, momentum=0.9)
    assert not viz.doctor(model, nn.CrossEntropyLoss(), (x / 70, y), optimizer=well)


def test_a_constant_regression():
    x, _ = batch()
    model = mlp(classes=1)
    y = tg.randn(64, 1)
    assert not viz.doctor(model, nn.MSELoss(), (x, y))
    with tg.no_grad():
        model[4].weight.mul_(1e-9)
    assert "constant predictor" in viz.doctor(model, nn.MSELoss(), (x, y)).causes


def test_a_last_layer_that_begins_at_zero_is_healthy():
    x, y = batch()
    model = mlp()
    with tg.no_grad():
        model[4].weight.zero_()
    assert not viz.doctor(model, classify(model, x, y))


# --- Losses --------------------------------------------------------------------------------------


def test_softmax_before_cross_entropy():
    x, y = batch()
    sick = nn.Sequential(nn.Linear(16, 4), nn.Softmax(dim=1))
    found = only(viz.doctor(sick, classify(sick, x, y)), "softmax before cross-entropy")
    assert found.layer == "1: softmax"
    assert "remove the softmax" in found.fix
    loss = F.nll_loss(F.log_softmax(sick(x), dim=1), y)
    only(viz.doctor(sick, loss), "softmax before cross-entropy")
    assert not viz.doctor(sick, lambda: F.nll_loss(sick(x).log(), y))
    well = nn.Sequential(nn.Linear(16, 4), nn.LogSoftmax(dim=1))
    assert not viz.doctor(well, lambda: F.nll_loss(well(x), y))


@pytest.mark.filterwarnings("ignore:.*[Uu]sing a target size")
def test_a_broadcast_loss():
    x, _ = batch()
    y = tg.randn(64)
    model = mlp(classes=1)
    found = only(viz.doctor(model, nn.MSELoss(), (x, y)), "broadcast loss")
    assert "(64, 1)" in found.evidence
    assert "(64, 64)" in found.evidence
    only(viz.doctor(model, lambda: (y - model(x)).abs().mean()), "broadcast loss")
    assert not viz.doctor(model, nn.MSELoss(), (x, y.unsqueeze(1)))
    assert not viz.doctor(model, lambda: F.mse_loss(model(x).squeeze(-1), y))

    def distances():  # spreads (64, 1) against (1, 64) on purpose
        out = model(x)
        return (out - out.transpose(0, 1)).square().mean()

    assert not viz.doctor(model, distances)


# --- Parameters ----------------------------------------------------------------------------------


def test_unused_parameters():
    x, y = batch()
    sick = Forgetful()
    findings = viz.doctor(sick, classify(sick, x, y))
    assert [f.layer for f in findings] == ["spare.weight", "spare.bias"]
    assert findings.causes == ["unused parameter"]
    warned = watched(sick, classify(sick, x, y), optim.SGD(sick.parameters(), lr=0.1))
    assert [f.layer for f in warned] == ["spare.weight", "spare.bias"]
    sick.spare.requires_grad_(False)
    assert not viz.doctor(sick, classify(sick, x, y))
    model = mlp()
    all_of_them = only(viz.doctor(model, F.cross_entropy(model(x).detach(), y)), "unused parameter")
    assert "any of the 6 parameters" in all_of_them.evidence


def test_parameters_that_never_change():
    x, y = batch()
    model = mlp()
    half = optim.SGD([*model[0].parameters(), *model[2].parameters()], lr=0.1)
    findings = viz.doctor(model, classify(model, x, y), optimizer=half)
    assert [f.layer for f in findings] == ["4.weight", "4.bias"]
    assert findings.causes == ["parameter that never changes"]
    warned = watched(model, classify(model, x, y), half)
    assert [f.layer for f in warned] == ["4.weight", "4.bias"]
    still = optim.SGD(model.parameters(), lr=0.0)
    said = viz.doctor(model, classify(model, x, y), optimizer=still)
    assert {f.cause for f in said} == {"parameter that never changes"}
    assert len(said) == 6
    well = optim.SGD(model.parameters(), lr=0.1)
    assert not viz.doctor(model, classify(model, x, y), optimizer=well)
    assert not watched(model, classify(model, x, y), well)

    def cut():
        return F.cross_entropy(model[4](model[:4](x) * 0.0), y)

    still = [f for f in viz.doctor(model, cut) if f.cause == "parameter that never changes"]
    assert [f.layer for f in still] == ["0.weight", "2.weight", "4.weight"]
    assert all(f.fix.startswith("No optimizer moves it then: mend what") for f in still)


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (lambda p: optim.SGD(p, lr=1e3), "learning rate too high"),
        (lambda p: optim.Adam(p, lr=1.0), "learning rate too high"),
        (lambda p: optim.SGD(p, lr=1e-9), "learning rate too low"),
        (lambda p: optim.Adam(p, lr=1e-9), "learning rate too low"),
    ],
)
def test_learning_rates_out_of_proportion(make, cause):
    x, y = batch()
    model = mlp()
    before = [p.detach().clone() for p in model.parameters()]
    found = only(
        viz.doctor(model, classify(model, x, y), optimizer=make(model.parameters())), cause
    )
    assert "learning rate" in found.evidence
    for p, q in zip(model.parameters(), before):  # the step was taken on copies
        assert tg.equal(p.detach(), q)
    if cause == "learning rate too low":
        assert cause in watched(model, classify(model, x, y), make(model.parameters())).causes


@pytest.mark.parametrize("lr", [1e-2, 1e-1])
@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop, optim.LBFGS])
def test_usual_learning_rates(kind, lr):
    x, y = batch()
    model = mlp()
    lr = lr if kind in (optim.SGD, optim.LBFGS) else lr / 100
    assert not viz.doctor(model, classify(model, x, y), optimizer=kind(model.parameters(), lr=lr))


# --- NaN and infinity ----------------------------------------------------------------------------


def test_the_first_operation_that_is_not_finite():
    x, y = batch()
    model = mlp()

    def sick():
        return model(x).log().mean()  # negative numbers

    found = only(viz.doctor(model, sick), "NaN or infinity")
    assert found.data["op"] == "log"
    assert "NaN" in found.evidence
    assert found.line.rpartition(":")[0].endswith("test_doctor.py")
    assert not viz.doctor(model, lambda: model(x).exp().add(1).log().mean())

    def backwards():
        return (model(x) * 0.0).square().sum(1).sqrt().mean() + F.cross_entropy(model(x), y)

    found = only(viz.doctor(model, backwards), "NaN or infinity")
    assert found.data["op"] == "sqrt"
    assert "forward pass is finite" in found.evidence


def test_nan_in_the_data_and_in_a_parameter():
    x, y = batch()
    model = mlp()
    x[3, 2] = math.nan
    found = only(viz.doctor(model, classify(model, x, y)), "NaN or infinity")
    assert "is given" in found.evidence
    x, y = batch()
    with tg.no_grad():
        model[2].weight[0, 0] = math.inf
    found = only(viz.doctor(model, classify(model, x, y)), "NaN or infinity")
    assert found.layer == "2.weight"
    assert "already" in found.evidence


@pytest.mark.parametrize("how", ["batch", "loss"])
def test_nan_in_the_data_is_not_sent_to_the_model(how):
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    x, y = tg.randn(20, 3), tg.zeros(20, dtype=tg.int64)
    x[3, 1] = float("nan")
    if how == "batch":
        (found,) = viz.doctor(model, nn.CrossEntropyLoss(), (x, y))
    else:
        (found,) = viz.doctor(model, nn.functional.cross_entropy(model(x), y))
    assert (found.cause, found.layer.partition(":")[0]) == ("NaN or infinity", "0")
    assert "1 NaN of 60" in found.evidence
    assert "data" in found.fix


def test_a_mask_of_infinities_is_no_broken_data():
    mask = tg.zeros(4, 4).masked_fill(tg.ones(4, 4).triu(1).bool(), float("-inf"))
    q = tg.randn(2, 4, 8, requires_grad=True)
    out = nn.functional.scaled_dot_product_attention(q, q, q, attn_mask=mask)
    model = nn.Linear(8, 2)
    found = viz.doctor(model, (model(out).log() * float("nan")).sum())
    assert [f.cause for f in found] == ["NaN or infinity"]
    assert "attention" not in found[0].evidence
