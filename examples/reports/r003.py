"""Report 003: the default MLP, a deep one with weight norm, batch norm, and the mini-VGG.

    python -m examples.reports.r003 [--quick | --full] [--seeds 1] [--data FOLDER]

The deep MLP (60.4 %) has 8,590,410 parameters and 100,000 steps of 200 images in the report; that
is a petaflop. --full runs DEEP["steps"] of them, a schedule that reaches the report's accuracy in
about two hours, and says so.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import tensorgrad as tg
from examples.reports.data import cifar
from examples.reports.r000 import Runs, late, train_mini_vgg
from examples.reports.report import Report, arguments_of
from examples.reports.uva import DEFAULT, composed_batch_norm, default_mlp, mini_vgg
from tensorgrad import nn, optim, viz
from tensorgrad.nn.utils import weight_norm
from tensorgrad.optim.lr_scheduler import CosineAnnealingLR

# The rate and the batch of the deep MLP are not stated.
DEEP = {"hidden": [2000, 1000] + [200] * 7, "dropped": 5, "p": 0.2, "lr": 1e-3, "steps": 30_000}


def deep_mlp() -> nn.Sequential:
    """He's initialisation, weight norm on every layer, dropout before the first five."""
    layers: list[nn.Module] = []
    width = 3072
    for number, size in enumerate([*DEEP["hidden"], 10]):
        if number < DEEP["dropped"]:
            layers.append(nn.Dropout(DEEP["p"]))
        linear = nn.Linear(width, size)
        nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
        layers += [weight_norm(linear), nn.ReLU()]
        width = size
    return nn.Sequential(*layers[:-1])


def derivations(report: Report) -> None:
    """Question 1.1 in index notation, and batch norm's d x, which the report leaves open."""
    tg.manual_seed(0)
    x, labels = tg.randn(4, 6, dtype=tg.float64), tg.tensor([0, 2, 1, 2])
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)).double()
    t = nn.functional.one_hot(labels, 3).double()
    loss = -(t * tg.softmax(model(x), 1).log()).sum(1).mean()
    report.derivation("003-F1", "Question 1.1, step by step",
                      viz.derive(loss, ["0.weight", "0.bias"], params=model), "mlp")  # fmt: skip
    x = tg.randn(8, 3, dtype=tg.float64, requires_grad=True)
    gamma, beta = tg.rand(3, dtype=tg.float64), tg.randn(3, dtype=tg.float64)
    weights = tg.randn(8, 3, dtype=tg.float64)
    loss = (composed_batch_norm(x, gamma, beta) * weights).sum()
    report.derivation("003-F8", "Question 3.2, composed", viz.derive(loss, {"x": x}), "batch-norm")
    (dx,) = tg.autograd.grad(loss, x)
    centred = (x - x.mean(0)).detach()
    deviation = ((centred**2).mean(0) + 1e-5).sqrt()
    normal, d = centred / deviation, weights * gamma
    closed = (d - d.mean(0) - normal * (d * normal).mean(0)) / deviation
    error = float((dx - closed).abs().max())
    report.close_row("003-F8", "d x completed: (d - mean d - x̂ mean(d x̂)) / s, d = g gamma", error, 1e-12)


def main() -> int:
    arguments = arguments_of(__doc__)
    report = Report("003", "MLP, weight norm, batch norm and CNN on CIFAR-10", arguments)
    full, seeds = arguments.full, range(arguments.seeds)
    derivations(report)
    data = cifar(arguments.data, "centred", None if full else 4000)
    # Finished runs of the default MLP and of the CNN are report 000's too.
    runs = Runs(data, Path(arguments.out) / "000" / ("runs" if full else "quick"), full)
    defaults = []
    for seed in seeds:
        tg.manual_seed(seed)
        model = default_mlp()
        optimizer = optim.SGD(model.parameters(), lr=DEFAULT["lr"])
        defaults.append(runs("default", model, optimizer, DEFAULT["steps"], seed))
    report.number_row("003-N1", "test accuracy of the default MLP", 0.4645, [late(c) for c in defaults], 0.02)
    report.figure("003-P1", "Figs. 1 and 2: accuracy and loss of the default MLP", viz.learning_curves(
        {"accuracy": {k: defaults[0][f"{k} accuracy"] for k in ("training", "test")}},
        x_label="100 batches"), "fig1")  # fmt: skip

    deep(report, arguments, full, seeds)
    report.exact_row("003-C1", "parameters of the mini-VGG", 9231114,
                     sum(p.numel() for p in mini_vgg().parameters()))  # fmt: skip
    train_set, test = cifar(arguments.data, "standard", None if full else 1000)
    folder = Path(arguments.out) / "mini-vgg" / ("runs" if full else "quick")
    curves = train_mini_vgg(train_set, test, folder, seeds, full)
    report.number_row("003-C1", "test accuracy of the mini-VGG", 0.78,
                      [c["test accuracy"][-1] for c in curves], 0.03,
                      note="PyTorch on the same JPEG-decoded images reaches 74 to 75 %.")  # fmt: skip
    report.figure("003-P4", "Fig. 4: the CNN", viz.learning_curves(
        {"accuracy": {"test": curves[0]["test accuracy"]}}, x_label="500 batches"), "fig4")
    return report.finish()


def deep(report: Report, arguments: Any, full: bool, seeds: range) -> None:
    """003-M1: the best MLP."""
    folder = report.folder / ("runs" if full else "quick")
    train_set = cifar(arguments.data, "standard", None if full else 1000)
    runs = Runs(train_set, folder, full)
    found = []
    for seed in seeds:
        tg.manual_seed(seed)
        model = deep_mlp()
        weights = sum(p.numel() for n, p in model.named_parameters() if not n.endswith("weight_g"))
        report.exact_row("003-M1", "parameters without the lengths of weight norm", 8590410, weights)
        optimizer = optim.Adam(model.parameters(), lr=DEEP["lr"])
        schedule = CosineAnnealingLR(optimizer, DEEP["steps"])
        steps = DEEP["steps"] if full else 20
        found.append(runs("deep", model, optimizer, steps, seed, schedule))
    report.number_row("003-M1", f"test accuracy of the best MLP, {DEEP['steps']} steps", 0.604,
                      [c["test accuracy"][-1] for c in found], 0.03)  # fmt: skip
    report.figure("003-P2", "Fig. 3: the best MLP", viz.learning_curves(
        {"accuracy": {k: found[0][f"{k} accuracy"] for k in ("training", "test")},
         "loss": {"test": found[0]["test loss"]}}, x_label="evaluation"), "fig3")  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
