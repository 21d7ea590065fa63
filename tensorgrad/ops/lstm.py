"""The long short-term memory over a whole sequence, with the derivation of its backward by hand.

With the gates i, f, o (sigmoids) and the candidate u (tanh), all of w_ih x + w_hh h and the biases:

    c = f * c_before + i * u,    h = o * tanh(c)    (times w_hr.T, if it is projected)

Backwards, with e the gradient of h, and k that of c, from the step after:

    k = k + e * o * (1 - tanh(c)**2),    d_i = k * u * i (1 - i),    d_f = k * c_before * f (1 - f)
    d_u = k * i * (1 - u**2),            d_o = e * tanh(c) * o (1 - o),    k_before = k * f

Inside, the gates stand in the order i, f, o, u, so that the sigmoids are neighbours, each gate of a
step in one piece; sigmoid(a) = (1 + tanh(a / 2)) / 2 makes one tanh of all four, and the halves are
in the weights.  The error of that is the rounding of 1, as for any number about to be multiplied.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.kernels import recurrent as kernels
from tensorgrad.kernels.registry import Operation
from tensorgrad.ops.recurrence import (
    arena,
    before,
    check,
    collected,
    ends,
    spans,
    started,
    unrolled,
)
from tensorgrad.primitive import Kept, primitive, recorded

__all__ = ["lstm"]


def _ordered(a: Any) -> Any:
    """A weight or bias, whose rows are those of i, f, u, o, in the order i, f, o, u, or back."""
    n = len(a) // 4
    return np.concatenate([a[: 2 * n], a[3 * n :], a[2 * n : 3 * n]])


def _apart(w: Any) -> Any:
    """A weight transposed and cut into gates, (4, columns, n), those of the sigmoids halved."""
    gates = _ordered(w).reshape(4, -1, w.shape[1])
    gates[:3] *= 0.5
    return np.ascontiguousarray(gates.transpose(0, 2, 1))


def _twin(
    x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, w_hr: Any, *, steps: Any
) -> tuple[Any, ...]:
    """The same from primitives, step by step."""
    xp = recorded
    n = c.shape[1]

    def cell(a: Any, h: Any, c: Any) -> tuple[Any, Any]:
        a = xp.add(a, xp.linear(h, w_hh, b_hh))
        i, f, u, o = xp.split(a, sections=(n, n, n, n), axis=1)
        c = xp.add(xp.mul(xp.sigmoid(f), c), xp.mul(xp.sigmoid(i), xp.tanh(u)))
        h = xp.mul(xp.sigmoid(o), xp.tanh(c))
        return h if w_hr is None else xp.linear(h, w_hr, None), c

    return unrolled(cell, xp.linear(x, w_ih, b_ih), [h, c], steps)


def _joint(
    xp: Any, g: Any, y: Any, x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any,
    w_hr: Any, *, steps: Any, cache: Any, needs: Any,
) -> list[Any]:  # fmt: skip
    """Backpropagation through time; only ever called on arrays."""
    gates, tanhs, cells, states = cache
    of_y, of_h, of_c = g
    (batch, n), out, rows = c.shape, h.shape[1], len(x)
    d_h, d_c = started(of_h, batch, h), started(of_c, batch, c)
    d, slope, arriving = arena(
        x.dtype, (rows, 4, n), (4 * batch * n,), (rows if w_hr is not None else 0, out)
    )
    columns = d.reshape(rows, 4 * n)
    back = _ordered(w_hh)
    for start, stop, prior in reversed(spans(rows, batch, steps)):
        m = stop - start
        e, k, at = d_h[:m], d_c[:m], d[start:stop]
        s, th, t = gates[:, start:stop], tanhs[start:stop], slope[: 4 * m * n].reshape(4, m, n)
        if of_y is not None:
            e += of_y[start:stop]
        into = e
        if w_hr is not None:
            arriving[start:stop] = e
            into = np.dot(e, w_hr)
        product = np.multiply(into, th, out=t[2])  # the gradient of o
        np.multiply(product, th, out=t[0])
        np.subtract(into, t[0], out=t[0])
        t[0] *= s[2]
        k += t[0]
        np.multiply(k, s[3], out=t[0])
        np.multiply(k, cells[prior : prior + m], out=t[1])
        np.multiply(k, s[0], out=t[3])
        k *= s[1]
        falls = np.subtract(1, s[:3])
        falls *= s[:3]
        t[:3] *= falls
        np.multiply(s[3], s[3], out=falls[0])
        np.subtract(1, falls[0], out=falls[0])
        t[3] *= falls[0]
        at[...] = t.transpose(1, 0, 2)
        np.dot(columns[start:stop], back, out=e)
    wanted = (needs[0], needs[3], needs[5] or needs[6])
    of_x, of_w_ih, of_b = collected(columns, x, _ordered(w_ih), wanted)
    of_w_hh = None
    if needs[4]:
        of_w_hh = _ordered(np.dot(columns.T, before(states, rows, batch, steps)))
    of_b = None if of_b is None else _ordered(of_b)
    of_w_hr = np.dot(arriving.T, gates[2] * tanhs) if needs[7] else None
    return [
        of_x, d_h, d_c, None if of_w_ih is None else _ordered(of_w_ih), of_w_hh,
        of_b if needs[5] else None, of_b if needs[6] else None, of_w_hr,
    ]  # fmt: skip


def _walk(
    problem: Any, x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, w_hr: Any,
    steps: Any,
) -> tuple[Any, Any]:  # fmt: skip
    """(y, last h, last c), and what the gradient reads."""
    (batch, n), out, rows = c.shape, h.shape[1], len(x)
    gates, tanhs, cells, states = arena(
        x.dtype, (4, rows, n), (rows, n), (batch + rows, n), (batch + rows, out)
    )
    np.matmul(x, _apart(w_ih), out=gates)
    biases = [b for b in (b_ih, b_hh) if b is not None]
    if biases:
        # Together: each would be a walk over all the gates.
        gates += _apart(sum(biases[1:], biases[0])[:, None])
    into = _apart(w_hh)
    states[:batch], cells[:batch] = h, c
    rest = np.empty(4 * batch * n, x.dtype)
    for start, stop, prior in spans(rows, batch, steps):
        m = stop - start
        a, th, cell = gates[:, start:stop], tanhs[start:stop], cells[batch + start : batch + stop]
        part = rest[: 4 * m * n].reshape(4, m, n)
        a += np.matmul(states[prior : prior + m], into, out=part)
        np.tanh(a, out=a)
        sigmoids = a[:3]
        sigmoids *= 0.5
        sigmoids += 0.5
        i, f, o, u = a
        np.multiply(cells[prior : prior + m], f, out=cell)
        cell += np.multiply(i, u, out=th)
        np.tanh(cell, out=th)
        if w_hr is None:
            np.multiply(o, th, out=states[batch + start : batch + stop])
        else:
            np.dot(o * th, w_hr.T, out=states[batch + start : batch + stop])
    # The outputs are the user's to write: copies of what the rule reads.
    last = ends(rows, batch, steps)
    y = (states[batch:].copy(), states[last].copy(), cells[last].copy())
    return y, (gates, tanhs, cells, states)


forward = Operation("lstm", _walk)
forward.kernel("columns", kernels.serves)(kernels.lstm)


@primitive(
    joint=_joint,
    saves="x h c w_ih w_hh b_ih b_hh w_hr",
    keeps="cache",
    outputs=True,
    composed=_twin,
    prose="backpropagation through time: a recursion over the steps, last one first, and not one "
    "expression; what happens at each stands in tensorgrad/ops/lstm.py",
)
def lstm(
    x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, w_hr: Any, *, steps: Any,
    keep: bool,
) -> Kept:  # fmt: skip
    """A layer in one direction: h after every step, and the last h and c.

    x (rows, in), h (batch, out), c (batch, n), w_ih (4n, in), w_hh (4n, out), biases (4n,) or
    None, w_hr (out, n) or None; without w_hr out is n.
    """
    (batch, n), out = c.shape, h.shape[1]
    check(x, [h, c, *([] if w_hr is None else [w_hr])], [w_ih, w_hh, b_ih, b_hh], 4 * n, out)
    if len(h) != batch or (out, n) != ((n, n) if w_hr is None else w_hr.shape):
        raise RuntimeError(
            f"hidden state {h.shape} and cell state {c.shape} do not fit each other"
            + ("" if w_hr is None else f" and the projection {w_hr.shape}")
        )
    problem = kernels.Problem(x.shape, (batch, out, n), x.dtype, keep)
    run = forward.choose(problem)
    y, kept = run(problem, x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr, steps)
    return Kept(y, cache=kept)
