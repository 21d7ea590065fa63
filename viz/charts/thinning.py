"""Lines of many points: which of them a picture needs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tensorgrad.viz.charts.scales import LEAST

__all__ = ["MAX_POINTS", "drawable", "runs", "thinned"]

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

MAX_POINTS = 1600  # beyond, each column of pixels keeps its extremes


def drawable(y: Array, log: bool) -> NDArray[np.bool_]:
    """Which values have a place on an axis."""
    known: NDArray[np.bool_] = np.abs(y) < 1e300  # neither NaN nor infinite
    return known & (y > LEAST) if log else known


def runs(known: NDArray[np.bool_], pixels: Array) -> list[Indices]:
    """The indices of the points that are known, in unbroken runs.

    pixels: where each point is across the picture.  Of many points those on both sides of a gap
    that is less than two pixels wide are in one run: such a gap cannot be seen, and there may be
    half a million of them.
    """
    at = np.flatnonzero(known)
    if not at.size:
        return []
    broken = np.diff(at) > 1
    if at.size > MAX_POINTS:
        broken &= np.abs(np.diff(pixels[at])) >= 2
    return np.split(at, np.flatnonzero(broken) + 1)


def thinned(at: Indices, across: Array, up: Array, many: bool | None = None) -> Indices:
    """Of the points ``at``, at most four in a column of pixels: first, extremes, last.

    across, up: the coordinates of all points in pixels.  many: whether there are too many, they
    and others of the same line together.
    """
    if not (len(at) > MAX_POINTS if many is None else many):
        return at
    column = np.rint(across[at])
    if np.any(column[1:] < column[:-1]):  # a line that turns back
        _, first, place = np.unique(column, return_index=True, return_inverse=True)
        order = np.argsort(first[place], kind="stable")
        at, column = at[order], column[order]
    starts = np.flatnonzero(np.concatenate([[True], column[1:] != column[:-1]]))
    counts = np.diff(np.append(starts, len(at)))
    y = up[at]
    keep = [starts, starts + counts - 1]
    which = np.arange(len(starts))
    extreme: Any
    for extreme, side in ((np.minimum, "left"), (np.maximum, "right")):
        found = np.flatnonzero(y == np.repeat(extreme.reduceat(y, starts), counts))
        owner = np.searchsorted(starts, found, "right") - 1
        # Of several that are equal the first is the lowest, the last the highest.
        keep.append(found[np.searchsorted(owner, which, side) - (side == "right")])  # type: ignore[call-overload]
    kept: Indices = at[np.unique(np.concatenate(keep))]
    return kept
