"""Rates that follow a measured loss or metric instead of the epoch."""

from __future__ import annotations

import math
from typing import Any, Literal, SupportsFloat

from tensorgrad.graph.provenance import warn
from tensorgrad.optim.optimizer import Optimizer, number
from tensorgrad.optim.scheduler import LRScheduler, current, set_rates

__all__ = ["LossRatioLR", "MeasuredScheduler", "ReduceLROnPlateau"]


class MeasuredScheduler(LRScheduler):
    """Base of schedulers whose `step` takes a number."""

    def _begin(self, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"{type(self).__name__}: {type(optimizer).__name__} is not an Optimizer"
            )
        self.optimizer = optimizer
        self.last_epoch = 0
        self._last_lr = current(optimizer)


class ReduceLROnPlateau(MeasuredScheduler):
    """lr <- max(factor lr, min_lr) when a metric has not improved for ``patience`` epochs.

    mode: ``"min"`` or ``"max"``, which of two metrics is better. threshold: by how much it must be
    better to count, as a part of the best (``"rel"``) or itself (``"abs"``). cooldown: epochs
    after a reduction that do not count as bad. min_lr: for all groups, or one for each. eps: a
    reduction by less is not made.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_lr: list[float] | float = 0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1:
            raise ValueError(f"ReduceLROnPlateau: Factor should be < 1.0, but is {factor}.")
        self.factor = factor
        self._begin(optimizer)
        groups = len(optimizer.param_groups)
        self.default_min_lr: float | None
        if isinstance(min_lr, (list, tuple)):
            if len(min_lr) != groups:
                raise ValueError(
                    f"ReduceLROnPlateau: expected {groups} min_lrs, one for each parameter group, "
                    f"got {len(min_lr)}"
                )
            self.default_min_lr = None
            self.min_lrs = list(min_lr)
        else:
            self.default_min_lr = min_lr
            self.min_lrs = [min_lr] * groups
        self.patience = patience
        self.cooldown = cooldown
        self.eps = eps
        if mode not in ("min", "max"):
            raise ValueError(f"ReduceLROnPlateau: mode {mode} is unknown; it is 'min' or 'max'")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(
                f"ReduceLROnPlateau: threshold mode {threshold_mode} is unknown; it is 'rel' or "
                "'abs'"
            )
        self.mode = mode
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self._reset()

    def _reset(self) -> None:
        self.best = self.mode_worse
        self.cooldown_counter = 0
        self.num_bad_epochs = 0

    def step(self, metrics: SupportsFloat, epoch: int | None = None) -> None:  # type: ignore[override]
        """Take the metric of an epoch; ``epoch`` is deprecated."""
        value = float(metrics)
        if epoch is None:
            epoch = self.last_epoch + 1
        else:
            warn(
                "The epoch parameter in `scheduler.step()` is deprecated: call "
                "`scheduler.step(metrics)` without it."
            )
        self.last_epoch = epoch
        if self._is_better(value, self.best):
            self.best = value
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce_lr(epoch)
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = current(self.optimizer)

    def _reduce_lr(self, epoch: int) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise RuntimeError(
                    f"ReduceLROnPlateau: the optimizer has {len(groups)} parameter groups, but "
                    f"{len(self.min_lrs)} min_lrs were given; a group was added since. Extend "
                    "`min_lrs`"
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        rates = []
        for group, least in zip(groups, self.min_lrs, strict=True):
            old = number(group["lr"])
            new = max(old * self.factor, least)
            rates.append(new if old - new > self.eps else group["lr"])
        set_rates(self.optimizer, rates)

    @property
    def in_cooldown(self) -> bool:
        """Whether epochs do not count yet."""
        return self.cooldown_counter > 0

    def _is_better(self, a: float, best: float) -> bool:
        if self.threshold_mode == "rel":
            bound = best * (1 - self.threshold if self.mode == "min" else 1 + self.threshold)
        else:
            bound = best - self.threshold if self.mode == "min" else best + self.threshold
        return a < bound if self.mode == "min" else a > bound

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a `state_dict`; load the optimizer's own as well: it has the rates."""
        super().load_state_dict(state_dict)
        self.mode_worse = math.inf if self.mode == "min" else -math.inf


class LossRatioLR(MeasuredScheduler):
    """lr <- lr · (mean loss of the last ``window`` steps) / (mean of the ``window`` before).

    Call ``step(loss)`` after each step of the optimizer, with a number or a tensor of one
    element. The rate falls as long as the loss does and rises with it. The ratios telescope:
    after any number of windows lr is its first value times the last mean over the first mean, so
    it can be recomputed from the losses alone, as long as no bound was met.

    min_lr, max_lr: bounds of every group's rate. A window whose mean is not a positive finite
    number changes nothing and is not compared with. It is not one of PyTorch's schedulers.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        window: int = 100,
        min_lr: float = 0.0,
        max_lr: float = math.inf,
    ) -> None:
        self._begin(optimizer)
        if not isinstance(window, int) or window < 1:
            raise ValueError(f"LossRatioLR: Expected positive integer window, but got {window}")
        if not 0 <= min_lr <= max_lr:
            raise ValueError(
                f"LossRatioLR: Expected 0 <= min_lr <= max_lr, but got {min_lr} and {max_lr}"
            )
        self.window = window
        self.min_lr = min_lr
        self.max_lr = max_lr
        self.total = 0.0  # of the losses of the present window
        self.count = 0
        self.previous: float | None = None

    def step(self, loss: SupportsFloat) -> None:  # type: ignore[override]
        """Take the loss of one step."""
        self.last_epoch += 1
        self.total += float(loss)
        self.count += 1
        if self.count < self.window:
            return
        actual = self.total / self.count
        self.total, self.count = 0.0, 0
        if not 0 < actual < math.inf:
            return
        if self.previous is not None:
            ratio = actual / self.previous
            set_rates(
                self.optimizer,
                [
                    min(max(number(group["lr"]) * ratio, self.min_lr), self.max_lr)
                    for group in self.optimizer.param_groups
                ],
            )
        self.previous = actual
        self._last_lr = current(self.optimizer)
