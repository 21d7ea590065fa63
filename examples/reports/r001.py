"""Report 001: a two-layer network by hand, and a grid of MLPs on CIFAR-10.

    python -m examples.reports.r001 [--quick | --full] [--seeds 3] [--data FOLDER] [--only ROW ...]

The derivations; the assignment's toy network; the network tuned in NumPy (50.9 %); Table 1, fifteen
configurations, among them one that collapses to 7.8 %, with the diagnosis of it; the best one on
the test images (56.2 %).
"""

from __future__ import annotations

import statistics
import sys
from typing import Any

import numpy as np

import tensorgrad as tg
from examples.reports.checklist import GRID_ACCURACIES
from examples.reports.data import Split
from examples.reports.peer import train_torch
from examples.reports.report import MISSED, Report, main
from examples.reports.training import Batches, Curves, band, measure, scores, train
from examples.reports.uva import flat_cifar, mlp, tiny_weights
from tensorgrad import nn, optim, viz
from tensorgrad.data import CIFAR10
from tensorgrad.nn.functional import cross_entropy, linear
from tensorgrad.optim.lr_scheduler import StepLR

HELD_OUT = 1000  # the last training images are the validation images
DECAY_PER_EPOCH = 0.95
# Question 2: of the tuned network the iterations are not stated ("very high"), nor the scale of
# the pixels: minus the mean image, as the assignment has them.
DEFAULT = {"hidden": 50, "lr": 1e-4, "batch": 200, "reg": 0.25, "steps": 1000}
TUNED = {"hidden": 512, "lr": 1e-3, "batch": 350, "reg": 0.01, "steps": 8000}
# Question 3: ex2_pytorch.py, pixels of -1 to 1, Adam with weight decay, N(0, 0.001²).
GRID_BATCH, GRID_DECAY, GRID_STD = 200, 1e-3, 1e-3
# Table 1: hidden sizes, epochs, rate.
TABLE_1 = [
    ([64], 10, 1e-3), ([128], 10, 1e-3), ([64], 30, 1e-3), ([128], 30, 1e-3),
    ([128, 64], 10, 1e-3), ([128, 256], 10, 1e-3), ([128, 64], 30, 1e-3), ([128, 256], 30, 1e-3),
    ([128, 128, 256], 10, 1e-3), ([128, 128, 64], 10, 1e-2), ([128, 128, 64], 30, 1e-2),
    ([128, 128, 256], 30, 1e-3), ([256, 128, 64, 64], 10, 1e-2), ([256, 128, 64, 64], 30, 1e-2),
    ([256, 128, 64, 64], 10, 1e-3),
]  # fmt: skip

# What the assignment publishes of its toy network: 4-10-3, five points.
TOY_SCORES = [[-0.81233741, -1.27654624, -0.70335995], [-0.17129677, -1.18803311, -0.47310444],
              [-0.51590475, -1.01354314, -0.8504215], [-0.15419291, -0.48629638, -0.52901952],
              [-0.00618733, -0.12435261, -0.15226949]]  # fmt: skip
TOY_LOSS, TOY_REG = 1.30378789133, 0.05


def toy() -> dict[str, tg.Tensor]:
    """The toy network and its points, as the assignment draws them."""
    weights, points = np.random.RandomState(0), np.random.RandomState(1)
    made = {
        "W1": 0.1 * weights.randn(4, 10), "b1": np.zeros(10),
        "W2": 0.1 * weights.randn(10, 3), "b2": np.zeros(3), "x": 10 * points.randn(5, 4),
    }  # fmt: skip
    return {name: tg.tensor(array, requires_grad=name != "x") for name, array in made.items()}


def toy_loss(W1: Any, b1: Any, W2: Any, b2: Any, x: Any) -> tuple[Any, Any]:
    """Scores, and mean cross-entropy + λ (|W1|² + |W2|²): the report's equation 4, no half."""
    z3 = (x @ W1 + b1).relu() @ W2 + b2
    penalty = (W1**2).sum() + (W2**2).sum()
    return z3, cross_entropy(z3, tg.tensor([0, 1, 2, 2, 1])) + TOY_REG * penalty


def fixture(report: Report) -> None:
    """001-T0: scores, loss and gradients of the toy network."""
    made = toy()
    found, loss = toy_loss(**made)
    error = float(np.abs(found.detach().numpy() - np.array(TOY_SCORES)).sum())
    report.close_row("001-T0", error, 1e-7, what="2: scores of the toy network",
                     target="as published, 3.7e-8")  # fmt: skip
    report.close_row("001-T0", abs(loss.item() - TOY_LOSS), 1e-11, what="2: its loss",
                     target=f"{TOY_LOSS}")  # fmt: skip
    figure = viz.derive(loss, {name: made[name] for name in ("W1", "b1", "W2", "b2")})
    error = max(result["check"]["relative_error"] for result in figure.data["results"])
    report.close_row("001-T0", error, 1e-8, what="2: its gradients, beside finite differences",
                     target="below 1e-8")  # fmt: skip


def derivations(report: Report) -> None:
    """Question 1 on the toy network, in columns as the report has it (it codes z = x W + b)."""
    made = toy()
    a1, t = made["x"], tg.tensor([0, 1, 2, 2, 1])
    W1, W2 = (made[name].detach().T.contiguous().requires_grad_() for name in ("W1", "W2"))
    b1, b2 = made["b1"], made["b2"]
    z2 = linear(a1, W1, b1)
    a2 = tg.relu(z2)
    z3 = linear(a2, W2, b2)
    J = cross_entropy(z3, t)
    plain = viz.derive(J, [W1, b1, W2, b2], convention="column")
    report.formula_row("001-F1", plain, "two-layers", "cross_entropy", "z3")
    report.formula_row("001-F3", plain, "two-layers", "linear", "W2", what="1.2: W2")
    penalty = TOY_REG * (W2**2).sum()
    loss = J + penalty
    (total,) = tg.autograd.grad(loss, [W2], retain_graph=True)
    (alone,) = tg.autograd.grad(J, [W2], retain_graph=True)
    error = float((total - alone - 2 * TOY_REG * W2).detach().abs().max())
    report.close_row("001-F3", error, 1e-12, what="1.2: W2, regularised", target="+ 2λ W2")
    report.formula_row("001-F3", viz.derive(loss, W2, convention="column"), "regularised", "pow",
                       "W2", what="1.2: |W2|²", target="2 W2, times λ")  # fmt: skip
    for what, to in (("1.3: W1", "W1"), ("1.3: b1", "b1"), ("1.3: b2", "b2")):
        report.formula_row("001-F4", plain, "two-layers", "linear", to, what=what)
    report.formula_row("001-F4", plain, "two-layers", "relu", "z2", what="1.3: φ'")
    stray_minus(report)


def stray_minus(report: Report) -> None:
    """001-F2: softmax as the report writes it in its first line, and as it goes on."""
    tg.manual_seed(0)
    z = tg.randn(4, dtype=tg.float64, requires_grad=True)
    a = tg.softmax(z, 0)
    p = a[1]
    J = -p.log()
    figure = viz.derive(J, z, notation="index")
    report.formula_row("001-F2", figure, "softmax", "softmax", "z", "cases", what="1.1: softmax",
                       target="a (1 − a); −a a")  # fmt: skip
    report.formula_row("001-F2", figure, "softmax", "log", "p", "closed", what="1.1: CE",
                       target="−Y / a")  # fmt: skip
    report.formula_row("001-F2", figure, "softmax", "softmax", "z", "closed", what="1.1: eq. 3",
                       target="a − Y")  # fmt: skip

    def first_line(g: Any, z: Any) -> Any:
        a = np.exp(z) / np.exp(z).sum()
        return -a * (g - (g * a).sum())

    check = viz.check_derivation(J, z, first_line, through=a)
    report.wrong_row(
        "001-F2", "the minus must go; check_derivation: " + report.said(check), check,
        "The first line differentiates −e^z / Σ e^z; the lines below it go on without the minus: "
        "the result is right and the proof is not. A derivation that is checked at every line, not "
        "only at its end, finds such a slip where it is made.",
    )  # fmt: skip


# --- Question 2: two layers, SGD ------------------------------------------------------------------


def sets_of(report: Report, preparation: str) -> tuple[Split, Split, Split]:
    """Training, validation and test images."""
    images, test = flat_cifar(report.data, preparation, None if report.full else 2000)
    held = HELD_OUT if report.full else 500
    return images.but_last(held), images.last(held), test


def two_layers(report: Report, name: str, how: dict[str, Any]) -> list[dict[str, float]]:
    """The network of Question 2: accuracy on the three sets, for each seed."""
    sets = sets_of(report, "centred")
    found = []
    for seed in report.seeds:
        tg.manual_seed(seed)
        model = tiny_weights(mlp([how["hidden"]]), 1e-4)
        # The gradient of reg |W|² is 2 reg W; biases are not decayed.
        weights, biases = ([p for n, p in model.named_parameters() if n.endswith(kind)]
                           for kind in ("weight", "bias"))  # fmt: skip
        optimizer = optim.SGD(
            [{"params": weights, "weight_decay": 2 * how["reg"]}, {"params": biases}], lr=how["lr"]
        )
        batches = Batches(sets[0], how["batch"], seed)
        train(model, optimizer, batches, report.steps(how["steps"], 30), name=f"{name}-seed{seed}",
              folder=report.runs,
              scheduler=StepLR(optimizer, batches.per_epoch, DECAY_PER_EPOCH))  # fmt: skip
        found.append({part: measure(model, images)[1]
                      for part, images in zip(("train", "validation", "test"), sets)})  # fmt: skip
    return found


def default(report: Report) -> None:
    """001-N0: the assignment's own settings, which underfit."""
    found = two_layers(report, "default", DEFAULT)
    seen, held = ([f[part] for f in found] for part in ("train", "validation"))
    report.add("001-N0", f"train {report.spread(seen)}; validation {report.spread(held)}",
               report.judged(statistics.fmean(seen) < 0.35), values=held)  # fmt: skip


def tuned(report: Report) -> None:
    """001-N1: the tuned network."""
    count = sum(p.numel() for p in mlp([TUNED["hidden"]]).parameters())
    report.exact_row("001-N1", 1578506, count, what="parameters of the tuned network")
    found = two_layers(report, "tuned", TUNED)
    for part, target in (("train", 0.534), ("validation", 0.514), ("test", 0.509)):
        report.number_row("001-N1", target, [f[part] for f in found],
                          what=f"2: tuned network, {part}")  # fmt: skip


# --- Question 3: the grid -------------------------------------------------------------------------


def he(model: nn.Sequential) -> nn.Sequential:
    """Weights from N(0, 2 / inputs), biases 0."""
    for layer in tiny_weights(model, 0.0):
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return model


def grid_run(
    report: Report, hidden: list[int], epochs: int, rate: float, kaiming: bool = False
) -> list[tuple[nn.Module, Curves]]:
    """One configuration of Table 1 for each seed: Adam, the rate times 0.95 after each epoch."""
    training, validation, _ = sets_of(report, "half")
    found = []
    for seed in report.seeds:
        tg.manual_seed(seed)
        model = he(mlp(hidden)) if kaiming else tiny_weights(mlp(hidden), GRID_STD)
        optimizer = optim.Adam(model.parameters(), lr=rate, weight_decay=GRID_DECAY)
        batches = Batches(training, GRID_BATCH, seed)

        def evaluate(model: nn.Module = model) -> dict[str, float]:
            loss, right = measure(model, validation)
            return {"validation loss": loss, "validation accuracy": right}

        name = f"{'x'.join(map(str, hidden))}-{rate:g}-{epochs}epochs"
        name += "-he" * kaiming + f"-seed{seed}"
        steps = report.steps(epochs * batches.per_epoch, 3 * batches.per_epoch)
        found.append((model, train(
            model, optimizer, batches, steps, name=name, folder=report.runs,
            every=batches.per_epoch, evaluate=evaluate,
            scheduler=StepLR(optimizer, batches.per_epoch, DECAY_PER_EPOCH),
        )))  # fmt: skip
    return found


def torch_row(report: Report, id: str, target: float, config: Any, ours: list[float]) -> None:
    """What PyTorch reaches from the same weights on the same batches, where we missed a number."""
    hidden, epochs, rate = config
    training, validation, _ = sets_of(report, "half")
    theirs = []
    for seed in report.seeds:
        tg.manual_seed(seed)
        batches = Batches(training, GRID_BATCH, seed)
        name = f"torch-{'x'.join(map(str, hidden))}-{rate:g}-{epochs}epochs-seed{seed}.pt"
        curves = train_torch(
            tiny_weights(mlp(hidden), GRID_STD), batches, validation, epochs * batches.per_epoch,
            rate, report.runs / name, weight_decay=GRID_DECAY, per_epoch=DECAY_PER_EPOCH,
        )  # fmt: skip
        theirs.append(curves["test accuracy"][-1])
    far = statistics.fmean(theirs) - statistics.fmean(ours)
    report.peer_row(
        id, target, theirs, what="the same in PyTorch, from the same weights on the same batches",
        note=f"PyTorch's accuracy is {100 * abs(far):.1f} points {'above' if far > 0 else 'below'} "
        "ours. What the settings that are stated give on these images is in these two rows; what "
        "else the report did is not stated.",
    )  # fmt: skip


def reached(runs: list[tuple[nn.Module, Curves]]) -> list[float]:
    """Validation accuracy at the end, for each seed."""
    return [curves["validation accuracy"][-1] for _, curves in runs]


def two_layers_again(report: Report) -> None:
    """001-M0: two layers of the assignment's 50 units."""
    report.number_row("001-M0", 0.509, reached(grid_run(report, [50], 10, 1e-3)))


def collapsed(report: Report, got: list[float]) -> str:
    """A note on a mean that holds runs which never left chance."""
    alive = [value for value in got if value > 0.2]
    if not report.full or len(alive) == len(got):
        return ""
    those = f", and reached {report.spread(alive)}" if alive else ""
    return f"{len(alive)} of {len(got)} runs came alive{those}; why others do not: see 001-D1."


def table_1(report: Report) -> None:
    """All fifteen configurations."""
    rows: list[dict[str, Any]] = []
    curves: dict[str, dict[str, Any]] = {}
    for k, ((hidden, epochs, rate), target) in enumerate(zip(TABLE_1, GRID_ACCURACIES), 1):
        runs = grid_run(report, hidden, epochs, rate)
        got = reached(runs)
        if target > 0.1:
            row = report.number_row(f"001-M{k}", target, got, note=collapsed(report, got))
            if report.peer and row.verdict == MISSED:
                torch_row(report, row.id, target, (hidden, epochs, rate), got)
        else:
            mean = statistics.fmean(got)
            report.add(f"001-M{k}", report.spread(got), report.judged(mean < 0.13), values=got,
                       note="A collapse to one class: see 001-D1.")  # fmt: skip
        rows.append({"layers": len(hidden) + 1, "epochs": epochs, "rate": f"{rate:g}",
                     "hidden": str(hidden), "the report %": 100 * target,
                     "validation %": 100 * np.array(got)})  # fmt: skip
        panel = curves.setdefault(f"validation accuracy, {epochs} epochs", {})
        panel[f"{hidden} {rate:g}"] = band([c for _, c in runs], "validation accuracy")
    report.table("Table 1", "table1", rows, best={"the report %": "max", "validation %": "max"})
    viz.learning_curves(curves, x_label="step").save(report.folder / "table1.svg")
    report.links["table1.svg"] = "Table 1's runs"


def best_on_test(report: Report) -> None:
    """001-M16: the best of the table on the test images."""
    runs, test = grid_run(report, *TABLE_1[7]), sets_of(report, "half")[2]
    count = sum(p.numel() for p in runs[0][0].parameters())
    report.exact_row("001-M16", 428938, count, what="parameters of 3072-128-256-10")
    report.number_row("001-M16", 0.562, [measure(model, test)[1] for model, _ in runs])


def collapse(report: Report) -> None:
    """001-D1: five layers of tiny weights give every image the same answer."""
    (model, _), *_ = grid_run(report, *TABLE_1[-1])
    _, validation, _ = sets_of(report, "half")
    named = np.unique(scores(model, validation.x).argmax(1))
    counts = np.bincount(validation.y, minlength=10)
    some = validation.first(200)
    x, y = tg.from_numpy(some.x), tg.from_numpy(some.y)
    diagnosis = viz.doctor(model, cross_entropy(model(x), y))
    (report.folder / "001-D1.txt").write_text(f"{diagnosis}\n", encoding="utf-8")
    report.links["001-D1.txt"] = "001-D1: the doctor's diagnosis"
    good = len(named) == 1 and "constant predictor" in diagnosis.causes
    report.add(
        "001-D1", f"{100 * measure(model, validation)[1]:.1f} % with seed 0, classes named: "
        f"{named.tolist()}; the doctor: {', '.join(diagnosis.causes)}", report.judged(good),
        note="Below chance, so a predictor that names one class: of the "
        f"{counts.sum()} validation images here {counts.min()} to {counts.max()} are of a class, "
        f"and the rarest, {CIFAR10.classes[counts.argmin()]}, gives "
        f"{100 * counts.min() / counts.sum():.1f} %. Five layers of N(0, 0.001²) shrink "
        "an image to nothing before the last bias is added, and the gradient with it: only the "
        "biases learn. He's initialisation, std = √(2 / inputs), keeps its size: the next row.",
    )  # fmt: skip
    coin(report)
    cured = reached(grid_run(report, *TABLE_1[-1], kaiming=True))
    report.add("001-D1", report.spread(cured), report.judged(statistics.fmean(cured) > 0.44),
               what="the last row of Table 1 with He's initialisation", target="not tried",
               values=cured)  # fmt: skip


def coin(report: Report) -> None:
    """001-D1: at rate 0.01 the same five layers come alive, or not: the seed decides."""
    (hidden, _, rate), training = TABLE_1[12], sets_of(report, "half")[0]
    steps, alive, sizes = report.steps(150, 20), [], []
    for seed in range(6):
        tg.manual_seed(seed)
        model, batches = tiny_weights(mlp(hidden), GRID_STD), Batches(training, GRID_BATCH, seed)
        optimizer = optim.Adam(model.parameters(), lr=rate, weight_decay=GRID_DECAY)
        for step in range(steps):
            x, y = batches.next()
            optimizer.zero_grad()
            cross_entropy(model(x), y).backward()
            optimizer.step()
            if step in (0, steps - 1):
                sizes.append(float(model[2].weight.detach().square().mean().sqrt()))
        if measure(model, training.first(1000))[0] < 2.2:  # log 10 is 2.303
            alive.append(seed)
    report.add(
        "001-D1", f"seeds {alive} of 0 to 5; second layer's size after the first step "
        f"{max(sizes[::2]):.1e}, after {steps} {min(sizes[1::2]):.0e} to {max(sizes[1::2]):.0e}",
        report.judged(0 < len(alive) < 6), what="five layers at rate 0.01 that come alive",
        target="both rows did",
        note="Adam's first step moves every weight by the rate, whatever its gradient: at 0.01 to "
        "ten times its first size. Then two pulls compete, each divided by its own size: the "
        "gradient of the loss, which has grown by a power of the weights, and the weight decay, "
        "which takes every weight towards 0, where a run stays at chance for epochs: the curve of "
        "the 30 epochs in table1.svg shows for how many. At 0.01 the seed decides; at 0.001, the "
        "last row, the step is too small.",
    )  # fmt: skip


PARTS = (
    (derivations, [f"001-F{k}" for k in range(1, 5)]),
    (fixture, ["001-T0"]),
    (default, ["001-N0"]),
    (tuned, ["001-N1"]),
    (two_layers_again, ["001-M0"]),
    (table_1, [f"001-M{k}" for k in range(1, 16)]),
    (best_on_test, ["001-M16"]),
    (collapse, ["001-D1"]),
)

if __name__ == "__main__":
    sys.exit(main("001", __doc__, PARTS))
