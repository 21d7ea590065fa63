"""More distributions beside torch.distributions, by the tests of test_distributions."""

import numpy as np
import pytest
import torch
from parity import test_distributions as common

import tensorgrad as tg

LIBRARIES = (tg, torch)


@pytest.fixture(autouse=True)
def _validated(monkeypatch):
    """Arguments are checked, whatever another test of this process has switched off."""
    for library in LIBRARIES:
        monkeypatch.setattr(library.distributions.Distribution, "_validate_args", True)


SPD, TRIL = common.SPD, common.TRIL
PROBS = [[0.3, 0.45, 0.25], [0.1, 0.2, 0.7]]

# name: (parameters, values within the support), as in test_distributions.
LAWS = {
    "Pareto": ({"scale": [0.5, 2.0], "alpha": [1.5, 3.0]}, [[0.6, 3.0], [2.0, 5.0]]),
    "Weibull": ({"scale": [0.5, 2.0], "concentration": [1.5, 3.0]}, [[0.6, 3.0], [2.0, 0.5]]),
    "Kumaraswamy": ({"concentration1": [0.5, 3.0], "concentration0": [0.7, 2.0]}, [[0.1, 0.3]]),
    "InverseGamma": ({"concentration": [0.5, 3.0], "rate": [0.7, 2.0]}, [[0.1, 3.0], [2.0, 0.5]]),
    "LogisticNormal": ({"loc": [0.5, -1.0], "scale": [0.7, 2.0]}, [[0.1, 0.3, 0.6]]),
    "FisherSnedecor": ({"df1": [1.5, 3.0], "df2": [5.0, 3.0]}, [[0.1, 3.0], [2.0, 0.5]]),
    "GeneralizedPareto": (
        {"loc": [0.5, -1.0, 0.0], "scale": [0.7, 2.0, 1.0], "concentration": [0.3, -0.4, 0.6]},
        [0.6, 3.0, 1.5]),
    "Multinomial": ({"total_count": 5, "probs": PROBS}, [[0.0, 1, 4], [5, 0, 0]]),
    "Multinomial 2": ({"total_count": 3, "logits": PROBS}, [[0.0, 1, 2], [3, 0, 0]]),
    "NegativeBinomial": ({"total_count": 5, "probs": [0.3, 0.8]}, [[0.0, 1.0], [4.0, 7.0]]),
    "NegativeBinomial 2": ({"total_count": 5, "logits": [0.3, -0.8]}, [[0.0, 1.0], [4.0, 7.0]]),
    "RelaxedBernoulli": ({"temperature": 0.7, "probs": [0.3, 0.8]}, [[0.1, 0.6], [0.9, 0.2]]),
    "RelaxedBernoulli 2": ({"temperature": 0.7, "logits": [0.3, 0.8]}, [[0.1, 0.6], [0.9, 0.2]]),
    "RelaxedOneHotCategorical": ({"temperature": 0.7, "probs": PROBS}, [[0.1, 0.6, 0.3]] * 2),
    "RelaxedOneHotCategorical 2": ({"temperature": 0.7, "logits": [0.3, 0.8, 0.1]},
                                   [[0.1, 0.6, 0.3]] * 2),
    "ContinuousBernoulli": ({"probs": [0.3, 0.8]}, [[0.1, 0.6], [0.9, 0.2]]),
    "ContinuousBernoulli 3": ({"probs": [0.4995]}, [[0.1], [0.9]]),
    "ContinuousBernoulli 2": ({"logits": [0.3, -0.8]}, [[0.1, 0.6], [0.9, 0.2]]),
    "VonMises": ({"loc": [0.5, -1.0], "concentration": [0.7, 6.0]}, [[0.1, 3.0], [-2.0, 0.5]]),
    "LowRankMultivariateNormal": (
        {"loc": [0.1, 0.2, -1.0], "cov_factor": [[1.0], [0.5], [-0.3]],
         "cov_diag": [0.5, 1.0, 0.7]}, [[0.3, 1.0, 2.0]]),
    "LowRankMultivariateNormal 2": (
        {"loc": [[0.1, 0.2, -1.0]] * 2, "cov_factor": [[1.0, 0.3], [0.5, 0.0], [-0.3, 0.4]],
         "cov_diag": [0.5, 1.0, 0.7]}, [0.3, 1.0, 2.0]),
    "Wishart": ({"df": 4.5, "covariance_matrix": SPD}, SPD + np.eye(3)),
    "Wishart 2": ({"df": [4.5, 3.5], "scale_tril": TRIL}, SPD + np.eye(3)),
    "Wishart 3": ({"df": [4.5], "precision_matrix": SPD}, SPD + np.eye(3)),
    "LKJCholesky": ({"dim": 3, "concentration": [0.7, 2.5]},
                    np.linalg.cholesky([[1, 0.5, 0.1], [0.5, 1, -0.3], [0.1, -0.3, 1]])),
}  # fmt: skip

common.LAWS.update(LAWS)


@pytest.fixture(autouse=True)
def float64_by_default():
    # PyTorch's GeneralizedPareto compares with a zero of the default dtype.
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("quantity", common.QUANTITIES)
@pytest.mark.parametrize("name", LAWS)
def test_quantities(name, quantity):
    if name == "InverseGamma" and quantity == "cdf":
        for library in LIBRARIES:
            found = common.make(library, name)[0].cdf(library.ones(2, dtype=library.float64))
            with pytest.raises(NotImplementedError):  # no derivative in the concentration
                found.sum().backward()
        return
    found = [
        common.with_gradients(library, common.QUANTITIES[quantity], name) for library in LIBRARIES
    ]
    # PyTorch's Bessel functions are polynomials good to seven digits, their derivatives to fewer;
    # it has the logarithm of 5! in float32.
    rough = {"VonMises": 1e-4, "Multinomial": 1e-6}.get(name.split(" ")[0])
    if rough is not None and found[0] is not NotImplementedError is not found[1]:
        known = [(a, b) for a, b in zip(*found, strict=True) if a is not None and b is not None]
        assert known
        for a, b in known[: 3 if name == "VonMises" else None]:
            np.testing.assert_allclose(a, b, rtol=rough, atol=rough / 10)
        return
    if name == "Wishart 2" and found[0] is not NotImplementedError:
        # PyTorch gives the unread half of a Cholesky factor gradients, which is left out here.
        found = [[np.tril(a) if np.ndim(a) > 1 else a for a in f[:4]] for f in found]
    common.close(*found)


# PyTorch's Wishart warns of singular samples when they are not.
@pytest.mark.filterwarnings("ignore:Singular sample detected")
@pytest.mark.parametrize("name", LAWS)
def test_shapes_and_samples(name):
    common.test_shapes_and_samples(name)


@pytest.mark.parametrize("name", [
    n for n in LAWS if n.split(" ")[0] not in (
        "Pareto", "InverseGamma", "LogisticNormal", "FisherSnedecor", "RelaxedBernoulli",
        "RelaxedOneHotCategorical", "VonMises", "LKJCholesky", "GeneralizedPareto")
])  # fmt: skip
def test_samples_have_the_mean_and_the_variance(name):
    common.test_samples_have_the_mean_and_the_variance(name)


def test_what_is_derived_keeps_its_history():
    """Drawing first, without recording, must not cut the gradient off."""
    for library in LIBRARIES:
        logits = common.leaf(library, [0.3, -0.8])
        law = library.distributions.ContinuousBernoulli(logits=logits)
        law.sample()
        assert law.probs.requires_grad
        law = library.distributions.Bernoulli(logits=logits)
        law.sample()
        assert law.probs.requires_grad


def test_relaxed_samples_near_the_discrete_ones():
    tg.manual_seed(0)
    cold = tg.tensor(0.01, dtype=tg.float64)
    probs = tg.tensor([0.3, 0.6, 0.1], dtype=tg.float64)
    drawn = tg.distributions.RelaxedOneHotCategorical(cold, probs).sample((20000,))
    np.testing.assert_allclose(drawn.mean(0).numpy(), probs.numpy(), atol=0.02)
    drawn = tg.distributions.RelaxedBernoulli(cold, probs).sample((20000,))
    np.testing.assert_allclose(drawn.mean(0).numpy(), probs.numpy(), atol=0.02)


def test_samples_of_angles():
    tg.manual_seed(0)
    law = tg.distributions.VonMises(tg.tensor(3.0), tg.tensor(2.0))
    drawn = law.sample((40000,)).double()
    assert drawn.min().item() >= -np.pi
    assert drawn.max().item() <= np.pi
    mean = np.exp(1j * drawn.numpy()).mean()
    assert abs(np.angle(mean) - 3.0) < 0.02
    assert abs(1 - abs(mean) - law.variance.item()) < 0.01


@pytest.mark.parametrize(("dim", "eta"), [(2, 1.0), (3, 0.6), (5, 2.0)])
def test_correlations_of_lkj(dim, eta):
    """Each correlation is Beta(a, a) on (-1, 1), with a = eta + dim / 2 - 1."""
    tg.manual_seed(0)
    factor = tg.distributions.LKJCholesky(dim, tg.tensor(eta, dtype=tg.float64)).sample((30000,))
    r = (factor @ factor.mT).numpy()
    np.testing.assert_allclose(np.diagonal(r, axis1=1, axis2=2), 1.0, rtol=1e-12)
    below = r[(slice(None), *np.tril_indices(dim, -1))]
    np.testing.assert_allclose(below.var(0), 1 / (2 * eta + dim - 1), rtol=0.04)
    np.testing.assert_allclose(below.mean(0), 0, atol=0.02)


@pytest.mark.parametrize("event", [(), (2,)])
def test_mixtures(event):
    found = []
    for library in LIBRARIES:
        D = library.distributions
        weights = common.leaf(library, [[0.2, 0.5, 0.3]])
        loc = common.leaf(library, np.arange(6.0 * (2 if event else 1)).reshape(2, 3, *event) / 3)
        parts = D.Normal(loc, 0.5)
        law = D.MixtureSameFamily(
            D.Categorical(weights.expand(2, 3)), D.Independent(parts, 1) if event else parts
        )
        value = library.tensor(np.ones((2, *event)))
        terms = [law.log_prob(value), law.mean, law.variance,
                 law.expand((4, 2)).log_prob(value)]  # fmt: skip
        if not event:
            terms.append(law.cdf(value))
        grads = library.autograd.grad(sum(t.sum() for t in terms), [weights, loc])
        found.append([t.detach().numpy() for t in (*terms, *grads)])
        library.manual_seed(0)
        drawn = law.sample((20000,))
        assert tuple(drawn.shape) == (20000, 2, *event)
        np.testing.assert_allclose(drawn.mean(0).numpy(), law.mean.detach().numpy(), atol=0.03)
        np.testing.assert_allclose(drawn.var(0).numpy(), law.variance.detach().numpy(), rtol=0.05)
        assert "MixtureSameFamily(\n  Categorical(" in repr(law)
        with pytest.raises(ValueError):
            D.MixtureSameFamily(parts, parts)
        with pytest.raises(ValueError):
            D.MixtureSameFamily(D.Categorical(library.ones(4)), parts)
    common.close(*found)


@pytest.mark.parametrize("call", [
    lambda D, t: D.Pareto(-1.0, 1.0), lambda D, t: D.Weibull(1.0, 0.0),
    lambda D, t: D.LKJCholesky(1), lambda D, t: D.VonMises(t.tensor(0.0), t.tensor(-1.0)),
    lambda D, t: D.Wishart(1.0, t.eye(3)),
    lambda D, t: D.LowRankMultivariateNormal(t.zeros(3), t.ones(2, 1), t.ones(3)),
    lambda D, t: D.LowRankMultivariateNormal(t.zeros(3), t.ones(3, 1), t.ones(2)),
    lambda D, t: D.LowRankMultivariateNormal(t.zeros(3), t.ones(3), t.ones(3)),
    lambda D, t: D.NegativeBinomial(3), lambda D, t: D.NegativeBinomial(3, t.tensor(1.0)),
    lambda D, t: D.Multinomial(3, t.ones(3)).log_prob(t.tensor([3.0, 1.0, 0.0])),
    lambda D, t: D.Pareto(1.0, 1.0).log_prob(t.tensor(0.5)),
])  # fmt: skip
def test_wrong_arguments(call):
    for library in LIBRARIES:
        with pytest.raises(ValueError):
            call(library.distributions, library)
    with pytest.raises(NotImplementedError):
        tg.distributions.Multinomial(tg.tensor(3), tg.ones(3))
    with pytest.raises(AssertionError):
        tg.distributions.Wishart(4.0)
