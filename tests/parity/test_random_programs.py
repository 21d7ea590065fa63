"""Random programs: DAGs of up to 200 operations agree with PyTorch, values and all gradients.

A program is drawn from a seed and run twice, so both libraries see the same decisions.  It has
fan-out (any earlier value may be used again), broadcasting, views, reductions and writes in place.
TENSORGRAD_PROGRAMS sets how many are run.
"""

import os
import random

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorgrad as tg

PROGRAMS = int(os.environ.get("TENSORGRAD_PROGRAMS", "2000"))
MOST_ELEMENTS = 400


def axis_of(draw, x):
    return draw.randrange(-x.ndim, x.ndim)


def write_part(lib, draw, x):
    """A copy with one part changed in place, through a view."""
    out = x * 1.0
    if not out.ndim or not out.shape[0]:
        return out.add_(1.0)
    out[draw.randrange(out.shape[0])].mul_(draw.choice([-2.0, 0.5]))
    return out


def write_rows(lib, draw, x):
    out = x.clone()
    if out.ndim and out.shape[0] > 1:
        out[0] = out[-1] * 2 + 1
    return out


# Each takes (library, draw, x) or (library, draw, x, y); y broadcasts with x.
UNARY = [
    lambda lib, draw, x: x.tanh(),
    lambda lib, draw, x: x.sigmoid(),
    lambda lib, draw, x: x.relu(),
    # Not of 0: whether x - x is 0 or 1e-17 is rounding, and the slope there is infinite or 1e8.
    lambda lib, draw, x: (x.abs() + 0.01).sqrt(),
    lambda lib, draw, x: (x * x + 1).log(),
    lambda lib, draw, x: (-x.abs()).exp(),
    lambda lib, draw, x: x.sin() * draw.choice([0.5, 2, -1]),
    lambda lib, draw, x: x.clamp(-1.0, draw.choice([0.5, 2.0])),
    lambda lib, draw, x: x ** draw.choice([2, 3]) * 0.1,
    lambda lib, draw, x: lib.softmax(x, axis_of(draw, x)) if x.ndim else x * 2,
    lambda lib, draw, x: lib.log_softmax(x, axis_of(draw, x)) if x.ndim else x * 2,
    lambda lib, draw, x: x.sum(axis_of(draw, x), keepdim=draw.random() < 0.5) if x.ndim else x,
    lambda lib, draw, x: x.mean(axis_of(draw, x), keepdim=True) if x.ndim else x,
    lambda lib, draw, x: x.max(axis_of(draw, x)).values if x.ndim else x,
    lambda lib, draw, x: x.amin(axis_of(draw, x), keepdim=True) if x.ndim else x,
    lambda lib, draw, x: lib.logsumexp(x, axis_of(draw, x)) if x.ndim else x,
    lambda lib, draw, x: x.var(axis_of(draw, x), unbiased=False) if x.ndim else x,
    lambda lib, draw, x: x.cumsum(axis_of(draw, x)) if x.ndim else x,
    lambda lib, draw, x: x.reshape(-1),
    lambda lib, draw, x: x.transpose(0, -1) if x.ndim > 1 else x + 1,
    lambda lib, draw, x: x.unsqueeze(draw.randrange(x.ndim + 1)) if x.ndim < 3 else x.squeeze(),
    lambda lib, draw, x: x[draw.randrange(x.shape[0]) :] if x.ndim and x.shape[0] else x,
    lambda lib, draw, x: x[..., ::2] if x.ndim else x,
    lambda lib, draw, x: x[lib.tensor([0, -1, 0])] if x.ndim and x.shape[0] else x,
    lambda lib, draw, x: lib.cat([x, x * 2], axis_of(draw, x)) if x.ndim else x,
    lambda lib, draw, x: lib.stack([x, -x]),
    lambda lib, draw, x: x.chunk(2, axis_of(draw, x))[0] if x.ndim else x,
    lambda lib, draw, x: x.flip(0) if x.ndim else x,
    lambda lib, draw, x: x.expand(2, *x.shape) if x.ndim < 3 else x,
    lambda lib, draw, x: x @ x.transpose(-1, -2) * 0.1 if x.ndim > 1 else x * x,
    write_part,
    write_rows,
]
BINARY = [
    lambda lib, draw, x, y: x + y,
    lambda lib, draw, x, y: x - y * 0.5,
    lambda lib, draw, x, y: x * y,
    lambda lib, draw, x, y: x / (y * y + 1),
    lambda lib, draw, x, y: lib.maximum(x, y),
    lambda lib, draw, x, y: lib.where(x > y, x, y * 2),
]


def broadcast(a, b):
    try:
        return np.prod(np.broadcast_shapes(tuple(a.shape), tuple(b.shape))) <= MOST_ELEMENTS
    except ValueError:
        return False


def run(lib, seed, length):
    """The last values of a program, its leaves' gradients."""
    draw = random.Random(seed)
    rng = np.random.default_rng(seed)
    leaves = [
        lib.tensor(rng.standard_normal(shape), requires_grad=True)
        for shape in ((3, 4), (4,), (2, 1, 4), ())
    ]
    pool = list(leaves)
    for _ in range(length):
        x = draw.choice(pool)
        if draw.random() < 0.4:
            partners = [t for t in pool if broadcast(x, t)]
            out = draw.choice(BINARY)(lib, draw, x, draw.choice(partners))
        else:
            out = draw.choice(UNARY)(lib, draw, x)
        if 0 < out.numel() <= MOST_ELEMENTS and out.ndim < 5:
            pool.append(out)
    last = pool[-8:]
    loss = sum((t.tanh() * (i + 1)).sum() for i, t in enumerate(last))
    loss.backward()
    return [t.detach().numpy() for t in last], [t.grad for t in leaves]


@settings(max_examples=PROGRAMS, deadline=None, derandomize=True, database=None)
@given(seed=st.integers(0, 2**32 - 1), length=st.integers(20, 200))
def test_random_programs(seed, length):
    values, gradients = run(tg, seed, length)
    expected, references = run(torch, seed, length)
    for ours, theirs in zip(values, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)
    for ours, theirs in zip(gradients, references, strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-10, atol=1e-10)
