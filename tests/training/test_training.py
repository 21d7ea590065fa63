"""The training loop, metrics and tables."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, optim
from tensorgrad.data import DataLoader, TensorDataset
from tensorgrad.training import accuracy, evaluate, fit, format_table


def two_moons(n=200):
    """Two classes that a line cannot separate."""
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, np.pi, n)
    side = rng.integers(0, 2, n)
    x = np.stack([np.cos(angle) + side, np.sin(angle) * (1 - 2 * side) + 0.4 * side], axis=1)
    return TensorDataset(tg.tensor(x.astype(np.float32)), tg.tensor(side.astype(np.int64)))


def small_model():
    tg.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2))


def test_fit_learns_and_records():
    data = two_moons()
    model = small_model()
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    scheduler = optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    train, validation = DataLoader(data, batch_size=32, shuffle=True), DataLoader(data, 64)
    metrics = {"accuracy": accuracy}
    curves = fit(
        model, nn.CrossEntropyLoss(), optimizer, train, validation,
        epochs=12, scheduler=scheduler, metrics=metrics, progress=False,
    )  # fmt: skip
    assert set(curves) == {"loss", "accuracy"}
    assert all(set(c) == {"train", "validation"} for c in curves.values())
    assert [len(v) for c in curves.values() for v in c.values()] == [12] * 4
    assert curves["loss"]["train"][-1] < 0.5 * curves["loss"]["train"][0]
    assert curves["accuracy"]["validation"][-1] > 0.9
    assert scheduler.last_epoch == 12
    # What was recorded last is what evaluate finds, whatever the size of its batches.
    found = evaluate(model, nn.CrossEntropyLoss(), DataLoader(data, 7), metrics)
    assert found["loss"] == pytest.approx(curves["loss"]["validation"][-1], rel=1e-5)
    assert found["accuracy"] == pytest.approx(curves["accuracy"]["validation"][-1])


def test_schedules_that_follow_the_loss():
    batches = [(tg.ones(4, 2), tg.ones(4, dtype=tg.int64))] * 5
    for validation in (None, batches):
        model = small_model()
        optimizer = optim.SGD(model.parameters(), lr=0.1)
        plateau = optim.lr_scheduler.ReduceLROnPlateau(optimizer, "max", 0.5, patience=0)
        curves = fit(
            model, nn.CrossEntropyLoss(), optimizer, batches, validation,
            epochs=3, scheduler=plateau, progress=False,
        )  # fmt: skip
        # The loss falls, which is worse if it should rise.
        assert plateau.best == curves["loss"]["validation" if validation else "train"][0]
        assert optimizer.param_groups[0]["lr"] == 0.025
    ratio = optim.lr_scheduler.LossRatioLR(optimizer, window=5)
    curves = fit(
        model, nn.CrossEntropyLoss(), optimizer, batches, epochs=3, scheduler=ratio, progress=False
    )
    losses = curves["loss"]["train"]  # an epoch is a window
    assert ratio.last_epoch == 15
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.025 * losses[2] / losses[0])


def test_the_same_seed_gives_the_same_numbers():
    def run():
        model = small_model()
        loader = DataLoader(two_moons(), batch_size=32, shuffle=True)
        optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        return fit(model, nn.CrossEntropyLoss(), optimizer, loader, epochs=3, progress=False)

    first = run()
    assert first == run()
    assert set(first["loss"]) == {"train"}


def test_modes_are_set_and_restored():
    model = nn.Sequential(nn.Dropout(0.5), nn.Linear(2, 2))
    model[0].eval()  # frozen on purpose
    seen = []
    model.register_forward_pre_hook(lambda m, inputs: seen.append(model[0].training))
    loader = DataLoader(two_moons(8), batch_size=8)
    optimizer = optim.SGD(model.parameters())
    fit(model, nn.CrossEntropyLoss(), optimizer, loader, loader, epochs=1, progress=False)
    assert seen == [True, False]
    assert (model.training, model[0].training, model[1].training) == (True, False, True)


def test_evaluate_records_nothing():
    model = small_model()
    outputs = []
    model.register_forward_hook(lambda m, inputs, output: outputs.append(output))
    evaluate(model, nn.CrossEntropyLoss(), DataLoader(two_moons(8), 8))
    assert outputs[0].grad_fn is None
    assert all(p.grad is None for p in model.parameters())


def test_several_inputs():
    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(tg.ones(1))

        def forward(self, a, b):
            return self.scale * (a + b)

    a = tg.tensor([[1.0], [2.0]])
    batches = [(a, a, 4 * a)]
    model = Sum()
    optimizer = optim.SGD(model.parameters(), lr=0.02)
    fit(model, nn.MSELoss(), optimizer, batches, epochs=60, progress=False)
    assert model.scale.item() == pytest.approx(2, abs=1e-3)


def test_a_loss_that_is_not_finite_stops():
    model = nn.Linear(1, 1)
    before = model.weight.detach().clone()
    batches = [(tg.tensor([[np.inf]]), tg.tensor([[1.0]]))]
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(FloatingPointError, match=r"batch 1 of epoch 1.*learning rate below 0\.1"):
        fit(model, nn.MSELoss(), optimizer, batches, epochs=1, progress=False)
    assert model.weight.tolist() == before.tolist()


@pytest.mark.parametrize(
    ("loader", "epochs", "error", "message"),
    [
        ([], 1, ValueError, "fit: the loader gave no batches"),
        ([tg.ones(2)], 1, TypeError, r"\(input, ..., target\), got Tensor"),
        ([(tg.ones(2),)], 1, TypeError, "got tuple"),
        ([], -1, ValueError, "epochs must not be negative"),
    ],
)
def test_refusals_of_fit(loader, epochs, error, message):
    model = small_model()
    optimizer = optim.SGD(model.parameters())
    with pytest.raises(error, match=message):
        fit(model, nn.CrossEntropyLoss(), optimizer, loader, epochs=epochs, progress=False)


def test_lbfgs_is_refused():
    model = small_model()
    optimizer = optim.LBFGS(model.parameters())
    with pytest.raises(TypeError, match=r"optimizer\.step\(closure\)"):
        fit(model, nn.CrossEntropyLoss(), optimizer, [], epochs=1, progress=False)


def test_the_bar_shows_the_numbers(capsys):
    loader = DataLoader(two_moons(8), 8)
    model = small_model()
    fit(
        model, nn.CrossEntropyLoss(), optim.SGD(model.parameters()), loader,
        epochs=1, metrics={"accuracy": accuracy}, description="moons",
    )  # fmt: skip
    shown = capsys.readouterr().err
    assert "moons" in shown
    assert "accuracy=0." in shown


def test_accuracy():
    outputs = tg.tensor([[0.1, 0.9], [0.8, 0.2], [0.5, 0.5], [0.0, 1.0]])
    assert accuracy(outputs, tg.tensor([1, 0, 0, 0])) == 0.75
    pixels = tg.tensor(np.eye(3)[[[0, 1], [2, 2]]].transpose(0, 2, 1))  # (2, 3 classes, 2)
    assert accuracy(pixels, tg.tensor([[0, 1], [2, 0]])) == 0.75


@pytest.mark.parametrize(
    ("outputs", "targets", "error", "message"),
    [
        (tg.ones(4, 2), tg.ones(4), TypeError, "must be class numbers"),
        (tg.ones(4, 2), tg.zeros(4, 2, dtype=tg.int64), ValueError, r"expected outputs \(N, C"),
        (tg.ones(4), tg.zeros(4, dtype=tg.int64), ValueError, r"float32\(4\)"),
        (tg.ones(0, 2), tg.zeros(0, dtype=tg.int64), ValueError, "no samples"),
    ],
)
def test_refusals_of_accuracy(outputs, targets, error, message):
    with pytest.raises(error, match=message):
        accuracy(outputs, targets)


def test_format_table():
    text = format_table(["", "loss"], [["first", "0.5"], [], ["b", "12.25"]])
    assert text.splitlines() == [
        "        loss",
        "-----  -----",
        "first    0.5",
        "-----  -----",
        "b      12.25",
    ]
    with pytest.raises(ValueError, match="1 cells, there are 2 columns"):
        format_table(["a", "b"], [["x"]])
