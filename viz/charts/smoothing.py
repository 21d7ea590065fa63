"""Noisy curves made readable: windowed means, exponential means, mean and deviation over runs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tensorgrad.viz.figures.arguments import listed

__all__ = ["Runs", "exponential_mean", "over_runs", "points_of", "windowed_mean"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Runs:
    """The same measurement from several runs: what `over_runs` returns.

    ``x``, ``mean``, ``std``: the sample standard deviation, NaN where only one run got that far;
    ``count``: how many runs did.
    """

    x: Array
    mean: Array
    std: Array
    count: NDArray[np.int64]


def over_runs(runs: Iterable[Any]) -> Runs:
    """Mean and standard deviation over runs, a series for `learning_curves`: a line and a band.

    runs: series as `learning_curves` takes them, one for each run.  They are met at equal x; a run
    that ended early counts as far as it got.
    """
    given = listed(runs, "viz.over_runs", "runs", "a list of series, one for each run")
    series = [points_of(run, "viz.over_runs: a run") for run in given]
    if not series:
        raise ValueError("viz.over_runs: there are no runs")
    x = np.unique(np.concatenate([xs for xs, _ in series]))
    values = np.full((len(series), len(x)), np.nan)
    there = np.zeros((len(series), len(x)), bool)
    for row, (xs, ys) in enumerate(series):
        at = np.searchsorted(x, xs)
        values[row, at], there[row, at] = ys, True
    count = there.sum(0)
    with np.errstate(all="ignore"):
        filled = np.where(there, values, 0.0)
        mean = filled.sum(0) / np.maximum(count, 1)
        square = np.where(there, (values - mean) ** 2, 0.0).sum(0)
        std = np.where(count > 1, np.sqrt(square / np.maximum(count - 1, 1)), np.nan)
    return Runs(x, mean, std, count)


def points_of(points: Any, caller: str) -> tuple[Array, Array]:
    """x and y of a series: numbers (x = 1, 2, ...), (x, y) pairs, an array or a Tensor of either.

    Raises TypeError for anything else, ValueError for an x that is not finite.
    """
    if hasattr(points, "detach"):
        points = points.detach().numpy()
    if isinstance(points, str | bytes) or not isinstance(points, Iterable):
        raise TypeError(f"{caller} must be numbers or (x, y) pairs, got {type(points).__name__}")
    items = points if isinstance(points, np.ndarray | list | tuple) else list(points)
    try:
        array = np.asarray(items, np.float64)
    except (TypeError, ValueError):
        array = _one_by_one(items, caller)
    if array.size == 0:
        return np.empty(0), np.empty(0)
    if array.ndim == 1:
        x, y = np.arange(1, len(array) + 1, dtype=np.float64), array
    elif array.ndim == 2 and array.shape[1] == 2:
        x, y = array[:, 0], array[:, 1]
    elif array.ndim == 2 and array.shape[1] == 1:  # numbers as tensors of one element
        x, y = np.arange(1, len(array) + 1, dtype=np.float64), array[:, 0]
    else:
        raise TypeError(
            f"{caller} must be numbers or (x, y) pairs, got an array of shape {array.shape}; for "
            "several runs of one measurement use viz.over_runs(runs)"
        )
    bad = np.flatnonzero(~np.isfinite(x))
    if bad.size:
        raise ValueError(f"{caller} has x = {x[bad[0]]} at place {bad[0]}")
    return x, y


def _one_by_one(items: Any, caller: str) -> Array:
    """What NumPy does not take as a whole: tensors among numbers; or the place of what is wrong."""
    rows = []
    for k, item in enumerate(items):
        try:
            if isinstance(item, str | bytes):
                raise TypeError
            pair = [float(v) for v in item] if _is_pair(item) else [float(item)]
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"{caller} has {item!r:.60} at place {k}; expected a number or an (x, y) pair"
            ) from error
        rows.append(pair if len(pair) == 2 else [k + 1.0, pair[0]])
    return np.array(rows, np.float64)


def _is_pair(item: Any) -> bool:
    try:
        return len(item) == 2
    except TypeError:
        return False


def windowed_mean(x: Array, y: Array, window: int) -> tuple[Array, Array]:
    """Means of ``window`` points at a time, at the x of the last; a shorter rest is a mean too.

    Where a point is not finite, neither is the mean.
    """
    if not len(y):
        return x, y
    starts = np.arange(0, len(y), window)
    sizes = np.diff(np.append(starts, len(y)))
    with np.errstate(all="ignore"):
        return x[starts + sizes - 1], np.add.reduceat(y, starts) / sizes


def exponential_mean(y: Array, decay: float) -> Array:
    """m_t = decay m_(t-1) + (1 - decay) y_t over 1 - decay^t, so that it does not start at 0.

    A point that is not finite stays so and is left out of the mean.
    """
    out = np.array(y, np.float64)
    there = np.isfinite(out)
    mean = (1 - decay) * out[there]
    # Sums over the last 1, 2, 4, 8, ... points, each of two sums before it.
    span = 1
    while span < len(mean) and decay**span:
        mean[span:] = mean[span:] + decay**span * mean[:-span]
        span *= 2
    if decay:
        mean /= -np.expm1(np.arange(1, len(mean) + 1) * math.log(decay))
    out[there] = mean
    return out
