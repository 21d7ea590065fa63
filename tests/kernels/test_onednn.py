"""oneDNN's kernels give what NumPy's give, refuse what does not fit, and fall back."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.kernels import convolution as numpy_convolution
from tensorgrad.kernels import pooling as numpy_pooling
from tensorgrad.kernels.onednn import (
    convolution,
    elementwise,
    health,
    library,
    normalization,
    offers,
    pooling,
    primitive,
)

CONVOLUTIONS = {
    "first layer": ((16, 1, 28, 28), (16, 1, 5, 5), (1, 1), ((2, 2), (2, 2)), (1, 1), 1),
    "3x3": ((4, 64, 9, 7), (32, 64, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "strided, dilated, grouped": ((4, 6, 9, 11), (8, 3, 3, 2), (2, 1), ((1, 0), (2, 1)), (1, 2), 2),
    "one axis": ((3, 4, 17), (6, 4, 5), (2,), ((1, 2),), (2,), 1),
    "three axes": ((2, 3, 5, 6, 7), (4, 3, 2, 3, 3), (1, 2, 1), ((1, 1), (0, 0), (1, 2)),
                   (1, 1, 1), 1),
    "depthwise": ((8, 16, 9, 9), (16, 1, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 16),
    "1x1": ((3, 20, 5, 5), (10, 20, 1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "one image, one channel": ((1, 1, 6, 6), (1, 1, 3, 3), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
}  # fmt: skip


def drawn(rng, *shape):
    return rng.standard_normal(shape).astype(np.float32)


def laid_out(x, how):
    """The same numbers in another order of memory."""
    if how == "channels last":
        return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
    if how == "every second":
        wide = np.empty((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
        wide[..., ::2] = x
        return wide[..., ::2]
    return x


def close(found, expected, dtype=np.float32):
    assert found.shape == expected.shape
    assert found.dtype == dtype
    scale = np.abs(expected).max(initial=1e-30)
    assert np.abs(found - expected).max(initial=0) <= 2e-5 * scale


@pytest.mark.parametrize("layout", ["channels first", "channels last", "every second"])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolution_and_its_adjoints(onednn, name, layout):
    rng = np.random.default_rng(0)
    x_shape, w_shape, *how = CONVOLUTIONS[name]
    problem = numpy_convolution.Problem(x_shape, w_shape, *how, np.dtype(np.float64))
    x, w = laid_out(drawn(rng, *x_shape), layout), drawn(rng, *w_shape)
    b = drawn(rng, w_shape[0])
    for bias in (b, None):
        forward = numpy_convolution.convolve.reference.run
        y, _ = forward(problem, x.astype(float), w.astype(float), bias, False)
        close(convolution.convolve(x, w, bias, *how), y)
    g = laid_out(drawn(rng, *y.shape), layout)
    backward = numpy_convolution.input_gradient.reference.run
    dx = backward(problem, g.astype(float), w.astype(float))
    close(convolution.input_gradient(g, w, x_shape, *how), dx)
    backward = numpy_convolution.weight_gradient.reference.run
    dw = backward(problem, x.astype(float), g.astype(float), None)
    found = convolution.weight_gradient(x, g, w_shape, *how)
    close(found, dw)
    assert found.flags.c_contiguous


@pytest.mark.parametrize("layout", ["channels first", "channels last", "every second"])
@pytest.mark.parametrize(
    ("shape", "kernel", "stride", "padding"),
    [
        ((16, 16, 28, 28), (2, 2), (2, 2), ((0, 0), (0, 0))),
        ((2, 3, 7, 9), (3, 3), (2, 2), ((1, 1), (1, 1))),
        ((2, 5, 11), (3,), (1,), ((1, 1),)),
        ((1, 4, 5, 6, 7), (2, 3, 2), (1, 2, 2), ((0, 0), (1, 1), (1, 1))),
    ],
)
def test_max_pool_and_its_gradient(onednn, shape, kernel, stride, padding, layout):
    rng = np.random.default_rng(0)
    x = laid_out(np.round(drawn(rng, *shape), 1), layout)  # rounded: with ties
    out = tuple(
        (n + sum(p) - k) // s + 1
        for n, k, s, p in zip(shape[2:], kernel, stride, padding, strict=True)
    )
    problem = numpy_pooling.Problem(
        shape, kernel, stride, padding, (1,) * len(kernel), out, x.dtype
    )
    y, won = pooling.max_pool(x, kernel, stride, padding, out)
    assert np.array_equal(y, numpy_pooling.max_pool.reference.run(problem, x))
    tensor = tg.tensor(x, requires_grad=True)
    name = f"max_pool{len(kernel)}d"
    expected = getattr(tg.nn.functional, name)(tensor, kernel, stride, [low for low, _ in padding])
    g = laid_out(drawn(rng, *y.shape), layout)
    expected.backward(tg.tensor(g))
    found = pooling.max_pool_gradient(g, won, shape, kernel, stride, padding)
    close(found, tensor.grad.numpy())


@pytest.mark.parametrize("layout", ["channels first", "channels last"])
@pytest.mark.parametrize("shape", [(32, 6, 5, 4), (200, 30), (3, 1, 2, 2), (4, 5, 6)])
@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm_and_its_gradients(onednn, shape, layout, affine):
    rng = np.random.default_rng(0)
    x, g = laid_out(drawn(rng, *shape), layout), drawn(rng, *shape)
    w, b = (drawn(rng, shape[1]), drawn(rng, shape[1])) if affine else (None, None)
    arrays = [x, w, b]
    exact = [None if a is None else tg.tensor(a.astype(float), requires_grad=True) for a in arrays]
    expected = tg.nn.functional.batch_norm(exact[0], None, None, *exact[1:], True, 0.1, 1e-5)
    expected.backward(tg.tensor(g.astype(float)))
    axes = (0, *range(2, x.ndim))
    mean, var = x.mean(axes), x.var(axes)
    close(normalization.batch_norm(x, w, b, mean, var, 1e-5), expected.detach().numpy())
    found = normalization.batch_norm_gradients(g, x, w, mean, var, 1e-5)
    for tensor, gradient in zip(exact, found, strict=True):
        if tensor is not None:
            close(gradient, tensor.grad.numpy())


@pytest.mark.parametrize("shape", [(64, 128), (5, 7), (1, 3)])
@pytest.mark.parametrize("affine", [True, False])
def test_layer_norm_and_its_gradients(onednn, shape, affine):
    rng = np.random.default_rng(0)
    x, g = drawn(rng, *shape), drawn(rng, *shape)
    w, b = (drawn(rng, shape[1]), drawn(rng, shape[1])) if affine else (None, None)
    exact = [
        None if a is None else tg.tensor(a.astype(float), requires_grad=True) for a in (x, w, b)
    ]
    expected = tg.nn.functional.layer_norm(exact[0], shape[1:], *exact[1:], 1e-5)
    expected.backward(tg.tensor(g.astype(float)))
    y, mean, var = normalization.layer_norm(x, w, b, 1e-5)
    close(y, expected.detach().numpy())
    found = normalization.layer_norm_gradients(g, x, w, mean, var, 1e-5)
    for tensor, gradient in zip(exact, found, strict=True):
        if tensor is not None:
            close(gradient, tensor.grad.numpy())


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("shape", [(64, 33), (3, 1), (1, 200)])
def test_softmax_and_its_gradient(onednn, shape, log):
    rng = np.random.default_rng(0)
    x, g = drawn(rng, *shape), drawn(rng, *shape)
    exact = tg.tensor(x.astype(float), requires_grad=True)
    expected = tg.log_softmax(exact, 1) if log else tg.softmax(exact, 1)
    expected.backward(tg.tensor(g.astype(float)))
    y = elementwise.softmax(x, log)
    close(y, expected.detach().numpy())
    close(elementwise.softmax_gradient(g, y, log), exact.grad.numpy())


@pytest.mark.parametrize("tanh", [False, True])
@pytest.mark.parametrize("layout", ["channels first", "channels last"])
def test_gelu_and_its_gradient(onednn, tanh, layout):
    rng = np.random.default_rng(0)
    x, g = laid_out(3 * drawn(rng, 4, 5, 6, 7), layout), drawn(rng, 4, 5, 6, 7)
    exact = tg.tensor(x.astype(float), requires_grad=True)
    expected = tg.nn.functional.gelu(exact, approximate="tanh" if tanh else "none")
    expected.backward(tg.tensor(g.astype(float)))
    close(elementwise.gelu(x, tanh), expected.detach().numpy())
    close(elementwise.gelu_gradient(g, x, tanh), exact.grad.numpy())


@pytest.mark.parametrize("tanh", [False, True])
def test_the_gradient_of_gelu_far_from_zero(onednn, tanh):
    # From 7e12 on the cube is infinite in float32, and oneDNN's gradient was NaN.
    x = np.array([1e12, -1e12, 1e15, -1e15, 1e30, -1e30, np.nan, 0.5], np.float32)
    found = elementwise.gelu_gradient(np.ones_like(x), x, tanh)
    assert found[:6].tolist() == [1, 0, 1, 0, 1, 0]
    assert np.isnan(found[6])
    close(found[7:], elementwise.gelu_gradient(np.ones(1, np.float32), x[7:], tanh))


def test_an_array_that_does_not_fit_is_refused(onednn):
    layout = primitive.Layout.of((2, 3))
    flat = primitive.Layout.of((6,))
    copy = primitive.reorder(layout, primitive.Layout.of((2, 3), (4, 8)))
    good, out = np.zeros((2, 3), np.float32), np.zeros((3, 2), np.float32).T
    copy.run(good, out)
    wrong = [
        good.astype(np.float64),
        good.astype(np.int32),
        np.zeros((3, 2), np.float32),
        np.zeros((2, 6), np.float32)[:, ::2],
        np.zeros((2, 3), ">f4"),
    ]
    for array in wrong:
        with pytest.raises(ValueError, match="prepared for float32"):
            copy.run(array, out)
    with pytest.raises(ValueError, match="expected 2 arrays, got 1"):
        copy.run(good)
    assert not layout.same_as(flat)


def test_threads_compute_side_by_side(onednn):
    """Each thread has computations of its own: shared ones would mix up the arrays."""
    rng = np.random.default_rng(0)
    x_shape, w_shape, *how = CONVOLUTIONS["3x3"]
    w = drawn(rng, *w_shape)
    inputs = [drawn(rng, *x_shape) for _ in range(4)]
    expected = [convolution.convolve(x, w, None, *how) for x in inputs]
    wrong = []

    def work(i):
        found = [convolution.convolve(inputs[i], w, None, *how) for _ in range(30)]
        wrong.extend(i for y in found if not np.array_equal(y, expected[i]))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_number_of_threads_is_set(onednn):
    told = []
    before, real = tg.get_num_threads(), onednn.set_threads
    primitive._thread.threads = 0  # as if nothing had been computed yet
    onednn.set_threads = lambda number: told.append(number) or real(number)
    try:
        for number in (1, 2, 2, 1):
            tg.set_num_threads(number)
            elementwise.softmax(np.ones((50, 30), np.float32))
            elementwise.softmax(np.ones((50, 30), np.float32))
        other = threading.Thread(target=elementwise.softmax, args=(np.ones((5, 3), np.float32),))
        other.start()
        other.join()
    finally:
        onednn.set_threads = real
        tg.set_num_threads(before)
    assert told == [1, 2, 1, 1]


def test_what_is_prepared_is_bounded(onednn, monkeypatch):
    monkeypatch.setattr(primitive, "REMEMBERED", 10)
    primitive.forget()
    made = []

    def counted(*args, **layouts):
        made.append(args)
        return primitive.Prepared(*args, **layouts)

    monkeypatch.setattr(elementwise, "Prepared", counted)
    for n in range(1, 40):
        elementwise.softmax(np.ones((n, 3), np.float32))
        elementwise.softmax(np.ones((50, 3), np.float32))  # used all the time: made once
        assert len(primitive._thread.prepared) + len(primitive._thread.older) <= 10
    assert len(made) == 40


def convolutional():
    tg.manual_seed(0)
    nn = tg.nn
    model = nn.Sequential(
        nn.Conv2d(4, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2, 1), nn.Conv2d(8, 8, 3)
    )
    return model, tg.randn(16, 4, 24, 24, requires_grad=True)


def test_a_network_has_the_same_gradients_either_way(onednn):
    model, x = convolutional()

    def gradients():
        loss = model(x).pow(2).mean()
        first = tg.autograd.grad(loss, [x, *model.parameters()], create_graph=True)
        second = tg.autograd.grad(sum(g.pow(2).sum() for g in first), list(model.parameters()))
        return [loss, *first, *second]

    with tg.backends.use_kernels("auto"):
        found = gradients()
        assert {row.kernel for row in tg.backends.kernels("conv")} >= {"onednn"}
        assert {row.kernel for row in tg.backends.kernels("max_pool")} == {"onednn"}
    with tg.backends.use_kernels("reference"):
        expected = gradients()
        assert {row.kernel for row in tg.backends.kernels("conv")} == {"reference"}
    for a, b in zip(found, expected, strict=True):
        close(a.detach().numpy(), b.detach().numpy())


def test_nan_is_handed_on_by_max_pool(onednn):
    x = tg.randn(8, 8, 32, 32)
    x[0, 0, 5, 5] = float("nan")
    x[1, 1] = -float("inf")
    x.requires_grad_()
    outcomes = []
    for kernels in ("auto", "reference"):
        with tg.backends.use_kernels(kernels):
            y = tg.nn.functional.max_pool2d(x, 3, 2, 1)
            (dx,) = tg.autograd.grad(y.sum(), x)
            outcomes.append((y.detach().numpy(), dx.numpy()))
    for a, b in zip(*outcomes, strict=True):
        assert np.array_equal(a, b, equal_nan=True)
    assert np.isnan(outcomes[0][0]).sum() == 4


def test_the_places_of_maxima_live_as_long_as_the_result(onednn):
    offers._places.clear()
    with tg.backends.use_kernels("auto"):
        y = tg.nn.functional.max_pool2d(tg.randn(8, 8, 32, 32, requires_grad=True), 2)
        assert len(offers._places) == 1
        y.sum().backward()
        del y
    assert not offers._places


def test_float64_and_small_problems_stay_with_numpy(onednn):
    with tg.backends.use_kernels("auto"):
        tg.nn.functional.conv2d(tg.randn(8, 16, 16, 16).double(), tg.randn(16, 16, 3, 3).double())
        tg.nn.functional.conv2d(tg.randn(1, 1, 5, 5), tg.randn(1, 1, 3, 3))
        rows = tg.backends.kernels("conv")
    assert [row.kernel == "onednn" for row in rows] == [False, False]
    reasons = [dict(row.refused)["onednn"] for row in rows]
    assert "float32 only" in reasons[0]
    assert "small" in reasons[1]


def run(program, **environment):
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


ASK = "from tensorgrad.kernels.onednn import health; print(health.reason())"


def test_a_missing_library_is_said(tmp_path):
    answer = run(ASK, TENSORGRAD_ONEDNN=str(tmp_path / "libdnnl.so.3"))
    assert "cannot be loaded" in answer


def test_another_library_is_refused():
    import ctypes.util

    answer = run(ASK, TENSORGRAD_ONEDNN=ctypes.util.find_library("m") or "libm.so.6")
    assert "cannot be loaded" in answer


def test_another_version_is_refused(onednn, monkeypatch):
    monkeypatch.setattr(library, "MAJOR", 4)
    with pytest.raises(library.Unavailable, match="version 4 of oneDNN is needed"):
        library.Library(onednn.path)


def test_a_failed_smoke_test_is_said(onednn, monkeypatch):
    monkeypatch.setattr("tensorgrad.kernels.onednn.smoke.smoke", lambda lib: "its smoke test lied")
    monkeypatch.setattr(health, "_state", {"library": None, "reason": None, "enabled": True})
    assert health.reason() == "its smoke test lied"
    with pytest.raises(library.Unavailable, match="lied"):
        health.library()


def test_a_forked_process_does_without(onednn):
    program = """
import os
from tensorgrad.kernels.onednn import health
health.library()
child = os.fork()
if child == 0:
    os.write(1, health.reason().encode())
    os._exit(0)
os.waitpid(child, 0)
"""
    assert "forked" in run(program)


def test_the_switch(onednn):
    mkldnn = tg.backends.mkldnn
    assert mkldnn.is_available()
    with mkldnn.flags(enabled=False):
        assert not mkldnn.enabled
        assert "switched off" in mkldnn.why_not()
    assert mkldnn.enabled
    mkldnn.enabled = False
    assert not mkldnn.is_available()
    mkldnn.enabled = True
    assert mkldnn.is_available()
    with pytest.raises(RuntimeError, match="fp32_precision 'tf32' is not supported"):
        mkldnn.set_flags(_fp32_precision="tf32")
