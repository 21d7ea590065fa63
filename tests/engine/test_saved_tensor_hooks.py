"""Saved-tensor hooks: what nodes keep, in a form of the user's choosing."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.autograd import Function
from tensorgrad.autograd.graph import (
    allow_mutation_on_saved_tensors,
    disable_saved_tensors_hooks,
    save_on_cpu,
    saved_tensors_hooks,
)


def run(x, w):
    y = (x @ w).exp() * x.sum(1, keepdim=True)
    q, r = tg.linalg.qr(y)
    h = nn.functional.batch_norm(y, None, None, training=True) + nn.functional.conv1d(
        y[None], w[:, :, None]
    )[0] * nn.functional.softmax(y, 1)
    return (q.abs() + r.abs()[:3]).sum() + h.square().sum() + y.max(1).values.sum()


def leaves():
    tg.manual_seed(0)
    x = tg.randn(3, 3, dtype=tg.float64, requires_grad=True)
    return x, tg.randn(3, 3, dtype=tg.float64, requires_grad=True)


@pytest.mark.parametrize("create", [False, True])
def test_gradients_are_the_same_through_bytes(create):
    x, w = leaves()
    plain = tg.autograd.grad(run(x, w), [x, w], create_graph=create)
    packs, unpacks = [], []

    def pack(t):
        assert not tg.is_grad_enabled()
        packs.append(t.shape)
        return (
            t.numpy().tobytes() if not t.requires_grad else t.detach().numpy().tobytes(),
            t.dtype,
            t.shape,
        )

    def unpack(kept):
        data, dtype, shape = kept
        unpacks.append(shape)
        return tg.from_numpy(np.frombuffer(data, dtype).reshape(shape).copy())

    with saved_tensors_hooks(pack, unpack):
        y = run(x, w)
    assert len(packs) > 8
    assert not unpacks
    packed = tg.autograd.grad(y, [x, w], create_graph=create)
    assert len(unpacks) == len(packs)
    for a, b in zip(plain, packed, strict=True):
        assert np.array_equal(a.detach().numpy(), b.detach().numpy())
    if create:
        seconds = [
            tg.autograd.grad(sum(g.square().sum() for g in found), [x, w])
            for found in (plain, packed)
        ]
        for a, b in zip(*seconds, strict=True):
            assert np.allclose(a.numpy(), b.numpy(), rtol=1e-12)


def test_what_the_pack_hook_sees():
    seen = []
    x = tg.ones(3, requires_grad=True)
    a = x * 2
    with saved_tensors_hooks(lambda t: seen.append(t) or t, lambda t: t):
        x.sin()
        a.sin()
        a.exp()
        x + 1
    assert len(seen) == 3
    assert seen[0] is x
    assert seen[1].grad_fn is a.grad_fn
    assert not seen[2].requires_grad  # an output is shown detached: else a cycle
    assert np.shares_memory(seen[1]._array, a._array)


def test_the_innermost_pair_counts_and_the_block_ends():
    names = []

    def named(name):
        return saved_tensors_hooks(lambda t: names.append(name) or t, lambda t: t)

    x = tg.ones(3, requires_grad=True)
    with named("outer"):
        x.sin()
        with named("inner"):
            x.sin()
        x.sin()
        with tg.no_grad():
            x.sin()
    x.sin()
    assert names == ["outer", "inner", "outer"]


def test_errors():
    x = tg.ones(3, requires_grad=True)
    a = x * 2
    writes = saved_tensors_hooks(lambda t: t.add_(1), lambda t: t)
    with pytest.raises(RuntimeError, match="pack hook is modifying its input in place"), writes:
        a.exp()
    with saved_tensors_hooks(lambda t: 3, lambda t: t):
        y = a.exp()
    with pytest.raises(
        TypeError, match="unpack_hook expected to be a Tensor but got result of type int"
    ):
        y.sum().backward()
    with saved_tensors_hooks(lambda t: t, lambda t: t[:1]):
        y = a.exp()
    with pytest.raises(RuntimeError, match=r"float32\(3,\) was packed.*float32\(1,\)"):
        y.sum().backward()
    with saved_tensors_hooks(lambda t: t.double(), lambda t: t):
        y = a.exp()
    with pytest.raises(RuntimeError, match="restore"):
        y.sum().backward()
    with pytest.raises(TypeError, match="callable"), saved_tensors_hooks(1, 2):
        pass
    assert tg.exp(x).grad_fn is not None  # the failures left nothing behind
    assert tg.is_grad_enabled()
    hooks = saved_tensors_hooks(lambda t: t, lambda t: t)
    refused = pytest.raises(RuntimeError, match="not here")
    with disable_saved_tensors_hooks("not here"), refused, hooks:
        pass
    with hooks, refused, disable_saved_tensors_hooks("not here"):
        pass
    a.exp().sum().backward()  # nothing is left behind


def test_a_kept_tensor_that_is_written_is_found_out_and_a_copy_is_not():
    x = tg.ones(3, requires_grad=True)
    with saved_tensors_hooks(lambda t: t, lambda t: t):
        y = (x * 2).exp()
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        y.sum().backward()
    for hooks in (
        saved_tensors_hooks(lambda t: t.clone(), lambda t: t),
        save_on_cpu(pin_memory=True),
    ):
        x.grad = None
        with hooks:
            y = (x * 2).exp()
        y.add_(1)
        y.sum().backward()
        assert np.allclose(x.grad.numpy(), 2 * np.exp(2))
    x.grad = None
    with save_on_cpu():
        (x * 2).exp().sum().backward()
    assert np.allclose(x.grad.numpy(), 2 * np.exp(2))


def test_the_arrays_are_let_go():
    import weakref

    x = tg.ones(1000, requires_grad=True)
    with saved_tensors_hooks(
        lambda t: t.numpy().copy() if not t.requires_grad else None, tg.tensor
    ):
        y = (x * 2).exp()
    gone = weakref.ref(y._array)
    z = y.sum()
    del y
    assert gone() is None
    z.backward()
    assert np.allclose(x.grad.numpy(), 2 * np.exp(2))


def test_saved_attributes_and_their_hooks():
    x = tg.ones(3, requires_grad=True)
    a = x * 2
    y = a.exp()
    assert y.grad_fn._saved_result.tolist() == y.tolist()
    assert y.grad_fn._saved_result.grad_fn is y.grad_fn
    m = a * x
    assert m.grad_fn._saved_other is x
    assert m.grad_fn._saved_self.grad_fn is a.grad_fn
    assert (a * 3.0).grad_fn._saved_other == 3.0
    assert a.sin().grad_fn._saved_result is None
    assert m.grad_fn.saved_tensor("b").value() is x
    with pytest.raises(AttributeError, match=r"'nothing'; there are result, x"):
        y.grad_fn.saved_tensor("nothing")
    with pytest.raises(AttributeError, match="other"):
        _ = y.grad_fn._saved_other
    raw = y.grad_fn._raw_saved_result
    raw.register_hooks(lambda t: (t * 2).tolist(), lambda kept: tg.tensor(kept) / 2)
    with pytest.raises(RuntimeError, match="already been set"):
        raw.register_hooks(lambda t: t, lambda t: t)
    with pytest.raises(RuntimeError, match="None is forbidden"):
        a.sin().grad_fn._raw_saved_result.register_hooks(lambda t: t, lambda t: t)
    with pytest.raises(TypeError, match="callables"):
        raw.register_hooks(1, 2)
    y.sum().backward()
    assert np.allclose(x.grad.numpy(), 2 * np.exp(2))
    with pytest.raises(RuntimeError, match="second time"):
        _ = y.grad_fn._saved_result
    with pytest.raises(RuntimeError, match="after it has been freed"):
        raw.register_hooks(lambda t: t, lambda t: t)


def test_functions_of_users():
    class Cube(Function):
        @staticmethod
        def forward(ctx, x):
            y = x**3
            ctx.save_for_backward(x, y, None)
            ctx.note = "kept"
            return y

        @staticmethod
        def backward(ctx, g):
            x, y, none = ctx.saved_tensors
            assert none is None
            return g * 3 * y / x

    x = tg.tensor([1.0, 2.0], dtype=tg.float64, requires_grad=True)
    packs = []
    with saved_tensors_hooks(lambda t: packs.append(t) or t.detach().numpy().copy(), tg.tensor):
        y = Cube.apply(x * 1.0)
    assert len(packs) == 2 + 0  # x * 1.0 saves nothing but a number
    (g,) = tg.autograd.grad(y.sum(), x, create_graph=True)
    assert g.tolist() == [3.0, 12.0]
    (h,) = tg.autograd.grad(g.sum(), x)
    assert h.tolist() == [6.0, 12.0]
    z = Cube.apply(x)
    assert z.grad_fn.note == "kept"
    assert z.grad_fn.saved_tensors[0] is x
    z.grad_fn._raw_saved_tensors[0].register_hooks(
        lambda t: t.tolist(), lambda v: tg.tensor(v, dtype=tg.float64)
    )
    z.sum().backward()
    assert x.grad.tolist() == [3.0, 12.0]


def test_anomaly_and_hooks_together():
    x = tg.ones(3, requires_grad=True)
    with tg.autograd.detect_anomaly(), saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        (x * 2).exp().sum().backward()
    with saved_tensors_hooks(lambda t: t.clone(), lambda t: t), tg.autograd.detect_anomaly():
        (x * 2).exp().sum().backward()
    assert np.allclose(x.grad.numpy(), 4 * np.exp(2))


def test_mutation_of_saved_tensors():
    x = tg.randn(4, dtype=tg.float64, requires_grad=True)
    expected = 2 * np.cos(2 * x.detach().numpy()) + np.exp(2 * x.detach().numpy()) * 2
    with allow_mutation_on_saved_tensors() as kept:
        a = x * 2
        b = a.exp()
        y = a.sin() + b
        with tg.no_grad():
            a.mul_(7)
            b[1:].zero_()
        y.sum().backward()
        assert np.allclose(x.grad.numpy(), expected)
        with (
            pytest.raises(RuntimeError, match="cannot be nested"),
            allow_mutation_on_saved_tensors(),
        ):
            pass
        z = x.sin()
        kept.clear()
        with pytest.raises(RuntimeError, match="outside"):
            z.sum().backward()
    with allow_mutation_on_saved_tensors():
        z = x.sin()
    with pytest.raises(RuntimeError, match="outside"):
        z.sum().backward()


def test_mutation_by_an_optimizer_is_found_out():
    layer = nn.Linear(2, 2)
    layer.weight.grad = tg.ones(2, 2)
    step = tg.optim.SGD(layer.parameters(), 0.1)
    with allow_mutation_on_saved_tensors():
        y = layer(tg.ones(1, 2, requires_grad=True))
        step.step()
        with pytest.raises(RuntimeError, match="optimizer"):
            y.sum().backward()
