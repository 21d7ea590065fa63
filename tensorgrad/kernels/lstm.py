"""A long short-term memory whose gradient will not be asked for.

=========  ==================================================================  ==================
operation  called as                                                           returns
=========  ==================================================================  ==================
`lstm`     run(problem, x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr, steps)          ((y, h, c), kept)
=========  ==================================================================  ==================

The reference is the walk of `tensorgrad.ops.lstm`, which keeps what its gradient reads.  Nothing of
that is kept here, so every step works in the same memory, which stays in a core's cache: five
matrices (n, batch) one after the other, the gates i, f, u, o and the cell c.  Of those (i, f) and
(u, c) are views with one stride, so that both products of c = i * u + f * c are one call.

Members of the batch are columns: the product of the weights, as they lie, with columns takes 35 us
(128 units, batch 32) where rows times weights take 44 to 70.  The columns are h, x and a one, for
the bias, so that the product makes the whole of the gates; with a batch of one, where a product
takes as long as reading its weights, the part of x is made for all steps at once.

The gates are 1 + tanh(a / 2), twice their sigmoids: halves stand in the weights, where they are
exact, in the weights of h a half more, since h is twice what it is, and a half in front of c.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

__all__ = ["Problem", "columns", "serves"]

# Products of a matrix of this size or smaller and a vector stay on the thread that asks for them.
# Two threads of OpenBLAS gain nothing on 512 rows of 128 (5 us either way), and every one of them
# waits for a busy machine: 50 steps took 11 ms then instead of 0.5.
_ALONE = 1 << 13


class Problem(NamedTuple):
    """A walk as its kernels see it; hashable, so that choices are kept for it."""

    input: tuple[int, ...]
    hidden: tuple[int, ...]
    dtype: np.dtype[Any]
    keep: bool


def serves(problem: Problem) -> str:
    """Why not this kernel; "" if it serves."""
    if problem.keep:
        return "a gradient will follow, and nothing is kept for it"
    if problem.dtype.kind == "f" and problem.dtype.itemsize < 4:
        return f"BLAS has no product of {problem.dtype}"
    return ""


def columns(
    problem: Problem, x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any,
    w_hr: Any, steps: Any,
) -> tuple[Any, None]:  # fmt: skip
    """y (rows, out) and the last h and c: the steps of one size together."""
    n = c.shape[1]
    halves = np.repeat(np.array([0.5, 0.5, 1, 0.5], x.dtype), n)[:, None]
    w_hh, w_ih = w_hh * (halves * 0.5).astype(x.dtype), w_ih * halves
    biases = [b for b in (b_ih, b_hh) if b is not None]
    bias = sum(biases[1:], biases[0])[:, None] * halves if biases else np.zeros_like(halves)
    alone = len(h) == 1
    together = None if alone else np.concatenate([w_hh, w_ih, bias], axis=1)
    y = np.empty((len(x), h.shape[1]), x.dtype)
    last_h, last_c = h.astype(x.dtype), c.astype(x.dtype)  # copies, whatever the types
    start = 0
    for size, count in _runs(len(x), steps):
        stop = start + size * count
        now_h, now_c = last_h[:size] * 2, last_c[:size]
        out = y[start:stop].reshape(count, size, y.shape[1])
        given = x[start:stop].reshape(count, size, x.shape[1])
        if alone:
            _one(given[:, 0], now_h[0], now_c[0], w_hh, w_ih, bias, w_hr, out[:, 0])
        else:
            _several(given, now_h, now_c, together, w_hr, out)
        out *= 0.5
        last_h[:size] = out[-1]
        start = stop
    return (y, last_h, last_c), None


def _runs(rows: int, steps: Any) -> list[tuple[int, int]]:
    """(members, steps) of the parts of a sequence whose steps have the same members."""
    if isinstance(steps, int):
        return [(rows // steps, steps)] if steps else []
    found: list[tuple[int, int]] = []
    for size in steps:
        same = bool(found) and found[-1][0] == size
        count = found.pop()[1] if same else 0
        found.append((size, count + 1))
    return [(size, count) for size, count in found if size]


def _pieces(matrix: Any) -> Any:
    """The rows of a matrix in stacks of `_ALONE` elements at most, if they can be cut so."""
    rows, width = matrix.shape
    most = _ALONE // max(width, 1)
    high = next((high for high in range(min(most, rows), 7, -1) if rows % high == 0), rows)
    return matrix.reshape(-1, high, width) if rows else matrix[None]


def _one(x: Any, h: Any, c: Any, w_hh: Any, w_ih: Any, bias: Any, w_hr: Any, y: Any) -> None:
    """x (steps, in) of one member; twice h goes into y (steps, out), c is changed in place."""
    n = len(c)
    # Gate by gate, for the same reason as in pieces.
    projected = np.empty((len(x), 4, n), x.dtype)
    by_gate = w_ih.reshape(4, n, w_ih.shape[1]).transpose(0, 2, 1)
    np.matmul(x, by_gate, out=projected.transpose(1, 0, 2))
    projected = projected.reshape(len(x), 4 * n)
    projected += bias[:, 0]
    state = np.zeros((5, n), x.dtype)
    gates, cell, o = state[:4].reshape(-1), state[4], state[3]
    cell[...] = c
    w_hh = _pieces(w_hh)
    stacked = gates.reshape(w_hh.shape[:2])
    ones = np.repeat(np.array([1, 1, 0, 1], x.dtype), n)
    halves = np.full(2, 0.5, x.dtype)
    one, other, products = state[:2], state[2:5:2], np.empty((2, n), x.dtype)
    tanh_c, out = np.empty(n, x.dtype), np.empty(n, x.dtype)
    # Fifty steps of these take 0.3 ms in all: names without dots, results by position.
    dot, matmul, add, multiply, tanh = np.dot, np.matmul, np.add, np.multiply, np.tanh
    for inputs, into in zip(projected, y, strict=True):
        matmul(w_hh, h, stacked)
        add(gates, inputs, gates)
        tanh(gates, gates)
        add(gates, ones, gates)
        multiply(one, other, products)
        dot(halves, products, cell)
        tanh(cell, tanh_c)
        if w_hr is None:
            multiply(o, tanh_c, into)
        else:
            dot(w_hr, multiply(o, tanh_c, out), into)
        h = into
    c[...] = cell


def _several(x: Any, h: Any, c: Any, weights: Any, w_hr: Any, y: Any) -> None:
    """x (steps, batch, in); twice h goes into y (steps, batch, out), c is changed in place."""
    batch, n = c.shape
    given = np.ones((weights.shape[1], batch), x.dtype)
    above = y.shape[2]
    hidden, inputs = given[:above], given[above:-1]
    state = np.zeros((5, n, batch), x.dtype)
    gates, cell, o = state[:4], state[4], state[3]
    flat = gates.reshape(4 * n, batch)
    hidden[...], cell[...] = h.T, c.T
    one, other, products = state[:2], state[2:5:2], np.empty((2, n, batch), x.dtype)
    tanh_c, out = np.empty((n, batch), x.dtype), np.empty((n, batch), x.dtype)
    for now, into in zip(x, y, strict=True):
        inputs[...] = now.T
        np.dot(weights, given, flat)
        np.tanh(gates, gates)
        one += 1
        o += 1
        np.multiply(one, other, products)
        np.add(products[0], products[1], cell)
        cell *= 0.5
        np.tanh(cell, tanh_c)
        if w_hr is None:
            np.multiply(o, tanh_c, hidden)
        else:
            np.dot(w_hr, np.multiply(o, tanh_c, out), hidden)
        into[...] = hidden.T
    c[...] = cell.T
