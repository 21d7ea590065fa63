"""Report 000: an MLP in NumPy and in a framework, batch norm by hand, and a CNN on CIFAR-10.

    python -m examples.reports.r000 [--quick | --full] [--seeds 3] [--data FOLDER]

The default MLP beside its hand-written NumPy twin; the best SGD and Adam models; what batch norm,
batch size, learning rate and its decay do; batch norm's derivation and its mistake; the mini-VGG.
The full form takes about an hour, most of it the CNN.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Any

import numpy as np

import tensorgrad as tg
from examples.reports.data import Split, cifar
from examples.reports.report import Report, arguments_of
from examples.reports.training import Batches, Curves, measure, train
from examples.reports.uva import (
    DEFAULT, composed_batch_norm, default_mlp, mini_vgg, mlp, numpy_twin, wrong_batch_norm_dx,
)  # fmt: skip
from tensorgrad import nn, optim, viz
from tensorgrad.optim.lr_scheduler import StepLR

# Not stated by the report: the steps of the best models. At 6,000 both have passed two halvings.
BEST_STEPS, BATCH = 6000, 200
SGD_HIDDEN, SGD_RATE = [300, 300, 300], 0.05
ADAM_HIDDEN, ADAM_RATE = [300, 200], 6e-4
HALVE_EVERY = 2000
CNN = {"lr": 1e-4, "batch": 32, "steps": 5000, "every": 500}


def derivations(report: Report) -> None:
    """Questions 1.1 and 3.2 by the machine, checked by finite differences."""
    tg.manual_seed(0)
    x, labels = tg.randn(4, 6, dtype=tg.float64), tg.tensor([0, 2, 1, 2])
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)).double()
    p = tg.softmax(model(x), 1)
    loss = -p[tg.arange(4), labels].log().mean()
    report.derivation("000-F1", "Question 1.1: cross-entropy, softmax, ReLU, linear",
                      viz.derive(loss, ["0.weight", "0.bias"], params=model), "mlp")  # fmt: skip
    s = tg.softmax(tg.randn(5, dtype=tg.float64), 0)
    z = tg.randn(5, dtype=tg.float64)
    s = tg.softmax(z, 0)
    jacobian = tg.autograd.functional.jacobian(lambda v: tg.softmax(v, 0), z)
    error = float((jacobian - (tg.diag(s) - tg.outer(s, s))).abs().max())
    report.close_row("000-F2", "softmax Jacobian S_i (delta_ij - S_j)", error, 1e-12)
    at = tg.tensor([-1.0, 0.0, 2.0], requires_grad=True)
    at.relu().sum().backward()
    report.wrong_row(
        "000-F3", "derivative of ReLU", "1 where i = j", f"{at.grad.tolist()} at -1, 0, 2",
        "The diagonal of ReLU's Jacobian is 1 only where x > 0; at x <= 0 it is 0, and at the kink "
        "itself 0 is a convention.",
    )  # fmt: skip
    batch_norm(report)


def batch_norm(report: Report) -> None:
    """000-F13, F14: the three gradients, and which term the printed dx lacks."""
    tg.manual_seed(0)
    x = tg.randn(8, 3, dtype=tg.float64, requires_grad=True)
    gamma = tg.rand(3, dtype=tg.float64, requires_grad=True)
    beta = tg.randn(3, dtype=tg.float64, requires_grad=True)
    weights = tg.randn(8, 3, dtype=tg.float64)
    y = composed_batch_norm(x, gamma, beta)
    dx, dgamma, dbeta = tg.autograd.grad((y * weights).sum(), [x, gamma, beta])
    normal = ((x - x.mean(0)) / (x.var(0, correction=0) + 1e-5).sqrt()).detach()
    error = float((dgamma - (weights * normal).sum(0)).abs().max())
    error = max(error, float((dbeta - weights.sum(0)).abs().max()))
    report.close_row("000-F13", "d gamma = sum delta x̂, d beta = sum delta", error, 1e-12)
    printed = wrong_batch_norm_dx(x.detach(), gamma.detach(), weights)
    off = float((printed - dx).norm() / dx.norm())
    found = tg.gradcheck(PrintedBatchNorm.apply, (x, gamma, beta), raise_exception=False)
    report.wrong_row(
        "000-F14", "d x of batch norm", "dxm1 + dxm2", f"relative error {off:.2f}; gradcheck: {found}",
        "The deviation depends on every example of the batch, so its part of the gradient is a sum "
        "over the batch, with a minus sign; and the mean depends on x too, which takes the mean of "
        "the gradient away. `tensorgrad.gradcheck` names these two terms.",
    )  # fmt: skip


class PrintedBatchNorm(tg.autograd.Function):
    """Batch norm with the backward that the report prints."""

    @staticmethod
    def forward(ctx: Any, x: Any, gamma: Any, beta: Any) -> Any:
        ctx.save_for_backward(x, gamma)
        return composed_batch_norm(x, gamma, beta)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, gamma = ctx.saved_tensors
        normal = (x - x.mean(0)) / (x.var(0, correction=0) + 1e-5).sqrt()
        return wrong_batch_norm_dx(x, gamma, g), (g * normal).sum(0), g.sum(0)


class Runs:
    """The report's MLP runs on CIFAR-10, centred pixels, flattened."""

    def __init__(self, data: tuple[Split, Split], folder: Path, full: bool) -> None:
        self.train, self.test = (Split(s.x.reshape(len(s.x), -1), s.y) for s in data)
        self.folder, self.full = folder, full

    def __call__(
        self, name: str, model: nn.Module, optimizer: Any, steps: int, seed: int,
        scheduler: Any = None, batch: int = BATCH,
    ) -> Curves:  # fmt: skip
        """Train, measuring the test images and as many of the training ones."""
        batches = Batches(self.train.x, self.train.y, batch, seed)
        n = len(self.test.x)

        def evaluate() -> dict[str, float]:
            test = measure(model, *self.test)
            training = measure(model, self.train.x[:n], self.train.y[:n])
            return {"test loss": test[0], "test accuracy": test[1], "training accuracy": training[1]}

        steps = steps if self.full else min(steps, 150)
        return train(model, optimizer, batches, steps, name=f"{name}-seed{seed}", folder=self.folder,
                     every=max(1, steps // 15), evaluate=evaluate, scheduler=scheduler)  # fmt: skip


def late(curves: Curves, key: str = "test accuracy") -> float:
    """The mean of the last third: single evaluations of these runs swing by two points."""
    values = curves[key]
    return statistics.fmean(values[-max(1, len(values) // 3) :])


def best(kind: str, seed: int, runs: Runs, *, norm: bool, halve: bool = True, **other: Any) -> Curves:
    """The best SGD or Adam model of Question 2, or a variation of it."""
    tg.manual_seed(seed)
    hidden = other.get("hidden", SGD_HIDDEN if kind == "sgd" else ADAM_HIDDEN)
    rate = other.get("rate", SGD_RATE if kind == "sgd" else ADAM_RATE)
    batch = other.get("batch", BATCH)
    model = mlp(hidden, batch_norm=norm)
    optimizer = (optim.SGD if kind == "sgd" else optim.Adam)(model.parameters(), lr=rate)
    schedule = StepLR(optimizer, HALVE_EVERY, 0.5) if halve else None
    words = "-".join([kind, "x".join(map(str, hidden)), f"lr{rate:g}", f"b{batch}"])
    words += ("-bn" if norm else "") + ("" if halve else "-constant")
    return runs(words, model, optimizer, BEST_STEPS, seed, schedule, batch)


def panels(named: dict[str, Curves]) -> Any:
    """Training accuracy, training loss and test accuracy, as the report's figures have them."""
    return viz.learning_curves(
        {key: {name: c[source] for name, c in named.items()}
         for key, source in (("training accuracy", "training accuracy"), ("test loss", "test loss"),
                             ("test accuracy", "test accuracy"))},
        x_label="evaluation",
    )  # fmt: skip


def main() -> int:
    arguments = arguments_of(__doc__)
    report = Report("000", "MLP, batch norm and CNN on CIFAR-10", arguments)
    full, seeds = arguments.full, range(arguments.seeds)
    derivations(report)
    data = cifar(arguments.data, "centred", None if full else 4000)
    runs = Runs(data, report.folder / ("runs" if full else "quick"), full)

    defaults, twins = [], []
    for seed in seeds:
        tg.manual_seed(seed)
        model = default_mlp()
        report.exact_row("000-N1", "parameters", 308310, sum(p.numel() for p in model.parameters()))
        start = [p.detach().numpy().copy() for p in model.parameters()]
        optimizer = optim.SGD(model.parameters(), lr=DEFAULT["lr"])
        defaults.append(runs("default", model, optimizer, DEFAULT["steps"], seed))
        steps = len(defaults[-1]["loss"])
        twin = numpy_twin(start, Batches(runs.train.x, runs.train.y, BATCH, seed), steps)
        twins.append(max(abs(a - b) for a, b in zip(twin, defaults[-1]["loss"], strict=True)))
    report.number_row("000-N1", "test accuracy of the default MLP", 0.465, [late(c) for c in defaults], 0.02)
    report.close_row("003-N2", "losses beside the hand-written NumPy twin, all steps", max(twins), 1e-2)
    report.figure("000-P1", "Fig. 1: the default MLP", panels({"default": defaults[0]}), "fig1")

    sgd = [best("sgd", s, runs, norm=False) for s in seeds]
    adam = [best("adam", s, runs, norm=True) for s in seeds]
    report.number_row("000-M2", "test accuracy of the best Adam model", 0.515, [late(c) for c in adam], 0.02)
    mean = {"sgd": statistics.fmean(map(late, sgd)), "adam": statistics.fmean(map(late, adam))}
    report.claim_row("000-M1", "Adam's best beats SGD's best", "Adam better",
                     f"{100 * mean['adam']:.1f} % against {100 * mean['sgd']:.1f} %",
                     mean["adam"] > mean["sgd"], "")  # fmt: skip
    report.figure("000-P2", "Fig. 2: the best models", panels({"SGD": sgd[0], "Adam": adam[0]}), "fig2")
    ablations(report, runs, seeds, mean)
    cnn(report, arguments, full, seeds, late(defaults[0]))
    return report.finish()


def ablations(report: Report, runs: Runs, seeds: range, mean: dict[str, float]) -> None:
    """000-M3: the signs of the effects that the report describes."""
    def reached(kind: str, **how: Any) -> tuple[float, float]:
        found = [best(kind, s, runs, **how) for s in seeds]
        return statistics.fmean(map(late, found)), statistics.fmean(c["seconds"][0] for c in found)

    plain_adam, _ = reached("adam", norm=False)
    normed_sgd, _ = reached("sgd", norm=True)
    large, _ = reached("adam", norm=True, batch=800)
    constant, _ = reached("adam", norm=True, halve=False)
    rows = [
        ("batch norm helps Adam", mean["adam"], plain_adam),
        ("batch norm hurts SGD", mean["sgd"], normed_sgd),
        ("batches of 800 lower the accuracy", mean["adam"], large),
        ("halving the rate helps", mean["adam"], constant),
    ]
    report.table("Ablations of the best models", "ablations", ["claim", "as it is", "changed"],
                 [[what, f"{100 * a:.1f} %", f"{100 * b:.1f} %"] for what, a, b in rows])  # fmt: skip
    for what, a, b in rows:
        report.claim_row("000-M3", what, "yes", f"{100 * a:.1f} % against {100 * b:.1f} %", a > b, "")


def cnn(report: Report, arguments: Any, full: bool, seeds: range, mlp_accuracy: float) -> None:
    """000-C1: the mini-VGG; the same runs serve report 003."""
    train_set, test = cifar(arguments.data, "standard", None if full else 1000)
    folder = Path(arguments.out) / "mini-vgg" / ("runs" if full else "quick")
    curves = train_mini_vgg(train_set, test, folder, seeds, full)
    accuracies = [c["test accuracy"][-1] for c in curves]
    report.claim_row("000-C1", "the CNN beats the MLP", "better in accuracy and loss",
                     f"{100 * statistics.fmean(accuracies):.1f} % against {100 * mlp_accuracy:.1f} %",
                     statistics.fmean(accuracies) > mlp_accuracy, "")  # fmt: skip
    report.figure("000-P3", "Fig. 3: the CNN", viz.learning_curves(
        {"accuracy": {"test": curves[0]["test accuracy"]},
         "loss": {"test": curves[0]["test loss"]}}, x_label="500 steps"), "fig3")  # fmt: skip


def train_mini_vgg(train_set: Split, test: Split, folder: Path, seeds: range, full: bool) -> list[Curves]:
    """The course's defaults: Adam, 1e-4, batches of 32, 5,000 steps, a test every 500."""
    found = []
    for seed in seeds:
        tg.manual_seed(seed)
        model = mini_vgg()
        batches = Batches(train_set.x, train_set.y, CNN["batch"], seed)

        def evaluate(model: nn.Module = model) -> dict[str, float]:
            return dict(zip(("test loss", "test accuracy"), measure(model, *test), strict=True))

        found.append(train(
            model, optim.Adam(model.parameters(), lr=CNN["lr"]), batches,
            CNN["steps"] if full else 10, name=f"mini-vgg-seed{seed}", folder=folder,
            every=CNN["every"] if full else 10, evaluate=evaluate,
        ))  # fmt: skip
    return found


if __name__ == "__main__":
    sys.exit(main())
