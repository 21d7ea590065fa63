"""Values of operations that are recorded in ways of their own: the explorer has them all."""

from __future__ import annotations

import pytest

import tensorgrad as tg
from tensorgrad import autograd, nn, viz
from tensorgrad.autograd import Function
from tensorgrad.training.costs import multiply_adds
from tensorgrad.utils.checkpoint import checkpoint


class Square(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 2 * x * g


class Pair(Function):
    @staticmethod
    def forward(ctx, x):
        return x + 1, x * 2, "not a tensor"

    @staticmethod
    def backward(ctx, a, b, _):
        return a + 2 * b


class Double(Function):
    """In place."""

    @staticmethod
    def forward(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        return x

    @staticmethod
    def backward(ctx, g):
        return 2 * g


class conv(Function):
    @staticmethod
    def forward(ctx, x):
        return x + 1

    @staticmethod
    def backward(ctx, g):
        return g


def start():
    return tg.tensor([1.0, 2.0, 3.0], requires_grad=True)


def explored(run):
    """The explorer's data of a scalar that ``run`` computes, watched forwards and backwards."""
    with viz.record() as recording:
        loss = run()
    with viz.trace_backward(loss) as trace:
        loss.backward()
    return viz.explore(loss, trace, recording).data


def values(data, op):
    """The recorded values of all outputs of an operation, node by node."""
    return [
        [part["values"] for part in node["values"]] for node in data["nodes"] if node["op"] == op
    ]


def complete(data):
    operations = [node for node in data["nodes"] if node["kind"] == "op"]
    reached = {vertex for step in data["steps"] for vertex in step["nodes"]}
    assert operations
    for number, node in enumerate(data["nodes"]):
        if node["kind"] == "op":
            assert node["values"], node["op"]
            assert number in reached, node["op"]


def test_formulas_have_no_marks_of_docstrings():
    data = explored(lambda: nn.LayerNorm(3)(start()).sum())
    (node,) = [node for node in data["nodes"] if node["op"] == "layer_norm"]
    assert node["forward"].endswith("over the last axes axes.")


def test_a_custom_function():
    data = explored(lambda: Square.apply(start()).sum())
    complete(data)
    assert values(data, "Square") == [[[1.0, 4.0, 9.0]]]


def test_a_custom_function_of_several_outputs():
    def run():
        a, b, word = Pair.apply(start())
        assert word == "not a tensor"
        return a.sum() + b.sum()

    data = explored(run)
    complete(data)
    assert values(data, "Pair") == [[[2.0, 3.0, 4.0], [2.0, 4.0, 6.0]]]


def test_writes_in_place_through_views():
    def run():
        y = start() * 1
        part = y[1:]
        part.mul_(5)
        return (part + 0).sum() + Double.apply(y).sum()

    data = explored(run)
    complete(data)
    assert values(data, "copy_slices") == [[[1.0, 10.0, 15.0]]]
    assert values(data, "Double") == [[[2.0, 20.0, 30.0]]]
    assert [[10.0, 15.0]] in values(data, "getitem")  # the view, derived anew


def test_a_view_written_by_a_custom_function():
    def run():
        y = start() * 1
        Double.apply(y[:2])
        return y.sum()

    data = explored(run)
    complete(data)
    assert values(data, "copy_slices") == [[[2.0, 4.0, 3.0]]]


def test_svd_and_other_operations_of_several_outputs():
    def run():
        u, s, vh = tg.linalg.svd(tg.tensor([[3.0, 1.0], [1.0, 2.0]], requires_grad=True))
        return (u @ tg.diag(s) @ vh).sum()

    data = explored(run)
    complete(data)
    ((u, s, vh),) = values(data, "svd")
    assert (len(u), len(vh)) == (4, 4)
    assert s == pytest.approx([(5 + 5**0.5) / 2, (5 - 5**0.5) / 2], rel=1e-5)


@pytest.mark.parametrize("use_reentrant", [True, False])
def test_checkpoint(use_reentrant):
    layer = nn.Linear(3, 3)

    def run():
        x = start()
        return checkpoint(lambda x: layer(x).tanh(), x, use_reentrant=use_reentrant).sum()

    data = explored(run)
    complete(data)


# --- Other observers see these operations as well -------------------------------------------------


def run_all():
    y = start() * 1
    y[1:].mul_(5)
    a, b, _ = Pair.apply(Square.apply(y))
    return a.sum() + (b * Double.apply(y * 1)).sum()


def test_observers_get_the_node_and_its_output():
    seen = []
    with autograd.observe_forward(lambda node, out: seen.append((node, out))):
        run_all()
    names = [node.op.name for node, _ in seen]
    assert {"Square", "Pair", "Double", "copy_slices"} <= set(names)
    assert names.count("Pair") == 2
    for node, out in seen:
        assert node.shape == out.shape
        assert out.requires_grad


def test_saved_tensor_hooks_and_anomaly_detection_take_them():
    plain = run_all()
    packed = []

    def pack(tensor):
        packed.append(tensor.shape)
        return tensor.detach().numpy().copy()

    with autograd.graph.saved_tensors_hooks(pack, tg.tensor), autograd.detect_anomaly():
        loss = run_all()
        loss.backward()
    assert loss.item() == plain.item()
    assert packed


def test_monitor_and_doctor_take_them():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(3, 3)

        def forward(self, x):
            y = Square.apply(self.inner(x))
            y[:, 1:].mul_(0.5)
            return y

    tg.manual_seed(0)
    model = Net()
    optimizer = tg.optim.SGD(model.parameters(), lr=0.01)
    monitor = viz.Monitor(model, optimizer, every=1, activations=True)
    for _ in range(3):
        optimizer.zero_grad()
        model(tg.randn(4, 3)).sum().backward()
        optimizer.step()
    assert "inner" in str(monitor.report())
    report = viz.doctor(model, model(tg.randn(4, 3)).sum())
    assert "Square" not in str(report)


def test_a_function_with_the_name_of_an_operation_costs_nothing():
    out = conv.apply(start())
    assert multiply_adds(out.grad_fn) == 0
