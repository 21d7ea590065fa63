"""Special, trigonometric and floating-point functions beside PyTorch where conventions decide:
kinks, ties, poles, infinities, NaN, dtypes."""

import functools

import numpy as np
import pytest
import torch

import tensorgrad as tg

inf, nan = float("inf"), float("nan")


def find(library, path):
    return functools.reduce(getattr, path.split("."), library)


def run(library, function, arrays, grad):
    make = torch.tensor if library is torch else tg.tensor
    dtype = library.float64
    leaves = [make(list(a), dtype=dtype, requires_grad=grad) for a in arrays]
    y = function(library, *leaves)
    y = y[0] if isinstance(y, tuple) else y
    if not grad:
        return y.numpy(), []
    gradients = library.autograd.grad(y.sum(), leaves, allow_unused=True)
    return y.detach().numpy(), [None if g is None else g.numpy() for g in gradients]


def check(function, *arrays, values=True, grad=True):
    mine, my_gradients = run(tg, function, arrays, grad)
    theirs, their_gradients = run(torch, function, arrays, grad)
    if values:
        np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-12)
    for a, b in zip(my_gradients, their_gradients, strict=True):
        np.testing.assert_allclose(np.zeros_like(b) if a is None else a, b, rtol=1e-8, atol=1e-12)


SIGNS = [0.0, -0.0, 1.0, -1.0, inf, -inf, nan]
PAIRS = [np.ravel(m) for m in np.meshgrid(SIGNS, SIGNS)]
UNARY = {
    "tan": [0.0, 1.0, -2.0, nan],
    "asin": [0.0, 0.5, -0.5, 1.0, -1.0, 2.0, nan],
    "acos": [0.0, 0.5, -0.5, 1.0, -1.0, 2.0, nan],
    "atan": SIGNS,
    "sinh": SIGNS,
    "cosh": SIGNS,
    "asinh": SIGNS,
    "acosh": [1.0, 0.5, 2.0, inf, nan],
    "atanh": [0.0, 0.5, 1.0, -1.0, 2.0, nan],
    "exp2": SIGNS,
    "sinc": [0.0, 0.5, -1.5, nan, inf],
    "deg2rad": SIGNS,
    "rad2deg": SIGNS,
    "erf": SIGNS,
    "erfc": SIGNS,
    "erfinv": [0.0, 1.0, -1.0, 2.0, nan],
    "lgamma": [0.0, -0.0, -1.0, -1.5, 1.0, inf, nan],
    "digamma": [0.0, -0.0, -1.5, 1.0, inf, nan],
    "nan_to_num": SIGNS,
    "special.erfcx": [0.0, 1.0, -5.0, 20.0],
    "special.ndtr": SIGNS,
    "special.ndtri": [0.0, 1.0, 0.5, 2.0, nan],
    "special.log_ndtr": [0.0, 1.0, -1.0, inf, nan],
    "special.entr": [0.0, 1.0, -1.0, 2.0, inf, nan],
    "special.i0e": [0.0, -3.0, 800.0, inf, -inf, nan],
    "special.i1": [0.0, -3.0, 3.0],
    "special.i1e": [0.0, -3.0, 800.0, inf, -inf],
    "logit": [0.0, 1.0, 0.5, 2.0, -1.0, nan],
}


@pytest.mark.parametrize("name", UNARY)
def test_one_argument(name):
    check(lambda library, x: find(library, name)(x), UNARY[name])


@pytest.mark.parametrize(
    ("name", "pairs"),
    {
        "atan2": PAIRS,
        "hypot": PAIRS,
        "fmax": PAIRS,
        "fmin": PAIRS,
        # not at infinity, where PyTorch divides it by itself and the gradient is NaN
        "copysign": [np.array(p)[np.isfinite(PAIRS[0])] for p in PAIRS],
        "fmod": PAIRS,
        "logaddexp": PAIRS,
        "logaddexp2": PAIRS,
        "nextafter": PAIRS,
        "xlogy": PAIRS,
        "special.xlog1py": PAIRS,
    }.items(),
)
def test_two_arguments(name, pairs):
    check(lambda library, a, b: find(library, name)(a, b), *pairs)


GAMMA = [0.0, -0.0, 1.0, -1.0, 0.5, 3.0, 300.0, inf]


@pytest.mark.parametrize("name", ["igamma", "igammac"])
def test_incomplete_gamma(name):
    a, x = (np.ravel(m) for m in np.meshgrid(GAMMA, GAMMA))
    found = getattr(tg, name)(tg.from_numpy(a), tg.from_numpy(x)).numpy()
    expected = getattr(torch, name)(torch.from_numpy(a), torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-9)  # PyTorch's at a = x = 300: 2e-10
    ours = getattr(tg.tensor([1.5, 2.0]), name + "_")(tg.tensor([1.0, 3.0]))
    theirs = getattr(torch.tensor([1.5, 2.0]), name + "_")(torch.tensor([1.0, 3.0]))
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)
    for library in (tg, torch):
        with pytest.raises(TypeError, match="must be"):
            getattr(library, name)(library.ones(2), 2.0)


@pytest.mark.parametrize("eps", [0.0, 0.1, 0.4])
def test_logit_with_bounds(eps):
    x = [0.0, 1.0, 0.05, 0.5, 2.0, -1.0, 0.4, 0.6, nan]
    check(lambda library, x: library.logit(x, eps), x)


def test_heaviside():
    check(lambda library, a, b: library.heaviside(a, b), *PAIRS, grad=False)


def test_frexp():
    check(lambda library, x: library.frexp(x), [0.0, 1.0, -3.0, 1e-310, 0.3, nan, inf])
    for kind in ("float16", "float32", "float64"):
        x = [0.0, 1.5, -3.0, 0.25, 1000]
        mine = tg.frexp(tg.tensor(x, dtype=getattr(tg, kind)))
        theirs = torch.frexp(torch.tensor(x, dtype=getattr(torch, kind)))
        assert mine.mantissa.tolist() == theirs.mantissa.tolist()
        assert mine.exponent.tolist() == theirs.exponent.tolist()
        assert mine.exponent.dtype is tg.int32


@pytest.mark.parametrize("kind", ["int8", "int32", "int64", "uint8"])
def test_whole_numbers(kind):
    a = [0, 1, 5, 12, 100, 127, 3, 18]
    b = [0, 7, 1, 64, 2, 3, 200 % 128, 12]
    if kind != "uint8":
        a, b = [*a, -1, -128, -7, -12], [*b, 3, 2, -1, 18]
    mine = [tg.tensor(v, dtype=getattr(tg, kind)) for v in (a, b)]
    theirs = [torch.tensor(v, dtype=getattr(torch, kind)) for v in (a, b)]
    for name in ("gcd", "lcm", "bitwise_left_shift", "bitwise_right_shift", "fmax", "fmin"):
        found = getattr(tg, name)(*mine)
        expected = getattr(torch, name)(*theirs)
        assert found.tolist() == expected.tolist(), name
        assert found.dtype.name == str(expected.dtype).removeprefix("torch."), name


HOLOMORPHIC = (
    ["tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh"]
    + ["exp2", "sinc", "sigmoid"]
)  # fmt: skip


@pytest.mark.parametrize("name", HOLOMORPHIC)
def test_complex(name):
    z = np.array([0.3 + 0.2j, -1.5 + 0.5j, 2.0 - 3.0j, -0.2 - 0.1j])
    mine = tg.from_numpy(z).requires_grad_()
    theirs = torch.from_numpy(z.copy()).requires_grad_()
    weight = np.array([1 + 2j, 0.5, -1j, 2 - 1j])
    a, b = getattr(tg, name)(mine), getattr(torch, name)(theirs)
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12)
    a.backward(tg.from_numpy(weight))
    b.backward(torch.from_numpy(weight))
    np.testing.assert_allclose(mine.grad.numpy(), theirs.grad.resolve_conj().numpy(), rtol=1e-10)


REFUSED = {
    "igamma of integers": lambda t: t.igamma(t.ones(2, dtype=t.int64), t.ones(2, dtype=t.int64)),
    "the gradient of igamma in a": lambda t: (
        t.igamma(t.ones(2, requires_grad=True), t.ones(2)).sum().backward()
    ),
    "the gradient of igammac in a": lambda t: (
        t.special.gammaincc(t.ones(2, requires_grad=True), t.ones(2)).sum().backward()
    ),
    "gcd of floats": lambda t: t.gcd(t.ones(2), t.ones(2)),
    "shift of floats": lambda t: t.bitwise_left_shift(t.ones(2), t.ones(2)),
    "frexp of integers": lambda t: t.frexp(t.ones(2, dtype=t.int64)),
    "fmod by zero": lambda t: t.fmod(t.ones(2, dtype=t.int64), t.zeros(2, dtype=t.int64)),
    "heaviside of two dtypes": lambda t: t.heaviside(t.ones(2), t.ones(2, dtype=t.float64)),
    "signbit of complex": lambda t: t.signbit(t.ones(2, dtype=t.complex64)),
    "isposinf of complex": lambda t: t.isposinf(t.ones(2, dtype=t.complex64)),
    "deg2rad of complex": lambda t: t.deg2rad(t.ones(2, dtype=t.complex64)),
    "addcdiv of integers": lambda t: t.addcdiv(
        t.ones(2), t.ones(2, dtype=t.int64), t.ones(2, dtype=t.int64)
    ),
    "mvlgamma of dimension 0": lambda t: t.mvlgamma(t.ones(2), 0),
    "polygamma of negative order": lambda t: t.polygamma(-1, t.ones(2)),
    "rsub of bools": lambda t: t.rsub(t.ones(2, dtype=t.bool), t.ones(2, dtype=t.bool)),
    "nan_to_num in place of a leaf": lambda t: t.ones(2, requires_grad=True).nan_to_num_(),
    "float_power_ of float32": lambda t: t.ones(2).float_power_(2),
    "xlogy_ of integers": lambda t: t.ones(2, dtype=t.int64).xlogy_(2.0),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_like_pytorch(name):
    with pytest.raises(Exception) as theirs:
        REFUSED[name](torch)
    with pytest.raises(RuntimeError) as mine:  # NotImplementedError is one
        REFUSED[name](tg)
    assert issubclass(theirs.type, RuntimeError)
    assert str(mine.value)


def test_integer_results_stay_whole_in_addcmul():
    ours, theirs = (
        library.addcmul(
            library.ones(3, dtype=library.int64),
            library.full((3,), 3, dtype=library.int64),
            library.full((3,), 2, dtype=library.int64),
            value=value,
        ).tolist()
        for library, value in ((tg, 2), (torch, 2))
    )
    assert ours == theirs == [13, 13, 13]


def test_namespace_has_pytorchs_names():
    missing = {
        name
        for name in dir(torch.special)
        if callable(getattr(torch.special, name))
        and not name.startswith("_")
        and not isinstance(getattr(torch.special, name), type)
        and not hasattr(tg.special, name)
    }
    assert missing == set()


def test_lgamma_has_no_negative_zero():
    for library in (tg, torch):
        assert str(library.lgamma(library.tensor([1.0, 2.0]))) == "tensor([0., 0.])"
