"""Divergences between all families, and the transforms onto constraints, beside PyTorch."""

from typing import ClassVar

import numpy as np
import pytest
import torch
from parity import test_distributions as common
from parity import test_distributions_more

import tensorgrad as tg

LIBRARIES = (tg, torch)
assert test_distributions_more.LAWS.items() <= common.LAWS.items()

FAMILIES = (
    "Bernoulli", "Beta", "ContinuousBernoulli", "Exponential", "Gamma", "Gumbel", "Laplace",
    "LowRankMultivariateNormal", "MultivariateNormal", "Normal", "Pareto", "Poisson", "Uniform",
    "Wishart", "Weibull", "Categorical", "HalfNormal", "Geometric",
)  # fmt: skip


def law(name):
    return lambda library: common.make(library, name)


def uniform(low, high):
    return lambda library: (
        library.distributions.Uniform(common.leaf(library, low), common.leaf(library, high)),
        [],
    )


def divergence(library, p, q):
    p, leaves = p(library)
    q, others = q(library)
    try:
        result = library.distributions.kl_divergence(p, q)
    except NotImplementedError:
        return NotImplementedError
    found = [result.detach().numpy()]
    if result.requires_grad and np.isfinite(found[0]).all():
        grads = library.autograd.grad(result.sum(), [*leaves, *others], allow_unused=True)
        found += [None if g is None else g.numpy() for g in grads]
    return found


def compare(p, q):
    common.close(*(divergence(library, p, q) for library in LIBRARIES))


@pytest.mark.parametrize("p", FAMILIES)
def test_all_pairs(p):
    """Whatever PyTorch has, the infinite ones too, and NotImplementedError for the rest."""
    for q in FAMILIES:
        if "Wishart" in (p, q) and p != q:
            continue
        try:
            compare(law(p), law(q))
        except (AssertionError, ValueError) as error:
            raise AssertionError(f"{p} and {q}") from error


@pytest.mark.parametrize("p", ["Normal", "Beta", "Exponential", "Gamma", "Gumbel", "Poisson"])
def test_infinite_ones_have_the_dtype_of_the_parameters(p):
    D, one = tg.distributions, tg.tensor(1.0, dtype=tg.float64)
    counts = len(getattr(D, p).arg_constraints)
    q = D.Bernoulli(one / 2) if p == "Poisson" else D.Uniform(one, one + 1)
    q = D.Pareto(one, one) if p == "Beta" else q
    found = D.kl_divergence(getattr(D, p)(*(one,) * counts), q)
    assert found.item() == float("inf")
    assert found.dtype is tg.float64


@pytest.mark.parametrize("bounds", [(0.1, 0.8), (0.6, 3.0), (-1.0, 0.5)])
def test_uniform_within_and_beyond(bounds):
    for q in ("Beta", "ContinuousBernoulli", "Exponential", "Gamma", "Gumbel", "Normal", "Pareto"):
        compare(uniform(*bounds), law(q))
    for p in ("Beta", "ContinuousBernoulli"):
        compare(law(p), uniform(*bounds))


def test_uniform_on_the_whole_interval():
    """Finite: PyTorch says infinite for the continuous Bernoulli, though it reaches both ends."""
    D = tg.distributions
    whole, other = D.Uniform(0.0, 1.0), D.ContinuousBernoulli(tg.tensor(0.3))
    x = tg.linspace(0.0005, 0.9995, 1000)
    exact = -other.log_prob(x).mean().item()
    assert abs(D.kl_divergence(whole, other).item() - exact) < 1e-5


def test_an_exponential_family_of_ones_own():
    """Entropy and divergence follow from the log-normaliser."""
    found = []
    for library in LIBRARIES:
        D = library.distributions

        class Rate(D.ExponentialFamily):
            arg_constraints: ClassVar = {}
            _mean_carrier_measure = 0

            def __init__(self, rate):
                self.rate = rate
                super().__init__(rate.shape)

            @property
            def _natural_params(self):
                return (-self.rate,)

            def _log_normalizer(self, x):
                return -(-x).log()

        one, two = (Rate(common.leaf(library, r)) for r in ([0.5, 2.0], [1.0, 3.0]))
        exact = D.Exponential(one.rate), D.Exponential(two.rate)
        found.append([t.detach().numpy() for t in (one.entropy(), D.kl_divergence(one, two))])
        np.testing.assert_allclose(found[-1][0], exact[0].entropy().detach().numpy())
        np.testing.assert_allclose(found[-1][1], D.kl_divergence(*exact).detach().numpy())
        assert isinstance(exact[0], D.ExponentialFamily)
    common.close(*found)


# --- From constraints to transforms ---------------------------------------------------------------

CONSTRAINTS = {
    "real": lambda c, t: c.real, "positive": lambda c, t: c.positive,
    "nonnegative": lambda c, t: c.nonnegative, "unit_interval": lambda c, t: c.unit_interval,
    "interval": lambda c, t: c.interval(-1.0, 3.0), "less_than": lambda c, t: c.less_than(2.0),
    "half_open": lambda c, t: c.half_open_interval(0.0, 2.0),
    "tensor bound": lambda c, t: c.greater_than(t.tensor([0.5, 1.0, 2.0], dtype=t.float64)),
    "simplex": lambda c, t: c.simplex, "real_vector": lambda c, t: c.real_vector,
    "corr_cholesky": lambda c, t: c.corr_cholesky,
    "independent": lambda c, t: c.independent(c.positive, 1),
    "cat": lambda c, t: c.cat([c.positive, c.unit_interval], -1, [1, 2]),
    "stack": lambda c, t: c.stack([c.positive, c.real, c.less_than(1.0)], -1),
    "lower_cholesky": lambda c, t: c.lower_cholesky,
    "positive_definite": lambda c, t: c.positive_definite,
    "boolean": lambda c, t: c.boolean, "symmetric": lambda c, t: c.symmetric,
    "integers": lambda c, t: c.nonnegative_integer,
}  # fmt: skip


@pytest.mark.parametrize("registry", ["biject_to", "transform_to"])
@pytest.mark.parametrize("name", CONSTRAINTS)
def test_transforms_onto_constraints(name, registry):
    found = []
    for library in LIBRARIES:
        D = library.distributions
        constraint = CONSTRAINTS[name](D.constraints, library)
        try:
            transform = getattr(D, registry)(constraint)
        except NotImplementedError:
            found.append(NotImplementedError)
            continue
        values = [[0.3, -1.0, 0.5], [1.0, 0.2, -0.4]]
        if name in ("lower_cholesky", "positive_definite"):
            values = [[0.3, -1.0], [0.5, 0.2]]
        x = common.leaf(library, values)
        y = transform(x)
        assert constraint.check(y).all()
        parts = [y, transform.inv(y)]
        if registry == "biject_to":
            assert transform.bijective
            parts.append(transform.log_abs_det_jacobian(x, y))
            np.testing.assert_allclose(parts[1].detach().numpy(), values, rtol=1e-9)
        total = sum((p * p).sum() for p in parts[::2])
        (grad,) = library.autograd.grad(total, x)
        found.append([t.detach().numpy() for t in (*parts, grad)])
    common.close(*found)


def test_the_jacobian_of_correlation_factors():
    """By the determinant itself: of 3 numbers to the 3 below the diagonal."""
    x = common.leaf(tg, [0.3, -0.7, 0.5])
    transform = tg.distributions.CorrCholeskyTransform()
    rows, columns = np.tril_indices(3, -1)

    def below(x):
        return transform(x)[tg.from_numpy(rows), tg.from_numpy(columns)]

    jacobian = tg.autograd.functional.jacobian(below, x)
    np.testing.assert_allclose(
        transform.log_abs_det_jacobian(x, transform(x)).item(),
        np.linalg.slogdet(jacobian.numpy())[1], rtol=1e-9,
    )  # fmt: skip
    assert tuple(transform.forward_shape((2, 3))) == (2, 3, 3)
    assert tuple(transform.inverse_shape((2, 3, 3))) == (2, 3)
    with pytest.raises(ValueError, match="lower-diagonal"):
        transform(tg.zeros(4))


def test_through_a_cumulative_distribution():
    found = []
    for library in LIBRARIES:
        D = library.distributions
        transform = D.CumulativeDistributionTransform(D.Normal(common.leaf(library, 0.3), 1.5))
        x = common.leaf(library, [0.3, -1.0])
        y = transform(x)
        parts = (y, transform.inv(y), transform.log_abs_det_jacobian(x, y))
        found.append([p.detach().numpy() for p in parts])
    common.close(*found)


def test_registering_a_transform():
    for library in LIBRARIES:
        D = library.distributions

        class Mine(D.constraints.Constraint):
            pass

        with pytest.raises(NotImplementedError):
            D.transform_to(Mine())

        @D.transform_to.register(Mine)
        def _(constraint, D=D):
            return D.ExpTransform()

        assert isinstance(D.transform_to(Mine()), D.ExpTransform)
        with pytest.raises(TypeError):
            D.biject_to.register(3, lambda c: c)


def test_joined_transforms_refuse():
    for library in LIBRARIES:
        D = library.distributions
        for call in (
            lambda D=D: D.CatTransform([D.ExpTransform()], lengths=[1, 2]),
            lambda D=D: D.StackTransform([3]),
            lambda D=D, t=library: D.CatTransform([D.ExpTransform()], lengths=[2])(t.ones(3)),
            lambda D=D, t=library: D.StackTransform([D.ExpTransform()])(t.ones(3)),
            lambda D=D, t=library: D.StackTransform([D.ExpTransform()], 1)(t.ones(1)),
        ):
            with pytest.raises(AssertionError):
                call()
