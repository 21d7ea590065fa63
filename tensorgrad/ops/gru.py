"""The gated recurrent unit over a whole sequence, with the derivation of its backward by hand.

With a = w_ih x + b_ih and q = w_hh h + b_hh, each in three parts:

    r = sigmoid(a_r + q_r),   z = sigmoid(a_z + q_z),   u = tanh(a_u + r * q_u)
    h = u + z * (h_before - u)

Backwards, with e the gradient of h: d_u = e (1 - z) (1 - u**2), d_z = e (h_before - u) z (1 - z),
d_r = d_u q_u r (1 - r); what goes on to q_u is d_u * r, and e * z passes straight to h_before.
The sigmoids are computed as those of the LSTM are.
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

__all__ = ["gru"]


def _apart(w: Any) -> Any:
    """A weight transposed and cut into gates, (3, columns, n), those of the sigmoids halved."""
    gates = w.reshape(3, -1, w.shape[1]).transpose(0, 2, 1).copy()
    gates[:2] *= 0.5
    return gates


def _twin(
    x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, *, steps: Any
) -> tuple[Any, ...]:
    """The same from primitives, step by step."""
    xp = recorded
    sections = (h.shape[1],) * 3

    def cell(a: Any, h: Any) -> tuple[Any]:
        a_r, a_z, a_u = xp.split(a, sections=sections, axis=1)
        q_r, q_z, q_u = xp.split(xp.linear(h, w_hh, b_hh), sections=sections, axis=1)
        r, z = xp.sigmoid(xp.add(a_r, q_r)), xp.sigmoid(xp.add(a_z, q_z))
        u = xp.tanh(xp.add(a_u, xp.mul(r, q_u)))
        return (xp.add(u, xp.mul(z, xp.sub(h, u))),)

    return unrolled(cell, xp.linear(x, w_ih, b_ih), [h], steps)


def _joint(
    xp: Any, g: Any, y: Any, x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, *,
    steps: Any, cache: Any, needs: Any,
) -> list[Any]:  # fmt: skip
    """Backpropagation through time; only ever called on arrays."""
    gates, candidates, states = cache
    of_y, of_last = g
    (batch, n), rows = h.shape, len(x)
    d_h = started(of_last, batch, h)
    d_a, d_q, slope = arena(x.dtype, (rows, 3, n), (rows, 3, n), (5 * batch * n,))
    onward = d_q.reshape(rows, 3 * n)
    for start, stop, prior in reversed(spans(rows, batch, steps)):
        m = stop - start
        e, (r, z, u), at, on = d_h[:m], gates[:, start:stop], d_a[start:stop], d_q[start:stop]
        d_r, d_z, d_u, falls, passed = slope[: 5 * m * n].reshape(5, m, n)
        if of_y is not None:
            e += of_y[start:stop]
        np.multiply(e, z, out=passed)
        np.subtract(e, passed, out=d_u)
        np.multiply(u, u, out=falls)
        np.subtract(1, falls, out=falls)
        d_u *= falls
        np.subtract(states[prior : prior + m], u, out=d_z)
        d_z *= passed
        d_z *= np.subtract(1, z, out=falls)
        np.multiply(d_u, candidates[start:stop], out=d_r)
        d_r *= r
        d_r *= np.subtract(1, r, out=falls)
        at[:, 0], at[:, 1], at[:, 2] = d_r, d_z, d_u
        on[:, 0], on[:, 1] = d_r, d_z
        np.multiply(d_u, r, out=on[:, 2])
        np.dot(onward[start:stop], w_hh, out=e)
        e += passed
    wanted = (needs[0], needs[2], needs[4])
    d_x, of_w_ih, of_b_ih = collected(d_a.reshape(rows, 3 * n), x, w_ih, wanted)
    held = before(states, rows, batch, steps)
    _, of_w_hh, of_b_hh = collected(onward, held, w_hh, (False, needs[3], needs[5]))
    return [d_x, d_h, of_w_ih, of_w_hh, of_b_ih, of_b_hh]


def _walk(
    problem: Any, x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, steps: Any
) -> tuple[Any, Any]:
    """(y, last h), and what the gradient reads."""
    (batch, n), rows = h.shape, len(x)
    gates, candidates, states = arena(x.dtype, (3, rows, n), (rows, n), (batch + rows, n))
    np.matmul(x, _apart(w_ih), out=gates)
    if b_ih is not None:
        gates += _apart(b_ih[:, None])
    into, bias = _apart(w_hh), None if b_hh is None else _apart(b_hh[:, None])
    states[:batch] = h
    rest = np.empty(3 * batch * n, x.dtype)
    for start, stop, prior in spans(rows, batch, steps):
        m = stop - start
        a, at = gates[:, start:stop], states[batch + start : batch + stop]
        q = rest[: 3 * m * n].reshape(3, m, n)
        np.matmul(states[prior : prior + m], into, out=q)
        if bias is not None:
            q += bias
        candidates[start:stop] = q[2]
        sigmoids = a[:2]
        sigmoids += q[:2]
        np.tanh(sigmoids, out=sigmoids)
        sigmoids *= 0.5
        sigmoids += 0.5
        r, z, u = a
        q[2] *= r
        u += q[2]
        np.tanh(u, out=u)
        np.subtract(states[prior : prior + m], u, out=at)
        at *= z
        at += u
    # The outputs are the user's to write: copies of what the rule reads.
    last = states[ends(rows, batch, steps)].copy()
    return (states[batch:].copy(), last), (gates, candidates, states)


forward = Operation("gru", _walk)
forward.kernel("columns", kernels.serves)(kernels.gru)


@primitive(
    joint=_joint,
    saves="x h w_ih w_hh b_ih b_hh",
    keeps="cache",
    outputs=True,
    composed=_twin,
    prose="backpropagation through time: a recursion over the steps, last one first, and not one "
    "expression; what happens at each stands in tensorgrad/ops/gru.py",
)
def gru(
    x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, *, steps: Any, keep: bool
) -> Kept:
    """A layer in one direction: h after every step, and the last.

    x (rows, in), h (batch, n), w_ih (3n, in), w_hh (3n, n), biases (3n,) or None.
    """
    n = h.shape[1]
    check(x, [h], [w_ih, w_hh, b_ih, b_hh], 3 * n, n)
    problem = kernels.Problem(x.shape, h.shape, x.dtype, keep)
    y, kept = forward.choose(problem)(problem, x, h, w_ih, w_hh, b_ih, b_hh, steps)
    return Kept(y, cache=kept)
