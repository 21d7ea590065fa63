"""What the outputs of activation functions say, judged many at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tensorgrad.viz.monitoring.activity import Activation, Part

__all__ = ["Shares", "judged", "spreads_of"]

Array = NDArray[Any]
# Of zeros, of dead units, of saturated outputs: None where that does not apply or is not known;
# and of each unit that was looked at whether it was ever alive, None if it cannot die.
Shares = tuple[float | None, float | None, float | None, Array | None]


def judged(seen: Sequence[Activation]) -> list[Shares]:
    """The shares of each activation; what is of one kind and shape goes through NumPy together."""
    groups: dict[Any, list[tuple[int, int, Array]]] = {}
    for k, activation in enumerate(seen):
        for j, part in enumerate(activation.parts):
            key = (activation.place.kind, part.shape, part.dtype, part.axis)
            groups.setdefault(key, []).append((k, j, part.array()))
    hits: list[list[Any]] = [[None] * len(activation.parts) for activation in seen]
    for (kind, _, _, axis), members in groups.items():
        parts = [part for _, _, part in members]
        if kind.whole and parts[0].dtype != np.bool_:  # to be judged in each output by itself
            parts = [kind.stuck(part) for part in parts]
        stack = np.stack(parts)
        if stack.dtype != np.bool_:
            stack = kind.stuck(stack)
        if kind.dies:
            stack = ~stack
        counts = np.count_nonzero(stack.reshape(len(parts), -1), axis=1).tolist()
        axes = tuple(n for n in range(1, stack.ndim) if n != axis + 1)
        units = stack.any(axes).reshape(len(parts), -1) if kind.dies else counts
        for (k, j, _), count, alive in zip(members, counts, units):
            hits[k][j] = (count, alive)
    return [_shares(activation, found) for activation, found in zip(seen, hits)]


def _shares(activation: Activation, hits: list[tuple[int, Any]]) -> Shares:
    """The parts of one activation together."""
    size = sum(math.prod(part.shape) for part in activation.parts)
    if not size:
        return None, None, None, None
    share = sum(count for count, _ in hits) / size
    if not activation.place.kind.dies:
        return None, None, share, None
    alive: Array = hits[0][1]
    for _, found in hits[1:]:
        alive = alive | found if alive.shape == found.shape else found
    return 1 - share, float(1 - alive.mean()), None, alive


def spreads_of(outputs: Sequence[Part | None]) -> list[float | None]:
    """Of rows of outputs: the standard deviation over the batch, relative to their size.

    0 for a model that says the same whatever it is given; the size is the root mean square.
    """
    groups: dict[Any, list[int]] = {}
    for k, rows in enumerate(outputs):
        if rows is not None:
            groups.setdefault(rows.shape, []).append(k)
    out: list[float | None] = [None] * len(outputs)
    for members in groups.values():
        stack = np.stack([outputs[k].array() for k in members])  # type: ignore[union-attr]
        stack = stack.astype(np.float64)
        with np.errstate(all="ignore"):
            size = np.sqrt(np.square(stack).mean((1, 2)))
            spread = stack.std(1).mean(1) / size
        for k, value, known in zip(members, spread.tolist(), size.tolist()):
            out[k] = value if known else 0.0
    return out
