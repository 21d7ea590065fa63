"""The base class: groups, gradients, state, hooks, and what is refused."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.optim import (
    ASGD,
    SGD,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Muon,
    NAdam,
    Optimizer,
    RAdam,
    RMSprop,
    Rprop,
)
from tensorgrad.optim.optimizer import (
    required,
)


def leaves(*shapes):
    rng = np.random.default_rng(0)
    return [tg.tensor(rng.standard_normal(s), requires_grad=True) for s in shapes or [(2,), (3,)]]


def step(optimizer, seed=0):
    rng = np.random.default_rng(seed)
    for group in optimizer.param_groups:
        for p in group["params"]:
            p.grad = tg.tensor(rng.standard_normal(p.shape))
    optimizer.step()


def values(ps):
    return [p.detach().numpy().copy() for p in ps]


# --- Groups ---------------------------------------------------------------------------------------


def test_groups_get_the_defaults():
    p, q = leaves()
    given = {"params": q, "lr": 3.0, "name": "mine"}
    optimizer = SGD([{"params": [p]}, given], lr=0.1, momentum=0.9)
    first, second = optimizer.param_groups
    assert (first["lr"], first["momentum"]) == (0.1, 0.9)
    assert (second["lr"], second["momentum"], second["name"]) == (3.0, 0.9, "mine")
    assert second is given  # the dict becomes the group, so that its owner can change the rate
    assert second["params"][0] is q
    assert optimizer.defaults["lr"] == 0.1


def test_named_parameters():
    model = nn.Linear(2, 3)
    optimizer = SGD(model.named_parameters())
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.param_groups[0]["params"][0] is model.weight
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]
    with pytest.raises(ValueError, match="without names"):
        optimizer.add_param_group({"params": leaves()})
    with pytest.raises(ValueError, match=r"1 of 2 have one"):
        SGD([("a", leaves()[0]), leaves()[1]])
    unnamed = SGD(leaves())
    with pytest.raises(ValueError, match="with names"):
        unnamed.add_param_group({"params": [("a", leaves()[0])]})


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        (lambda: tg.ones(2), TypeError, "put it into a list"),
        (lambda: nn.Linear(2, 2), TypeError, r"pass its parameters\(\)"),
        (lambda: [nn.Linear(2, 2)], TypeError, r"is Linear; pass its parameters\(\)"),
        (lambda: [np.ones(2)], TypeError, "ndarray"),
        (lambda: [1.0], TypeError, "can only optimize Tensors"),
        (lambda: 7, TypeError, "int"),
        (list, ValueError, "empty parameter list"),
        (lambda: [tg.ones(2, requires_grad=True) * 2], ValueError, "can't optimize a non-leaf"),
        (lambda: [{"params": set(leaves())}], TypeError, "ordered collection"),
        (lambda: [{"lr": 0.1}], KeyError, "params"),
        (lambda: [{"params": leaves()}, leaves()[0]], TypeError, "must be a dict"),
    ],
)
def test_what_cannot_be_optimized(params, error, message):
    with pytest.raises(error, match=message):
        SGD(params())


def test_a_non_leaf_that_keeps_its_gradient():
    p = tg.ones(2, requires_grad=True)
    q = p * 2
    q.retain_grad()
    q.sum().backward()
    SGD([q], lr=0.5).step()
    np.testing.assert_array_equal(q.detach().numpy(), [1.5, 1.5])


def test_duplicates():
    p, q = leaves()
    with pytest.warns(UserWarning, match="duplicate parameters"):
        SGD([p, q, p])
    optimizer = SGD([p])
    group = {"params": [q, p]}
    with pytest.raises(ValueError, match="more than one parameter group"):
        optimizer.add_param_group(group)
    assert len(optimizer.param_groups) == 1
    assert set(group) == {"params"}  # left as it was


def test_required_options():
    class Own(Optimizer):
        def __init__(self, params, lr=required):
            super().__init__(params, {"lr": lr})

        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    p.data.add_(p.grad, alpha=-group["lr"])

    with pytest.raises(ValueError, match="required optimization parameter lr"):
        Own(leaves())
    p, q = leaves((2,), (2,))
    optimizer = Own([{"params": [p], "lr": 0.5}, {"params": [q], "lr": 0.25}])
    before = values([p, q])
    p.grad = q.grad = tg.ones(2, dtype=tg.float64)
    optimizer.step()
    np.testing.assert_allclose(p.detach().numpy(), before[0] - 0.5)
    np.testing.assert_allclose(q.detach().numpy(), before[1] - 0.25)
    with pytest.raises(NotImplementedError, match="Optimizer does not define step"):
        Optimizer(leaves(), {}).step()


@pytest.mark.parametrize("make", [SGD, Adam, AdamW, NAdam, Rprop])
@pytest.mark.parametrize("switch", ["differentiable", "capturable"])
def test_switches_that_make_no_sense_here(make, switch):
    if make is SGD and switch == "capturable":
        with pytest.raises(TypeError, match="capturable"):  # as in PyTorch
            SGD(leaves(), capturable=False)
        return
    make(leaves(), **{switch: False})
    with pytest.raises(RuntimeError, match=rf"{make.__name__}: {switch}=True is not supported"):
        make(leaves(), **{switch: True})
    with pytest.raises(RuntimeError, match="not supported"):
        make([{"params": leaves(), switch: True}])


@pytest.mark.parametrize("make", [SGD, Adam, AdamW, Adagrad])
def test_switches_that_change_nothing(make):
    ends = []
    for options in ({}, {"foreach": True}, {"fused": True}, {"foreach": False, "fused": None}):
        parameters = leaves()
        optimizer = make(parameters, **options)
        assert options.items() <= optimizer.param_groups[0].items()
        step(optimizer)
        ends.append(values(parameters))
    for end in ends[1:]:
        for mine, first in zip(end, ends[0], strict=True):
            np.testing.assert_array_equal(mine, first)
    with pytest.raises(RuntimeError, match="`fused` and `foreach` cannot be `True` together"):
        make(leaves(), foreach=True, fused=True)


@pytest.mark.parametrize(
    ("make", "kwargs", "message"),
    [
        (SGD, {"lr": -1.0}, "Invalid learning rate: -1.0"),
        (SGD, {"momentum": -0.1}, "Invalid momentum value"),
        (SGD, {"weight_decay": -0.1}, "Invalid weight_decay value"),
        (SGD, {"nesterov": True}, "Nesterov momentum requires"),
        (SGD, {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "zero dampening"),
        (Adam, {"lr": -1.0}, "Invalid learning rate"),
        (Adam, {"lr": float("nan")}, "Invalid learning rate"),
        (Adam, {"eps": -1.0}, "Invalid epsilon value"),
        (Adam, {"betas": (1.0, 0.9)}, "Invalid beta parameter at index 0"),
        (AdamW, {"betas": (0.9, -0.1)}, "AdamW: Invalid beta parameter at index 1"),
        (AdamW, {"weight_decay": -0.1}, "Invalid weight_decay value"),
        (NAdam, {"momentum_decay": -0.1}, "NAdam: Invalid momentum_decay value: -0.1"),
        (NAdam, {"eps": float("nan")}, "NAdam: Invalid epsilon value: nan"),
        (RAdam, {"betas": (0.9, 1.0)}, "RAdam: Invalid beta parameter at index 1"),
        (Adamax, {"weight_decay": -0.1}, "Adamax: Invalid weight_decay value"),
        (Adagrad, {"lr_decay": -0.1}, "Adagrad: Invalid lr_decay value"),
        (Adagrad, {"initial_accumulator_value": -1}, "Invalid initial_accumulator_value value"),
        (Adadelta, {"rho": 1.5}, "Adadelta: Invalid rho value: 1.5"),
        (RMSprop, {"alpha": -0.1}, "RMSprop: Invalid alpha value"),
        (RMSprop, {"momentum": -0.1}, "RMSprop: Invalid momentum value"),
        (Rprop, {"etas": (1.1, 1.2)}, "Rprop: Invalid eta values: 1.1, 1.2"),
        (ASGD, {"lr": -0.1}, "ASGD: Invalid learning rate"),
        (Adafactor, {"d": 0.5}, "Adafactor: Clipping threshold d"),
        (Muon, {"momentum": -0.1}, "Muon: Invalid momentum value"),
    ],
)
def test_bad_hyperparameters(make, kwargs, message):
    with pytest.raises(ValueError, match=message):
        make(leaves(), **kwargs)


def test_tensor_rates_have_one_element():
    for make in (SGD, Adam):
        make(leaves(), lr=tg.tensor([0.1]))
        with pytest.raises(ValueError, match="must be 1-element"):
            make(leaves(), lr=tg.ones(2))


def test_gradients_of_another_shape():
    p = leaves()[0]
    p._grad = tg.ones(3)
    with pytest.raises(
        RuntimeError, match=r"SGD.step: the gradient is float32\(3\), its parameter"
    ):
        SGD([p]).step()


# --- Gradients ------------------------------------------------------------------------------------


def test_zero_grad():
    p, q = leaves()
    optimizer = SGD([p, q])
    p.grad = tg.tensor([1.0, 2.0], dtype=tg.float64)
    held = p.grad
    optimizer.zero_grad(set_to_none=False)
    assert p.grad is held
    assert held.tolist() == [0, 0]
    assert q.grad is None
    optimizer.zero_grad()
    assert p.grad is None


def test_zero_grad_of_a_recorded_gradient():
    p = tg.tensor([2.0], requires_grad=True)
    with pytest.warns(UserWarning, match="reference cycle"):
        (p**3).sum().backward(create_graph=True)
    SGD([p]).zero_grad(set_to_none=False)
    assert p.grad.grad_fn is None
    assert not p.grad.requires_grad
    assert p.grad.item() == 0


# --- State ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda ps: SGD(ps, lr=0.1, momentum=0.9),
        lambda ps: Adam(ps, lr=0.1, amsgrad=True),
        lambda ps: AdamW(ps, lr=0.1),
        lambda ps: Adagrad(ps, lr=0.1),
        lambda ps: NAdam(ps, lr=0.1),
        lambda ps: ASGD(ps, lr=0.1, lambd=0.1, t0=1),
        lambda ps: Adafactor(ps, lr=0.1),
    ],
)
@pytest.mark.parametrize("way", ["state_dict", "pickled state_dict", "deepcopy", "pickle"])
def test_continues_where_it_stopped(make, way):
    ps = leaves()
    optimizer = make(ps)
    for seed in range(3):
        step(optimizer, seed)
    if way in ("deepcopy", "pickle"):
        # Together with its parameters, the two stay tied to each other.
        both = (ps, optimizer)
        others, other = (
            copy.deepcopy(both) if way == "deepcopy" else pickle.loads(pickle.dumps(both))
        )
        assert other.param_groups[0]["params"][0] is others[0]
        assert other.state[others[0]]
    else:
        others = copy.deepcopy(ps)
        other = make(others)
        state = optimizer.state_dict()
        other.load_state_dict(pickle.loads(pickle.dumps(state)) if "pickled" in way else state)
    for seed in range(3, 6):
        step(optimizer, seed)
        step(other, seed)
    for p, q in zip(ps, others, strict=True):
        assert p is not q
        np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())
    assert repr(optimizer) == repr(other)


def test_structure_of_a_state_dict():
    p, q, r = leaves((2,), (3,), (4,))
    optimizer = Adam([{"params": [p, q]}, {"params": [r], "lr": 7.0}])
    step(optimizer)
    state = optimizer.state_dict()
    assert [g["params"] for g in state["param_groups"]] == [[0, 1], [2]]
    assert set(state["state"]) == {0, 1, 2}
    assert set(state["state"][2]) == {"step", "exp_avg", "exp_avg_sq"}
    assert state["state"][2]["step"].shape == ()
    assert state["state"][2]["exp_avg"] is optimizer.state[r]["exp_avg"]


def test_loading_copies():
    p, q = leaves((2,), (2,))
    a, b = SGD([p], momentum=0.9), SGD([q], momentum=0.9)
    step(a)
    b.load_state_dict(a.state_dict())
    before = a.state[p]["momentum_buffer"].clone()
    step(b, 1)
    assert a.state[p]["momentum_buffer"].tolist() == before.tolist()
    b.param_groups[0]["lr"] = 5.0
    assert a.param_groups[0]["lr"] == 1e-3


def test_loading_takes_the_parameters_dtype_and_layout():
    p = tg.tensor(np.ones((3, 2)), requires_grad=True)
    a = Adam([p])
    step(a)
    q = tg.from_numpy(np.asfortranarray(np.ones((3, 2), np.float32))).requires_grad_()
    b = Adam([q])
    b.load_state_dict(a.state_dict())
    assert b.state[q]["exp_avg"].dtype == tg.float32
    assert b.state[q]["exp_avg"]._array.flags.f_contiguous
    assert b.state[q]["step"].dtype == a.state[p]["step"].dtype


def test_states_that_do_not_fit():
    p, q = leaves()
    optimizer = Adam([p, q], lr=0.5)
    step(optimizer)
    before = optimizer.state_dict()
    state = copy.deepcopy(before)

    def refused(change, error, message):
        bad = copy.deepcopy(state)
        change(bad)
        with pytest.raises(error, match=message):
            optimizer.load_state_dict(bad)

    refused(lambda s: s["param_groups"].append({}), ValueError, "number of parameter groups: 2")
    refused(lambda s: s["param_groups"][0]["params"].pop(), ValueError, "group 0 has 1 parameters")
    refused(lambda s: s.pop("state"), KeyError, "no 'state'")
    refused(lambda s: s["state"][0].pop("exp_avg"), ValueError, "'exp_avg'")
    refused(
        lambda s: s["state"][1].update(exp_avg=tg.ones(7)), ValueError, r"'exp_avg'.*float64\(7\)"
    )
    refused(lambda s: s["param_groups"][0].update(capturable=True), RuntimeError, "capturable=True")
    refused(lambda s: s["param_groups"][0].update(amsgrad=True), ValueError, "'max_exp_avg_sq'")
    refused(
        lambda s: s["state"][0].update(exp_avg=s["state"][0]["exp_avg"] * 1j), ValueError, "complex"
    )
    after = optimizer.state_dict()
    assert after["param_groups"] == before["param_groups"]
    assert all(after["state"][i] is before["state"][i] for i in (0, 1))


def test_an_option_changed_under_way():
    p = leaves()[0]
    optimizer = Adam([p])
    step(optimizer)
    optimizer.param_groups[0]["amsgrad"] = True
    with pytest.raises(RuntimeError, match="has no 'max_exp_avg_sq'"):
        step(optimizer)
    optimizer.state.clear()
    step(optimizer)
    assert "max_exp_avg_sq" in optimizer.state[p]


def test_older_state_dicts():
    p = leaves()[0]
    optimizer = AdamW([p])
    step(optimizer)
    state = copy.deepcopy(optimizer.state_dict())
    for option in ("maximize", "foreach", "fused", "decoupled_weight_decay"):
        del state["param_groups"][0][option]
    state["state"][0]["step"] = 1  # plain numbers, once
    optimizer.load_state_dict(state)
    step(optimizer)
    assert optimizer.param_groups[0]["maximize"] is False
    assert optimizer.param_groups[0]["decoupled_weight_decay"] is True
    assert optimizer.state[p]["step"].item() == 2


def test_repr():
    p, q = leaves()
    shown = repr(SGD([{"params": p}, {"params": q, "lr": 0.5}]))
    assert shown.startswith(
        "SGD (\nParameter Group 0\n    dampening: 0\n    differentiable: False\n"
    )
    assert "\n\nParameter Group 1\n" in shown
    assert "    lr: 0.5\n" in shown
    assert shown.endswith("    weight_decay: 0\n)")
