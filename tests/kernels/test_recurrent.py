"""Recurrent layers without a gradient: the lean kernels agree with the walks that keep all."""

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.kernels import recurrent as kernels
from tensorgrad.kernels.recurrent import Problem
from tensorgrad.kernels.registry import use
from tensorgrad.ops import gru, recurrence
from tensorgrad.ops.lstm import forward

SEQUENCES = [
    (1, 1), (1, 7), (3, 5), (1, (1, 1, 1)), (4, (4, 4, 2, 1)), (3, (3, 1)), (0, 3), (2, 0)
]  # fmt: skip
BIASES = [(True, True), (False, False), (False, True), (True, False)]


def drawn(*shape: int, dtype: Any, seed: int) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("projected", [False, True])
@pytest.mark.parametrize("biases", BIASES)
@pytest.mark.parametrize(("batch", "steps"), SEQUENCES)
def test_lstm_agrees_with_the_walk(
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
    agree(kernels.lstm, forward, problem, given, (steps,))


def agree(kernel: Any, operation: Any, problem: Any, given: Any, words: Any) -> None:
    """The same from a kernel and the reference, which leave their arguments alone."""
    before = [None if a is None else a.copy() for a in given]
    found, kept = kernel(problem, *given, *words)
    expected, _ = operation.reference.run(problem, *given, *words)
    assert kept is None
    near = 1e-6 if problem.dtype == np.float32 else 1e-13
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=near, atol=near)
    for a, old in zip(given, before, strict=True):
        np.testing.assert_array_equal(a, old)


@pytest.mark.parametrize("kind", ["gru", "tanh", "relu"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("biases", BIASES)
@pytest.mark.parametrize(("batch", "steps"), SEQUENCES)
def test_gru_and_rnn_agree_with_the_walk(
    kind: str, dtype: Any, biases: tuple[bool, bool], batch: int, steps: Any
) -> None:
    rows, features, n = batch * steps if isinstance(steps, int) else sum(steps), 3, 5
    gates = 3 * n if kind == "gru" else n
    x, h, w_ih, w_hh = (
        drawn(*shape, dtype=dtype, seed=seed) * dtype(0.5)
        for seed, shape in enumerate([(rows, features), (batch, n), (gates, features), (gates, n)])
    )
    b_ih, b_hh = (
        drawn(gates, dtype=dtype, seed=7 + i) if there else None for i, there in enumerate(biases)
    )
    problem = Problem(x.shape, h.shape, x.dtype, keep=False)
    given = (x, h, w_ih, w_hh, b_ih, b_hh)
    if kind == "gru":
        agree(kernels.gru, gru.forward, problem, given, (steps,))
    else:
        agree(kernels.rnn, recurrence.forward, problem, given, (kind == "relu", steps))


LAYERS = {
    "lstm": tg.nn.LSTM,
    "projected lstm": lambda *args, **words: tg.nn.LSTM(*args, proj_size=2, **words),
    "gru": tg.nn.GRU,
    "tanh": tg.nn.RNN,
    "relu": lambda *args, **words: tg.nn.RNN(*args, nonlinearity="relu", **words),
}


def flat(value: Any) -> list[Any]:
    """The Tensors of a layer's output."""
    if isinstance(value, tuple):
        return [tensor for part in value for tensor in flat(part)]
    return [value]


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("batch", [None, 1, 3])
@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize(
    "words",
    [
        {},
        {"num_layers": 2, "bidirectional": True},
        {"num_layers": 3, "dropout": 0.0, "batch_first": True},
        {"bias": False, "bidirectional": True, "batch_first": True},
    ],
)
@pytest.mark.parametrize("dtype", [tg.float32, tg.float64])
def test_layers_agree_with_the_composed_function(
    kind: str, batch: int | None, given: bool, words: dict[str, Any], dtype: Any
) -> None:
    """Order 1 of the walk, order 2 of its twin: what has a gradient is tested elsewhere."""
    tg.manual_seed(0)
    layer = LAYERS[kind](3, 5, **words, dtype=dtype)
    shape = [7, 3] if batch is None else [7, batch, 3]
    if words.get("batch_first") and batch is not None:
        shape[:2] = shape[1::-1]
    x = tg.randn(*shape, dtype=dtype)
    states = None
    if given:
        states = tuple(tg.randn(*t.shape, dtype=dtype) for t in flat(layer(x)[1]))
        states = states if "lstm" in kind else states[0]
    expected = flat(layer(x, states))
    with tg.no_grad():
        found = flat(layer(x, states))
    near = 1e-5 if dtype is tg.float32 else 1e-12
    for one, other in zip(found, expected, strict=True):
        assert not one.requires_grad
        assert one.dtype == other.dtype
        assert one.stride() == other.stride()
        np.testing.assert_allclose(one.numpy(), other.detach().numpy(), rtol=near, atol=near)


@pytest.mark.parametrize("kind", LAYERS)
def test_packed_sequences(kind: str) -> None:
    tg.manual_seed(0)
    layer = LAYERS[kind](3, 5, num_layers=2, bidirectional=True)
    packed = tg.nn.utils.rnn.pack_padded_sequence(
        tg.randn(6, 3, 3), tg.tensor([2, 6, 3]), enforce_sorted=False
    )
    expected = layer(packed)
    with tg.no_grad():
        found = layer(packed)
    pairs = zip(flat(found[1]), flat(expected[1]), strict=True)
    for one, other in [(found[0].data, expected[0].data), *pairs]:
        np.testing.assert_allclose(one.numpy(), other.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_large_numbers_saturate() -> None:
    """Denominators may be infinite: the gate is then 0, without a warning or a NaN."""
    for make in LAYERS.values():
        layer = make(3, 5)
        x = tg.full((4, 2, 3), 1e30)
        expected = flat(layer(x))
        with tg.no_grad():
            found = flat(layer(x))
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one.numpy(), other.detach().numpy(), rtol=1e-5)


@pytest.mark.parametrize(("hidden", "out"), [(128, 128), (37, 37), (300, 250), (4, 3), (24, 24)])
def test_one_member(hidden: int, out: int) -> None:
    layer = tg.nn.LSTM(8, hidden, batch_first=True, proj_size=0 if out == hidden else out)
    x = tg.from_numpy(drawn(1, 9, 8, dtype=np.float32, seed=0))
    expected, (h, c) = layer(x)
    with tg.no_grad():
        found, (lean_h, lean_c) = layer(x)
    for one, other in ((found, expected), (lean_h, h), (lean_c, c)):
        np.testing.assert_allclose(one.numpy(), other.detach().numpy(), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("hidden", [5, 128, 150])
@pytest.mark.parametrize("dtype", [tg.float32, tg.float64])
def test_one_member_for_long(kind: str, hidden: int, dtype: Any) -> None:
    """Over so many steps the weights are turned first, the smaller ones."""
    assert kernels._STEPS < 40
    tg.manual_seed(0)
    layer = LAYERS[kind](8, hidden, dtype=dtype)
    x = tg.randn(40, 1, 8, dtype=dtype)
    expected = flat(layer(x))
    with tg.no_grad():
        found = flat(layer(x))
    near = {"rtol": 1e-4, "atol": 1e-5} if dtype is tg.float32 else {"rtol": 1e-11, "atol": 1e-12}
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.numpy(), other.detach().numpy(), **near)


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
    with use("auto"):
        alone = forward.explain(Problem(*shape, kind, keep=False))
        with_gradient = forward.explain(Problem(*shape, kind, keep=True))
    assert alone.kernel.name == "columns"
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
