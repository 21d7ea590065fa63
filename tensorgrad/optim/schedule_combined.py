"""Schedules made of schedules: one after another, or all at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.optim.schedule_measured import MeasuredScheduler
from tensorgrad.optim.scheduler import LRScheduler, current, set_rates

__all__ = ["ChainedScheduler", "SequentialLR"]


class _Combined(LRScheduler):
    """What the two share: the parts are checked, and saved with the whole."""

    _schedulers: Sequence[LRScheduler]

    def _take(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None) -> None:
        name = type(self).__name__
        if len(schedulers) < 1:
            raise ValueError(f"{name} expects at least one scheduler, but got no scheduler.")
        for i, scheduler in enumerate(schedulers):
            if not hasattr(scheduler, "optimizer"):
                raise TypeError(
                    f"{name}: the scheduler at index {i} should have `optimizer` as its attribute, "
                    f"but it is {type(scheduler).__name__}"
                )
            if optimizer is None:
                optimizer = scheduler.optimizer
            if isinstance(scheduler, MeasuredScheduler):
                raise ValueError(
                    f"{name} does not support {type(scheduler).__name__}, whose step needs a loss "
                    f"or metric, but got one at index {i}; step it beside the others"
                )
            if scheduler.optimizer is not optimizer:
                raise ValueError(
                    f"{name} expects all schedulers to belong to the same optimizer, but that of "
                    f"{type(scheduler).__name__} at index {i} is another "
                    f"{type(scheduler.optimizer).__name__}"
                )
        assert optimizer is not None  # there is at least one scheduler
        self._schedulers = schedulers
        self.optimizer = optimizer

    def _rewind(self) -> None:
        """All parts as they are before their first step."""
        for scheduler in self._schedulers:
            if isinstance(scheduler, _Combined):
                scheduler._rewind()
            else:
                scheduler.last_epoch = -1

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer; the parts by their own `state_dict`."""
        state = super().state_dict()
        state["_schedulers"] = [scheduler.state_dict() for scheduler in self._schedulers]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a `state_dict` of as many schedulers."""
        parts = state_dict["_schedulers"]
        if len(parts) != len(self._schedulers):
            raise ValueError(
                f"{type(self).__name__}.load_state_dict: the dict has {len(parts)} schedulers, "
                f"this one {len(self._schedulers)}"
            )
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "_schedulers"})
        for scheduler, part in zip(self._schedulers, parts, strict=True):
            scheduler.load_state_dict(part)


class SequentialLR(_Combined):
    """One schedule after another; the i-th milestone is the epoch at which scheduler i+1 begins.

    Each begins at its own epoch 0, from initial_lr.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: list[LRScheduler],
        milestones: list[int],
        last_epoch: int = -1,
    ) -> None:
        self._take(schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                "SequentialLR expects number of schedulers provided to be one more than the number "
                f"of milestone points, but got number of schedulers {len(schedulers)} and the "
                f"number of milestones to be equal to {len(milestones)}"
            )
        self._milestones = milestones
        self.last_epoch = last_epoch + 1
        # Making the schedulers took a step of each; back to before, and only the first steps.
        set_rates(optimizer, current(optimizer, "initial_lr"))
        self.recursive_undo()
        self._first()._initial_step()
        self._last_lr = self._first().get_last_lr()

    def _first(self) -> LRScheduler:
        return self._schedulers[bisect_right(self._milestones, 0)]

    def recursive_undo(self, sched: LRScheduler | None = None) -> None:
        """Set ``last_epoch`` of all schedulers, also those inside others, back by one."""
        scheduler = self if sched is None else sched
        if isinstance(scheduler, _Combined):
            for part in scheduler._schedulers:
                self.recursive_undo(part)
        else:
            scheduler.last_epoch -= 1

    def step(self) -> None:  # type: ignore[override]
        """Go to the next epoch."""
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[i]
        if i > 0 and self._milestones[i - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()

    # As parts of a SequentialLR; PyTorch's begin with a step too many or fail.

    def _initial_step(self) -> None:
        self.last_epoch = 0
        self._first()._initial_step()
        self._last_lr = self._first().get_last_lr()

    def _update_lr(self, epoch: int | None = None) -> None:
        if epoch is None:
            self.step()
            return
        self.last_epoch = epoch
        i = bisect_right(self._milestones, epoch)
        self._schedulers[i]._update_lr(epoch - (self._milestones[i - 1] if i else 0))
        self._last_lr = self._schedulers[i].get_last_lr()


class ChainedScheduler(_Combined):
    """Several schedules at once, each changing what the one before it left."""

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None
    ) -> None:
        self._take(schedulers, optimizer)
        self._last_lr = current(self.optimizer)

    def step(self) -> None:  # type: ignore[override]
        """Go to the next epoch."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = current(self.optimizer)

    def _initial_step(self) -> None:
        for scheduler in self._schedulers:
            scheduler._initial_step()
        self._last_lr = current(self.optimizer)

    def _update_lr(self, epoch: int | None = None) -> None:
        if epoch == 0:  # as a part of a SequentialLR that begins: all from initial_lr
            set_rates(self.optimizer, current(self.optimizer, "initial_lr"))
            self._rewind()
            self._initial_step()
            return
        for scheduler in self._schedulers:
            scheduler._update_lr(epoch)
        self._last_lr = current(self.optimizer)
