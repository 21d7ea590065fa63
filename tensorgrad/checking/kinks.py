"""Kinks: where the derivatives from the left and from the right differ, anything between is right.

relu at 0, abs at 0, a tie of max, clamp at its bound: the function has no derivative there, and
every value between the two one-sided ones is a valid subgradient along that coordinate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tensorgrad.checking.differences import Point, Real
from tensorgrad.checking.methods import Differences, precision

__all__ = ["Kink", "kinks", "kinks_along"]

NEAR = 8.0  # a kink looks the same from eight times closer; a curve looks eight times flatter


@dataclass(frozen=True)
class Kink:
    """Where one output element, along one input coordinate, has two one-sided derivatives."""

    output: int  # which output
    row: int  # which of its elements
    column: int  # which input coordinate
    left: float
    right: float

    @property
    def low(self) -> float:
        return min(self.left, self.right)

    @property
    def high(self) -> float:
        return max(self.left, self.right)

    def holds(self, value: float, room: float) -> bool:
        """Whether a value is a valid subgradient; NaN never is."""
        return self.low - room <= value <= self.high + room


def kinks(differences: Differences, point: Point, k: int) -> list[Kink]:
    """The kinks of all outputs at the present values, along one coordinate."""
    h = _step(point, float(abs(point.base[point.index(k)[0]])))
    far = differences.sides(point, k, h)
    near = differences.sides(point, k, h / NEAR)
    found = []
    for o in range(len(near[0])):
        left, right = near[0][o], near[1][o]
        found += [
            Kink(o, int(row), k, float(left[row]), float(right[row]))
            for row in np.flatnonzero(_jumps(point, left, right, far[1][o] - far[0][o]))
        ]
    return found


def kinks_along(
    differences: Differences, point: Point, direction: Real, o: int
) -> tuple[Any, Real, Real]:
    """In a direction: which elements of an output have a kink, and the two derivatives of all."""
    h = _step(point, 1.0)
    far = differences.sides_along(point, direction, h)
    left, right = (side[o] for side in differences.sides_along(point, direction, h / NEAR))
    return _jumps(point, left, right, far[1][o] - far[0][o]), left, right


def _step(point: Point, size: float) -> float:
    # Rounding unit/h and curvature h^2 both stay far below a jump that anybody would call one.
    return float(precision(point) ** (1 / 3) * max(1.0, size))


def _jumps(point: Point, left: Real, right: Real, wide: Real) -> Any:
    """Where two one-sided derivatives differ, and by as much as they did from further away."""
    jump = right - left
    scale = 1 + np.abs(left) + np.abs(right)
    certain = _finite(left, right, wide)
    certain &= np.abs(jump) > 1e3 * precision(point) ** (2 / 3) * scale
    # sqrt(|x|) at 0 grows without bound instead: no two numbers are its one-sided derivatives.
    return certain & (np.abs(jump - wide) <= 0.05 * np.abs(jump))


def _finite(*arrays: Real) -> Any:
    return np.logical_and.reduce([np.isfinite(a) for a in arrays])
