"""The examples without their data: what they build, that a short run works, and what they refuse.

Continuous integration runs them on the real data, against their bars.
"""

from __future__ import annotations

import functools
import importlib.util
import math
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


@pytest.mark.parametrize("disable", [False, True])
def test_cifar_mlp(monkeypatch, disable):
    example = load("cifar_mlp")
    # As TQDM_DISABLE=1 does: such a bar counts nothing.
    monkeypatch.setattr(example, "tqdm", functools.partial(example.tqdm, disable=disable))
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


WORDS = ("the quick brown fox jumps over a lazy dog, and the dog does not care. " * 80).split()


def test_char_gpt():
    example = load("char_gpt")
    tg.manual_seed(0)
    text = example.Text(" ".join(WORDS), block=16)
    assert text.decode(text.training[:9]) == "the quick"
    config = example.Config(len(text.alphabet), block=16, layers=2, heads=2, features=32)
    model = example.GPT(config)
    assert model.head.weight is model.tokens.weight
    assert parameters(model) == (len(text.alphabet) + 16 + 2) * 32 + 2 * 12_704
    x, y = text.batch()
    assert tg.equal(x[:, 1:], y[:, :-1])
    model.eval()
    changed = x.clone()
    changed[:, 9] = (changed[:, 9] + 1) % len(text.alphabet)
    same = (model(x) == model(changed)).all(-1).all(0)
    assert same[:9].all()  # nothing looks ahead
    assert not same[9]
    assert text.bits(model) == pytest.approx(math.log2(len(text.alphabet)), abs=0.3)
    example.train(model, text, steps=60, rate=1e-2)
    assert text.bits(model) < text.bits_of_pairs() < 3
    assert model.generate(x[:2], 20).shape == (2, 36)


def test_lstm_words():
    example = load("lstm_words")
    tg.manual_seed(0)
    text = example.Text(" ".join(WORDS * 3))
    pieces = example.pieces(text.training)
    assert sum(words.numel() for words, _ in pieces) == text.training[1:].numel()
    assert all(words.shape == following.shape for words, following in pieces)
    model = example.Model(len(text.words), 32)
    before = example.perplexity(model, text.validation)
    assert before == pytest.approx(len(text.words), rel=0.2)
    reached = example.train(model, text, epochs=10, rate=2e-2)
    assert reached < text.perplexity_of_counts() / 2
    assert example.perplexity(model, text.validation) == pytest.approx(reached)
    assert "fox" in example.write(model, text, 40)


@pytest.mark.parametrize("name", ["char_gpt", "lstm_words"])
def test_missing_text(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [name, "--text", str(tmp_path / "absent.txt")])
    with pytest.raises(SystemExit) as stopped:
        load(name).main()
    assert stopped.value.code == 2
    assert "absent.txt" in capsys.readouterr().err


def test_vae_mnist(tmp_path, monkeypatch, capsys):
    example = load("vae_mnist")
    monkeypatch.setenv("TENSORGRAD_DATA", str(tmp_path))  # where no MNIST is
    task = example.load(None, quick=True)
    assert "bundled digits" in capsys.readouterr().out
    assert [len(task.training), len(task.test), task.side, task.dots] == [1442, 355, 8, 16]
    assert 0 <= task.training[:][0].min() < task.training[:][0].max() == 1
    tg.manual_seed(0)
    assert parameters(example.VAE()) == 795_204
    model = example.VAE(64, 64, 32, latent=8)
    assert parameters(model) == 65 * 64 + 65 * 32 + 2 * 33 * 8 + 9 * 32 + 33 * 64 + 65 * 64
    before = example.evaluate(model, task)
    # Nothing known: each of 64 pixels' 16 dots costs a bit, and the points nearly nothing.
    assert before == pytest.approx(64 * 16 * math.log(2), rel=0.05)
    example.train(model, task._replace(passes=25))
    # What knowing each pixel's mean is worth, and then what the digit itself is.
    (ink,) = task.training[:]
    mean = ink.mean(0).clamp(1e-3, 1 - 1e-3).expand_as(ink)
    known = 16 * 64 * tg.nn.functional.binary_cross_entropy(mean, ink).item()
    assert example.evaluate(model, task) < 0.9 * known < 0.6 * before
    picture = example.draw(model, task)
    assert (picture.shape, picture.dtype) == ((500, 800), np.uint8)
    # What it draws is mostly paper, with ink in the middle, as the digits are.
    drawn = model.sample(200).reshape(-1, 8, 8).mean(0)
    assert drawn[:, 0].max() < 0.2 < drawn[:, 3:5].mean()


def test_the_bound_of_the_vae():
    example = load("vae_mnist")
    mean, log_variance = tg.tensor([[1.0, -2.0]]), tg.tensor([[0.0, math.log(4.0)]])
    logits = tg.zeros(1, 3)
    # KL(N(m, s²) | N(0, 1)) = (s² + m² - 1) / 2 - ln s, worked by hand.
    expected = 3 * math.log(2) + 0.5 + (4 + 4 - 1) / 2 - math.log(2)
    found = example.bound(logits, tg.tensor([[0.0, 0.5, 1.0]]), mean, log_variance, 1)
    assert found.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", ["mnist_cnn", "cifar_mlp", "vae_mnist"])
def test_missing_data(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [name, "--data", str(tmp_path)])
    with pytest.raises(SystemExit) as stopped:
        load(name).main()
    assert stopped.value.code == 2
    assert str(tmp_path) in capsys.readouterr().err


def test_derive_backprop(tmp_path, monkeypatch, capsys):
    example = load("derive_backprop")
    monkeypatch.setattr(sys, "argv", ["derive_backprop.py", "--out", str(tmp_path)])
    example.main()
    printed = capsys.readouterr().out
    assert "✗" not in printed
    assert printed.count("✓") == 11  # each term, and each whole gradient
    assert "4 is the size of axis 0 of z" in printed
    assert "<math" in (tmp_path / "derivation.html").read_text(encoding="utf-8")
    assert r"\begin{align}" in (tmp_path / "derivation.tex").read_text(encoding="utf-8")
