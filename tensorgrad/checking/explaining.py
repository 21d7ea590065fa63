"""From a wrong Jacobian to its explanation: a diagnosis, confirmed elsewhere; what to show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tensorgrad.checking import pictures
from tensorgrad.checking.diagnosis import agree, diagnose, unknown
from tensorgrad.checking.differences import Point, Real, Subject, flat
from tensorgrad.checking.evidence import Evidence, Finding
from tensorgrad.checking.methods import Differences, precision
from tensorgrad.checking.naming import output_element

__all__ = ["Mismatch", "broadcast_finding", "describe", "explain", "second"]

ELSEWHERE = 2  # other inputs at which a diagnosis must hold too
COSTLY = 4000  # evaluations above which it is not tried elsewhere
SHOWN = 6  # rows of the table
JITTER = 0.05  # by which part of themselves the inputs are moved to get other ones


class Mismatch:
    """One output's derivatives with respect to one input, expected and got."""

    def __init__(
        self,
        subject: Subject,
        o: int,
        p: int,
        output: Any,
        expected: Real,
        got: Real,
        over: Real,
        tried: Any = None,
    ) -> None:
        self.subject, self.o, self.p, self.output = subject, o, p, output
        self.expected, self.got, self.over = expected, got, over
        self.kink = ""  # the sentence about it, if all that is wrong lies at kinks
        self.tried = tried  # which elements of a large input, if not whole Jacobians

    @property
    def point(self) -> Point:
        return self.subject.points[self.p]

    def evidence(self) -> Evidence:
        """The Jacobians as the hypotheses take them."""
        point, array = self.point, self.output._array
        complex_output = array.dtype.kind == "c"
        inputs = (*point.base.shape, 2) if point.complex else point.base.shape
        outputs = (*array.shape, 2) if complex_output else array.shape
        x, y = flat(point.base), flat(array)
        if self.tried is not None:
            outputs = ()
            if self.tried.size != point.size:
                inputs, x = (self.tried.size,), x[self.tried]
        room = max(precision(point) ** 0.5 * 10, 1e-6)
        return Evidence(
            self.expected,
            self.got,
            tuple(outputs),
            tuple(inputs),
            point.name,
            x,
            y if self.tried is None else None,
            room,
            (complex_output, point.complex),
        )


def explain(mismatch: Mismatch, differences: Differences) -> tuple[Finding, int]:
    """The diagnosis, and at how many other inputs it was confirmed.

    A finding that does not hold elsewhere was chance (a factor 2 because x is 2): then what is
    found there is told if all of it agrees.
    """
    first = diagnose(mismatch.evidence(), mismatch.over > 0)
    if mismatch.tried is not None or mismatch.point.size + mismatch.over.shape[0] > COSTLY:
        return first, 0
    others = []
    for seed in range(ELSEWHERE):
        elsewhere = _elsewhere(mismatch, differences, seed)
        if elsewhere is None:
            continue
        wrong = np.abs(elsewhere.got - elsewhere.expected) > 1e3 * elsewhere.room * elsewhere.scale
        if wrong.any():
            others.append(diagnose(elsewhere, wrong))
    if first.kind != "unknown" and agree(first, others):
        return first, len(others)
    if others and agree(others[0], others[1:]) and others[0].kind != "unknown":
        return others[0], len(others) - 1
    if mismatch.expected.size == 1:  # two single numbers always have a ratio: it explains nothing
        return unknown(mismatch.evidence(), mismatch.over > 0), 0
    return first, 0


def _elsewhere(mismatch: Mismatch, differences: Differences, seed: int) -> Evidence | None:
    """The evidence at other inputs, near enough to stay in the function's domain."""
    subject, point = mismatch.subject, mismatch.point
    rng = np.random.default_rng(seed)
    bases = [p.base for p in subject.points]
    try:
        for p in subject.points:
            moved = p.base * (1 + JITTER * rng.standard_normal(p.base.shape))
            p.rebase((moved + JITTER * (p.base == 0)).astype(p.base.dtype))
        outputs = subject.record()
        expected = differences.jacobian(point)[mismatch.o]
        got = subject.analytical_jacobian(outputs[mismatch.o])[mismatch.p]
        if not np.isfinite(expected).all() or expected.shape != mismatch.expected.shape:
            return None
        moved_to = Mismatch(
            subject, mismatch.o, mismatch.p, outputs[mismatch.o], expected, got, mismatch.over
        )
        return moved_to.evidence()
    except (ArithmeticError, ValueError, RuntimeError):
        return None  # other inputs may lie outside what the function accepts
    finally:
        for p, base in zip(subject.points, bases, strict=True):
            p.rebase(base)


def second(finding: Finding, name: str, word: str) -> Finding:
    """A finding about a derivative of a gradient, worded as such."""
    says = finding.says
    for old, new in (("The gradient of", "The derivative"), ("the gradient of", "the derivative")):
        says = says.replace(f"{old} {name}", f"{new} of {word} by {name}")
    return replace(
        finding,
        says=says,
        advice="Backward must be made of differentiable operations on the saved tensors. Look "
        "there for a detach(), .data, numpy(), no_grad() or a value that forward computed.",
    )


def describe(mismatch: Mismatch, whose: str) -> dict[str, Any]:
    """Worst element, table and maps, as the fields of a `Report`."""
    point, over = mismatch.point, mismatch.over
    tried = mismatch.tried
    single = tried is None
    row, column = (int(i) for i in np.unravel_index(np.argmax(over), over.shape))
    expected, got = float(mismatch.expected[row, column]), float(mismatch.got[row, column])
    name, index, output_index = _names(mismatch, whose, row, column)
    relative = abs(got - expected) / abs(expected) if expected else float("inf")
    bad = over > 0
    wrong = int(np.count_nonzero(bad))
    elements = int(np.count_nonzero(bad.any(axis=0)))
    size = over.shape[1]
    shape = tuple(point.array.shape)
    untold = "" if single or size == point.size else " that were tried"
    # The worst first; of equally bad ones those that stand first, whatever the last bit says.
    order = np.lexsort((np.arange(over.size), -np.float32(np.minimum(over.reshape(-1), 1e30))))
    rows = []
    for k in sorted(order[: min(SHOWN, wrong)]):
        r, c = (int(i) for i in np.unravel_index(k, over.shape))
        e, g = float(mismatch.expected[r, c]), float(mismatch.got[r, c])
        ratio = f"{g / e:.4g}" if abs(e) > 1e-12 else ""
        rows.append((_names(mismatch, whose, r, c)[0], f"{e:.6g}", f"{g:.6g}", ratio))
    table = pictures.columns(("derivative", "expected", "got", "got / expected"), rows)
    if wrong > SHOWN:
        table.append(f"  ... and {wrong - SHOWN} more that are wrong")
    return {
        "facts": [
            ("worst element:", name),
            ("expected:", f"{expected:.6g} (by differences)"),
            ("got:", f"{got:.6g} (by backward)"),
            ("relative error:", f"{relative:.3g}"),
            ("wrong:", f"{wrong} of {over.size} derivatives{untold}, in {elements} of {size} "
             f"elements of {point.name}, {point.array.dtype}{shape}"),
        ],
        "table": table if wrong > 1 else [],
        "maps": _maps(mismatch),
        "details": {
            "index": index,
            "output_index": output_index if single else None,
            "expected": expected,
            "got": got,
            "relative_error": relative,
            "numerical": mismatch.expected,
            "analytical": mismatch.got,
        },
    }  # fmt: skip


def _names(
    mismatch: Mismatch, whose: str, row: int, column: int
) -> tuple[str, tuple[int, ...], tuple[int, ...]]:
    point, tried = mismatch.point, mismatch.tried
    index, part = point.index(column if tried is None else int(tried[column]))
    below = pictures.element(point.name, index) + (f" ({part})" if part else "")
    if tried is not None:
        return f"d (a random combination of {whose}) / d {below}", index, ()
    place, half = output_element(mismatch.output._array, row)
    return f"d {pictures.element(whose, place)}{half} / d {below}", index, place


def _maps(mismatch: Mismatch) -> tuple[Any, Any, Any] | None:
    """For a random gradient of the output: that of the input, expected and got; and the errors."""
    point = mismatch.point
    if mismatch.tried is not None and mismatch.tried.size != point.size:
        return None
    rng = np.random.default_rng(0)
    weights = rng.standard_normal(mismatch.expected.shape[0])
    with np.errstate(invalid="ignore"):
        gap = np.abs(mismatch.got - mismatch.expected)
        gap = np.where(mismatch.over > 0, np.where(np.isfinite(gap), gap, np.inf), 0).max(axis=0)
    finite = gap[np.isfinite(gap)]
    worst = float(np.max(finite, initial=0.0)) or 1.0
    shown = [weights @ mismatch.expected, weights @ mismatch.got, np.minimum(gap / worst, 1.0)]
    if point.complex:
        shown = [np.maximum(v[0::2], v[1::2]) for v in shown]
    expected, got, wrong = (values.reshape(point.base.shape) for values in shown)
    return expected, got, wrong


def broadcast_finding(name: str, got: tuple[int, ...], expected: tuple[int, ...]) -> Finding:
    """Backward gave a shape that its input cannot have."""
    axes = _summed(got, expected)
    if axes is None:
        return Finding(
            "shape",
            f"Backward gives shape {got} for {name}, whose shape is {expected}.",
            "No sum over axes leads from one to the other.",
            f"The gradient of {name} must have the shape of {name}.",
        )
    which = ", ".join(map(str, axes))
    argument = which if len(axes) == 1 else f"({which})"
    return Finding(
        "broadcast",
        f"The broadcast of {name} is not summed: backward gives shape {got} for {name}, whose "
        f"shape is {expected}.",
        f"Forward used each element of {name} along axis {which} of that shape again and again."
        if len(axes) == 1
        else f"Forward used each element of {name} along axes {which} of that shape again and "
        "again.",
        f"Add up what each use gives: .sum({argument}), reshaped to {expected} if need be.",
    )


def _summed(got: tuple[int, ...], expected: tuple[int, ...]) -> tuple[int, ...] | None:
    """The axes whose sum leads from one shape to the other, up to axes of length 1."""
    wanted = [n for n in expected if n > 1]
    axes = []
    for axis in range(len(got) - 1, -1, -1):
        if wanted and got[axis] == wanted[-1]:
            wanted.pop()
        elif got[axis] > 1:
            axes.append(axis)
    return tuple(reversed(axes)) if not wanted and axes else None
