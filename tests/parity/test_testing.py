"""tensorgrad.testing beside torch.testing: the same verdicts in the same words."""

import inspect

import numpy as np
import pytest
import torch

import tensorgrad as tg

NAN, INF = float("nan"), float("inf")
LIBRARIES = (tg, torch)

PAIRS = [
    (lambda T: (T([1.0, 2.0, 3.0]), T([1.0, 2.5, 3.0])), {}),
    (lambda T: (T([1.0, 2.0]), T([1.0, 2.0])), {}),
    (lambda T: (T(1.0), T(2.0)), {}),
    (lambda T: (T(1), T(2)), {}),
    (lambda T: (T([1, 2]), T([1, 3])), {}),
    (lambda T: (T([1.0]), T([1])), {}),
    (lambda T: (T([1.0]), T([1])), {"check_dtype": False}),
    (lambda T: (T([1.5]), T([1])), {"check_dtype": False}),
    (lambda T: (T([1.0, 2.0]), T([[1.0, 2.0]])), {}),
    (lambda T: ([1, T(2.0)], [1, T(3.0)]), {}),
    (lambda T: ([[1, 2]], ([1, 3],)), {}),
    (lambda T: ({"a": T([1.0, 2.0])}, {"a": T([1.0, 3.0])}), {}),
    (lambda T: ({"a": 1}, {"b": 1}), {}),
    (lambda T: ([1], [1, 2]), {}),
    (lambda T: (T([1.0]), 1.0), {}),
    (lambda T: ("a", "a"), {}),
    (lambda T: (T([NAN, 1.0]), T([NAN, 1.0])), {}),
    (lambda T: (T([NAN, 1.0]), T([NAN, 1.0])), {"equal_nan": True}),
    (lambda T: (T([1.0]), T([2.0])), {"rtol": 0.1}),
    (lambda T: (T([1.0]), T([2.0])), {"rtol": 0.1, "atol": 0.0}),
    (lambda T: (T([1.0]), T([2.0])), {"rtol": 0.6, "atol": 0.0}),
    (lambda T: (T([1.0]), T([2.0])), {"rtol": 0, "atol": 0}),
    (lambda T: (T([1.0]), T([2.0])), {"msg": "hello"}),
    (lambda T: (T([1.0]), T([2.0])), {"msg": lambda text: "before: " + text}),
    (lambda T: (T([True, True]), T([False, True])), {}),
    (lambda T: (T([1 + 2j]), T([1 + 3j])), {}),
    (lambda T: (T([1.0, INF]), T([INF, INF])), {}),
    (lambda T: (T([]), T([])), {}),
    (lambda T: (T([1.0], requires_grad=True), T([1.0])), {}),
    (lambda T: (T([[1.0, 2], [3, 4]]).T, T([[1.0, 3], [2, 4]])), {"check_stride": True}),
    (lambda T: (1.0, 2.0), {}),
    (lambda T: (1, 2), {}),
    (lambda T: (1, 1.0), {}),
    (lambda T: (1, 1.0), {"check_dtype": False}),
    (lambda T: (1j, 2.0), {"check_dtype": False}),
    (lambda T: (True, False), {}),
    (lambda T: (NAN, NAN), {}),
    (lambda T: (NAN, NAN), {"equal_nan": True}),
    (lambda T: (INF, INF), {}),
    (lambda T: (0.5, 0.0), {}),
    (lambda T: (None, None), {}),
    (lambda T: (None, 1), {}),
    (lambda T: (np.array([1.0]), T([1.0])), {}),
    (lambda T: (np.array([1.0]), np.array([2.0])), {}),
    (lambda T: (np.float64(1.0), np.float64(1.0)), {}),
]


def outcome(library, make, options):
    try:
        library.testing.assert_close(*make(library.tensor), **options)
    except Exception as error:
        return type(error).__name__, str(error).replace(library.__name__, "lib")
    return "close"


@pytest.mark.parametrize("number", range(len(PAIRS)))
def test_assert_close(number):
    ours, theirs = (outcome(library, *PAIRS[number]) for library in LIBRARIES)
    # the class of tensors is lib.Tensor there, lib.tensor.Tensor here
    assert str(ours).replace("lib.tensor.Tensor", "lib.Tensor") == str(theirs)


def test_assert_allclose():
    for library in LIBRARIES:
        with pytest.warns(FutureWarning, match="deprecated"):
            library.testing.assert_allclose(library.tensor([1.0, NAN]), [1.0, NAN])
        with pytest.warns(FutureWarning), pytest.raises(AssertionError, match="not close"):
            library.testing.assert_allclose(library.tensor([1.0]), [1.1])
        with pytest.warns(FutureWarning), pytest.raises(AssertionError, match="mine"):
            library.testing.assert_allclose(library.tensor([1.0]), [1.1], msg="mine")


def test_signatures():
    for name in ("assert_close", "assert_allclose", "make_tensor"):
        a, b = (inspect.signature(getattr(lib.testing, name)).parameters for lib in LIBRARIES)
        assert [(p.name, p.kind, p.default) for p in a.values()] == [
            (p.name, p.kind, p.default) for p in b.values()
        ]


KINDS = ("bool", "uint8", "int8", "int64", "float16", "float32", "float64", "complex64")


@pytest.mark.parametrize("kind", KINDS)
def test_make_tensor(kind):
    for library in LIBRARIES:
        library.manual_seed(0)
        make, dtype = library.testing.make_tensor, getattr(library, kind)
        made = make((50, 40), dtype=dtype, device="cpu")
        assert (tuple(made.shape), made.dtype) == ((50, 40), dtype)
        values = made.numpy()
        values = np.concatenate([values.real, values.imag]) if "complex" in kind else values
        low, high = {"bool": (0, 1), "uint8": (0, 9)}.get(kind, (-9, 9))
        assert values.min() == low if "int" in kind or kind == "bool" else values.min() < -8.9
        assert values.max() == high if "int" in kind or kind == "bool" else 8.9 < values.max() <= 9
        strided = make(3, 4, dtype=dtype, device="cpu", noncontiguous=True)
        assert not strided.is_contiguous()
        assert tuple(strided.shape) == (3, 4)
        if kind != "bool" and "complex" not in kind:
            made = make(200, dtype=dtype, device="cpu", low=0, high=2, exclude_zero=True)
            assert (made != 0).all()
            assert made.double().max().item() <= 2
        if "float" in kind:
            assert make(2, dtype=dtype, device="cpu", requires_grad=True).requires_grad
        elif "int" in kind:
            with pytest.raises(ValueError, match="requires_grad"):
                make(2, dtype=dtype, device="cpu", requires_grad=True)
        with pytest.raises(ValueError, match="low"):
            make(2, dtype=dtype, device="cpu", low=3, high=1)
        assert make((), dtype=dtype, device="cpu").ndim == 0
