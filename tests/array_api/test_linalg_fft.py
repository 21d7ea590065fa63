"""The extensions linalg and fft against array-api-strict."""

from pathlib import Path

import numpy as np
import pytest
from array_api.strict import Typed, arrays, checked, compare, fill, seeds, st
from hypothesis import given

from tensorgrad.array_api import fft, linalg, products


def test_all_of_the_families_are_tested():
    text = Path(__file__).read_text(encoding="utf-8")
    assert [n for n in {*linalg.__all__, *fft.__all__} if f'"{n}"' not in text] == []


@st.composite
def matrices(draw, square=True, kinds="fc", well=True):
    """Batches of matrices, well conditioned if square."""
    dtype = draw(st.sampled_from([d for d in ("float32", "float64", "complex64", "complex128")
                                  if np.dtype(d).kind in kinds]))  # fmt: skip
    m = draw(st.integers(1, 4))
    n = m if square else draw(st.integers(1, 4))
    shape = (*draw(st.lists(st.integers(0, 2), max_size=1)), m, n)
    x = (
        np.asarray(fill(dtype, shape, draw(seeds), special=False), dtype).clip(-3, 3)
        if (np.dtype(dtype).kind == "f")
        else np.asarray(fill(dtype, shape, draw(seeds), special=False), dtype)
    )
    if np.dtype(dtype).kind == "c":
        x = np.clip(x.real, -3, 3) + 1j * np.clip(x.imag, -3, 3)
    if square and well:
        x = x + 12 * np.eye(n)
    return x.astype(dtype)


def hermitian(x):
    return x + np.conj(np.swapaxes(x, -1, -2))


@pytest.mark.parametrize("name", ["det", "inv", "slogdet"])
@checked
@given(matrices())
def test_square(name, x):
    compare(name, [x], module="linalg", close=500)


@pytest.mark.parametrize("name", ["det", "inv", "slogdet", "cholesky", "eigh", "svd", "qr", "pinv",
                                  "matrix_norm", "vector_norm", "matrix_rank"])  # fmt: skip
@checked
@given(arrays("biu", shape=st.just((2, 2))))
def test_whole_numbers_are_refused(name, x):
    if name != "matrix_rank":  # strict takes what NumPy takes there
        compare(name, [x], module="linalg")


@checked
@given(matrices())
def test_positive_definite(x):
    positive = x @ np.conj(np.swapaxes(x, -1, -2))
    for upper in (False, True):
        compare("cholesky", [positive], {"upper": upper}, module="linalg", close=500)
    compare("eigvalsh", [hermitian(x)], module="linalg", close=500)


@checked
@given(matrices())
def test_eigh(x):
    # Vectors are known up to a phase: what the two have in common is the matrix they compose.
    x = hermitian(x)
    rebuilt = {}
    for key, words in (("ours", {}), ("theirs", {})):

        def compose(a, key=key, words=words):
            xp = a.__array_namespace__()
            values, vectors = xp.linalg.eigh(a)
            left = vectors * xp.astype(values[..., None, :], vectors.dtype)
            return values, left @ xp.conj(xp.matrix_transpose(vectors))

        rebuilt[key] = compose
    compare("eigh", [x], module="linalg", close=2000, **rebuilt)


@pytest.mark.parametrize("name", ["svd", "qr"])
@checked
@given(matrices(square=False), st.booleans())
def test_factors(name, x, full):
    def compose(a):
        xp = a.__array_namespace__()
        if name == "qr":
            q, r = xp.linalg.qr(a, mode="complete" if full else "reduced")
            return q @ r, xp.abs(r), q @ xp.conj(xp.matrix_transpose(q)) if full else q @ r
        u, s, vh = xp.linalg.svd(a, full_matrices=full)
        k = s.shape[-1]
        return (u[..., :k] * xp.astype(s[..., None, :], u.dtype)) @ vh[..., :k, :], s

    compare(name, [x], module="linalg", close=2000, ours=compose, theirs=compose)
    compare("svdvals", [x], module="linalg", close=500)


@checked
@given(matrices(square=False))
def test_ranks_and_norms(x):
    compare("matrix_rank", [x], module="linalg")
    compare("matrix_rank", [x], {"rtol": 0.5}, module="linalg")
    for order in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf):
        for keepdims in (False, True):
            words = {"ord": order, "keepdims": keepdims}
            compare("matrix_norm", [x], words, module="linalg", close=500)


@checked
@given(matrices(square=True))
def test_pinv_and_powers(x):
    compare("pinv", [x], module="linalg", close=2000)
    for n in (-2, -1, 0, 1, 2, 3):
        compare("matrix_power", [x], module="linalg", close=2000,
                ours=lambda a, n=n: a.__array_namespace__().linalg.matrix_power(a, n),
                theirs=lambda a, n=n: a.__array_namespace__().linalg.matrix_power(a, n),
                )  # fmt: skip


@checked
@given(st.data())
def test_solve(data):
    a = data.draw(matrices())
    n = a.shape[-1]
    shape = data.draw(st.sampled_from([(n,), (n, 2), (*a.shape[:-2], n, 1), (n, n)]))
    b = np.asarray(fill(str(a.dtype), shape, data.draw(seeds), special=False)).clip(-3, 3)
    compare("solve", [a, b], module="linalg", close=500)


@checked
@given(st.data())
def test_vector_norm(data):
    x = data.draw(arrays("fc", special=False))
    if x.dtype.kind == "f":
        x = x.clip(-1e3, 1e3)
    order = data.draw(st.sampled_from([2, 1, 0, np.inf, -np.inf, 3, 2.5]))
    if x.size == 0 and order == -np.inf:
        return
    axis = data.draw(st.sampled_from([None, *range(-x.ndim, x.ndim)]))
    words = {"ord": order, "axis": axis, "keepdims": data.draw(st.booleans())}
    if x.dtype.kind == "c" and np.abs(x).max(initial=0) > 1e9:
        return  # NumPy's cubes overflow elsewhere
    compare("vector_norm", [x], words, module="linalg", close=500)


@checked
@given(st.data())
def test_products(data):
    x = data.draw(arrays("iufc", special=False))
    x = np.where(np.abs(x) < 1e15, x, 1).astype(x.dtype)  # infinite complex products differ
    y = data.draw(arrays("fc" if x.dtype.kind in "fc" else x.dtype.kind, special=False))
    y = np.where(np.abs(y) < 1e15, y, 1).astype(y.dtype)
    if x.ndim and y.ndim:  # strict passes on what NumPy lets through
        compare("vecdot", [x, y[..., :1]], {"axis": -1}, close=500)
        compare("vecdot", [x, x], {"axis": -1}, close=500, module="linalg")
    compare("matmul", [x, y], close=500)
    if x.ndim and y.ndim:
        columns = data.draw(arrays(dtype=str(y.dtype), special=False, shape=(x.shape[-1], 2)))
        compare("matmul", [x, columns], close=500)
        compare("matmul", [x, columns], close=500, module="linalg")
        compare("tensordot", [x, columns], {"axes": 1}, close=500)
        compare("tensordot", [columns, columns], {"axes": ((0,), (-2,))}, close=500,
                module="linalg")  # fmt: skip
    compare("tensordot", [x, y], {"axes": 0}, close=500)
    compare("outer", [x, y], module="linalg", close=16)


@checked
@given(st.data())
def test_pieces(data):
    x = data.draw(arrays())
    compare("matrix_transpose", [x])
    compare("matrix_transpose", [x], module="linalg")
    offset = {"offset": data.draw(st.integers(-3, 3))}
    compare("diagonal", [x], offset, module="linalg")
    y = data.draw(arrays(special=False))
    if y.ndim >= 2:
        compare("trace", [y], offset, module="linalg", close=64)
    a = data.draw(arrays("iufc", shape=(2, 3), special=False))
    b = data.draw(arrays(dtype=str(a.dtype), shape=st.sampled_from([(3,), (1, 3), (2, 3)]),
                         special=False))  # fmt: skip
    compare("cross", [a, b], module="linalg", close=64)


def sizes(low, high):
    return st.lists(st.integers(low, high), min_size=1, max_size=3).map(tuple)


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
@checked
@given(st.data())
def test_transforms(name, data):
    kinds = "fc" if data.draw(st.integers(0, 4)) else "biu"
    x = data.draw(arrays(kinds, special=False, shape=sizes(1, 5)))
    if x.dtype.kind in "fc":
        x = np.where(np.abs(x) < 10, x, 1).astype(x.dtype)
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    n = data.draw(st.sampled_from([None, 1, 2, 5, 8]))
    if n is None and name in ("irfft", "hfft") and x.shape[axis] == 1:
        n = 1  # of one frequency, a signal of 2 * (1 - 1) points is none
    norm = data.draw(st.sampled_from(["backward", "ortho", "forward"]))
    compare(name, [x], {"n": n, "axis": axis, "norm": norm}, module="fft", close=64)


@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn"])
@checked
@given(st.data())
def test_transforms_over_axes(name, data):
    x = data.draw(arrays("fc", special=False, shape=sizes(2, 4)))
    x = np.where(np.abs(x) < 10, x, 1).astype(x.dtype)
    axes = data.draw(st.permutations(range(x.ndim)))[: data.draw(st.integers(1, x.ndim))]
    words = data.draw(st.sampled_from(
        [{}, {"axes": tuple(axes)}, {"axes": tuple(axes), "s": (3,) * len(axes)}]
    ))  # fmt: skip
    compare(name, [x], {**words, "norm": "ortho"}, module="fft", close=64)


@checked
@given(st.data())
def test_frequencies_and_shifts(data):
    x = data.draw(arrays())
    if not x.ndim:
        return
    axes = data.draw(st.sampled_from([None, *range(-x.ndim, x.ndim)]))
    for name in ("fftshift", "ifftshift"):
        compare(name, [x], {"axes": axes}, module="fft")


@pytest.mark.parametrize("name", ["fftfreq", "rfftfreq"])
def test_frequencies(name):
    for n in (1, 2, 5, 8):
        for dtype in ("float32", "float64"):
            compare(name, [n], {"d": 0.5, "dtype": Typed(dtype)}, module="fft", close=2)
    compare(name, [4], {"dtype": Typed("int64")}, module="fft")


def test_the_products_are_the_same_in_both_namespaces():
    assert all(getattr(linalg, n) is getattr(products, n) for n in products.__all__)
