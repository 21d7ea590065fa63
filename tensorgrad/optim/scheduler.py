"""The base of learning-rate schedulers: when a rate changes, and what is saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any, TypeAlias

from tensorgrad.graph.provenance import warn
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.tensor import Tensor

__all__ = ["LRScheduler", "LambdaScheduler", "current", "for_groups", "set_rates", "times"]

Rate: TypeAlias = "float | Tensor"


def current(optimizer: Optimizer, key: str = "lr") -> list[Any]:
    """The value of an option in each group; tensors are copied."""
    return [_copied(group[key]) for group in optimizer.param_groups]


def times(optimizer: Optimizer, factor: float) -> list[Any]:
    """The learning rate of each group times a factor."""
    return [group["lr"] * factor for group in optimizer.param_groups]


def set_rates(optimizer: Optimizer, rates: list[Any]) -> None:
    """Give each group its rate."""
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        if isinstance(group["lr"], Tensor):
            # In place: a tensor given as lr stays the one that the user holds.
            group["lr"].fill_(rate.item() if isinstance(rate, Tensor) else rate)
        else:
            group["lr"] = rate


def for_groups(name: str, what: str, optimizer: Optimizer, values: Any) -> list[Any]:
    """One value for each group: those of a list, or the same for all."""
    groups = len(optimizer.param_groups)
    if not isinstance(values, (list, tuple)):
        return [_copied(values) for _ in range(groups)]
    if len(values) != groups:
        raise ValueError(
            f"{name}: {what} must have the same length as optimizer.param_groups; {what} has "
            f"{len(values)} values, param_groups {groups}"
        )
    return [_copied(value) for value in values]


def _copied(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value


class LRScheduler:
    """Base class of schedulers: a subclass computes the rates of ``last_epoch`` in `get_lr`.

    Making one takes step 0, which may already change the rates; each `step` after it counts one
    epoch. A group's first rate is kept in it as ``initial_lr``. ``last_epoch`` other than -1
    continues a schedule whose groups have ``initial_lr``; KeyError if they do not.

    A subclass may also define ``_get_closed_form_lr``: the rates as a function of ``last_epoch``
    and ``base_lrs`` alone. `get_lr` goes from the present rates instead, so that several
    schedulers may act on one optimizer.
    """

    _get_lr_called_within_step: bool = False
    _is_initial: bool = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"{type(self).__name__}: {type(optimizer).__name__} is not an Optimizer"
            )
        self.optimizer = optimizer
        if last_epoch == -1:
            for group in optimizer.param_groups:
                group.setdefault("initial_lr", _copied(group["lr"]))
        else:
            for i, group in enumerate(optimizer.param_groups):
                if "initial_lr" not in group:
                    raise KeyError(
                        f"{type(self).__name__}: param 'initial_lr' is not specified in "
                        f"param_groups[{i}] when resuming scheduler with last_epoch >= 0; load the "
                        "optimizer's state_dict first, or leave last_epoch out in a new run"
                    )
        self.base_lrs: list[Any] = current(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        # Kept with the optimizer, not here: whatever is here goes into state_dict.
        optimizer.__dict__["_step_when_scheduled"] = optimizer.__dict__.get("step")
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def get_last_lr(self) -> list[Any]:
        """The rates that the last `step` set, one for each group."""
        return self._last_lr

    def get_lr(self) -> list[Any]:
        """The rates for ``last_epoch``, one for each group; called by `step`, not by users."""
        raise NotImplementedError(f"{type(self).__name__} does not define get_lr()")

    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch, after the optimizer's steps; ``epoch`` is deprecated."""
        if self._step_count == 1:
            self._warn_of_order()
        self._step_count += 1
        if epoch is not None:
            warn(
                "The epoch parameter in `scheduler.step()` is deprecated: call "
                "`scheduler.step()` without it. Where a scheduler has a closed form, that is used "
                "for the given epoch instead of the chainable one."
            )
        self._update_lr(epoch)

    def _warn_of_order(self) -> None:
        optimizer = self.optimizer
        if optimizer.__dict__.get("step") is not optimizer.__dict__.get("_step_when_scheduled"):
            warn(
                "Seems like `optimizer.step()` has been overridden after learning rate scheduler "
                "initialization. Please make sure that it is called before `lr_scheduler.step()`."
            )
        elif not optimizer._opt_called:
            warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. Call them in "
                "the opposite order: otherwise the first value of the learning rate schedule is "
                "skipped."
            )

    def _update_lr(self, epoch: int | None = None) -> None:
        with self._calling_get_lr():
            if epoch is None:
                self.last_epoch += 1
                rates = self.get_lr()
            else:
                self.last_epoch = epoch
                closed = getattr(self, "_get_closed_form_lr", self.get_lr)
                rates = closed()
        self._set(rates)

    def _set(self, rates: list[Any]) -> None:
        set_rates(self.optimizer, rates)
        self._last_lr: list[Any] = current(self.optimizer)

    @contextmanager
    def _calling_get_lr(self) -> Iterator[None]:
        self._get_lr_called_within_step = True
        try:
            yield
        finally:
            self._get_lr_called_within_step = False

    def _warn_outside_step(self) -> None:
        """What `get_lr` of each scheduler calls: a user who calls it wants the last rates."""
        if not self._get_lr_called_within_step:
            warn(
                "To get the last learning rate computed by the scheduler, please use "
                "`get_last_lr()`."
            )

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a `state_dict`; load the optimizer's own as well: it has the rates."""
        self.__dict__.update(state_dict)


class LambdaScheduler(LRScheduler):
    """Base of the schedulers that take a function of the epoch, or one for each group.

    Functions are not saved; objects with ``__call__`` are, by their attributes.
    """

    lr_lambdas: list[Callable[[int], float]]

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"{type(self).__name__}: {type(optimizer).__name__} is not an Optimizer"
            )
        groups = len(optimizer.param_groups)
        given = list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * groups
        if len(given) != groups:
            raise ValueError(
                f"{type(self).__name__}: Expected {groups} lr_lambdas, one for each parameter "
                f"group, but got {len(given)}"
            )
        for function in given:
            if not callable(function):
                raise TypeError(
                    f"{type(self).__name__}: lr_lambda should be a function, but got "
                    f"{type(function).__name__}"
                )
        self.lr_lambdas = given
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer and functions."""
        state = super().state_dict()
        state["lr_lambdas"] = [
            None if isinstance(function, FunctionType) else dict(function.__dict__)
            for function in self.lr_lambdas
        ]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a `state_dict`; functions stay those given when this was made."""
        saved = state_dict["lr_lambdas"]
        if len(saved) != len(self.lr_lambdas):
            raise ValueError(
                f"{type(self).__name__}.load_state_dict: the dict has {len(saved)} lr_lambdas, "
                f"this scheduler {len(self.lr_lambdas)}"
            )
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "lr_lambdas"})
        for function, attributes in zip(self.lr_lambdas, saved, strict=True):
            if attributes is not None:
                function.__dict__.update(attributes)
