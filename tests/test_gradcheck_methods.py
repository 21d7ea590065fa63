"""How gradcheck takes differences, what it allows (kinks, float32), and what it takes."""

import itertools
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.checking.differences import Point, Subject
from tensorgrad.checking.methods import Differences
from tensorgrad.checking.tolerance import Default
from tensorgrad.gradcheck import GradcheckError, gradcheck, gradcheck_report, gradgradcheck


def draw(*shape: int, seed: int = 0) -> Any:
    return tg.tensor(np.random.default_rng(seed).standard_normal(shape), requires_grad=True)


def methods(report: Any) -> list[str]:
    return [c.method for c in report.compared]


# --- Complex steps, Richardson, central differences -----------------------------------------------


@pytest.mark.parametrize("order", [1, 2])
def test_a_complex_step_is_as_exact_as_the_function(order: int):
    def f(x: Any, w: Any) -> Any:
        return ((x @ w).sin() * (x @ w).exp() / (1 + (x @ w) ** 2)).sum(1)

    report = gradcheck_report(f, (draw(4, 3), draw(3, 2, seed=1)), order=order)
    assert report.ok
    assert report.order == order
    assert set(methods(report)) == {"complex"}
    assert max(c.relative for c in report.compared) < 1e-14


def test_richardson_where_numbers_are_compared():
    x = tg.tensor([0.3, -0.7, 1.2], dtype=tg.float64, requires_grad=True)
    for f in (lambda x: x.abs() * x.exp(), lambda x: tg.where(x > 0, x.exp(), x.sin())):
        report = gradcheck_report(f, x)
        assert report.ok
        assert methods(report) == ["richardson"]
        assert report.compared[0].reason
        assert report.compared[0].relative < 1e-11


def test_what_looks_complex_but_is_not_is_found_out():
    # Both take complex numbers without complaint, and forget the imaginary part or turn it.
    for f in (lambda x: x * tg.from_numpy(x.detach().numpy().real), lambda x: x.conj() * x):
        assert methods(gradcheck_report(f, draw(3), parameters=()))[0] == "richardson"


def test_richardson_keeps_clear_of_kinks_and_poles():
    close = tg.tensor([1e-4, -3e-5], dtype=tg.float64, requires_grad=True)
    report = gradcheck_report(lambda x: x.relu() * x, close)
    assert report.ok
    assert not report.compared[0].kinks
    assert gradcheck(lambda x: 1 / x.abs(), close)
    # the steps are relative to large numbers
    assert gradcheck(lambda x: x.abs().sqrt(), tg.tensor([1e8], dtype=tg.float64).requires_grad_())


@pytest.mark.parametrize("method", ["complex", "richardson", "central"])
def test_the_method_may_be_chosen(method: str):
    report = gradcheck_report(lambda x: x.sin().sum(), draw(4), method=method)
    assert report.ok
    assert methods(report) == [method]
    assert gradcheck(tg.exp, draw(2), method=method)
    assert gradgradcheck(tg.exp, draw(2), method=method)


def test_a_step_of_ones_own_is_a_central_difference():
    assert methods(gradcheck_report(tg.exp, draw(2), eps=1e-6)) == ["central"]
    # x**3 has the central difference 3 x**2 + eps**2, exactly: an eps that large fails
    x = tg.zeros(2, dtype=tg.float64, requires_grad=True)
    assert not gradcheck(lambda x: x**3, x, eps=0.1, raise_exception=False)
    assert gradcheck(lambda x: x**3, x)


def test_methods_that_are_impossible_or_unknown():
    with pytest.raises(ValueError, match=r"method='complex' is not possible for input 0 \(x\)"):
        gradcheck(lambda x: x.relu(), draw(2), method="complex")
    z = tg.tensor([1 + 1j], dtype=tg.complex128, requires_grad=True)
    with pytest.raises(ValueError, match="complex128 itself"):
        gradcheck(lambda z: z * z, z, method="complex")
    with pytest.raises(ValueError, match="'forward'"):
        gradcheck(tg.exp, draw(2), method="forward")


# --- Kinks ----------------------------------------------------------------------------------------


def at(*values: float) -> Any:
    return tg.tensor(values, dtype=tg.float64, requires_grad=True)


KINKS = {
    "relu": (lambda x: x.relu(), at(0, 1, -1)),
    "leaky_relu": (lambda x: nn.functional.leaky_relu(x, 0.1), at(0, 1, -1)),
    "clamp": (lambda x: x.clamp(-1, 1), at(-1, 0.5, 1)),
    "max": (lambda x: x.max(0)[0], at(2, 1, 2)),
    "hardtanh": (lambda x: nn.functional.hardtanh(x), at(-1, 0.5, 1)),
    "softshrink": (lambda x: x * nn.functional.relu(x - 0.5), at(0.5, 1)),
}


@pytest.mark.parametrize("name", KINKS)
def test_a_subgradient_is_accepted_and_told(name: str):
    function, x = KINKS[name]
    assert gradcheck(function, x)
    report = gradcheck_report(function, x)
    (compared,) = report.compared
    assert compared.kinks
    assert all("a valid subgradient" in text for text in compared.kinks)
    assert "right, at a kink" in str(report)


def test_a_subgradient_in_the_middle_needs_no_words():
    assert gradcheck(lambda x: x.amax(), at(2, 1, 2))  # an even share is what differences say
    assert gradcheck(lambda x: tg.maximum(x, 2 * x), at(0, 1, -1))
    assert gradcheck(lambda x: x.abs(), at(0, 1, -1))


def test_the_sentence_about_a_kink():
    (kink,) = gradcheck_report(lambda x: x.relu(), at(1, 0)).compared[0].kinks
    assert kink == (
        "kink: d output 0[1] / d x[1] is 0 from the left and 1 from the right; "
        "backward gives 0, a valid subgradient"
    )


class Ramp(tg.autograd.Function):
    """relu whose derivative at 0 may be anything."""

    at_zero = 0.0

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x.relu()

    @classmethod
    def backward(cls, ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * ((x > 0) + cls.at_zero * (x == 0))


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_any_value_of_the_interval(value: float, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Ramp, "at_zero", value)
    assert gradcheck(Ramp, at(0, 1, -1))


@pytest.mark.parametrize("value", [-0.1, 1.1, 2.0, float("nan")])
def test_a_value_outside_fails(value: float, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Ramp, "at_zero", value)
    with pytest.raises(GradcheckError) as caught:
        gradcheck(Ramp, at(0, 1, -1))
    finding = caught.value.report.finding
    if value != value:
        assert finding.kind == "nan"
        return
    assert finding.kind == "kink"
    assert finding.says == "At a kink, backward gives a value that is no subgradient of x."
    assert finding.evidence == (
        "Kink: d output 0[0] / d x[0] is 0 from the left and 1 from the right; "
        f"backward gives {value:g}, which is not between them."
    )


def test_a_kink_hides_no_other_mistake(monkeypatch: pytest.MonkeyPatch):
    class Wrong(Ramp):
        @classmethod
        def backward(cls, ctx: Any, g: Any) -> Any:
            return -Ramp.backward(ctx, g)

    with pytest.raises(GradcheckError) as caught:
        gradcheck(Wrong, at(0, 1, -1))
    assert caught.value.index == (1,)


def test_a_pole_is_no_kink():
    # The derivative of sqrt(|x|) at 0 is infinite on both sides: no number lies between.
    class Root(tg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.abs().sqrt()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g + 0.5

    assert not gradcheck(Root, at(0.0), raise_exception=False)


def test_kinks_in_large_inputs():
    x = draw(40, 30)
    with tg.no_grad():
        x[::7, ::5] = 0
    assert gradcheck(lambda x: x.relu(), x)
    assert gradcheck(lambda x: (x.relu() + x.abs()).sum(0), x)
    (compared,) = gradcheck_report(lambda x: x.relu(), x).compared
    assert compared.kinks == [
        "kink: 36 of 1200 elements of output 0 have two one-sided derivatives; backward gives a "
        "value between them"
    ]


def test_kinks_in_large_inputs_hide_nothing():
    x = draw(40, 30)
    with tg.no_grad():
        x[::7, ::5] = 0

    class Wrong(Ramp):
        @classmethod
        def backward(cls, ctx: Any, g: Any) -> Any:
            found = Ramp.backward(ctx, g).numpy().copy()
            found[3, 4] += 0.01
            return tg.from_numpy(found)

    with pytest.raises(GradcheckError):
        gradcheck(Wrong, x)


# --- float32 --------------------------------------------------------------------------------------


def test_float32_has_its_tolerance_from_the_arithmetic():
    x = draw(4, 3).detach().float().requires_grad_()
    report = gradcheck_report(lambda x: (x.sin() * x.exp()).sum(), x)
    assert report.ok
    assert methods(report) == ["complex"]
    (why,) = report.tolerance.values()
    assert "chosen for float32: it rounds to 1.2e-07; 4 operations" in why
    assert "the complex step subtracts nothing" in why
    report = gradcheck_report(lambda x: (x.abs() * x.exp()).sum(), x)
    assert report.ok
    (why,) = report.tolerance.values()
    assert "divided by the step 0.06" in why
    assert "tolerance: " in str(report)


def test_float32_finds_what_is_wrong_by_a_percent():
    class Almost(tg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x.abs() * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * 2 * x.abs() * 1.01

    x = draw(4, 3).detach().float().requires_grad_()
    with pytest.raises(GradcheckError) as caught:
        gradcheck(Almost, x)
    assert caught.value.report.finding.kind == "factor"


@pytest.mark.parametrize("dtype", [tg.float32, tg.float16])
def test_models_in_single_and_half_precision(dtype: Any):
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))
    if dtype == tg.float16:
        model = nn.Sequential(nn.Tanh())
    x = draw(4, 6).detach().to(dtype).requires_grad_()
    assert gradcheck(model, x)


def test_given_tolerances_are_kept():
    report = gradcheck_report(tg.exp, draw(2), atol=1e-9, rtol=0.0)
    assert report.ok
    assert list(report.tolerance.values()) == ["1e-09 + 0 * |expected|, given: atol=1e-09, rtol=0"]
    assert isinstance(gradcheck.__kwdefaults__["eps"], Default)
    assert gradcheck.__kwdefaults__["eps"] == 1e-6


# --- What it takes --------------------------------------------------------------------------------


class Square(tg.autograd.Function):
    """x**2."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 2 * g * x


def test_functions_as_classes_and_as_apply():
    for f in (Square, Square.apply):
        assert gradcheck(f, draw(3), order=2)
        assert gradgradcheck(f, draw(3))
        assert gradcheck_report(f, draw(3)).function == "Square"
        assert gradcheck_report(f, draw(3)).compared[0].name == "x"


def test_outputs_in_containers():
    def f(x: Any) -> Any:
        return {"loss": (x * x).sum(), "parts": (x.sin(), [x.exp(), "text", 3])}

    report = gradcheck_report(f, draw(3))
    assert report.ok
    assert [c.output for c in report.compared] == [
        "output 0['loss']",
        "output 1['parts'][0]",
        "output 2['parts'][1][0]",
    ]
    assert gradcheck(f, draw(3), order=2)

    def wrong(x: Any) -> Any:
        return {"right": x * 2, "wrong": x.detach() * x}

    with pytest.raises(GradcheckError, match=r"for output 1\['wrong'\] with respect to input 0"):
        gradcheck(wrong, draw(3))


def test_modules_name_their_parameters():
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    report = gradcheck_report(model, draw(2, 3), order=2)
    assert report.ok
    report = gradcheck_report(model, draw(2, 3))
    names = [c.name for c in report.compared]
    assert names == ["input", "0.weight", "0.bias", "2.weight", "2.bias"]


def test_losses():
    logits, target = draw(4, 3), tg.tensor([0, 2, 1, 1])
    assert gradcheck(nn.CrossEntropyLoss(), (logits, target), order=2)
    assert gradcheck(nn.functional.mse_loss, (draw(4, 3), draw(4, 3, seed=1)), order=2)
    model = nn.Linear(3, 2).double()
    x = draw(4, 3).detach()
    loss = gradcheck_report(lambda: (model(x) ** 2).mean(), (), parameters=model)
    assert loss.ok
    assert [c.name for c in loss.compared] == ["weight", "bias"]


def test_nothing_is_left_complex():
    x = draw(3)
    model = nn.BatchNorm1d(3).double()
    before = model.running_mean.clone()
    gradcheck(lambda x: x.sin(), x)
    gradgradcheck(lambda x: x.relu() * x, x)
    gradcheck(model, draw(4, 3))
    assert x.dtype == tg.float64
    assert tg.equal(model.running_mean, before)
    (x.sin().sum()).backward()
    assert np.allclose(x.grad.numpy(), np.cos(x.detach().numpy()))


def test_a_graph_made_before_still_works_after():
    x = draw(3)
    y = (x * x).sum()
    gradcheck(lambda x: x.sin(), x)
    y.backward()
    assert np.allclose(x.grad.numpy(), 2 * x.detach().numpy())


def test_a_complex_step_is_not_trusted_by_a_coincidence():
    """Of all signs of x, some cancel along a direction of ones: slope 0, as abs' complex one."""
    for signs in itertools.product([-1.0, 1.0], repeat=4):
        point = Point("x", tg.tensor([1.0, 2, 3, 4], dtype=tg.float64) * tg.tensor(signs).double())
        subject = Subject(lambda x: x.abs().mean() ** 2, (point.tensor,), [point])
        assert Differences(subject, 1e-6, None).used(point) == "richardson"
