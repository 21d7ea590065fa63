"""How much two right derivatives may differ: PyTorch's numbers, or what the arithmetic allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tensorgrad import autograd
from tensorgrad.checking.differences import Point, Subject
from tensorgrad.checking.methods import TINY, Differences, precision

__all__ = ["Default", "Tolerance", "choose"]

SAFETY = 8.0  # roundings are estimated as a random walk; a walk may go a few times further
DOUBLE = 1e-10  # dtypes coarser than this have their tolerance chosen


class Default(float):
    """A default that the check may replace; a number that the caller gives is never replaced."""


@dataclass(frozen=True)
class Tolerance:
    """``|got - expected| <= atol + rtol * |expected|``, and where that is from."""

    atol: float
    rtol: float
    why: str


class _Tally:
    """What a run computes: how many operations, of how many terms, and the largest number."""

    def __init__(self) -> None:
        self.operations, self.roundings, self.largest = 0, 0.0, 0.0

    def __call__(self, node: object, output: object) -> None:
        self.operations += 1
        for tensor in output if isinstance(output, tuple) else (output,):
            array = getattr(tensor, "_array", None)
            if array is None or array.size == 0:
                continue
            edges = [edge for edge in getattr(node, "inputs", ()) if edge is not None]
            terms = sum(_size(getattr(edge, "shape", ())) for edge in edges)
            self.roundings += max(1.0, terms / array.size)
            finite = np.abs(array[np.isfinite(array)])
            self.largest = max(self.largest, float(np.max(finite, initial=0.0)))


def _size(shape: object) -> int:
    """Elements of one shape, or of several outputs' shapes."""
    if not isinstance(shape, tuple):
        return 1
    if shape and isinstance(shape[0], tuple):
        return sum(_size(each) for each in shape)
    return int(np.prod(shape)) if shape else 1


def choose(
    subject: Subject, differences: Differences, point: Point, atol: float, rtol: float, size: float
) -> Tolerance:
    """The tolerance for one point, whose derivatives are as large as ``size``."""
    kind = point.array.dtype
    given = [f"{n}={v:g}" for n, v in (("atol", atol), ("rtol", rtol)) if not _default(v)]
    unit = max(precision(p) for p in subject.points)
    if given or unit < DOUBLE:
        why = f"given: {', '.join(given)}" if given else "the defaults for double precision"
        return Tolerance(float(atol), float(rtol), why)
    tally = _Tally()
    with autograd.observe_forward(tally):
        subject.record()
    step = differences.step(point)
    relative = SAFETY * unit * float(np.sqrt(max(tally.roundings, 1.0)))
    if step == TINY:
        absolute = relative * size
        lost = "the complex step subtracts nothing, so nothing more is lost"
    else:
        absolute = relative * (size + tally.largest / step)
        lost = (
            f"the largest number is {tally.largest:.2g}, and the difference is divided by the step "
            f"{step:.1g}, which makes its rounding that much larger"
        )
    operations = f"{tally.operations} operation" + "s" * (tally.operations != 1)
    why = (
        f"chosen for {kind}: it rounds to {unit:.1e}; {operations} of about "
        f"{tally.roundings:.0f} roundings add up like their square root; {lost}; "
        f"times {SAFETY:g} for safety"
    )
    return Tolerance(absolute, relative, why)


def _default(value: float) -> bool:
    return isinstance(value, Default)
