"""Every row against finite differences: gradients, and the gradients of gradients."""

import pytest
from samples import LAYERS, SAMPLES
from sampling import Call, numbered, outputs_of

import tensorgrad as tg
from tensorgrad.gradcheck import gradcheck, gradgradcheck

# Where more numbers than these have gradients, order 2 is compared along random directions: element
# by element its time grows with the square. Order 1 has looked at each element, and a mistake of
# order 2 alone is seen along directions too: one element of a convolution's, 10 % wrong, was.
ELEMENTWISE = 40


def check(function, call, order, module=None, **tolerance):
    def positional(*leaves):
        outputs = outputs_of(call.run(function, *leaves))
        return tuple(t for t in outputs if isinstance(t, tg.Tensor) and t.dtype.itemsize >= 4)

    # The cheapest differences, two runs for each number: thousands of rows are checked with them.
    tolerance.setdefault("method", "central")
    if order >= 1:
        gradcheck(positional, call.leaves, parameters=module, **tolerance)
    if order >= 2:
        parameters = () if module is None else module.parameters()
        many = sum(t.numel() for t in [*call.leaves, *parameters]) > ELEMENTWISE
        gradgradcheck(
            positional, call.leaves, parameters=module, fast_mode=many or None, **tolerance
        )


@pytest.mark.parametrize(("sample", "number"), numbered(SAMPLES, differentiable=True))
def test_finite_differences(sample, number):
    call = Call(sample.draw(number))
    assert call.leaves
    check(sample.function(), call, sample.order, **sample.tolerance)


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
        check(module, call, layer.order, module=module)
    for name, value in module.state_dict().items():
        assert tg.equal(value, state[name]), f"gradcheck moved {name}"


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
            check(module, Call(layer.draw(number)), layer.order, module=module)
