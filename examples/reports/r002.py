"""Report 002: an MLP from scratch, on points in the plane and on MNIST.

    python -m examples.reports.r002 [--quick | --full] [--seeds 3] [--data FOLDER]

The worked example; the scalar network on the points (Q4: one number a neuron, as in pure Python);
784-300-10 with sigmoids, one image at a time with a rate that follows the loss (Q5, Q7), and in
batches of 50 (Q6); six learning rates, three runs each (Q7.3), and the best one's accuracy (Q7.4).
The full form takes about half an hour.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import tensorgrad as tg
from examples.reports.data import Split, mnist, synthetic
from examples.reports.report import Report, arguments_of
from examples.reports.training import Batches, Curves, measure, train
from tensorgrad import nn, optim, viz
from tensorgrad.optim.lr_scheduler import LossRatioLR

RATE = 0.1  # the first one, where it follows the loss
EPOCHS = 5
SCALAR_WINDOW, WINDOW = 100, 1000
RATES = (0.1, 0.03, 0.01, 0.003, 0.001, 0.0001)
BATCH, BATCH_EPOCHS = 50, 20

Q4_EPOCHS = (0.1613, 0.1002, 0.0932, 0.0899, 0.0882)
Q4_LAST = (0.0708, 0.0635, 0.0612, 0.0605, 0.0599)
Q5_EPOCHS = (0.6391, 0.2785, 0.2107, 0.1840, 0.1644)
Q71_TRAIN = (0.8518, 0.3485, 0.2298, 0.1847, 0.1413)
Q71_VALIDATION = (0.4219, 0.4075, 0.2392, 0.2367, 0.1796)
Q73 = {0.1: (0.1653, 0.2278), 0.03: (0.0847, 0.1911), 0.01: (0.1377, 0.2346),
       0.003: (0.2910, 0.3656), 0.001: (0.5329, 0.5392), 0.0001: (1.5868, 1.3857)}  # fmt: skip
Q74_TRAIN = (0.8792, 0.9367, 0.9511, 0.9605, 0.9679)
Q74_VALIDATION = (0.9383, 0.9219, 0.9578, 0.9544, 0.9632)


# --- The worked example (Q3) ----------------------------------------------------------------------


def worked_example(report: Report) -> None:
    """One forward and one backward pass on the network that the assignment draws."""
    tensor = tg.tensor
    x = tensor([1.0, -1.0], dtype=tg.float64)
    w = tensor([[1.0, 1, 1], [-1, -1, -1]], dtype=tg.float64, requires_grad=True)
    b1 = tg.zeros(3, dtype=tg.float64, requires_grad=True)
    v = tensor([[1.0, 1], [-1, -1], [-1, -1]], dtype=tg.float64, requires_grad=True)
    b2 = tg.zeros(2, dtype=tg.float64, requires_grad=True)
    h = tg.sigmoid(x @ w + b1)
    o = h @ v + b2
    loss = -tg.log_softmax(o, 0)[0]
    loss.backward(retain_graph=True)
    printed = {
        "v_d": ([[-0.4404, 0.4404]] * 3, v.grad),
        "b2_d": ([-0.5, 0.5], b2.grad),
        "w_d": ([[0.0, 0, 0], [0.0, 0, 0]], w.grad),
        "b1_d": ([0.0, 0, 0], b1.grad),
    }
    error = max(np.abs(np.array(a) - g.numpy()).max() for a, g in printed.values())
    note = "loss ln 2 = 0.69314718; " + ", ".join(
        f"{name} = {np.round(g.numpy(), 4).tolist()}" for name, (_, g) in printed.items()
    )
    report.close_row("002-F2", "Q3, the worked example, to the digits printed", error, 5e-5, note)
    wrong = o.softmax(0).detach().clone()
    wrong[0] = -1  # the line that the report prints
    report.wrong_row(
        "002-F2", "the code printed for Q3", "o_d[c] = -1", f"gives b2_d = {wrong.tolist()}",
        "The gradient of softmax and cross-entropy is y - onehot(c): one is subtracted at the true "
        "class, `o_d[c] -= 1`. Setting it to -1 forgets the probability that the class had; the "
        "report's own output, -0.5, shows that its program did subtract.",
    )  # fmt: skip
    figure = viz.derive(loss, {"W": w, "V": v, "b₁": b1, "b₂": b2})
    report.derivation("002-F1", "Q1 to Q3, the chain rule on the worked example", figure, "q3")


# --- One number a neuron (Q4) ---------------------------------------------------------------------


class ScalarNetwork:
    """2-3-2 with a sigmoid, every weight a tensor of one number."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)

        def number(value: float) -> tg.Tensor:
            return tg.tensor(value, dtype=tg.float64, requires_grad=True)

        self.w = [[number(rng.standard_normal()) for _ in range(3)] for _ in range(2)]
        self.b = [number(0.0) for _ in range(3)]
        self.v = [[number(rng.standard_normal()) for _ in range(2)] for _ in range(3)]
        self.c = [number(0.0) for _ in range(2)]
        self.parameters = [*self.w[0], *self.w[1], *self.b, *sum(self.v, []), *self.c]

    def loss(self, x: Any, target: int) -> tg.Tensor:
        """-log softmax(o)[target], neuron by neuron."""
        h = [
            (self.w[0][j] * x[0] + self.w[1][j] * x[1] + self.b[j]).sigmoid() for j in range(3)
        ]
        o = [
            h[0] * self.v[0][k] + h[1] * self.v[1][k] + h[2] * self.v[2][k] + self.c[k]
            for k in range(2)
        ]
        return (1 + (o[1 - target] - o[target]).exp()).log()


def train_scalars(points: Split, steps: int, epochs: int, seed: int) -> tuple[list[float], float]:
    """Every loss, and the rate at the end."""
    network = ScalarNetwork(seed)
    optimizer = optim.SGD(network.parameters, lr=RATE)
    schedule = LossRatioLR(optimizer, SCALAR_WINDOW)
    losses = []
    for _ in range(epochs):
        for x, label in zip(points.x[:steps].tolist(), points.y[:steps].tolist(), strict=True):
            optimizer.zero_grad()
            loss = network.loss(x, label)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            schedule.step(losses[-1])
    return losses, float(optimizer.param_groups[0]["lr"])


# --- 784-300-10 (Q5 to Q7) ------------------------------------------------------------------------


def make_mlp() -> nn.Sequential:
    """Sigmoids; weights from N(0, 1) over the root of the inputs, biases 0."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 300), nn.Sigmoid(), nn.Linear(300, 10))
    for layer in (model[1], model[3]):
        nn.init.normal_(layer.weight, std=layer.in_features**-0.5)
        nn.init.zeros_(layer.bias)
    return model


class Following:
    """LossRatioLR as a schedule without arguments: it is told each loss by the training loop."""

    def __init__(self, schedule: LossRatioLR) -> None:
        self.schedule, self.loss = schedule, 0.0

    def measured(self, outputs: tg.Tensor, labels: tg.Tensor) -> tg.Tensor:
        loss = nn.functional.cross_entropy(outputs, labels)
        self.loss = loss.item()
        return loss

    def step(self) -> None:
        self.schedule.step(self.loss)

    def state_dict(self) -> dict[str, Any]:
        return self.schedule.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.schedule.load_state_dict(state)


def train_mlp(
    name: str, data: Split, held_out: Split | None, *, seed: int, folder: Path, rate: float = RATE,
    epochs: int = EPOCHS, batch: int = 1, follow: int | None = None, shuffle: bool = True,
) -> Curves:  # fmt: skip
    """Train the MLP and measure it on held-out images after each epoch."""
    tg.manual_seed(seed)
    model = make_mlp()
    optimizer = optim.SGD(model.parameters(), lr=rate)
    following = None if follow is None else Following(LossRatioLR(optimizer, follow))
    batches = Batches(data.x, data.y, batch, seed, shuffle)

    def evaluate() -> dict[str, float]:
        found = {"rate": float(optimizer.param_groups[0]["lr"])}
        if held_out is not None:
            found["validation loss"], found["validation accuracy"] = measure(model, *held_out)
            found["training accuracy"] = measure(model, data.x[:5000], data.y[:5000])[1]
        return found

    return train(
        model, optimizer, batches, epochs * batches.per_epoch, name=f"{name}-seed{seed}",
        folder=folder, every=batches.per_epoch, evaluate=evaluate, scheduler=following,
        loss_of=nn.functional.cross_entropy if following is None else following.measured,
    )  # fmt: skip


def per_epoch(losses: list[float], epochs: int) -> list[float]:
    """The mean loss of each epoch."""
    return [float(part.mean()) for part in np.split(np.array(losses), epochs)]


def main() -> int:
    arguments = arguments_of(__doc__)
    report = Report("002", "MLP from scratch", arguments)
    full, seeds = arguments.full, range(arguments.seeds)
    runs = report.folder / ("runs" if full else "quick")
    worked_example(report)

    points, _ = synthetic(0)
    steps = len(points.x) if full else 1500
    losses, rate = train_scalars(points, steps, EPOCHS, seed=0)
    means = per_epoch(losses, EPOCHS)
    report.table(
        "Q4: the scalar network on points in the plane", "q4",
        ["epoch", "the report", "mean loss", "the report", "last 100"],
        [[i + 1, Q4_EPOCHS[i], f"{means[i]:.4f}", Q4_LAST[i],
          f"{np.mean(losses[(i + 1) * steps - 100 : (i + 1) * steps]):.4f}"] for i in range(EPOCHS)],
    )  # fmt: skip
    report.number_row("002-N1", "Q4, mean loss of epoch 5", Q4_EPOCHS[-1], [means[-1]], 0.02,
                      "lower", f"rate at the end {rate:.4f} (the report: 0.0011)", percent=False)  # fmt: skip
    window = SCALAR_WINDOW if full else 50
    report.figure("002-P1", "Fig. 1: loss of the scalar network, means of 100 steps", viz.learning_curves(
        {"loss": {"training": windows(losses, window)}}, x_label=f"{window} steps"), "fig1")

    train_set, test_set = mnist(arguments.data, None if full else 2000)
    q5 = [train_mlp("q5", train_set, None, seed=s, folder=runs, follow=WINDOW if full else 100)
          for s in seeds]  # fmt: skip
    q5_means = [per_epoch(run["loss"], EPOCHS) for run in q5]
    report.table(
        "Q5: 784-300-10, one image at a time", "q5", ["epoch", "the report", "mean loss"],
        [[i + 1, Q5_EPOCHS[i], f"{statistics.fmean(m[i] for m in q5_means):.4f}"]
         for i in range(EPOCHS)],
    )  # fmt: skip
    report.number_row("002-N2", "Q5, mean loss of epoch 5", Q5_EPOCHS[-1],
                      [m[-1] for m in q5_means], 0.02, "lower",
                      f"rate at the end {q5[0]['rate'][-1]:.4f} (the report: 0.0067)", percent=False)  # fmt: skip
    report.figure("002-P2", "Fig. 2: loss in 300 points", viz.learning_curves(
        {"loss": {"training": windows(q5[0]["loss"], WINDOW if full else 100)}},
        x_label="1000 steps"), "fig2")

    began = time.perf_counter()
    q6 = [train_mlp("q6", train_set, None, seed=s, folder=runs, batch=BATCH, epochs=BATCH_EPOCHS)
          for s in seeds]  # fmt: skip
    seconds = q6[0]["seconds"][0], q5[0]["seconds"][0]
    last = statistics.fmean(per_epoch(run["loss"], BATCH_EPOCHS)[-1] for run in q6)
    before = statistics.fmean(m[-1] for m in q5_means)
    report.claim_row(
        "002-N3", "Q6: 20 epochs in batches of 50 are faster than 5 of single images, and end lower",
        "faster and lower", f"{seconds[0]:.0f} s against {seconds[1]:.0f} s; {last:.4f} against "
        f"{before:.4f}", seconds[0] < seconds[1] and last < before, "",
    )  # fmt: skip
    del began
    report.figure("002-P3", "Fig. 3: loss in batches of 50", viz.learning_curves(
        {"loss": {"training": windows(q6[0]["loss"], 100)}}, x_label="100 steps"), "fig3")

    held_out = 5000 if full else 500
    training = Split(train_set.x[:-held_out], train_set.y[:-held_out])
    validation = Split(train_set.x[-held_out:], train_set.y[-held_out:])
    q7 = [train_mlp("q7", training, validation, seed=s, folder=runs, follow=WINDOW if full else 100)
          for s in seeds]  # fmt: skip
    q7_train = [per_epoch(run["loss"], EPOCHS) for run in q7]
    report.number_row("002-V1", "Q7.1, training loss of epoch 5", Q71_TRAIN[-1],
                      [m[-1] for m in q7_train], 0.03, "lower", percent=False)  # fmt: skip
    report.number_row("002-V1", "Q7.1, validation loss of epoch 5", Q71_VALIDATION[-1],
                      [run["validation loss"][-1] for run in q7], 0.03, "lower", percent=False)  # fmt: skip
    report.figure("002-P4", "Fig. 4: training and validation loss", viz.learning_curves(
        {"loss": {"training": q7_train[0], "validation": q7[0]["validation loss"]}}), "fig4")
    for number, size in ((1, 1000), (2, 100)):
        report.figure("002-V2", f"Fig. 5: mean and deviation over runs, windows of {size}",
                      viz.runs_band({"loss": [windows(r["loss"], size) for r in q7]},
                                    x_label=f"{size} steps"), f"fig5-{number}")  # fmt: skip

    found = {}
    for alpha in RATES:
        sweep = [train_mlp(f"rate{alpha:g}", training, validation, seed=s, folder=runs, rate=alpha)
                 for s in seeds]  # fmt: skip
        ends = [(per_epoch(run["loss"], EPOCHS)[-1], run["validation loss"][-1]) for run in sweep]
        found[alpha] = sweep
        for what, target, values in zip(("training", "validation"), Q73[alpha], zip(*ends, strict=True), strict=True):
            report.number_row("002-V3", f"Q7.3, rate {alpha:g}, {what} loss", target, values,
                              max(0.03, 0.2 * target), "lower", percent=False)  # fmt: skip
    report.table("Q7.3: six learning rates", "q73",
                 ["rate", "training loss", "the report", "validation loss", "the report"],
                 [[f"{a:g}", f"{statistics.fmean(per_epoch(r['loss'], EPOCHS)[-1] for r in found[a]):.4f}",
                   Q73[a][0], f"{statistics.fmean(r['validation loss'][-1] for r in found[a]):.4f}",
                   Q73[a][1]] for a in RATES])  # fmt: skip
    best = found[0.03]
    report.number_row("002-V4", "Q7.4, rate 0.03, training accuracy", Q74_TRAIN[-1],
                      [run["training accuracy"][-1] for run in best], 0.02)  # fmt: skip
    report.number_row("002-V4", "Q7.4, rate 0.03, validation accuracy", Q74_VALIDATION[-1],
                      [run["validation accuracy"][-1] for run in best], 0.02)  # fmt: skip
    report.figure("002-P6", "Fig. 6: accuracy at rate 0.03", viz.learning_curves(
        {"accuracy": {"training": best[0]["training accuracy"],
                      "validation": best[0]["validation accuracy"]}}), "fig6")
    del test_set
    return report.finish()


def windows(losses: list[float], size: int) -> list[float]:
    """The mean of each ``size`` losses."""
    whole = len(losses) // size * size
    return [float(v) for v in np.array(losses[:whole]).reshape(-1, size).mean(1)]


if __name__ == "__main__":
    sys.exit(main())
