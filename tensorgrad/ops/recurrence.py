"""What the recurrent layers share: the walk over a sequence, the plain layer, the unrolled twin.

A sequence is a matrix of rows, one per step and member of the batch, steps after each other.
``steps`` says how it is cut: a number of steps of equal size, or the size of each of them, falling,
as a packed sequence has them.  The states have a buffer of their own with the first states before
the first step: a step reads the front of the block before it and writes its own block, so nothing
is copied, and a member that has ended is simply not read any more.  A layer that runs backwards in
time is one that is given its sequences turned around.

The projection of the input is one product for all steps; so is each weight's gradient, from the
gradients at the gates, which the walk back through time collects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorgrad.kernels import recurrent as kernels
from tensorgrad.kernels.registry import Operation
from tensorgrad.primitive import Kept, primitive, recorded

__all__ = ["arena", "before", "check", "collected", "ends", "rnn", "spans", "started", "unrolled"]

Steps = int | tuple[int, ...]


def spans(rows: int, batch: int, steps: Steps) -> list[tuple[int, int, int]]:
    """(first row, row after the last, where the block before begins in the buffer) per step.

    The step's own block begins in the buffer ``batch`` rows further down than its first row.
    """
    sizes = (rows // steps,) * steps if isinstance(steps, int) and steps else steps or ()
    found, start, before = [], 0, 0
    for size in sizes if isinstance(sizes, tuple) else ():
        found.append((start, start + size, before))
        before = batch + start
        start += size
    return found


def ends(rows: int, batch: int, steps: Steps) -> Any:
    """Where each member's last state stands in the buffer: a slice, or a row for each."""
    if isinstance(steps, int):
        return slice(rows, rows + batch)
    last = np.arange(batch)
    for start, stop, _ in spans(rows, batch, steps):
        last[: stop - start] = np.arange(batch + start, batch + stop)
    return last


def before(states: Any, rows: int, batch: int, steps: Steps) -> Any:
    """For each row of the sequence the state that its member had before that step."""
    if isinstance(steps, int):
        return states[:rows]  # every block is followed by the next
    found = np.empty((rows, states.shape[1]), states.dtype)
    for start, stop, prior in spans(rows, batch, steps):
        found[start:stop] = states[prior : prior + stop - start]
    return found


def check(
    x: Any, states: Sequence[Any], weights: Sequence[Any], gates: int, out: int, kinds: str = "fc"
) -> None:
    """RuntimeError unless types and shapes fit: ``gates`` rows in the weights, ``out`` columns."""
    kind = x.dtype
    dtypes = {a.dtype for a in (*states, *weights) if a is not None and a.dtype is not kind}
    dtypes.add(kind)
    if len(dtypes) > 1 or kind.kind not in kinds:
        raise RuntimeError(
            "input, states and weights must have one floating-point dtype, got "
            f"{', '.join(sorted(map(str, dtypes)))}"
        )
    shapes = (gates, x.shape[1]), (gates, out), (gates,), (gates,)
    for a, shape in zip(weights, shapes, strict=True):
        if a is not None and a.shape != shape:
            raise RuntimeError(f"expected a weight or bias of shape {shape}, got {a.shape}")
    if states[0].shape[1] != out:
        raise RuntimeError(f"expected a hidden state of {out} columns, got {states[0].shape}")


def arena(dtype: Any, *shapes: tuple[int, ...]) -> list[Any]:
    """Unwritten arrays in one piece of memory.

    Several large allocations per call would be given back to the system and fetched anew, page by
    page, on every call; that took longer than the arithmetic.
    """
    sizes = [int(np.prod(shape)) for shape in shapes]
    whole = np.empty(sum(sizes), dtype)
    places = np.cumsum([0, *sizes])
    return [
        whole[start : start + size].reshape(shape)
        for start, size, shape in zip(places, sizes, shapes, strict=False)
    ]


def started(g: Any, batch: int, like: Any) -> Any:
    """The gradient that reached a last state, as an array to work on; zeros if none did."""
    if g is None:
        return np.zeros((batch, like.shape[1]), like.dtype)
    return np.array(g, like.dtype, order="C")


def collected(d: Any, x: Any, w: Any, needs: Sequence[bool]) -> tuple[Any, Any, Any]:
    """From gradients at the gates: those of a projection's input, weight and bias."""
    return (
        np.dot(d, w) if needs[0] else None,
        np.dot(d.T, x) if needs[1] else None,
        np.add.reduce(d, axis=0) if needs[2] else None,
    )


def unrolled(
    cell: Callable[..., tuple[Any, ...]], projections: Any, states: Sequence[Any], steps: Steps
) -> tuple[Any, ...]:
    """The recurrence from primitives: ``cell(projection, *states)`` gives a step's new states.

    The output is the first state after every step; behind it stand all the last states.
    """
    xp = recorded
    batch = states[0].shape[0]
    outputs = []
    for start, stop, _ in spans(projections.shape[0], batch, steps):
        n = stop - start
        whole = n == batch
        now = states if whole else [xp.getitem(s, index=(slice(0, n),)) for s in states]
        new = cell(xp.getitem(projections, index=(slice(start, stop),)), *now)
        outputs.append(new[0])
        states = [
            s if whole else xp.cat(s, xp.getitem(old, index=(slice(n, batch),)), axis=0)
            for s, old in zip(new, states, strict=True)
        ]
    return xp.cat(*outputs, axis=0), *states


# --- The plain layer ------------------------------------------------------------------------------


def _twin(
    x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, *, relu: bool, steps: Any
) -> tuple[Any, ...]:
    xp = recorded

    def cell(a: Any, h: Any) -> tuple[Any]:
        a = xp.add(a, xp.linear(h, w_hh, b_hh))
        return (xp.relu(a) if relu else xp.tanh(a),)

    return unrolled(cell, xp.linear(x, w_ih, b_ih), [h], steps)


def _joint(
    xp: Any, g: Any, y: Any, x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, *,
    relu: bool, steps: Any, cache: Any, needs: Any,
) -> list[Any]:  # fmt: skip
    """Backpropagation through time; only ever called on arrays."""
    (of_y, of_last), batch = g, len(h)
    d_h = started(of_last, batch, h)
    d = np.empty((len(x), h.shape[1]), x.dtype)
    for start, stop, _ in reversed(spans(len(x), batch, steps)):
        e, at, out = d_h[: stop - start], d[start:stop], cache[batch + start : batch + stop]
        if of_y is not None:
            e += of_y[start:stop]
        if relu:
            np.multiply(e, out > 0, out=at)
        else:  # e * (1 - out**2)
            np.multiply(out, out, out=at)
            np.subtract(1, at, out=at)
            at *= e
        np.dot(at, w_hh, out=e)
    d_x, d_w, d_b = collected(d, x, w_ih, (needs[0], needs[2], needs[4] or needs[5]))
    of_w_hh = np.dot(d.T, before(cache, len(x), batch, steps)) if needs[3] else None
    return [d_x, d_h, d_w, of_w_hh, d_b if needs[4] else None, d_b if needs[5] else None]


def _walk(
    problem: Any, x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, relu: bool,
    steps: Any,
) -> tuple[Any, Any]:  # fmt: skip
    """(y, last h), and what the gradient reads."""
    batch, n = h.shape
    a = np.dot(x, w_ih.T)
    for b in (b_ih, b_hh):
        if b is not None:
            a += b
    states = np.empty((batch + len(x), n), x.dtype)
    states[:batch] = h
    into = np.ascontiguousarray(w_hh.T)
    for start, stop, prior in spans(len(x), batch, steps):
        at = states[batch + start : batch + stop]
        np.dot(states[prior : prior + stop - start], into, out=at)
        at += a[start:stop]
        if relu:
            np.maximum(at, 0, out=at)
        else:
            np.tanh(at, out=at)
    # The outputs are the user's to write: copies of what the rule reads.
    last = states[ends(len(x), batch, steps)].copy()
    return (states[batch:].copy(), last), states


forward = Operation("rnn", _walk)
forward.kernel("columns", kernels.serves)(kernels.rnn)


@primitive(
    joint=_joint,
    saves="x h w_ih w_hh b_ih b_hh",
    keeps="cache",
    outputs=True,
    composed=_twin,
    prose="backpropagation through time: a recursion over the steps, last one first, and not one "
    "expression; with d = (g + d_next @ w_hh) * f'(y) at each, w_ih gets the sum of d.T @ x",
)
def rnn(
    x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, *, relu: bool, steps: Any,
    keep: bool,
) -> Kept:  # fmt: skip
    """h = f(w_ih x + b_ih + w_hh h + b_hh) along a sequence: every h, and the last; f tanh or relu.

    x (rows, in), h (batch, out), weights (out, in) and (out, out), biases (out,) or None.
    """
    n = h.shape[1]
    check(x, [h], [w_ih, w_hh, b_ih, b_hh], n, n, "fi" if relu else "fc")
    problem = kernels.Problem(x.shape, h.shape, x.dtype, keep)
    y, kept = forward.choose(problem)(problem, x, h, w_ih, w_hh, b_ih, b_hh, relu, steps)
    return Kept(y, cache=kept)
