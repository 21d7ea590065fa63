"""Random functions beside PyTorch's: shapes, dtypes, laws, gradients, refusals; not its numbers."""

import contextlib

import numpy as np
import pytest
import torch

import tensorgrad as tg

LIBRARIES = (tg, torch)
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # PyTorch's, of binomial


def outcome(library, call):
    try:
        return call(library)
    except Exception as error:
        return error


def same_kind(call):
    """Both refuse, or both give the same shape, dtype, requires_grad."""
    mine, theirs = (outcome(library, call) for library in LIBRARIES)
    if isinstance(theirs, Exception):
        assert isinstance(mine, Exception), theirs
        assert isinstance(mine, (RuntimeError, TypeError, ValueError)), mine
        return None
    assert not isinstance(mine, Exception), mine
    assert tuple(mine.shape) == tuple(theirs.shape)
    assert mine.dtype.name == str(theirs.dtype).removeprefix("torch.")
    assert mine.requires_grad == theirs.requires_grad
    return mine, theirs


CALLS = [
    lambda t: t.bernoulli(t.rand(2, 3)),
    lambda t: t.bernoulli(t.rand(2, 3), 0.3),
    lambda t: t.bernoulli(t.tensor([1])),
    lambda t: t.bernoulli(t.tensor([1]), 0.5),
    lambda t: t.bernoulli(t.tensor([1.5])),
    lambda t: t.bernoulli(t.ones(2), p=1.5),
    lambda t: t.rand(2, 3, dtype=t.float64).bernoulli(),
    lambda t: t.bernoulli(t.ones(2, requires_grad=True)),
    lambda t: t.poisson(t.rand(2, 3)),
    lambda t: t.poisson(t.tensor([1])),
    lambda t: t.poisson(t.tensor([-1.0])),
    lambda t: t.poisson(t.ones(2, requires_grad=True)),
    lambda t: t.binomial(t.tensor([10.0, 5]), t.tensor([[0.3], [0.5]])),
    lambda t: t.binomial(t.tensor([10]), t.tensor([0.3])),
    lambda t: t.multinomial(t.rand(4), 2),
    lambda t: t.multinomial(t.rand(3, 4), 4),
    lambda t: t.multinomial(t.rand(3, 4), 9, replacement=True),
    lambda t: t.multinomial(t.rand(3, 4), 5),
    lambda t: t.multinomial(t.rand(3, 4), 0),
    lambda t: t.multinomial(t.zeros(3), 1),
    lambda t: t.multinomial(t.tensor([-1.0, 2]), 1),
    lambda t: t.multinomial(t.tensor([1, 2]), 1),
    lambda t: t.multinomial(t.ones(2, 2, 2), 1),
    lambda t: t.multinomial(t.ones(0, 3), 2),
    lambda t: t.ones(3).multinomial(2),
    lambda t: t.randint_like(t.ones(2, 3), 5),
    lambda t: t.randint_like(t.ones(2, 3), 3, 5, dtype=t.int64),
    lambda t: t.randint_like(t.ones(2, 3), 5, 3),
    lambda t: t.randint(5, (2,)),
    lambda t: t.randint(3, 3, (2,)),
    lambda t: t.randint(0, 5, (2,), dtype=t.float32),
    lambda t: t.randint(0, 2, (2,), dtype=t.bool),
    lambda t: t.randint(0, 300, (2,), dtype=t.uint8),
    lambda t: t.normal(t.ones(2, 3), t.ones(3)),
    lambda t: t.normal(0.0, t.ones(3, dtype=t.float64)),
    lambda t: t.normal(t.ones(3), 2),
    lambda t: t.normal(t.ones(3)),
    lambda t: t.normal(mean=0.5, std=t.ones(2)),
    lambda t: t.normal(2, 3, size=(1, 4)),
    lambda t: t.normal(0.0, 1.0, (2,), dtype=t.float64, requires_grad=True),
    lambda t: t.normal(0.0, 1.0),
    lambda t: t.normal(t.ones(2), t.ones(2), (2, 3)),
    lambda t: t.normal(t.ones(2), -t.ones(2)),
    lambda t: t.normal(0.0, -1.0, (2,)),
    lambda t: t.normal(t.ones(2, requires_grad=True), 1.0),
    lambda t: t.normal(t.tensor([1]), 1.0),
    lambda t: t.normal(t.ones(2), t.ones(3)),
    lambda t: t.randperm(0),
    lambda t: t.randperm(-1),
    lambda t: t.randperm(3, dtype=t.float32),
    lambda t: t.rand(2, dtype=t.int64),
    lambda t: t.rand_like(t.tensor([1])),
    lambda t: t.randn_like(t.ones(2), dtype=t.float64),
]


@pytest.mark.parametrize("number", range(len(CALLS)))
def test_what_comes_back(number):
    same_kind(CALLS[number])


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t.normal(t.tensor([-2.0, 3.0]).expand(40000, 2), t.tensor([0.5, 2.0])),
        lambda t: t.poisson(t.tensor([0.5, 7.0]).expand(40000, 2)),
        lambda t: t.binomial(t.tensor([3.0, 20.0]).expand(40000, 2), t.tensor([0.2, 0.7])),
        lambda t: t.bernoulli(t.tensor([0.2, 0.7]).expand(40000, 2)),
        lambda t: t.randint_like(t.ones(40000, 2), 3, 9),
        lambda t: t.multinomial(t.tensor([1.0, 5.0, 0.0, 2.0]).expand(40000, 4), 2).float(),
        lambda t: t.multinomial(t.tensor([1.0, 5.0, 0.0, 2.0]), 80000, True).reshape(-1, 2).float(),
    ],
)
def test_means_and_spreads(call):
    means = []
    for library in LIBRARIES:
        library.manual_seed(0)
        drawn = call(library).double().numpy()
        means.append((drawn.mean(0), drawn.std(0)))
    np.testing.assert_allclose(means[0], means[1], atol=0.05)


def test_multinomial_never_draws_what_has_no_weight():
    tg.manual_seed(0)
    weights = tg.tensor([0.0, 1.0, 0.0, 1e-30, 0.0])
    assert set(tg.multinomial(weights, 1000, True).tolist()) == {1}
    pairs = tg.multinomial(weights.expand(50, 5), 2)
    assert sorted(map(tuple, pairs.sort(1).values.tolist())) == [(1, 3)] * 50


def test_the_gradient_is_zero():
    for library in LIBRARIES:
        w = library.full((3,), 0.5, requires_grad=True)
        total = library.bernoulli(w) + library.poisson(w) + library.normal(w, w)
        total.sum().backward()
        assert w.grad.tolist() == [0.0, 0.0, 0.0]


# --- Generators -----------------------------------------------------------------------------------


def test_generators():
    for library in LIBRARIES:
        g = library.Generator()
        assert g.initial_seed() == 67280421310721
        assert str(g.device) == "cpu"
        assert g.manual_seed(5) is g
        first = library.rand(3, generator=g).tolist()
        state = g.get_state()
        assert state.dtype is library.uint8
        second = library.rand(3, generator=g).tolist()
        g.set_state(state)
        assert library.rand(3, generator=g).tolist() == second
        assert library.rand(3, generator=g.manual_seed(5)).tolist() == first
        assert g.initial_seed() == 5
        twin = g.clone_state()
        assert library.rand(3, generator=twin).tolist() == second
        assert library.rand(3, generator=g).tolist() == second
        assert g.seed() == g.initial_seed()
        assert library.manual_seed(-1).initial_seed() == 2**64 - 1
        with pytest.raises((RuntimeError, ValueError)):
            library.manual_seed(2**64)
        with pytest.raises(RuntimeError):
            library.Generator("cuda")
        with pytest.raises((TypeError, RuntimeError)):
            g.set_state(library.zeros(3, dtype=library.uint8))
        with pytest.raises(TypeError):
            g.set_state(library.zeros(3))


def test_the_default_generator():
    for library in LIBRARIES:
        library.manual_seed(3)
        assert library.initial_seed() == library.default_generator.initial_seed() == 3
        state = library.get_rng_state()
        a = library.rand(2).tolist()
        library.set_rng_state(state)
        assert library.rand(2).tolist() == a
        library.random.set_rng_state(state)
        with library.random.fork_rng(devices=[]):
            library.manual_seed(99)
            library.rand(5)
        assert library.rand(2).tolist() == a
        library.random.manual_seed(3)
        with contextlib.suppress(KeyError), library.random.fork_rng(devices=[]):
            library.rand(1)
            raise KeyError
        assert library.rand(2).tolist() == a
        library.manual_seed(3)
        with library.random.fork_rng(devices=[], enabled=False):
            library.rand(2)
        assert library.rand(2).tolist() != a


@pytest.mark.parametrize(
    "draw",
    [
        lambda x: (x * 1).normal_(),
        lambda x: (x * 1).uniform_(),
        lambda x: (x * 1).bernoulli_(0.5),
        lambda x: (x * 1).random_(1000),
        lambda x: x.bernoulli(),
    ],
)
def test_vmap_draws_for_each_example_or_once(draw):
    for library in LIBRARIES:
        library.manual_seed(0)
        x = library.full((3, 40), 0.5)
        with pytest.raises(RuntimeError, match="randomness"):
            library.func.vmap(draw)(x)
        rows = library.func.vmap(draw, randomness="different")(x).tolist()
        assert rows[0] != rows[1]
        if library is tg:
            rows = library.func.vmap(lambda x: (x * 1).normal_(), randomness="same")(x).tolist()
            assert rows[0] == rows[1]
