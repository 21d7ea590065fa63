"""Report 000: an MLP in NumPy and in a framework, batch norm by hand, and a CNN on CIFAR-10.

    python -m examples.reports.r000 [--quick | --full] [--seeds 3] [--data FOLDER] [--only ROW ...]

The default MLP beside its hand-written NumPy twin; the best SGD and Adam models; what batch norm,
batch size, learning rate and its decay do; batch norm's derivation and its mistake; the mini-VGG.
"""

from __future__ import annotations

import statistics
import sys
from typing import Any

import tensorgrad as tg
from examples.reports.report import Report, main
from examples.reports.training import Curves, band
from examples.reports.uva import (
    BATCH,
    a_batch,
    batch_norm_example,
    default_rows,
    default_runs,
    late,
    mlp,
    mlp_data,
    one_example,
    printed_dx,
    run_mlp,
    vgg_runs,
)
from tensorgrad import optim, viz
from tensorgrad.nn.functional import cross_entropy, linear
from tensorgrad.optim.lr_scheduler import StepLR

# Of the best models the report states the widths, the rates and that they halve; not the steps, nor
# the scale of the pixels. At a rate of 0.05 SGD diverges on pixels of 0 to 255 within seven steps,
# so they are standardised here.
BEST_STEPS, HALVE_EVERY = 6000, 2000
SGD: dict[str, Any] = {"kind": optim.SGD, "hidden": [300, 300, 300], "rate": 0.05, "norm": False}
ADAM: dict[str, Any] = {"kind": optim.Adam, "hidden": [300, 200], "rate": 6e-4, "norm": True}


def derivations(report: Report) -> None:
    """Question 1.1 by the machine, one example in a column as the report has it, then a batch."""
    x, W1, b1, W2, b2 = one_example()
    z = linear(x, W1, b1)
    h = tg.relu(z)
    o = linear(h, W2, b2)
    S = tg.softmax(o, 0)
    c = 1
    p = S[c]
    L = -p.log()
    wanted = [W1, b1, W2, b2, x]
    column = viz.derive(L, wanted, convention="column")
    index = viz.derive(L, wanted, notation="index")
    report.formula_row("000-F1", column, "mlp", "log", "p", "closed")
    report.formula_row("000-F2", index, "mlp-index", "softmax", "o", "cases")
    check = viz.check_derivation(L, z, "g", through=h)
    report.wrong_row(
        "000-F3", "ReLU' is [z > 0]; check_derivation: " + report.first(check), check,
        "The diagonal of ReLU's Jacobian is 1 only where x > 0. With 1 everywhere a unit that is "
        "off still hands its gradient on, and nothing learns to be off; where x = 0 the derivative "
        "does not exist, and 0 is the convention (PyTorch's, and ours).",
    )  # fmt: skip
    report.formula_row("000-F3", column, "mlp", "relu", "z", "local", what="1.1.a: ReLU, right",
                       target="")  # fmt: skip
    report.formula_row("000-F4", index, "mlp-index", "linear", "h", "local")
    report.formula_row("000-F5", index, "mlp-index", "linear", "W2", "local")
    report.formula_row("000-F6", index, "mlp-index", "linear", "b2", "local")
    report.formula_row("000-F7", column, "mlp", "softmax", "o")
    report.formula_row("000-F8", column, "mlp", "relu", "z")
    report.formula_row("000-F9", column, "mlp", "linear", "h")
    report.formula_row("000-F10", column, "mlp", "linear", "W2")
    report.formula_row("000-F11", column, "mlp", "linear", "b2")
    batches(report)


def batches(report: Report) -> None:
    """000-F12: the bias's sum, and softmax's Jacobian with an axis for the batch."""
    X, t, W, b = a_batch()
    z = linear(X, W, b)
    L = cross_entropy(z, t)
    figure = viz.derive(L, [W, b], convention="column", notation="index")
    jacobian = tg.func.vmap(tg.func.jacrev(lambda row: tg.softmax(row, 0)))(z.detach())
    S = tg.softmax(z.detach(), 1)
    error = float((jacobian - (tg.diag_embed(S) - S[:, :, None] * S[:, None, :])).abs().max())
    report.formula_row("000-F12", figure, "mlp-batch", "linear", "b", what="1.1.c: biases",
                       target="sum over the batch")  # fmt: skip
    shape = list(jacobian.shape)
    report.close_row("000-F12", error, 1e-12, what=f"1.1.c: softmax Jacobian {shape}",
                     target="a 3-D array")  # fmt: skip


def batch_norm(report: Report) -> None:
    """Question 3.2: 000-F13, F14: the gradients, and which terms the printed dx lacks."""
    loss, y, x, gamma, beta = batch_norm_example()
    figure = viz.derive(loss, [gamma, beta, x])
    report.formula_row("000-F13", figure, "batch-norm", "batch_norm", "gamma", what="3.2: γ",
                       target="Σ δ x̂")  # fmt: skip
    report.formula_row("000-F13", figure, "batch-norm", "batch_norm", "beta", what="3.2: β",
                       target="Σ δ")  # fmt: skip
    check = viz.check_derivation(loss, x, printed_dx, through=y)
    report.wrong_row(
        "000-F14", f"relative error {check.relative_error:.2f}; check_derivation: "
        + report.said(check), check,
        "The deviation depends on every example of the batch, so its part of the gradient is a sum "
        "over the batch, with a minus sign; and the mean depends on x too, which takes the mean of "
        "the gradient away. One finite difference at one element shows such a mistake; "
        "`viz.check_derivation` also names the two terms.",
    )  # fmt: skip
    report.formula_row("000-F14", figure, "batch-norm", "batch_norm", "x", what="3.2: x, right",
                       target="")  # fmt: skip


def default(report: Report) -> None:
    """000-N1, P1: the default MLP."""
    curves, twins = default_rows(report, "000-N1", 0.465)
    models = {"tensorgrad": curves, "NumPy, by hand": twins}
    report.figure("000-P1", panels(models, len(twins[0]["loss"])), "fig1")


def best(
    report: Report, *, kind: Any, hidden: list[int], rate: float, norm: bool,
    batch: int = BATCH, halve: bool = True,
) -> list[Curves]:  # fmt: skip
    """The best SGD or Adam model of Question 2, or a variation of it, for each seed."""
    name = f"{kind.__name__}-{'x'.join(map(str, hidden))}-{rate:g}-batch{batch}"
    name = name.lower() + "-norm" * norm + "-constant" * (not halve)
    found, data = [], mlp_data(report, "standard")
    for seed in report.seeds:
        tg.manual_seed(seed)
        model = mlp(hidden, batch_norm=norm)
        optimizer = kind(model.parameters(), lr=rate)
        schedule = StepLR(optimizer, HALVE_EVERY, 0.5) if halve else None
        found.append(run_mlp(name, model, optimizer, seed, data, report.runs,
                             steps=report.steps(BEST_STEPS, 30), scheduler=schedule,
                             batch=batch))  # fmt: skip
    return found


def mean_of(runs: list[Curves]) -> float:
    """Test accuracy over the seeds, in per cent."""
    return 100 * statistics.fmean(map(late, runs))


def spread_of(report: Report, runs: list[Curves]) -> str:
    """The same with its deviation."""
    return report.spread([late(run) for run in runs])


def best_models(report: Report) -> None:
    """000-M1, M2, P2: the best models beside each other."""
    sgd, adam = best(report, **SGD), best(report, **ADAM)
    report.number_row("000-M2", 0.515, [late(c) for c in adam])
    report.add("000-M1", f"SGD {spread_of(report, sgd)}; Adam {spread_of(report, adam)}",
               report.judged(mean_of(adam) > mean_of(sgd)))  # fmt: skip
    figure = panels({"SGD": sgd, "Adam": adam}, len(sgd[0]["loss"]))
    report.figure("000-P2", figure, "fig2")


def ablations(report: Report) -> None:
    """000-M3: the signs of the effects that the report describes."""
    sgd, adam = best(report, **SGD), best(report, **ADAM)
    big = {**ADAM, "hidden": [1000, 1000, 1000], "norm": False}
    cases = [
        ("batch norm helps Adam", adam, best(report, **{**ADAM, "norm": False})),
        ("batch norm hurts SGD", sgd, best(report, **{**SGD, "norm": True})),
        ("batches of 800 lower the accuracy", adam, best(report, **ADAM, batch=800)),
        ("halving the rate helps", adam, best(report, **ADAM, halve=False)),
        ("a big network wants a small rate (1e-4, not 3e-3)", best(report, **{**big, "rate": 1e-4}),
         best(report, **{**big, "rate": 3e-3})),
    ]  # fmt: skip
    rows = []
    for claim, one, other in cases:
        a, b = (spread_of(report, runs) for runs in (one, other))
        rows.append({"claim": claim, "as claimed": a, "otherwise": b})
        report.add("000-M3", f"{a} against {b}", report.judged(mean_of(one) > mean_of(other)),
                   what=claim, target="yes")  # fmt: skip
    report.table("Ablations: test accuracy", "ablations", rows)
    per = [statistics.fmean(c["seconds"][0] for c in runs) for runs in (cases[2][1], cases[2][2])]
    steps = report.steps(BEST_STEPS, 30)
    each = [1e6 * per[0] / steps / BATCH, 1e6 * per[1] / steps / 800]
    report.add("000-M3", f"{each[1]:.0f} µs an example against {each[0]:.0f}, measuring included",
               report.judged(each[1] < each[0]), what="batches of 800 are faster", target="yes",
               )  # fmt: skip


def panels(models: dict[str, list[Curves]], steps: int) -> Any:
    """Training accuracy, training loss and test accuracy, as the report's figures have them."""
    keys = {"training accuracy": "training accuracy", "training loss": "loss",
            "test accuracy": "test accuracy"}  # fmt: skip
    return viz.learning_curves(
        {panel: {name: band(runs, key, max(1, steps // 100)) for name, runs in models.items()}
         for panel, key in keys.items()},
        x_label="step", columns=2,
    )  # fmt: skip


def cnn(report: Report) -> None:
    """000-C1, P3: the mini-VGG; the runs serve report 003 too."""
    runs, (defaults, _) = vgg_runs(report), default_runs(report)
    keys = ("test accuracy", "test loss")
    right, loss = ([c[key][-1] for c in runs] for key in keys)
    mlp_right, mlp_loss = ([late(c, key) for c in defaults] for key in keys)
    report.add(
        "000-C1", f"accuracy {report.spread(right)} against {report.spread(mlp_right)}; loss "
        f"{report.spread(loss, percent=False)} against {report.spread(mlp_loss, percent=False)}",
        report.judged(statistics.fmean(right) > statistics.fmean(mlp_right)
                      and statistics.fmean(loss) < statistics.fmean(mlp_loss)),
    )  # fmt: skip
    report.figure("000-P3", viz.learning_curves(
        {"accuracy": {part: band(runs, f"{part} accuracy") for part in ("training", "test")},
         "loss": {"training": band(runs, "loss", max(1, len(runs[0]["loss"]) // 100)),
                  "test": band(runs, "test loss")}},
        x_label="step", columns=1), "fig3")  # fmt: skip


PARTS = (
    (derivations, [f"000-F{k}" for k in range(1, 13)]),
    (batch_norm, ["000-F13", "000-F14"]),
    (default, ["000-N1", "000-P1"]),
    (best_models, ["000-M1", "000-M2", "000-P2"]),
    (ablations, ["000-M3"]),
    (cnn, ["000-C1", "000-P3"]),
)

if __name__ == "__main__":
    sys.exit(main("000", __doc__, PARTS))
