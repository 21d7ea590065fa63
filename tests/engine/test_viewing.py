"""A view made where nothing is recorded is the view that is made where something is."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.nn import functional as F

STEPS = {
    "view": lambda x: x.view(2, 3, 16),
    "reshape": lambda x: x.reshape(6, -1),
    "reshape of a transpose": lambda x: x.transpose(1, 2).reshape(2, 12, 4),
    "view of what NumPy infers": lambda x: x.view((-1, 4, 4)),
    "view of one dimension": lambda x: x.view(-1),
    "view of a list": lambda x: x.view([6, 16]),
    "view in a shape": lambda x: x.view(tg.Size((6, 16))),
    "view of heads put together": lambda x: x.transpose(1, 2).transpose(1, 2).view(2, -1),
    "flatten": lambda x: x.flatten(1, 2),
    "transpose": lambda x: x.transpose(1, -1),
    "permute": lambda x: x.permute(3, 1, 0, 2),
    "mT": lambda x: x.mT,
    "index": lambda x: x[1, :, None, ::2],
    "index behind an Ellipsis": lambda x: x[..., None, 1:3, -1],
    "index around an Ellipsis": lambda x: x[1, ..., ::2, None],
    "an Ellipsis for nothing": lambda x: x[1, 0, ..., 2, 1],
    "one slice": lambda x: x[1:],
    "one None": lambda x: x[None],
    "nothing": lambda x: x[()],
    "one number": lambda x: x[1, 2, 3, 3],
    "select": lambda x: x.select(2, -1),
    "narrow": lambda x: x.narrow(3, 1, 2),
    "unsqueeze": lambda x: x.unsqueeze(-1),
    "squeeze": lambda x: x[:1, :, 2:3].squeeze(),
    "squeeze of two": lambda x: x[:1, :, 2:3, :1].squeeze((0, -1)),
    "unbind": lambda x: x.unbind(-2)[1],
    "contiguous": lambda x: x.transpose(1, 2).contiguous(),
    "contiguous once more": lambda x: x.view(2, -1).contiguous(),
    "expand": lambda x: x[:1].expand(5, -1, -1, -1),
    "diagonal": lambda x: x.diagonal(dim1=2, dim2=3),
    "unfold": lambda x: x.unfold(3, 2, 1),
    "chunk": lambda x: x.chunk(2, dim=-1)[1],
    "chunks of unequal size": lambda x: x.chunk(2, dim=1)[1],
    "split": lambda x: x.split([1, 3], dim=2)[1],
    "split and turned": lambda x: x.split(2, 3)[1].transpose(2, 3),
    "heads": lambda x: x.flatten(2).chunk(2, -1)[0].view(2, 3, 2, 4).transpose(1, 2),
}
REFUSED = {
    "view with a negative size": lambda x: x.view(6, -2),
    "view of two sizes inferred": lambda x: x.view((-1, -1)),
    "view with a size too many": lambda x: x.view(2, 3, 4, 4, 2),
    "reshape with a negative size": lambda x: x.reshape((6, -3)),
    "reshape with a size too many": lambda x: x.reshape(2, 3, 5),
    "view of a transpose": lambda x: x.transpose(2, 3).view(2, 3, 16),
    "number out of bounds": lambda x: x[..., 4],
    "numbers too many": lambda x: x[0, 0, ..., 0, 0, 0],
    "two times an Ellipsis": lambda x: x[..., 0, ...],
    "permute of too few": lambda x: x.permute(0, 1),
    "permute with one twice": lambda x: x.permute(0, 1, 2, 2),
}
SOURCES = {
    "contiguous": lambda: tg.randn(2, 3, 4, 4),
    "transposed": lambda: tg.randn(2, 4, 3, 4).transpose(1, 2),
    "in the engine's order": lambda: F.conv2d(tg.randn(2, 1, 4, 4), tg.randn(3, 1, 1, 1)),
    "saved by a graph": lambda: (tg.randn(2, 3, 4, 4).requires_grad_() * 2).exp().detach(),
    "part of a contiguous one": lambda: tg.randn(2, 5, 4, 4)[:, 1:4],
    "from NumPy, in Fortran's order": lambda: tg.from_numpy(
        np.asfortranarray(np.ones((2, 3, 4, 4)))
    ),
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("step", [*STEPS, *REFUSED])
def test_views(source, step):
    found = []
    for grad in (False, True):
        tg.manual_seed(0)
        x = SOURCES[source]()
        with tg.set_grad_enabled(grad):
            try:
                y = (STEPS | REFUSED)[step](x)
            except (RuntimeError, IndexError) as error:
                found.append(str(error))
                continue
        seen = [
            tuple(y.shape), y.stride(), y.storage_offset(), y.is_contiguous(), y._is_view(),
            y.tolist(), y._base is (x if x._base is None else x._base), y.requires_grad,
            y.grad_fn,
        ]  # fmt: skip
        if y._is_view():
            with tg.no_grad():
                x.mul_(2)
            seen += [y.tolist(), y._version == x._version]
        found.append(seen)
    assert found[0] == found[1]


@pytest.mark.parametrize("step", STEPS)
def test_a_write_through_a_view_that_was_not_recorded_reaches_the_graph(step):
    x = tg.randn(2, 3, 4, 4)
    with tg.no_grad():
        y = STEPS[step](x)
    if not y._is_view() or step in ("expand", "unfold"):  # whose places overlap
        return
    w = tg.ones((), requires_grad=True)
    y.mul_(w)
    x.sum().backward()
    np.testing.assert_allclose(float(w.grad), float(y.detach().sum()), rtol=1e-4, atol=1e-5)


def test_views_of_a_leaf_and_in_inference_mode():
    x = tg.randn(3, 4, requires_grad=True)
    with tg.no_grad():
        y, pieces = x.T, x.split(2)
    assert not y.requires_grad
    assert [p._base is x for p in pieces] == [True, True]
    with tg.inference_mode():
        assert not x.T.is_inference()
        assert (x * 2).T.is_inference()
    with pytest.raises(IndexError, match="Dimension out of range"), tg.no_grad():
        x.transpose(0, 2)
    with pytest.raises(IndexError, match="Dimension out of range"), tg.no_grad():
        x.chunk(2, dim=2)


@pytest.mark.parametrize("grad", [False, True])
def test_nothing_to_view(grad):
    x = tg.zeros(2, 0, 3)
    with tg.set_grad_enabled(grad):
        assert x.view(0, 6).shape == (0, 6)
        assert x.transpose(0, 2).reshape((3, 0)).shape == (3, 0)
        with pytest.raises(RuntimeError, match="view"):
            x.view(-1, 0)
        with pytest.raises(TypeError):
            x.view(2.0, 0)
    assert tg.tensor(3.0).transpose(0, -1).shape == ()
