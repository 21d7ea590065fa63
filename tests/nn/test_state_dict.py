"""state_dict and load_state_dict: sharing, checking, and leaving things as they were."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn


def net():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


def values(module):
    return {k: v.numpy().copy() for k, v in module.state_dict().items()}


def test_state_shares_memory():
    model = net()
    state = model.state_dict()
    state["0.bias"].fill_(5)
    assert model[0].bias.tolist() == [5, 5, 5]
    assert not any(v.requires_grad for v in state.values())
    assert model.state_dict(keep_vars=True)["0.weight"] is model[0].weight


def test_loading_copies():
    model, other = net(), net()
    state = other.state_dict()
    weight = model[0].weight
    assert str(model.load_state_dict(state)) == "<All keys matched successfully>"
    assert model[0].weight is weight
    state["0.weight"].zero_()
    assert weight.detach().numpy().any()


def test_a_write_by_loading_is_counted():
    model = net()
    y = model[0](tg.ones(1, 2, requires_grad=True))
    model.load_state_dict(net().state_dict())
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"0.bias": None}, ['Missing key(s) in state_dict: "0.bias".']),
        ({"2.bias": np.ones(3)}, ['Unexpected key(s) in state_dict: "2.bias".']),
        ({"1.weight": np.ones(4)}, ["size mismatch for 1.weight", "Size([4])", "Size([3])"]),
        ({"1.weight": np.ones((3, 1))}, ["Size([3, 1])", "Size([3])"]),
        ({"1.bias": "three"}, ['"1.bias"', "str"]),
        ({"1.bias": np.array(["a", "b", "c"])}, ["1.bias"]),
        ({"1.bias": np.ones(3, complex)}, ["1.bias", "complex128"]),
    ],
    ids=str,
)
def test_what_does_not_fit_is_named_and_nothing_changes(change, named):
    model = net()
    before = values(model)
    state = {k: v + 1 for k, v in before.items()}
    for key, value in change.items():
        if value is None:
            del state[key]
        else:
            state[key] = value
    with pytest.raises(RuntimeError) as caught:
        model.load_state_dict(state)
    for words in ("Sequential", *named):
        assert words in str(caught.value)
    for key, value in values(model).items():
        assert np.array_equal(value, before[key]), key


def test_all_that_is_wrong_is_listed_at_once():
    model = net()
    state = {"0.weight": np.ones((1, 1)), "1.weight": np.ones(9), "x": 1, "y": 2}
    with pytest.raises(RuntimeError) as caught:
        model.load_state_dict(state)
    text = str(caught.value)
    assert '"0.bias", "1.bias", "1.running_mean"' in text
    assert '"x", "y"' in text
    assert text.count("size mismatch") == 2


def test_partial_loading_returns_what_was_left_out():
    model = net()
    found = model.load_state_dict({"0.bias": np.ones(3), "other": np.ones(1)}, strict=False)
    assert found.unexpected_keys == ["other"]
    assert found.missing_keys[:2] == ["0.weight", "1.weight"]
    assert "1.num_batches_tracked" not in found.missing_keys  # old files have none
    assert model[0].bias.tolist() == [1, 1, 1]


def test_values_may_be_anything_that_is_an_array():
    class Foreign:  # as another library's tensor
        def __array__(self, dtype=None, copy=None):
            return np.full(3, 7.0)

    class Odd:
        def __array__(self, dtype=None, copy=None):
            raise TypeError("bfloat16 is not known here")

    model = net()
    model.load_state_dict({"0.bias": Foreign()}, strict=False)
    assert model[0].bias.tolist() == [7, 7, 7]
    assert model[0].bias.dtype == tg.float32
    with pytest.raises(RuntimeError, match=r'"0.bias".*bfloat16'):
        model.load_state_dict({"0.bias": Odd()}, strict=False)


def test_assign_takes_the_tensors_themselves():
    model = net()
    state = net().double().state_dict()
    model.load_state_dict(state, assign=True)
    assert model[0].weight.dtype == tg.float64
    assert np.shares_memory(model[0].weight.detach().numpy(), state["0.weight"].numpy())
    assert isinstance(model[0].weight, nn.Parameter)
    assert model[0].weight.requires_grad
    assert model[1].running_mean is state["1.running_mean"]


def test_a_scalar_saved_as_a_vector():
    model = nn.BatchNorm1d(2)
    model.load_state_dict({"num_batches_tracked": np.array([4])}, strict=False)
    assert model.num_batches_tracked.item() == 4


def test_a_module_with_read_only_memory():
    fixed = np.ones(3, np.float32)
    fixed.flags.writeable = False
    model = net()
    model[0].bias = nn.Parameter(tg.from_numpy(fixed), requires_grad=False)
    before = values(model)
    state = {k: v + 1 for k, v in before.items()}
    with pytest.raises(RuntimeError, match=r"0.bias.*read-only.*assign=True"):
        model.load_state_dict(state)
    for key, value in values(model).items():
        assert np.array_equal(value, before[key]), key
