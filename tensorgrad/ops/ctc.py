"""Connectionist temporal classification: all alignments of a label sequence, summed in log space.

A path names a class for every frame; removing repeats and then blanks leaves its labels.  The
loss is -log of the summed probability of all paths that leave the target (Graves et al., 2006).
With the target interleaved with blanks, l = (_, a, _, b, _), the recursion over frames is

    alpha_t(s) = x_t(l_s) + log(e**alpha(s) + e**alpha(s-1) + e**alpha(s-2) if that may be skipped)

with alpha of the previous frame on the right, and beta the same from the end.  Then
e**(alpha_t(s) + beta_t(s) + loss) is the probability that a path is at s in frame t, and minus its
sum over the places of a class is the derivative.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tensorgrad.primitive import Kept, primitive, recorded


class Lattice(NamedTuple):
    """What the recursion needs of the targets: arrays with a row per sample."""

    labels: Any  # (N, L): the class of every place, blanks included
    may_skip: Any  # (N, L): whether a place can be reached from two before it
    ends: Any  # (N, L): 0 at the places where a path may end, else -inf
    active: Any  # (T, N, 1): whether a frame belongs to the sample


def lattice(targets: Any, frames: Any, lengths: Any, blank: int, steps: int, kind: Any) -> Lattice:
    """The places of targets (N, S), padded, with ``frames`` and ``lengths`` (N,)."""
    count, longest = targets.shape
    labels = np.full((count, 2 * longest + 1), blank, np.int64)
    labels[:, 1::2] = targets
    may_skip = np.zeros(labels.shape, bool)
    may_skip[:, 3::2] = labels[:, 3::2] != labels[:, 1:-2:2]
    place = np.arange(labels.shape[1])
    last = 2 * lengths[:, None]
    may_end = (place == last) | ((place == last - 1) & (last > 0))
    ends = np.where(may_end, kind.type(0), kind.type(-np.inf))
    active = np.arange(steps)[:, None, None] < frames[:, None]
    return Lattice(labels, may_skip, ends, active)


def _start(ends: Any) -> Any:
    """Before the first frame: at the first blank, from where the first label can be reached."""
    alpha = np.full_like(ends, -np.inf)
    alpha[:, 0] = 0
    return alpha


def _emissions(x: Any, labels: Any) -> Any:
    """The log-probability of every place in every frame, (T, N, L)."""
    return np.take_along_axis(x, np.broadcast_to(labels, (len(x), *labels.shape)), axis=2)


def _forward_sums(emitted: Any, on: Lattice) -> Any:
    """alpha after every frame, (T, N, L)."""
    out = np.empty_like(emitted)
    alpha = _start(on.ends)
    for t in range(len(emitted)):
        new = alpha.copy()
        new[:, 1:] = np.logaddexp(new[:, 1:], alpha[:, :-1])
        skipped = np.where(on.may_skip[:, 2:], alpha[:, :-2], -np.inf)
        new[:, 2:] = np.logaddexp(new[:, 2:], skipped)
        new += emitted[t]
        alpha = out[t] = np.where(on.active[t], new, alpha)
    return out


def _backward_sums(emitted: Any, on: Lattice) -> Any:
    """beta after every frame, without that frame's own emission, (T, N, L)."""
    out = np.empty_like(emitted)
    beta = on.ends
    for t in range(len(emitted) - 1, -1, -1):
        out[t] = beta
        ahead = beta + emitted[t]
        new = ahead.copy()
        new[:, :-1] = np.logaddexp(new[:, :-1], ahead[:, 1:])
        skipped = np.where(on.may_skip[:, 2:], ahead[:, 2:], -np.inf)
        new[:, :-2] = np.logaddexp(new[:, :-2], skipped)
        beta = np.where(on.active[t], new, beta)
    return out


def _rule(
    xp: Any, g: Any, y: Any, x: Any, *, targets: Any, frames: Any, lengths: Any, blank: int,
    zero_infinity: bool, cache: Any,
) -> Any:  # fmt: skip
    on = lattice(targets, frames, lengths, blank, len(x), x.dtype)
    emitted = _emissions(x, on.labels)
    found = cache + _backward_sums(emitted, on)
    total = np.logaddexp.reduce(cache[-1] + on.ends, axis=1)[:, None]
    scale = np.where(on.active, g[:, None], 0)
    with np.errstate(invalid="ignore"):  # NaN where no path leads to the target
        found = np.exp(np.subtract(found, total, out=found), out=found)
        found *= scale
    if zero_infinity:
        found[:, np.isneginf(total[:, 0])] = 0
    out = np.zeros_like(x)
    t, n = np.ogrid[: x.shape[0], : x.shape[1]]
    np.subtract.at(out, (t[..., None], n[..., None], on.labels), found)
    return out


def _twin(
    x: Any, *, targets: Any, frames: Any, lengths: Any, blank: int, zero_infinity: bool
) -> Any:
    """The same from primitives: the recursion in single steps."""
    xp = recorded
    on = lattice(targets, frames, lengths, blank, len(x), x._array.dtype)
    places = np.broadcast_to(on.labels, (len(x), *on.labels.shape))
    emitted = xp.gather(x, index=places, axis=2)
    alpha: Any = _start(on.ends)
    nowhere = np.array(-np.inf, on.ends.dtype)
    width = on.labels.shape[1]
    for t in range(len(x)):
        cut = (slice(None), slice(0, width))
        terms = [
            xp.getitem(xp.pad(alpha, widths=((0, 0), (by, 0)), value=-np.inf), index=cut)
            for by in range(3)
        ]
        terms[2] = xp.where(on.may_skip, terms[2], nowhere)
        shape = (*on.ends.shape, 1)
        stacked = xp.cat(*(xp.reshape(term, shape=shape) for term in terms), axis=2)
        new = xp.add(xp.logsumexp(stacked, axis=2, keepdims=False), xp.getitem(emitted, index=(t,)))
        alpha = xp.where(np.broadcast_to(on.active[t], on.ends.shape), new, alpha)
    ended = xp.where(on.ends == 0, alpha, nowhere)
    loss = xp.neg(xp.logsumexp(ended, axis=1, keepdims=False))
    if zero_infinity:
        loss = xp.where(np.isfinite(loss._array), loss, np.zeros((), on.ends.dtype))
    return loss


@primitive(
    _rule,
    saves="x",
    keeps="cache",
    composed=_twin,
    formula="-column(g) * passing(x, targets, frames, lengths, blank)",
)
def ctc(
    x: Any, *, targets: Any, frames: Any, lengths: Any, blank: int, zero_infinity: bool
) -> Kept:
    """-log P(targets) per sample (N,), of log-probabilities (T, N, C).

    targets: (N, S), padded; frames, lengths: how much of each sample counts (N,).
    zero_infinity: 0, with no gradient, where no path leads to the target.
    """
    on = lattice(targets, frames, lengths, blank, len(x), x.dtype)
    alpha = _forward_sums(_emissions(x, on.labels), on)
    loss = -np.logaddexp.reduce(alpha[-1] + on.ends, axis=1)
    if zero_infinity:
        loss = np.where(np.isinf(loss), 0, loss).astype(x.dtype)
    return Kept(np.asarray(loss, x.dtype), cache=alpha)
