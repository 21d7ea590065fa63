"""Backpropagation by hand, by the machine: the derivation of a small net as text, HTML and LaTeX.

    python examples/derive_backprop.py [--out out]

A network with one hidden layer, softmax and cross entropy, on four points of the plane. Prints the
chain rule from the loss to each parameter, step by step with a check of each; writes the same as
derivation.html (open it in a browser) and derivation.tex (an ``align`` for a report); and then
checks a derivation by hand that has a mistake.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import tensorgrad as tg
from tensorgrad import nn, viz
from tensorgrad.nn import functional as F


def make_loss() -> tuple[tg.Tensor, nn.Module, tg.Tensor, tg.Tensor]:
    """The loss of the net on XOR, the net, its scores and the classes."""
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2)).double()
    x = tg.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], dtype=tg.float64)
    t = tg.tensor([0, 1, 1, 0])
    z = model(x)
    loss = F.cross_entropy(z, t)
    return loss, model, z, t


def by_hand(z: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The gradient of the scores, without the division by the size of the batch."""
    y = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    y[np.arange(len(t)), t] -= 1
    return y


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("out"), help="where the files go")
    out = parser.parse_args().out
    loss, model, z, _ = make_loss()
    figure = viz.derive(loss, model)
    print(figure)
    out.mkdir(parents=True, exist_ok=True)
    print()
    for name in ("derivation.html", "derivation.tex"):
        print("wrote", figure.save(out / name))
    print()
    print(viz.check_derivation(loss, z, by_hand))


if __name__ == "__main__":
    main()
