"""NumPy's ufuncs and their methods on Tensors, ndarrays on the left of operators, ``out=``."""

import operator

import numpy as np
import pytest
from numpy_dispatch.rows import INTEGERS, A, C, N, X

import tensorgrad as tg
from tensorgrad.numpy_dispatch import UFUNCS

WHOLE = {"gcd", "lcm", "bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift",
         "invert"}  # fmt: skip
MATRICES = {"matmul", "vecdot", "matvec", "vecmat"}
FLAT = {"sign", "rint", "floor", "ceil", "trunc", "floor_divide", "heaviside", "signbit"}  # slope 0
# A slope at the samples is no concern of a test of a dispatch: `nextafter` moves by one bit.
NO_CHECK = FLAT | {"nextafter", "divmod", "frexp", "ldexp", "modf", "fmod", "remainder"}


def arguments(ufunc):
    name = ufunc.__name__
    if name in WHOLE:
        return [INTEGERS, INTEGERS[::-1] + 1][: ufunc.nin]
    if name in MATRICES:
        return {"matmul": [A, A], "vecdot": [X, X], "matvec": [A, A[0]], "vecmat": [A[0], A]}[name]
    if name == "arccosh":
        return [X + 1]
    if name == "ldexp":
        return [X, np.ones((3, 4), int)]
    return [X, X[::-1, ::-1].copy()][: ufunc.nin]


def parts(value):
    return list(value) if isinstance(value, tuple) else [value]


def leaf(array):
    return tg.tensor(array, requires_grad=array.dtype.kind in "fc")


@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda u: u.__name__)
def test_values_and_gradients(ufunc):
    given = arguments(ufunc)
    inputs = [leaf(a) for a in given]
    ours, theirs = parts(ufunc(*inputs)), parts(ufunc(*given))
    assert len(ours) == len(theirs)
    for got, wanted in zip(ours, theirs, strict=True):
        assert isinstance(got, tg.Tensor)
        if ufunc.__name__ not in ("frexp", "ldexp"):  # the exponent's type is PyTorch's
            assert got._array.dtype == wanted.dtype
        np.testing.assert_allclose(got.detach(), wanted, rtol=1e-14)
    smooth = theirs[0].dtype.kind in "fc" and ufunc.__name__ not in FLAT | {"heaviside"}
    if smooth:
        assert ours[0].grad_fn is not None
    if smooth and ufunc.__name__ not in NO_CHECK:
        assert tg.gradcheck(ufunc, tuple(inputs))


SPECIAL = np.array([0.0, -0.0, 1.5, -2.5, np.inf, -np.inf, np.nan, 1e-300, 7.0])
# Other conventions of PyTorch's, which Tensors keep: heaviside(nan, v) is 0.
OTHERS = {"heaviside"}


@pytest.mark.parametrize(
    "ufunc", [u for u in UFUNCS if u.__name__ not in WHOLE | OTHERS | MATRICES | {"ldexp"}],
    ids=lambda u: u.__name__,
)  # fmt: skip
def test_special_values(ufunc):
    given = [SPECIAL] if ufunc.nin == 1 else [np.repeat(SPECIAL, 9), np.tile(SPECIAL, 9)]
    with np.errstate(all="ignore"):
        wanted = parts(ufunc(*given))
    got = parts(ufunc(*(tg.tensor(a) for a in given)))
    if ufunc.__name__ == "frexp":  # of what is not finite the exponent is undefined
        got, wanted = got[:1], wanted[:1]
    for one, other in zip(got, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-14)


def test_every_ufunc_of_numbers_is_there_or_listed():
    left_out = {"cbrt", "spacing", "bitwise_count", "isnat", "clip"}  # clip: np.clip dispatches
    named = {
        n for n in dir(np) if isinstance(getattr(np, n), np.ufunc)
    }  # fmt: skip
    missing = {n for n in named if getattr(np, n) not in UFUNCS}
    assert missing <= left_out
    with pytest.raises(TypeError, match=r"np\.cbrt has no tensorgrad equivalent.*detach"):
        np.cbrt(tg.ones(2))


OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv,
             operator.mod, operator.pow, operator.eq, operator.ne, operator.lt, operator.le,
             operator.gt, operator.ge, divmod]  # fmt: skip


@pytest.mark.parametrize("op", OPERATORS, ids=lambda op: op.__name__)
def test_an_array_on_the_left(op):
    t = tg.tensor(X, requires_grad=True)
    for left in (X[0], np.float64(1.5), np.ones((3, 1))):
        got, wanted = parts(op(left, t)), parts(op(left, X))
        for one, other in zip(got, wanted, strict=True):
            assert isinstance(one, tg.Tensor)
            np.testing.assert_allclose(one.detach(), other)
        if got[0].is_floating_point():
            assert got[0].grad_fn is not None


def test_numpy_scalars_keep_the_tensors_type():
    x = tg.ones(3)
    for scalar in (np.float64(2), np.int64(2), np.array(2.0)):
        assert (scalar * x).dtype == tg.float32
        assert (x * scalar).dtype == tg.float32
    assert (np.ones(3) * x).dtype == tg.float64
    assert (A @ tg.tensor(A, requires_grad=True)).grad_fn is not None
    assert (INTEGERS & tg.tensor(INTEGERS)).dtype == tg.int64


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.add.reduce(x),
        lambda x: np.add.reduce(x, axis=(0, 1), keepdims=True),
        lambda x: np.multiply.reduce(x, 1),
        lambda x: np.maximum.reduce(x, axis=None),
        lambda x: np.minimum.reduce(x, axis=-1),
        lambda x: np.add.accumulate(x),
        lambda x: np.multiply.accumulate(x, axis=1),
        lambda x: np.maximum.accumulate(x, axis=1),
        lambda x: np.minimum.accumulate(x),
        lambda x: np.logaddexp.accumulate(x, axis=1),
        lambda x: np.multiply.outer(x, np.array([1.0, 2.0])),
        lambda x: np.subtract.outer(x[0], x[1]),
        lambda x: np.add(x, 1, dtype=np.complex128),
    ],
)
def test_methods(call):
    t = tg.tensor(X, requires_grad=True)
    got, wanted = call(t), call(X)
    assert got.grad_fn is not None
    np.testing.assert_allclose(got.detach(), wanted, rtol=1e-14)
    assert tg.gradcheck(call, (t,))


def test_truth_reduces():
    assert np.logical_and.reduce(tg.tensor([True, False])).item() is False
    assert np.logical_or.reduce(tg.tensor([[True, False]]), axis=1).tolist() == [True]


def test_at():
    for ufunc in (np.add, np.subtract):
        t, array = tg.zeros(4, dtype=tg.float64), np.zeros(4)
        ufunc.at(t, [0, 1, 1], np.array([1.0, 2.0, 3.0]))
        ufunc.at(array, [0, 1, 1], tg.tensor([1.0, 2.0, 3.0]))
        assert t.tolist() == array.tolist()
    source = tg.ones(3, requires_grad=True)
    t = tg.zeros(4)
    np.add.at(t, np.array([0, 2, 2]), source)
    assert t.grad_fn is not None
    with pytest.raises(RuntimeError, match=r"detach\(\)"):
        np.add.at(np.zeros(4), [0, 1, 2], source)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.add.reduceat(x, [0, 2]),
        lambda x: np.multiply.at(x, [0], 2.0),
        lambda x: np.subtract.reduce(x),
        lambda x: np.hypot.accumulate(x),
        lambda x: np.matmul.outer(x, x),
        lambda x: np.spacing(x),
    ],
)
def test_methods_without_an_equivalent_are_refused(call):
    with pytest.raises((TypeError, ValueError), match=r"detach\(\)|reduction|signature"):
        call(tg.ones(4))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"where": np.array([True, False])}, "where"),
        ({"casting": "unsafe"}, "casting"),
        ({"order": "F"}, "order"),
        ({"subok": False}, "subok"),
    ],
)
def test_keywords_are_honoured_or_refused(words, said):
    with pytest.raises(TypeError, match=f"{said}=.* is not supported"):
        np.exp(tg.ones(2), **words)
    assert np.exp(tg.zeros(2), where=True, casting="same_kind").tolist() == [1, 1]


def test_out_is_an_array():
    array = np.zeros(2)
    assert np.exp(tg.zeros(2), out=array) is array
    assert array.tolist() == [1, 1]
    array += tg.ones(2)  # np.add with out=
    assert array.tolist() == [2, 2]
    assert np.add.reduce(tg.ones(2, 2), axis=0, out=array) is array
    whole, rest = np.zeros(1), np.zeros(1)
    np.modf(tg.tensor([2.5]), out=(rest, whole))
    assert (whole[0], rest[0]) == (2, 0.5)
    with pytest.raises(RuntimeError, match=r"Use tensor\.detach\(\)\.numpy\(\)"):
        np.exp(tg.zeros(2, requires_grad=True), out=array)
    with pytest.raises(RuntimeError, match="detach"):
        array += tg.ones(2, requires_grad=True)


def test_out_is_a_tensor():
    x, into = tg.zeros(2, requires_grad=True), tg.empty(2)
    assert np.exp(x, out=into) is into
    assert into.grad_fn is not None
    into.sum().backward()
    assert x.grad.tolist() == [1, 1]
    into = tg.empty(2)
    np.add(np.ones(2, np.float32), np.ones(2, np.float32), out=into)
    assert into.tolist() == [2, 2]
    for bad in (tg.empty(3), tg.empty(2, dtype=tg.int64)):
        with pytest.raises(TypeError, match="does not fit out="):
            np.exp(x, out=bad)
    with pytest.raises(TypeError, match="out="):
        np.modf(x, out=(tg.empty(2), None))


def test_lists_and_complex_numbers():
    t = tg.ones(2, requires_grad=True)
    assert np.add([1.0, 2.0], t).grad_fn is not None
    c = tg.tensor(C, requires_grad=True)
    for ufunc in (np.exp, np.absolute, np.conjugate, np.sqrt, np.sign, np.square):
        np.testing.assert_allclose(ufunc(c).detach(), ufunc(C), rtol=1e-12)
    assert np.isnan(tg.tensor(N)).sum() == 2
    with pytest.raises(TypeError, match="fabs"):
        np.fabs(c)
