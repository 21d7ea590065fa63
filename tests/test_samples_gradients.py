"""Every row against finite differences: gradients, and the gradients of gradients."""

import pytest
from samples import LAYERS, SAMPLES
from sampling import Call, numbered, outputs_of

import tensorgrad as tg
from tensorgrad.gradcheck import gradcheck, gradgradcheck

# Where more numbers than these have gradients, order 2 is compared along random directions: element
# by element its time grows with the square. Order 1 has looked at each element, and a mistake of
# order 2 alone is seen along directions too: one element of a convolution's, 10 % wrong, was.
# The long tests look at each element of some more.
ELEMENTWISE, LONG = 8, 40


def check(function, call, orders, module=None, elementwise=ELEMENTWISE, **tolerance):
    def positional(*leaves):
        outputs = outputs_of(call.run(function, *leaves))
        return tuple(t for t in outputs if isinstance(t, tg.Tensor) and t.dtype.itemsize >= 4)

    # The cheapest differences, two runs for each number: thousands of rows are checked with them.
    how = {"parameters": module, "method": "central", **tolerance}
    if 1 in orders:
        gradcheck(positional, call.leaves, **how)
    if 2 in orders:
        many = numbers_of(call, module) > elementwise
        gradgradcheck(positional, call.leaves, fast_mode=many or None, **how)


def check_elements(row, function, module=None, **tolerance):
    """Order 2 of each element, in the cases that the default suite looks at along directions."""
    calls = [Call(row.draw(number)) for number in range(len(row.cases))]
    some = [call for call in calls if ELEMENTWISE < numbers_of(call, module) <= LONG]
    for call in some:
        check(function, call, [2], module, LONG, **tolerance)
    if not some:
        pytest.skip(f"no case of {ELEMENTWISE + 1} to {LONG} numbers")


def up_to(order):
    return range(1, order + 1)


def numbers_of(call, module=None):
    """How many numbers have gradients."""
    parameters = () if module is None else module.parameters()
    return sum(t.numel() for t in [*call.leaves, *parameters])


@pytest.mark.parametrize(("sample", "number"), numbered(SAMPLES, differentiable=True))
def test_finite_differences(sample, number):
    call = Call(sample.draw(number))
    assert call.leaves
    check(sample.function(), call, up_to(sample.order), **sample.tolerance)


@pytest.mark.long
@pytest.mark.parametrize(
    "sample", [x for x in SAMPLES if x.differentiable and x.order == 2], ids=lambda x: x.path
)
def test_each_element_of_order_2(sample):
    check_elements(sample, sample.function(), **sample.tolerance)


@pytest.mark.parametrize(("sample", "number"), numbered(SAMPLES, differentiable=False))
def test_no_gradient(sample, number):
    call = Call(sample.draw(number))
    for output in outputs_of(call.run(sample.function())):
        assert not isinstance(output, tg.Tensor) or not output.requires_grad


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_layers(layer):
    module = layer.module()
    state = {name: value.clone() for name, value in module.state_dict().items()}
    for number in range(len(layer.cases)):
        call = Call(layer.draw(number))
        check(module, call, up_to(layer.order), module)
    for name, value in module.state_dict().items():
        assert tg.equal(value, state[name]), f"gradcheck moved {name}"


@pytest.mark.long
@pytest.mark.parametrize("layer", [x for x in LAYERS if x.order == 2], ids=lambda x: x.name)
def test_each_element_of_order_2_of_layers(layer):
    module = layer.module()
    check_elements(layer, module, module)


@pytest.mark.parametrize("layer", [x for x in LAYERS if x.mode == "train"], ids=lambda x: x.name)
def test_layers_in_evaluation(layer):
    """Evaluation gives what training gave, whose gradients were checked; if not, they are now."""
    for number in range(len(layer.cases)):
        results = []
        for training in (True, False):
            module = layer.module().train(training)
            results.append(outputs_of(Call(layer.draw(number)).run(module)))
        same = all(
            tg.equal(a, b) if isinstance(a, tg.Tensor) else a == b
            for a, b in zip(*results, strict=True)
        )
        if not same:
            module = layer.module().eval()
            check(module, Call(layer.draw(number)), up_to(layer.order), module)
