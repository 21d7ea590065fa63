"""A long short-term memory whose gradient will not be asked for.

=========  ==================================================================  ==================
operation  called as                                                           returns
=========  ==================================================================  ==================
`lstm`     run(problem, x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr, steps)          ((y, h, c), kept)
=========  ==================================================================  ==================

The reference is the walk of `tensorgrad.ops.lstm`, which keeps what its gradient reads.  Nothing of
that is kept here, so every step works in the same memory, which stays in a core's cache: five
matrices (n, batch) one after the other, the gates i, f, o, the candidate u and the cell c.

Members of the batch are columns: the product of the weights, as they lie, with columns takes 35 us
(128 units, batch 32) where rows times weights take 44 to 70.  The columns are h, x and a one, for
the bias, so that the product makes the whole of the gates; with a batch of one, where a product
takes as long as reading its weights, the part of x is made for all steps at once.

A sigmoid is one over 1 + exp(-a), whose minus stands in the weights.  Only the denominators are
made, of all three gates at once, since whoever multiplies by a gate can as well divide: both
products of c = i * u + f * c are one division of (u, c) by (i, f), neighbours in memory.  Of
tangents, as sigmoid(a) = (1 + tanh(a / 2)) / 2, the same took a third longer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tensorgrad.threads import one_blas_thread

__all__ = ["Problem", "columns", "serves"]


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
    if problem.dtype.char not in "fd":
        return f"for float32 and float64, not {problem.dtype}"
    return ""


def columns(
    problem: Problem, x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any,
    w_hr: Any, steps: Any,
) -> tuple[Any, None]:  # fmt: skip
    """y (rows, out) and the last h and c: the steps of one size together."""
    biases = [b for b in (b_ih, b_hh) if b is not None]
    bias = sum(biases[1:], biases[0])[:, None] if biases else np.zeros((len(w_hh), 1), x.dtype)
    alone = len(h) == 1
    if not alone:
        together = _signed(w_hh, w_ih, bias)
    y = np.empty((len(x), h.shape[1]), x.dtype)
    last_h, last_c = h.astype(x.dtype), c.astype(x.dtype)  # copies, whatever the types
    start = 0
    for size, count in _runs(len(x), steps):
        stop = start + size * count
        now_h, now_c = last_h[:size], last_c[:size]
        out = y[start:stop].reshape(count, size, y.shape[1])
        given = x[start:stop].reshape(count, size, x.shape[1])
        if alone:
            with one_blas_thread():
                _one(given[:, 0], now_h[0], now_c[0], w_hh, w_ih, bias, w_hr, out[:, 0])
        else:
            _several(given, now_h, now_c, together, w_hr, out)
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


def _signed(*columns: Any) -> Any:
    """Weights side by side, their rows, those of i, f, u, o, as those of -i, -f, -o, u."""
    rows, width = len(columns[0]), sum(c.shape[1] for c in columns)
    n = rows // 4
    out = np.empty((rows, width), columns[0].dtype)
    start = 0
    for c in columns:
        part = out[:, start : start + c.shape[1]]
        np.negative(c[: 2 * n], part[: 2 * n])
        np.negative(c[3 * n :], part[2 * n : 3 * n])
        part[3 * n :] = c[2 * n : 3 * n]
        start += c.shape[1]
    return out


def _step(state: Any, w_hr: Any) -> Callable[[Any], None]:
    """What follows the products of a step, in place; what is called writes h into its argument.

    state: -i, -f, -o and u before their functions, and c; each one number a member.
    """
    # i * u + f * c are two quotients by 1 + exp(-i) and 1 + exp(-f), taken at once.
    sigmoids, pair, by = state[:3], state[3:], state[:2]
    o, u, cell = state[2:]
    one, products = np.array(1, state.dtype), np.empty_like(by)
    first, second = products
    tanh_c, out = np.empty_like(o), np.empty_like(o)
    # Fifty steps take 0.6 ms in all: names without dots, results by position.
    dot, add, divide, exp, tanh = np.dot, np.add, np.divide, np.exp, np.tanh

    def step(into: Any) -> None:
        exp(sigmoids, sigmoids)
        add(sigmoids, one, sigmoids)
        tanh(u, u)
        divide(pair, by, products)
        add(first, second, cell)
        tanh(cell, tanh_c)
        if w_hr is None:
            divide(tanh_c, o, into)
        else:
            dot(w_hr, divide(tanh_c, o, out), into)

    return step


def _one(x: Any, h: Any, c: Any, w_hh: Any, w_ih: Any, bias: Any, w_hr: Any, y: Any) -> None:
    """x (steps, in) of one member; h goes into y (steps, out), c is changed in place.

    Products of a matrix and a vector: OpenBLAS gives them two threads from 9216 elements on, which
    gain nothing on 512 rows of 128 (5 us either way), and every one of them waits for a busy
    machine: 50 steps took 11 ms then instead of 0.5.  The transposed weights, row after row times a
    number, take 5 us where rows times the vector take 9.
    """
    n = len(c)
    projected = np.dot(x, _signed(w_ih).T)
    projected += _signed(bias)[:, 0]
    turned = np.ascontiguousarray(_signed(w_hh).T)
    state = np.zeros((5, n), x.dtype)
    gates, cell = state[:4].reshape(-1), state[4]
    cell[...] = c
    step = _step(state, w_hr)
    for inputs, into in zip(projected, y, strict=True):
        np.dot(h, turned, gates)
        np.add(gates, inputs, gates)
        step(into)
        h = into
    c[...] = cell


def _several(x: Any, h: Any, c: Any, weights: Any, w_hr: Any, y: Any) -> None:
    """x (steps, batch, in); h goes into y (steps, batch, out), c is changed in place."""
    batch, n = c.shape
    steps, above = len(x), y.shape[2]
    given = np.ones((weights.shape[1], batch), x.dtype)
    hidden, inputs = given[:above], given[above:-1]
    state = np.zeros((5, n, batch), x.dtype)
    gates, cell = state[:4].reshape(4 * n, batch), state[4]
    hidden[...], cell[...] = h.T, c.T
    step = _step(state, w_hr)
    # All steps turned at once: step by step the short rows took 5 us each way.
    columns = np.ascontiguousarray(x.transpose(0, 2, 1))
    found = np.empty((steps, above, batch), x.dtype)
    for now, into in zip(columns, found, strict=True):
        inputs[...] = now
        np.dot(weights, given, gates)
        step(hidden)
        into[...] = hidden
    y[...] = found.transpose(0, 2, 1)
    c[...] = cell.T
