"""Memory shared with PyTorch, and what PyTorch says where it refuses."""

import numpy as np
import pytest
import torch

import tensorgrad as tg

TYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64",
         "complex64", "complex128"]  # fmt: skip


@pytest.mark.parametrize("dtype", TYPES)
def test_dlpack_both_ways(dtype):
    ours = tg.ones(2, 3, dtype=getattr(tg, dtype))
    theirs = torch.from_dlpack(ours)
    assert theirs.dtype == getattr(torch, dtype)
    assert theirs.data_ptr() == ours.data_ptr()
    theirs.zero_()
    assert not ours.any()
    back = tg.from_dlpack(theirs.t())
    assert back.shape == (3, 2)
    assert back.stride() == (1, 3)
    assert back.data_ptr() == ours.data_ptr()
    back[0, 1] = 1
    assert theirs[1, 0] == 1
    assert torch.utils.dlpack.from_dlpack(tg.to_dlpack(ours)).data_ptr() == ours.data_ptr()
    assert tg.from_dlpack(torch.utils.dlpack.to_dlpack(theirs)).data_ptr() == ours.data_ptr()


def test_dlpack_refusals():
    with pytest.raises(BufferError, match="bfloat16"):
        tg.from_dlpack(torch.ones(2, dtype=torch.bfloat16))
    for lib in (tg, torch):
        with pytest.raises(BufferError, match="require gradient"):
            lib.ones(2, requires_grad=True).__dlpack__()
        with pytest.raises(AssertionError):
            lib.ones(2).__dlpack__(stream=3)
    with pytest.raises(BufferError, match="require gradient"):
        tg.from_dlpack(torch.ones(2, requires_grad=True))
    assert tg.ones(2).__dlpack_device__() == tuple(torch.ones(2).__dlpack_device__())


def test_shifts():
    for dtype in ("uint8", "int8", "int32", "int64"):
        values = [1, 2, 100, 5]
        a, b = (
            tg.tensor(values, dtype=getattr(tg, dtype)),
            torch.tensor(values, dtype=getattr(torch, dtype)),
        )
        for by in (0, 1, 3):
            for ours, theirs in [(a << by, b << by), (a >> by, b >> by), (by << a % 4, by << b % 4),
                                 (by >> a % 4, by >> b % 4), (a << a % 4, b << b % 4)]:  # fmt: skip
                assert ours.tolist() == theirs.tolist()
                assert str(ours.dtype).split(".")[1] == str(theirs.dtype).split(".")[1]


def test_diff_of_order_0_has_no_ends():
    for lib in (tg, torch):
        x = lib.arange(3)
        assert lib.diff(x, n=0, prepend=x, append=x).tolist() == [0, 1, 2]


def test_products_of_nothing():
    for shape, other in [((2, 3, 0), (0, 4)), ((0, 0, 0), (0, 2)), ((2, 0, 3), (3, 0))]:
        found = []
        for lib in (tg, torch):
            a = lib.ones(*shape, requires_grad=True)
            b = lib.ones(*other, requires_grad=True)
            y = lib.matmul(a, b)
            y.sum().backward()
            found.append((tuple(y.shape), y.tolist(), a.grad.tolist(), b.grad.tolist()))
        assert found[0] == found[1]


def test_a_numpy_dtype_is_what_it_says():
    for kind in (np.dtype(bool), np.bool_, bool):
        assert tg.tensor([1, 0], dtype=kind).dtype == tg.bool
    for kind in (np.dtype(int), np.int64, int):
        assert tg.tensor([1, 0], dtype=kind).dtype == tg.int64


def test_bits_in_place():
    for op in ("__iand__", "__ior__", "__ixor__", "__ilshift__", "__irshift__"):
        found = []
        for lib in (tg, torch):
            x = lib.tensor([3, 5, 6])
            same = getattr(x, op)(lib.tensor([1, 2, 3]))
            assert same is x
            found.append(x.tolist())
            with pytest.raises((RuntimeError, NotImplementedError)):
                getattr(x, op)(lib.tensor([1.5, 2.0, 3.0]))
        assert found[0] == found[1]
