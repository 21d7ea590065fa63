"""Factors as LAPACK packs them, beside PyTorch's: values, pivots, codes, errors."""

import numpy as np
import pytest
import torch

import tensorgrad as tg


def symmetric(rng, n, kind):
    a = rng.standard_normal((n, n))
    if kind != "real":
        a = a + 1j * rng.standard_normal((n, n))
    if rng.random() < 0.2:  # zeros, which decide the pivots
        a = a * (rng.random((n, n)) < 0.4)
    return a + (a.conj().T if kind == "hermitian" else a.T)


@pytest.mark.parametrize("kind", ["real", "complex", "hermitian"])
def test_ldl(kind):
    rng = np.random.default_rng(0)
    words = {"hermitian": kind == "hermitian"}
    for _ in range(60):
        n = int(rng.integers(0, 9))
        a = symmetric(rng, n, kind)
        mine = tg.linalg.ldl_factor_ex(tg.tensor(a), **words)
        theirs = torch.linalg.ldl_factor_ex(torch.tensor(a), **words)
        assert mine.pivots.tolist() == theirs.pivots.tolist()
        assert mine.info.tolist() == theirs.info.tolist()
        assert np.allclose(np.tril(mine.LD.numpy()), np.tril(theirs.LD.numpy()), atol=1e-10)
        if not theirs.info.any() and np.linalg.cond(a) < 1e6 if n else False:
            b = rng.standard_normal((2, n, 3)).astype(a.dtype)
            x = tg.linalg.ldl_solve(mine.LD, mine.pivots, tg.tensor(b), **words)
            assert np.allclose(a @ x.numpy(), b, atol=1e-7)


def test_ldl_of_batches_and_its_derivative():
    rng = np.random.default_rng(1)
    a = np.stack([symmetric(rng, 4, "real") for _ in range(3)])
    b = rng.standard_normal((3, 4, 2))
    LD, pivots = tg.linalg.ldl_factor(tg.tensor(a))
    assert pivots.shape == (3, 4)
    assert pivots.dtype == tg.int32
    given = tg.tensor(b, requires_grad=True)
    x = tg.linalg.ldl_solve(LD, pivots, given)
    assert np.allclose(x.detach().numpy(), np.linalg.solve(a, b))
    assert tg.gradcheck(lambda b: tg.linalg.ldl_solve(LD, pivots, b), given)


def test_ldl_errors():
    for library in (tg, torch):
        words = {} if library is torch else {"match": r"linalg\.ldl_"}
        with pytest.raises(RuntimeError, **words):
            library.linalg.ldl_factor(library.ones(2, 3))
        with pytest.raises(RuntimeError, **words):
            library.linalg.ldl_factor_ex(library.zeros(2, 2), check_errors=True)
        LD, pivots = library.linalg.ldl_factor(library.eye(2))
        with pytest.raises(RuntimeError, **words):
            library.linalg.ldl_solve(LD, pivots, library.ones(3, 1))
        with pytest.raises(RuntimeError, **words):
            library.linalg.ldl_solve(LD, pivots.double(), library.ones(2, 1))
    with pytest.raises(RuntimeError, match="derivative"):
        tg.linalg.ldl_factor(tg.eye(2, requires_grad=True))
    with tg.no_grad():
        tg.linalg.ldl_factor(tg.eye(2, requires_grad=True))


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_reflections_of_geqrf(dtype):
    rng = np.random.default_rng(2)
    for shape in ((4, 4), (5, 3), (2, 4, 2)):
        a = rng.standard_normal(shape).astype(dtype)
        if dtype is np.complex128:
            a += 1j * rng.standard_normal(shape)
        packed, tau = tg.geqrf(tg.tensor(a))
        theirs = torch.geqrf(torch.tensor(a))
        assert np.allclose(packed.numpy(), theirs.a.numpy())
        assert np.allclose(tau.numpy(), theirs.tau.numpy())
        q = tg.linalg.householder_product(packed, tau)
        assert np.allclose((q @ packed[..., : shape[-1], :].triu()).numpy(), a)
        whole = tg.ormqr(packed, tau, tg.tensor(a), transpose=True)
        assert np.allclose(
            whole.numpy()[..., : shape[-1], :], np.triu(packed[..., : shape[-1], :].numpy())
        )
    with pytest.raises(RuntimeError, match="geqrf"):
        tg.geqrf(tg.ones(2, 2, requires_grad=True))


def test_reflections_errors():
    for library in (tg, torch):
        with pytest.raises(RuntimeError, match="greater than or equal"):
            library.linalg.householder_product(library.ones(2, 3), library.ones(2))
        with pytest.raises(RuntimeError):
            library.linalg.householder_product(library.ones(3, 2), library.ones(3))
        with pytest.raises(RuntimeError):
            library.linalg.householder_product(library.ones(3, 2), library.ones(2).double())
        with pytest.raises(RuntimeError):
            library.ormqr(library.ones(3, 2), library.ones(2), library.ones(2, 2))
        with pytest.raises(RuntimeError):
            library.ormqr(library.ones(3, 2), library.ones(2), library.ones(5, 3, 2))


def test_pivots_of_complex_matrices():
    # Their size is |re| + |im|: of 2 and 1.3 + 1.3i the second is taken.
    a = np.array([[2, 1], [1.3 + 1.3j, 1]])
    for library in (tg, torch):
        assert library.linalg.lu_factor(library.tensor(a))[1].tolist() == [2, 2]


def test_lu_of_singular_matrices():
    a = np.array([[[1.0, 2.0], [2.0, 4.0]], [[0.0, 0.0], [0.0, 1.0]], [[1.0, 2.0], [3.0, 4.0]]])
    mine = tg.linalg.lu_factor_ex(tg.tensor(a))
    theirs = torch.linalg.lu_factor_ex(torch.tensor(a))
    assert mine.info.tolist() == theirs.info.tolist() == [2, 1, 0]
    assert mine.pivots.tolist() == theirs.pivots.tolist()
    assert np.allclose(mine.LU.numpy(), theirs.LU.numpy())
    for library in (tg, torch):
        with pytest.raises(RuntimeError, match="is zero and using it on lu_solve"):
            library.linalg.lu_factor(library.tensor(a))
        with pytest.raises(RuntimeError, match="is zero and using it on lu_solve"):
            library.linalg.lu_factor_ex(library.tensor(a), check_errors=True)


def test_what_only_raises_in_pytorch_is_left_out():
    a = torch.eye(2)
    for name, arguments in (
        ("lstsq", (a, a)), ("solve", (a, a)), ("eig", (a,)), ("symeig", (a,)),
        ("matrix_rank", (a,)),
    ):  # fmt: skip
        with pytest.raises(RuntimeError, match="is now removed"):
            getattr(torch, name)(*arguments)
        assert not hasattr(tg, name)


@pytest.mark.parametrize("driver", ["gelsy", "gels", "gelsd", "gelss"])
@pytest.mark.parametrize("shape", [(4, 2), (2, 4)])
def test_what_lstsq_returns_requires_grad_as_in_pytorch(driver, shape):
    for dtype in ("float64", "complex128"):
        found = []
        for module in (tg, torch):
            kind = getattr(module, dtype)
            A = module.tensor(np.random.default_rng(0).random(shape)).to(kind).requires_grad_()
            B = module.ones(shape[0], 3, dtype=kind)
            result = module.linalg.lstsq(A, B, driver=driver)
            found.append(
                [(tuple(t.shape), t.requires_grad, str(t.dtype).split(".")[1]) for t in result]
            )
        assert found[0] == found[1]


def test_householder_product_without_factors_requires_grad():
    for module in (tg, torch):
        A = module.ones(2, 3, 2, dtype=module.float64, requires_grad=True)
        q = module.linalg.householder_product(A, module.ones(2, 0, dtype=module.float64))
        assert q.requires_grad
        assert q.tolist() == [[[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]] * 2


@pytest.mark.parametrize("shape", [(0, 0), (0, 2), (2, 0)])
@pytest.mark.parametrize("order", [1, np.inf, 2, "fro", "nuc"])
def test_norms_of_nothing(shape, order):
    for module in (tg, torch):
        assert module.linalg.matrix_norm(module.zeros(shape), order).item() == 0


def test_the_number_of_nonzeros_requires_grad_and_has_none():
    x = tg.tensor([1.0, 0.0, np.nan], requires_grad=True)
    count = tg.linalg.vector_norm(x, 0)
    count.backward()
    assert (count.item(), x.grad.tolist()) == (2.0, [0.0, 0.0, 0.0])
