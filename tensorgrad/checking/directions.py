"""The comparison along random directions, for functions too large to compare whole Jacobians."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.checking.differences import SIGNS, Real, flat
from tensorgrad.checking.explaining import Mismatch
from tensorgrad.checking.kinks import kinks, kinks_along
from tensorgrad.checking.report import Compared, GradcheckError

if TYPE_CHECKING:
    from tensorgrad.checking.comparison import Check

__all__ = ["compare_along"]

DIRECTIONS = 3  # a wrong element hides from one random direction only by chance
SEARCHED = 512  # how many elements of a large input are tried to find the wrong one
EXPLAINED = 2000  # the sizes up to which a failed check looks at the whole Jacobian


def compare_along(run: Check, outputs: list[Any]) -> None:
    """Compare the derivatives of random combinations of outputs along random directions."""
    worst: dict[tuple[int, int], tuple[float, float]] = {}
    kinked: dict[tuple[int, int], str] = {}
    for _ in range(DIRECTIONS):
        weights = [run.rng.standard_normal(flat(t._array).size) for t in outputs]
        pulled = [run.subject.pull_flat([t], [v]) for t, v in zip(outputs, weights, strict=True)]
        for p, point in enumerate(run.subject.points):
            # Signs, not normals: every element moves by the step, none by much more or less.
            direction = run.rng.choice(SIGNS, point.size)
            moved = run.differences.along(point, direction)
            for o, output in enumerate(outputs):
                numerical = np.dot(weights[o], moved[o])
                analytical = np.dot(pulled[o][p], direction)
                scale = float(np.linalg.norm(weights[o]) * np.sqrt(point.size))
                over = run.excess(point, np.array(analytical), np.array(numerical), scale)
                if over > 0:
                    text = interval(run, output, o, p, direction, moved[o], weights[o])
                    if not text:
                        raise search(run, output, o, p, weights[o], pulled[o][p])
                    kinked[o, p] = text
                else:
                    gap = abs(float(analytical - numerical))
                    before = worst.get((o, p), (0.0, 0.0))
                    worst[o, p] = max(before[0], gap), max(before[1], abs(float(numerical)))
    for o, p in kinked:
        worst.setdefault((o, p), (0.0, 0.0))
    for (o, p), (gap, size) in worst.items():
        point = run.subject.points[p]
        run.result.compared.append(
            Compared(
                point.name,
                run.word(o),
                run.differences.used(point),
                DIRECTIONS,
                gap,
                gap / size if size else gap,
                0,
                run.differences.reasons.get(point, ""),
                [kinked[o, p]] if (o, p) in kinked else [],
            )
        )
    run.result.notes.append(
        f"compared along {DIRECTIONS} random directions; fast_mode=False compares each element"
    )


def interval(
    run: Check, output: Any, o: int, p: int, direction: Real, moved: Real, weights: Real
) -> str:
    """A sentence if kinks explain why a direction failed, otherwise "".

    Output elements without a kink must agree by themselves; the others must lie, together,
    between what their derivatives from the left and from the right give.
    """
    point = run.subject.points[p]
    jumps, left, right = kinks_along(run.differences, point, direction, o)
    if not jumps.any():
        return ""
    smooth = np.where(jumps, 0.0, weights)
    rough = np.where(jumps, weights, 0.0)
    room = float(np.linalg.norm(weights) * np.sqrt(point.size))
    got = [np.dot(run.subject.pull_flat([output], [w])[p], direction) for w in (smooth, rough)]
    expected = np.array(np.dot(smooth, np.where(jumps, 0.0, moved)))
    if run.excess(point, np.array(got[0]), expected, room) > 0:
        return ""
    ends = np.stack([rough * left, rough * right])[:, jumps]
    low, high = float(ends.min(axis=0).sum()), float(ends.max(axis=0).sum())
    nearest = np.array(min(max(float(got[1]), low), high))
    if run.excess(point, np.array(got[1]), nearest, room) > 0:
        return ""
    return (
        f"kink: {int(jumps.sum())} of {jumps.size} elements of {run.word(o)} have two "
        f"one-sided derivatives; backward gives a value between them"
    )


def search(
    run: Check, output: Any, o: int, p: int, weights: Real, gradient: Real
) -> GradcheckError:
    """A direction failed: the error, with the wrong elements."""
    point = run.subject.points[p]
    problem = "Gradient mismatch along a random direction,"
    if max(point.size, weights.size) <= EXPLAINED and point.size * weights.size <= 1_000_000:
        expected = run.differences.jacobian(point)[o]
        got = run.subject.analytical_jacobian(output)[p]
        whole = run.compare(o, p, output, expected, got)
        if whole is not None:
            return run.told(whole, problem)
        run.result.compared.pop()
    tried = np.arange(point.size)
    if point.size > SEARCHED:
        likely = np.argsort(-np.abs(gradient), kind="stable")[: SEARCHED // 2]
        others = run.rng.choice(point.size, SEARCHED // 2, replace=False)
        tried = np.unique(np.concatenate([likely, others]))
    numerical = np.array(
        [np.dot(weights, run.differences.column(point, int(k))[o]) for k in tried]
    )[None]
    analytical = gradient[tried][None]
    over = run.excess(point, analytical, numerical, float(np.linalg.norm(weights)))
    for i in np.flatnonzero(over[0] > 0):
        met = [kink for kink in kinks(run.differences, point, int(tried[i])) if kink.output == o]
        slack = sum(abs(weights[kink.row]) * (kink.high - kink.low) / 2 for kink in met)
        if over[0, i] <= slack:
            over[0, i], numerical[0, i] = -slack, analytical[0, i]
    run.note(o, p, numerical, analytical, over, [])
    mismatch = Mismatch(run.subject, o, p, output, numerical, analytical, over, tried)
    return run.told(mismatch, problem)
