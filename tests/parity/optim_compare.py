"""What the comparisons of optimizers with PyTorch share."""

from __future__ import annotations

import numpy as np
import torch

import tensorgrad as tg

SHAPES = [(3, 4), (5,), (), (2, 1, 3), (0, 3)]


def pairs(shapes=SHAPES, dtype=np.float64, seed=0):
    """The same leaves in both libraries."""
    rng = np.random.default_rng(seed)
    arrays = [draw(rng, shape, dtype) for shape in shapes]
    mine = [tg.tensor(a, requires_grad=True) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    return mine, theirs


def draw(rng, shape, dtype):
    array = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        array = array + 1j * rng.standard_normal(shape)
    return np.asarray(array, dtype)


def feed(mine, theirs, rng, skip=()):
    """The same new gradients for both, none for those in ``skip``."""
    for i, (p, q) in enumerate(zip(mine, theirs, strict=True)):
        if i in skip:
            p.grad = q.grad = None
            continue
        g = draw(rng, p.shape, p._array.dtype)
        p.grad, q.grad = tg.tensor(g), torch.tensor(g)


def assert_same(mine, theirs, tolerance=1e-10):
    for p, q in zip(mine, theirs, strict=True):
        theirs_now = q.detach().resolve_conj().numpy()
        assert p._array.dtype == theirs_now.dtype
        np.testing.assert_allclose(p.detach().numpy(), theirs_now, rtol=tolerance, atol=tolerance)


def assert_same_tree(mine, theirs, tolerance=1e-10):
    """State dicts: the same keys, types and numbers all the way down."""
    if isinstance(theirs, torch.Tensor):
        assert isinstance(mine, tg.Tensor)
        assert_same([mine], [theirs], tolerance)
    elif isinstance(theirs, dict):
        assert set(mine) == set(theirs)
        for key in theirs:
            assert_same_tree(mine[key], theirs[key], tolerance)
    elif isinstance(theirs, (list, tuple)):
        assert type(mine) is type(theirs)
        assert len(mine) == len(theirs)
        for m, t in zip(mine, theirs, strict=True):
            assert_same_tree(m, t, tolerance)
    else:
        assert mine == theirs


def to_tensorgrad(tree):
    if isinstance(tree, torch.Tensor):
        return tg.tensor(tree.numpy().copy())
    if isinstance(tree, dict):
        return {key: to_tensorgrad(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(to_tensorgrad(value) for value in tree)
    return tree


# --- Schedulers -----------------------------------------------------------------------------------


def two_groups(library, tensor):
    ps = [tensor([1.0], requires_grad=True), tensor([2.0], requires_grad=True)]
    return library.SGD([{"params": ps[0]}, {"params": ps[1], "lr": 0.03}], lr=0.5)


def leaves(tensor):
    return [{"params": tensor([1.0], requires_grad=True)} for _ in range(2)]


def options(optimizer):
    """All but the parameters."""
    return [
        {key: value for key, value in group.items() if key != "params"}
        for group in optimizer.param_groups
    ]


def rates(optimizer):
    return [group["lr"] for group in optimizer.param_groups]
