"""The functions of attention's formulas, query by query."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.formula.functions import word

__all__ = ["attention_weights", "dropped"]

Array = Any


@word("softmax(scale · {0:a} {1:a}ᵀ)")
def attention_weights(
    q: Array, k: Array, bias: Array | None = None, *, scale: float, causal: bool
) -> Array:
    """How much each query takes of each key: (..., queries, keys)."""
    shape = (*q.shape[:-1], k.shape[-2])
    added = np.broadcast_to(0.0 if bias is None else bias, shape)
    p = np.zeros(shape)
    for place in np.ndindex(shape[:-1]):
        *matrix, query = place
        scores = scale * k[tuple(matrix)] @ q[place] + added[place]
        if causal:
            scores[query + 1 :] = -np.inf
        if scores.max(initial=-np.inf) > -np.inf:
            e = np.exp(scores - scores.max())
            p[place] = e / e.sum()
    return p


@word("dropout({0})")
def dropped(p: Array, *, kept: Array | None, share: float) -> Array:
    """The weights that dropout leaves; ``kept`` has keys first and queries last."""
    if kept is None:
        return p
    return p * share * np.moveaxis(kept, 0, 2).reshape(p.shape)
