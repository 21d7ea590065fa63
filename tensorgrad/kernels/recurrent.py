"""Recurrent layers whose gradient will not be asked for.

=========  ==================================================================  ==================
operation  called as                                                           returns
=========  ==================================================================  ==================
`lstm`     run(problem, x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr, steps)          ((y, h, c), kept)
`gru`      run(problem, x, h, w_ih, w_hh, b_ih, b_hh, steps)                   ((y, h), kept)
`rnn`      run(problem, x, h, w_ih, w_hh, b_ih, b_hh, relu, steps)             ((y, h), kept)
=========  ==================================================================  ==================

The references are the walks of `tensorgrad.ops`, which keep what their gradients read.  Nothing of
that is kept here, so every step works in the same memory, which stays in a core's cache.

Members of the batch are columns: the product of the weights, as they lie, with columns takes 35 us
(512 rows, 128 units, batch 32) where rows times weights take 44 to 70.  The columns are h, x and a
one, for the bias, so that the product makes the whole of the gates; with a batch of one, where a
product takes as long as reading its weights, the part of x is made for all steps at once.

A sigmoid is one over 1 + exp(-a), so the products give the gates with the opposite sign.  Only the
denominators are made, of all sigmoids at once, since whoever multiplies by a gate can as well
divide.  Of tangents, as sigmoid(a) = (1 + tanh(a / 2)) / 2, the same took a third longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np

from tensorgrad import arena
from tensorgrad.threads import one_blas_thread

__all__ = ["Problem", "gru", "lstm", "rnn", "serves"]


class Problem(NamedTuple):
    """A walk as its kernels see it; hashable, so that choices are kept for it."""

    input: tuple[int, ...]
    hidden: tuple[int, ...]
    dtype: np.dtype[Any]
    keep: bool


def serves(problem: Problem) -> str:
    """Why not these kernels; "" if they serve."""
    if problem.keep:
        return "a gradient will follow, and nothing is kept for it"
    if problem.dtype.char not in "fd":
        return f"for float32 and float64, not {problem.dtype}"
    return ""


# A step in place: called as step(into, before, aside), it writes the new h into its first argument.
_Step = Callable[[Any, Any, Any], None]


class _Cell(NamedTuple):
    """A recurrence: the gates are hidden @ h + inputs @ x + bias, the weights in parts to be
    joined.

    With ``opposite`` they are given to the step with the opposite sign.  What of the input a step
    wants beside the gates, and not added to them, has further rows of inputs and bias.
    begin(columns) gives memory for the gates (rows, ...), the step that works there, and the cell
    state, or None; the columns are the states (n, ...), one number a member or a row of them.
    """

    hidden: Sequence[Any]
    inputs: Sequence[Any]
    bias: Any
    opposite: bool
    begin: Callable[[Sequence[Any]], tuple[Any, _Step, Any]]


# --- The three recurrences ------------------------------------------------------------------------


def lstm(
    problem: Problem, x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any,
    w_hr: Any, steps: Any,
) -> tuple[Any, None]:  # fmt: skip
    """y (rows, out) and the last h and c.

    The memory of a step is five matrices one after the other: the gates i, f, o, the candidate u,
    all with the opposite sign, and c.
    """
    n = c.shape[1]

    def begin(columns: Sequence[Any]) -> tuple[Any, _Step, Any]:
        state = np.zeros((5, *columns[1].shape), x.dtype)
        state[4] = columns[1]
        gates = state[:4].reshape(4 * n, *state.shape[2:])
        # f * c + i * u are two quotients by 1 + exp(-f) and 1 + exp(-i), taken at once.
        sigmoids, pair, by = state[:3], state[3:], state[:2]
        o, u, cell = state[2:]
        one, products = np.array(1, state.dtype), np.empty_like(by)
        lost, kept = products
        tanh_c, out = np.empty_like(o), np.empty_like(o)
        # Fifty steps take 0.6 ms in all: names without dots, results by position.
        dot, add, divide, exp, tanh = np.dot, np.add, np.divide, np.exp, np.tanh
        subtract = np.subtract

        def step(into: Any, before: Any, aside: Any) -> None:
            exp(sigmoids, sigmoids)
            add(sigmoids, one, sigmoids)
            tanh(u, u)
            divide(pair, by, products)
            subtract(kept, lost, cell)
            tanh(cell, tanh_c)
            if w_hr is None:
                divide(tanh_c, o, into)
            else:
                dot(w_hr, divide(tanh_c, o, out), into)

        return gates, step, cell

    bias = np.concatenate(_ordered(_together(b_ih, b_hh, w_hh)))
    cell = _Cell(_ordered(w_hh), _ordered(w_ih), bias, True, begin)
    return _walked(cell, x, [h, c], steps), None


def gru(
    problem: Problem, x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, steps: Any
) -> tuple[Any, None]:
    """y (rows, n) and the last h.

    The gates are r, z and what r is multiplied by, w_hh h + b_hh; what of the candidate belongs to
    the input is aside.  All have the opposite sign, and so has the candidate u.
    """
    n = h.shape[1]
    both = slice(0, 2 * n)
    inputs = [w_ih[both], np.zeros((n, x.shape[1]), x.dtype), w_ih[2 * n :]]
    bias = np.zeros(4 * n, x.dtype)
    if b_ih is not None:
        bias[both], bias[3 * n :] = b_ih[both], b_ih[2 * n :]
    if b_hh is not None:
        bias[: 3 * n] += b_hh

    def begin(columns: Sequence[Any]) -> tuple[Any, _Step, Any]:
        state = np.empty((3, *columns[0].shape), x.dtype)
        gates, spare = state.reshape(3 * n, *state.shape[2:]), np.empty_like(state[0])
        sigmoids, (r, z, u) = state[:2], state
        one = np.array(1, state.dtype)
        add, divide, exp, subtract, tanh = np.add, np.divide, np.exp, np.subtract, np.tanh

        def step(into: Any, before: Any, aside: Any) -> None:
            exp(sigmoids, sigmoids)
            add(sigmoids, one, sigmoids)
            divide(u, r, u)
            add(u, aside, u)
            tanh(u, u)
            add(before, u, spare)
            divide(spare, z, spare)
            subtract(spare, u, into)

        return gates, step, None

    return _walked(_Cell([w_hh], inputs, bias, True, begin), x, [h], steps), None


def rnn(
    problem: Problem, x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, relu: bool,
    steps: Any,
) -> tuple[Any, None]:  # fmt: skip
    """y (rows, n) and the last h."""

    def begin(columns: Sequence[Any]) -> tuple[Any, _Step, Any]:
        gates = np.zeros(columns[0].shape, x.dtype)
        zeros = np.zeros_like(gates)  # the maximum with a number is slower
        maximum, tanh = np.maximum, np.tanh

        def by_tanh(into: Any, before: Any, aside: Any) -> None:
            tanh(gates, into)

        def by_relu(into: Any, before: Any, aside: Any) -> None:
            maximum(gates, zeros, out=into)

        return gates, by_relu if relu else by_tanh, None

    cell = _Cell([w_hh], [w_ih], _together(b_ih, b_hh, w_hh), False, begin)
    return _walked(cell, x, [h], steps), None


def _ordered(a: Any) -> list[Any]:
    """A weight or bias, whose rows are those of i, f, u, o, in parts in the order i, f, o, u."""
    n = len(a) // 4
    return [a[: 2 * n], a[3 * n :], a[2 * n : 3 * n]]


def _joined(parts: Sequence[Any]) -> Any:
    """Rows of weights in one piece, on memory that waits: new memory took 75 us, not 10."""
    if len(parts) == 1:
        return parts[0]
    size = sum(map(len, parts)), parts[0].shape[1]
    return np.concatenate(parts, out=arena.empty(size, parts[0].dtype))


def _together(b_ih: Any, b_hh: Any, w: Any) -> Any:
    """The sum of the biases that there are."""
    if b_ih is None:
        return np.zeros(len(w), w.dtype) if b_hh is None else b_hh
    return b_ih if b_hh is None else b_ih + b_hh


# --- The walk -------------------------------------------------------------------------------------


def _walked(cell: _Cell, x: Any, states: Sequence[Any], steps: Any) -> tuple[Any, ...]:
    """h after every step, and the last states: the steps of one size together."""
    batch, above = states[0].shape
    y = arena.empty((len(x), above), x.dtype)
    last = [state.astype(x.dtype) for state in states]  # copies, whatever the types
    start = 0
    for size, count in _runs(len(x), steps):
        stop = start + size * count
        now = [state[:size] for state in last]
        out = y[start:stop].reshape(count, size, above)
        given = x[start:stop].reshape(count, size, x.shape[1])
        if batch == 1:
            with one_blas_thread():
                _one(cell, given[:, 0], [state[0] for state in now], out[:, 0])
        else:
            _several(cell, given, now, out)
        now[0][...] = out[-1]
        start = stop
    return (y, *last)


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


# Transposed weights, row after row times a number, take two thirds of the time of rows times the
# vector, 5.7 us and 8.5 for (512, 128); larger ones do not.  Turning them takes 64.
_TURNED = 1 << 16
_STEPS = 32
_ROWS = 64  # turned at a time: all at once took 90


def _one(cell: _Cell, x: Any, states: Sequence[Any], y: Any) -> None:
    """x (steps, in) of one member; h goes into y (steps, out), a cell state is changed in place.

    Products of a matrix and a vector: OpenBLAS gives them two threads from 9216 elements on, which
    gain nothing on 512 rows of 128 (5 us either way), and every one of them waits for a busy
    machine: 50 steps took 11 ms then instead of 0.5.
    """
    projected = np.dot(x, _joined(cell.inputs).T)
    if cell.opposite:
        np.subtract(np.negative(cell.bias), projected, projected)
    else:
        np.add(projected, cell.bias, projected)
    h, gates, step, state = states[0], *cell.begin(states)
    rows = len(gates)
    if len(x) >= _STEPS and rows * len(h) <= _TURNED:
        turned, place = arena.empty((len(h), rows), x.dtype), 0
        for part in cell.hidden:
            for start in range(0, len(part), _ROWS):
                some = part[start : start + _ROWS]
                turned[:, place : place + len(some)] = some.T
                place += len(some)
        weights = turned.T
    else:
        weights = _joined(cell.hidden)
    asides: Iterable[Any] = projected[:, rows:] if projected.shape[1] > rows else repeat(None)
    product = weights.dot  # which asks no other library's arrays first, as np.dot does
    put: Any = np.subtract if cell.opposite else np.add
    for inputs, aside, into in zip(projected[:, :rows], asides, y, strict=False):
        product(h, gates)
        put(inputs, gates, gates)
        step(into, h, aside)
        h = into
    if state is not None:
        states[1][...] = state


def _several(cell: _Cell, x: Any, states: Sequence[Any], y: Any) -> None:
    """x (steps, batch, in); h goes into y (steps, batch, out), a cell state is changed in place."""
    steps, batch, features = x.shape
    rows, above, kind = sum(map(len, cell.hidden)), states[0].shape[1], x.dtype
    weights = arena.empty((rows, above + features + 1), kind)
    np.concatenate(cell.hidden, out=weights[:, :above])
    of_inputs = _joined(cell.inputs)
    weights[:, above:-1], weights[:, -1] = of_inputs[:rows], cell.bias[:rows]
    # All steps turned at once: step by step the short rows took 5 us each way.
    columns = arena.empty((steps, features, batch), kind)
    columns[...] = x.transpose(0, 2, 1)
    asides: Any = repeat(None)
    if len(of_inputs) > rows:
        asides = np.matmul(of_inputs[rows:], columns)
        asides += cell.bias[rows:, None]
    if cell.opposite:
        np.negative(weights, weights)
        if len(of_inputs) > rows:
            np.negative(asides, asides)
    given = np.ones((above + features + 1, batch), kind)
    hidden, inputs = given[:above], given[above:-1]
    hidden[...] = states[0].T
    gates, step, state = cell.begin([s.T for s in states])
    found, product = arena.empty((steps, above, batch), kind), weights.dot
    for now, aside, into in zip(columns, asides, found, strict=False):
        inputs[...] = now
        product(given, gates)
        step(hidden, hidden, aside)
        into[...] = hidden
    y[...] = found.transpose(0, 2, 1)
    if state is not None:
        states[1][...] = state.T
