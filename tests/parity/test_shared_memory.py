"""A result lies on its argument's memory just where PyTorch's does, and the graph knows of it.

A result that shares memory without being a view is written behind its argument's back; one that is
a view where PyTorch copies changes the argument of a program that writes to it.
"""

import numpy as np
import pytest
import torch
from parity.test_samples import theirs
from samples import FUNCTIONS
from sampling import Call, every_case, outputs_of

import tensorgrad as tg

# Those that write to their argument return it; complex parts are copies here: docs/differences.md.
PARTS = {"conj", "conj_physical", "real", "imag", "view_as_real", "view_as_complex", "adjoint"}
COPIES = {"Tensor.unfold": "windows that overlap", "histogramdd": "the given edges"}
COMPARED = [
    s
    for s in FUNCTIONS
    if s.counterpart is not None and not s.path.endswith("_") and s.path not in PARTS
]


def in_mine(array, _):
    return tg.from_numpy(np.array(array, order="C"))


def in_theirs(array, _):
    return torch.from_numpy(np.array(array, order="C"))


def shares(a, b):
    if not a.numel() or not b.numel():
        return False
    if isinstance(a, tg.Tensor):
        return np.shares_memory(a._array, b._array)
    return a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr()


@every_case(COMPARED)
def test_results_share_memory_where_they_do_in_pytorch(sample, number):
    drawn = sample.draw(number)
    mine, other = Call(drawn, in_mine, library=tg), Call(drawn, in_theirs, library=torch)
    a = [t for t in outputs_of(mine.run(sample.function())) if isinstance(t, tg.Tensor)]
    b = [t for t in outputs_of(other.run(theirs(sample))) if isinstance(t, torch.Tensor)]
    for x, y in zip(a, b, strict=True):
        for given, reference in zip(mine.tensors, other.tensors, strict=True):
            together = shares(x, given)
            if not (sample.path in COPIES and not together):
                assert together == shares(y, reference)
            assert not together or x is given or x._storage is given._storage


# Arguments for which nothing has to be done.
NEUTRAL = {
    "roll": lambda lib, x: x.roll(0, 0),
    "roll all the way": lambda lib, x: x.roll((3, 8), (0, 1)),
    "roll, flat": lambda lib, x: x.roll(0),
    "rot90": lambda lib, x: lib.rot90(x, 4),
    "flip": lambda lib, x: x.flip([]),
    "repeat": lambda lib, x: x.repeat(1, 1),
    "tile": lambda lib, x: x.tile((1,)),
    "repeat_interleave": lambda lib, x: x.repeat_interleave(1, 0),
    "cat": lambda lib, x: lib.cat([x]),
    "pad": lambda lib, x: lib.nn.functional.pad(x, (0, 0)),
    "dropout": lambda lib, x: lib.nn.functional.dropout(x, 0.0),
    "dropout in evaluation": lambda lib, x: lib.nn.functional.dropout(x, 0.5, False),
    "pixel_shuffle": lambda lib, x: lib.nn.functional.pixel_shuffle(x[None], 1),
    "pixel_unshuffle": lambda lib, x: lib.nn.functional.pixel_unshuffle(x[None], 1),
    "channel_shuffle": lambda lib, x: lib.nn.functional.channel_shuffle(x[None], 1),
    "max_pool2d": lambda lib, x: lib.nn.functional.max_pool2d(x[None], 1),
    "avg_pool2d": lambda lib, x: lib.nn.functional.avg_pool2d(x[None], 1),
    "interpolate": lambda lib, x: lib.nn.functional.interpolate(x[None], size=4),
    "unfold": lambda lib, x: lib.nn.functional.unfold(x[None, None], 1),
    "sum of one": lambda lib, x: x[:1].sum(0),
    "einsum of one": lambda lib, x: lib.einsum("ij->j", x[:1]),
    "einsum": lambda lib, x: lib.einsum("ij->ij", x),
    "einsum, transposed": lambda lib, x: lib.einsum("ij->ji", x),
    "einsum, diagonal": lambda lib, x: lib.einsum("ii->i", x[:, :3]),
    "max of one": lambda lib, x: x[:1].amax(0),
    "cumsum of one": lambda lib, x: x[:1].cumsum(0),
    "sort of one": lambda lib, x: x[:1].sort(0)[0],
    "tril": lambda lib, x: x.tril(5),
    "chain_matmul": lambda lib, x: lib.chain_matmul(x),
    "expand": lambda lib, x: x.expand(3, 4),
    "flatten": lambda lib, x: x.flatten(1),
    "squeeze": lambda lib, x: x.squeeze(),
    "chunk": lambda lib, x: x.chunk(1)[0],
    "contiguous": lambda lib, x: x.contiguous(),
    "identity": lambda lib, x: lib.nn.Identity()(x),
    "clone": lambda lib, x: x.clone(),
}


@pytest.mark.filterwarnings("ignore:.*chain_matmul:UserWarning")
@pytest.mark.parametrize("name", NEUTRAL)
def test_a_write_reaches_the_result_where_it_does_in_pytorch(name):
    seen = []
    for library in (tg, torch):
        x = library.arange(12.0).reshape(3, 4).clone()
        y = NEUTRAL[name](library, x)
        before = y.clone()
        x.add_(100)
        seen.append(bool((y != before).any()))
    assert seen[0] == seen[1]


def test_a_transposing_einsum_is_a_view_in_the_graph():
    for library in (tg, torch):
        x = library.ones(2, 3, requires_grad=True)
        y = x * 2
        library.einsum("ij->ji", y).mul_(3)
        y.sum().backward()
        assert x.grad.tolist() == [[6.0] * 3] * 2
