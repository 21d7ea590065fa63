"""Recording a forward pass and tracing a backward pass."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, viz


def model_and_loss():
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    return model, lambda: nn.CrossEntropyLoss()(model(tg.ones(5, 4)), tg.tensor([0, 1, 2, 0, 1]))


def test_a_recording_knows_what_each_operation_gave():
    with viz.record() as recording:
        x = tg.tensor([1.0, 2.0], requires_grad=True)
        y = x * 3
        z = y.sum()
    assert recording.of(y.grad_fn).values == (3.0, 6.0)
    assert recording.of(y) == recording.of(y.grad_fn)
    assert recording.of(z.grad_fn).values == (9.0,)
    assert len(recording) == 2
    after = x.exp()
    assert recording.of(after.grad_fn) is None


def test_each_output_of_several_is_recorded():
    with viz.record() as recording:
        a, b = tg.tensor([1.0, 2.0], requires_grad=True).split(1)
    assert recording.of(a).values == (1.0,)
    assert recording.of(b).values == (2.0,)
    assert recording.of(b.grad_fn, 1) == recording.of(b)
    assert recording.of(tg.ones(2)) is None


def test_a_block_is_left_also_by_an_error_and_nothing_is_seen_afterwards():
    recording = viz.record()
    with pytest.raises(ZeroDivisionError), recording:
        _ = 1 / 0
    _ = tg.ones(2, requires_grad=True) * 2
    assert len(recording) == 0
    with recording, pytest.raises(RuntimeError, match="already entered"):
        recording.__enter__()


def test_a_trace_has_the_gradients_in_the_order_of_arrival():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    loss = (x * x).sum()
    with viz.trace_backward(loss) as trace:
        loss.backward()
    assert [arrival.op for arrival in trace.arrivals] == ["sum", "mul", "leaf"]
    assert [a.stats.values for a in trace.arrivals] == [(1.0,), (1.0, 1.0), (2.0, 4.0)]
    assert [a.step for a in trace.arrivals] == [1, 2, 3]
    assert "3 gradients" in str(trace)


def test_the_norms_are_those_of_the_gradients():
    model, make = model_and_loss()
    loss = make()
    with viz.trace_backward(loss) as trace:
        loss.backward()
    leaves = [a.stats.norm for a in trace.arrivals if a.op == "leaf"]
    expected = [float(np.linalg.norm(p.grad.numpy())) for p in model.parameters()]
    assert sorted(leaves) == pytest.approx(sorted(expected))


def test_several_outputs_arrive_together_with_a_gap_where_nothing_came():
    a, _, c = tg.ones(3, requires_grad=True).split(1)
    loss = (a * 2 + c).sum()
    with viz.trace_backward(loss) as trace:
        loss.backward()
    split = next(arrival for arrival in trace.arrivals if arrival.op == "split")
    assert [None if s is None else s.values for s in split.stats] == [(2.0,), None, (1.0,)]


def test_gradients_of_gradients_and_empty_tensors():
    x = tg.ones(3, requires_grad=True)
    loss = (x**3).sum()
    cycle = pytest.warns(UserWarning, match="will create a reference cycle")
    with viz.trace_backward(loss) as trace, cycle:
        loss.backward(create_graph=True)
    assert all(next(arrival.parts).status == "ok" for arrival in trace.arrivals)
    empty = tg.ones((0, 2), requires_grad=True)
    nothing = (empty * 2).sum()
    with viz.trace_backward(nothing) as trace:
        nothing.backward()
    assert [next(a.parts).status for a in trace.arrivals] == ["ok", "empty", "empty"]
    assert "empty" in str(trace)


def test_a_forgotten_backward_is_said_and_an_error_is_not_covered_up():
    x = tg.ones(2, requires_grad=True)
    loss, other = x.sum(), (x * 2).sum()
    with (
        pytest.warns(RuntimeWarning, match="no gradient reached this loss"),
        viz.trace_backward(loss),
    ):
        other.backward()
    with pytest.raises(KeyError), viz.trace_backward(loss):
        raise KeyError


def test_wrong_losses_are_refused():
    with pytest.raises(TypeError, match=r"loss must be a Tensor, got int.*with viz"):
        viz.trace_backward(3)
    with pytest.raises(RuntimeError, match="no graph"):
        viz.trace_backward(tg.ones(2))


def test_neither_keeps_the_graph_alive():
    gc.disable()
    try:
        x = tg.ones(2, requires_grad=True)
        with viz.record() as recording:
            loss = x.exp().sum()
        with viz.trace_backward(loss) as trace:
            loss.backward()
        alive = weakref.ref(x)
        del x, loss
        assert alive() is None
        assert len(recording) == 2
        assert len(trace) == 3
    finally:
        gc.enable()
