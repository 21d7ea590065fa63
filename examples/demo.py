"""Watch an MLP and a small CNN learn handwritten digits, and look inside.

    python examples/demo.py [--out FOLDER]

The data are the 1,797 digits of 8x8 pixels that come with tensorgrad. Each network is trained
three times, from different random numbers, and validated on images it never saw: every fifth image
of each class. The exit status is 1 if a network's mean accuracy misses its bar.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import tensorgrad as tg
from tensorgrad import nn, optim, viz
from tensorgrad.data import DataLoader, Digits
from tensorgrad.nn import functional as F
from tensorgrad.training import Curves, accuracy, evaluate, fit, format_table

SEEDS = (0, 1, 2)
BARS = {"MLP": 0.965, "CNN": 0.985}  # mean validation accuracy to be reached


def make_mlp() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))


def make_cnn() -> nn.Module:
    def block(in_channels: int, channels: int) -> list[nn.Module]:
        # Without a bias: batch norm would subtract it again.
        convolution = nn.Conv2d(in_channels, channels, kernel_size=3, padding=1, bias=False)
        return [convolution, nn.BatchNorm2d(channels), nn.ReLU()]

    return nn.Sequential(
        *block(1, 16),
        *block(16, 32),
        nn.MaxPool2d(2),
        *block(32, 32),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(32 * 2 * 2, 10),
    )


def train(name: str, seed: int, images: Digits, validation: Digits) -> tuple[nn.Module, Curves]:
    """One run: the trained network and what was measured in each epoch."""
    tg.manual_seed(seed)
    if name == "MLP":
        model, epochs = make_mlp(), 30
        optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
        scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=10, gamma=0.3)
    else:
        model, epochs = make_cnn(), 15
        optimizer = optim.AdamW(model.parameters(), lr=3e-3)
        scheduler = optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.8)
    curves = fit(
        model,
        nn.CrossEntropyLoss(),
        optimizer,
        DataLoader(images, batch_size=32, shuffle=True),
        DataLoader(validation, batch_size=500),
        epochs=epochs,
        scheduler=scheduler,
        metrics={"accuracy": accuracy},
        description=f"{name}, seed {seed}",
    )
    return model, curves


def measure(model: nn.Module, *datasets: Digits) -> list[float]:
    """The loss on each data set, then the accuracy on each."""
    results = [
        evaluate(model, F.cross_entropy, DataLoader(d, batch_size=500), {"accuracy": accuracy})
        for d in datasets
    ]
    return [r["loss"] for r in results] + [r["accuracy"] for r in results]


def row(name: str, numbers: list[float]) -> list[str]:
    return [name, *(f"{x:.4f}" for x in numbers[:2]), *(f"{x:.2%}" for x in numbers[2:])]


def mean(runs: list[list[float]]) -> list[float]:
    return [sum(values) / len(runs) for values in zip(*runs, strict=True)]


def check_a_gradient(images: tg.Tensor, labels: tg.Tensor) -> None:
    """Compare the gradients of a small convolution net with finite differences, in float64."""
    tg.manual_seed(0)
    weight = tg.randn(4, 1, 3, 3, dtype=tg.float64, requires_grad=True)
    bias = tg.randn(4, dtype=tg.float64, requires_grad=True)
    pixels = images.double()

    def loss(weight: tg.Tensor, bias: tg.Tensor) -> tg.Tensor:
        features = F.max_pool2d(F.relu(F.conv2d(pixels, weight, bias)), 6)
        return F.cross_entropy(features.flatten(1), labels % 4)

    tg.gradcheck(loss, (weight, bias))  # raises an error that says where, if one is wrong
    print("Gradient check: backward agrees with finite differences (36 weights, 4 biases).\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the pictures")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)

    images, validation = Digits(train=True), Digits(train=False)
    print(
        f"Digits: {len(images):,} images to train on, {len(validation)} for validation "
        "(every fifth of each class).\n"
    )
    batch, labels = next(iter(DataLoader(images, batch_size=8)))
    check_a_gradient(batch, labels)

    rows, curves, missed = [], {"loss": {}, "accuracy": {}}, []
    for name, bar in BARS.items():
        runs, numbers = [], []
        for seed in SEEDS:
            model, run = train(name, seed, images, validation)
            runs.append(run)
            numbers.append(measure(model, images, validation))
            rows.append(row(f"{name}, seed {seed}", numbers[-1]))
        rows += [row(f"{name}, mean", mean(numbers)), []]
        for what, lines in curves.items():  # the mean over seeds of each curve
            lines[name] = {split: mean([r[what][split] for r in runs]) for split in runs[0][what]}
        reached = mean(numbers)[-1]
        if reached < bar:
            missed.append(f"{name}: {reached:.2%} of the validation images, {bar:.1%} wanted")
    columns = ["", "train loss", "validation loss", "train acc.", "validation acc."]
    print(f"\n{format_table(columns, rows[:-1])}\n")

    # The last CNN on one batch: what backward walks through, and what reaches each parameter.
    model.train()
    model.zero_grad()
    loss = F.cross_entropy(model(batch), labels)
    loss.backward()
    pictures = {
        "learning_curves.svg": viz.learning_curves(
            curves, title="Digits, mean of three runs", log=["loss"]
        ),
        "graph.svg": viz.graph(loss, params=model),
        "grad_flow.svg": viz.grad_flow(model),
    }
    print("Pictures, for any browser:")
    for file, figure in pictures.items():
        print(f"  {figure.save(out / file)}")

    for line in missed:
        print(f"MISSED  {line}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
