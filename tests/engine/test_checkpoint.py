"""utils.checkpoint: the same gradients, run again instead of kept."""

import contextlib
import gc
import tracemalloc

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.utils.checkpoint import (
    CheckpointError,
    checkpoint,
    checkpoint_sequential,
    set_checkpoint_debug_enabled,
    set_checkpoint_early_stop,
)

BOTH = pytest.mark.parametrize("reentrant", [False, True])


def block(seed=0, drop=0.0):
    tg.manual_seed(seed)
    layers = [nn.Linear(6, 6), nn.Tanh(), nn.Dropout(drop), nn.Linear(6, 6), nn.Sigmoid()]
    return nn.Sequential(*layers).double()


def gradients(run, model, x):
    model.zero_grad()
    x.grad = None
    tg.manual_seed(3)
    loss = run(x).square().sum()
    loss.backward()
    return [loss.item(), x.grad.numpy(), *(p.grad.numpy() for p in model.parameters())]


def same(a, b):
    return all(np.array_equal(p, q) for p, q in zip(a, b, strict=True))


@BOTH
@pytest.mark.parametrize("drop", [0.0, 0.5])
def test_gradients_are_the_same_bit_for_bit(reentrant, drop):
    model = block(drop=drop)
    x = tg.randn(4, 6, dtype=tg.float64, requires_grad=True)
    plain = gradients(model, model, x)
    kept = gradients(lambda v: checkpoint(model, v, use_reentrant=reentrant), model, x)
    assert same(plain, kept)


@BOTH
def test_random_state_goes_on_as_if_nothing_was_run_again(reentrant):
    model = block(drop=0.5)
    x = tg.randn(4, 6, dtype=tg.float64, requires_grad=True)
    gradients(lambda v: checkpoint(model, v, use_reentrant=reentrant), model, x)
    after = tg.rand(3).tolist()
    gradients(model, model, x)
    assert tg.rand(3).tolist() == after


@BOTH
def test_without_the_random_state_dropout_differs(reentrant):
    model = block(drop=0.5)
    x = tg.randn(64, 6, dtype=tg.float64, requires_grad=True)
    plain = gradients(model, model, x)
    kept = gradients(
        lambda v: checkpoint(model, v, use_reentrant=reentrant, preserve_rng_state=False), model, x
    )
    assert not same(plain, kept)


def test_runs_the_function_again_once_and_stops_early():
    ran = []

    def f(x):
        ran.append("first")
        y = x.sin()
        z = y.exp()
        ran.append("last")
        return z + 1

    x = tg.ones(3, requires_grad=True)
    checkpoint(f, x, use_reentrant=False).sum().backward()
    assert ran == ["first", "last", "first"]  # exp saves its output: nothing after it is needed
    ran.clear()
    checkpoint(f, x, use_reentrant=False, early_stop=False).sum().backward()
    assert ran == ["first", "last"] * 2
    ran.clear()
    with set_checkpoint_early_stop(False):
        y = checkpoint(f, x, use_reentrant=False)
    y.sum().backward()
    assert ran == ["first", "last"] * 2


def test_kwargs_nested_arguments_and_several_outputs():
    def f(x, scale, pair, *, bias, name):
        assert name == "n"
        return x * scale + bias, pair["w"].exp() * pair["k"], 7

    def run(call):
        x = tg.tensor([1.0, 2.0], requires_grad=True)
        b = tg.tensor([0.5, 0.5], requires_grad=True)
        w = tg.tensor([0.1, 0.2], requires_grad=True)
        first, second, seven = call(f, x, 3.0, {"w": w, "k": 2}, bias=b, name="n")
        assert seven == 7
        (first * second).sum().backward()
        return [t.grad.tolist() for t in (x, b, w)]

    plain = run(lambda f, *args, **kwargs: f(*args, **kwargs))
    assert run(lambda f, *a, **k: checkpoint(f, *a, use_reentrant=False, **k)) == plain


def test_reentrant_takes_other_values_and_several_outputs():
    def f(x, scale, nothing):
        assert nothing is None
        return x * scale, x.exp()

    x = tg.tensor([1.0, 2.0], requires_grad=True)
    a, b = checkpoint(f, x, 3.0, None, use_reentrant=True)
    (a + b).sum().backward()
    assert np.allclose(x.grad.numpy(), 3 + np.exp([1.0, 2.0]))


@BOTH
def test_nested(reentrant):
    inner, outer = block(1), block(2)
    model = nn.ModuleList([inner, outer])
    x = tg.randn(4, 6, dtype=tg.float64, requires_grad=True)

    def nested(v):
        def both(u):
            return outer(checkpoint(inner, u, use_reentrant=reentrant) * 2)

        return checkpoint(both, v, use_reentrant=reentrant)

    assert same(gradients(lambda v: outer(inner(v) * 2), model, x), gradients(nested, model, x))


def test_inner_checkpoint_does_not_hold_its_inputs():
    kept = []

    def inner(v):
        kept.append(v._array)
        return v.sin().exp()

    def both(u):
        return checkpoint(inner, u * 2, use_reentrant=False)

    x = tg.randn(5, requires_grad=True)
    y = checkpoint(both, x, use_reentrant=False)
    import weakref

    gone = weakref.ref(kept.pop())
    assert gone() is None
    y.sum().backward()
    expected = tg.tensor(x.tolist(), requires_grad=True)
    (expected * 2).sin().exp().sum().backward()
    assert np.allclose(x.grad.numpy(), expected.grad.numpy())


def test_second_order_without_reentry():
    def f(x):
        return (x.sin() * x.exp()).tanh()

    x = tg.randn(4, dtype=tg.float64, requires_grad=True)
    found = []
    for call in (f, lambda v: checkpoint(f, v, use_reentrant=False)):
        (g,) = tg.autograd.grad(call(x).sum(), x, create_graph=True)
        (h,) = tg.autograd.grad(g.square().sum(), x)
        found.append((g.detach().numpy(), h.numpy()))
    assert np.array_equal(found[0][0], found[1][0])
    assert np.allclose(found[0][1], found[1][1], rtol=1e-14)
    assert tg.gradgradcheck(lambda v: checkpoint(f, v, use_reentrant=False), x)


def test_reentrant_refuses_what_it_cannot_do():
    x = tg.ones(3, requires_grad=True)
    y = checkpoint(tg.exp, x, use_reentrant=True)
    with pytest.raises(RuntimeError, match=r"incompatible with \.grad\(\)"):
        tg.autograd.grad(y.sum(), x)
    y = checkpoint(tg.exp, x, use_reentrant=True)
    with pytest.raises(RuntimeError, match="inputs"):
        y.sum().backward(inputs=[x])
    y = checkpoint(tg.exp, x, use_reentrant=True)
    with (
        pytest.raises(RuntimeError, match="create_graph"),
        pytest.warns(UserWarning, match="reference cycle"),
    ):
        y.sum().backward(create_graph=True)
    with pytest.raises(ValueError, match="Unexpected keyword arguments: k"):
        checkpoint(tg.exp, x, use_reentrant=True, k=1)
    with pytest.raises(ValueError, match="debug"):
        checkpoint(tg.exp, x, use_reentrant=True, debug=True)
    with pytest.warns(UserWarning, match="None of the inputs"):
        checkpoint(tg.exp, tg.ones(2), use_reentrant=True)
    with pytest.warns(UserWarning, match="use_reentrant parameter"):
        checkpoint(tg.exp, x)


def test_retain_graph_inputs_and_grad():
    x = tg.ones(3, dtype=tg.float64, requires_grad=True)
    w = tg.full((3,), 2.0, dtype=tg.float64, requires_grad=True)
    y = checkpoint(lambda v: (v * w).sin() * w.exp(), x, use_reentrant=False).sum()
    (only,) = tg.autograd.grad(y, x, retain_graph=True)
    again = tg.autograd.grad(y, [x, w], retain_graph=True)
    y.backward(inputs=[w])
    assert np.array_equal(only.numpy(), again[0].numpy())
    assert np.array_equal(w.grad.numpy(), again[1].numpy())
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_inside_no_grad_and_of_constants():
    calls = []

    def f(x):
        calls.append(1)
        return x.exp()

    with tg.no_grad():
        y = checkpoint(f, tg.ones(2, requires_grad=True), use_reentrant=False)
    assert not y.requires_grad
    z = checkpoint(f, tg.ones(2), use_reentrant=False)
    assert not z.requires_grad
    assert len(calls) == 2


def test_contexts_for_the_two_runs():
    seen = []

    @contextlib.contextmanager
    def note(name):
        seen.append(name)
        yield
        seen.append(f"after {name}")

    x = tg.ones(2, requires_grad=True)
    f = lambda v: v.exp()  # noqa: E731
    y = checkpoint(f, x, use_reentrant=False, context_fn=lambda: (note("forward"), note("again")))
    assert seen == ["forward", "after forward"]
    with set_checkpoint_early_stop(False):
        y.sum().backward()
    assert seen[2] == "again"


def test_a_function_that_changes_is_found_out():
    state = {"n": 0}

    def fewer(x):
        state["n"] += 1
        return x.exp().sin() if state["n"] == 1 else x.exp()

    def shapes(x):
        state["n"] += 1
        return x.exp() if state["n"] == 1 else x[:1].exp()

    x = tg.ones(3, requires_grad=True)
    y = checkpoint(fewer, x, use_reentrant=False)
    with pytest.raises(CheckpointError, match="different number of tensors"):
        y.sum().backward()
    state["n"] = 0
    y = checkpoint(shapes, x, use_reentrant=False)
    with pytest.raises(CheckpointError, match="different metadata"):
        y.sum().backward()
    state["n"] = 0
    y = checkpoint(shapes, x, use_reentrant=False, determinism_check="none")
    with pytest.raises(RuntimeError, match="must restore shape"):
        y.sum().backward()
    state["n"] = 0
    with set_checkpoint_debug_enabled(True):
        y = checkpoint(fewer, x, use_reentrant=False)
    with pytest.raises(CheckpointError, match="sin float32") as caught:
        y.sum().backward()
    assert "test_checkpoint.py" in str(caught.value)
    with pytest.raises(ValueError, match="determinism_check"):
        checkpoint(tg.exp, x, use_reentrant=False, determinism_check="some")
    with pytest.raises(ValueError, match="debug=True"):
        checkpoint(tg.exp, x, use_reentrant=False, debug=True, context_fn=lambda: (None, None))


def test_what_was_written_in_between_is_found_out():
    w = tg.ones(3, requires_grad=True)
    x = tg.ones(3, requires_grad=True) * 2
    y = checkpoint(lambda v: (v * w).exp(), x, use_reentrant=False)
    with tg.no_grad():
        w.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        y.sum().backward()
    y = checkpoint(lambda v: (v * w).exp(), x, use_reentrant=False)
    x.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        y.sum().backward()

    def writes(v):
        u = v * 2
        s = u.exp()
        s.add_(1)
        return s

    z = checkpoint(writes, tg.ones(2, requires_grad=True), use_reentrant=False, early_stop=False)
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        z.sum().backward()


def test_a_backward_inside_the_function():
    def f(v):
        (g,) = tg.autograd.grad(v.sin().sum(), v, create_graph=True)
        return g * v.exp()

    x = tg.randn(3, dtype=tg.float64, requires_grad=True)
    checkpoint(f, x, use_reentrant=False).sum().backward()
    other = tg.tensor(x.tolist(), dtype=tg.float64, requires_grad=True)
    (other.cos() * other.exp()).sum().backward()
    assert np.allclose(x.grad.numpy(), other.grad.numpy(), rtol=1e-14)


@BOTH
def test_sequential(reentrant):
    model = block(drop=0.3)
    x = tg.randn(4, 6, dtype=tg.float64, requires_grad=True)
    plain = gradients(model, model, x)
    for segments in (1, 2, 3, 5):
        kept = gradients(
            lambda v, n=segments: checkpoint_sequential(model, n, v, use_reentrant=reentrant),
            model,
            x,
        )
        assert same(plain, kept)
    with pytest.raises(ValueError, match="6 segments of 5"):
        checkpoint_sequential(model, 6, x, use_reentrant=reentrant)
    with pytest.raises(ValueError, match="0 segments of 5"):
        checkpoint_sequential(model, 0, x, use_reentrant=reentrant)
    with pytest.raises(ValueError, match="Unexpected keyword"):
        checkpoint_sequential(model, 2, x, use_reentrant=reentrant, other=1)


def peak(run):
    gc.collect()
    tg.backends.empty_cache()  # memory from before would not be counted
    tracemalloc.start()
    try:
        run().backward()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@BOTH
def test_the_peak_of_memory_falls(reentrant):
    tg.manual_seed(0)
    model = nn.Sequential(*(nn.Sequential(nn.Linear(8, 8), nn.Tanh()) for _ in range(32)))
    x = tg.randn(8192, 8, requires_grad=True)
    plain = peak(lambda: model(x).sum())
    less = peak(lambda: checkpoint_sequential(model, 8, x, use_reentrant=reentrant).sum())
    assert less < 0.6 * plain  # 32 layers' arrays against 4 layers' and 8 inputs


def test_the_graph_of_a_checkpoint_dies_by_reference_count():
    import weakref

    x = tg.ones(3, requires_grad=True)
    kept = []

    def f(v):
        u = v.exp()
        kept.append(weakref.ref(u._array))
        return u.sin()

    gc.disable()
    try:
        y = checkpoint(f, x * 2, use_reentrant=False)
        assert kept[0]() is None  # already: nothing keeps what was saved
        y.sum().backward()
        assert all(reference() is None for reference in kept)
        frame = weakref.ref(f)
        del f, y
        assert frame() is None
    finally:
        gc.enable()
