"""Orthogonal polynomials against rational arithmetic, and what PyTorch does with odd degrees."""

from fractions import Fraction

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import special

POINTS = [-3.0, -1.0, -0.97, -0.3, 0.0, 0.11, 0.5, 0.9, 1.0, 1.2, 4.7, 30.0]

# Name: the polynomial of degree 1, and of degree k + 1 from those of degrees k and k - 1.
CHEBYSHEV = {
    f"chebyshev_polynomial_{kind}": (first, lambda k, x, now, before: 2 * x * now - before)
    for kind, first in {
        "t": lambda x: x,
        "u": lambda x: 2 * x,
        "v": lambda x: 2 * x - 1,
        "w": lambda x: 2 * x + 1,
    }.items()
}
POLYNOMIALS = {
    **CHEBYSHEV,
    **{
        f"shifted_{name}": (
            lambda x, first=first: first(2 * x - 1),
            lambda k, x, now, before: 2 * (2 * x - 1) * now - before,
        )
        for name, (first, _) in CHEBYSHEV.items()
    },
    "hermite_polynomial_h": (
        lambda x: 2 * x,
        lambda k, x, now, before: 2 * x * now - 2 * k * before,
    ),
    "hermite_polynomial_he": (lambda x: x, lambda k, x, now, before: x * now - k * before),
    "laguerre_polynomial_l": (
        lambda x: 1 - x,
        lambda k, x, now, before: ((2 * k + 1 - x) * now - k * before) / (k + 1),
    ),
    "legendre_polynomial_p": (
        lambda x: x,
        lambda k, x, now, before: ((2 * k + 1) * x * now - k * before) / (k + 1),
    ),
}


def exact(name, x, highest):
    """Of degrees 0 to highest, rounded once."""
    first, step = POLYNOMIALS[name]
    x = Fraction(x)
    values = [Fraction(1), first(x)]
    for k in range(1, highest):
        values.append(step(k, x, values[-1], values[-2]))
    return [float(v) for v in values[: highest + 1]]


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_accuracy(name):
    degrees = np.arange(61)
    expected = np.array([exact(name, x, 60) for x in POINTS])
    x = np.array(POINTS)[:, None]
    found = getattr(special, name)(tg.from_numpy(x), tg.from_numpy(degrees)).numpy()
    # Near a zero: of the size that the polynomial has beside it.
    size = np.maximum(np.abs(expected), np.abs(np.roll(expected, 1, axis=1)))
    assert np.all(np.abs(found - expected) <= 1e-13 * size)
    for n in (0, 1, 7, 60):
        one = getattr(special, name)(tg.from_numpy(x[:, 0]), n).numpy()
        np.testing.assert_array_equal(one, found[:, n])


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_gradient_at_the_ends(name):
    # The quotients that textbooks have for U' and P' are 0 / 0 there.
    h = Fraction(1, 2**20)
    for x in (-1.0, 0.0, 1.0):
        leaf = tg.tensor(x, dtype=tg.float64, requires_grad=True)
        for n in (0, 1, 2, 5):
            (slope,) = tg.autograd.grad(getattr(special, name)(leaf, n), leaf)
            first, step = POLYNOMIALS[name]

            def at(t, n=n, first=first, step=step):
                values = [Fraction(1), first(t)]
                for k in range(1, n):
                    values.append(step(k, t, values[-1], values[-2]))
                return values[n]

            expected = float((at(Fraction(x) + h) - at(Fraction(x) - h)) / (2 * h))
            assert slope.item() == pytest.approx(expected, rel=1e-9, abs=1e-8)


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_odd_degrees(name):
    function = getattr(special, name)
    x = tg.tensor([0.3, 0.3, 0.3, 0.3, np.nan], dtype=tg.float64)
    n = tg.tensor([-1.0, 2.7, np.nan, np.inf, 3], dtype=tg.float64)
    found = function(x, n).numpy()
    assert found[0] == 0
    assert found[1] == function(x, 2)[0].item()
    assert np.isnan(found[2:]).all()
    assert function(tg.zeros(0, 3), tg.zeros(3)).shape == (0, 3)
    assert function(tg.tensor(2), 3).dtype is tg.float32
    assert function(0.5, tg.tensor([1, 2])).dtype is tg.float32
    with pytest.raises(TypeError, match="must be a Tensor"):
        function(0.5, 3)


def test_a_degree_has_no_gradient():
    n = tg.tensor([2.0], requires_grad=True)
    assert not special.legendre_polynomial_p(tg.tensor([0.5]), n).requires_grad
