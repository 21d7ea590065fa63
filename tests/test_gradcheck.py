"""gradcheck: what is right passes, what is wrong is named, nothing is disturbed."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.gradcheck import GradcheckError, gradcheck, gradgradcheck


def draw(*shape, seed=0, **options):
    return tg.tensor(
        np.random.default_rng(seed).standard_normal(shape), requires_grad=True, **options
    )


def function(forward, backward):
    """A Function from two plain ones; backward(ctx, g, *saved) sees the inputs."""

    class Made(tg.autograd.Function):
        @staticmethod
        def forward(ctx, *inputs):
            ctx.save_for_backward(*inputs)
            return forward(*inputs)

        @staticmethod
        def backward(ctx, *g):
            return backward(*g, *ctx.saved_tensors)

    return Made.apply


# --- What is right --------------------------------------------------------------------------------


def test_functions_of_several_arguments_and_outputs():
    def both(x, factor, y):
        return x @ y, (x * factor).sum(), tg.tensor([1, 2]), "not a tensor"

    assert gradcheck(both, (draw(2, 3), 2.5, draw(3, 2, seed=1)))
    assert gradgradcheck(both, (draw(2, 3), 2.5, draw(3, 2, seed=1)))


def test_one_tensor_and_a_named_tuple():
    assert gradcheck(tg.exp, draw(3))
    assert gradcheck(lambda x: tg.max(x, 1), draw(2, 3))


def test_scalars_empty_and_non_leaf_inputs():
    assert gradcheck(tg.sin, draw())
    assert gradcheck(tg.sin, draw(0, 3))
    assert gradcheck(tg.exp, draw(3) * 2)
    assert gradcheck(tg.exp, draw(3, 4).T)


def test_custom_function():
    square = function(lambda x: x * x, lambda g, x: 2 * g * x)
    assert gradcheck(square, draw(3))
    assert gradgradcheck(square, draw(3))


def test_closures_see_the_moves():
    x = draw(3)
    assert gradcheck(lambda _: (x * x).sum(), x)


def test_complex():
    def make(seed):
        parts = np.random.default_rng(seed).standard_normal((2, 3, 2))
        return tg.tensor(parts[0] + 1j * parts[1], requires_grad=True)

    assert gradcheck(lambda z, w: tg.exp(z) * w / (z + 3), (make(0), make(1)))
    assert gradgradcheck(lambda z, w: z * w, (make(0), make(1)))
    assert gradcheck(lambda z: tg.abs(z), make(0))
    assert gradcheck(lambda z: z.conj() * 2j, make(0), fast_mode=True)
    assert gradcheck(lambda x: x * (1 + 2j), draw(3))
    unconjugated = function(lambda z: z * (1 + 2j), lambda g, z: g * (1 + 2j))
    with pytest.raises(GradcheckError, match=r"real part|imaginary part") as caught:
        gradcheck(unconjugated, make(0))
    assert caught.value.index is not None


def test_large_inputs_are_checked_along_directions():
    x = draw(300, 40)
    calls = 0

    def count(x):
        nonlocal calls
        calls += 1
        return (x.sin() * x).sum(0)

    assert gradcheck(count, x)
    assert calls < 20


def test_modules_with_their_parameters():
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    assert gradcheck(model, draw(2, 3))
    assert gradgradcheck(model, draw(2, 3))
    plain = draw(2, 3).detach()
    assert gradcheck(model, plain)
    with pytest.raises(ValueError, match="requires_grad=True"):
        gradcheck(model, plain, parameters=())


def test_a_loss_over_a_model():
    model = nn.Linear(3, 2).double()
    x, target = draw(4, 3).detach(), draw(4, 2, seed=1).detach()
    assert gradcheck(lambda x: nn.functional.mse_loss(model(x), target), x, parameters=model)
    assert gradcheck(lambda x: model(x), x, parameters=[model.weight])
    assert gradcheck(lambda x: model(x), x, parameters={"w": model.weight})
    assert gradcheck(lambda x: model(x), x, parameters=model.bias)


def test_dropout_is_one_function():
    model = nn.Sequential(nn.Linear(6, 6), nn.Dropout(0.5)).double().train()
    assert gradcheck(model, draw(2, 6))


# --- What is wrong --------------------------------------------------------------------------------

WRONG = {
    "sign": function(lambda x: x.sin(), lambda g, x: -g * x.cos()),
    "factor": function(lambda x: x * x, lambda g, x: g * x),
    "forgets g": function(lambda x: (x * x).sum(), lambda g, x: 2 * x + 0 * g),
    "mean term": function(lambda x: x - x.mean(), lambda g, x: g + 0 * x),
    "nothing": function(lambda x: x.exp(), lambda g, x: None),
    "nan": function(lambda x: x.exp(), lambda g, x: g * float("nan")),
}


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("name", WRONG)
def test_wrong_gradients_are_caught(name, fast):
    assert not gradcheck(WRONG[name], draw(2, 3), fast_mode=fast, raise_exception=False)
    with pytest.raises(GradcheckError):
        gradcheck(WRONG[name], draw(2, 3), fast_mode=fast)


def test_the_message_names_what_is_wrong():
    def one_element(g, x, y):
        gx = (2 * g * x * y).detach().numpy().copy()
        gx[1, 2] *= 3
        return tg.from_numpy(gx), g * x * x

    class Cube(tg.autograd.Function):
        @staticmethod
        def forward(ctx, first, second):
            ctx.save_for_backward(first, second)
            return first * first * second

        @staticmethod
        def backward(ctx, g):
            return one_element(g, *ctx.saved_tensors)

    def model(left, right):
        return Cube.apply(left.exp(), right)

    x, y = draw(2, 3), draw(2, 3, seed=1)
    with pytest.raises(GradcheckError) as caught:
        gradcheck(Cube.apply, (x, y))
    error = caught.value
    assert isinstance(error, RuntimeError)
    assert (error.function, error.argument) == ("Cube", "first")
    assert (error.index, error.output_index) == ((1, 2), (1, 2))
    expected = 2 * x[1, 2] * y[1, 2]
    assert error.expected == pytest.approx(expected.item(), rel=1e-6)
    assert error.got == pytest.approx(3 * expected.item())
    assert error.relative_error == pytest.approx(2, rel=1e-6)
    assert error.analytical.shape == error.numerical.shape == (6, 6)
    assert error.report.finding.kind == "one element"
    for part in (
        "gradcheck of Cube",
        "Jacobian mismatch for output 0 with respect to input 0",
        "with respect to input 0 (first)",
        "Only first[1, 2] is wrong; the other 5 are right. The gradient there is 3 times too large",
        "worst element:   d output 0[1, 2] / d first[1, 2]",
        f"expected:        {error.expected:.6g} (by differences)",
        "relative error:  2",
        "wrong:           1 of 36 derivatives, in 1 of 6 elements of first, float64(2, 3)",
    ):
        assert part in str(error)
    with pytest.raises(GradcheckError) as caught:
        gradcheck(model, (x, y))
    assert caught.value.primitives == ("exp", "Cube")
    assert "model" in str(caught.value)


def test_one_wrong_element_of_many_is_found():
    def almost(g, x):
        found = (g * x.cos()).detach().numpy().copy()
        found[17, 73] += 400.0 * g.numpy()[17, 73]
        return tg.from_numpy(found)

    with pytest.raises(GradcheckError, match="random direction") as caught:
        gradcheck(function(lambda x: x.sin(), almost), draw(60, 80))
    assert caught.value.index == (17, 73)
    assert caught.value.output_index is None


def test_a_wrong_parameter_is_named():
    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(draw(3).detach())

        def forward(self, x):
            wrong = function(lambda s, x: s * x, lambda g, s, x: (2 * (g * x).sum(0), g * s))
            return wrong(self.scale, x)

    with pytest.raises(GradcheckError, match="parameter scale") as caught:
        gradcheck(Layer(), draw(2, 3))
    assert (caught.value.function, caught.value.argument) == ("Layer", "scale")


def test_lost_graphs():
    with pytest.raises(GradcheckError, match="expected to be zero"):
        gradcheck(lambda x: x.detach() * 2, draw(3))
    assert gradcheck(lambda x: tg.ones(3, dtype=tg.float64), draw(3))


def test_right_at_order_one_and_wrong_at_order_two():
    half = function(lambda x: x**3, lambda g, x: g * (3 * x * x.detach()))
    assert gradcheck(half, draw(3))
    with pytest.raises(GradcheckError, match="gradgradcheck of Made") as caught:
        gradgradcheck(half, draw(3))
    assert "gradient 0[" in str(caught.value)
    assert not gradgradcheck(half, draw(3), raise_exception=False)


def test_functions_that_change_from_run_to_run():
    rng = np.random.default_rng(0)
    with pytest.raises(GradcheckError, match="not deterministic"):
        gradcheck(lambda x: x * rng.random(), draw(3))

    unsteady = function(lambda x: x * 2, lambda g, x: g * (2 + 1e-9 * rng.random()))
    with pytest.raises(GradcheckError, match="not reentrant"):
        gradcheck(unsteady, draw(3))
    assert gradcheck(unsteady, draw(3), nondet_tol=1e-6)


def test_outputs_without_a_gradient():
    class Two(tg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, g, h):
            if g is None or h is None:
                return tg.zeros(3, dtype=tg.float64)
            return 2 * g + 3 * h

    def one(x):
        return Two.apply(x)

    with pytest.raises(GradcheckError):
        gradcheck(one, draw(3))


def test_dtypes_of_gradients():
    # The engine casts gradients itself; a wrong dtype cannot be made, but the check must not fail.
    assert gradcheck(tg.exp, draw(3), check_grad_dtypes=True)


# --- What it asks for, and leaves alone -----------------------------------------------------------


def test_inputs_it_cannot_check():
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        gradcheck(tg.exp, draw(3).detach())
    with pytest.warns(UserWarning, match="double precision"):
        gradcheck(tg.exp, draw(3, dtype=tg.float32), eps=1e-2, atol=1e-2)
    with pytest.raises(RuntimeError, match="stride 0"):
        gradcheck(tg.exp, draw(1).expand(3))
    array = np.ones(3)
    array.flags.writeable = False
    with pytest.raises(RuntimeError, match="read-only"):
        gradcheck(tg.exp, tg.from_numpy(array).requires_grad_())
    with pytest.raises(ValueError, match="eps must be positive"):
        gradcheck(tg.exp, draw(3), eps=0)
    for tolerance in ({"atol": -1}, {"rtol": float("nan")}, {"nondet_tol": -1e-9}):
        with pytest.raises(ValueError, match=f"{next(iter(tolerance))} must be 0 or greater"):
            gradcheck(tg.exp, draw(3), **tolerance)


def test_arguments_that_are_refused():
    for check in (gradcheck, gradgradcheck):
        with pytest.raises(RuntimeError, match="masked"):
            check(tg.exp, draw(3), masked=True)
        assert check(tg.exp, draw(3), masked=False)
    with pytest.raises(AssertionError, match="check_forward_ad or check_backward_ad"):
        gradcheck(tg.exp, draw(3), check_backward_ad=False)
    with pytest.raises(ValueError, match="check_rev_over_rev"):
        gradgradcheck(tg.exp, draw(3), check_rev_over_rev=False)


def test_batched_gradients():
    x = draw(2, 3)
    assert gradcheck(lambda x: (x.sin() * x).sum(1), x, check_batched_grad=True)
    assert gradcheck(lambda x, y: (x @ y, x * 2), (x, draw(3, 2)), check_batched_grad=True)
    assert gradgradcheck(lambda x: x.sin() * x, x, check_batched_grad=True)
    assert gradcheck(function(lambda x: x * x, lambda g, x: 2 * g * x), x, check_batched_grad=True)
    by_numpy = function(lambda x: x * 2, lambda g, x: tg.from_numpy(2 * g.numpy()))
    assert gradcheck(by_numpy, x)
    with pytest.raises(GradcheckError, match="does not take a batch of gradients") as caught:
        gradcheck(by_numpy, x, check_batched_grad=True)
    assert caught.value.report.finding.kind == "batched"

    # A sum over everything mixes the gradients of a batch, unless vmap keeps them apart.
    summed = function(lambda x: x.sum(), lambda g, x: g.sum() + 0 * x)
    assert gradcheck(summed, x, check_batched_grad=True)


def test_grad_outputs():
    x = draw(2, 3)
    given = draw(2, 3, seed=3)
    assert gradgradcheck(tg.exp, x, given)
    assert gradgradcheck(tg.exp, x, (given.detach(),))
    assert gradgradcheck(tg.exp, x, gen_non_contig_grad_outputs=True)
    with pytest.raises(ValueError, match="1 outputs require grad, got 2"):
        gradgradcheck(tg.exp, x, (given, given))
    with pytest.raises(ValueError, match="no output"):
        gradgradcheck(lambda x: x.detach(), x)


@pytest.mark.parametrize("check", [gradcheck, gradgradcheck])
def test_nothing_is_disturbed(check):
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Dropout(0.3)).double().train()
    x = draw(5, 3)
    x.grad = tg.ones_like(x)
    before = x.detach().clone()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    tg.manual_seed(7)
    random = tg.get_rng_state()
    with tg.no_grad():
        assert check(model, x)
        assert not tg.is_grad_enabled()
    assert tg.equal(tg.get_rng_state(), random)
    assert np.array_equal(x.detach().numpy(), before.numpy())
    assert x.grad.numpy().tolist() == np.ones((5, 3)).tolist()
    assert all(p.grad is None for p in model.parameters())
    for name, value in model.state_dict().items():
        assert tg.equal(value, state[name]), name


def test_inputs_are_restored_after_an_error():
    x = draw(3)
    before = x.detach().clone()
    calls = 0

    def fails_later(x):
        nonlocal calls
        calls += 1
        if calls >= 5:
            raise KeyError("the function's own error")
        return x * 2

    with pytest.raises(KeyError):
        gradcheck(fails_later, x)
    assert tg.equal(x.detach(), before)


def test_the_answer_is_the_same_every_time():
    wrong = WRONG["mean term"]
    messages = set()
    for _ in range(2):
        with pytest.raises(GradcheckError) as caught:
            gradcheck(wrong, draw(8, 6), fast_mode=True)
        messages.add(str(caught.value))
    assert len(messages) == 1
