"""The loss of connectionist temporal classification: labels without their places in time."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.errors import describe
from tensorgrad.nn.functional.checks import choice, expect_tensor, floating
from tensorgrad.ops import ctc as ops
from tensorgrad.ops import elementwise, shape
from tensorgrad.tensor import Tensor

__all__ = ["ctc_loss"]

Array = np.ndarray[Any, Any]


def _lengths(argument: str, value: Any, count: int, most: int) -> Array:
    """How much of each sample counts, from a tensor or a sequence of ints."""
    array = value._array if isinstance(value, Tensor) else np.asarray(value)
    if array.dtype.kind not in "iu" and array.size:
        raise RuntimeError(f"ctc_loss(): {argument} must be integral, got {describe(array)}")
    if array.size != count or array.ndim > 1:
        raise RuntimeError(
            f"ctc_loss(): {argument} must be of size batch_size ({count}), got {describe(array)}"
        )
    found = array.reshape(-1).astype(np.int64)
    if found.size and (found.min() < 0 or found.max() > most):
        bad = found[(found < 0) | (found > most)][0]
        raise RuntimeError(f"ctc_loss(): {argument} must be from 0 to {most}, got {bad}")
    return found


def _padded(targets: Tensor, lengths: Array) -> Array:
    """Targets (N, S), padded with zeros, from that form or from all of them in one row."""
    array = targets._array
    longest = int(lengths.max(initial=0))
    if array.ndim == 2:
        if array.shape[0] != len(lengths) or array.shape[1] < longest:
            raise RuntimeError(
                f"ctc_loss(): expected targets of at least ({len(lengths)}, {longest}), got "
                f"{describe(targets)}"
            )
        rows = array[:, :longest].astype(np.int64)
    else:
        if len(array) != lengths.sum():
            raise RuntimeError(
                f"ctc_loss(): expected {lengths.sum()} targets, the sum of target_lengths, in one "
                f"row, got {describe(targets)}"
            )
        rows = np.zeros((len(lengths), longest), np.int64)
        rows[np.arange(longest) < lengths[:, None]] = array.astype(np.int64)
    return np.where(np.arange(longest) < lengths[:, None], rows, 0)


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """-log of the probability of all paths that leave the targets (Graves et al., 2006).

    log_probs: (T, N, C) or (T, C), as log_softmax gives them.  targets: (N, S), padded, or all in
    one row; classes other than ``blank``.  input_lengths, target_lengths: (N,), frames and labels
    of each sample.  zero_infinity: 0 where the target does not fit into the frames, not infinity.

    The mean divides each sample's loss by its target's length first.  The gradient is that of
    log_probs as they are; PyTorch's is already that of the scores before log_softmax.
    """
    name = "ctc_loss"
    expect_tensor(name, "log_probs", log_probs)
    expect_tensor(name, "targets", targets)
    choice(name, "reduction", reduction, ("none", "mean", "sum"))
    floating(name, log_probs)
    x = log_probs._array
    if x.ndim not in (2, 3) or x.size == 0:
        raise RuntimeError(
            f"{name}(): log_probs tensor must not be empty, of shape (T, N, C) or (T, C), got "
            f"{describe(log_probs)}"
        )
    batched = x.ndim == 3
    steps, count, classes = x.shape if batched else (x.shape[0], 1, x.shape[1])
    if not 0 <= blank < classes:
        raise RuntimeError(
            f"{name}(): blank must be in label range, from 0 to {classes - 1}, got {blank}"
        )
    if targets.ndim not in (1, 2):
        raise RuntimeError(
            f"{name}(): Expected 1 to 2 dimensions of targets, got {describe(targets)}"
        )
    frames = _lengths("input_lengths", input_lengths, count, steps)
    lengths = _lengths("target_lengths", target_lengths, count, np.iinfo(np.int64).max)
    rows = _padded(targets, lengths)
    inside = np.arange(rows.shape[1]) < lengths[:, None]
    used = rows[inside]
    if used.size and (used.min() < 0 or used.max() >= classes or (used == blank).any()):
        bad = used[(used < 0) | (used >= classes) | (used == blank)][0]
        raise RuntimeError(
            f"{name}(): targets must be classes from 0 to {classes - 1} other than blank ({blank}),"
            f" got {bad}"
        )
    given = log_probs if batched else shape.reshape(log_probs, shape=(steps, 1, classes))
    losses = ops.ctc(
        given, targets=rows, frames=frames, lengths=lengths, blank=blank,
        zero_infinity=bool(zero_infinity),
    )  # fmt: skip
    if reduction == "mean":
        losses = elementwise.div(losses, np.maximum(lengths, 1).astype(x.dtype))
        return losses.mean()
    if reduction == "sum":
        return losses.sum()
    return losses if batched else shape.reshape(losses, shape=())
