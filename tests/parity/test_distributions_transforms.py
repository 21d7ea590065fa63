"""Transforms of distributions, validation of arguments, printing, beside torch.distributions."""

import math

import numpy as np
import pytest
import torch

import tensorgrad as tg

LIBRARIES = (tg, torch)


@pytest.fixture(autouse=True)
def _validated(monkeypatch):
    """Arguments are checked, whatever another test of this process has switched off."""
    for library in LIBRARIES:
        monkeypatch.setattr(library.distributions.Distribution, "_validate_args", True)


def leaf(library, value):
    return library.tensor(np.array(value, np.float64), requires_grad=True)


def close(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


TRANSFORMS = {
    "Exp": (lambda D, t: D.ExpTransform(), [[0.3, -1.0, 0.5]]),
    "Power": (lambda D, t: D.PowerTransform(t.tensor(2.0, dtype=t.float64)), [[0.3, 1.0, 2.5]]),
    "Sigmoid": (lambda D, t: D.SigmoidTransform(), [[0.3, -1.0, 2.5]]),
    "Softplus": (lambda D, t: D.SoftplusTransform(), [[0.3, -1.0, 2.5]]),
    "Tanh": (lambda D, t: D.TanhTransform(), [[0.3, -1.0, 1.5]]),
    "Affine": (lambda D, t: D.AffineTransform(1.0, -2.0), [[0.3, -1.0, 2.5]]),
    "Affine of vectors": (lambda D, t: D.AffineTransform(
        t.ones(3, dtype=t.float64), t.full((3,), 2.0, dtype=t.float64), event_dim=1),
        [[0.3, -1.0, 2.5]]),
    "StickBreaking": (lambda D, t: D.StickBreakingTransform(), [[0.3, -1.0, 2.5]]),
    "Reshape": (lambda D, t: D.ReshapeTransform((3,), (3, 1)), [[0.3, -1.0, 2.5]]),
    "Compose": (lambda D, t: D.ComposeTransform([D.AffineTransform(0.5, 2.0), D.ExpTransform()]),
                [[0.3, -1.0, 1.5]]),
    "Compose to the simplex": (lambda D, t: D.ComposeTransform(
        [D.AffineTransform(0.5, 2.0), D.StickBreakingTransform()]), [[0.3, -1.0, 0.5]]),
    "Independent": (lambda D, t: D.IndependentTransform(D.ExpTransform(), 1), [[0.3, -1.0, 2.5]]),
    "inverse": (lambda D, t: D.ExpTransform().inv, [[0.3, 1.0, 2.5]]),
    "inverse of composed": (lambda D, t: D.ComposeTransform(
        [D.AffineTransform(0.5, 2.0), D.ExpTransform()]).inv, [[0.3, 1.0, 1.5]]),
}  # fmt: skip


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms(name):
    found = []
    for library in LIBRARIES:
        transform = TRANSFORMS[name][0](library.distributions, library)
        x = leaf(library, TRANSFORMS[name][1])
        y = transform(x)
        jacobian = transform.log_abs_det_jacobian(x, y)
        back = transform.inv(y)
        (grad,) = library.autograd.grad((y**2).sum() + jacobian.sum(), x)
        found.append([t.detach().numpy() for t in (y, jacobian, back, grad)])
        np.testing.assert_allclose(found[-1][2], x.detach().numpy(), rtol=1e-9)
        assert tuple(transform.forward_shape((5, 3))) == tuple(transform(library.rand(5, 3)).shape)
        assert transform.bijective
    assert TRANSFORMS[name][0](tg.distributions, tg) == TRANSFORMS[name][0](tg.distributions, tg)
    close(*found)


def test_transformed_distributions():
    found = []
    for library in LIBRARIES:
        D = library.distributions
        loc, scale = leaf(library, [0.1, -0.4, 0.3]), leaf(library, [0.8, 1.2, 1.0])
        squashed = D.TransformedDistribution(
            D.Normal(loc, scale), [D.AffineTransform(0.2, -1.5), D.TanhTransform()]
        )
        value = library.tensor([[0.3, -0.5, 0.9]], dtype=library.float64)
        simplex = D.TransformedDistribution(D.Normal(loc, scale), D.StickBreakingTransform())
        share = library.tensor([0.1, 0.2, 0.3, 0.4], dtype=library.float64)
        terms = (squashed.log_prob(value), squashed.cdf(value),
                 squashed.icdf(library.tensor(0.3, dtype=library.float64)),
                 simplex.log_prob(share), squashed.expand((2, 3)).log_prob(value))  # fmt: skip
        grads = library.autograd.grad(sum(t.sum() for t in terms), [loc, scale])
        found.append([t.detach().numpy() for t in (*terms, *grads)])
        assert tuple(simplex.event_shape) == (4,)
        assert simplex.rsample((5,)).shape == (5, 4)
        with pytest.raises(ValueError, match="support"):
            squashed.log_prob(value * 3)
    close(*found)


def test_the_cache_gives_the_very_same_tensor():
    for library in LIBRARIES:
        transform = library.distributions.TanhTransform(cache_size=1)
        x = library.ones(2)
        y = transform(x)
        assert transform.inv(y) is x
        assert transform(x) is y


# --- Validation -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        lambda D, t: D.Normal(0.0, -1.0),
        lambda D, t: D.Normal(t.tensor(math.nan), 1.0),
        lambda D, t: D.Normal("a", 1.0),
        lambda D, t: D.Uniform(1.0, 1.0),
        lambda D, t: D.Bernoulli(1.5),
        lambda D, t: D.Bernoulli(),
        lambda D, t: D.Bernoulli(0.5, 0.5),
        lambda D, t: D.Categorical(t.tensor(0.5)),
        lambda D, t: D.Categorical(t.tensor([-0.5, 1.5])),
        lambda D, t: D.Categorical(t.ones(3)).log_prob(t.tensor(3)),
        lambda D, t: D.Gamma(t.zeros(2), 1.0),
        lambda D, t: D.Geometric(t.zeros(2)),
        lambda D, t: D.HalfNormal(-1.0),
        lambda D, t: D.Poisson(-1.0),
        lambda D, t: D.Binomial(-1, t.tensor(0.5)),
        lambda D, t: D.Dirichlet(t.tensor(1.0)),
        lambda D, t: D.Dirichlet(t.tensor([1.0, -1.0])),
        lambda D, t: D.MultivariateNormal(t.zeros(2)),
        lambda D, t: D.MultivariateNormal(t.zeros(2), -t.eye(2)),
        lambda D, t: D.MultivariateNormal(t.zeros(2), scale_tril=t.ones(2, 2)),
        lambda D, t: D.Normal(0.0, 1.0).log_prob(1.0),
        lambda D, t: D.Exponential(1.0).log_prob(t.tensor(-1.0)),
        lambda D, t: D.Bernoulli(0.5).log_prob(t.tensor(0.3)),
        lambda D, t: D.Normal(t.zeros(2), 1.0).log_prob(t.zeros(3)),
        lambda D, t: D.Dirichlet(t.ones(3)).log_prob(t.ones(3)),
        lambda D, t: D.TransformedDistribution(D.Normal(0.0, 1.0), [3]),
    ],
)
def test_wrong_arguments(call):
    for library in LIBRARIES:
        with pytest.raises(ValueError):
            call(library.distributions, library)


def test_validation_can_be_switched_off():
    for library in LIBRARIES:
        D = library.distributions
        assert D.Normal(0.0, -1.0, validate_args=False).scale.item() == -1
        D.Distribution.set_default_validate_args(False)
        try:
            D.Normal(0.0, -1.0)
        finally:
            D.Distribution.set_default_validate_args(True)
        with pytest.raises(ValueError):
            D.Normal(0.0, -1.0)


def test_printing_and_the_limits_of_uniform():
    texts = []
    for library in LIBRARIES:
        D, one = library.distributions, library.ones(2)
        inverse = D.ComposeTransform([D.ExpTransform(), D.AffineTransform(0.0, 2.0)]).inv
        limits = D.Uniform(one, 2 * one).arg_constraints
        texts.append([repr(D.ExpTransform().inv), repr(inverse), repr(limits)])
    assert texts[0] == texts[1]
    with pytest.raises(ValueError, match=r"parameter low .* LessThan"):
        tg.distributions.Uniform(tg.ones(2), 1.0)


def test_printing():
    for make_ in (
        lambda D, t: D.Normal(0.0, 1.0),
        lambda D, t: D.Normal(t.zeros(2), t.ones(2)),
        lambda D, t: D.Categorical(t.ones(3)),
        lambda D, t: D.Independent(D.Normal(t.zeros(2), 1.0), 1),
        lambda D, t: D.Gamma(1.0, 2.0),
        lambda D, t: D.ExpTransform(),
    ):
        ours, theirs = (repr(make_(library.distributions, library)) for library in LIBRARIES)
        assert ours.replace("tensorgrad", "torch") == theirs


def test_import_paths():
    from tensorgrad.distributions.categorical import Categorical
    from tensorgrad.distributions.kl import kl_divergence
    from tensorgrad.distributions.studentT import StudentT

    assert Categorical is tg.distributions.Categorical
    assert StudentT is tg.distributions.StudentT
    assert kl_divergence is tg.distributions.kl_divergence


def test_under_vmap():
    found = []
    for library in LIBRARIES:
        x = library.arange(6.0).reshape(3, 2) * 0.1

        def log_prob(row, D=library.distributions):
            return D.Normal(row, 1.0).log_prob(row * 2) + D.Laplace(0.0, 1.0).log_prob(row)

        found.append(library.func.vmap(log_prob)(x).numpy())
    np.testing.assert_allclose(*found, rtol=1e-6)
