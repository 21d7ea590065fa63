"""Dual numbers (autograd.forward_ad) and the jvp of a user's Function."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.autograd import Function, forward_ad, gradcheck, gradgradcheck
from tensorgrad.func import functional_call, jvp

RNG = np.random.default_rng(0)
X, V = (tg.from_numpy(RNG.standard_normal((3, 2))) for _ in range(2))


def close(a, b):
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12, atol=1e-12)


# --- Dual numbers ---------------------------------------------------------------------------------


def test_a_tangent_follows_the_program():
    with forward_ad.dual_level() as level:
        assert level == 0
        x = forward_ad.make_dual(X, V)
        assert x.data_ptr() == X.data_ptr()
        close(forward_ad.unpack_dual(x).tangent, V)
        y = x.sin() * x
        primal, tangent = forward_ad.unpack_dual(y)
        close(primal, X.sin() * X)
        close(tangent, (X.cos() * X + X.sin()) * V)
        assert not primal.requires_grad
        assert not tangent.requires_grad
        both = y.sum() + forward_ad.make_dual(X, 2 * V).sum()  # two duals, and y once more
        close(forward_ad.unpack_dual(both).tangent, tangent.sum() + 2 * V.sum())
        filled = tg.zeros(4, 2, dtype=tg.float64)
        filled[1:] = x
        close(forward_ad.unpack_dual(filled).tangent[1:], V)
        assert (forward_ad.unpack_dual(x.sign()).tangent == 0).all()
        for without in (X, x.detach(), x > 0, x.long(), tg.ones(2)):
            assert forward_ad.unpack_dual(without).tangent is None
    assert forward_ad.unpack_dual(y).tangent is None  # the level is closed


def test_a_dual_may_be_written_into():
    values = X.clone()
    with forward_ad.dual_level():
        x = forward_ad.make_dual(values, V)
        kept = x * 2
        x.mul_(3)
        close(forward_ad.unpack_dual(x).tangent, 3 * V)
        close(forward_ad.unpack_dual(kept).tangent, 2 * V)
    close(values, 3 * X)


def test_reverse_mode_goes_through_tangents():
    p = nn.Parameter(X.clone())
    t = V.clone().requires_grad_()
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(p, t)
        assert type(dual) is tg.Tensor
        primal, tangent = forward_ad.unpack_dual((dual**3).sum())
        assert primal.requires_grad
        tangent.backward()
    close(p.grad, 6 * X * V)
    close(t.grad, 3 * X**2)


def test_the_parameters_of_a_module():
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    parameters = {name: p.detach() for name, p in model.named_parameters()}
    along = {name: tg.randn_like(p) for name, p in parameters.items()}
    _, expected = jvp(lambda p: functional_call(model, p, X), (parameters,), (along,))
    with forward_ad.dual_level():
        duals = {n: forward_ad.make_dual(p, along[n]) for n, p in parameters.items()}
        close(forward_ad.unpack_dual(functional_call(model, duals, X)).tangent, expected)


def test_levels_record_and_give_back_the_mode():
    @forward_ad.dual_level()
    def slope():
        return forward_ad.unpack_dual(forward_ad.make_dual(X, V).exp()).tangent

    with tg.no_grad():
        close(slope(), X.exp() * V)
        close(slope(), X.exp() * V)
        assert not tg.is_grad_enabled()
    assert forward_ad.enter_dual_level() == 0
    with pytest.raises(RuntimeError, match="Nested forward mode"):
        forward_ad.enter_dual_level()
    with pytest.raises(RuntimeError, match="not the last one"):
        forward_ad.exit_dual_level(level=3)
    forward_ad.exit_dual_level(level=0)
    with pytest.raises(RuntimeError, match="no level is open"):
        forward_ad.exit_dual_level()


def test_what_is_no_dual_is_refused():
    with pytest.raises(RuntimeError, match="no level exists"):
        forward_ad.make_dual(X, V)
    with forward_ad.dual_level():
        with pytest.raises(RuntimeError, match="different size"):
            forward_ad.make_dual(X, V[0])
        with pytest.raises(ValueError, match="Expected primal to be floating point"):
            forward_ad.make_dual(tg.ones(2).long(), tg.ones(2))
        with pytest.raises(ValueError, match="Expected tangent to be floating point"):
            forward_ad.make_dual(tg.ones(2), tg.ones(2).long())
        with pytest.raises(TypeError, match="tangent must be a Tensor"):
            forward_ad.make_dual(X, 1.0)
        with pytest.raises(RuntimeError, match="already has a forward gradient"):
            forward_ad.make_dual(forward_ad.make_dual(X, V) * 2, V)
        with pytest.raises(TypeError, match="expected a Tensor"):
            forward_ad.unpack_dual(3.0)


# --- A Function's own jvp -------------------------------------------------------------------------


class Exp(Function):
    """Forward mode alone; what it keeps is there for one call of jvp only."""

    @staticmethod
    def forward(ctx, x):
        ctx.result = x.exp()
        return ctx.result

    @staticmethod
    def jvp(ctx, t):
        out = t * ctx.result
        del ctx.result
        return out


def test_gradients_from_a_jvp():
    x = X.clone().requires_grad_()
    y = Exp.apply(x)
    (y * V).sum().backward(retain_graph=True)
    y.sum().backward()
    close(x.grad, X.exp() * (V + 1))
    with forward_ad.dual_level():
        y = Exp.apply(forward_ad.make_dual(X, V))
        close(forward_ad.unpack_dual(y).tangent, X.exp() * V)
        close(forward_ad.unpack_dual(y * 2).tangent, 2 * X.exp() * V)
    assert gradcheck(Exp.apply, (x,), check_forward_ad=True, check_backward_ad=False)


class Both(Function):
    """a * b and a + b; the jvp has a factor of its own, to be told apart from backward."""

    factor = 1.0

    @staticmethod
    def forward(a, b, scale):
        return a * b * scale, a + b

    @staticmethod
    def setup_context(ctx, inputs, output):
        a, b, ctx.scale = inputs
        ctx.save_for_backward(a, b)
        ctx.save_for_forward(b, a)

    @staticmethod
    def backward(ctx, g, h):
        a, b = ctx.saved_tensors
        return g * b * ctx.scale + h, g * a * ctx.scale + h, None

    @staticmethod
    def jvp(ctx, ta, tb, tscale):
        assert tscale is None
        b, a = ctx.saved_tensors
        return (ta * b + a * tb) * ctx.scale * Both.factor, ta + tb


def test_forward_mode_uses_the_jvp_and_reverse_mode_backward(monkeypatch):
    def f(a):
        return Both.apply(a, V, 2.0)

    for factor in (1.0, 3.0):
        monkeypatch.setattr(Both, "factor", factor)
        _, (product, total) = jvp(f, (X,), (X,))
        close(product, 2 * factor * X * V)
        close(total, X)
        x = X.clone().requires_grad_()
        f(x)[0].sum().backward()
        close(x.grad, 2 * V)


def test_gradcheck_of_forward_mode(monkeypatch):
    inputs = (X.clone().requires_grad_(), V.clone().requires_grad_(), 2.0)
    options = {"check_forward_ad": True, "check_batched_forward_grad": False}
    assert gradcheck(Both.apply, inputs, **options)
    assert gradgradcheck(Both.apply, inputs, check_fwd_over_rev=True)
    assert gradcheck(tg.sin, inputs[:1], check_forward_ad=True, check_batched_forward_grad=True)
    monkeypatch.setattr(Both, "factor", 3.0)
    assert gradcheck(Both.apply, inputs)
    assert not gradcheck(Both.apply, inputs, raise_exception=False, **options)
    with pytest.raises(ValueError, match="requires check_forward_ad"):
        gradcheck(tg.sin, inputs[:1], check_batched_forward_grad=True)


def test_a_jvp_of_too_few_tangents():
    class Few(Both):
        @staticmethod
        def jvp(ctx, *tangents):
            return tangents[0]

    with pytest.raises(RuntimeError, match=r"Few\.jvp returned 1 tangents, expected 2"):
        jvp(lambda a: Few.apply(a, V, 2.0), (X,), (X,))
