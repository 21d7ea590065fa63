"""fit with a folder: logs, the best epoch, stopping early, and going on after a kill -9."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, optim
from tensorgrad.data import DataLoader, RandomSampler, TensorDataset
from tensorgrad.training import FScore, accuracy, fit

ROOT = Path(__file__).resolve().parents[2]

# Everything that has a state is in it: batch norm, dropout, momentum, a schedule, an order drawn
# from a generator, draws from Python's and NumPy's, a metric of the whole epoch.
PROGRAM = """
import os, random, signal, sys
import numpy as np
import tensorgrad as tg
from tensorgrad import nn, optim
from tensorgrad.data import DataLoader, TensorDataset
from tensorgrad.training import FScore, accuracy, fit

folder, kind, last = sys.argv[1], sys.argv[2], int(sys.argv[3])
tg.manual_seed(0); random.seed(1); np.random.seed(2)
x = tg.randn(70, 4)
y = (x[:, 0] + x[:, 1] * x[:, 2] > 0).long()
first, last_layer = nn.Linear(4, 8), nn.Linear(8, 2)
model = nn.Sequential(first, nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), last_layer)
if kind == "adam":
    optimizer = optim.AdamW(model.parameters(), lr=0.02, amsgrad=True)
    scheduler = optim.lr_scheduler.OneCycleLR(optimizer, 0.05, total_steps=10)
else:
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    scheduler = optim.lr_scheduler.LossRatioLR(optimizer, window=3)
data = TensorDataset(x, y)
if kind == "list":
    class Drawn:  # no state_dict: it is gone through again
        def __iter__(self):
            for k in tg.randperm(70, generator=self.generator).split(8):
                yield x[k], y[k]
    loader = Drawn()
    loader.generator = tg.Generator().manual_seed(5)
elif kind in ("generator", "workers"):
    workers = 2 if kind == "workers" else 0
    own = tg.Generator().manual_seed(5)
    loader = DataLoader(data, 8, shuffle=True, generator=own, num_workers=workers)
else:
    loader = DataLoader(data, 8, shuffle=True)
calls = 0

def loss(output, target):
    global calls
    if model.training:
        calls += 1
        if calls == last:
            os.kill(os.getpid(), signal.SIGKILL)
        noise = random.random() + np.random.rand() + tg.rand(()).item()
        return nn.functional.cross_entropy(output * (1 + 0.1 * noise), target)
    return nn.functional.cross_entropy(output, target)

curves = fit(
    model, loss, optimizer, loader, DataLoader(data, 32), epochs=4, scheduler=scheduler,
    metrics={"accuracy": accuracy, "F1": FScore(2)}, progress=False, folder=folder,
    checkpoint_every=2, resume=True, monitor="F1", mode="max", patience=3,
    restore_best=kind == "list",
)
tg.save({
    "model": model.state_dict(), "optimizer": optimizer.state_dict(),
    "scheduler": scheduler.state_dict(), "curves": curves, "drawn": tg.rand(3),
    "python": random.random(), "numpy": np.random.rand(),
}, folder + "/end")
"""


def run(folder, kind, last):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), kind, str(last)],
        env={"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "PATH": ""},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def same(a, b, path=""):
    """Equal to the last bit, through containers."""
    assert type(a) is type(b), path
    if isinstance(a, dict):
        assert list(a) == list(b), path
        for key in a:
            same(a[key], b[key], f"{path}/{key}")
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b), path
        for k, (one, other) in enumerate(zip(a, b)):
            same(one, other, f"{path}/{k}")
    elif isinstance(a, tg.Tensor):
        assert a.dtype == b.dtype, path
        assert a.numpy().tobytes() == b.numpy().tobytes(), path
    else:
        assert a == b, path


# Four processes each: `make test` runs two of them, which differ in everything.
@pytest.mark.parametrize(
    "kind",
    ["adam", "workers", *(pytest.param(k, marks=pytest.mark.long) for k in ("generator", "list"))],
)
def test_going_on_after_kill_9(tmp_path, kind):
    """Two kills in the middle of epochs; 9 batches an epoch, a checkpoint every second."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    done = run(whole, kind, 10_000)
    assert done.returncode == 0, done.stderr
    # Of the first process 5 batches are over, of which 4 are kept; the second is killed in the
    # third epoch, the third goes on from there.
    for last in (6, 17):
        done = run(killed, kind, last)
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert not (killed / "end").exists()
    done = run(killed, kind, 10_000)
    assert done.returncode == 0, done.stderr
    same(tg.load(killed / "end"), tg.load(whole / "end"))
    best = "best.safetensors"
    same(tg.load(killed / best), tg.load(whole / best))
    for name in ("history.csv", "history.jsonl"):
        ours, theirs = (
            without_seconds((folder / name).read_text("utf-8"), name) for folder in (killed, whole)
        )
        assert ours == theirs, name
    # Once it is over, going on changes nothing.
    end = tg.load(killed / "end")
    assert run(killed, kind, 10_000).returncode == 0
    again = tg.load(killed / "end")
    same(again["model"], end["model"])
    same(again["curves"], end["curves"])


def without_seconds(text, name):
    if name.endswith("jsonl"):
        rows = [json.loads(line) for line in text.splitlines()]
    else:
        rows = list(csv.DictReader(text.splitlines()))
    assert [int(row["epoch"]) for row in rows] == list(range(1, len(rows) + 1))
    for row in rows:
        assert float(row.pop("seconds")) >= 0
    return rows


def small_run(**options):
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 2))
    x = tg.randn(20, 2)
    data = TensorDataset(x, (x[:, 0] > 0).long())
    optimizer = optim.SGD(model.parameters(), lr=0.5)
    loader = DataLoader(data, 5, shuffle=True)
    options = {"epochs": 3, "progress": False, **options}
    curves = fit(model, nn.CrossEntropyLoss(), optimizer, loader, DataLoader(data, 20), **options)
    return model, curves


def test_logs(tmp_path):
    _, curves = small_run(folder=tmp_path, metrics={"accuracy": accuracy, "F1": FScore(2)})
    with open(tmp_path / "history.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "epoch", "train_loss", "train_accuracy", "train_F1", "validation_loss",
        "validation_accuracy", "validation_F1", "lr", "seconds",
    ]  # fmt: skip
    assert [float(row["train_loss"]) for row in rows] == curves["loss"]["train"]
    assert [float(row["validation_F1"]) for row in rows] == curves["F1"]["validation"]
    text = (tmp_path / "history.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["validation_loss"] for line in lines] == curves["loss"]["validation"]
    assert {line["lr"] for line in lines} == {0.5}


def test_tensorboard(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    _, curves = small_run(folder=tmp_path, tensorboard=True)
    found = EventAccumulator(str(tmp_path)).Reload()
    for split in ("train", "validation"):
        events = found.Scalars(f"loss/{split}")
        assert [event.step for event in events] == [1, 2, 3]
        np.testing.assert_allclose([e.value for e in events], curves["loss"][split], rtol=1e-6)
    assert found.Scalars("lr")[0].value == 0.5


class Sequence:
    """A metric that says what it is told to say, epoch by epoch."""

    def __init__(self, values):
        self.values, self.epoch = values, -1

    def reset(self):
        pass

    def update(self, outputs, targets):
        pass

    def compute(self):
        self.epoch += 1
        return self.values[self.epoch // 2]  # asked of the training data, then of the others


@pytest.mark.parametrize(
    ("values", "mode", "patience", "min_delta", "epochs", "best"),
    [
        ([5, 4, 4, 4, 3, 0], "min", 2, 0.0, 4, 2),
        ([5, 4, 4, 4, 3, 0], "min", 3, 0.0, 6, 6),
        ([1, 2, 3, 2, 2, 2], "max", 2, 0.0, 5, 3),
        ([5.0, 4.9, 4.8, 4.7, 4.6, 4.5], "min", 3, 0.25, 6, 6),  # 4.7 is enough below 5
        ([5.0, 4.9, 4.8, 4.7, 4.6, 4.5], "min", 2, 0.5, 3, 3),
        ([5, float("nan"), float("nan"), 4, 4, 4], "min", 2, 0.0, 3, 1),
        ([5, 6, 7, 8, 9, 9], "min", None, 0.0, 6, 1),
    ],
)
def test_stopping_early_and_the_best_epoch(
    tmp_path, values, mode, patience, min_delta, epochs, best
):
    options = {"monitor": "said", "mode": mode, "patience": patience, "min_delta": min_delta}
    for folder in (None, tmp_path):
        model, curves = small_run(
            epochs=6, metrics={"said": Stated(values)}, restore_best=True, folder=folder, **options
        )
        assert len(curves["said"]["validation"]) == epochs
        # Without restoring, a run that ends with the best epoch has the same weights.
        other, _ = small_run(epochs=best)
        same(dict(model.state_dict()), dict(other.state_dict()))
    same(dict(tg.load(tmp_path / "best.safetensors")), dict(model.state_dict()))


class Stated(Sequence):
    def state_dict(self):
        return {"epoch": self.epoch}

    def load_state_dict(self, state):
        self.epoch = state["epoch"]


def test_more_epochs_later(tmp_path):
    model, curves = small_run(epochs=5)
    small_run(epochs=2, folder=tmp_path)
    later, both = small_run(epochs=5, folder=tmp_path, resume=True)
    same(both, curves)
    same(dict(later.state_dict()), dict(model.state_dict()))


def test_other_loaders_can_be_resumed_too(tmp_path):
    """A sampler that draws as it goes, from a generator of its own."""

    def go(stop, folder, resume=False):
        tg.manual_seed(3)
        model = nn.Linear(2, 1)
        x = tg.randn(30, 2)
        data = TensorDataset(x, x.sum(1, keepdim=True))
        own = tg.Generator().manual_seed(4)
        sampler = RandomSampler(data, replacement=True, num_samples=26, generator=own)
        count = 0

        def loss(output, target):
            nonlocal count
            count += 1
            if count == stop:
                raise KeyboardInterrupt
            return nn.functional.mse_loss(output, target)

        fit(
            model, loss, optim.Adam(model.parameters(), 0.1), DataLoader(data, 4, sampler=sampler),
            epochs=3, progress=False, folder=folder, checkpoint_every=1, resume=resume,
        )  # fmt: skip
        return dict(model.state_dict())

    expected = go(None, tmp_path / "a")
    with pytest.raises(KeyboardInterrupt):
        go(11, tmp_path / "b")
    same(go(None, tmp_path / "b", resume=True), expected)


def test_a_folder_that_is_used_is_refused(tmp_path):
    small_run(folder=tmp_path)
    with pytest.raises(FileExistsError, match="resume=True"):
        small_run(folder=tmp_path)
    with pytest.raises(ValueError, match=r"measures \['loss'\], this run \['accuracy', 'loss'\]"):
        small_run(folder=tmp_path, resume=True, metrics={"accuracy": accuracy})
    with pytest.raises(ValueError, match="monitors 'loss'"):
        small_run(folder=tmp_path, resume=True, mode="max")
    tg.save({"a": 1}, tmp_path / "checkpoint.safetensors")
    with pytest.raises(ValueError, match="no checkpoint that fit wrote"):
        small_run(folder=tmp_path, resume=True)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"monitor": "accuracy"}, ValueError, "monitor='accuracy' is not measured; there are loss"),
        ({"mode": "least"}, ValueError, "'min' or 'max'"),
        ({"patience": 0}, ValueError, "at least 1 epoch"),
        ({"min_delta": -1}, ValueError, "min_delta"),
        ({"checkpoint_every": 5}, ValueError, "need a folder"),
        ({"resume": True}, ValueError, "need a folder"),
        ({"tensorboard": True}, ValueError, "needs a folder"),
        ({"metrics": {"loss": accuracy}}, ValueError, "choose another"),
        ({"metrics": {"a": 3}}, TypeError, "function of"),
    ],
)
def test_refusals(options, error, message):
    with pytest.raises(error, match=message):
        small_run(**options)


def test_refusals_with_a_folder(tmp_path):
    with pytest.raises(ValueError, match="at least 1 batch"):
        small_run(folder=tmp_path, checkpoint_every=0)
    with pytest.raises(TypeError, match="'said', a Sequence, needs state_dict"):
        small_run(folder=tmp_path, metrics={"said": Sequence([1] * 9)})
