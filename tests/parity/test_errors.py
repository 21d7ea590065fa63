"""Bad calls: where PyTorch raises, tensorgrad raises an error of the same family."""

import warnings

import numpy as np
import pytest
import torch

import tensorgrad as tg

BAD = {
    # shapes
    "add shapes": lambda t: t.ones(2, 3) + t.ones(4),
    "where shapes": lambda t: t.where(t.ones(2).bool(), t.ones(3), t.ones(3)),
    "matmul inner": lambda t: t.ones(2, 3) @ t.ones(2, 3),
    "matmul scalar": lambda t: t.matmul(t.tensor(1.0), t.ones(2)),
    "matmul batches": lambda t: t.ones(2, 2, 3) @ t.ones(3, 3, 2),
    "mm ranks": lambda t: t.mm(t.ones(2, 2, 2), t.ones(2, 2)),
    "bmm batches": lambda t: t.bmm(t.ones(2, 2, 2), t.ones(3, 2, 2)),
    "mv sizes": lambda t: t.mv(t.ones(2, 3), t.ones(2)),
    "dot ranks": lambda t: t.dot(t.ones(2, 2), t.ones(2)),
    "dot sizes": lambda t: t.dot(t.ones(2), t.ones(3)),
    "outer ranks": lambda t: t.outer(t.ones(2, 2), t.ones(2)),
    "reshape size": lambda t: t.ones(6).reshape(4, 2),
    "reshape two unknown": lambda t: t.ones(6).reshape(-1, -1),
    "reshape unknown of none": lambda t: t.ones(0, 2).reshape(-1, 0),
    "view strides": lambda t: t.ones(2, 3).t().view(6),
    "expand size": lambda t: t.ones(2, 3).expand(2, 4),
    "expand fewer": lambda t: t.ones(2, 3).expand(3),
    "expand new unknown": lambda t: t.ones(3).expand(-1, 3),
    "unflatten": lambda t: t.ones(6).unflatten(0, (4, 2)),
    "cat shapes": lambda t: t.cat([t.ones(2, 3), t.ones(2, 4)]),
    "cat ranks": lambda t: t.cat([t.ones(2, 3), t.ones(3)]),
    "cat scalars": lambda t: t.cat([t.tensor(1.0)]),
    "stack shapes": lambda t: t.stack([t.ones(2), t.ones(3)]),
    "broadcast_shapes": lambda t: t.broadcast_shapes((2, 3), (4,)),
    # dtypes
    "bool products": lambda t: t.ones(2, 2).bool() @ t.ones(2, 2).bool(),
    "bool dot": lambda t: t.dot(t.ones(2).bool(), t.ones(2).bool()),
    "bool vdot": lambda t: t.vdot(t.ones(2).bool(), t.ones(2).bool()),
    "bool addcmul": lambda t: t.addcmul(*[t.ones(2).bool()] * 3),
    "bool trace": lambda t: t.trace(t.ones(2, 2).bool()),
    "bool median": lambda t: t.median(t.ones(2).bool()),
    "whole frac": lambda t: t.frac(t.ones(2).int()),
    "whole lerp": lambda t: t.lerp(t.ones(2).int(), t.ones(2).int(), 0.5),
    "whole logcumsumexp": lambda t: t.logcumsumexp(t.ones(2).int(), 0),
    "lerp dtypes": lambda t: t.lerp(t.ones(2), t.ones(2).double(), 0.5),
    "cross dtypes": lambda t: t.cross(t.ones(3), t.ones(3).double(), dim=0),
    "cdist dtypes": lambda t: t.cdist(t.ones(2, 2), t.ones(2, 2).double()),
    "meshgrid dtypes": lambda t: t.meshgrid(t.ones(2), t.ones(2).double(), indexing="ij"),
    "cartesian_prod dtypes": lambda t: t.cartesian_prod(t.ones(2), t.ones(2).double()),
    "complex igamma": lambda t: t.igamma(t.ones(2) * 1j, t.ones(2)),
    "complex sort": lambda t: t.sort(t.ones(2) * 1j),
    "complex topk": lambda t: t.topk(t.ones(2) * 1j, 1),
    "complex searchsorted": lambda t: t.searchsorted(t.ones(2), 1j),
    "complex nansum": lambda t: t.nansum(t.ones(2) * 1j),
    "scatter_add number": lambda t: t.scatter_add(t.zeros(2), 0, t.tensor([0, 1]), 2.0),
    "scatter_reduce number": lambda t: t.zeros(2).scatter_reduce(0, t.tensor([0]), 2.0, "sum"),
    # dimensions
    "sum dim": lambda t: t.ones(2, 3).sum(2),
    "sum dim twice": lambda t: t.ones(2, 3).sum((0, 0)),
    "mean dim": lambda t: t.ones(2, 3).mean(-3),
    "softmax dim": lambda t: t.ones(2, 3).softmax(2),
    "sum bool dim": lambda t: t.ones(2, 3).sum(True),
    "mean bool dims": lambda t: t.ones(2, 3).mean((True, False)),
    "max bool dim": lambda t: t.ones(2, 3).max(True),
    "argmax bool dim": lambda t: t.ones(2, 3).argmax(True),
    "cumsum bool dim": lambda t: t.ones(2, 3).cumsum(True),
    "cat bool dim": lambda t: t.cat([t.ones(2, 3)], True),
    "transpose bool dim": lambda t: t.ones(2, 3).transpose(0, True),
    "permute bool dims": lambda t: t.ones(2, 3).permute(True, False),
    "flip bool dim": lambda t: t.ones(2, 3).flip(True),
    "sort bool dim": lambda t: t.ones(2, 3).sort(True),
    "softmax bool dim": lambda t: t.ones(2, 3).softmax(True),
    "functional softmax bool dim": lambda t: t.nn.functional.softmax(t.ones(2, 3), True),
    "norm bool dim": lambda t: t.ones(2, 3).norm(dim=True),
    "fft of no dimensions": lambda t: t.fft.fft(t.tensor(1j)),
    "irfft of no dimensions": lambda t: t.fft.irfft(t.tensor(1j)),
    "hfft of no dimensions": lambda t: t.fft.hfft(t.tensor(1j)),
    # what is no tensor
    "softmax of a list": lambda t: t.softmax([1.0, 2.0], 0),
    "matmul of a list": lambda t: t.matmul([[1.0]], t.ones(1, 1)),
    "matmul by a list": lambda t: t.ones(1, 1).matmul([[1.0]]),
    "dot of an array": lambda t: t.dot(np.ones(2), np.ones(2)),
    "cumsum of nothing": lambda t: t.cumsum(None, 0),
    "inv of an array": lambda t: t.linalg.inv(np.eye(2)),
    "max of numbers": lambda t: t.max(2, 3),
    "clamp_max of a number": lambda t: t.clamp_max(2, 3),
    "ldexp of a number": lambda t: t.ldexp(2, t.ones(2)),
    "erf of nothing": lambda t: t.erf(None),
    "eq of nothing": lambda t: t.eq(None, t.ones(2)),
    "add of nothing": lambda t: t.add(t.ones(2), None),
    "cumsum dim": lambda t: t.ones(2).cumsum(1),
    "argmax dim": lambda t: t.ones(2, 3).argmax(2),
    "max dim": lambda t: t.ones(2).max(1),
    "transpose dim": lambda t: t.ones(2, 3).transpose(0, 2),
    "permute twice": lambda t: t.ones(2, 3).permute(0, 0),
    "permute fewer": lambda t: t.ones(2, 3).permute(0),
    "squeeze dim": lambda t: t.ones(2).squeeze(1),
    "unsqueeze dim": lambda t: t.ones(2).unsqueeze(3),
    "flip dim": lambda t: t.ones(2).flip(1),
    "flip twice": lambda t: t.ones(2).flip(0, 0),
    "flatten order": lambda t: t.ones(2, 3).flatten(1, 0),
    "movedim": lambda t: t.movedim(t.ones(2, 3), (0, 1), (0,)),
    "select index": lambda t: t.select(t.ones(2), 0, 2),
    "narrow length": lambda t: t.narrow(t.ones(3), 0, 2, 2),
    "split sizes": lambda t: t.split(t.ones(4), [1, 2]),
    "chunk count": lambda t: t.chunk(t.ones(4), 0),
    "t of three": lambda t: t.t(t.ones(2, 2, 2)),
    "tril of one": lambda t: t.tril(t.ones(3)),
    "unbind scalar": lambda t: t.unbind(t.tensor(1.0)),
    "tile type": lambda t: t.tile(t.ones(2), 2.5),
    # indices
    "index out of range": lambda t: t.ones(3)[3],
    "index too many": lambda t: t.ones(3)[0, 0],
    "index array out of range": lambda t: t.ones(3)[t.tensor([0, 3])],
    "index float": lambda t: t.ones(3)[t.tensor([0.5])],
    "index number": lambda t: t.ones(3)[0.5],
    "index negative step": lambda t: t.ones(3)[::-1],
    "mask shape": lambda t: t.ones(3)[t.tensor([True, False])],
    "set shape": lambda t: t.ones(3).__setitem__(slice(0, 2), t.ones(3)),
    "gather index": lambda t: t.gather(t.ones(2, 2), 0, t.tensor([[2, 0]])),
    "gather dtype": lambda t: t.gather(t.ones(2, 2), 0, t.ones(1, 2)),
    "gather ranks": lambda t: t.gather(t.ones(2, 2), 0, t.tensor([0])),
    "index_select index": lambda t: t.index_select(t.ones(2), 0, t.tensor([2])),
    "index_select rank": lambda t: t.index_select(t.ones(2), 0, t.tensor([[0]])),
    "masked_fill mask": lambda t: t.ones(2).masked_fill(t.tensor([1, 0]), 0),
    "masked_fill imaginary part": lambda t: t.ones(2).masked_fill(t.ones(2).bool(), t.tensor(1j)),
    "masked_fill too large": lambda t: (
        t.ones(2).byte().masked_fill(t.ones(2).bool(), t.tensor(300))
    ),
    "linear_cross_entropy rank": lambda t: t.nn.functional.linear_cross_entropy(
        t.ones(3), t.ones(2, 4, 3), t.ones(2, 4)
    ),
    "softmax of integers": lambda t: t.softmax(t.arange(3), 0),
    "log_softmax of integers": lambda t: t.arange(3).log_softmax(0),
    "to two dtypes": lambda t: t.ones(2).to(t.float64, dtype=t.float32),
    "masked_fill value": lambda t: t.ones(2).masked_fill(t.tensor([True, False]), t.ones(2)),
    "masked_select mask": lambda t: t.masked_select(t.ones(2), t.ones(2)),
    # dtypes
    "mean of integers": lambda t: t.tensor([1, 2]).mean(),
    "var of integers": lambda t: t.tensor([1, 2]).var(),
    "negative bools": lambda t: -t.tensor([True]),
    "bools minus bools": lambda t: t.tensor([True]) - t.tensor([True]),
    "bitwise floats": lambda t: t.ones(2) & t.ones(2),
    "not of floats": lambda t: ~t.ones(2),
    "matmul dtypes": lambda t: t.ones(2, 2) @ t.ones(2, 2, dtype=t.float64),
    "integers to negative power": lambda t: t.tensor([2]) ** -1,
    "integer division by zero": lambda t: t.tensor([1]) // t.tensor([0]),
    "integer remainder by zero": lambda t: t.tensor([1]) % 0,
    "order of complex": lambda t: t.tensor([1j]) < t.tensor([2j]),
    "clamp complex": lambda t: t.clamp(t.tensor([1j]), 0, 1),
    "floor complex": lambda t: t.floor(t.tensor([1j])),
    "imag of real": lambda t: t.imag(t.ones(2)),
    "sign of complex": lambda t: t.sign(t.tensor([1j])),
    "where condition": lambda t: t.where(t.ones(2), t.ones(2), t.ones(2)),
    "isclose dtypes": lambda t: t.isclose(t.ones(2), t.tensor([1, 1])),
    "grad of integers": lambda t: t.tensor([1], requires_grad=True),
    "add float to integers": lambda t: t.tensor([1]).add_(0.5),
    # values
    "clamp without bounds": lambda t: t.clamp(t.ones(2)),
    "div rounding": lambda t: t.div(t.ones(2), 2, rounding_mode="up"),
    "max of nothing": lambda t: t.ones(0).max(),
    "argmax of nothing": lambda t: t.ones(0).argmax(),
    "amax of nothing": lambda t: t.ones(0, 2).amax(0),
    "cat of nothing": lambda t: t.cat([]),
    "stack of nothing": lambda t: t.stack([]),
    "bool of many": lambda t: bool(t.ones(2)),
    "item of many": lambda t: t.ones(2).item(),
    "len of scalar": lambda t: len(t.tensor(1.0)),
    "iter of scalar": lambda t: iter(t.tensor(1.0)),
    # types
    "exp of a string": lambda t: t.exp("a"),
    "exp of a list": lambda t: t.exp([1.0]),
    "add a string": lambda t: t.ones(2) + "a",
    "add None": lambda t: t.add(t.ones(2), None),
    "cat of a tensor": lambda t: t.cat(t.ones(2)),
    "cat of numbers": lambda t: t.cat([1.0, 2.0]),
    "reshape float": lambda t: t.ones(2).reshape(2.0),
    "sum dim string": lambda t: t.ones(2).sum("a"),
    "unknown argument": lambda t: t.sum(t.ones(2), axes=0),
    "missing argument": lambda t: t.add(t.ones(2)),
    # gradients
    "backward of many": lambda t: t.ones(2, requires_grad=True).mul(2).backward(),
    "backward of none": lambda t: t.ones(1).backward(),
    "backward twice": lambda t: _twice(t.ones(1, requires_grad=True).exp()),
    "in place on a leaf": lambda t: t.ones(2, requires_grad=True).add_(1),
    "numpy with grad": lambda t: t.ones(2, requires_grad=True).numpy(),
    "grad unused": lambda t: t.autograd.grad(_leaf(t).sum(), _leaf(t)),
    "grad shape": lambda t: _leaf(t).mul(2).backward(t.ones(3)),
    "requires_grad of non-leaf": lambda t: _leaf(t).mul(2).requires_grad_(False),
    # nn
    "conv channels": lambda t: t.nn.functional.conv2d(t.ones(1, 2, 4, 4), t.ones(1, 3, 2, 2)),
    "conv too large": lambda t: t.nn.functional.conv2d(t.ones(1, 1, 2, 2), t.ones(1, 1, 3, 3)),
    "conv rank": lambda t: t.nn.functional.conv2d(t.ones(4), t.ones(1, 1, 2, 2)),
    "linear sizes": lambda t: t.nn.functional.linear(t.ones(2, 3), t.ones(2, 4)),
    "pool too large": lambda t: t.nn.functional.max_pool2d(t.ones(1, 1, 2, 2), 3),
    "pool padding": lambda t: t.nn.functional.max_pool2d(t.ones(1, 1, 4, 4), 2, padding=2),
    "cross_entropy class": lambda t: t.nn.functional.cross_entropy(t.ones(2, 3), t.tensor([0, 3])),
    "cross_entropy batch": lambda t: t.nn.functional.cross_entropy(t.ones(2, 3), t.tensor([0])),
    "bce range": lambda t: t.nn.functional.binary_cross_entropy(t.ones(2) * 2, t.ones(2)),
    "bce size": lambda t: t.nn.functional.binary_cross_entropy(t.ones(2), t.ones(3)),
    "reduction": lambda t: t.nn.functional.mse_loss(t.ones(2), t.ones(2), reduction="total"),
    "dropout p": lambda t: t.nn.functional.dropout(t.ones(2), 1.5),
    "batch_norm of one": lambda t: t.nn.functional.batch_norm(
        t.ones(1, 2), None, None, training=True
    ),
    "batch_norm without statistics": lambda t: t.nn.functional.batch_norm(t.ones(2, 2), None, None),
    "one_hot classes": lambda t: t.nn.functional.one_hot(t.tensor([3]), 2),
    "one_hot floats": lambda t: t.nn.functional.one_hot(t.ones(2)),
    "embedding index": lambda t: t.nn.functional.embedding(t.tensor([3]), t.ones(3, 2)),
    "embedding floats": lambda t: t.nn.functional.embedding(t.ones(2), t.ones(3, 2)),
    "pad mode": lambda t: t.nn.functional.pad(t.ones(2), (1, 1), mode="mirror"),
    "pad odd": lambda t: t.nn.functional.pad(t.ones(2), (1,)),
}


def _twice(y):
    y.backward()
    y.backward()


def _leaf(t):
    return t.ones(2, requires_grad=True)


def raised(function, library):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            function(library)
    except Exception as error:
        return error
    return None


@pytest.mark.parametrize("name", BAD)
def test_same_family_of_error(name):
    theirs, ours = raised(BAD[name], torch), raised(BAD[name], tg)
    assert theirs is not None, "PyTorch accepts this: it does not belong in the list"
    assert ours is not None, f"PyTorch raises {theirs!r:.200}"
    assert isinstance(ours, type(theirs)) or isinstance(theirs, type(ours)), (ours, theirs)
    assert str(ours)
