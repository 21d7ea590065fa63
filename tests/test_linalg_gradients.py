"""Gradients of decompositions at orders 1 and 2, for losses that do not read what is arbitrary.

Rows of the samples table change one element at a time, which is no direction for a symmetric
matrix, and read signs of vectors, which differ from one run of LAPACK to the next.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import linalg


def symmetric(x: Any) -> Any:
    return (x + tg.adjoint(x)) / 2


def positive(x: Any) -> Any:
    n = x.shape[-1]
    return x @ tg.adjoint(x) + tg.from_numpy(np.diag(np.arange(1.0, n + 1)))


def projectors(vectors: Any) -> Any:
    """Each vector times itself: its sign or phase falls out."""
    columns = tg.movedim(vectors, -1, -2)
    return columns[..., :, None] * tg.conj(columns)[..., None, :]


def parts(x: Any) -> Any:
    return tg.view_as_real(x) if x.is_complex() else x


def svd_parts(x: Any) -> Any:
    u, s, vh = linalg.svd(x, False)
    # Each pair of vectors together: they turn by the same phase.
    pairs = tg.movedim(u, -1, -2)[..., :, None] * vh[..., None, :]
    return s, parts(pairs), parts(projectors(u)), parts(projectors(tg.adjoint(vh)))


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "cholesky": lambda x: parts(linalg.cholesky(positive(x))),
    "cholesky, upper": lambda x: parts(linalg.cholesky(positive(x), upper=True)),
    "cholesky_solve": lambda x: parts(tg.cholesky_solve(x, linalg.cholesky(positive(x)))),
    "cholesky_inverse": lambda x: parts(tg.cholesky_inverse(linalg.cholesky(positive(x)))),
    "eigh values": lambda x: linalg.eigvalsh(symmetric(x)),
    "eigh vectors": lambda x: parts(projectors(linalg.eigh(symmetric(x))[1])),
    "eigh, upper": lambda x: parts(projectors(linalg.eigh(symmetric(x), "U")[1])),
    "eig values": lambda x: tg.view_as_real(linalg.eigvals(x)),
    "eig vectors": lambda x: tg.view_as_real(projectors(linalg.eig(x)[1])),
    "svd": svd_parts,
    "svd, full": lambda x: linalg.svd(x)[1],
    "nuclear norm": lambda x: linalg.matrix_norm(x, "nuc"),
    "qr": lambda x: tuple(map(parts, linalg.qr(x))),
    "lu": lambda x: tuple(map(parts, linalg.lu(x)[1:])),
    "inverse": lambda x: parts(linalg.inv(positive(x))),
    "pinv of low rank": lambda x: parts(linalg.pinv(x[..., :1] @ tg.adjoint(x)[..., :1, :])),
    "slogdet": lambda x: linalg.slogdet(positive(x))[1],
    "logdet": lambda x: parts(tg.logdet(positive(x))),
}


def numbers(kind: str, *shape: int) -> Any:
    rng = np.random.default_rng(11)
    x = rng.standard_normal(shape)
    if kind == "complex":
        x = x + 1j * rng.standard_normal(shape)
    return tg.from_numpy(x).requires_grad_()


def check(function: Callable[[Any], Any], x: Any):
    """Order 1 element by element; order 2, with up to 200 numbers to move, along directions."""
    assert tg.gradcheck(function, x)
    assert tg.gradgradcheck(function, x, fast_mode=True)


@pytest.mark.parametrize("shape", [(3, 3), (2, 2, 2)])
@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_of_both_orders(name: str, kind: str, shape: tuple[int, ...]):
    check(FUNCTIONS[name], numbers(kind, *shape))


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("shape", [(4, 2), (2, 3)])
@pytest.mark.parametrize("name", ["svd", "svd, full", "nuclear norm", "qr", "lu"])
def test_gradients_of_rectangles(name: str, kind: str, shape: tuple[int, ...]):
    check(FUNCTIONS[name], numbers(kind, *shape))


@pytest.mark.parametrize("name", ["svd", "qr", "eigh vectors"])
def test_one_output_alone(name: str):
    """Rules take None for the outputs that a loss does not read."""
    x = numbers("real", 3, 3)
    whole = {"svd": lambda t: linalg.svd(t, False), "qr": linalg.qr,
             "eigh vectors": lambda t: linalg.eigh(symmetric(t))}[name]  # fmt: skip
    for i in range(len(whole(x))):
        assert tg.gradcheck(lambda t, i=i: whole(t)[i] ** 2, x)
        assert tg.gradgradcheck(lambda t, i=i: whole(t)[i] ** 2, x)


def test_an_output_used_beside_its_own_rule():
    # q goes into the product and into qr's rule: at order 2 both gradients must arrive.
    x = numbers("real", 3, 2)

    def f(t: Any) -> Any:
        q, r = linalg.qr(t)
        return (q @ r * q).sum() + (q**3).sum()

    assert tg.gradgradcheck(f, x)
    q, r = linalg.qr(x)
    (first,) = tg.autograd.grad((q**3).sum() + r.sum(), x, create_graph=True)
    by_q, by_x = tg.autograd.grad((first**2).sum(), (q, x), retain_graph=True)
    assert by_q.abs().sum() > 0
    assert by_x.shape == x.shape


def test_det_of_singular_matrices():
    for rank, expected in ((2, True), (1, False)):
        x = np.random.default_rng(0).standard_normal((3, rank))
        a = tg.from_numpy(x @ x.T).requires_grad_()
        assert tg.gradcheck(linalg.det, a)
        (g,) = tg.autograd.grad(linalg.det(a), a)
        assert bool(g.abs().max() > 1e-8) is expected
    assert tg.gradgradcheck(linalg.det, tg.zeros(2, 2, dtype=tg.float64).requires_grad_())
    rng = np.random.default_rng(5)
    for n in (3, 4):
        for rank in (0, 1, n - 2, n - 1):
            a = rng.standard_normal((n, rank)) @ rng.standard_normal((rank, n))
            singular = tg.tensor(a, requires_grad=True)
            assert tg.gradcheck(linalg.det, singular)
            assert tg.gradgradcheck(linalg.det, singular)
    zero = tg.zeros(3, 3, dtype=tg.float64).requires_grad_()
    (g,) = tg.autograd.grad(linalg.det(zero), zero, create_graph=True)
    (h,) = tg.autograd.grad(g.sum(), zero, create_graph=True)
    with pytest.raises(linalg.LinAlgError, match="third derivative at a singular matrix"):
        tg.autograd.grad(h.sum(), zero)


def test_phases_are_refused():
    x = symmetric(numbers("complex", 3, 3)).detach().requires_grad_()
    with pytest.raises(RuntimeError, match="depends on this quantity, so it is ill-defined"):
        (tg.imag(linalg.eigh(x)[1]) * tg.arange(9.0).reshape(3, 3)).sum().backward()


def test_norms_at_zero():
    x = tg.zeros(3, dtype=tg.float64).requires_grad_()
    for order in (2, 3, 1.5, 0.5, 1):
        (g,) = tg.autograd.grad(linalg.vector_norm(x, order), x)
        assert g.tolist() == [0, 0, 0]


ERRORS = [
    (lambda: linalg.inv(tg.zeros(2, 2)), linalg.LinAlgError, "inv.*singular.*pinv"),
    (lambda: linalg.inv(tg.zeros(2, 3)), RuntimeError, "linalg.inv.*square.*2 by 3"),
    (lambda: linalg.inv(tg.ones(2, 2, dtype=tg.int64)), RuntimeError, "int64.*float"),
    (lambda: linalg.inv(tg.stack([tg.eye(2), tg.zeros(2, 2)])), linalg.LinAlgError, "element 1"),
    (lambda: linalg.solve(tg.zeros(2, 2), tg.ones(2)), linalg.LinAlgError, "solve.*singular"),
    (lambda: linalg.solve(tg.eye(2), tg.ones(3, 1)), RuntimeError, r"AX = B.*\(2, 2\).*\(3, 1\)"),
    (lambda: linalg.cholesky(-tg.eye(2)), linalg.LinAlgError, "not positive-definite.*identity"),
    (lambda: linalg.qr(tg.eye(2), "full"), RuntimeError, "'full'.*reduced"),
    (lambda: linalg.svd(tg.full((2, 2), float("nan"))), linalg.LinAlgError, "infs or NaNs"),
    (lambda: linalg.matrix_norm(tg.ones(2)), RuntimeError, "at least 2 dimensions"),
    (lambda: linalg.norm(tg.ones(2, 2), "nuc", 0), RuntimeError, "matrix norm"),
    (lambda: linalg.multi_dot([tg.ones(2, 3), tg.ones(2, 3)]), RuntimeError, r"\(2, 3\)"),
    (lambda: tg.einsum("ij,jk", tg.ones(2, 3), tg.ones(4, 2)), RuntimeError, "sizes 3 and 4"),
    (lambda: tg.einsum("ij->k", tg.ones(2, 3)), RuntimeError, "'k', which no operand"),
    (lambda: tg.einsum("ii", tg.ones(2, 3)), RuntimeError, "repeated for operand 0"),
    (lambda: tg.einsum("ijk", tg.ones(2, 3)), RuntimeError, "'ijk'.*2 dimensions"),
    (lambda: tg.tensordot(tg.ones(2, 3), tg.ones(2, 3), 1), RuntimeError, "size 3.*size 2"),
    (lambda: tg.fft.fft(tg.ones(3), norm="full"), RuntimeError, '"full"|full'),
    (lambda: tg.fft.rfft(tg.ones(3, dtype=tg.complex64)), RuntimeError, "real input"),
    (lambda: tg.fft.fftn(tg.ones(3, 3), dim=(0, 0)), RuntimeError, "unique"),
    (lambda: tg.fft.fft(tg.ones(3), 0), RuntimeError, r"data points \(0\)"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "words"), ERRORS)
def test_errors(call: Callable[[], Any], kind: type[Exception], words: str):
    with pytest.raises(kind, match=words):
        call()
    assert issubclass(linalg.LinAlgError, RuntimeError)


def test_codes_instead_of_errors():
    a = tg.stack([tg.eye(2), tg.zeros(2, 2)])
    inverse, info = linalg.inv_ex(a)
    assert info.tolist() == [0, 1]
    assert inverse[0].tolist() == [[1, 0], [0, 1]]
    factor, info = linalg.cholesky_ex(tg.stack([tg.eye(2), -tg.eye(2)]))
    assert info.tolist() == [0, 1]
    assert factor[0].tolist() == [[1, 0], [0, 1]]
    with pytest.raises(linalg.LinAlgError):
        linalg.inv_ex(a, check_errors=True)


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("n", [5, 33, 100])
def test_long_triangular_systems(n: int, upper: bool):
    rng = np.random.default_rng(n)
    a = rng.standard_normal((2, n, n)) / n + 2 * np.eye(n)
    b = rng.standard_normal((n, 3))
    x = linalg.solve_triangular(tg.from_numpy(a), tg.from_numpy(b), upper=upper).numpy()
    t = np.triu(a) if upper else np.tril(a)
    np.testing.assert_allclose(t @ x, np.broadcast_to(b, x.shape), atol=1e-12)


def test_exponentials_of_large_and_small_matrices():
    for size in (1e-8, 0.1, 3, 50):
        a = np.array([[0.0, -size], [size, 0.0]])
        turned = np.array([[np.cos(size), -np.sin(size)], [np.sin(size), np.cos(size)]])
        np.testing.assert_allclose(tg.matrix_exp(tg.from_numpy(a)).numpy(), turned, atol=1e-13)
