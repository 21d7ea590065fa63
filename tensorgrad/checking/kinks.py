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

__all__ = ["Kink", "kinks"]

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
    unit = precision(point)
    place = point.index(k)[0]
    # Rounding unit/h and curvature h^2 both stay far below a jump that anybody would call one.
    h = unit ** (1 / 3) * max(1.0, float(abs(point.base[place])))
    far = differences.sides(point, k, h)
    near = differences.sides(point, k, h / NEAR)
    found = []
    for o, (left, right) in enumerate(zip(*near, strict=True)):
        jump, wide = right - left, far[1][o] - far[0][o]
        scale = 1 + np.abs(left) + np.abs(right)
        certain = _finite(left, right, wide) & (np.abs(jump) > 1e3 * unit ** (2 / 3) * scale)
        # sqrt(|x|) at 0 grows without bound instead: no two numbers are its one-sided derivatives.
        certain &= np.abs(jump - wide) <= 0.05 * np.abs(jump)
        found += [
            Kink(o, int(row), k, float(left[row]), float(right[row]))
            for row in np.flatnonzero(certain)
        ]
    return found


def _finite(*arrays: Real) -> Any:
    return np.logical_and.reduce([np.isfinite(a) for a in arrays])
