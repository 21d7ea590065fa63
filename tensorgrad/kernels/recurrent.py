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

from tensorgrad.kernels.turned import turned
from tensorgrad.machine import arena
from tensorgrad.machine.threads import one_blas_thread

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
    """A recurrence: the gates are hidden @ h + inputs @ x + bias.

    The weights stand as the user has them; in the gates' order their rows are those of ``hidden``
    joined, and the rows ``places`` of ``inputs``, None where x adds nothing, with a part of
    ``bias`` for each.  What of the input a step wants beside the gates, and not added to them, has
    further places.  With ``opposite`` all of it is given to the step with the opposite sign.
    begin(columns) gives memory for the gates (rows, ...), the step that works there, and the cell
    state, or None; the columns are the states (n, ...), one number a member or a row of them.
    """

    hidden: Sequence[Any]
    inputs: Any
    places: Sequence[slice | None]
    bias: Sequence[Any]
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
        memory = np.empty((8 if w_hr is None else 9, *columns[1].shape), x.dtype)
        gates = memory[:4].reshape(4 * n, *memory.shape[2:])
        # f * c + i * u are two quotients by 1 + exp(-f) and 1 + exp(-i), taken at once.
        sigmoids, by, pair, products = memory[:3], memory[:2], memory[3:5], memory[5:7]
        o, u, cell, lost, kept, tanh_c = memory[2:8]
        # To add as many ones takes 0.4 us for 384 sigmoids, a single one 0.7.
        out, ones = memory[-1], np.ones_like(sigmoids)
        cell[...] = columns[1]
        # Fifty steps take 0.5 ms in all: names without dots, results by position.
        dot, add, divide, exp, tanh = np.dot, np.add, np.divide, np.exp, np.tanh
        subtract = np.subtract

        def step(into: Any, before: Any, aside: Any) -> None:
            exp(sigmoids, sigmoids)
            add(sigmoids, ones, sigmoids)
            tanh(u, u)
            divide(pair, by, products)
            subtract(kept, lost, cell)
            tanh(cell, tanh_c)
            if w_hr is None:
                divide(tanh_c, o, into)
            else:
                dot(w_hr, divide(tanh_c, o, out), into)

        return gates, step, cell

    # The user's order is i, f, u, o.
    places = slice(0, 2 * n), slice(3 * n, 4 * n), slice(2 * n, 3 * n)
    bias = _together(b_ih, b_hh, w_hh)
    parts = [[a[place] for place in places] for a in (w_hh, bias)]
    return _walked(_Cell(parts[0], w_ih, places, parts[1], True, begin), x, [h, c], steps), None


def gru(
    problem: Problem, x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, steps: Any
) -> tuple[Any, None]:
    """y (rows, n) and the last h.

    The gates are r, z and what r is multiplied by, w_hh h + b_hh; what of the candidate belongs to
    the input is aside.  All have the opposite sign, and so has the candidate u.
    """
    n = h.shape[1]
    both, last = slice(0, 2 * n), slice(2 * n, 3 * n)
    nothing = np.zeros(n, x.dtype)
    bias = [
        _together(b_ih, b_hh, w_hh)[both],
        nothing if b_hh is None else b_hh[last],
        nothing if b_ih is None else b_ih[last],
    ]

    def begin(columns: Sequence[Any]) -> tuple[Any, _Step, Any]:
        state = np.empty((3, *columns[0].shape), x.dtype)
        gates, spare = state.reshape(3 * n, *state.shape[2:]), np.empty_like(state[0])
        sigmoids, (r, z, u) = state[:2], state
        ones = np.ones_like(sigmoids)
        add, divide, exp, subtract, tanh = np.add, np.divide, np.exp, np.subtract, np.tanh

        def step(into: Any, before: Any, aside: Any) -> None:
            exp(sigmoids, sigmoids)
            add(sigmoids, ones, sigmoids)
            divide(u, r, u)
            add(u, aside, u)
            tanh(u, u)
            add(before, u, spare)
            divide(spare, z, spare)
            subtract(spare, u, into)

        return gates, step, None

    cell = _Cell([w_hh], w_ih, [both, None, last], bias, True, begin)
    return _walked(cell, x, [h], steps), None


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

    bias = _together(b_ih, b_hh, w_hh)
    cell = _Cell([w_hh], w_ih, [slice(0, len(w_ih))], [bias], False, begin)
    return _walked(cell, x, [h], steps), None


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
# vector, 4.1 us and 6.7 for (512, 128); larger ones do not.  Turning them takes 25.
_TURNED = 1 << 16
_STEPS = 16


def _one(cell: _Cell, x: Any, states: Sequence[Any], y: Any) -> None:
    """x (steps, in) of one member; h goes into y (steps, out), a cell state is changed in place.

    Products of a matrix and a vector: OpenBLAS gives them two threads from 9216 elements on, which
    gain nothing on 512 rows of 128 (5 us either way), and every one of them waits for a busy
    machine: 50 steps took 11 ms then instead of 0.5.
    """
    projected = _projected(cell, x)
    h, gates, step, state = states[0], *cell.begin(states)
    rows = len(gates)
    if len(x) >= _STEPS and rows * len(h) <= _TURNED:
        weights = turned(cell.hidden).T
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


def _projected(cell: _Cell, x: Any) -> Any:
    """What the input adds to the gates of each step, and what is aside: (steps, ...).

    The rows come into the gates' order with the sum that is due anyway.
    """
    products = np.dot(x, cell.inputs.T)
    found, start = products, 0
    if len(cell.places) > 1:
        found = np.empty((len(x), sum(map(len, cell.bias))), x.dtype)
    put: Any = np.subtract if cell.opposite else np.add
    for place, bias in zip(cell.places, cell.bias, strict=True):
        part = found[:, start : start + len(bias)]
        start += len(bias)
        if cell.opposite:
            bias = np.negative(bias)
        if place is None:
            part[...] = bias
        else:
            put(bias, products[:, place], part)
    return found


def _several(cell: _Cell, x: Any, states: Sequence[Any], y: Any) -> None:
    """x (steps, batch, in); h goes into y (steps, batch, out), a cell state is changed in place."""
    steps, batch, features = x.shape
    rows, above, kind = sum(map(len, cell.hidden)), states[0].shape[1], x.dtype
    weights = arena.empty((rows, above + features + 1), kind)
    np.concatenate(cell.hidden, out=weights[:, :above])
    # All steps turned at once: step by step the short rows took 5 us each way.
    columns = arena.empty((steps, features, batch), kind)
    columns[...] = x.transpose(0, 2, 1)
    asides: Any = repeat(None)
    start = 0
    for place, bias in zip(cell.places, cell.bias, strict=True):
        of_inputs = 0 if place is None else cell.inputs[place]
        if start < rows:
            part = weights[start : start + len(bias)]
            part[:, above:-1], part[:, -1] = of_inputs, bias
            start += len(bias)
        else:
            asides = np.matmul(of_inputs, columns)
            asides += bias[:, None]
            if cell.opposite:
                np.negative(asides, asides)
    if cell.opposite:
        np.negative(weights, weights)
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
