"""The UvA course's first assignment, which reports 000 and 003 share: models, runs, batch norm."""

from __future__ import annotations

import json
import statistics
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import tensorgrad as tg
from examples.reports.data import Split, cifar
from examples.reports.peer import train_torch
from examples.reports.report import Report
from examples.reports.training import Batches, Curves, measure, settings_of, train, write_json
from tensorgrad import nn, optim

# train_mlp_numpy.py's defaults; weights from N(0, 0.0001²), biases 0.
HIDDEN, RATE, STEPS, BATCH, STD = 100, 2e-3, 1500, 200, 1e-4
# train_convnet_pytorch.py's defaults.
CNN_RATE, CNN_BATCH, CNN_STEPS, CNN_EVERY = 1e-4, 32, 5000, 500
MEASURED = 15  # times in a run of an MLP


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


def tiny_weights(model: nn.Sequential, std: float) -> nn.Sequential:
    """Weights from N(0, std²), biases 0."""
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=std)
            nn.init.zeros_(layer.bias)
    return model


def default_mlp() -> nn.Sequential:
    """3072-100-10 with the course's tiny weights: 308,310 parameters."""
    return tiny_weights(mlp([HIDDEN]), STD)


def mini_vgg() -> nn.Sequential:
    """The assignment's ConvNet: 9,231,114 parameters."""
    layers: list[nn.Module] = []
    channels = 3
    for size in (64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0):  # 0: pool
        if size:
            layers += [nn.Conv2d(channels, size, 3, padding=1), nn.BatchNorm2d(size), nn.ReLU()]
            channels = size
        else:
            layers.append(nn.MaxPool2d(3, stride=2, padding=1))
    return nn.Sequential(*layers, nn.AvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def numpy_twin(
    start: list[Any], batches: Batches, steps: int, rate: float = RATE,
    measured: dict[str, Split] | None = None, every: int = 100,
) -> Curves:  # fmt: skip
    """The default MLP by hand, in float64: forward, backward, update, as the reports have it.

    The loss of every step, and the accuracy on each of ``measured`` after every few.
    """
    w1, b1, w2, b2 = (p.astype(np.float64) for p in start)
    curves: Curves = {"loss": []}
    for step in range(1, steps + 1):
        inputs, labels = (t.numpy() for t in batches.next())
        n, x = np.arange(len(inputs)), inputs.astype(np.float64)
        z = x @ w1.T + b1
        h = np.maximum(z, 0)
        o = h @ w2.T + b2
        o -= o.max(1, keepdims=True)
        p, total = np.exp(o), np.exp(o).sum(1, keepdims=True)
        curves["loss"].append(float((np.log(total[:, 0]) - o[n, labels]).mean()))
        p /= total
        p[n, labels] -= 1
        d = p / len(x)
        dz = (d @ w2) * (z > 0)
        for weight, gradient in ((w2, d.T @ h), (b2, d.sum(0)), (w1, dz.T @ x), (b1, dz.sum(0))):
            weight -= rate * gradient
        if measured and (step % every == 0 or step == steps):
            curves.setdefault("step", []).append(float(step))
            for name, (images, right) in measured.items():
                found = np.maximum(images @ w1.T + b1, 0) @ w2.T + b2
                curves.setdefault(name, []).append(float((found.argmax(1) == right).mean()))
    return curves


# --- by hand --------------------------------------------------------------------------------------


def one_example() -> tuple[tg.Tensor, ...]:
    """Question 1.1.a and b, 4-5-3 in float64: x, W1, b1, W2, b2."""
    tg.manual_seed(0)
    x = tg.randn(4, dtype=tg.float64, requires_grad=True)
    W1, W2 = (tg.randn(n, dtype=tg.float64, requires_grad=True) for n in ((5, 4), (3, 5)))
    b1, b2 = (tg.randn(n, dtype=tg.float64, requires_grad=True) for n in (5, 3))
    return x, W1, b1, W2, b2


def a_batch() -> tuple[tg.Tensor, ...]:
    """Question 1.1.c, one layer and six examples in float64: X, classes t, W, b."""
    X, t = tg.randn(6, 4, dtype=tg.float64), tg.tensor([0, 2, 1, 1, 0, 2])
    W = tg.randn(3, 4, dtype=tg.float64, requires_grad=True)
    return X, t, W, tg.randn(3, dtype=tg.float64, requires_grad=True)


# --- runs -----------------------------------------------------------------------------------------


@cache
def flat_cifar(folder: str | None, preparation: str, limit: int | None) -> tuple[Split, Split]:
    """Images as rows, read once."""
    train_set, test = cifar(folder, preparation, limit)
    return train_set.flat(), test.flat()


def mlp_data(report: Report, preparation: str = "centred") -> tuple[Split, Split]:
    """The training and test images of the MLPs."""
    return flat_cifar(report.data, preparation, None if report.full else 2000)


def run_mlp(
    name: str, model: nn.Module, optimizer: Any, seed: int, data: tuple[Split, Split],
    folder: Path, *, steps: int, scheduler: Any = None, batch: int = BATCH,
) -> Curves:  # fmt: skip
    """Train, measuring the test images and as many of the training ones fifteen times."""
    some = data[0].first(len(data[1].x))

    def evaluate() -> dict[str, float]:
        test, training = measure(model, data[1]), measure(model, some)
        return {
            "test loss": test[0], "test accuracy": test[1], "training accuracy": training[1],
        }  # fmt: skip

    return train(model, optimizer, Batches(data[0], batch, seed), steps, name=f"{name}-seed{seed}",
                 folder=folder, every=max(1, steps // MEASURED), evaluate=evaluate,
                 scheduler=scheduler)  # fmt: skip


def default_runs(report: Report) -> tuple[list[Curves], list[Curves]]:
    """The default MLP and its twin in NumPy from the same weights, for each seed."""
    data, steps = mlp_data(report), report.steps(STEPS, 100)
    found, twins = [], []
    for seed in report.seeds:
        tg.manual_seed(seed)
        model = default_mlp()
        start = [p.detach().numpy().copy() for p in model.parameters()]
        optimizer = optim.SGD(model.parameters(), lr=RATE)
        batches = Batches(data[0], BATCH, seed)
        settings = settings_of(
            {"model": model, "optimizer": optimizer, "batches": batches}, steps, 0
        )
        path = report.shared_runs / f"numpy-twin-seed{seed}.json"
        found.append(
            run_mlp("default", model, optimizer, seed, data, report.shared_runs, steps=steps)
        )
        kept = json.loads(path.read_text()) if path.exists() else {}
        if kept.get("settings") != settings:
            some = data[0].first(len(data[1].x))
            measured = {"test accuracy": data[1], "training accuracy": some}
            began = time.perf_counter()
            curves = numpy_twin(start, batches, steps, measured=measured,
                                every=max(1, steps // MEASURED))  # fmt: skip
            curves["seconds"] = [time.perf_counter() - began]
            kept = {"settings": settings, "curves": curves}
            write_json(path, kept)
        twins.append(kept["curves"])
    return found, twins


def default_rows(report: Report, id: str, target: float) -> tuple[list[Curves], list[Curves]]:
    """The rows of the default MLP, in the framework and by hand; and the curves of both."""
    count = sum(p.numel() for p in default_mlp().parameters())
    report.exact_row(id, 308310, count, what="parameters of the default MLP")
    curves, twins = default_runs(report)
    off = max(np.abs(np.subtract(t["loss"], c["loss"])).max() for t, c in zip(twins, curves))
    report.number_row(
        id, target, [late(c) for c in curves],
        note="Same weights, same batches as the hand-written NumPy twin (the next row). Between "
        f"our float32 and its float64 a step's loss differs by {off:.1e} at most: training makes a "
        "rounding error grow like any other small change of the weights. Both in float64: 003-N2.",
    )  # fmt: skip
    report.number_row(id, target, [late(c) for c in twins],
                      what="1.2: its twin, written by hand in NumPy")  # fmt: skip
    return curves, twins


class Double(nn.Module):
    """A model in float64, for inputs of any precision."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model.double()

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        """The model's outputs."""
        found: tg.Tensor = self.model(x.double())
        return found


def double_losses(report: Report) -> list[float]:
    """The losses of the default MLP in float64, from the first seed's weights and batches."""
    tg.manual_seed(report.seeds[0])
    model = Double(default_mlp())
    optimizer = optim.SGD(model.parameters(), lr=RATE)
    batches = Batches(mlp_data(report)[0], BATCH, report.seeds[0])
    return train(model, optimizer, batches, report.steps(STEPS, 100), name="default-float64",
                 folder=report.shared_runs)["loss"]  # fmt: skip


def vgg_runs(report: Report) -> list[Curves]:
    """The mini-VGG with the course's defaults: Adam, 1e-4, batches of 32, 5,000 steps."""
    train_set, test = cifar(report.data, "standard", None if report.full else 100)
    steps = report.steps(CNN_STEPS, 4)
    found = []
    for seed in report.seeds:
        tg.manual_seed(seed)
        model = mini_vgg()

        def evaluate(model: nn.Module = model) -> dict[str, float]:
            loss, right = measure(model, test)
            some = measure(model, train_set.first(len(test.x) // 10))
            return {"test loss": loss, "test accuracy": right, "training accuracy": some[1]}

        found.append(train(
            model, optim.Adam(model.parameters(), lr=CNN_RATE),
            Batches(train_set, CNN_BATCH, seed), steps, name=f"mini-vgg-seed{seed}",
            folder=report.shared_runs, every=report.steps(CNN_EVERY, 2), evaluate=evaluate,
        ))  # fmt: skip
    return found


def torch_vgg_accuracy(report: Report) -> float:
    """The same in PyTorch, from the first seed's weights and on its batches.

    One seed: it takes as long as the run that it stands beside."""
    train_set, test = cifar(report.data, "standard", None if report.full else 100)
    seed = report.seeds[0]
    tg.manual_seed(seed)
    name = f"torch-mini-vgg-batch{CNN_BATCH}-{CNN_RATE:g}-seed{seed}.pt"
    path = report.shared_runs / name
    curves = train_torch(mini_vgg(), Batches(train_set, CNN_BATCH, seed), test,
                         report.steps(CNN_STEPS, 4), CNN_RATE, path)  # fmt: skip
    return curves["test accuracy"][-1]


def late(curves: Curves, key: str = "test accuracy") -> float:
    """The mean of the last third: single evaluations of these runs swing by two points."""
    values = curves[key]
    return statistics.fmean(values[-max(1, len(values) // 3) :])


# --- batch norm -----------------------------------------------------------------------------------


def composed_batch_norm(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
    """Question 3.1: batch norm from primitives, without running statistics."""
    centred = x - x.mean(0)
    return gamma * centred / ((centred**2).mean(0) + eps).sqrt() + beta


def printed_dx(g: Any, x: Any, gamma: Any, eps: float) -> Any:
    """Report 000's dxm1 + dxm2, letter by letter."""
    centred = x - x.mean(0)
    deviation = np.sqrt((centred**2).mean(0) + eps)
    dxm1 = g * gamma / deviation
    dxm2 = g * gamma * centred / deviation**2 * 0.5 / deviation * 2 / len(x) * centred
    return dxm1 + dxm2


def completed_dx(g: Any, x: Any, gamma: Any, eps: float) -> Any:
    """What it should be: (d - mean d - x̂ mean(d x̂)) / s with d = g γ, means over the batch."""
    centred = x - x.mean(0)
    deviation = np.sqrt((centred**2).mean(0) + eps)
    normal, d = centred / deviation, g * gamma
    return (d - d.mean(0) - normal * (d * normal).mean(0)) / deviation


def batch_norm_example() -> tuple[Any, ...]:
    """A loss of a batch norm in float64: loss, y, x, γ, β."""
    tg.manual_seed(0)
    x = tg.randn(8, 3, dtype=tg.float64, requires_grad=True)
    gamma = tg.rand(3, dtype=tg.float64).add(0.5).requires_grad_()
    beta = tg.randn(3, dtype=tg.float64, requires_grad=True)
    y = nn.functional.batch_norm(x, None, None, gamma, beta, training=True)
    return (y**3).sum(), y, x, gamma, beta
