"""Forty operations on (8, 8), forward and backward: what one operation costs beside its arithmetic.

The figure is the geometric mean of the forty ratios to PyTorch.  The backward starts from a given
gradient of the result's shape, so that nothing but the operation itself is in the graph.
"""

from collections.abc import Callable
from statistics import geometric_mean
from typing import Any

import numpy as np
from timing import race
from workloads import Workload

# Of the library, two (8, 8) tensors and a row (8) with elements in (0.5, 1.5), and three indices.
Function = Callable[[Any, Any, Any, Any, Any], Any]

ELEMENTWISE: dict[str, Function] = {
    "add": lambda lib, x, y, row, places: x + y,
    "add a row": lambda lib, x, y, row, places: x + row,
    "sub": lambda lib, x, y, row, places: x - y,
    "mul": lambda lib, x, y, row, places: x * y,
    "mul by a number": lambda lib, x, y, row, places: x * 2.5,
    "div": lambda lib, x, y, row, places: x / y,
    "neg": lambda lib, x, y, row, places: -x,
    "pow": lambda lib, x, y, row, places: x**3,
    "exp": lambda lib, x, y, row, places: x.exp(),
    "log": lambda lib, x, y, row, places: x.log(),
    "sqrt": lambda lib, x, y, row, places: x.sqrt(),
    "abs": lambda lib, x, y, row, places: x.abs(),
    "sin": lambda lib, x, y, row, places: x.sin(),
    "cos": lambda lib, x, y, row, places: x.cos(),
    "tanh": lambda lib, x, y, row, places: x.tanh(),
    "sigmoid": lambda lib, x, y, row, places: x.sigmoid(),
    "relu": lambda lib, x, y, row, places: x.relu(),
    "clamp": lambda lib, x, y, row, places: x.clamp(0.7, 1.3),
    "maximum": lambda lib, x, y, row, places: lib.maximum(x, y),
    "where": lambda lib, x, y, row, places: lib.where(x > 1.0, x, y),
}
REDUCTIONS: dict[str, Function] = {
    "sum": lambda lib, x, y, row, places: x.sum(),
    "sum of rows": lambda lib, x, y, row, places: x.sum(dim=1),
    "mean": lambda lib, x, y, row, places: x.mean(),
    "mean of columns": lambda lib, x, y, row, places: x.mean(dim=0, keepdim=True),
    "amax": lambda lib, x, y, row, places: x.amax(dim=1),
    "var": lambda lib, x, y, row, places: x.var(dim=1),
    "norm": lambda lib, x, y, row, places: x.norm(),
    "logsumexp": lambda lib, x, y, row, places: x.logsumexp(dim=1),
}
SHAPE: dict[str, Function] = {
    "reshape": lambda lib, x, y, row, places: x.reshape(4, 16),
    "transpose": lambda lib, x, y, row, places: x.transpose(0, 1),
    "unsqueeze": lambda lib, x, y, row, places: x.unsqueeze(1),
    "expand": lambda lib, x, y, row, places: x.expand(4, 8, 8),
    "slice": lambda lib, x, y, row, places: x[2:6, 1:],
    "index by a tensor": lambda lib, x, y, row, places: x[places],
    "cat": lambda lib, x, y, row, places: lib.cat([x, y]),
    "stack": lambda lib, x, y, row, places: lib.stack([x, y]),
}
LINEAR_ALGEBRA: dict[str, Function] = {
    "matmul": lambda lib, x, y, row, places: x @ y,
    "matrix times vector": lambda lib, x, y, row, places: x @ row,
    "linear": lambda lib, x, y, row, places: lib.nn.functional.linear(x, y, row),
    "inverse": lambda lib, x, y, row, places: lib.linalg.inv(x),
}
OPERATIONS = {**ELEMENTWISE, **REDUCTIONS, **SHAPE, **LINEAR_ALGEBRA}


Step = Callable[[], tuple[Any, ...]]


def operands(lib: Any) -> tuple[Any, Any, Any, Any]:
    """x and y (8, 8), row (8) in (0.5, 1.5), leaves; places: three indices."""
    rng = np.random.default_rng(0)
    x, y, row = (
        lib.from_numpy(rng.uniform(0.5, 1.5, shape).astype(np.float32)).requires_grad_()
        for shape in ((8, 8), (8, 8), (8,))
    )
    return x, y, row, lib.tensor([0, 5, 5])


def build(lib: Any, name: str) -> Step:
    """``step()``: the operation forward and backward; returns the result and the gradients."""
    function = OPERATIONS[name]
    x, y, row, places = operands(lib)
    rng = np.random.default_rng(1)
    shape = tuple(function(lib, x, y, row, places).shape)
    gradient = lib.from_numpy(rng.standard_normal(shape).astype(np.float32))

    def step() -> tuple[Any, ...]:
        x.grad = y.grad = row.grad = None
        out = function(lib, x, y, row, places)
        out.backward(gradient)
        return out, x.grad, y.grad, row.grad

    return step


def as_workload(lib: Any, name: str) -> Workload:
    """The operation and a sum as a workload, for the profile."""
    function = OPERATIONS[name]
    x, y, row, places = operands(lib)
    return Workload({"x": x, "y": y, "row": row}, lambda: function(lib, x, y, row, places).sum())


def disagreement(steps: dict[str, Step]) -> float:
    """The largest relative difference of results and gradients between two libraries."""
    worst = 0.0
    for a, b in zip(*(step() for step in steps.values()), strict=True):
        if a is None or b is None:
            worst = max(worst, 0.0 if a is b else float("inf"))
            continue
        a, b = a.detach().numpy(), b.detach().numpy()
        if a.shape != b.shape:
            return float("inf")
        worst = max(worst, float(np.max(np.abs(a - b)) / (1e-30 + np.max(np.abs(b)))))
    return worst


def main(libraries: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Measure and print; the figures by operation, and the geometric mean of the ratios."""
    print("\nper-op: 40 operations on (8, 8), forward and backward")
    figures: dict[str, Any] = {}
    for name in OPERATIONS:
        steps = {library: build(lib, name) for library, lib in libraries.items()}
        if len(steps) == 2 and (error := disagreement(steps)) > 1e-4:
            raise SystemExit(f"per-op {name}: the libraries differ by {error:.1e}")
        figures[name] = found = race(steps, seconds=seconds, turn=0.004)
        line = "  ".join(f"{lib} {t['median'] * 1e6:6.1f} us" for lib, t in found.items())
        if "torch" in found:
            found["ratio"] = found["tensorgrad"]["median"] / found["torch"]["median"]
            line += f"   ratio {found['ratio']:.2f}"
        print(f"  {name:<20} {line}", flush=True)
    result: dict[str, Any] = {"operations": figures}
    if "torch" in libraries:
        result["ratio"] = geometric_mean(f["ratio"] for f in figures.values())
        print(f"  geometric mean of the ratios {result['ratio']:.2f}")
    return result
