"""A profile holds every operation, gradient and range once, nested as they ran."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.profiler import ProfilerActivity, profile, record_function


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.last = nn.Linear(4, 2)

    def forward(self, x):
        return self.last(self.first(x).relu())


def step(net, x, optimizer=None):
    loss = net(x).square().mean()
    loss.backward()
    if optimizer is not None:
        optimizer.step()
    return loss


@pytest.fixture
def x():
    return tg.arange(15.0).reshape(5, 3)


def names(prof, kind=None):
    return [e.name for e in prof.events() if kind in (None, e.kind)]


def test_a_step_from_its_first_operation_to_the_optimizer(x):
    net = Net()
    with profile() as prof:
        step(net, x, tg.optim.SGD(net.parameters(), lr=0.1))
    assert names(prof, "forward") == ["linear", "relu", "linear", "pow", "mean"]
    assert names(prof, "range") == ["backward", "Optimizer.step#SGD.step"]
    assert names(prof, "backward") == [
        "MeanBackward0", "PowBackward0", "LinearBackward0", "ReluBackward0", "LinearBackward0",
        *["AccumulateGrad"] * 4,
    ]  # fmt: skip


def test_results_and_gradients_are_the_same(x):
    tg.manual_seed(0)
    net, again = Net(), Net()
    again.load_state_dict(net.state_dict())
    with profile(record_shapes=True, profile_memory=True, with_stack=True, with_modules=True):
        loss = step(again, x)
    assert loss.item() == step(net, x).item()
    for p, q in zip(net.parameters(), again.parameters(), strict=True):
        assert tg.equal(p.grad, q.grad)


def test_nothing_is_left_behind(x):
    from tensorgrad.graph.node import local

    prof = profile(with_modules=True)

    def fail():
        with prof:
            x.exp()
            return 1 / 0

    with pytest.raises(ZeroDivisionError):
        fail()
    context = local.context
    assert context.dispatch is None
    assert context.profiler is None
    assert context.on_backward == ()
    x.exp()
    assert names(prof) == ["exp"]


@pytest.mark.parametrize("grad", [False, True])
def test_without_gradients_too(x, grad):
    layers = [
        nn.Sequential(nn.Linear(3, 4), nn.Tanh()), nn.LayerNorm(3), nn.LSTM(3, 2),
        nn.Sequential(nn.Unflatten(1, (1, 3)), nn.Conv1d(1, 2, 2), nn.ReLU(), nn.Flatten()),
    ]  # fmt: skip
    found = []
    for layer in layers:
        with tg.set_grad_enabled(grad), profile() as prof:
            layer(x)
        found.append(names(prof))
    assert found[0] == ["linear", "tanh"]
    assert "layer_norm" in found[1]
    assert "lstm" in found[2]
    assert {"conv", "relu"} <= {*found[3]}


def test_ranges_hold_what_ran_inside_of_them(x):
    @record_function("outer")
    def outer(depth):
        with record_function("inner", args=str(depth)):
            x.exp()
        if depth:
            outer(depth - 1)

    with profile() as prof:
        outer(1)
    events = {e.id: e for e in prof.events()}
    assert names(prof) == ["outer", "inner | 1", "exp", "outer", "inner | 0", "exp"]
    assert [e.cpu_parent and e.cpu_parent.id for e in events.values()] == [None, 0, 1, 0, 3, 4]
    assert [[c.id for c in e.cpu_children] for e in events.values()] == [
        [1, 3], [2], [], [4], [5], [],
    ]  # fmt: skip
    for event in events.values():
        inside = sum(child.cpu_time_total for child in event.cpu_children)
        assert event.self_cpu_time_total == pytest.approx(event.cpu_time_total - inside)
        for child in event.cpu_children:
            assert event.time_range.start <= child.time_range.start
            assert child.time_range.end <= event.time_range.end
    whole = prof.key_averages().self_cpu_time_total
    assert whole == pytest.approx(events[0].cpu_time_total)


def test_a_range_that_ends_late_ends_what_is_inside(x):
    outer, inner = record_function("outer"), record_function("inner")
    with profile() as prof:
        outer.__enter__()
        inner.__enter__()
        outer.__exit__(None, None, None)
        inner.__exit__(None, None, None)
        x.exp()
    assert [e.cpu_parent and e.cpu_parent.name for e in prof.events()] == [None, "outer", None]


def test_ranges_cost_nothing_without_a_profile():
    with record_function("alone") as made:
        pass
    assert made.name == "alone"
    with pytest.raises(TypeError, match="name must be a string"):
        record_function(3)


def test_modules_as_ranges(x):
    net = Net()
    with profile(with_modules=True) as prof:
        net(x)
    assert names(prof, "range") == ["nn.Module: Net", "nn.Module: Linear first",
                                    "nn.Module: Linear last"]  # fmt: skip
    assert prof.events()[1].cpu_parent.name == "nn.Module: Net"


def test_shapes_bytes_and_flops(x):
    w, image, kernel = tg.ones(4, 3), tg.ones(2, 3, 6, 6), tg.ones(8, 3, 3, 3)
    with profile(record_shapes=True, profile_memory=True, with_flops=True) as prof:
        nn.functional.linear(x, w)
        x @ w.T
        nn.functional.conv2d(image, kernel)
        x * 2
        x.view(3, 5)
    events = {e.name: e for e in prof.events()}
    assert events["linear"].input_shapes[:2] == [[5, 3], [4, 3]]
    assert events["linear"].flops == events["matmul"].flops == 2 * 5 * 3 * 4
    assert events["conv"].flops == 2 * (2 * 8 * 4 * 4) * (3 * 3 * 3)
    assert events["mul"].flops == 15
    assert events["mul"].input_shapes == [[5, 3], []]
    assert events["mul"].cpu_memory_usage == 15 * 4
    assert sum(e.cpu_memory_usage for e in events.values() if "shape" in e.name) == 0


def test_bytes_of_a_range_are_those_inside(x):
    with profile(profile_memory=True) as prof, record_function("both"):
        x.exp()
        x.exp()
    both = prof.events()[0]
    assert (both.cpu_memory_usage, both.self_cpu_memory_usage) == (120, 0)


def test_stacks_are_of_the_users_program(x):
    def inner():
        return x.exp()

    def outer():
        return inner()

    with profile(with_stack=True) as prof:
        outer()
    frames = prof.events()[0].stack
    assert [f.rsplit(".", 1)[-1] for f in frames[:2]] == ["inner", "outer"]
    assert all("test_profile.py" in f for f in frames[:3])
    assert not any("tensorgrad/recording" in f for f in frames)


def test_an_operation_and_its_gradient_share_a_number_and_a_line(x):
    w = tg.ones(3, requires_grad=True)
    with profile() as prof:
        y = (x * w).sum()
        y.backward()
    of = {e.name: e for e in prof.events()}
    assert of["mul"].sequence_nr == of["MulBackward0"].sequence_nr >= 0
    assert of["mul"].location == of["MulBackward0"].location
    assert of["mul"].location.lineno != of["AccumulateGrad"].location.lineno


def test_an_operation_of_several_outputs_has_one_gradient(x):
    gru = nn.GRU(3, 2)
    with profile() as prof:
        output, last = gru(x)
        (output.sum() + last.sum()).backward()
    of = {e.name: e for e in prof.events()}
    assert names(prof).count("GruBackward0") == 1
    assert of["gru"].sequence_nr == of["GruBackward0"].sequence_nr >= 0


def test_second_order(x):
    w = tg.ones(3, requires_grad=True)
    with profile() as prof:
        (g,) = tg.autograd.grad((w * w * x).sum(), w, create_graph=True)
        g.sum().backward()
    assert names(prof).count("backward") == 2
    within = [e.name for e in prof.events() if e.cpu_parent and e.cpu_parent.kind == "backward"]
    assert "mul" in within


def test_a_backward_inside_of_a_backward(x):
    from tensorgrad.utils.checkpoint import checkpoint

    w = tg.ones(3, requires_grad=True)
    with profile() as prof:
        checkpoint(lambda w: (w * x).exp().sum(), w * 1e-2, use_reentrant=True).backward()
    backwards = [e for e in prof.events() if e.name == "backward"]
    assert len(backwards) == 2
    assert backwards[1].cpu_parent.kind == "backward"
    assert all(e.cpu_time_total >= 0 for e in prof.events())


def test_a_hook_that_ends_what_is_around_the_backward(x):
    w = tg.ones(3, requires_grad=True)
    outer = record_function("outer")
    with profile() as prof:
        outer.__enter__()
        y = w * x
        y.register_hook(lambda g: outer.__exit__(None, None, None))
        y.exp().sum().backward()
        x.exp()
    events = prof.events()
    assert names(prof, "backward") == ["SumBackward0", "ExpBackward0", "MulBackward0",
                                       "AccumulateGrad"]  # fmt: skip
    assert events[-1].cpu_parent is None
    assert all(e.time_range.end >= e.time_range.start for e in events)


def test_under_vmap_and_in_a_mapped_gradient(x):
    with profile() as prof:
        found = tg.func.vmap(tg.func.grad(lambda r: (r * r).sum()))(x)
    assert tg.equal(found, 2 * x)
    assert "mul" in names(prof)


def test_errors_are_those_of_the_operation(x):
    with profile() as prof:
        with pytest.raises(RuntimeError, match=r"add.*dimension.*test_profile\.py"):
            x + tg.ones(4)
        with pytest.raises(RuntimeError, match="dtype"):
            x @ tg.ones(3, 3, dtype=tg.float64)
        x.exp()
    assert names(prof)[-1] == "exp"
    assert prof.events()[-1].cpu_parent is None


def test_loading_is_seen():
    loader = tg.utils.data.DataLoader(tg.utils.data.TensorDataset(tg.arange(6.0)), batch_size=3)
    with profile() as prof:
        assert len([*loader]) == 2
    assert names(prof, "range") == ["enumerate(DataLoader)#InProcess.__next__"] * 3


class Watched(tg.utils.data.Dataset):
    """Whether the process that reads an element is profiled."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        from tensorgrad.graph.node import local

        tg.ones(3).exp()
        context = local.context
        return context.profiler is None and context.dispatch is None and not context.on_backward


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_workers_are_not_profiled():
    loader = tg.utils.data.DataLoader(Watched(), num_workers=1, multiprocessing_context="fork")
    with profile() as prof:
        assert all(bool(batch.all()) for batch in loader)
    assert "exp" not in names(prof)


def test_what_is_refused():
    with pytest.raises(RuntimeError, match="CUDA"):
        profile(activities=[ProfilerActivity.CUDA])
    with pytest.raises(RuntimeError, match="CUDA"):
        profile(use_cuda=True)
    with pytest.raises(ValueError, match="empty"):
        profile(activities=[])
    with pytest.raises(NotImplementedError, match="experimental_config"):
        profile(experimental_config=object())
    with profile(activities=[ProfilerActivity.CPU]) as prof:
        with pytest.raises(RuntimeError, match="still running"):
            prof.events()
        with pytest.raises(RuntimeError, match="another profiler"):
            profile().start()
        with pytest.raises(RuntimeError, match="running already"):
            prof.start()
    with pytest.raises(RuntimeError, match="nothing was recorded"):
        profile().key_averages()


def test_what_another_thread_trains_is_not_seen(x):
    net = Net()
    optimizer = tg.optim.SGD(net.parameters(), lr=0.1)
    with profile(with_modules=True) as prof:
        x.exp()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(step, net, x, optimizer).result()
        x.cos()
    assert names(prof) == ["exp", "cos"]


def test_bytes_of_what_may_be_a_view(x):
    with profile(profile_memory=True) as prof:
        x.reshape(3, 5)
        x.T.reshape(5, 3)  # which takes a copy
        x[1:]
        x[tg.tensor([0, 1])]
    assert [e.cpu_memory_usage for e in prof.events() if e.name != "permute"] == [0, 60, 0, 24]


def test_threads(x):
    def in_a_thread(call):
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(call).result()

    def profiled():
        with profile() as prof:
            x.log()
        return prof

    with profile() as prof:
        x.exp()
        in_a_thread(lambda: x.sin())
        assert names(in_a_thread(profiled)) == ["log"]
        with pytest.raises(RuntimeError, match="in the thread that started it"):
            in_a_thread(prof.stop)
        x.cos()
    assert names(prof) == ["exp", "cos"]


def test_a_part_can_be_left_out(x):
    with profile() as prof:
        x.exp()
        prof.toggle_collection_dynamic(False, [ProfilerActivity.CPU])
        x.log()
        x.requires_grad_().sum().backward()
        prof.toggle_collection_dynamic(True, [ProfilerActivity.CPU])
        x.sin()
    assert names(prof) == ["exp", "sin"]


def test_the_older_path(x):
    from tensorgrad.autograd import profiler

    assert tg.autograd.profiler is profiler
    with profiler.profile(record_shapes=True) as prof:
        assert str(prof) == "<unfinished profile>"
        with profiler.record_function("named"):
            x.exp()
    assert prof.function_events[0].name == "named"
    assert "exp" in prof.key_averages().table()
    assert "named" in str(prof)
    assert prof.self_cpu_time_total > 0
    with profiler.profile(enabled=False) as prof:
        x.exp()
    assert prof.function_events is None
    with pytest.raises(NotImplementedError, match="use_device"):
        profiler.profile(use_device="cuda")
    with pytest.raises(AttributeError):
        _ = profiler.nothing
