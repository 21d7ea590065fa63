"""The rules of `doctor` about an optimizer: the step that it would take, taken on copies."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tensorgrad.creation import from_numpy
from tensorgrad.viz.diagnosis.causes import LIMITS
from tensorgrad.viz.diagnosis.examination import Examination
from tensorgrad.viz.diagnosis.findings import Finding
from tensorgrad.viz.diagnosis.rules import finding
from tensorgrad.viz.figures.words import number
from tensorgrad.viz.snapshots.statistics import root_mean_square as rms

if TYPE_CHECKING:
    from tensorgrad.optim import Optimizer

__all__ = ["step_findings"]

Array = NDArray[Any]


def step_findings(facts: Examination, optimizer: Optimizer) -> Iterator[Finding]:
    """Parameters that stay as they are, and a learning rate that is out of proportion."""
    if not callable(getattr(optimizer, "step", None)) or not hasattr(optimizer, "param_groups"):
        raise TypeError(
            f"viz.doctor: optimizer must be an Optimizer, got {type(optimizer).__name__}"
        )
    rates = {
        id(p): float(group["lr"]) if "lr" in group else None
        for group in optimizer.param_groups
        for p in group["params"]
    }
    cause = "parameter that never changes"
    moved = [p for p in facts.parameters if p.gradient is not None and p.gradient.any()]
    for p in moved:
        if id(p.tensor) not in rates:
            said = "It gets a gradient, but is in no parameter group of the optimizer."
            yield finding(cause, p.name, said, p.location)
        elif rates[id(p.tensor)] == 0:
            yield finding(cause, p.name, "Its learning rate is 0.", p.location)
    if any(not np.isfinite(p.gradient).all() for p in moved if p.gradient is not None):
        return
    after = _step(facts, optimizer)
    if after is None:
        return
    ratios, predicted = {}, 0.0
    for p in moved:
        if id(p.tensor) not in after or not rates[id(p.tensor)]:
            continue
        assert p.gradient is not None
        update = after[id(p.tensor)].astype(np.float64) - p.array
        predicted -= float(np.sum(np.real(update * np.conj(p.gradient))))
        if p.is_weight and p.array.any():
            ratios[p.name] = rms(update) / rms(p.array)
    if not ratios:
        return
    by_name = {p.name: p for p in moved}
    most = max(ratios, key=lambda name: ratios[name])
    loss = float(np.real(facts.loss._array.ravel()[0]))
    place = by_name[most].location
    rate = number(rates[id(by_name[most].tensor)])
    inputs = ""
    if facts.largest_input is not None and facts.largest_input > LIMITS["large input"]:
        inputs = f" The inputs reach {number(facts.largest_input)}: scale them to about 1 first."
    if ratios[most] > LIMITS["high at once"]:
        said = (
            f"A step would change it by {100 * ratios[most]:.0f} % of its size (about 0.1 % is "
            f"usual), learning rate {rate}.{inputs}"
        )
        yield finding("learning rate too high", most, said, place, ratio=ratios[most])
    elif predicted > LIMITS["overshoot"] * abs(loss) > 0:
        said = (
            f"By its gradients a step would lower the loss by {number(predicted)}, but the loss is "
            f"only {number(loss)}: it will overshoot. Learning rate {rate}.{inputs}"
        )
        yield finding("learning rate too high", most, said, place, predicted=predicted)
    elif 0 <= ratios[most] < LIMITS["low"]:
        said = (
            f"A step would change no weight by more than {number(ratios[most])} of its size (about "
            f"1e-3 is usual), learning rate {rate}."
        )
        yield finding("learning rate too low", most, said, place, ratio=ratios[most])


def _step(facts: Examination, optimizer: Optimizer) -> dict[int, Array] | None:
    """The values of the parameters after a step of a copy of the optimizer; None if it needs more.

    (LBFGS does: it evaluates the loss at places of its own choice.)
    """
    gradients = {id(p.tensor): p.gradient for p in facts.parameters}
    twin = copy.deepcopy(optimizer)
    copies = {}
    for group, other in zip(optimizer.param_groups, twin.param_groups):
        for p, q in zip(group["params"], other["params"]):
            gradient = gradients.get(id(p))
            q.grad = None if gradient is None else from_numpy(np.array(gradient))
            copies[id(p)] = q
    try:
        twin.step()
    except TypeError:
        return None
    return {key: q._array for key, q in copies.items()}
