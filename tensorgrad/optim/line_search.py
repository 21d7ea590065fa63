"""A step length along a direction that satisfies the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from tensorgrad.optim.elementwise import Array

__all__ = ["Point", "cubic_minimum", "strong_wolfe"]

# evaluate(t) gives the value and the gradient at x + t d.
Evaluate: TypeAlias = Callable[[float], tuple[float, Array]]


class Point(NamedTuple):
    """What is known at x + t d."""

    t: float
    value: float
    gradient: Array
    slope: float  # of the value along d


def cubic_minimum(a: Point, b: Point, bounds: tuple[float, float] | None = None) -> float:
    """Where the cubic through two values and slopes is least, within ``bounds``.

    bounds: by default the interval between the points; its middle where the cubic has no minimum.

    Source: Nocedal and Wright, Numerical optimization, 2nd edition, equation 3.59.
    """
    low, high = (a, b) if a.t <= b.t else (b, a)
    least, most = (low.t, high.t) if bounds is None else bounds
    mean = a.slope + b.slope - 3 * (a.value - b.value) / (a.t - b.t)
    square = mean**2 - a.slope * b.slope
    if not square >= 0:
        return (least + most) / 2
    root = math.sqrt(square)
    below = high.slope - low.slope + 2 * root
    if below == 0:
        return (least + most) / 2
    t = high.t - (high.t - low.t) * ((high.slope + root - mean) / below)
    return min(max(t, least), most)


def strong_wolfe(
    evaluate: Evaluate,
    t: float,
    d: Array,
    start: Point,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance_change: float = 1e-9,
    max_evaluations: int = 25,
) -> tuple[Point, int]:
    """A point with value <= start + c1 t slope and abs(slope) <= c2 abs(start's slope).

    ``t`` is tried first, then longer ones until an interval holds such a point; that is narrowed
    by cubic interpolation. If the evaluations or the interval run out, the best point found.
    Returns the point and the number of evaluations.

    Source: Nocedal and Wright, Numerical optimization, 2nd edition, algorithms 3.5 and 3.6.
    """

    def at(t: float) -> Point:
        value, gradient = evaluate(t)
        return Point(t, value, gradient, float(np.dot(gradient, d)))

    def too_high(point: Point) -> bool:
        return point.value > start.value + c1 * point.t * start.slope

    def flat_enough(point: Point) -> bool:
        return abs(point.slope) <= -c2 * start.slope

    before, now = start, at(t)
    count, tries = 1, 0
    ends = [start, now]
    while tries < max_evaluations:
        if too_high(now) or (tries > 1 and now.value >= before.value):
            ends = [before, now]
            break
        if flat_enough(now):
            return now, count
        if now.slope >= 0:
            ends = [before, now]
            break
        bounds = (now.t + 0.01 * (now.t - before.t), now.t * 10)
        before, now = now, at(cubic_minimum(before, now, bounds))
        count += 1
        tries += 1
        ends = [start, now]  # if this was the last
    best = _lower(ends)
    size = float(np.max(np.abs(d)))
    was_close = False
    while tries < max_evaluations and not abs(ends[1].t - ends[0].t) * size < tolerance_change:
        t, was_close = _off_the_ends(cubic_minimum(ends[0], ends[1]), ends, was_close)
        now = at(t)
        count += 1
        tries += 1
        other = 1 - best
        if too_high(now) or now.value >= ends[best].value:
            ends[other] = now
            best = _lower(ends)
            continue
        if flat_enough(now):
            return now, count
        if now.slope * (ends[other].t - ends[best].t) >= 0:
            ends[other] = ends[best]
        ends[best] = now
    return ends[best], count


def _lower(ends: list[Point]) -> int:
    return 0 if ends[0].value <= ends[1].value else 1


def _off_the_ends(t: float, ends: list[Point], was_close: bool) -> tuple[float, bool]:
    """``t`` a tenth of the interval inside it, if it is outside or close to an end again."""
    least, most = sorted((ends[0].t, ends[1].t))
    margin = 0.1 * (most - least)
    if min(most - t, t - least) >= margin:
        return t, False
    if not (was_close or t >= most or t <= least):
        return t, True
    return (most - margin if abs(t - most) < abs(t - least) else least + margin), False
