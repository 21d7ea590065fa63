"""as_strided and kin beside PyTorch's: geometry of views, writes, gradients, errors."""

import numpy as np
import pytest
import torch

import tensorgrad as tg


def both(run, exact=True):
    results = []
    for library in (tg, torch):
        try:
            results.append(run(library))
        except Exception as error:
            results.append(error)
    mine, theirs = results
    if isinstance(theirs, Exception):
        assert isinstance(mine, type(theirs)), (mine, theirs)
        return
    assert not isinstance(mine, Exception), mine
    compare(mine, theirs)


def compare(a, b):
    if isinstance(b, (tuple, list)):
        assert len(a) == len(b)
        for p, q in zip(a, b, strict=True):
            compare(p, q)
    elif hasattr(b, "numpy"):
        assert tuple(a.shape) == tuple(b.shape)
        assert np.array_equal(a.detach().numpy(), b.detach().numpy())
    else:
        assert a == b


VIEWS = {
    "whole": lambda x: x,
    "rows": lambda x: x[1:],
    "columns": lambda x: x[:, 1:],
    "transposed": lambda x: x.t(),
    "steps": lambda x: x[:, ::2],
    "row": lambda x: x[1],
    "reshaped": lambda x: x.view(2, 6),
    "expanded": lambda x: x[:, :1].expand(3, 4),
    "detached": lambda x: x.detach(),
    "transposed rows": lambda x: x.t()[1:],
    "one": lambda x: x[1, 2],
}
GEOMETRIES = [
    ((2, 2), (1, 2), None), ((2, 2), (4, 1), 0), ((3,), (0,), None), ((2, 2), (1, 1), 2),
    ((), (), 3), ((3,), (4,), None), ((2,), (1,), 10), ((2,), (1,), 11), ((4, 4), (4, 1), None),
    ((0,), (1,), 50), ((2, 1), (1, 90), None), ((1, 2), (0, 1), None),
]  # fmt: skip


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_values_strides_offsets_and_gradients(view, geometry):
    def run(library):
        x = library.arange(12.0).reshape(3, 4).clone().requires_grad_()
        base = x * 1
        v = VIEWS[view](base)
        y = v.as_strided(*geometry)
        weights = library.arange(1.0, y.numel() + 1).reshape(y.shape)
        if y.requires_grad and library is tg:
            (y * weights).sum().backward()
            # Not PyTorch's, which drops what lies outside the view: x's own elements are read.
            expected = np.zeros(12)
            np.add.at(expected, y.detach().numpy().astype(int), weights.numpy())
            assert np.array_equal(x.grad.numpy().ravel(), expected)
        return y, (y.stride(), y.storage_offset()) if y.numel() else ()

    both(run)


@pytest.mark.parametrize("view", ["whole", "rows", "transposed", "steps", "columns", "reshaped"])
@pytest.mark.parametrize("geometry", [((2, 2), (1, 2), 0), ((3,), (4,), None), ((2,), (5,), 1)])
def test_writes_go_to_the_memory_and_gradients_follow(view, geometry):
    def run(library):
        x = library.arange(12.0).reshape(3, 4).clone().requires_grad_()
        base = x * 1
        v = VIEWS[view](base)
        other = base.view(12)
        y = v.as_strided(*geometry)
        y.mul_(3)
        base[0, 1] = 50
        total = (other * other).sum() + (y * y).sum() + (v * 2).sum()
        total.backward()
        return base, other, y, v, x.grad

    both(run)


def test_a_window_that_overlaps_is_read_and_not_written():
    x = tg.arange(4.0, requires_grad=True)
    y = (x * 1).as_strided((3, 2), (1, 1))
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 2.0, 2.0, 1.0]
    with pytest.raises(RuntimeError, match="clone"):
        y.add_(1)
    base = tg.arange(4.0)
    assert base.as_strided((2, 2), (1, 2)).fill_(7).tolist() == [[7.0, 7.0], [7.0, 7.0]]
    assert base.tolist() == [7.0] * 4


def test_layouts_of_the_engine_do_not_show():
    x = torch.randn(2, 3, 5, 5)
    w = torch.randn(4, 3, 3, 3)

    def run(library):
        if library is torch:
            y = torch.conv2d(x, w, padding=1)
        else:
            y = tg.conv2d(tg.from_numpy(x.numpy()), tg.from_numpy(w.numpy()), padding=1)
        window = y.as_strided((3, 4), (7, 1), 5)
        part = y[1].as_strided((2,), (3,))
        return window.stride(), part.storage_offset(), (window * 100).round(), (part * 100).round()

    both(run)


def test_memory_of_numpy():
    a = np.arange(12.0).reshape(3, 4)
    both(lambda t: t.from_numpy(a.T).as_strided((2, 2), (1, 2), 1))
    with pytest.raises(RuntimeError, match="has gaps"):
        tg.from_numpy(a[::2]).as_strided((2, 2), (1, 2))
    with pytest.raises(RuntimeError, match="out of bounds"):
        tg.from_numpy(a[1:]).as_strided((9,), (1,))


def test_a_leaf_that_is_a_view_keeps_its_gradient():
    base = tg.arange(12.0)
    v = base[4:8].requires_grad_()
    v.as_strided((2, 2), (1, 1)).sum().backward()
    assert v.grad.tolist() == [1.0, 2.0, 1.0, 0.0]
    with pytest.raises(RuntimeError, match="out of bounds"):
        v.as_strided((5,), (1,))


def test_errors():
    for arguments in (
        ((2,), (1, 1)), ((2,), (-1,)), ((-2,), (1,)), ((2,), (1,), -1), ((100,), (1,)),
        ((2,), (50,)),
    ):  # fmt: skip
        both(lambda t, a=arguments: t.arange(12.0).as_strided(*a))
        both(lambda t, a=arguments: t.as_strided_copy(t.arange(12.0), *a))
        both(lambda t, a=arguments: t.as_strided_scatter(t.arange(12.0), t.ones(2), *a))
    both(lambda t: t.as_strided_scatter(t.zeros(3, 3), t.ones(4), (2, 2), (1, 2)))
    both(lambda t: t.empty_strided((2, 3), (1,)))
    both(lambda t: t.empty_strided((2, 3), (-1, 1)))


def test_scatter():
    both(lambda t: t.as_strided_scatter(t.zeros(3, 3), t.arange(4.0).view(2, 2), (2, 2), (1, 2)))
    both(lambda t: t.arange(9.0).as_strided_scatter(t.ones(2), (2,), (3,), 1))
    both(lambda t: t.arange(6.0).view(2, 3).t().as_strided_scatter(t.ones(2), (2,), (3,), 1))
    both(lambda t: t.as_strided_scatter(t.zeros(3, 3), t.arange(4.0).view(2, 2), (2, 2), (1, 1)))
    x, s = tg.zeros(3, 3, requires_grad=True), tg.ones(2, 2, requires_grad=True)
    tg.as_strided_scatter(x, s, (2, 2), (1, 2)).sum().backward()
    # Not PyTorch's, which is 1 where src was written: what was written over has no influence.
    assert x.grad.tolist() == [[0.0, 0.0, 0.0], [0.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    assert s.grad.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    with pytest.raises(RuntimeError, match="gaps"):
        tg.zeros(3, 4)[:, ::2].as_strided_scatter(tg.ones(2), (2,), (1,))


def test_in_place():
    def run(library):
        x = library.arange(6.0).reshape(2, 3).clone().requires_grad_()
        y = x * 1
        y.as_strided_((2, 2), (1, 2))
        z = y.t() * 2
        z.sum().backward()
        return y, y.stride(), z, x.grad

    both(run)
    with pytest.raises(RuntimeError, match="outside"):
        tg.arange(6.0)[2:].as_strided_((2,), (1,), 0)


def test_empty_strided():
    both(lambda t: t.empty_strided((2, 3), (1, 2)).stride())
    both(lambda t: t.empty_strided((2, 3), (5, 1), dtype=t.float64).fill_(2.0))
    both(lambda t: t.empty_strided((0, 3), (5, 1)).shape)
    both(lambda t: t.empty_strided((2, 3), (0, 1)).add_(1))
    assert tg.empty_strided((2,), (1,), requires_grad=True).requires_grad


def test_vmap():
    y = tg.randn(5, 3, 4)
    turned = lambda v: v.t().as_strided((2, 2), (1, 2), 1)  # noqa: E731
    single = tg.stack([turned(one.clone()) for one in y.unbind()])
    assert np.array_equal(tg.func.vmap(turned)(y).numpy(), single.numpy())
    x = tg.randn(5, 3, 4, dtype=tg.float64)
    f = lambda v: v.as_strided((2, 2), (1, 2), 3).exp().sum()  # noqa: E731
    mapped = tg.func.vmap(tg.func.grad(f))(x)
    single = tg.stack([tg.func.grad(f)(one.clone()) for one in x.unbind()])
    assert np.allclose(mapped.numpy(), single.numpy())
