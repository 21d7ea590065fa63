"""The examples without their data: what they build, that a short run works, and what they refuse.

Continuous integration runs them on the real data, against their bars.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import DataLoader, Digits, TensorDataset

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def made_up(shape, n=64):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, n)
    # Each class has its own brightness, so that a few steps are enough to see the loss fall.
    images = rng.integers(0, 100, (n, *shape)) + 15 * labels.reshape(-1, *(1 for _ in shape))
    return TensorDataset(tg.tensor(images.astype(np.uint8)), tg.tensor(labels))


def parameters(model):
    return sum(p.numel() for p in model.parameters())


def loss_of(model, data):
    images, labels = data[:]
    with tg.no_grad():
        return tg.nn.functional.cross_entropy(model(images), labels).item()


def test_mnist_cnn():
    example = load("mnist_cnn")
    tg.manual_seed(0)
    data = made_up((1, 28, 28))
    model = example.make_model(mean=100.0)
    assert parameters(model) == 14_682  # the report's table
    before = loss_of(model, data)
    example.train(model, data, DataLoader(data, 32), steps=30)
    assert loss_of(model, data) < 0.9 * before


def test_cifar_mlp():
    example = load("cifar_mlp")
    tg.manual_seed(0)
    data = made_up((3, 32, 32))
    mean = data[:][0].float().mean(0)
    model = example.make_model(mean)
    assert parameters(model) == 308_310
    loader = DataLoader(data, 64, shuffle=True)
    found = example.train(model, loader, DataLoader(data, 64), steps=200, name="made up")
    assert len(found) == 2
    assert found[-1] > 0.3  # ten classes: guessing would give 0.1


def test_demo():
    demo = load("demo")
    images = Digits(train=False)
    for make, count in ((demo.make_mlp, 9_610), (demo.make_cnn, 15_418)):
        tg.manual_seed(0)
        model = make()
        assert parameters(model) == count
        numbers = demo.measure(model, images, images)
        assert numbers[0] == numbers[1] == pytest.approx(np.log(10), abs=0.2)
    batch, labels = next(iter(DataLoader(images, batch_size=4)))
    demo.check_a_gradient(batch, labels)


@pytest.mark.parametrize("name", ["mnist_cnn", "cifar_mlp"])
def test_missing_data(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [name, "--data", str(tmp_path)])
    with pytest.raises(SystemExit) as stopped:
        load(name).main()
    assert stopped.value.code == 2
    assert str(tmp_path) in capsys.readouterr().err
