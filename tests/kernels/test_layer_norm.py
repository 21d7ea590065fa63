"""The kernels of layer norm and RMS norm against references in float64, and as users call them."""

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.kernels.layer_norm import Problem, layer_norm, layer_norm_gradient
from tensorgrad.kernels.registry import use
from tensorgrad.nn import functional as F

SHAPES = [(37, 29), (1, 5), (6, 1), (3000, 129), (20_001, 7), (1, 200_000)]


def drawn(*shape: int, seed: int) -> Any:
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_kernel_is_the_reference(
    dtype: str, shape: tuple[int, int], affine: bool, centred: bool
) -> None:
    x, g = (drawn(*shape, seed=seed) + 1 for seed in range(2))
    w, b = (drawn(shape[1], seed=seed) if affine else None for seed in (2, 3))
    given = [None if a is None else a.astype(dtype) for a in (x, g, w, b)]
    x, g, w, b = (None if a is None else a.astype("float64") for a in given)
    exact = Problem(shape, np.dtype("float64"), centred)
    y, mean, inverse = layer_norm.reference.run(exact, x, w, b, 1e-5)
    needs = (True, affine, affine)
    expected = layer_norm_gradient.reference.run(exact, g, x, w, mean, inverse, 1e-5, needs)
    problem = Problem(shape, np.dtype(dtype), centred)
    near = 1e-11 if dtype == "float64" else 3e-5
    if shape[1] == 1:  # 1/s is 300 there
        near *= 100
    for kernel in [layer_norm.reference, *layer_norm.kernels]:
        if kernel.provider != "numpy" and kernel.applies(problem):
            continue
        x32, g32, w32, b32 = given
        found = kernel.run(problem, x32, w32, b32, 1e-5)
        assert found[0].dtype == dtype
        np.testing.assert_allclose(found[0], y, rtol=near, atol=near)
        for gradient in [layer_norm_gradient.reference, *layer_norm_gradient.kernels]:
            if gradient.provider != "numpy" and gradient.applies(problem):
                continue
            got = gradient.run(problem, g32, x32, w32, *found[1:], 1e-5, needs)
            for one, other in zip(got, expected, strict=True):
                assert (one is None) == (other is None)
                if other is not None:
                    scale = max(1.0, float(np.abs(other).max(initial=0)))
                    np.testing.assert_allclose(one, other, rtol=near, atol=near * scale)


@pytest.mark.parametrize("needs", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (0, 1, 1)])
def test_only_what_is_needed(needs: tuple[int, ...]) -> None:
    x, g, w = drawn(9, 4, seed=0), drawn(9, 4, seed=1), drawn(4, seed=2)
    problem = Problem(x.shape, x.dtype, centred=True)
    mean, inverse = layer_norm.reference.run(problem, x, w, None, 1e-5)[1:]
    every = layer_norm_gradient.reference.run(problem, g, x, w, mean, inverse, 1e-5, (1, 1, 1))
    before = x.copy(), g.copy()
    for kernel in [layer_norm_gradient.reference, *layer_norm_gradient.kernels]:
        if kernel.provider != "numpy":  # float32 only
            continue
        found = kernel.run(problem, g, x, w, mean, inverse, 1e-5, needs)
        for one, other, need in zip(found, every, needs, strict=True):
            assert (one is not None) == bool(need)
            if need:
                np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(g, before[1])


@pytest.mark.parametrize("layout", ["transposed", "every second", "one gradient for all"])
def test_layouts(layout: str) -> None:
    found = []
    for kernels in ("reference", "auto"):
        with use(kernels):
            base = tg.from_numpy(drawn(12, 8, 10, seed=0).astype("f4")).requires_grad_()
            x = {"transposed": base.transpose(0, 2), "every second": base[:, ::2, ::2]}.get(
                layout, base
            )
            y = F.layer_norm(x, tuple(x.shape[1:]))
            (y if layout == "one gradient for all" else y * y * x).sum().backward()
            found.append((y.detach().numpy(), base.grad.numpy()))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=2e-5)


def test_which_kernel_serves() -> None:
    for shape, name in (
        ((64, 128), "few rows"), ((128, 128), "reference"), ((0, 4), "reference"),
        ((3, 0), "reference"),
    ):  # fmt: skip
        with use("auto"):
            choice = layer_norm.explain(Problem(shape, np.dtype(np.float32), centred=True))
        assert choice.kernel.name == name
        assert name == "few rows" or any("small" in reason for _, reason in choice.refused)
        x = tg.zeros(*shape, requires_grad=True)
        F.layer_norm(x, (shape[1],)).sum().backward()
        assert x.grad.shape == shape
    large = Problem((4096, 128), np.dtype(np.float32), centred=True)
    with use("numpy"):
        assert layer_norm.explain(large).kernel.name == "blocked"
        assert layer_norm_gradient.explain(large).kernel.name == "blocked"
