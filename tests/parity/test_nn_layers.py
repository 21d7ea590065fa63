"""Every layer beside PyTorch's: printed form, state, outputs, all gradients, buffers."""

from __future__ import annotations

import inspect
import warnings
from collections import OrderedDict

import numpy as np
import pytest
import torch
from parity.nn_compare import assert_same, classes, numbers, positive, seed_of, sides

import tensorgrad as tg
from tensorgrad import nn

IMAGE = (3, 4, 6, 5)

# Constructor, shape of the input.
LAYERS = {
    "identity": (lambda nn: nn.Identity(3, unused=True), (2, 3)),
    "linear": (lambda nn: nn.Linear(4, 3), (5, 4)),
    "linear, no bias": (lambda nn: nn.Linear(4, 3, bias=False), (2, 5, 4)),
    "conv": (lambda nn: nn.Conv2d(4, 6, 3), IMAGE),
    "conv, options": (lambda nn: nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 2), (1, 2), 2, False), IMAGE),
    "conv, same": (lambda nn: nn.Conv2d(4, 2, 3, padding="same", dilation=(1, 2)), IMAGE),
    "conv, valid": (lambda nn: nn.Conv2d(4, 2, 2, padding="valid", stride=2), IMAGE),
    "conv, one sample": (lambda nn: nn.Conv2d(4, 2, 3, padding=1), IMAGE[1:]),
    "conv, depthwise": (lambda nn: nn.Conv2d(4, 8, 3, groups=4), IMAGE),
    "conv, reflect": (lambda nn: nn.Conv2d(4, 2, 3, padding=2, padding_mode="reflect"), IMAGE),
    "conv, replicate": (
        lambda nn: nn.Conv2d(4, 2, 3, padding=(1, 2), padding_mode="replicate"),
        IMAGE,
    ),
    "conv, circular": (
        lambda nn: nn.Conv2d(4, 2, 4, padding="same", padding_mode="circular"),
        IMAGE,
    ),
    "conv1d": (lambda nn: nn.Conv1d(4, 6, 3, 2, 1, groups=2), (2, 4, 9)),
    "conv3d": (lambda nn: nn.Conv3d(2, 3, (1, 2, 3), padding=(0, 1, 2)), (2, 2, 3, 4, 5)),
    "batchnorm1d": (lambda nn: nn.BatchNorm1d(4), (6, 4)),
    "batchnorm1d, sequence": (lambda nn: nn.BatchNorm1d(4, eps=1e-3, momentum=0.4), (3, 4, 5)),
    "batchnorm2d": (lambda nn: nn.BatchNorm2d(4), IMAGE),
    "batchnorm2d, average": (lambda nn: nn.BatchNorm2d(4, momentum=None), IMAGE),
    "batchnorm2d, plain": (lambda nn: nn.BatchNorm2d(4, affine=False), IMAGE),
    "batchnorm2d, no bias": (lambda nn: nn.BatchNorm2d(4, bias=False), IMAGE),
    "batchnorm2d, untracked": (lambda nn: nn.BatchNorm2d(4, track_running_stats=False), IMAGE),
    "batchnorm3d": (lambda nn: nn.BatchNorm3d(4), (2, 4, 2, 3, 2)),
    "max pool": (lambda nn: nn.MaxPool2d(2), IMAGE),
    "max pool, options": (lambda nn: nn.MaxPool2d((3, 2), 2, (1, 0), 1, ceil_mode=True), IMAGE),
    "max pool, indices": (lambda nn: nn.MaxPool2d(2, return_indices=True), IMAGE),
    "avg pool": (lambda nn: nn.AvgPool2d(2), IMAGE),
    "avg pool, options": (lambda nn: nn.AvgPool2d(3, 2, 1, True, False), IMAGE),
    "avg pool, divisor": (lambda nn: nn.AvgPool2d((2, 3), divisor_override=5), IMAGE),
    "adaptive pool": (lambda nn: nn.AdaptiveAvgPool2d(1), IMAGE),
    "adaptive pool, uneven": (lambda nn: nn.AdaptiveAvgPool2d((4, None)), IMAGE),
    "flatten": (lambda nn: nn.Flatten(), IMAGE),
    "flatten, some": (lambda nn: nn.Flatten(1, 2), IMAGE),
    "unflatten": (lambda nn: nn.Unflatten(1, (2, -1)), IMAGE),
    "relu": (lambda nn: nn.ReLU(), (5, 4)),
    "leaky relu": (lambda nn: nn.LeakyReLU(), (5, 4)),
    "leaky relu, options": (lambda nn: nn.LeakyReLU(0.2), (5, 4)),
    "elu": (lambda nn: nn.ELU(), (5, 4)),
    "elu, options": (lambda nn: nn.ELU(0.5), (5, 4)),
    "sigmoid": (lambda nn: nn.Sigmoid(), (5, 4)),
    "tanh": (lambda nn: nn.Tanh(), (5, 4)),
    "softmax": (lambda nn: nn.Softmax(dim=1), (5, 4)),
    "softmin": (lambda nn: nn.Softmin(dim=0), (5, 4)),
    "log softmax": (lambda nn: nn.LogSoftmax(dim=-1), (5, 4)),
    "silu": (lambda nn: nn.SiLU(), (5, 4)),
    "gelu": (lambda nn: nn.GELU(), (5, 4)),
    "gelu, tanh": (lambda nn: nn.GELU("tanh"), (5, 4)),
    "log sigmoid": (lambda nn: nn.LogSigmoid(), (5, 4)),
    "softplus": (lambda nn: nn.Softplus(2.0, 3.0), (5, 4)),
    "dropout, none": (lambda nn: nn.Dropout(0.0), (5, 4)),
    "dropout, all": (lambda nn: nn.Dropout(1.0), (5, 4)),
    "sequence": (
        lambda nn: nn.Sequential(
            OrderedDict(
                body=nn.Sequential(
                    nn.Conv2d(4, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2)
                ),
                flat=nn.Flatten(),
                head=nn.Linear(6, 2),
            )
        ),
        IMAGE,
    ),
}


def converted(value):
    """A PyTorch state as ours: through NumPy, as a user would hand it over."""
    return OrderedDict((key, tg.from_numpy(t.numpy().copy())) for key, t in value.items())


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("training", [True, False])
def test_layer(name, training):
    make, shape = LAYERS[name]
    their_side, our_side = sides()
    theirs, ours = make(torch.nn).double().train(training), make(nn).double().train(training)
    assert repr(ours) == repr(theirs)
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state)
    assert [tuple(t.shape) for t in ours.state_dict().values()] == [
        tuple(t.shape) for t in state.values()
    ]
    for key, value in state.items():
        if value.dtype == torch.float64:
            value.copy_(torch.from_numpy(positive(*value.shape, seed=len(key))))
    ours.load_state_dict(converted(state))

    for step in range(3):  # running averages need more than one
        x = numbers(*shape, seed=step) * 2 + 0.3
        inputs = [side.const(x).requires_grad_() for side in (their_side, our_side)]
        outputs = [layer(given) for layer, given in zip((theirs, ours), inputs)]
        assert_same(outputs[0], outputs[1], "output")
        if isinstance(outputs[0], tuple):
            outputs = [pair[0] for pair in outputs]
        for side, output in zip((their_side, our_side), outputs):
            output.backward(side.const(seed_of(output)))
        assert_same(inputs[0].grad, inputs[1].grad, "gradient of the input")
    for (key, a), b in zip(theirs.named_parameters(), ours.parameters()):
        assert_same(a.grad, b.grad, f"gradient of {key}")
    for (key, a), b in zip(theirs.named_buffers(), ours.buffers()):
        assert_same(a, b, f"buffer {key}")


INPLACE = {
    "relu": lambda nn: nn.ReLU(inplace=True),
    "leaky relu": lambda nn: nn.LeakyReLU(0.2, inplace=True),
    "elu": lambda nn: nn.ELU(0.5, True),
    "silu": lambda nn: nn.SiLU(True),
    "dropout": lambda nn: nn.Dropout(1.0, inplace=True),
}


@pytest.mark.parametrize("name", INPLACE)
def test_layer_in_place(name):
    results = []
    for library, side in zip((torch, tg), sides()):
        layer = INPLACE[name](library.nn)
        leaf = side.leaf(numbers(3, 4))
        middle = leaf * 1.5
        out = layer(middle)
        assert out is middle
        (out * out).sum().backward()
        results.append((repr(layer), out, leaf.grad))
    assert results[0][0] == results[1][0]
    assert_same(results[0][1:], results[1][1:], name)


LOSSES = {
    "mse": (lambda nn, s: nn.MSELoss(), "numbers"),
    "mse, sum": (lambda nn, s: nn.MSELoss(reduction="sum"), "numbers"),
    "mse, old": (lambda nn, s: nn.MSELoss(size_average=False, reduce=True), "numbers"),
    "l1": (lambda nn, s: nn.L1Loss(reduction="none"), "numbers"),
    "smooth l1": (lambda nn, s: nn.SmoothL1Loss(beta=0.5), "numbers"),
    "huber": (lambda nn, s: nn.HuberLoss(delta=0.5), "numbers"),
    "cross entropy": (lambda nn, s: nn.CrossEntropyLoss(), "classes"),
    "cross entropy, options": (
        lambda nn, s: nn.CrossEntropyLoss(
            s.const(positive(4)), ignore_index=1, reduction="sum", label_smoothing=0.1
        ),
        "classes",
    ),
    "cross entropy, probabilities": (lambda nn, s: nn.CrossEntropyLoss(), "probabilities"),
    "nll": (lambda nn, s: nn.NLLLoss(s.const(positive(4)), ignore_index=2), "classes"),
    "bce": (lambda nn, s: nn.BCELoss(), "probabilities"),
    "bce, weight": (
        lambda nn, s: nn.BCELoss(s.const(positive(4)), reduction="sum"),
        "probabilities",
    ),
    "bce, logits": (lambda nn, s: nn.BCEWithLogitsLoss(), "probabilities"),
    "bce, logits, options": (
        lambda nn, s: nn.BCEWithLogitsLoss(
            s.const(positive(4)), reduction="none", pos_weight=s.const(positive(4, seed=1))
        ),
        "probabilities",
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_loss(name):
    make, kind = LOSSES[name]
    target = {"numbers": numbers(5, 4, seed=1), "classes": classes(4, 5)}.get(
        kind, positive(5, 4, seed=2)
    )
    x = positive(5, 4, seed=3) if name.startswith("bce") else numbers(5, 4)
    found = []
    for library, side in zip((torch, tg), sides()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loss = make(library.nn, side)
        leaf = side.leaf(x)
        out = loss(leaf, side.const(target))
        out.backward(side.const(seed_of(out)))
        found.append((repr(loss), list(loss.state_dict()), out, leaf.grad))
    assert found[0][:2] == found[1][:2]
    assert_same(found[0][2:], found[1][2:], name)


@pytest.mark.parametrize(
    "make",
    [
        lambda nn: nn.Embedding(5, 3),
        lambda nn: nn.Embedding(5, 3, padding_idx=-2),
        lambda nn: nn.Embedding(5, 3, max_norm=0.5, norm_type=1.0),
    ],
)
def test_embedding(make):
    index = classes(5, 4, 2)
    theirs, ours = make(torch.nn).double(), make(nn).double()
    assert repr(ours) == repr(theirs)
    if theirs.padding_idx is not None:
        assert not ours.weight[theirs.padding_idx].detach().numpy().any()
    ours.load_state_dict(converted(theirs.state_dict()))
    a, b = theirs(torch.from_numpy(index)), ours(tg.from_numpy(index))
    assert_same(a, b, "output")
    a.backward(torch.from_numpy(seed_of(a)))
    b.backward(tg.from_numpy(seed_of(b)))
    assert_same(theirs.weight.grad, ours.weight.grad, "gradient")
    assert_same(theirs.weight, ours.weight, "weight")


def _named(default):
    """A default; for a function, such as relu, its name."""
    return default.__name__ if inspect.isfunction(default) else default


def test_arguments_are_named_and_ordered_as_in_pytorch():
    differ = []
    for name in nn.__all__:
        ours, theirs = getattr(nn, name), getattr(torch.nn, name)
        if not inspect.isclass(ours) or name in ("Sequential", "Parameter", "Buffer", "Module"):
            continue
        first, second = inspect.signature(ours), inspect.signature(theirs)
        if "args" in second.parameters and "args" not in first.parameters:
            continue  # PyTorch's Sigmoid takes anything
        a = [(p.name, _named(p.default), p.kind) for p in first.parameters.values()]
        b = [(p.name, _named(p.default), p.kind) for p in second.parameters.values()]
        if a != b:
            differ.append((name, str(first), str(second)))
    assert differ == []


def test_functions_arguments_are_named_and_ordered_as_in_pytorch():
    differ = []
    for name in nn.functional.__all__:
        theirs = getattr(torch.nn.functional, name)
        first = inspect.signature(getattr(nn.functional, name))
        try:
            second = inspect.signature(theirs)
        except ValueError:
            continue  # built in C: no signature
        if "args" in second.parameters:
            continue
        a = [(p.name, p.default) for p in first.parameters.values()]
        b = [(p.name, p.default) for p in second.parameters.values()]
        if a != b:
            differ.append((name, str(first), str(second)))
    assert differ == []


def test_default_initialisation_has_pytorchs_bounds():
    torch.manual_seed(0)
    tg.manual_seed(0)
    for make in (
        lambda nn: nn.Linear(300, 200),
        lambda nn: nn.Conv2d(8, 64, 5, groups=2),
        lambda nn: nn.Conv1d(20, 64, 7),
        lambda nn: nn.Embedding(300, 100),
    ):
        theirs, ours = make(torch.nn), make(nn)
        for (key, a), b in zip(theirs.named_parameters(), ours.parameters()):
            a, b = a.detach().numpy(), b.detach().numpy()
            assert b.dtype == np.float32
            assert abs(a.std() / b.std() - 1) < 0.2, key
            assert abs(b.mean()) < 0.3 * b.std(), key
            if not isinstance(theirs, torch.nn.Embedding) and a.size > 1000:
                assert abs(np.abs(a).max() / np.abs(b).max() - 1) < 0.01, key
