"""tensorgrad.func: functions in, functions out."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.func import (
    functional_call,
    grad,
    grad_and_value,
    hessian,
    hvp,
    jacfwd,
    jacrev,
    jvp,
    value_and_grad,
    vjp,
)
from tensorgrad.tree import flatten

RNG = np.random.default_rng(0)
X = tg.tensor(RNG.standard_normal(3))
W = tg.tensor(RNG.standard_normal((2, 3)))


def scalar(x):
    return (x.sin() * x**3).sum()


def slope(x):
    return np.cos(x) * x**3 + 3 * np.sin(x) * x**2


def test_grad_and_values():
    x = X.numpy()
    assert np.allclose(grad(scalar)(X).numpy(), slope(x))
    g, value = grad_and_value(scalar)(X)
    assert np.allclose(g.numpy(), slope(x))
    assert np.isclose(value.item(), (np.sin(x) * x**3).sum())
    value, g = value_and_grad(scalar)(X)
    assert np.allclose(g.numpy(), slope(x))
    assert not g.requires_grad
    assert not value.requires_grad
    assert X.grad is None
    assert not X.requires_grad


def test_argnums_aux_and_trees():
    def f(weights, x):
        y = x @ weights["w"].t() + weights["b"]
        return (y**2).sum(), y

    weights = {"w": W, "b": tg.ones(2, dtype=tg.float64)}
    (gw, gx), y = grad(f, argnums=(0, 1), has_aux=True)(weights, X)
    expected = W.numpy() @ X.numpy() + 1
    assert np.allclose(y.numpy(), expected)
    assert np.allclose(gw["b"].numpy(), 2 * expected)
    assert np.allclose(gw["w"].numpy(), 2 * np.outer(expected, X.numpy()))
    assert np.allclose(gx.numpy(), 2 * expected @ W.numpy())


def test_nesting():
    third = grad(lambda x: grad(lambda y: grad(lambda z: (z**5).sum())(y).sum())(x).sum())(X)
    assert np.allclose(third.numpy(), 60 * X.numpy() ** 2)


def test_what_is_outside_stays_connected():
    w = W.clone().requires_grad_()
    g = grad(lambda x: (w @ x).tanh().sum())(X)
    assert g.requires_grad
    g.sum().backward()
    assert w.grad is not None


def test_no_grad_outside_does_not_matter_inside():
    with tg.no_grad():
        assert np.allclose(grad(scalar)(X).numpy(), slope(X.numpy()))


def test_vjp_and_jvp():
    def f(x, w):
        return (w @ x).sin(), x * 2

    (a, b), pull_back = vjp(f, X, W)
    cosine = np.cos(W.numpy() @ X.numpy())
    seeds = (tg.ones_like(a), tg.zeros_like(b))
    gx, gw = pull_back(seeds)
    assert np.allclose(gx.numpy(), cosine @ W.numpy())
    assert np.allclose(gw.numpy(), np.outer(cosine, X.numpy()))
    along = tg.tensor(RNG.standard_normal(3)), tg.tensor(RNG.standard_normal((2, 3)))
    (_, _), (ta, tb) = jvp(f, (X, W), along)
    dx, dw = along[0].numpy(), along[1].numpy()
    assert np.allclose(ta.numpy(), cosine * (W.numpy() @ dx + dw @ X.numpy()))
    assert np.allclose(tb.numpy(), 2 * dx)
    assert not ta.requires_grad


def test_jacobians_and_hessians():
    def f(x):
        return (W @ x).exp()

    expected = np.exp(W.numpy() @ X.numpy())[:, None] * W.numpy()
    for jacobian in (jacrev, jacfwd):
        assert np.allclose(jacobian(f)(X).numpy(), expected)
    assert jacrev(lambda x: x[:0])(X).shape == (0, 3)
    x = X.numpy()
    second = np.diag(-np.sin(x) * x**3 + 6 * np.cos(x) * x**2 + 6 * np.sin(x) * x)
    assert np.allclose(hessian(scalar)(X).numpy(), second)
    (first,), (product,) = hvp(scalar, (X,), (tg.ones_like(X),))
    assert np.allclose(first.numpy(), slope(x))
    assert np.allclose(product.numpy(), second.sum(1))


def test_jacfwd_takes_and_returns_trees_as_jacrev_does():
    def f(p, y):
        return {"a": p["w"] * y, "b": (p["v"].sin(), y.sum())}

    p = {"w": X, "v": X[:2] ** 2}
    for argnums in (0, 1, (0, 1), (1,)):
        forward, reverse = (jac(f, argnums)(p, X) for jac in (jacfwd, jacrev))
        rows, build = flatten(forward)
        expected, same = flatten(reverse)
        assert str(build(rows)) == str(same(rows))  # the same structure
        assert all(np.allclose(r.numpy(), e.numpy()) for r, e in zip(rows, expected, strict=True))
    with pytest.raises(TypeError, match=r"jacfwd: expected tensors .* got float; .* argnums"):
        jacfwd(f)(1.5, X)
    with pytest.raises(RuntimeError, match="no tensor"):
        jacfwd(f)({}, X)


def test_functional_call_gives_back_what_forward_assigned():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("calls", tg.zeros(()))

        def forward(self, x):
            self.calls = self.calls + 1
            return x * self.calls

    model, given = Counting(), {"calls": tg.ones(())}
    assert functional_call(model, given, tg.ones(())).item() == 2
    assert given["calls"].item() == 2
    assert model.calls.item() == 0


def test_functional_call_of_a_tensor_with_two_names():
    layer = nn.Linear(2, 2)
    model = nn.Sequential(layer, layer)
    x, weight, bias = tg.ones(1, 2), tg.eye(2), tg.ones(2)
    # All names of a tensor count as given, and one tensor may be given under several.
    new = {"0.weight": weight, "1.weight": weight, "0.bias": bias}
    assert functional_call(model, new, x, strict=True).tolist() == [[3, 3]]
    with pytest.raises(ValueError, match=r"'0.weight', '1.weight'.*are one tensor"):
        functional_call(model, {**new, "1.weight": weight * 2}, x)
    again = functional_call(model, {**new, "1.bias": bias}, x, tie_weights=False, strict=False)
    assert again.tolist() == [[3, 3]]


def test_functional_call():
    model = nn.Sequential(nn.Linear(3, 2), nn.Tanh()).double()
    new = {name: p.detach() * 2 for name, p in model.named_parameters()}
    before = list(model.parameters())
    out = functional_call(model, new, (X,))
    assert np.allclose(
        out.numpy(), np.tanh(2 * (model[0].weight @ X + model[0].bias).detach().numpy())
    )
    assert all(a is b for a, b in zip(before, model.parameters(), strict=True))
    g = grad(lambda p: functional_call(model, p, X).sum())(new)
    assert set(g) == {"0.weight", "0.bias"}
    assert tg.equal(functional_call(model, {"x": X}, X), model(X))  # as PyTorch, unless strict
    with pytest.raises(RuntimeError, match=r"unexpected key\(s\) \['x'\]"):
        functional_call(model, {**new, "x": X}, X, strict=True)
    with pytest.raises(RuntimeError, match=r"missing key\(s\) \['0.bias'\]"):
        functional_call(model, {"0.weight": new["0.weight"]}, X, strict=True)


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: grad(lambda x: x)(X), RuntimeError, "0-d tensor"),
        (lambda: grad(scalar, argnums=2)(X), RuntimeError, "argnum=2"),
        (lambda: grad(scalar)(3.0), TypeError, "float"),
        (lambda: grad(scalar)(tg.tensor([1, 2])), RuntimeError, "int64"),
        (lambda: vjp(scalar, X)[1]((X, X)), RuntimeError, "expected 1 cotangents"),
        (lambda: jvp(scalar, (X,), (W,)), RuntimeError, "shapes"),
        (lambda: grad(scalar, has_aux=True)(X), RuntimeError, "has_aux"),
    ],
)
def test_wrong_use(call, kind, words):
    with pytest.raises(kind, match=words):
        call()
