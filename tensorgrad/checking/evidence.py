"""Two Jacobians, expected and got, as the test of a hypothesis sees them; and what it finds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from tensorgrad.checking.differences import Real

__all__ = ["Evidence", "Finding", "axes_of", "axis_words", "count", "size_names", "within"]


@dataclass(frozen=True)
class Finding:
    """What is wrong with a gradient, how that is known, and where to look."""

    kind: str  # a short name that does not change: "sign", "factor", "mean term", ...
    says: str
    evidence: str
    advice: str
    key: tuple[Any, ...] = ()  # must come out the same at other inputs; else it was chance

    def lines(self) -> list[str]:
        """What is wrong (a line for each mistake), how that is known, where to look."""
        return [*self.says.split("\n"), self.evidence, self.advice]


@dataclass(frozen=True)
class Evidence:
    """The Jacobians (output elements, input elements) of one output and one input.

    Complex numbers are pairs of reals, in a last axis of length 2 of their shape.
    """

    expected: Real
    got: Real
    outputs: tuple[int, ...]  # the output's shape
    inputs: tuple[int, ...]  # the input's
    name: str  # the input's name
    x: Real  # the input's values
    y: Real | None  # the output's; None where rows are no elements of an output
    room: float  # by how much equal numbers may differ, as a part of the largest one
    complex: tuple[bool, bool] = (False, False)  # the output, the input
    part: bool = False  # of a few of the input's elements only

    @property
    def scale(self) -> float:
        """The largest derivative."""
        return float(np.max(np.abs(self.expected), initial=0.0))

    def same(self, one: Any, other: Any) -> bool:
        """Whether two arrays are equal, to the accuracy of the differences."""
        return self.residual(one, other) <= self.room

    def residual(self, one: Any, other: Any) -> float:
        """The largest difference, as a part of the largest derivative."""
        gap = np.max(np.abs(np.asarray(one) - np.asarray(other)), initial=0.0)
        return float(gap) / self.scale if self.scale else float(gap > 0)

    def blocks(self, jacobian: Real) -> Real:
        """A Jacobian with the axes of the output, then those of the input."""
        return jacobian.reshape((*self.outputs, *self.inputs))

    def narrowed(self, columns: Any) -> Evidence:
        """Of some input elements only, in a row."""
        return Evidence(
            self.expected[:, columns],
            self.got[:, columns],
            self.outputs,
            (int(np.count_nonzero(columns)),),
            self.name,
            self.x[columns],
            self.y,
            self.room,
            self.complex,
            True,
        )


def within(evidence: Evidence, residual: float) -> str:
    """A residual in words: as a power of ten, so that another machine's rounding reads the same."""
    if evidence.room > 1e-3:
        return f"up to {evidence.room:.0e} of the largest derivative"
    bound = 1e-9
    while bound < residual:
        bound *= 10
    return f"up to {bound:.0e} of the largest derivative"


def size_names(evidence: Evidence) -> Iterator[tuple[int, str]]:
    """The numbers that a mean may have divided by, and what they are the number of."""
    for shape, whose in (
        (evidence.inputs, evidence.name),
        (evidence.outputs, "the output"),
    ):
        for axis, n in enumerate(shape):
            if n > 1:
                yield n, f"the size of axis {axis} of {whose}"
        if len(shape) > 1:
            yield int(np.prod(shape)), f"the number of elements of {whose}"
        for few in range(2, len(shape)):
            for axes in combinations(range(len(shape)), few):
                n = int(np.prod([shape[a] for a in axes]))
                yield n, f"the size of axes {', '.join(map(str, axes))} of {whose} together"


def count(n: int, word: str) -> str:
    """``1 element``, ``2 elements``."""
    return f"{n} {word}" + "s" * (n != 1)


def axes_of(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Sets of axes, single ones first, that hold more than one element."""
    for few in range(1, len(shape) + 1):
        for axes in combinations(range(len(shape)), few):
            if all(shape[axis] > 1 for axis in axes):
                yield axes


def axis_words(axes: tuple[int, ...]) -> str:
    """``axis 0``, ``axes 0 and 2``."""
    if len(axes) == 1:
        return f"axis {axes[0]}"
    return "axes " + ", ".join(map(str, axes[:-1])) + f" and {axes[-1]}"
