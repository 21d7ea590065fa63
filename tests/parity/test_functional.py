"""autograd.functional beside PyTorch's: values, forms, errors."""

import numpy as np
import pytest
import torch

import tensorgrad as tg

X = np.random.default_rng(0).standard_normal((2, 3))
Y = np.random.default_rng(1).standard_normal(3)
V = np.random.default_rng(2).standard_normal((2, 3))
W = np.random.default_rng(3).standard_normal(3)


def compare(a, b):
    if isinstance(b, (tuple, list)):
        assert type(a) is tuple  # PyTorch returns lists for the forward strategy
        assert len(a) == len(b)
        for p, q in zip(a, b, strict=True):
            compare(p, q)
        return
    assert tuple(a.shape) == tuple(b.shape)
    assert str(a.dtype).split(".")[-1] == str(b.dtype).split(".")[-1]
    assert a.requires_grad == b.requires_grad
    assert np.allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-10, atol=1e-12)


def both(run):
    """The same call in both libraries: (result or error) of each."""
    results = []
    for library in (tg, torch):
        make = lambda array, library=library: library.tensor(array)  # noqa: E731
        try:
            results.append(run(library, library.autograd.functional, make))
        except Exception as error:
            results.append(error)
    mine, theirs = results
    if isinstance(theirs, Exception):
        assert isinstance(mine, type(theirs)), (mine, theirs)
    else:
        assert not isinstance(mine, Exception), mine
        compare(mine, theirs)


def vector(x, y):
    return x.sin() * y, (x * y).sum(1).exp()


def one(x):
    return x.exp().sum(1)


def number(x, y):
    return (x.sin() * y.exp()).sum() + (x**3).sum()


CREATE = pytest.mark.parametrize("create", [False, True])


@CREATE
def test_products(create):
    both(lambda t, f, m: f.vjp(vector, (m(X), m(Y)), (m(V), m(V[:, 0])), create_graph=create))
    both(lambda t, f, m: f.vjp(one, m(X), m(V[:, 0]), create_graph=create))
    both(lambda t, f, m: f.vjp(lambda x: x.sum(), m(X), create_graph=create))
    both(lambda t, f, m: f.jvp(vector, (m(X), m(Y)), (m(V), m(W)), create_graph=create))
    both(lambda t, f, m: f.jvp(one, m(X), m(V), create_graph=create))
    both(lambda t, f, m: f.jvp(lambda x: x * 2, m(X[0, 0]), create_graph=create))
    both(lambda t, f, m: f.vhp(number, (m(X), m(Y)), (m(V), m(W)), create_graph=create))
    both(lambda t, f, m: f.hvp(number, (m(X), m(Y)), (m(V), m(W)), create_graph=create))
    both(lambda t, f, m: f.hvp(lambda x: (x**3).sum(), m(X), m(V), create_graph=create))


@CREATE
@pytest.mark.parametrize("vectorize", [False, True])
def test_matrices(create, vectorize):
    words = {"create_graph": create, "vectorize": vectorize}
    both(lambda t, f, m: f.jacobian(vector, (m(X), m(Y)), **words))
    both(lambda t, f, m: f.jacobian(one, m(X), **words))
    both(lambda t, f, m: f.jacobian(lambda x: x.sum(), m(X), **words))
    both(lambda t, f, m: f.jacobian(lambda x, y: x * 2, (m(X), m(Y)), **words))
    both(lambda t, f, m: f.hessian(number, (m(X), m(Y)), **words))
    both(lambda t, f, m: f.hessian(lambda x: (x**3).sum(), m(X), **words))
    both(lambda t, f, m: f.hessian(lambda x: (x * 2).sum(), m(X), **words))


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_forward_strategy():
    words = {"vectorize": True, "strategy": "forward-mode"}
    both(lambda t, f, m: f.jacobian(vector, (m(X), m(Y)), **words))
    both(lambda t, f, m: f.jacobian(one, m(X), **words))
    outer = {"vectorize": True, "outer_jacobian_strategy": "forward-mode"}

    def hessian(library, functional, make):  # PyTorch's stays attached, against its documentation
        rows = functional.hessian(number, (make(X), make(Y)), **outer)
        return tuple(tuple(block.detach() for block in row) for row in rows)

    both(hessian)
    with pytest.raises(NotImplementedError, match="vectorize=True"):
        tg.autograd.functional.jacobian(one, tg.tensor(X), strategy="forward-mode")
    with pytest.raises(ValueError, match="strategy"):
        tg.autograd.functional.jacobian(one, tg.tensor(X), strategy="backwards")
    with pytest.raises(ValueError, match="outer_jacobian_strategy"):
        tg.autograd.functional.hessian(one, tg.tensor(X), outer_jacobian_strategy="backwards")


def test_results_of_create_graph_differentiate_again():
    def run(library, functional, make):
        x = make(X).requires_grad_()
        found = functional.jacobian(one, x, create_graph=True)
        found.square().sum().backward()
        y = make(X).requires_grad_()
        _, product = functional.jvp(one, y, make(V), create_graph=True)
        product.square().sum().backward()
        return x.grad, y.grad

    both(run)


def test_errors():
    both(lambda t, f, m: f.vjp(one, [m(X)], m(V[:, 0])))
    both(lambda t, f, m: f.vjp(one, (m(X), 3)))
    both(lambda t, f, m: f.vjp(one, m(X)))
    both(lambda t, f, m: f.vjp(one, m(X), m(V)))
    both(lambda t, f, m: f.vjp(one, m(X), (m(V), m(V))))
    both(lambda t, f, m: f.vjp(lambda x: 3, m(X)))
    both(lambda t, f, m: f.jvp(one, m(X)))
    both(lambda t, f, m: f.jvp(one, m(X), m(W)))
    both(lambda t, f, m: f.vhp(one, m(X), m(V)))
    both(lambda t, f, m: f.hvp(vector, (m(X), m(Y)), (m(V), m(W))))
    both(lambda t, f, m: f.hessian(one, m(X)))
    both(lambda t, f, m: f.jacobian(one, m(X), strict=True, vectorize=True))


@pytest.mark.parametrize("name", ["vjp", "jvp", "vhp", "hvp", "jacobian", "hessian"])
def test_strict(name):
    def call(f, m, func, **words):
        if name in ("jacobian", "hessian"):
            return getattr(f, name)(func, m(X), strict=True, **words)
        v = None if name == "vjp" else m(V)
        return getattr(f, name)(func, m(X), v, strict=True, **words)

    for func in (
        lambda x: (x**3).sum(),
        lambda x: (x * 2).sum(),
        lambda x: (x.detach() * 2).sum(),
        lambda x: (x[:0] * 2).sum(),
        lambda x: (0.5 * x * x).sum() + x.detach().sum(),
    ):
        for create in (False, True):
            both(lambda t, f, m, func=func, c=create: call(f, m, func, create_graph=c))


def test_inside_no_grad():
    def run(library, functional, make):
        with library.no_grad():
            return functional.jacobian(one, make(X))

    both(run)


def test_batched_gradients():
    def run(library, functional, make):
        x, y = make(X).requires_grad_(), make(Y).requires_grad_()
        z = make(Y).requires_grad_()
        out = x.sin() * y
        seeds = make(np.stack([V, 2 * V, V * V]))
        found = library.autograd.grad(
            out, (x, y, z), seeds, is_grads_batched=True, allow_unused=True, create_graph=True
        )
        assert found[2] is None
        return found[:2]

    both(run)
    x = tg.ones(3, requires_grad=True)
    for seeds in (tg.ones(()), tg.ones(0, 3)):
        with pytest.raises(RuntimeError, match="leading dimension"):
            tg.autograd.grad(x * 2, x, seeds, is_grads_batched=True)
    with pytest.raises(RuntimeError, match="mismatch in shape"):
        tg.autograd.grad(x * 2, x, tg.ones(2, 4), is_grads_batched=True)
