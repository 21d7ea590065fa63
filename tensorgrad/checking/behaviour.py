"""How backward must behave besides being right: linear, repeatable, sure of missing gradients."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad import autograd
from tensorgrad.checking.differences import Point, Real, flat, like
from tensorgrad.checking.evidence import Finding
from tensorgrad.graph.node import wrap

if TYPE_CHECKING:
    from tensorgrad.checking.comparison import Check

__all__ = ["check", "linear"]

BATCH = 2  # gradients at once, for check_batched_grad


def linear(run: Check, output: Any) -> list[Finding | None]:
    """What is wrong, for each input, if its gradient is not proportional to that of one output."""
    weights = np.random.default_rng(5).standard_normal(flat(output._array).size)
    pulled = [run.subject.pull_flat([output], [c * weights]) for c in (0, 1, -2)]
    return [
        _bent(run, point, *found) for point, *found in zip(run.subject.points, *pulled, strict=True)
    ]


def _bent(run: Check, point: Point, nothing: Real, once: Real, twice: Real) -> Finding | None:
    if not np.isfinite(once).all():
        return None  # a NaN is a mistake of its own, and not of the gradient that comes in
    if np.any(run.excess(point, nothing, np.zeros_like(nothing)) > 0):
        return Finding(
            "linearity",
            f"The gradient of {point.name} is not 0 when the gradient that comes in is 0: a term "
            "of it is not multiplied by that.",
            f"For a gradient of zeros backward gives up to {np.max(np.abs(nothing)):.4g}.",
            "Every term must have the incoming gradient, or a sum of it, as a factor.",
        )
    if np.any(run.excess(point, twice, -2 * once) > 0):
        return Finding(
            "linearity",
            f"The gradient of {point.name} does not grow with the gradient that comes in.",
            "-2 times that does not give -2 times the result.",
            "Multiply by the incoming gradient exactly once; a mask is made of x, not of it.",
        )
    return None


def check(run: Check, outputs: list[Any]) -> None:
    """Raise what is wrong with the way in which backward treats the gradients it gets."""
    subject, options = run.subject, run.options
    weights = [run.rng.standard_normal(flat(t._array).size) for t in outputs]
    zeros = [np.zeros_like(v) for v in weights]
    alone = []
    for o, output in enumerate(outputs):
        found = subject.pull([output], [weights[o]])
        repeated = subject.pull_flat([output], [weights[o]])
        once = [
            np.zeros(p.size) if g is None else flat(g)
            for p, g in zip(subject.points, found, strict=True)
        ]
        alone.append(once)
        straight = linear(run, output)
        for p, point in enumerate(subject.points):
            difference = np.abs(once[p] - repeated[p])
            if difference.size and not np.max(difference) <= options.nondet_tol:
                raise run.fail(
                    "Backward is not reentrant, i.e., running backward with same input and "
                    f"grad_output multiple times gives different values, by up to "
                    f"{np.max(difference):g}; nondet_tol is {options.nondet_tol:g}",
                    point,
                )
            bent = straight[p]
            if bent is not None:
                problem = f"backward is not linear in the gradient of output {o}"
                raise run.fail(problem, point, finding=bent)
            gradient = found[p]
            if options.dtypes and gradient is not None and gradient.dtype != point.array.dtype:
                raise run.fail(
                    f"the gradient is {gradient.dtype}, its input {point.array.dtype}", point
                )
    if options.batched:
        for output in outputs:
            batched(run, output)
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


def batched(run: Check, output: Any) -> None:
    """Raise if `func.vmap` over gradients of an output differs from one after the other."""
    # By name: func stands above this module, and imports it.
    vmap = importlib.import_module("tensorgrad.func").vmap
    subject = run.subject
    rng = np.random.default_rng(6)
    weights = rng.standard_normal((BATCH, flat(output._array).size))
    used = [p for p, g in enumerate(subject.pull([output], [weights[0]])) if g is not None]
    targets = [subject.points[p].tensor for p in used]

    def pull(seed: Any) -> Any:
        return autograd.grad(output, targets, seed, retain_graph=True)

    seeds = wrap(np.stack([like(output, row)._array for row in weights]))
    try:
        found = vmap(pull)(seeds) if used else ()
    except RuntimeError as error:
        raise run.fail(
            "backward does not take a batch of gradients (check_batched_grad=True)",
            finding=Finding(
                "batched",
                "Under func.vmap, which runs backward once for many gradients, it fails.",
                str(error),
                "Use tensor operations in backward: no NumPy, and no if on values.",
            ),
        ) from error
    for p, gradients in zip(used, found, strict=True):
        point = subject.points[p]
        for row, gradient in zip(weights, gradients._array, strict=True):
            alone = subject.pull_flat([output], [row])[p]
            if np.any(run.excess(point, flat(gradient), alone) > 0):
                raise run.fail(
                    "backward of a batch of gradients (check_batched_grad=True) differs from "
                    "backward of each of them",
                    point,
                )
