"""How the cost of a training step grows with the batch, the depth, the width and the graph.

    python benchmarks/scaling.py [--only batch depth width graph] [--json FILE] [--quick]

In proportion to the size means a line of slope 1 in the picture (two log axes); the printed
exponents are the slopes between neighbouring sizes.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from timing import race  # first: it sets OpenBLAS's time-out before NumPy is imported

# isort: split
import models
import results
from chart import slopes
from libraries import libraries
from workloads import Workload, labels, mnist_cnn, normal, trained


def _mlp(lib: Any, batch: int, sizes: tuple[int, ...]) -> Workload:
    return trained(
        lib,
        models.mlp(lib, sizes, "ReLU"),
        normal(batch, sizes[0]),
        labels(batch),
        lambda model: lib.optim.SGD(model.parameters(), lr=1e-3),
    )


def _chain(lib: Any, nodes: int) -> Workload:
    """The chain of `graph`: a multiplication and an addition on 16 numbers, again and again."""
    x, c = (lib.ones(16, requires_grad=True) for _ in range(2))

    def loss() -> Any:
        y = x
        for _ in range(nodes // 2):
            y = y * c
            y = y + x
        return y.sum()

    return Workload({"x": x, "c": c}, loss)


Axis = tuple[str, str, tuple[int, ...], Callable[[Any, int], Workload]]
AXES: dict[str, Axis] = {
    "batch": (
        "784-300-10: batch size",
        "examples",
        (1, 4, 16, 64, 256, 1024),
        lambda lib, n: _mlp(lib, n, (784, 300, 10)),
    ),
    "images": (
        "mnist_cnn: batch size",
        "images",
        (1, 4, 16, 64, 256),
        lambda lib, n: mnist_cnn(lib, n),
    ),
    "depth": (
        "MLP of width 128, batch 64: depth",
        "layers",
        (2, 8, 32, 128),
        lambda lib, n: _mlp(lib, 64, (128,) * n + (10,)),
    ),
    "width": (
        "MLP of 3 layers, batch 64: width",
        "features of a layer",
        (16, 64, 256, 1024, 2048),
        lambda lib, n: _mlp(lib, 64, (n, n, n, 10)),
    ),
    "graph": (
        "chain of operations on 16 numbers: nodes",
        "nodes",
        (100, 1_000, 10_000, 100_000),
        _chain,
    ),
}


def measure(axis: str, seconds: float) -> dict[str, Any]:
    """Milliseconds of a step by size, for each library."""
    title, x_label, sizes, build = AXES[axis]
    print(title)
    contestants = libraries()
    lines: dict[str, list[tuple[int, float]]] = {name: [] for name in contestants}
    for size in sizes:
        steps = {name: build(lib, size) for name, lib in contestants.items()}
        for name, t in race(steps, seconds=seconds).items():
            lines[name].append((size, t["median"] * 1e3))
        shown = "  ".join(f"{name} {line[-1][1]:10.3f} ms" for name, line in lines.items())
        print(f"  {size:>8,} {shown}", flush=True)
    for name, line in lines.items():
        steep = ", ".join(f"{s:.2f}" for s in slopes([(float(x), y) for x, y in line]))
        print(f"  exponents of {name}: {steep}")
    return {"title": title, "x_label": x_label, "lines": lines}


def main() -> None:
    """Measure what was asked for; print and store it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="*", choices=AXES, default=[])
    parser.add_argument("--quick", action="store_true", help="a tenth of the time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="add to this result file")
    args = parser.parse_args()
    seconds = 0.05 if args.quick else 0.5
    found = {"scaling": {axis: measure(axis, seconds) for axis in args.only or AXES}}
    if args.json:
        stored = results.load(args.json) if args.json.exists() else {"about": results.about()}
        args.json.write_text(json.dumps(results.update(stored, found), indent=1) + "\n")


if __name__ == "__main__":
    main()
