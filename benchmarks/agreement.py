"""Before the clock starts: do the contestants compute the same losses and gradients?"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from workloads import Workload

LOSS = 1e-3
# Of a parameter's gradient in the first step, in the 2-norm: float32 through a deep network whose
# batch norms divide by small deviations keeps two digits (both libraries against float64).
GRADIENT = {"cifar_vgg": 2e-2}
USUAL = 1e-4
# A bias before a batch norm has gradient zero but for rounding: what is smaller than this part of
# the largest gradient counts as zero.
ZERO = 1e-3


def gradients_differ(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[float, str]:
    """The largest relative difference in the 2-norm over all parameters, and the name of that."""
    if set(a) != set(b):
        return float("inf"), ", ".join(sorted(set(a) ^ set(b)))
    norms = {name: float(np.linalg.norm(x)) for name, x in b.items()}
    floor = ZERO * max(norms.values()) + 1e-30
    return max(
        (float(np.linalg.norm(a[name] - b[name])) / max(norms[name], floor), name) for name in a
    )


def check(name: str, steps: Mapping[str, Workload], count: int = 3) -> None:
    """Three steps of each; an error if losses, or the first step's gradients, differ."""
    first, *others = steps
    for i in range(count):
        losses = {library: step() for library, step in steps.items()}
        if not max(losses.values()) - min(losses.values()) <= LOSS:
            raise SystemExit(f"{name}: the losses of step {i + 1} differ: {losses}")
        for other in others if i == 0 else ():
            error, where = gradients_differ(steps[first].gradients(), steps[other].gradients())
            if not error <= GRADIENT.get(name, USUAL):
                raise SystemExit(
                    f"{name}: the gradients of {where} differ by {error:.1e} ({first}, {other})"
                )
