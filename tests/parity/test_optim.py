"""Optimizers and schedulers against PyTorch: the same gradients in, the same numbers out."""

from __future__ import annotations

import copy
import itertools
import warnings

import numpy as np
import pytest
import torch

import tensorgrad as tg
from tensorgrad import optim

STEPS = 20
SHAPES = [(3, 4), (5,), (), (2, 1, 3), (0, 3)]


def options(**values):
    """Every combination of the values, as keyword arguments."""
    return [dict(zip(values, chosen)) for chosen in itertools.product(*values.values())]


SGD = [
    o
    for o in options(
        momentum=[0.0, 0.9],
        dampening=[0.0, 0.3],
        weight_decay=[0.0, 0.1],
        nesterov=[False, True],
        maximize=[False, True],
    )
    if not (o["nesterov"] and (o["momentum"] == 0 or o["dampening"] != 0))
]
ADAM = options(
    betas=[(0.9, 0.999), (0.0, 0.5)],
    eps=[1e-8, 1e-3],
    weight_decay=[0.0, 0.1],
    amsgrad=[False, True],
    maximize=[False, True],
)
CASES = [
    *(("SGD", {"lr": 0.1, **o}) for o in SGD),
    *(("Adam", {"lr": 0.01, **o}) for o in ADAM),
    *(("Adam", {"lr": 0.01, "decoupled_weight_decay": True, **o}) for o in ADAM[:8]),
    *(("AdamW", {"lr": 0.01, **o}) for o in ADAM),
    ("SGD", {}),
    ("Adam", {}),
    ("AdamW", {}),
]


def pairs(shapes=SHAPES, dtype=np.float64, seed=0):
    """The same leaves in both libraries."""
    rng = np.random.default_rng(seed)
    arrays = [draw(rng, shape, dtype) for shape in shapes]
    mine = [tg.tensor(a, requires_grad=True) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    return mine, theirs


def draw(rng, shape, dtype):
    array = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        array = array + 1j * rng.standard_normal(shape)
    return np.asarray(array, dtype)


def feed(mine, theirs, rng, skip=()):
    """The same new gradients for both, none for those in ``skip``."""
    for i, (p, q) in enumerate(zip(mine, theirs, strict=True)):
        if i in skip:
            p.grad = q.grad = None
            continue
        g = draw(rng, p.shape, p._array.dtype)
        p.grad, q.grad = tg.tensor(g), torch.tensor(g)


def assert_same(mine, theirs, tolerance=1e-10):
    for p, q in zip(mine, theirs, strict=True):
        theirs_now = q.detach().resolve_conj().numpy()
        assert p._array.dtype == theirs_now.dtype
        np.testing.assert_allclose(p.detach().numpy(), theirs_now, rtol=tolerance, atol=tolerance)


def assert_same_tree(mine, theirs, tolerance=1e-10):
    """State dicts: the same keys, types and numbers all the way down."""
    if isinstance(theirs, torch.Tensor):
        assert isinstance(mine, tg.Tensor)
        assert_same([mine], [theirs], tolerance)
    elif isinstance(theirs, dict):
        assert set(mine) == set(theirs)
        for key in theirs:
            assert_same_tree(mine[key], theirs[key], tolerance)
    elif isinstance(theirs, (list, tuple)):
        assert type(mine) is type(theirs)
        assert len(mine) == len(theirs)
        for m, t in zip(mine, theirs, strict=True):
            assert_same_tree(m, t, tolerance)
    else:
        assert mine == theirs


def to_tensorgrad(tree):
    if isinstance(tree, torch.Tensor):
        return tg.tensor(tree.numpy().copy())
    if isinstance(tree, dict):
        return {key: to_tensorgrad(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(to_tensorgrad(value) for value in tree)
    return tree


@pytest.mark.parametrize(("name", "kwargs"), CASES)
def test_twenty_steps(name, kwargs):
    mine, theirs = pairs()
    a, b = getattr(optim, name)(mine, **kwargs), getattr(torch.optim, name)(theirs, **kwargs)
    rng = np.random.default_rng(1)
    for i in range(STEPS):
        feed(mine, theirs, rng, skip={1} if i in (0, 7) else ())  # some without a gradient
        a.step()
        b.step()
        assert_same(mine, theirs)
    assert_same_tree(a.state_dict(), b.state_dict())
    assert repr(a) == repr(b)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
@pytest.mark.parametrize("dtype", [np.float32, np.complex128, np.complex64])
def test_other_dtypes(name, dtype):
    # eps is large: PyTorch's float32 sums are in another order, and m / (sqrt(v) + eps) of a
    # tiny first gradient would magnify the last bit.
    kwargs = {"lr": 0.1, "weight_decay": 0.01}
    kwargs |= {"momentum": 0.9} if name == "SGD" else {"amsgrad": True, "eps": 1e-3}
    mine, theirs = pairs([(7, 3), ()], dtype)
    a, b = getattr(optim, name)(mine, **kwargs), getattr(torch.optim, name)(theirs, **kwargs)
    rng = np.random.default_rng(2)
    for _ in range(STEPS):
        feed(mine, theirs, rng)
        a.step()
        b.step()
    assert_same(mine, theirs, 1e-10 if dtype == np.complex128 else 2e-5)
    assert_same_tree(a.state_dict(), b.state_dict(), 1e-10 if dtype == np.complex128 else 2e-5)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_groups_and_rates_that_change(name):
    mine, theirs = pairs()
    made = []
    for library, ps in ((optim, mine), (torch.optim, theirs)):
        groups = [{"params": ps[:2], "lr": 0.5}, {"params": ps[2], "weight_decay": 0.2}]
        optimizer = getattr(library, name)(groups, lr=0.1)
        optimizer.add_param_group({"params": iter(ps[3:]), "maximize": True})
        made.append(optimizer)
    rng = np.random.default_rng(3)
    for i in range(STEPS):
        feed(mine, theirs, rng)
        for optimizer in made:
            optimizer.param_groups[0]["lr"] = 0.5 / (1 + i)
            if name == "SGD" and i == 5:
                optimizer.param_groups[1]["momentum"] = 0.9  # its buffer starts now
            optimizer.step()
    assert_same(mine, theirs)
    assert repr(made[0]) == repr(made[1])
    assert_same_tree(made[0].state_dict(), made[1].state_dict())


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_a_state_dict_of_pytorch_continues_here(name):
    kwargs = {"momentum": 0.9} if name == "SGD" else {"amsgrad": True}
    mine, theirs = pairs()
    theirs_optimizer = getattr(torch.optim, name)(
        [(f"layer.{i}", q) for i, q in enumerate(theirs)], lr=0.1, **kwargs
    )
    rng = np.random.default_rng(4)
    for _ in range(3):
        feed(mine, theirs, rng)
        theirs_optimizer.step()
    mine = [tg.tensor(q.detach().numpy().copy(), requires_grad=True) for q in theirs]
    optimizer = getattr(optim, name)(mine, lr=77.0, **kwargs)
    optimizer.load_state_dict(to_tensorgrad(theirs_optimizer.state_dict()))
    assert_same_tree(optimizer.state_dict(), theirs_optimizer.state_dict())
    for _ in range(3):
        feed(mine, theirs, rng)
        optimizer.step()
        theirs_optimizer.step()
    assert_same(mine, theirs)


def test_tensor_hyperparameters():
    mine, theirs = pairs()
    lr = 0.125  # exact in float32, in which PyTorch computes with a tensor
    a = optim.SGD(mine, lr=tg.tensor([lr]), momentum=0.5)
    b = torch.optim.SGD(theirs, lr=torch.tensor([lr]), momentum=0.5)
    schedulers = optim.lr_scheduler.StepLR(a, 2, 0.5), torch.optim.lr_scheduler.StepLR(b, 2, 0.5)
    rng = np.random.default_rng(5)
    for _ in range(6):
        feed(mine, theirs, rng)
        a.step()
        b.step()
        for scheduler in schedulers:
            scheduler.step()
        assert a.param_groups[0]["lr"].item() == b.param_groups[0]["lr"].item()
    assert_same(mine, theirs)


# --- Schedulers -----------------------------------------------------------------------------------


class Halving:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, epoch):
        return self.factor**epoch


SCHEDULERS = [
    ("StepLR", {"step_size": 3}),
    ("StepLR", {"step_size": 1, "gamma": 0.7}),
    ("MultiStepLR", {"milestones": [2, 5, 5, 9], "gamma": 0.3}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("LambdaLR", {"lr_lambda": lambda epoch: 1 / (1 + epoch)}),
    ("LambdaLR", {"lr_lambda": [lambda epoch: 0.95**epoch, Halving(0.5)]}),
    ("MultiplicativeLR", {"lr_lambda": lambda epoch: 0.9 + 0.01 * epoch}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.25, "total_iters": 4}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.5, "end_factor": 0.1, "total_iters": 7}),
    ("PolynomialLR", {"total_iters": 8, "power": 2.0}),
    ("PolynomialLR", {}),
]


def two_groups(library, tensor):
    ps = [tensor([1.0], requires_grad=True), tensor([2.0], requires_grad=True)]
    return library.SGD([{"params": ps[0]}, {"params": ps[1], "lr": 0.03}], lr=0.5)


def rates(optimizer):
    return [group["lr"] for group in optimizer.param_groups]


@pytest.mark.parametrize(("name", "kwargs"), SCHEDULERS)
def test_sequence_of_rates(name, kwargs):
    a, b = two_groups(optim, tg.tensor), two_groups(torch.optim, torch.tensor)
    mine = getattr(optim.lr_scheduler, name)(a, **kwargs)
    theirs = getattr(torch.optim.lr_scheduler, name)(b, **kwargs)
    assert rates(a) == rates(b)
    for _ in range(STEPS):
        for optimizer, scheduler in ((a, mine), (b, theirs)):
            optimizer.step()
            scheduler.step()
        assert rates(a) == rates(b)
        assert mine.get_last_lr() == theirs.get_last_lr() == rates(a)
        assert mine.last_epoch == theirs.last_epoch
    assert mine.state_dict() == theirs.state_dict()


@pytest.mark.parametrize(("name", "kwargs"), SCHEDULERS)
def test_resuming_a_schedule(name, kwargs):
    sequences = []
    for library, tensor in ((optim, tg.tensor), (torch.optim, torch.tensor)):
        found = []
        optimizer = two_groups(library, tensor)
        scheduler = getattr(library.lr_scheduler, name)(optimizer, **kwargs)
        for _ in range(4):
            optimizer.step()
            scheduler.step()
        # By last_epoch, with initial_lr in the groups ...
        resumed = two_groups(library, tensor)
        resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        by_epoch = getattr(library.lr_scheduler, name)(resumed, **kwargs, last_epoch=3)
        # ... and by state_dict.
        again = two_groups(library, tensor)
        by_state = getattr(library.lr_scheduler, name)(again, **kwargs)
        by_state.load_state_dict(copy.deepcopy(scheduler.state_dict()))
        again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        for _ in range(8):
            for o, s in ((resumed, by_epoch), (again, by_state)):
                o.step()
                s.step()
                found.append(rates(o))
        sequences.append(found)
    assert sequences[0] == sequences[1]


@pytest.mark.parametrize(("name", "kwargs"), [s for s in SCHEDULERS if s[0] != "MultiplicativeLR"])
def test_going_to_an_epoch(name, kwargs):
    a, b = two_groups(optim, tg.tensor), two_groups(torch.optim, torch.tensor)
    mine = getattr(optim.lr_scheduler, name)(a, **kwargs)
    theirs = getattr(torch.optim.lr_scheduler, name)(b, **kwargs)
    for epoch in (3, 11, 2):
        for optimizer, scheduler in ((a, mine), (b, theirs)):
            optimizer.step()
            with pytest.warns(UserWarning, match="epoch parameter"):
                scheduler.step(epoch)
        np.testing.assert_allclose(rates(a), rates(b), rtol=1e-14)


def test_two_schedulers_at_once():
    sequences = []
    for library, tensor in ((optim, tg.tensor), (torch.optim, torch.tensor)):
        optimizer = two_groups(library, tensor)
        module = library.lr_scheduler
        schedulers = [module.ExponentialLR(optimizer, 0.9), module.ConstantLR(optimizer, 0.5, 4)]
        sequences.append([])
        for _ in range(8):
            optimizer.step()
            for scheduler in schedulers:
                scheduler.step()
            sequences[-1].append(rates(optimizer))
    assert sequences[0] == sequences[1]


def test_the_same_warnings():
    for library, tensor in ((optim, tg.tensor), (torch.optim, torch.tensor)):
        optimizer = two_groups(library, tensor)
        scheduler = library.lr_scheduler.StepLR(optimizer, 2)
        with pytest.warns(
            UserWarning, match=r"`lr_scheduler.step\(\)` before `optimizer.step\(\)`"
        ):
            scheduler.step()
        with pytest.warns(UserWarning, match=r"please use `get_last_lr\(\)`"):
            scheduler.get_lr()
        optimizer = two_groups(library, tensor)
        scheduler = library.lr_scheduler.StepLR(optimizer, 2)
        optimizer.step = lambda: None
        with pytest.warns(UserWarning, match=r"`optimizer.step\(\)` has been overridden"):
            scheduler.step()
        optimizer = two_groups(library, tensor)
        scheduler = library.lr_scheduler.StepLR(optimizer, 2)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for _ in range(3):
                optimizer.step()
                scheduler.step()
