"""Module: registration, attributes, errors that name what is wrong, copies."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU())
        self.head = nn.Linear(4, 2)
        self.register_buffer("scale", tg.ones(1))

    def forward(self, x):
        return self.head(self.body(x)) * self.scale


def test_attributes_register_by_kind():
    net = Net()
    assert [n for n, _ in net.named_parameters()] == [
        "body.0.weight",
        "body.0.bias",
        "body.1.weight",
        "body.1.bias",
        "head.weight",
        "head.bias",
    ]
    assert [n for n, _ in net.named_buffers()] == [
        "scale",
        "body.1.running_mean",
        "body.1.running_var",
        "body.1.num_batches_tracked",
    ]
    assert net.body[1].num_batches_tracked.dtype == tg.int64
    net.head.bias = None
    assert "head.bias" not in net.state_dict()
    net.plain = tg.ones(2)  # a tensor that is no parameter is an attribute like any other
    assert "plain" not in net.state_dict()


def test_a_parameter_is_listed_once_however_often_it_is_used():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].weight = net[0].weight
    assert [n for n, _ in net.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    net(tg.ones(1, 2)).sum().backward()
    assert net[0].weight.grad is net[1].weight.grad


def test_errors_name_the_module_and_what_to_do():
    class Forgot(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(1, 1)

    with pytest.raises(AttributeError, match=r"Module.__init__\(\)"):
        Forgot()

    class ForgotToo(nn.Module):
        def __init__(self):
            pass

        def forward(self, x):
            return x

    with pytest.raises(AttributeError, match=r"ForgotToo.*super\(\).__init__\(\)"):
        ForgotToo()(1)
    with pytest.raises(NotImplementedError, match="Module"):
        nn.Module()(1)
    net = Net()
    with pytest.raises(TypeError, match=r"'Tensor' object to parameter 'weight'.*Parameter"):
        net.head.weight = tg.ones(2, 4)
    with pytest.raises(TypeError, match=r"'int' object to child module 'head'"):
        net.head = 3
    with pytest.raises(TypeError, match=r"'float' object to buffer 'scale'"):
        net.scale = 1.0
    with pytest.raises(KeyError, match="forward"):
        net.register_buffer("forward", tg.ones(1))
    computed = nn.Parameter(tg.ones(1))
    computed._node = (computed * 2).grad_fn
    with pytest.raises(ValueError, match=r"non-leaf.*forward\(\)"):
        net.register_parameter("computed", computed)
    with pytest.raises(AttributeError, match=r"'Net' object has no attribute 'tail'"):
        net.tail  # noqa: B018
    with pytest.raises(AttributeError, match=r"no submodule `7`; its submodules: 0, 1, 2"):
        net.get_submodule("body.7")
    with pytest.raises(AttributeError, match=r"no parameter `gain`; its parameters: weight, bias"):
        net.get_parameter("head.gain")
    with pytest.raises(RuntimeError, match="CPU"):
        net.cuda()
    with pytest.raises(TypeError, match="flavour"):
        net.to(flavour="sweet")
    with pytest.raises(TypeError, match="a hook must be callable"):
        net.register_forward_hook(3)


def test_register_module_refuses_a_module_class():
    with pytest.raises(TypeError, match="not a Module subclass"):
        nn.Sequential(nn.Linear)


def test_a_copy_shares_nothing_and_keeps_ties():
    net = Net()
    net.tied = net.head.weight
    other = copy.deepcopy(net)
    assert other.tied is other.head.weight
    assert type(other.head.weight) is nn.Parameter
    with tg.no_grad():
        other.head.weight.zero_()
    other(tg.ones(3, 3))
    assert net.head.weight.detach().numpy().any()
    assert net.body[1].num_batches_tracked.item() == 0
    assert other.body[1].num_batches_tracked.item() == 1


def test_pickle_keeps_everything():
    net = Net().eval()
    net.tied = net.head.weight
    net.head.bias.requires_grad_(False)
    other = pickle.loads(pickle.dumps(net))
    assert other.tied is other.head.weight
    assert not other.head.bias.requires_grad
    assert not other.training
    x = tg.randn(2, 3)
    assert np.array_equal(net(x).detach().numpy(), other(x).detach().numpy())


def test_a_module_is_freed_without_the_garbage_collector():
    gc.collect()
    gc.disable()
    try:
        net = Net()
        net(tg.ones(2, 3)).sum().backward()
        reference = weakref.ref(net)
        del net
        assert reference() is None
    finally:
        gc.enable()


def test_conversion_keeps_the_parameters_and_lets_training_go_on():
    net = Net()
    weight = net.head.weight
    net(tg.ones(2, 3)).sum().backward()
    net.double()
    assert net.head.weight is weight
    assert weight.dtype == tg.float64 == weight.grad.dtype
    assert net.body[1].num_batches_tracked.dtype == tg.int64
    weight.grad = None
    net(tg.ones(2, 3, dtype=tg.float64)).sum().backward()
    assert weight.grad.dtype == tg.float64


def test_conversion_between_forward_and_backward_uses_the_new_dtype():
    lin = nn.Linear(2, 1)
    old = lin(tg.ones(1, 2))  # keeps the old accumulator alive
    lin.double()
    lin(tg.ones(1, 2, dtype=tg.float64)).sum().backward()
    assert lin.weight.grad.dtype == tg.float64
    del old


def test_parameter_shares_memory_and_counts_writes_to_it():
    base = tg.ones(3)
    p = nn.Parameter(base)
    y = p * p
    base.add_(1)  # a write through the other name
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
    assert p.tolist() == [2, 2, 2]


@pytest.mark.parametrize("made", [nn.Parameter, nn.Buffer])
def test_parameter_of_something_else_is_refused(made):
    for wrong in ([1.0], np.ones(2), 3.0):
        with pytest.raises(TypeError, match=type(wrong).__name__):
            made(wrong)


def test_modules_paths_are_pytorchs():
    from tensorgrad.nn.modules.batchnorm import BatchNorm2d
    from tensorgrad.nn.modules.container import ParameterList, Sequential
    from tensorgrad.nn.modules.conv import Conv2d
    from tensorgrad.nn.modules.loss import CrossEntropyLoss
    from tensorgrad.nn.parameter import Parameter

    assert nn.modules.linear.Linear is nn.Linear
    assert nn.modules.Module is nn.Module
    assert (BatchNorm2d, Sequential, Conv2d) == (nn.BatchNorm2d, nn.Sequential, nn.Conv2d)
    assert (CrossEntropyLoss, Parameter, ParameterList) == (
        nn.CrossEntropyLoss,
        nn.Parameter,
        nn.ParameterList,
    )


def test_printed_form():
    assert repr(Net()) == (
        "Net(\n"
        "  (body): Sequential(\n"
        "    (0): Linear(in_features=3, out_features=4, bias=True)\n"
        "    (1): BatchNorm1d(4, eps=1e-05, momentum=0.1, affine=True, bias=True, "
        "track_running_stats=True)\n"
        "    (2): ReLU()\n"
        "  )\n"
        "  (head): Linear(in_features=4, out_features=2, bias=True)\n"
        ")"
    )


def test_containers_change_nothing_when_they_refuse():
    for holder in (nn.Sequential(nn.ReLU()), nn.ModuleList([nn.ReLU()])):
        before = repr(holder)
        for act in (
            lambda h: h.append(3),
            lambda h: h.extend([nn.Tanh(), 3]) if isinstance(h, nn.ModuleList) else h.append(3),
            lambda h: h.insert(0, "x"),
            lambda h: h.__setitem__(0, "x"),
            lambda h: h.__setitem__(5, nn.ReLU()),
        ):
            with pytest.raises((TypeError, IndexError, AssertionError)):
                act(holder)
            assert repr(holder) == before


@pytest.mark.parametrize("name", ["cuda", "xpu", "bfloat16"])
def test_what_the_cpu_does_not_have_is_refused(name):
    with pytest.raises((RuntimeError, NotImplementedError), match="Linear"):
        getattr(nn.Linear(1, 1), name)()
