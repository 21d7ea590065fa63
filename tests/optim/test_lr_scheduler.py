"""Schedules by their formulas, warnings and state; sequences are compared in tests/parity."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.optim import SGD, lr_scheduler
from tensorgrad.optim.lr_scheduler import (
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)


def sgd(*rates):
    return SGD([{"params": tg.ones(1, requires_grad=True), "lr": r} for r in rates or (1.0,)])


def sequence(optimizer, scheduler, steps):
    """The rate of the last group, now and after each epoch."""
    found = [optimizer.param_groups[-1]["lr"]]
    for _ in range(steps):
        optimizer.step()
        scheduler.step()
        found.append(optimizer.param_groups[-1]["lr"])
    return found


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda o: StepLR(o, 2, 0.5), [1, 1, 0.5, 0.5, 0.25, 0.25]),
        (lambda o: MultiStepLR(o, [1, 4, 4], 0.5), [1, 0.5, 0.5, 0.5, 0.125, 0.125]),
        (lambda o: ExponentialLR(o, 0.5), [1, 0.5, 0.25, 0.125, 0.0625, 0.03125]),
        (lambda o: LambdaLR(o, lambda e: 1 + e), [1, 2, 3, 4, 5, 6]),
        (lambda o: MultiplicativeLR(o, lambda e: e), [1, 1, 2, 6, 24, 120]),
        (lambda o: ConstantLR(o, 0.25, 3), [0.25, 0.25, 0.25, 1, 1, 1]),
        (lambda o: ConstantLR(o, 0.0, 3), [0, 0, 0, 1, 1, 1]),
        (lambda o: LinearLR(o, 0.2, 1.0, 4), [0.2, 0.4, 0.6, 0.8, 1, 1]),
        (lambda o: PolynomialLR(o, 4, 2.0), [1, 0.5625, 0.25, 0.0625, 0, 0]),
    ],
)
def test_formulas(make, expected):
    optimizer = sgd(7.0, 1.0)
    assert sequence(optimizer, make(optimizer), 5) == pytest.approx(expected, abs=1e-15)
    ratio = optimizer.param_groups[0]["lr"]  # the other group, 7 times as fast
    assert ratio == pytest.approx(7 * expected[-1], abs=1e-14)


def test_initial_lr_is_kept_in_the_groups():
    optimizer = sgd(0.5)
    scheduler = ExponentialLR(optimizer, 0.1)
    optimizer.step()
    scheduler.step()
    assert optimizer.param_groups[0]["initial_lr"] == 0.5
    assert scheduler.base_lrs == [0.5]
    assert scheduler.get_last_lr() == [0.05]
    # A second one starts from the same initial rate.
    assert LambdaLR(optimizer, lambda e: 2.0).get_last_lr() == [1.0]


def test_resuming_needs_initial_lr():
    with pytest.raises(KeyError, match=r"'initial_lr' is not specified in param_groups\[0\]"):
        StepLR(sgd(), 2, last_epoch=3)


def test_order_of_calls():
    optimizer = sgd()
    scheduler = StepLR(optimizer, 2)
    with pytest.warns(UserWarning, match=r"`lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        scheduler.step()
    optimizer = sgd()
    scheduler = StepLR(optimizer, 2)
    optimizer.step = lambda: None
    with pytest.warns(UserWarning, match="has been overridden after"):
        scheduler.step()


def test_get_lr_and_epoch_are_discouraged():
    optimizer = sgd()
    scheduler = ExponentialLR(optimizer, 0.5)
    with pytest.warns(UserWarning, match="get_last_lr"):
        scheduler.get_lr()
    optimizer.step()
    with pytest.warns(UserWarning, match="epoch parameter"):
        scheduler.step(3)
    assert optimizer.param_groups[0]["lr"] == 0.125


class Power:
    def __init__(self, base):
        self.base = base

    def __call__(self, epoch):
        return self.base**epoch


def test_state_dict():
    optimizer = sgd()
    scheduler = LambdaLR(optimizer, [Power(0.5)])
    sequence(optimizer, scheduler, 3)
    state = copy.deepcopy(scheduler.state_dict())
    assert "optimizer" not in state
    assert state["lr_lambdas"] == [{"base": 0.5}]
    assert (state["last_epoch"], state["base_lrs"]) == (3, [1.0])
    other = sgd()
    resumed = LambdaLR(other, [Power(0.1)])
    resumed.load_state_dict(state)
    assert sequence(other, resumed, 1)[-1] == 0.0625
    assert state["lr_lambdas"] == [{"base": 0.5}]
    assert LambdaLR(sgd(), lambda e: e).state_dict()["lr_lambdas"] == [None]
    with pytest.raises(ValueError, match="has 1 lr_lambdas, this scheduler 2"):
        LambdaLR(sgd(1.0, 2.0), Power(0.5)).load_state_dict(state)


def test_a_tensor_rate_is_written_in_place():
    rate = tg.tensor(0.5)
    optimizer = SGD([tg.ones(1, requires_grad=True)], lr=rate)
    scheduler = ExponentialLR(optimizer, 0.5)
    optimizer.step()
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == 0.25
    assert scheduler.base_lrs[0].item() == 0.5
    assert scheduler.get_last_lr()[0] is not rate


def test_own_schedulers():
    class Down(LRScheduler):
        def get_lr(self):
            return [base / (1 + self.last_epoch) for base in self.base_lrs]

    optimizer = sgd(6.0)
    assert sequence(optimizer, Down(optimizer), 2) == [6, 3, 2]
    with pytest.raises(NotImplementedError, match=r"LRScheduler does not define get_lr\(\)"):
        LRScheduler(sgd())


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: StepLR(tg.ones(1), 2), TypeError, "Tensor is not an Optimizer"),
        (lambda: LambdaLR(None, lambda e: e), TypeError, "NoneType is not an Optimizer"),
        (lambda: LambdaLR(sgd(), [lambda e: e] * 2), ValueError, "Expected 1 lr_lambdas"),
        (lambda: MultiplicativeLR(sgd(), 3.0), TypeError, "should be a function, but got float"),
        (lambda: ConstantLR(sgd(), 1.5), ValueError, "between 0 and 1"),
        (lambda: LinearLR(sgd(), 0.0), ValueError, "greater than 0"),
        (lambda: LinearLR(sgd(), 0.5, 2.0), ValueError, "Ending multiplicative factor"),
        (lambda: lr_scheduler.LossRatioLR(3), TypeError, "int is not an Optimizer"),
        (lambda: lr_scheduler.LossRatioLR(sgd(), 0), ValueError, "positive integer window"),
        (lambda: lr_scheduler.LossRatioLR(sgd(), 2, 3, 2), ValueError, "0 <= min_lr <= max_lr"),
        (lambda: lr_scheduler.CyclicLR(3, 1, 2), TypeError, "int is not an Optimizer"),
        (lambda: lr_scheduler.OneCycleLR(3, 1, 2), TypeError, "int is not an Optimizer"),
        (
            lambda: lr_scheduler.ChainedScheduler([lr_scheduler.LossRatioLR(sgd())]),
            ValueError,
            "does not support LossRatioLR",
        ),
    ],
)
def test_refusals(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_the_loss_ratio_rule():
    optimizer = sgd()
    first = optimizer.param_groups[0]["lr"]
    scheduler = lr_scheduler.LossRatioLR(optimizer, window=3)
    losses = [3.0, 2.0, 4.0, 2.0, 1.0, 3.0, 1.0, 1.0, 1.0, 5.0]
    seen = []
    for loss in losses:
        optimizer.step()
        scheduler.step(tg.tensor(loss) if loss == 1 else loss)
        seen.append(optimizer.param_groups[0]["lr"])
    # Means 3, 2, 1: nothing to compare with, times 2/3, times 1/2.
    np.testing.assert_allclose(np.array(seen) / first, [1] * 5 + [2 / 3] * 3 + [1 / 3] * 2)
    assert scheduler.get_last_lr() == [seen[-1]]
    again = lr_scheduler.LossRatioLR(sgd(), window=9)
    again.load_state_dict(scheduler.state_dict())
    assert (again.window, again.count, again.total, again.previous) == (3, 1, 5.0, 1.0)


def test_the_loss_ratio_rule_has_bounds():
    optimizer = sgd()
    optimizer.param_groups[0]["lr"] = 0.5
    scheduler = lr_scheduler.LossRatioLR(optimizer, window=1, min_lr=0.1, max_lr=1.0)
    rates = []
    for loss in (1.0, 1.5, 6.0, 0.1, float("nan"), 0.0, float("inf"), 0.2):
        scheduler.step(loss)
        rates.append(optimizer.param_groups[0]["lr"])
    # NaN, 0 and infinity change nothing; 0.2 is compared with 0.1.
    np.testing.assert_allclose(rates, [0.5, 0.75, 1.0, 0.1, 0.1, 0.1, 0.1, 0.2])


def test_a_phase_of_no_length():
    # The rise takes 0.1 of 10 steps: it ends at step 0, where PyTorch divides by zero.
    optimizer = sgd()
    lr_scheduler.OneCycleLR(optimizer, 0.5, 10, pct_start=0.1, cycle_momentum=False)
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_combined_within_combined():
    # PyTorch's begin with a step too many, or raise NotImplementedError where they begin.
    optimizer = sgd()
    first = optimizer.param_groups[0]["lr"]

    def chain():
        return lr_scheduler.ChainedScheduler(
            [lr_scheduler.ExponentialLR(optimizer, 0.5), lr_scheduler.StepLR(optimizer, 2, 0.1)]
        )

    inner = lr_scheduler.SequentialLR(
        optimizer, [lr_scheduler.ConstantLR(optimizer, 0.5, 9), chain()], [2]
    )
    scheduler = lr_scheduler.SequentialLR(
        optimizer, [lr_scheduler.ConstantLR(optimizer, 0.1, 9), inner], [2]
    )
    seen = []
    for _ in range(7):
        seen.append(optimizer.param_groups[0]["lr"] / first)
        optimizer.step()
        scheduler.step()
    np.testing.assert_allclose(seen, [0.1, 0.1, 0.5, 0.5, 1, 0.5, 0.025])
    optimizer = sgd()
    scheduler = lr_scheduler.SequentialLR(
        optimizer, [chain(), lr_scheduler.StepLR(optimizer, 1, 0.1)], [3]
    )
    seen = []
    for _ in range(5):
        seen.append(optimizer.param_groups[0]["lr"] / first)
        optimizer.step()
        scheduler.step()
    np.testing.assert_allclose(seen, [1, 0.5, 0.025, 1, 0.1])


def test_public_names():
    assert set(lr_scheduler.__all__) <= set(dir(lr_scheduler))
    assert lr_scheduler._LRScheduler is LRScheduler
