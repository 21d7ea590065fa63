"""Report 003: the default MLP, a deep one with weight norm, batch norm, and the mini-VGG.

    python -m examples.reports.r003 [--quick | --full] [--seeds 1] [--data FOLDER] [--only ROW ...]

The deep MLP (60.4 %) has 8,590,410 weights and 100,000 steps in the report: a petaflop with batches
of 200. --full runs DEEP_STEPS of them, with a rate that falls to 0. Finished runs of the default
MLP and of the mini-VGG are shared with report 000.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

import tensorgrad as tg
from examples.reports.report import Report, main
from examples.reports.training import Curves, band
from examples.reports.uva import (
    a_batch,
    batch_norm_example,
    completed_dx,
    default_rows,
    double_losses,
    mini_vgg,
    mlp_data,
    one_example,
    run_mlp,
    torch_vgg_accuracy,
    vgg_runs,
)
from tensorgrad import nn, optim, viz
from tensorgrad.nn.functional import cross_entropy, linear
from tensorgrad.nn.utils.parametrizations import weight_norm
from tensorgrad.optim.lr_scheduler import CosineAnnealingLR

# As the report has it; its rate and batch are not stated.
DEEP_HIDDEN, DROPPED, DROPOUT = [2000, 1000] + [200] * 7, 5, 0.2
DEEP_RATE, DEEP_BATCH, DEEP_STEPS = 1e-3, 200, 30_000


def deep_mlp() -> nn.Sequential:
    """He's initialisation, weight norm on every layer, dropout before the first five."""
    layers: list[nn.Module] = []
    width = 3072
    for number, size in enumerate([*DEEP_HIDDEN, 10]):
        if number < DROPPED:
            layers.append(nn.Dropout(DROPOUT))
        layer = nn.Linear(width, size)
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        layers += [weight_norm(layer), nn.ReLU()]
        width = size
    return nn.Sequential(*layers[:-1])


def derivations(report: Report) -> None:
    """Question 1.1 in index notation, one example in a row as the report's products have it."""
    x, W1, b1, W2, b2 = one_example()
    t = tg.tensor([0.0, 1, 0]).double()
    z = linear(x, W1, b1)
    h = tg.relu(z)
    o = linear(h, W2, b2)
    y = tg.softmax(o, 0)
    L = -(t * y.log()).sum()
    figure = viz.derive(L, [W1, b1, W2, b2, x], notation="index")
    for id, what, operation, to, show in (
        ("003-F1", "1.1.a: cross-entropy", "log", "y", "closed"),
        ("003-F2", "1.1.a: softmax", "softmax", "o", "local"),
        ("003-F3", "1.1.a: ReLU", "relu", "z", "local"),
        ("003-F3", "1.1.b: ReLU", "relu", "z", "formula"),
        ("003-F4", "1.1.a: linear layer, input", "linear", "h", "local"),
        ("003-F4", "1.1.b: linear layer, input", "linear", "h", "formula"),
        ("003-F5", "1.1.a: linear layer, weight", "linear", "W2", "local"),
        ("003-F5", "1.1.b: linear layer, weight", "linear", "W2", "formula"),
        ("003-F6", "1.1.a: linear layer, bias", "linear", "b2", "local"),
        ("003-F6", "1.1.b: linear layer, bias", "linear", "b2", "formula"),
    ):
        report.formula_row(id, figure, "mlp-index", operation, to, show, what=what)
    jacobian = tg.func.jacrev(lambda v: tg.softmax(v, 0))(o.detach())
    s = y.detach()
    error = float((jacobian - (tg.diag(s) - tg.outer(s, s))).abs().max())
    report.close_row("003-F2", error, 1e-12, what="1.1.a: softmax, diag(x) − x xᵀ as a matrix")
    wrong_index(report)
    batches(report)


def wrong_index(report: Report) -> None:
    """003-F5: ∂x̃_i/∂W_jk as the report prints it, on a square layer, where its indices fit."""
    x, W = tg.randn(3, dtype=tg.float64), tg.randn(3, 3, dtype=tg.float64, requires_grad=True)
    y = linear(x, W)
    L = (y**2).sum()

    def printed(g: Any, x: Any) -> Any:
        return np.einsum("i,i,jk->jk", g, x, np.eye(3))  # Σᵢ gᵢ xᵢ δⱼₖ

    check = viz.check_derivation(L, W, printed, through=y)
    report.wrong_row(
        "003-F5", "xₖ δᵢⱼ; check_derivation: " + report.said(check), check,
        "Output i uses row i of W only, and of that row weight k meets input k: xₖ δᵢⱼ. With the "
        "indices of the report the sum over i gives a multiple of the identity; its next line, "
        "δᵀ x, is right and does not follow. Read the sizes off the indices: i counts outputs, so "
        "xᵢ does not exist where a layer has more outputs than inputs.",
        what="1.1.a: linear layer, weight, as printed", target="xᵢ δⱼₖ",
    )  # fmt: skip


def batches(report: Report) -> None:
    """003-F7: the mean over the batch at the loss, the sum over it at weight and bias."""
    X, t, W, b = a_batch()
    z = linear(X, W, b)
    L = cross_entropy(z, t)
    figure = viz.derive(L, [W, b], notation="index")
    for what, operation, to, show in (
        ("1.1.c: the average, at the loss", "cross_entropy", "z", "formula"),
        ("1.1.c: weight, the sum", "linear", "W", "formula"),
        ("1.1.c: bias, the sum", "linear", "b", "formula"),
    ):
        report.formula_row("003-F7", figure, "mlp-batch", operation, to, show, what=what)


def batch_norm(report: Report) -> None:
    """003-F8: the three gradients, and d x, which the report leaves open, completed."""
    loss, y, x, gamma, beta = batch_norm_example()
    figure = viz.derive(loss, [gamma, beta, x])
    for what, to in (("3.2: γ", "gamma"), ("3.2: β", "beta"), ("3.2: x", "x")):
        report.formula_row("003-F8", figure, "batch-norm", "batch_norm", to, what=what)
    check = viz.check_derivation(loss, x, completed_dx, through=y)
    report.close_row(
        "003-F8", check.relative_error, 1e-7, what="3.2: x, the three terms added up by hand",
        note="The report stops at three terms, by the normalised input, the mean and the variance. "
        "Added up they are (d − mean d − x̂ mean(d x̂)) / s with d = g γ: the gradient without its "
        "mean and without its part along x̂, because y depends on neither shift nor scale of x.",
    )  # fmt: skip


def default(report: Report) -> None:
    """003-N1, N2, P1: the default MLP, in the framework and by hand."""
    curves, twins = default_rows(report, "003-N1", 0.4645)
    off = float(np.abs(np.subtract(twins[0]["loss"], double_losses(report))).max())
    report.close_row("003-N2", off, 1e-6, what="largest distance of a step's loss, both in float64",
                     target="curves look the same")  # fmt: skip
    report.figure("003-P1", two_panels({"NumPy, by hand": twins}), "fig1")
    report.figure("003-N2", two_panels({"tensorgrad": curves, "NumPy, by hand": twins}), "fig2")


def two_panels(models: dict[str, list[Curves]]) -> Any:
    """Training and test accuracy, and the loss of every batch, as the report's figures do."""
    return viz.learning_curves(
        {"accuracy": {name: {k: band(runs, f"{k} accuracy") for k in ("training", "test")}
                      for name, runs in models.items()},
         "loss": {name: {"training": band(runs, "loss")} for name, runs in models.items()}},
        x_label="step",
    )  # fmt: skip


def deep(report: Report) -> None:
    """003-M1, P2: the best MLP."""
    data, steps = mlp_data(report, "standard"), report.steps(DEEP_STEPS, 6)
    found = []
    for seed in report.seeds:
        tg.manual_seed(seed)
        model = deep_mlp()
        optimizer = optim.Adam(model.parameters(), lr=DEEP_RATE)
        schedule = CosineAnnealingLR(optimizer, steps)
        found.append(run_mlp("deep", model, optimizer, seed, data, report.runs, steps=steps,
                             scheduler=schedule, batch=DEEP_BATCH))  # fmt: skip
    count = sum(p.numel() for n, p in model.named_parameters() if not n.endswith("original0"))
    report.exact_row("003-M1", 8590410, count, what="parameters, without weight norm's lengths")
    report.number_row(
        "003-M1", 0.604, [c["test accuracy"][-1] for c in found], 0.03,
        note=f"{steps:,} steps of {DEEP_BATCH} images; the report has 100,000.",
    )  # fmt: skip
    report.figure("003-P2", two_panels({"deep MLP": found}), "fig3")


def cnn(report: Report) -> None:
    """003-C1: the mini-VGG and Fig. 4."""
    count = sum(p.numel() for p in mini_vgg().parameters())
    report.exact_row("003-C1", 9231114, count, what="parameters of the mini-VGG")
    runs = vgg_runs(report)
    report.number_row("003-C1", 0.78, [c["test accuracy"][-1] for c in runs], 0.03)
    if report.peer:
        report.peer_row(
            "003-C1", 0.78, [torch_vgg_accuracy(report)],
            what="4: the first seed in PyTorch, on the same images",
            note="Images that were decoded from JPEGs can cost points: what PyTorch reaches on "
            "them, from the same weights and on the same batches, is the bar to compare with.",
        )  # fmt: skip
    report.figure("003-C1", two_panels({"mini-VGG": runs}), "fig4")


PARTS = (
    (derivations, [f"003-F{k}" for k in range(1, 8)]),
    (batch_norm, ["003-F8"]),
    (default, ["003-N1", "003-N2", "003-P1"]),
    (deep, ["003-M1", "003-P2"]),
    (cnn, ["003-C1"]),
)

if __name__ == "__main__":
    sys.exit(main("003", __doc__, PARTS))
