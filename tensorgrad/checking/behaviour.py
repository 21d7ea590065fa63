"""How backward must behave besides being right: linear, repeatable, sure of missing gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.checking.differences import flat
from tensorgrad.checking.evidence import Finding

if TYPE_CHECKING:
    from tensorgrad.checking.comparison import Check

__all__ = ["check"]


def check(run: Check, outputs: list[Any]) -> None:
    """Raise what is wrong with the way in which backward treats the gradients it gets."""
    subject, options = run.subject, run.options
    weights = [run.rng.standard_normal(flat(t._array).size) for t in outputs]
    zeros = [np.zeros_like(v) for v in weights]
    alone = []
    for o, output in enumerate(outputs):
        found = subject.pull([output], [weights[o]])
        repeated = subject.pull_flat([output], [weights[o]])
        double = subject.pull_flat([output], [-2 * weights[o]])
        once = [
            np.zeros(p.size) if g is None else flat(g)
            for p, g in zip(subject.points, found, strict=True)
        ]
        alone.append(once)
        for p, point in enumerate(subject.points):
            difference = np.abs(once[p] - repeated[p])
            if difference.size and not np.max(difference) <= options.nondet_tol:
                raise run.fail(
                    "Backward is not reentrant, i.e., running backward with same input and "
                    f"grad_output multiple times gives different values, by up to "
                    f"{np.max(difference):g}; nondet_tol is {options.nondet_tol:g}",
                    point,
                )
            if np.any(run.excess(point, double[p], -2 * once[p]) > 0):
                raise run.fail(
                    f"backward is not linear in the gradient of output {o}",
                    point,
                    finding=Finding(
                        "linearity",
                        f"The gradient of {point.name} does not grow with the gradient that comes "
                        "in.",
                        "-2 times that does not give -2 times the result.",
                        "Multiply by grad_output, exactly once.",
                    ),
                )
            gradient = found[p]
            if options.dtypes and gradient is not None and gradient.dtype != point.array.dtype:
                raise run.fail(
                    f"the gradient is {gradient.dtype}, its input {point.array.dtype}", point
                )
    if not options.undefined or len(outputs) < 2:
        return
    for o in range(len(outputs)):
        given = [weights[k] if k == o else zeros[k] for k in range(len(outputs))]
        together = subject.pull_flat(outputs, given)
        for p, point in enumerate(subject.points):
            if np.any(run.excess(point, together[p], alone[o][p]) > 0):
                raise run.fail(
                    "Expected backward function to handle undefined output grads: outputs that "
                    f"received none and outputs that received zeros differ, beside output {o}",
                    point,
                )
