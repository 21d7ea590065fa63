"""What NumPy leaves possible: the LSTM and the GPT on one example, without any library.

    python benchmarks/bare_models.py [lstm|transformer ...] [--seconds 4]

A line for each product and each of NumPy's functions, on arrays made beforehand, no modules, no
Tensors, no checks: in turns with tensorgrad and PyTorch.  Outputs are compared first; GELU is its
tanh approximation here, since NumPy has no error function.
"""

import argparse
from collections.abc import Callable
from typing import Any

from timing import race  # first: it sets OpenBLAS's time-out before NumPy is imported

# isort: split
import numpy as np
from libraries import libraries
from workloads import WORKLOADS

Array = Any


def parameters(workload: Any) -> dict[str, Array]:
    """By name, as arrays."""
    return {name: p.detach().numpy() for name, p in workload.model.named_parameters()}


def bare_lstm(p: dict[str, Array], x: Array) -> Callable[[], Array]:
    """All gates by products of halves: sigmoid(z) = (1 + tanh(z / 2)) / 2."""
    weights = p["lstm.weight_ih_l0"], p["lstm.weight_hh_l0"]
    hidden = weights[1].shape[1]
    # PyTorch's order is i, f, g, o; here o, i, f, g, and the state c behind them, so that one
    # multiplication gives i g and f c.
    order = np.r_[3 * hidden : 4 * hidden, 0 : 3 * hidden]
    half = np.repeat(np.float32([0.5, 0.5, 0.5, 1.0]), hidden)
    of_x, of_h = (np.ascontiguousarray(w[order] * half[:, None]) for w in weights)
    bias = ((p["lstm.bias_ih_l0"] + p["lstm.bias_hh_l0"])[order] * half)[:, None]
    of_h *= np.float32(0.5)  # h is kept doubled
    row, one = np.zeros(5 * hidden, np.float32), np.float32(1)
    gates, c = row[: 4 * hidden], row[4 * hidden :]
    sigmoids, left, right = row[: 3 * hidden], row[hidden : 3 * hidden], row[3 * hidden :]
    z, products = np.empty(4 * hidden, np.float32), np.empty(2 * hidden, np.float32)
    first, second, o, y = products[:hidden], products[hidden:], row[:hidden], np.empty_like(c)
    head, of_head = p["head.weight"] * np.float32(0.5), p["head.bias"]

    def run() -> Array:
        c[...] = 0
        h = np.zeros(hidden, np.float32)
        projected = np.dot(of_x, x.T)
        projected += bias
        for inputs in np.ascontiguousarray(projected.T):
            np.dot(of_h, h, out=z)
            np.add(z, inputs, out=z)
            np.tanh(z, out=gates)
            np.add(sigmoids, one, out=sigmoids)
            np.multiply(left, right, out=products)
            np.add(first, second, out=c)
            np.multiply(c, 0.5, out=c)
            np.tanh(c, out=y)
            np.multiply(o, y, out=h)
        return head @ h + of_head

    return run


def bare_gpt(p: dict[str, Array], tokens: Array) -> Callable[[], Array]:
    """A line for each product and each function of NumPy."""
    time, (_, features) = len(tokens), p["tokens.weight"].shape
    heads = 4
    scale = np.float32((features // heads) ** -0.5)
    mask = np.triu(np.full((time, time), -np.inf, np.float32), 1)
    a, b = np.float32(0.5 * 0.7978845608 * 2), np.float32(0.044715)

    def linear(x: Array, name: str) -> Array:
        y = np.dot(x, p[f"{name}.weight"].T)
        y += p[f"{name}.bias"]
        return y

    def norm(x: Array, name: str) -> Array:
        y = x - np.add.reduce(x, 1, keepdims=True) / np.float32(features)
        y /= np.sqrt(np.einsum("ij,ij->i", y, y) / np.float32(features) + np.float32(1e-5))[:, None]
        y *= p[f"{name}.weight"]
        y += p[f"{name}.bias"]
        return y

    def attend(x: Array, name: str) -> Array:
        q, k, v = linear(x, f"{name}.qkv").reshape(time, 3, heads, -1).transpose(1, 2, 0, 3)
        scores = np.matmul(q * scale, k.transpose(0, 2, 1))
        scores += mask
        np.exp(scores, out=scores)
        y = np.matmul(scores, v)
        y /= np.add.reduce(scores, 2, keepdims=True)
        return linear(y.transpose(1, 0, 2).reshape(time, features), f"{name}.out")

    def gelu(x: Array) -> Array:
        y = x * x
        y *= b
        y += np.float32(1)
        y *= x
        y *= a
        np.tanh(y, out=y)
        y += np.float32(1)
        y *= x
        y *= np.float32(0.5)
        return y

    def run() -> Array:
        x = p["tokens.weight"][tokens] + p["places.weight"]
        for block in ("blocks.0", "blocks.1"):
            x += attend(norm(x, f"{block}.norm1"), f"{block}.attention")
            y = gelu(linear(norm(x, f"{block}.norm2"), f"{block}.mlp.0"))
            x += linear(y, f"{block}.mlp.2")
        return np.dot(norm(x, "norm"), p["head.weight"].T)

    return run


def forward(name: str, bare: Callable[..., Any], seconds: float) -> None:
    """The bare loop beside the libraries."""
    made = {library: WORKLOADS[name](lib) for library, lib in libraries().items()}
    runs = {library: workload.predict(1) for library, workload in made.items()}
    workload = made["tensorgrad"]
    runs = {"bare": bare(parameters(workload), workload.data[0][0]), **runs}
    answers = {library: np.asarray(run()).reshape(-1) for library, run in runs.items()}
    for library, answer in answers.items():
        error = np.max(np.abs(answer - answers["tensorgrad"]))
        if error > 2e-3 * np.max(np.abs(answer)):
            raise SystemExit(f"{name}: {library} differs from tensorgrad by {error:.1e}")
    found = race(runs, seconds=seconds)
    print(f"{name} on one example, ms (10th percentile)")
    for library, t in found.items():
        print(f"  {library:<12} {t['median'] * 1e3:6.3f} ({t['p10'] * 1e3:.3f})")


BARE = {"lstm": bare_lstm, "transformer": bare_gpt}


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[*BARE, []], help="both by default")
    parser.add_argument("--seconds", type=float, default=4.0, help="for each contestant")
    args = parser.parse_args()
    for name in args.names or BARE:
        forward(name, BARE[name], args.seconds)


if __name__ == "__main__":
    main()
