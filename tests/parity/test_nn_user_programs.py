"""What programs written for PyTorch do to modules, in both libraries."""

from __future__ import annotations

import importlib
from collections import UserList, deque
from typing import get_args

import numpy as np
import pytest
import torch
from parity.nn_scripts import run_script

import tensorgrad as tg

SCRIPTS = {}


def script(function):
    SCRIPTS[function.__name__] = function
    return function


@script
def empty_batches(tg, nn, say):
    for layer, shape in [
        (nn.AdaptiveMaxPool1d(2), (2, 4)),
        (nn.AdaptiveMaxPool2d(3), (2, 7, 5)),
        (nn.AdaptiveMaxPool3d(2), (2, 4, 3, 5)),
        (nn.Unfold(2, padding=1, stride=2), (2, 4, 4)),
    ]:
        x = tg.zeros(0, *shape, requires_grad=True)
        y = layer(x)
        y.sum().backward()
        say(tuple(y.shape), tuple(x.grad.shape))


@script
def flattening_a_number(tg, nn, say):
    say(tg.flatten(tg.tensor(3.0)), tg.flatten(tg.tensor(3.0), 0, 0))
    for place in (1, -2):
        with pytest.raises(IndexError):
            tg.flatten(tg.tensor(3.0), place)
    with pytest.raises(IndexError):
        nn.Flatten()(tg.tensor(3.0))


@script
def a_penalty_on_the_gradient(tg, nn, say):
    F = nn.functional
    steps = [
        lambda x: F.relu(x),
        lambda x: F.max_pool1d(x, 2),
        lambda x: F.relu(F.linear(x, tg.ones(2, 4))) @ tg.ones(2, 1),
    ]
    for step in steps:
        x = tg.tensor([[0.5, -1.0, 2.0, 3.0]], requires_grad=True)
        (g,) = tg.autograd.grad(step(x * 1.5).sum(), x, create_graph=True)
        (g * g).sum().backward()
        say(g, g.requires_grad, x.grad)
    critic = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 1))
    x = tg.ones(2, 4, requires_grad=True)
    (g,) = tg.autograd.grad(critic(x).sum(), x, create_graph=True)
    ((g.norm(dim=1) - 1) ** 2).mean().backward()
    say([p.grad is None for p in critic.parameters()], critic[0].bias.grad)


@script
def module_conversions(tg, nn, say):
    net = nn.Linear(2, 2)
    say(str(net.type(tg.DoubleTensor).weight.dtype), str(net.type("torch.FloatTensor").bias.dtype))
    say(net.to(memory_format=tg.contiguous_format) is net)
    say(str(net.to(tg.float64, memory_format=tg.preserve_format).weight.dtype))


@script
def parameter_dict(tg, nn, say):
    one = nn.ParameterDict({"a": tg.ones(2), "b": tg.ones(2, 3, dtype=tg.float64)})
    two = nn.ParameterDict({"b": tg.zeros(1), "n": 3})
    say(repr(one), repr(two), repr(nn.ParameterList([tg.ones(2)])))
    say(repr(one | two), repr(two | one), list(one))
    one |= two
    say(repr(one), type(one).__name__)
    with pytest.raises(AttributeError):
        one["z"]
    say(repr(one | {"z": tg.ones(1)}))


@script
def wrong_members(tg, nn, say):
    with pytest.raises(AssertionError):
        nn.Sequential(nn.ReLU()).insert(0, 3)
    with pytest.raises(TypeError):
        nn.ModuleDict().update([1])
    with pytest.raises(ValueError):
        nn.ModuleDict().update([["a"]])
    with pytest.raises(AssertionError):
        nn.functional.embedding(tg.tensor([1]), tg.ones(2, 3), padding_idx=7)
    with pytest.raises(RuntimeError):
        nn.functional.pad(tg.ones(2, 3, 4), (1, 1), mode="reflect", value=2.0)


@script
def data_parallel(tg, nn, say):
    net = nn.DataParallel(nn.Linear(2, 1), device_ids=[0, 1])
    say(repr(net), net.device_ids, list(net.state_dict()), isinstance(net, nn.DataParallel))
    tg.nn.init.ones_(net.module.weight)
    tg.nn.init.zeros_(net.module.bias)
    say(net(tg.ones(3, 2)), net(input=tg.ones(1, 2)))
    state = net.state_dict()
    nn.modules.utils.consume_prefix_in_state_dict_if_present(state, "module.")
    say(list(state), sorted(state._metadata))
    say(str(nn.Linear(2, 1).load_state_dict(state)))
    say(nn.parallel.DataParallel is nn.DataParallel)


@script
def tuples_of_sizes(tg, nn, say):
    utils = nn.modules.utils
    say(utils._single(3), utils._pair(3), utils._triple([1, 2]), utils._quadruple("ab"))
    say(utils._ntuple(5)(0), utils._reverse_repeat_tuple((1, 2), 2), utils._pair.__name__)


@script
def device_as_a_context(tg, nn, say):
    with tg.device("cpu") as where:
        say(str(nn.Linear(1, 1).weight.device), str(where))
    with pytest.raises(KeyError), tg.device("cpu"):
        raise KeyError


@script
def convolutions_of_ones_own(tg, nn, say):
    class Centred(nn.Conv2d):
        def forward(self, x):
            weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
            return self._conv_forward(x, weight, self.bias)

    class Own(nn.modules.conv._ConvNd):
        def __init__(self, inputs, outputs, size, stride=1, padding=0, bias=True):
            pair = nn.modules.utils._pair
            super().__init__(
                inputs, outputs, pair(size), pair(stride), pair(padding), pair(1), False, pair(0),
                1, bias, "zeros",
            )  # fmt: skip

        def forward(self, x):
            return nn.functional.conv2d(x, self.weight, self.bias, self.stride, self.padding)

    x = tg.arange(2 * 5 * 5.0, dtype=tg.float64).reshape(1, 2, 5, 5)
    for net in (
        Centred(2, 3, 3, padding=1, padding_mode="reflect"),
        Centred(2, 4, (1, 3), padding="same", groups=2, bias=False),
        Own(2, 3, 3, 2, 1),
        Own(2, 3, 1, bias=False),
    ):
        with tg.no_grad():
            for p in net.parameters():
                p.copy_(tg.linspace(-1, 1, p.numel()).reshape(p.shape))
        say(repr(net.double()), net(x), net.transposed, net.output_padding, list(net.state_dict()))


@script
def bases_of_layers(tg, nn, say):
    m = nn.modules
    for base, layers in [
        (m.batchnorm._BatchNorm, [nn.BatchNorm1d(2), nn.SyncBatchNorm(2), nn.InstanceNorm2d(2)]),
        (m.batchnorm._NormBase, [nn.BatchNorm3d(2), nn.InstanceNorm1d(2), nn.GroupNorm(1, 2)]),
        (m.instancenorm._InstanceNorm, [nn.InstanceNorm1d(2), nn.BatchNorm1d(2)]),
        (m.conv._ConvNd, [nn.Conv1d(1, 1, 1), nn.ConvTranspose3d(1, 1, 1), nn.Linear(1, 1)]),
        (m.conv._ConvTransposeNd, [nn.Conv1d(1, 1, 1), nn.ConvTranspose2d(1, 1, 1)]),
        (m.loss._Loss, [nn.L1Loss(), nn.CTCLoss(), nn.Identity()]),
        (m.loss._WeightedLoss, [nn.CrossEntropyLoss(), nn.MSELoss(), nn.BCELoss()]),
        (m.dropout._DropoutNd, [nn.Dropout(), nn.Dropout2d(), nn.AlphaDropout()]),
        (m.pooling._MaxPoolNd, [nn.MaxPool2d(2), nn.AvgPool2d(2)]),
        (m.pooling._AdaptiveAvgPoolNd, [nn.AdaptiveAvgPool2d(2), nn.AdaptiveMaxPool2d(2)]),
        (m.padding._ReflectionPadNd, [nn.ReflectionPad2d(1), nn.ReplicationPad2d(1)]),
        (m.padding._ConstantPadNd, [nn.ZeroPad2d(1), nn.CircularPad1d(1)]),
    ]:
        say([isinstance(layer, base) for layer in layers])


@script
def private_names_that_programs_import(tg, nn, say):
    say([tuple(m.weight.shape) for m in nn.modules.transformer._get_clones(nn.Linear(2, 3), 2)])
    weight = tg.empty(4, 3, 5)
    say(nn.init._calculate_correct_fan(weight, "fan_in"))
    say(nn.init._calculate_correct_fan(weight, "fan_out"))
    with pytest.raises(ValueError):
        nn.init._calculate_correct_fan(weight, "fan")
    own = nn.Parameter(tg.empty(3))
    say(nn.init._no_grad_uniform_(own, 2.0, 2.0), nn.init._no_grad_normal_(own, 3.0, 0.0))
    types = importlib.import_module(f"{tg.__name__}.nn.common_types")
    for name in ("_size_2_t", "_size_any_t", "_ratio_3_t", "_size_2_opt_t"):
        say(sorted(map(str, get_args(getattr(types, name)))))


@script
def targets_of_another_batch(tg, nn, say):
    x, F = tg.ones(4, 3), nn.functional
    for target in (tg.ones(9, 9), tg.ones(9), tg.zeros(9, dtype=tg.int64)):
        with pytest.raises(ValueError, match=r"batch_size \(4\) to match target batch_size \(9\)"):
            F.cross_entropy(x, target)
        with pytest.raises(ValueError):
            F.nll_loss(x, target)
    with pytest.raises(RuntimeError):
        F.cross_entropy(x, tg.ones(4))


@pytest.mark.parametrize("name", SCRIPTS)
def test_script(name):
    run_script(SCRIPTS[name])


class Numbers:
    """A sequence only by what it can do."""

    def __len__(self):
        return 2

    def __getitem__(self, i):
        return [1.5, 2.5][i]


@pytest.mark.parametrize(
    "data",
    [
        deque([1.0, 2.0]),
        deque([1, 2]),
        deque(),
        UserList([[1, 2], [3, 4]]),
        [deque([1, 2]), [3, 4]],
        deque([True, False]),
        deque([np.float64(2.0)]),
        Numbers(),
    ],
    ids=lambda d: repr(d)[:30] if not isinstance(d, Numbers) else "Numbers",
)
def test_tensors_of_sequences(data):
    theirs, ours = torch.tensor(data), tg.tensor(data)
    assert str(ours.dtype).split(".")[-1] == str(theirs.dtype).split(".")[-1]
    assert np.array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.parametrize("data", ["12", b"12", {0: 1.0}, {1, 2}, [{0: 1}], ["a"]])
def test_no_tensor_of(data):
    for library in (torch, tg):
        with pytest.raises((TypeError, ValueError, RuntimeError)):
            library.tensor(data)
