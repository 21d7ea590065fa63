"""Linear algebra beside PyTorch, where the samples table cannot compare: signs, pivots, dtypes."""

from typing import Any

import numpy as np
import pytest
import torch

import tensorgrad as tg


def both(*arrays: Any) -> Any:
    """The same leaves in tensorgrad and in PyTorch."""
    made = [tg.from_numpy(a.copy()).requires_grad_() for a in arrays]
    theirs = [torch.from_numpy(a.copy()).requires_grad_() for a in arrays]
    return made, theirs


def numbers(kind: str, *shape: int) -> Any:
    rng = np.random.default_rng(3)
    x = rng.standard_normal(shape)
    return x + 1j * rng.standard_normal(shape) if kind == "complex" else x


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 2, 4)])
def test_svd(kind: str, shape: tuple[int, ...]):
    (x,), (y,) = both(numbers(kind, *shape))
    found = []
    for lib, leaf in ((tg, x), (torch, y)):
        u, s, vh = lib.linalg.svd(leaf, full_matrices=False)
        low = u[..., :1] @ (s[..., :1, None] * vh[..., :1, :])  # the best approximation of rank 1
        (g,) = lib.autograd.grad((lib.abs(low) ** 3).sum() + (s**2).sum(), leaf)
        found.append((s, low, g))
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), atol=1e-10)


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("name", ["eigh", "cholesky", "eigvalsh", "eig"])
def test_gradients_of_hermitian_matrices(name: str, kind: str):
    x = numbers(kind, 2, 3, 3)
    x = x @ np.conj(np.swapaxes(x, -1, -2)) + np.diag([1.0, 2, 3])
    found = []
    (a,), (b,) = both(x)
    for lib, leaf in ((tg, a), (torch, b)):
        out = getattr(lib.linalg, name)(leaf)
        out = [out] if isinstance(out, lib.Tensor) else list(out)
        loss = sum((lib.abs(part) ** 3).sum() for part in out)
        (g,) = lib.autograd.grad(loss, leaf)
        found.append([lib.abs(part) for part in out] + [g])
    for p, q in zip(*found, strict=True):
        assert p.dtype.name == str(q.dtype).removeprefix("torch.")
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), atol=1e-9)


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 2, 4)])
def test_lu_factor(kind: str, shape: tuple[int, ...]):
    (x,), (y,) = both(numbers(kind, *shape))
    mine, theirs = tg.linalg.lu_factor(x), torch.linalg.lu_factor(y)
    assert mine.pivots.tolist() == theirs.pivots.tolist()
    np.testing.assert_allclose(mine.LU.detach().numpy(), theirs.LU.detach().numpy(), atol=1e-12)


@pytest.mark.parametrize("adjoint", [False, True])
@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("kind", ["real", "complex"])
def test_lu_solve(kind: str, left: bool, adjoint: bool):
    found = []
    made = both(numbers(kind, 2, 3, 3), numbers(kind, 3, 3))
    for lib, (a, b) in zip((tg, torch), made, strict=True):
        x = lib.linalg.lu_solve(*lib.linalg.lu_factor(a), b, left=left, adjoint=adjoint)
        grads = lib.autograd.grad((lib.abs(x) ** 2).sum(), (a, b))
        found.append([x, *grads])
    for p, q in zip(*found, strict=True):
        np.testing.assert_allclose(
            p.detach().numpy(), q.detach().resolve_conj().numpy(), rtol=1e-8, atol=1e-10
        )


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("p", [None, 2, -2, "fro", "nuc", 1, -1, float("inf"), float("-inf")])
def test_cond(p: Any, kind: str):
    x = numbers(kind, 2, 3, 3)
    if p not in (None, 2, -2):
        x[1, 2] = 0  # singular: inf
    mine, theirs = tg.linalg.cond(tg.from_numpy(x), p), torch.linalg.cond(torch.from_numpy(x), p)
    np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=1e-9)


@pytest.mark.parametrize("driver", [None, "gels", "gelsy", "gelsd", "gelss"])
@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize(("m", "n"), [(4, 2), (2, 4), (3, 3)])
def test_lstsq(m: int, n: int, kind: str, driver: str | None):
    a, b = numbers(kind, 2, m, n), numbers(kind, 2, m, 3)
    mine = tg.linalg.lstsq(tg.from_numpy(a), tg.from_numpy(b), driver=driver)
    theirs = torch.linalg.lstsq(torch.from_numpy(a), torch.from_numpy(b), driver=driver)
    for i, (x, y) in enumerate(zip(mine, theirs, strict=True)):
        assert x.dtype.name == str(y.dtype).removeprefix("torch."), i
        np.testing.assert_allclose(x.numpy(), y.numpy(), rtol=1e-9, atol=1e-12, err_msg=str(i))


@pytest.mark.parametrize("kind", [np.float32, np.complex64])
def test_single_precision_stays(kind: Any):
    x = numbers("complex" if kind is np.complex64 else "real", 3, 3).astype(kind)
    h = (x @ np.conj(x.T) + np.eye(3)).astype(kind)
    t, u = tg.from_numpy(h), torch.from_numpy(h)
    for name in ("inv", "pinv", "det", "slogdet", "cholesky", "qr", "svd", "svdvals", "eigh",
                 "eigvalsh", "eig", "eigvals", "norm", "cond", "matrix_exp", "lu"):  # fmt: skip
        mine, theirs = getattr(tg.linalg, name)(t), getattr(torch.linalg, name)(u)
        mine = [mine] if isinstance(mine, tg.Tensor) else mine
        theirs = [theirs] if isinstance(theirs, torch.Tensor) else theirs
        for a, b in zip(mine, theirs, strict=True):
            assert a.dtype.name == str(b.dtype).removeprefix("torch."), name
            assert tuple(a.shape) == tuple(b.shape), name
    for name in ("fft", "ifft", "fftn", "irfft", "hfft"):
        mine, theirs = getattr(tg.fft, name)(t), getattr(torch.fft, name)(u)
        assert mine.dtype.name == str(theirs.dtype).removeprefix("torch.")
        np.testing.assert_allclose(
            mine.numpy(), theirs.resolve_conj().numpy(), rtol=1e-4, atol=1e-4
        )


def test_nothing_of_torch_linalg_and_fft_is_missing_unnoticed():
    left_out = {
        # factors kept as reflectors, and symmetric indefinite ones: LAPACK's, not NumPy's
        "householder_product", "ldl_factor", "ldl_factor_ex", "ldl_solve", "lu_factor_ex",
    }  # fmt: skip
    for name, skip in (("linalg", left_out), ("fft", set())):
        theirs = getattr(torch, name)
        public = {n for n in dir(theirs) if not n.startswith("_") and callable(getattr(theirs, n))}
        public -= {"Tensor", "common_args"}
        assert sorted(public - skip - set(getattr(tg, name).__all__)) == []
