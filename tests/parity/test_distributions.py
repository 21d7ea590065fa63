"""Distributions beside torch.distributions: densities, entropies, moments, divergences, samples."""

import numpy as np
import pytest
import torch

import tensorgrad as tg

LIBRARIES = (tg, torch)
SPD = np.array([[2.0, 0.5, 0.1], [0.5, 1.5, -0.3], [0.1, -0.3, 1.0]])
TRIL = np.linalg.cholesky(SPD)

# name: (parameters, values within the support).  Arrays become float64 tensors with a gradient.
LAWS = {
    "Normal": ({"loc": [0.5, -1.0], "scale": [0.7, 2.0]}, [[0.1, 3.0], [-2.0, 0.5]]),
    "Normal 2": ({"loc": [[0.5], [1.0]], "scale": [0.7, 2.0, 1.0]}, [0.1, 3.0, -1.0]),
    "Laplace": ({"loc": [0.5, -1.0], "scale": [0.7, 2.0]}, [[0.1, 3.0], [-2.0, 0.5]]),
    "Cauchy": ({"loc": [0.5, -1.0], "scale": [0.7, 2.0]}, [[0.1, 3.0], [-2.0, 0.5]]),
    "Gumbel": ({"loc": [0.5, -1.0], "scale": [0.7, 2.0]}, [[0.1, 3.0], [-2.0, 0.5]]),
    "Uniform": ({"low": [0.5, -1.0], "high": [1.7, 2.0]}, [[0.6, 1.0], [1.5, -0.5]]),
    "Exponential": ({"rate": [0.5, 2.0]}, [[0.1, 3.0], [2.0, 0.5]]),
    "Gamma": ({"concentration": [0.5, 3.0], "rate": [0.7, 2.0]}, [[0.1, 3.0], [2.0, 0.5]]),
    "Chi2": ({"df": [1.5, 3.0]}, [[0.1, 3.0], [2.0, 0.5]]),
    "Beta": ({"concentration1": [0.5, 3.0], "concentration0": [0.7, 2.0]}, [[0.1, 0.3]]),
    "Beta in the corners": ({"concentration1": [0.5], "concentration0": [0.7]}, [0.4]),
    "Dirichlet": ({"concentration": [[0.5, 3.0, 1.0], [2.0, 2.5, 4.0]]}, [[0.2, 0.3, 0.5]] * 2),
    "StudentT": ({"df": [1.5, 3.0], "loc": [0.3, -1.0], "scale": [0.7, 2.0]}, [0.1, 3.0]),
    "LogNormal": ({"loc": [0.5, -1.0], "scale": [0.7, 0.4]}, [[0.1, 3.0], [2.0, 0.5]]),
    "HalfNormal": ({"scale": [0.5, 2.0]}, [[0.1, 3.0], [2.0, 0.5]]),
    "HalfCauchy": ({"scale": [0.5, 2.0]}, [[0.1, 3.0], [2.0, 0.5]]),
    "Bernoulli": ({"probs": [0.3, 0.8]}, [[0.0, 1.0], [1.0, 1.0]]),
    "Bernoulli 2": ({"logits": [0.3, -0.8]}, [[0.0, 1.0], [1.0, 1.0]]),
    "Geometric": ({"probs": [0.3, 0.8]}, [[0.0, 1.0], [4.0, 2.0]]),
    "Geometric 2": ({"logits": [0.3, -0.8]}, [[0.0, 1.0], [4.0, 2.0]]),
    "Binomial": ({"total_count": 5, "probs": [0.3, 0.8]}, [[0.0, 1.0], [4.0, 5.0]]),
    "Binomial 2": ({"total_count": 5, "logits": [0.3, -0.8]}, [[0.0, 1.0], [4.0, 5.0]]),
    "Poisson": ({"rate": [0.3, 4.8]}, [[0.0, 1.0], [4.0, 2.0]]),
    "Categorical": ({"probs": [[0.3, 0.8, 0.1], [2.0, 1.0, 1.0]]}, [0, 2]),
    "Categorical 2": ({"logits": [0.3, 0.8, -0.1]}, [[0, 2], [1, 1]]),
    "OneHotCategorical": ({"probs": [[0.3, 0.8, 0.1], [2.0, 1.0, 1.0]]}, [[0.0, 0, 1], [1, 0, 0]]),
    "OneHotCategorical 2": ({"logits": [0.3, 0.8, -0.1]}, [[0.0, 0, 1], [1, 0, 0]]),
    "MultivariateNormal": ({"loc": [0.1, 0.2, -1.0], "covariance_matrix": SPD}, [[0.3, 1.0, 2.0]]),
    "MultivariateNormal 2": ({"loc": [[0.1, 0.2, -1.0]] * 2, "scale_tril": TRIL}, [0.3, 1.0, 2.0]),
    "MultivariateNormal 3": ({"loc": [0.1, 0.2, -1.0], "precision_matrix": SPD}, [[0.3, 1.0, 2.0]]),
}  # fmt: skip


def leaf(library, value):
    return library.tensor(np.array(value, np.float64), requires_grad=True)


def make(library, name, **more):
    parameters = {
        key: value if isinstance(value, int) else leaf(library, value)
        for key, value in LAWS[name][0].items()
    }
    law = getattr(library.distributions, name.split(" ")[0])
    leaves = [v for v in parameters.values() if isinstance(v, library.Tensor)]
    return law(**parameters, **more), leaves


def tensor(library, value):
    array = np.array(value)
    return library.tensor(array, requires_grad=array.dtype.kind == "f")


def with_gradients(library, compute, name):
    """The result and the gradients, of order one and two, of the parameters (and the value)."""
    law, leaves = make(library, name)
    value = tensor(library, LAWS[name][1])
    try:
        result = compute(library, law, value)
    except NotImplementedError:
        return NotImplementedError
    found = [result.detach().numpy()]
    if result.requires_grad:
        if value.requires_grad and result.ndim:
            leaves = [*leaves, value]
        grads = library.autograd.grad(result.sum(), leaves, allow_unused=True, create_graph=True)
        kept = [g for g in grads if g is not None and g.requires_grad]
        found += [None if g is None else g.detach().numpy() for g in grads]
        if not kept:
            found += [None] * len(leaves)
        else:
            total = sum((g * g).sum() for g in kept)
            again = library.autograd.grad(total, leaves, allow_unused=True)
            found += [None if g is None else g.detach().numpy() for g in again]
    return found


def close(ours, theirs):
    if ours is NotImplementedError or theirs is NotImplementedError:
        assert ours is theirs
        return
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        a = np.zeros_like(b) if a is None and b is not None else a
        b = np.zeros_like(a) if b is None and a is not None else b
        if a is not None:
            # PyTorch's own polygamma is good to 1e-9
            np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-9)


QUANTITIES = {
    "log_prob": lambda t, law, value: law.log_prob(value),
    "entropy": lambda t, law, value: law.entropy(),
    "mean": lambda t, law, value: law.mean,
    "mode": lambda t, law, value: law.mode,
    "variance": lambda t, law, value: law.variance,
    "stddev": lambda t, law, value: law.stddev,
    "cdf": lambda t, law, value: law.cdf(value),
    "icdf": lambda t, law, value: law.icdf(t.tensor(0.3, dtype=t.float64)),
    "perplexity": lambda t, law, value: law.perplexity(),
    "expanded": lambda t, law, value: law.expand((2, *law.batch_shape)).log_prob(value),
    "enumerate": lambda t, law, value: law.enumerate_support(),
    "enumerate few": lambda t, law, value: law.enumerate_support(expand=False),
}


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("name", LAWS)
def test_quantities(name, quantity):
    if quantity == "cdf" and name in ("Gamma", "Chi2"):
        values = []
        for library in LIBRARIES:  # no derivative in the concentration, as backward says
            found = make(library, name)[0].cdf(tensor(library, LAWS[name][1]))
            values.append(found.detach().numpy())
            with pytest.raises(NotImplementedError, match="derivative for 'igamma"):
                found.sum().backward()
        np.testing.assert_allclose(*values, rtol=1e-9)
        return
    close(*(with_gradients(library, QUANTITIES[quantity], name) for library in LIBRARIES))


@pytest.mark.parametrize("name", LAWS)
def test_shapes_and_samples(name):
    samples = []
    for library in LIBRARIES:
        library.manual_seed(0)
        law, _ = make(library, name)
        sample = law.sample((7,))
        samples.append((
            tuple(law.batch_shape), tuple(law.event_shape), tuple(sample.shape),
            str(sample.dtype).rpartition(".")[2], bool(law.has_rsample), sample.requires_grad,
            bool(law.has_enumerate_support), tuple(law.sample().shape),
            tuple(law.expand((4, *law.batch_shape)).sample((2,)).shape),
        ))  # fmt: skip
        law.log_prob(sample)
        if law.has_rsample:
            assert law.rsample((2, 3)).requires_grad
        else:
            with pytest.raises(NotImplementedError):
                law.rsample()
    if name != "Gumbel":
        assert samples[0] == samples[1]
    else:  # PyTorch's is a TransformedDistribution of Uniform
        assert samples[0][:4] == samples[1][:4]


@pytest.mark.parametrize("name", [n for n in LAWS if "Cauchy" not in n and n != "StudentT"])
def test_samples_have_the_mean_and_the_variance(name):
    tg.manual_seed(1)
    law, _ = make(tg, name)
    drawn = law.sample((40000,)).double().numpy()
    if name.startswith("Categorical"):
        frequencies = np.stack([(drawn == k).mean(0) for k in range(3)], -1)
        np.testing.assert_allclose(frequencies, law.probs.detach().numpy(), atol=0.02)
        return
    spread = law.stddev.detach().numpy()
    np.testing.assert_allclose(drawn.mean(0), law.mean.detach().numpy(), atol=0.03 * spread.max())
    np.testing.assert_allclose(drawn.std(0), spread, rtol=0.1)


@pytest.mark.parametrize(
    "name", ["Normal", "Laplace", "Gumbel", "Uniform", "Exponential", "Gamma", "Chi2", "Beta",
             "Dirichlet", "LogNormal", "HalfNormal", "MultivariateNormal"],
)  # fmt: skip
def test_the_gradient_of_samples_is_that_of_the_mean(name):
    """d mean / d parameter, by samples and by the formula."""
    tg.manual_seed(2)
    law, leaves = make(tg, name)
    mean = law.mean
    weights = tg.arange(1.0, 1 + mean.numel(), dtype=tg.float64).reshape(mean.shape)
    by_samples = tg.autograd.grad(
        (law.rsample((8000,)).mean(0) * weights).sum(), leaves, retain_graph=True, allow_unused=True
    )
    exact = tg.autograd.grad((law.mean * weights).sum(), leaves, allow_unused=True)
    for a, b in zip(by_samples, exact, strict=True):
        b = tg.zeros_like(a) if b is None else b
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=0.1, rtol=0.1)


def test_the_derivative_of_gamma_samples():
    from tensorgrad.distributions.standard_gamma import gamma_derivative

    rng = np.random.default_rng(0)
    for a in (0.01, 0.3, 1.0, 2.5, 10.0, 300.0, 1e4):
        x = np.maximum(rng.standard_gamma(a, 200), 1e-200)
        with torch.enable_grad():
            expected = torch._standard_gamma_grad(
                torch.full((200,), a, dtype=torch.float64), torch.tensor(x)
            ).numpy()
        # PyTorch's is an approximation, good to about 1e-3
        found = gamma_derivative(x, np.full(200, a))
        np.testing.assert_allclose(found, expected, rtol=5e-3, atol=1e-12)
    # (a, quantile x of a probability, dx/da), by mpmath's differences in 40 digits
    for a, x, slope in (
        (0.5, 0.07423593091627272, 0.41662195701286836),
        (2.0, 3.8897201698674295, 1.4874769491817155),
        (7.0, 2.330212531328884, 0.5614831773432308),
        (50.0, 74.72462638951936, 1.2183455256578242),
        (3.0, 26.672286589132252, 2.586314338710511),
    ):
        found = gamma_derivative(np.array([x]), np.array([a]))[0]
        assert abs(found / slope - 1) < 1e-9


def test_gamma_samples_are_differentiable_once():
    a = tg.ones(3, requires_grad=True)
    (grad,) = tg.autograd.grad(tg.distributions.Gamma(a, 1.0).rsample().sum(), a, create_graph=True)
    with pytest.raises(RuntimeError):
        grad.sum().backward()


# --- Divergences ----------------------------------------------------------------------------------

PAIRS = [
    *((name, name) for name in (
        "Normal", "Laplace", "Cauchy", "Gumbel", "Exponential", "Gamma", "Beta", "Dirichlet",
        "LogNormal", "HalfNormal", "Bernoulli", "Bernoulli 2", "Geometric", "Binomial", "Poisson",
        "Categorical", "OneHotCategorical", "MultivariateNormal", "Uniform")),
    ("Normal", "Laplace"), ("Uniform", "Normal"), ("Exponential", "Gamma"),
    ("MultivariateNormal", "MultivariateNormal 2"), ("Normal", "Gamma"), ("Chi2", "Gamma"),
]  # fmt: skip


def divergence(library, pair):
    D = library.distributions
    p, leaves = make(library, pair[0])
    q, others = make(library, pair[1])
    for number, leaf_ in enumerate(others):  # another law than p
        if pair[0] == pair[1] and "matrix" not in str(list(LAWS[pair[1]][0])[number]):
            with library.no_grad():
                leaf_.mul_(1.1)
    if pair[0] == pair[1]:
        law = type(q)
        names = list(LAWS[pair[1]][0])
        values = iter(others)
        q = law(**{n: LAWS[pair[1]][0][n] if isinstance(LAWS[pair[1]][0][n], int) else next(values)
                   for n in names})  # fmt: skip
    try:
        result = D.kl_divergence(p, q)
    except NotImplementedError:
        return NotImplementedError
    found = [result.detach().numpy()]
    if not result.requires_grad:
        return found
    grads = library.autograd.grad(result.sum(), [*leaves, *others], allow_unused=True)
    return found + [None if g is None else g.numpy() for g in grads]


@pytest.mark.parametrize("pair", PAIRS, ids=" ".join)
def test_divergences(pair):
    close(*(divergence(library, pair) for library in LIBRARIES))


def test_a_divergence_of_ones_own():
    for library in LIBRARIES:
        D = library.distributions

        class Mine(D.Normal):
            pass

        p, q = Mine(library.zeros(2), library.ones(2)), D.Laplace(0.0, 1.0)
        assert D.kl_divergence(p, q).shape == (2,)

        @D.register_kl(Mine, D.Laplace)
        def _(p, q):
            return p.loc + 42.0

        assert D.kl_divergence(p, q).tolist() == [42.0, 42.0]
    with pytest.raises(TypeError):
        tg.distributions.register_kl(int, tg.distributions.Normal)


def test_independent():
    found = []
    for library in LIBRARIES:
        D = library.distributions
        base = D.Normal(leaf(library, [[0.0, 1.0, 2.0]] * 2), leaf(library, [1.0, 2.0, 0.5]))
        law = D.Independent(base, 1)
        value = library.ones(4, 2, 3, dtype=library.float64)
        other = D.Independent(D.Normal(base.mean * 2, base.stddev), 1)
        found.append([t.detach().numpy() for t in (
            law.log_prob(value), law.entropy(), law.mean, law.variance,
            D.kl_divergence(law, other), law.expand((5, 2)).log_prob(value[:1, :1]),
        )])  # fmt: skip
        assert tuple(law.batch_shape) == (2,)
        assert tuple(law.event_shape) == (3,)
        assert law.rsample((7,)).shape == (7, 2, 3)
        with pytest.raises(ValueError, match="reinterpreted_batch_ndims"):
            D.Independent(base, 3)
    close(*found)
