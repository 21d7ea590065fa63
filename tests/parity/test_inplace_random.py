"""Random fills in place: PyTorch's laws, arguments, dtypes and refusals; not its numbers."""

import numpy as np
import pytest
import torch

import tensorgrad as tg

LIBRARIES = (tg, torch)


def as_array(tensor):
    return tensor.detach().numpy()


LAWS = {
    "uniform_": ((0.5, 2), lambda x: (x.mean(), 1.25), (2, 1)),
    "normal_": ((2, 0.5), lambda x: (x.mean(), 2), (0, -1)),
    "log_normal_": ((0.5, 0.3), lambda x: (np.median(x), np.exp(0.5)), (1, 0)),
    "cauchy_": ((2, 0.5), lambda x: (np.median(x), 2), (0, 0)),
    "exponential_": ((2,), lambda x: (x.mean(), 0.5), (0,)),
    "geometric_": ((0.4,), lambda x: (x.mean(), 2.5), (1,)),
    "bernoulli_": ((0.3,), lambda x: (x.mean(), 0.3), (1.5,)),
    "random_": ((2, 7), lambda x: (x.mean(), 4), (5, 3)),
}


@pytest.mark.parametrize("name", LAWS)
def test_random_fills(name):
    arguments, statistic, wrong = LAWS[name]
    for library in LIBRARIES:
        library.manual_seed(0)
        x = library.zeros(200, 200, dtype=library.float64).t()
        assert getattr(x, name)(*arguments) is x
        found, expected = statistic(as_array(x))
        assert abs(found - expected) < 0.03
        again = library.zeros(200, 200).to(library.float64)
        library.manual_seed(0)
        getattr(again, name)(*arguments, generator=None)
        with pytest.raises(RuntimeError):
            getattr(x, name)(*wrong)
    own = tg.Generator().manual_seed(3)
    a = getattr(tg.zeros(5), name)(*arguments, generator=own)
    b = getattr(tg.zeros(5), name)(*arguments, generator=own.manual_seed(3))
    assert a.tolist() == b.tolist()


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("kind", ["int64", "uint8", "bool", "float16", "complex64"])
def test_random_fills_of_other_dtypes(name, kind):
    outcomes = []
    for library in LIBRARIES:
        x = library.zeros(50, dtype=getattr(library, kind))
        arguments = () if name in ("uniform_", "normal_", "random_") else LAWS[name][0]
        try:
            getattr(x, name)(*arguments)
        except RuntimeError:
            outcomes.append("refused")
        else:
            outcomes.append(str(x.dtype).rpartition(".")[2])
    assert outcomes[0] == outcomes[1]


def test_random_has_no_gradient():
    for library in LIBRARIES:
        w = library.ones(3, requires_grad=True)
        (w * 2).normal_().sum().backward()
        assert w.grad.tolist() == [0.0, 0.0, 0.0]


def test_random_bounds():
    for library in LIBRARIES:
        assert library.zeros(99).random_(1).tolist() == [0.0] * 99
        assert set(library.zeros(99, dtype=library.bool).random_().tolist()) == {True, False}
        assert library.zeros(9, dtype=library.int64).random_().max().item() > 2**40
        with pytest.raises(RuntimeError, match="out of bounds"):
            library.zeros(3, dtype=library.uint8).random_(300)
