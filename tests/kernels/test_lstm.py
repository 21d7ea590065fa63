"""An LSTM without a gradient: the lean kernel agrees with the walk that keeps everything."""

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.kernels.lstm import Problem, columns
from tensorgrad.kernels.registry import use
from tensorgrad.ops.lstm import forward


def drawn(*shape: int, dtype: Any, seed: int) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("projected", [False, True])
@pytest.mark.parametrize("biases", [(True, True), (False, False), (False, True)])
@pytest.mark.parametrize(
    ("batch", "steps"),
    [(1, 1), (1, 7), (3, 5), (1, (1, 1, 1)), (4, (4, 4, 2, 1)), (3, (3, 1)), (0, 3), (2, 0)],
)
def test_lean_kernel_agrees_with_the_walk(
    dtype: Any, projected: bool, biases: tuple[bool, bool], batch: int, steps: Any
) -> None:
    rows, features, n, out = batch * steps if isinstance(steps, int) else sum(steps), 3, 5, 5
    out = 2 if projected else n
    x, h, c, w_ih, w_hh = (
        drawn(*shape, dtype=dtype, seed=seed)
        for seed, shape in enumerate(
            [(rows, features), (batch, out), (batch, n), (4 * n, features), (4 * n, out)]
        )
    )
    b_ih, b_hh = (
        drawn(4 * n, dtype=dtype, seed=7 + i) if there else None for i, there in enumerate(biases)
    )
    w_hr = drawn(out, n, dtype=dtype, seed=9) if projected else None
    problem = Problem(x.shape, (batch, out, n), x.dtype, keep=False)
    given = (x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr)
    before = [None if a is None else a.copy() for a in given]
    found, kept = columns(problem, *given, steps)
    expected, _ = forward.reference.run(problem, *given, steps)
    assert kept is None
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        near = 1e-6 if dtype is np.float32 else 1e-13
        np.testing.assert_allclose(one, other, rtol=near, atol=near)
    for a, old in zip(given, before, strict=True):
        np.testing.assert_array_equal(a, old)


@pytest.mark.parametrize(("hidden", "out"), [(128, 128), (37, 37), (300, 250), (4, 3), (24, 24)])
def test_one_member(hidden: int, out: int) -> None:
    layer = tg.nn.LSTM(8, hidden, batch_first=True, proj_size=0 if out == hidden else out)
    x = tg.from_numpy(drawn(1, 9, 8, dtype=np.float32, seed=0))
    expected, (h, c) = layer(x)
    with tg.no_grad():
        found, (lean_h, lean_c) = layer(x)
    for one, other in ((found, expected), (lean_h, h), (lean_c, c)):
        np.testing.assert_allclose(one.numpy(), other.detach().numpy(), rtol=2e-5, atol=1e-6)


def test_chosen_where_no_gradient_follows() -> None:
    layer = tg.nn.LSTM(3, 4, num_layers=2, bidirectional=True)
    x = tg.from_numpy(drawn(6, 2, 3, dtype=np.float32, seed=0))
    kept = layer(x)[0]
    with tg.no_grad():
        lean = layer(x)[0]
        with use("reference"):
            walked = layer(x)[0]
    assert kept.requires_grad
    assert {choice.kernel.name for choice in forward.choices.values()} <= {"columns", "reference"}
    np.testing.assert_allclose(lean.numpy(), kept.detach().numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(walked.numpy(), kept.detach().numpy())


def test_choice_says_why() -> None:
    shape = ((4, 3), (2, 4, 4))
    kind = np.dtype(np.float32)
    assert forward.explain(Problem(*shape, kind, keep=False)).kernel.name == "columns"
    with_gradient = forward.explain(Problem(*shape, kind, keep=True))
    assert with_gradient.kernel.name == "reference"
    assert "gradient" in with_gradient.refused[0][1]


def test_state_is_the_users_to_write() -> None:
    """Outputs share no memory with each other or with the arguments."""
    layer = tg.nn.LSTM(3, 4)
    x = tg.from_numpy(drawn(2, 1, 3, dtype=np.float32, seed=0))
    state = (tg.zeros(1, 1, 4), tg.zeros(1, 1, 4))
    with tg.no_grad():
        y, (h, c) = layer(x, state)
        expected = y.clone()
        h.zero_()
        c.zero_()
    np.testing.assert_array_equal(y.numpy(), expected.numpy())
    assert not state[0].numpy().any()
    assert not state[1].numpy().any()
