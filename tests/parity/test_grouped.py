"""grouped_mm and torch.embedding_bag beside PyTorch's."""

import numpy as np
import pytest
import torch

import tensorgrad as tg

LIBRARIES = (tg, torch)
RNG = np.random.default_rng(0)
SHAPES = [((8, 4), (2, 4, 8)), ((2, 8, 4), (4, 8)), ((4, 8), (8, 4)), ((2, 8, 4), (2, 4, 8))]


@pytest.mark.parametrize("shapes", SHAPES)
def test_grouped_mm(shapes):
    arrays = [RNG.standard_normal(shape).astype(np.float32) for shape in shapes]
    found = []
    for library in LIBRARIES:
        a, b = (library.tensor(x, requires_grad=True) for x in arrays)
        flat = 2 in (a.ndim, b.ndim)
        offs = library.tensor([3, 8], dtype=library.int32) if flat else None
        out = library.nn.functional.grouped_mm(a, b, offs=offs)
        grads = library.autograd.grad((out**2).sum(), [a, b])
        found.append([t.detach().numpy() for t in (out, *grads)])
    for x, y in zip(*found, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5)


def test_what_grouped_mm_refuses():
    three = (2, 4, 8)
    for a, b, offs in (
        ((8, 4), three, None), (three, (2, 8, 4), [3, 8]), ((8, 4), (2, 3, 8), [3, 8]),
        ((8,), three, [3, 8]), ((8, 4), three, [3, 6, 8]), (three, (3, 8, 4), None),
    ):  # fmt: skip
        for t in LIBRARIES:
            ends = None if offs is None else t.tensor(offs, dtype=t.int32)
            with pytest.raises(RuntimeError):
                t.nn.functional.grouped_mm(t.zeros(a), t.zeros(b), offs=ends)
    for offs in ([5, 3], [3, 9], [-1, 4]):
        ends = tg.tensor(offs, dtype=tg.int32)
        with pytest.raises(RuntimeError, match="offs"):
            tg.nn.functional.grouped_mm(tg.zeros(8, 4), tg.zeros(three), offs=ends)


TABLE = RNG.permutation(18).astype(float).reshape(6, 3)


@pytest.mark.parametrize("mode", [0, 1, 2])
@pytest.mark.parametrize("more", [(False,), (False, 1), (False, -2), (True,)], ids=str)
def test_embedding_bag(mode, more):
    found = []
    for t in LIBRARIES:
        table = t.tensor(TABLE, requires_grad=True)
        found.append(
            t.embedding_bag(
                table,
                t.tensor([0, 1, 3, 1, 4]),
                t.tensor([0, 2, 2, 5]),
                False,
                mode,
                False,
                None,
                *more,
            )
        )
        found[-1][0].sum().backward()
        found[-1] = [*(x.detach().numpy() for x in found[-1]), table.grad.numpy()]
    ours, theirs = found
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-12)
    np.testing.assert_allclose(ours[4], theirs[4], rtol=1e-12)
    if mode:  # for sums PyTorch leaves its workings unwritten
        np.testing.assert_array_equal(ours[1], theirs[1])
        counted = slice(0, 3) if more[0] else slice(None)
        np.testing.assert_array_equal(ours[2][counted], theirs[2][counted])
    if mode == 2:
        filled = ours[2] > 0
        np.testing.assert_array_equal(ours[3][filled], theirs[3][: len(filled)][filled])


def test_embedding_bag_refuses():
    for t in LIBRARIES:
        with pytest.raises(RuntimeError):
            t.embedding_bag(t.zeros(3, 2), t.tensor([0]), t.tensor([[0]]))
    with pytest.raises(RuntimeError, match="mode"):
        tg.embedding_bag(tg.zeros(3, 2), tg.tensor([0]), tg.tensor([0]), mode=7)
