"""The special functions against values of mpmath, at their poles and ends, and in other dtypes."""

import numpy as np
import pytest
from samples_special import SPECIAL
from special_values import POLYGAMMA, ZETA
from special_values import VALUES as FIRST_VALUES
from special_values_bessel import BESSEL_VALUES, GAMMA_VALUES

import tensorgrad as tg
from tensorgrad import special
from tensorgrad.kernels.special_sinc import sinc as sinc_derivative
from tensorgrad.primitive import recorded

inf, nan = np.inf, np.nan
ACCURACY = 1e-13


VALUES = {**FIRST_VALUES, **BESSEL_VALUES}


def function(name):
    if name == "airy_ai_slope":  # which PyTorch's names do not have, the gradient of airy_ai
        return recorded.airy_ai_slope
    return getattr(special, {"lgamma": "gammaln"}.get(name, name))


def close(found, expected):
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=ACCURACY, atol=0)


@pytest.mark.parametrize("name", VALUES)
def test_accuracy(name):
    x, expected = np.array(VALUES[name]).T
    # On the whole array, where several intervals meet, and point by point, where one is alone.
    close(function(name)(tg.from_numpy(x)).numpy(), expected)
    close([function(name)(tg.tensor(v, dtype=tg.float64)).item() for v in x], expected)


@pytest.mark.parametrize("name", VALUES)
def test_float32_is_rounded_once(name):
    with np.errstate(over="ignore"):
        x = np.array(VALUES[name])[:, 0].astype(np.float32)
        expected = function(name)(tg.from_numpy(x.astype(np.float64))).numpy().astype(np.float32)
    found = function(name)(tg.from_numpy(x)).numpy()
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["erf", "ndtr", "lgamma", "i0"])
def test_large_arrays_are_computed_in_blocks(name):
    x = np.random.default_rng(0).uniform(0.1, 9, (3, 5, 20_001))
    expected = [[function(name)(tg.from_numpy(row)).numpy() for row in part] for part in x]
    for array in (x, x.copy("F"), x[:, ::-1], x.transpose(2, 0, 1).copy().transpose(1, 2, 0)):
        found = function(name)(tg.from_numpy(array.copy("K"))).numpy()
        wanted = np.array(expected)[:, ::-1] if array.strides[1] < 0 else expected
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("n", POLYGAMMA)
def test_polygamma(n):
    x, expected = np.array(POLYGAMMA[n]).T
    close(special.polygamma(n, tg.from_numpy(x)).numpy(), expected)


@pytest.mark.parametrize("s", ZETA)
def test_zeta(s):
    q, expected = np.array(ZETA[s]).T
    close(special.zeta(s, tg.from_numpy(q)).numpy(), expected)


def test_zeta_of_many_exponents_at_once():
    rows = [(s, q, value) for s, pairs in ZETA.items() for q, value in pairs]
    s, q, expected = np.array(rows).T
    close(special.zeta(tg.from_numpy(s), tg.from_numpy(q)).numpy(), expected)


EDGES = {
    "erf": ((0.0, 0.0), (-0.0, -0.0), (inf, 1), (-inf, -1)),
    "erfc": ((0, 1), (inf, 0), (-inf, 2), (30, 0), (-30, 2), (1e300, 0)),
    "erfcx": ((inf, 0), (-inf, inf), (-30, inf)),
    "erfinv": ((0, 0), (1, inf), (-1, -inf), (1.5, nan), (-2, nan), (inf, nan)),
    "ndtr": ((0, 0.5), (inf, 1), (-inf, 0), (40, 1), (-40, 0), (1e300, 1)),
    "log_ndtr": ((inf, 0), (-inf, -inf), (-1e200, -inf)),
    "ndtri": ((0.5, 0), (0, -inf), (1, inf), (-0.1, nan), (1.1, nan)),
    "lgamma": ((1, 0), (2, 0), (0, inf), (-0.0, inf), (-1, inf), (-7, inf), (inf, inf),
               (-inf, inf), (1e306, inf)),
    "digamma": ((0.0, -inf), (-0.0, inf), (-1, nan), (-2, nan), (inf, inf), (-inf, nan)),
    "i0": ((0, 1), (inf, inf), (-inf, inf), (800, inf)),
    "i0e": ((0, 1), (inf, 0), (-inf, 0)),
    "i1": ((0, 0), (-0.0, -0.0), (inf, inf), (-inf, -inf), (-800, -inf)),
    "i1e": ((0, 0), (inf, 0), (-inf, -0.0)),
    "sinc": ((0, 1), (1, 0), (-7, 0)),
    "airy_ai": ((inf, 0), (-inf, 0), (200, 0), (-1e200, 0)),
    "airy_ai_slope": ((inf, 0), (-inf, nan), (200, 0)),
    "bessel_j0": ((0, 1), (inf, 0), (-inf, 0)),
    "bessel_j1": ((0, 0), (-0.0, -0.0), (inf, 0), (-inf, -0.0)),
    "bessel_y0": ((0, -inf), (-0.0, -inf), (-1, nan), (inf, 0), (-inf, nan)),
    "bessel_y1": ((0, -inf), (-0.0, -inf), (-1, nan), (inf, 0), (-inf, nan)),
    "modified_bessel_k0": ((0, inf), (-0.0, inf), (-1, nan), (inf, 0), (800, 0), (-inf, nan)),
    "modified_bessel_k1": ((0, inf), (-0.0, inf), (-1, nan), (inf, 0), (800, 0), (-inf, nan)),
    "scaled_modified_bessel_k0": ((0, inf), (-1, nan), (inf, 0)),
    "scaled_modified_bessel_k1": ((0, inf), (-1, nan), (inf, 0)),
    "spherical_bessel_j0": ((0, 1), (-0.0, 1), (inf, 0), (-inf, 0)),
    "entr": ((0, 0), (1, 0), (-1, -inf), (inf, -inf)),
    "logit": ((0, -inf), (1, inf), (0.5, 0), (-0.1, nan), (1.1, nan)),
}  # fmt: skip


@pytest.mark.parametrize("name", EDGES)
def test_edges(name):
    x, expected = np.array((*EDGES[name], (nan, nan)), float).T
    found = function(name)(tg.from_numpy(x)).numpy()
    np.testing.assert_array_equal(found, expected)
    signed = np.isfinite(expected) & (expected == 0) & np.signbit(expected)
    assert np.all(np.signbit(found)[signed])


def test_polygamma_at_poles_and_ends():
    x = tg.tensor([0.0, -1, -2, inf, nan], dtype=tg.float64)
    np.testing.assert_array_equal(special.polygamma(1, x).numpy(), [inf, inf, inf, 0, nan])
    np.testing.assert_array_equal(special.polygamma(2, x).numpy(), [-inf, -inf, -inf, 0, nan])
    with pytest.raises(RuntimeError, match="negative n"):
        special.polygamma(-1, x)


def test_incomplete_gamma():
    a, x, p, q = np.array(GAMMA_VALUES).T
    pair = tg.from_numpy(a), tg.from_numpy(x)
    close(tg.igamma(*pair).numpy(), p)
    close(tg.igammac(*pair).numpy(), q)
    # Point by point, where one method is alone; and broadcast.
    close([tg.igamma(u, v).item() for u, v in zip(*pair, strict=True)], p)
    close([tg.igammac(u, v).item() for u, v in zip(*pair, strict=True)], q)
    table = tg.igamma(pair[0][:, None], pair[1])
    close(np.diag(table.numpy()), p)
    single = tg.igammac(pair[0].float(), pair[1].float())
    assert single.dtype is tg.float32


def test_incomplete_gamma_adds_up():
    rng = np.random.default_rng(0)
    a = 10 ** rng.uniform(-4, 5, 3000)
    x = a * 10 ** rng.normal(0, 0.3, 3000)
    pair = tg.from_numpy(a), tg.from_numpy(x)
    close((tg.igamma(*pair) + tg.igammac(*pair)).numpy(), np.ones(3000))


def test_incomplete_gamma_of_many_is_that_of_each():
    # Elements converge at different steps.
    rng = np.random.default_rng(1)
    a, x = 10 ** rng.uniform(-2, 2.2, (2, 500))
    pair = tg.from_numpy(a), tg.from_numpy(x)
    single = [tg.igamma(u, v).item() for u, v in zip(*pair, strict=True)]
    np.testing.assert_allclose(tg.igamma(*pair).numpy(), single, rtol=4e-15)


def test_incomplete_gamma_of_nan():
    nans = tg.tensor([nan, nan, 1.0, 0.0])
    assert tg.igamma(nans, tg.tensor([1.0, 0.0, nan, nan])).isnan().all()
    assert tg.igammac(nans, tg.tensor([1.0, 0.0, nan, nan])).isnan().all()


def test_slope_of_incomplete_gamma_at_0():
    x = tg.zeros(3, dtype=tg.float64, requires_grad=True)
    tg.igamma(tg.tensor([0.5, 1.0, 2.0]), x).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [inf, 1, 0])


def test_zeta_at_poles_and_ends():
    s = tg.tensor([1.0, 0.5, nan, 2, 2, 3, 2.5, 2], dtype=tg.float64)
    q = tg.tensor([2.0, 2.0, 1, nan, 0, -1, -1.5, inf], dtype=tg.float64)
    expected = [inf, nan, nan, nan, inf, inf, nan, 0]
    np.testing.assert_array_equal(special.zeta(s, q).numpy(), expected)


@pytest.mark.parametrize("name", ["zeta", "gammainc", "gammaincc"])
def test_a_derivative_that_is_not_there_is_refused_in_backward_only(name):
    a, x = (tg.tensor([v], dtype=tg.float64, requires_grad=True) for v in (2.0, 1.5))
    function = getattr(special, name)
    y = function(a, x)
    (alone,) = tg.autograd.grad(y, x, retain_graph=True)
    (slope,) = tg.autograd.grad(function(a.detach(), x), x)
    assert alone == slope
    with pytest.raises(NotImplementedError, match=r"is not implemented .* use input\.detach"):
        y.backward()


@pytest.mark.parametrize("order", range(6))
def test_derivatives_of_sinc_by_the_integral(order):
    # pi**n times the integral of t**n cos(pi x t + n pi / 2) over t from 0 to 1
    nodes, weights = np.polynomial.legendre.leggauss(80)
    t = (nodes + 1) / 2
    x = np.concatenate([np.linspace(-3, 3, 61), [1e-9, 0.4774, 0.4776]])
    wave = np.cos(np.pi * x[:, None] * t + order * np.pi / 2)
    expected = np.pi**order * (wave * t**order) @ (weights / 2)
    np.testing.assert_allclose(sinc_derivative(x, order), expected, atol=1e-13 * np.pi**order)


@pytest.mark.parametrize("name", ["erf", "lgamma", "i0", "ndtri", "logit", "entr"])
def test_complex_is_refused(name):
    with pytest.raises(NotImplementedError, match=f"{name}.*complex"):
        function(name)(tg.tensor([1j]))


@pytest.mark.parametrize("name", VALUES)
def test_inputs_of_no_elements_and_no_dimensions(name):
    assert function(name)(tg.zeros(0, 3)).shape == (0, 3)
    assert function(name)(tg.tensor(0.25)).shape == ()


def test_second_derivative_where_the_first_is_a_limit():
    x = tg.zeros(1, dtype=tg.float64, requires_grad=True)
    for f, first, second in (
        (tg.sinc, 0, -(np.pi**2) / 3),
        (special.i1, 0.5, 0),
        (tg.i0, 0, 0.5),
        (special.bessel_j0, 0, -0.5),
        (special.bessel_j1, 0.5, 0),
        (special.spherical_bessel_j0, 0, -1 / 3),
    ):
        (d,) = tg.autograd.grad(f(x).sum(), x, create_graph=True)
        (dd,) = tg.autograd.grad(d.sum(), x)
        close([d.item(), dd.item()], [first, second])


def test_bool_and_whole_numbers_become_the_default_float():
    for name in VALUES:
        assert function(name)(tg.ones(2, dtype=tg.int64)).dtype is tg.float32
        assert function(name)(tg.ones(2, dtype=tg.bool)).dtype is tg.float32


def test_names_are_those_of_the_namespace():
    assert all(callable(getattr(special, name)) for name in special.__all__)
    x = tg.tensor([0.5, 2.0])
    assert special.psi(x).tolist() == special.digamma(x).tolist()
    assert special.modified_bessel_i1(x).tolist() == special.i1(x).tolist()
    assert {s.path.removeprefix("special.") for s in SPECIAL} >= set(special.__all__)
    assert special.gammaln(x).tolist() == tg.lgamma(x).tolist()
    assert special.expit(x).tolist() == tg.sigmoid(x).tolist()
