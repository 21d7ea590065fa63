"""The rules of `doctor` about values, gradients and the shape of the graph."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tensorgrad.graph.node import Node
from tensorgrad.graph.provenance import Location
from tensorgrad.viz.diagnosis.activations import Kind, inside, kind_of
from tensorgrad.viz.diagnosis.causes import DATA_FIX, FIXES, LIMITS, ZERO_GRADIENT_FIX
from tensorgrad.viz.diagnosis.examination import Examination, Parameter, bad_data
from tensorgrad.viz.diagnosis.findings import Finding
from tensorgrad.viz.diagnosis.gains import STARTS, passed_on
from tensorgrad.viz.figures.words import number, plural, shape
from tensorgrad.viz.snapshots.places import short_place
from tensorgrad.viz.snapshots.statistics import root_mean_square as rms

__all__ = [
    "broadcast_loss",
    "constant_predictor",
    "dead_units",
    "finding",
    "gradient_sizes",
    "not_finite",
    "saturation",
    "softmax_before_cross_entropy",
    "tiny_initialisation",
    "unused_parameters",
    "zero_gradients",
]

Array = NDArray[Any]

ENOUGH = 8  # examples, before a unit that is 0 for all of them is called dead


def finding(cause: str, layer: str, evidence: str, place: Location | None, **data: Any) -> Finding:
    """A finding with the fix of its cause."""
    return Finding(cause, layer, evidence, FIXES[cause], short_place(place), data)


# --- What is not finite --------------------------------------------------------------------------


def not_finite(facts: Examination) -> Iterator[Finding]:
    """The first operation of the forward whose output is not finite, else of the backward."""
    bad = [p for p in facts.parameters if p.array.size and not np.isfinite(p.array).all()]
    cause = "NaN or infinity"
    if bad:
        names = ", ".join(p.name for p in bad[:3])
        said = f"{plural(len(bad), 'parameter')} of the model ({names}) are not finite already."
        yield finding(cause, bad[0].name, said, bad[0].location)
        return
    if facts.bad_forward is None and not facts.forward_ran:
        for node in facts.nodes:
            value = facts.value(node)
            if value is not None and value.dtype.kind in "fc" and not np.isfinite(value).all():
                facts.bad_forward = node, "some values are not finite"
                break
    bad_loss = not np.isfinite(facts.loss._array).all()
    if facts.bad_forward or facts.bad_backward or bad_loss:
        data = next(filter(None, map(bad_data, facts.nodes)), None)
        first = facts.bad_forward or data
        if data is not None and first is not None and data[0].seq <= first[0].seq:
            node, count = data
            said = f"What {node.op.name} is given, made by no operation, is not finite: {count}."
            place = short_place(node.location)
            where = facts.name_of(node)
            yield Finding(cause, where, said, DATA_FIX, place, {"op": node.op.name})
            return
    if facts.bad_forward is not None:
        node, count = facts.bad_forward
        said = f"The first output that is not finite is made by {node.op.name}: {count}."
        yield finding(cause, facts.name_of(node), said, node.location, op=node.op.name)
    elif facts.bad_backward is not None:
        node = facts.bad_backward
        said = (
            "The forward pass is finite; the first gradient that is not is made by "
            f"{node.op.name}, on the way back."
        )
        yield finding(cause, facts.name_of(node), said, node.location, op=node.op.name)
    elif bad_loss:
        said = f"The loss is {number(facts.loss._array.ravel()[0])}."
        yield finding(cause, "", said, None)


def _finite(facts: Examination) -> bool:
    """Whether sizes can be compared at all."""
    found = [p.gradient for p in facts.parameters if p.gradient is not None]
    arrays = [*found, *(p.array for p in facts.parameters), facts.loss._array]
    return all(bool(np.isfinite(a).all()) for a in arrays)


# --- The shape of the graph ----------------------------------------------------------------------


def _source(node: Node, argument: int = 0) -> Node | None:
    """The operation behind an argument, past reshapes and selections."""
    found = node.inputs[argument]
    while found is not None and found.inputs and (found.op.view or found.op.name == "copy"):
        found = found.inputs[0]
    return found


def softmax_before_cross_entropy(facts: Examination) -> Iterator[Finding]:
    """cross_entropy, or log_softmax, of probabilities: the gradient is that of another loss."""
    for node in facts.nodes:
        if node.op.name not in ("cross_entropy", "log_softmax", "logsumexp"):
            continue
        source = _source(node)
        if source is None or source.op.name != "softmax" or facts.after[id(node)]:
            continue
        said = (
            f"{node.op.name} gets the output of {facts.name_of(source)}, "
            f"{short_place(source.location)}: probabilities of 0 to 1, which differ too little to "
            "be scores."
        )
        cause = "softmax before cross-entropy"
        yield finding(cause, facts.name_of(source), said, node.location)


def broadcast_loss(facts: Examination) -> Iterator[Finding]:
    """(N, 1) minus (N,), of which one is a target, spreads to (N, N)."""
    for node in facts.nodes:
        edges = [edge for edge in node.inputs if edge is not None]
        if node.op.name != "sub" or len(edges) != 1 or facts.after[id(node)]:
            continue
        # Of an argument without a gradient the node may not know the shape; the other one, which is
        # an output for each example, and the result tell.
        output, result = tuple(edges[0].shape), tuple(node.shape)
        n = output[0] if output else 0
        if n < 2 or output not in ((n, 1), (n,)) or result != (n, n):
            continue
        other = (n,) if output == (n, 1) else (n, 1)
        said = (
            f"The output of shape {shape(output)} meets a target of {shape(other)}; the difference "
            f"is {shape(result)}: each output is compared with the targets of all {n} examples."
        )
        yield finding("broadcast loss", facts.name_of(node), said, node.location, examples=n)


# --- Values --------------------------------------------------------------------------------------


def _rows(array: Array) -> Array:
    return array.reshape(len(array), -1).astype(np.float64)


def constant_predictor(facts: Examination) -> Iterator[Finding]:
    """Outputs that do not depend on the example."""
    if not _finite(facts):
        return
    for node in facts.nodes:
        if node.op.name != "cross_entropy" or facts.after[id(node)]:
            continue
        kept = node.saved[1] if type(node.saved) is tuple else None
        if not isinstance(kept, np.ndarray) or len(kept) < ENOUGH:
            continue
        scores = kept.astype(np.float64)
        share = np.exp(scores - scores.max(1, keepdims=True))
        share /= share.sum(1, keepdims=True)
        deviation = float(share.std(0).max())
        if deviation < LIMITS["indifferent"] and not _waits(facts):
            taken = np.unique(scores.argmax(1)).size
            said = (
                f"The probabilities of {len(scores)} examples deviate by at most "
                f"{number(deviation)} from their mean; {taken} of {scores.shape[1]} classes "
                "predicted."
            )
            yield finding("constant predictor", "", said, node.location, deviation=deviation)
        return
    array = getattr(facts.output, "_array", None)
    if array is None or array.dtype.kind != "f" or array.ndim < 1 or len(array) < ENOUGH:
        return
    rows = _rows(array)
    size, deviation = rms(rows), float(rows.std(0).max(initial=0.0))
    if deviation <= LIMITS["constant"] * size and not _waits(facts):
        said = (
            f"The outputs of {len(rows)} examples deviate by {number(deviation)} from their mean; "
            f"their size is {number(size)}."
        )
        yield finding("constant predictor", "", said, None, deviation=deviation, size=size)


def _waits(facts: Examination) -> bool:
    """Whether the output is constant only since the last layer begins at 0: a step ends that."""
    weights = [p for p in facts.parameters if p.is_weight and p.tensor.requires_grad]
    zero = [p for p in weights if not p.array.any()]
    return any(p.gradient is not None and bool(p.gradient.any()) for p in zero)


def tiny_initialisation(facts: Examination) -> Iterator[Finding]:
    """Weights so small that each layer makes the signal smaller, several in a row."""
    gains: list[tuple[Parameter, float]] = []
    for p in facts.parameters:
        if p.is_weight and p.tensor.requires_grad and p.array.any() and _finite(facts):
            users = {n.op.name for n in facts.nodes if _uses(n, p)}
            if users & set(STARTS):
                fan_in = math.prod(p.array.shape[1:])
                gains.append((p, rms(p.array) * math.sqrt(fan_in)))
    small = [(p, gain) for p, gain in gains if gain < LIMITS["gain"]]
    total = passed_on(facts, {id(p.tensor): gain for p, gain in small})
    if len(small) >= 2 and total < LIMITS["passed"]:
        worst = min(small, key=lambda pair: pair[1])[0]
        wanted = math.sqrt(2 / math.prod(worst.array.shape[1:]))
        said = (
            f"{len(small)} of {plural(len(gains), 'weight')} are so small that together they pass "
            f"on {number(total)} of the signal. This one deviates by {number(rms(worst.array))} "
            f"from 0, and {number(wanted)} would keep the signal's size."
        )
        yield finding("tiny initialisation", worst.name, said, worst.location, passed=total)


def _uses(node: Node, p: Parameter) -> bool:
    return any(getattr(edge, "variable", None) is p.tensor for edge in node.inputs)


def _own_kind(facts: Examination, node: Node) -> Kind | None:
    """The activation function that a node is, unless it is but a part of another function."""
    kind = kind_of(node)
    if kind is None or any(inside(node, c) for c in facts.consumers.get(id(node), [])):
        return None
    return kind


def dead_units(facts: Examination) -> Iterator[Finding]:
    """Units of a relu that give 0 for every example of the batch, or of a gelu nearly so."""
    for node in facts.nodes:
        kind = _own_kind(facts, node)
        value = facts.value(node) if kind is not None and kind.dies else None
        if kind is None or value is None or value.ndim < 1:
            continue
        axis = 1 if value.ndim == 4 else value.ndim - 1
        axes = tuple(k for k in range(value.ndim) if k != axis)
        if value.size // max(1, value.shape[axis]) < ENOUGH:
            continue
        alive = (~kind.stuck(value)).any(axes)
        dead, units = int((~alive).sum()), alive.size
        if units and dead / units > LIMITS["dead"]:
            seen = plural(value.size // units, "value")
            said = (
                f"{dead} of {units} units gave 0 for all of their {seen}: no gradient passes them."
                if kind.name == "relu"
                else f"{dead} of {units} units were where it is flat for all of their {seen}: "
                "hardly any gradient passes them."
            )
            yield finding(
                "dead units", facts.name_of(node), said, node.location, dead=dead, units=units
            )


def saturation(facts: Examination) -> Iterator[Finding]:
    """Sigmoids and tanhs at their bounds, but for those that make the output."""
    for node in facts.nodes:
        kind = _own_kind(facts, node)
        value = facts.value(node) if kind is not None and not kind.dies else None
        if kind is None or value is None or not value.size or not facts.after[id(node)]:
            continue
        share = float(kind.stuck(value).mean())
        if share > LIMITS["saturated"]:
            said = (
                f"{100 * share:.0f} % of its {value.size:,} outputs are at a bound, where the "
                "derivative is below 0.02."
            )
            yield finding("saturation", facts.name_of(node), said, node.location, share=share)


# --- Gradients -----------------------------------------------------------------------------------


def gradient_sizes(facts: Examination) -> Iterator[Finding]:
    """Vanishing and exploding: the gradients of layers compared, and with the layers themselves."""
    if not _finite(facts):
        return
    known = [(p, rms(p.gradient)) for p in facts.parameters if p.gradient is not None]
    known = [(p, size) for p, size in known if size > 0]
    weights = [(p, size) for p, size in known if p.is_weight]
    if not weights:
        return
    grown = [(p, size / rms(p.array)) for p, size in weights if p.array.any()]
    if grown:
        p, ratio = max(grown, key=lambda pair: pair[1])
        if ratio > LIMITS["exploded"] * max(1.0, _summed(facts.loss.grad_fn)):
            said = (
                f"Its gradient (rms {number(ratio * rms(p.array))}) is {number(ratio)} times as "
                "large as the parameter itself."
            )
            yield finding("exploding gradient", p.name, said, p.location, ratio=ratio)
            return
    most, top = max(known, key=lambda pair: pair[1])
    least, bottom = min(weights, key=lambda pair: pair[1])
    if bottom / top < LIMITS["vanished"]:
        said = (
            f"Its gradient (rms {number(bottom)}) is {number(bottom / top)} of that of {most.name} "
            f"(rms {number(top)})."
        )
        yield finding("vanishing gradient", least.name, said, least.location, ratio=bottom / top)


def _summed(node: Any) -> float:
    """Over how many examples the loss is a sum, rather than a mean: 1 for a mean."""
    if node is None or math.prod(node.shape) != 1:
        return 1.0
    name = node.op.name
    kept = node.saved[1:] if type(node.saved) is tuple else ()
    scalars = [
        abs(float(k)) for k in kept if isinstance(k, int | float) and not isinstance(k, bool)
    ]
    inputs = [edge for edge in node.inputs if edge is not None]
    if name == "sum" and inputs:
        return float(inputs[0].shape[0]) if inputs[0].shape else 1.0
    if name == "cross_entropy" and node.params:
        return float(np.sum(np.abs(node.params["weight"])))
    if name in ("mul", "div") and scalars and inputs:
        return _summed(inputs[0]) * (scalars[0] if name == "mul" else 1 / (scalars[0] or 1.0))
    if name in ("add", "sub", "neg") or node.op.view:
        return max((_summed(edge) for edge in inputs), default=1.0)
    return 1.0


def unused_parameters(facts: Examination) -> Iterator[Finding]:
    """Parameters that require a gradient and get none."""
    trained = [p for p in facts.parameters if p.tensor.requires_grad and p.array.size]
    missing = [p for p in trained if p.gradient is None]
    if not missing:
        return
    if len(missing) == len(trained):
        why = "it has no graph" if facts.loss.grad_fn is None else "none of them is in its graph"
        if facts.freed:
            why = "no .grad is there"
        said = f"The loss does not depend on any of the {len(trained)} parameters: {why}."
        yield finding("unused parameter", "all", said, None)
        return
    for p in missing:
        said = f"The loss does not depend on it: no gradient reaches its {p.array.size:,} numbers."
        yield finding("unused parameter", p.name, said, p.location)


def zero_gradients(facts: Examination) -> Iterator[Finding]:
    """Weights whose gradient is 0 everywhere, where no dead layer explains it."""
    if not _finite(facts) or any(True for _ in dead_units(facts)) or _waits(facts):
        return
    for p in facts.parameters:
        if p.gradient is None or not p.is_weight or p.gradient.any() or not p.array.size:
            continue
        said = f"Its gradient is exactly 0 in all of its {p.array.size:,} numbers."
        found = finding("parameter that never changes", p.name, said, p.location)
        yield replace(found, fix=ZERO_GRADIENT_FIX)
