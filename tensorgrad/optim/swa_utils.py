"""Averages of a model's parameters over training, and what is done with them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from typing import Any, Literal, TypeAlias

from tensorgrad.autograd import no_grad
from tensorgrad.creation import tensor
from tensorgrad.dtypes import int64
from tensorgrad.nn.batchnorm import _BatchNorm
from tensorgrad.nn.module import Module
from tensorgrad.optim.optimizer import Optimizer, number
from tensorgrad.optim.scheduler import LRScheduler, for_groups
from tensorgrad.tensor import Tensor

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

Count: TypeAlias = "Tensor | int"
AvgFn: TypeAlias = Callable[[Tensor, Tensor, Count], Tensor]
MultiAvgFn: TypeAlias = Callable[[Sequence[Tensor], Sequence[Tensor], Count], None]


def _move(averaged: Sequence[Tensor], current: Sequence[Tensor], part: float) -> None:
    """averaged += part (current - averaged), in place; integers are rounded towards zero."""
    for mine, theirs in zip(averaged, current, strict=True):
        if mine.is_floating_point() or mine.is_complex():
            mine.lerp_(theirs, part)
        else:
            mine.copy_(mine * (1 - part) + theirs * part)


def _check_decay(decay: float) -> None:
    if not 0 <= decay <= 1:
        raise ValueError(f"Invalid decay value {decay} provided. It must be in [0, 1].")


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAvgFn:
    """``f(averaged, current, n)``, a <- decay a + (1 - decay) p for each of two lists, in place."""
    _check_decay(decay)

    def ema_update(averaged: Sequence[Tensor], current: Sequence[Tensor], _: Count) -> None:
        with no_grad():
            _move(averaged, current, 1 - decay)

    return ema_update


def get_swa_multi_avg_fn() -> MultiAvgFn:
    """``f(averaged, current, n)``, a <- a + (p - a) / (n + 1) for each of two lists, in place."""

    def swa_update(averaged: Sequence[Tensor], current: Sequence[Tensor], n: Count) -> None:
        with no_grad():
            _move(averaged, current, 1 / (number(n) + 1))

    return swa_update


def get_ema_avg_fn(decay: float = 0.999) -> AvgFn:
    """``f(averaged, current, n)``: decay averaged + (1 - decay) current."""
    _check_decay(decay)

    def ema_update(averaged: Tensor, current: Tensor, n: Count) -> Tensor:
        with no_grad():
            return decay * averaged + (1 - decay) * current

    return ema_update


def get_swa_avg_fn() -> AvgFn:
    """``f(averaged, current, n)``: averaged + (current - averaged) / (n + 1)."""

    def swa_update(averaged: Tensor, current: Tensor, n: Count) -> Tensor:
        with no_grad():
            return averaged + (current - averaged) / (n + 1)

    return swa_update


class AveragedModel(Module):
    """A copy of a model with the average of its parameters; call `update_parameters` to add one.

    avg_fn: ``(averaged, current, n) -> averaged``, or multi_avg_fn: the same for lists, in place;
    by default the plain mean of all. For an exponential average give ``get_ema_multi_avg_fn()``.
    use_buffers: average the buffers too, instead of copying the model's. device: where the copy
    is kept.

    The state has the prefix ``module.`` and the number of models taken, ``n_averaged``.

    Source: Izmailov et al. (2018), Averaging weights leads to wider optima and better
    generalization.
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: AvgFn | None = None,
        multi_avg_fn: MultiAvgFn | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError(
                "AveragedModel: Only one of avg_fn and multi_avg_fn should be provided"
            )
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, dtype=int64, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the averaged model gives."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the model's present parameters into the average; the first are copied.

        ValueError if the model has not as many as the one that this was made from.
        """
        with no_grad():
            mine, theirs = (
                _averaged(self.module, self.use_buffers),
                _averaged(model, self.use_buffers),
            )
            if len(mine) != len(theirs):
                raise ValueError(
                    f"AveragedModel.update_parameters: the model has {len(theirs)} parameters"
                    f"{' and buffers' if self.use_buffers else ''}, the average {len(mine)}; is "
                    "it the model that this was made from?"
                )
            if self.n_averaged.item() == 0:
                for averaged, current in zip(mine, theirs, strict=True):
                    averaged.copy_(current)
            elif self.avg_fn is not None:
                for averaged, current in zip(mine, theirs, strict=True):
                    averaged.copy_(self.avg_fn(averaged, current, self.n_averaged))
            else:
                update = self.multi_avg_fn or get_swa_multi_avg_fn()
                # Lists of one dtype each, as functions written for PyTorch expect.
                for dtype in dict.fromkeys(t.dtype for t in mine):
                    pairs = [(a, c) for a, c in zip(mine, theirs) if a.dtype == dtype]
                    update([a for a, _ in pairs], [c for _, c in pairs], self.n_averaged)
            if not self.use_buffers:
                for own, other in zip(self.module.buffers(), model.buffers(), strict=True):
                    own.detach().copy_(other.detach())
            self.n_averaged += 1


def _averaged(model: Module, use_buffers: bool) -> list[Tensor]:
    tensors = itertools.chain(model.parameters(), model.buffers() if use_buffers else ())
    return [t.detach() for t in tensors]


def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running statistics of all batch norms anew, over the batches of ``loader``.

    An average of parameters has had no batches of its own. Of a batch that is a list or tuple the
    first item goes through the model. Models without batch norm are left as they are.
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    was_training = model.training
    try:
        model.train()
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the plain mean of all batches
        with no_grad():
            for batch in loader:
                x = batch[0] if isinstance(batch, (list, tuple)) else batch
                model(x if device is None else x.to(device))
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        model.train(was_training)


class SWALR(LRScheduler):
    """From the present rate to ``swa_lr`` in ``anneal_epochs`` epochs, then constant.

    swa_lr: for all groups, or a list of one for each. anneal_strategy: ``"cos"`` or ``"linear"``.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        last_epoch: int = -1,
    ) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"SWALR: {type(optimizer).__name__} is not an Optimizer")
        rates = for_groups("SWALR", "swa_lr", optimizer, swa_lr)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                "SWALR: anneal_strategy must be one of 'cos' or 'linear', instead got "
                f"{anneal_strategy}"
            )
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(
                f"SWALR: anneal_epochs must be equal or greater than 0, got {anneal_epochs}"
            )
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["swa_lr"] = rate
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _part(self, step: int) -> float:
        """How much of the way is gone."""
        t = max(0, min(1, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t

    def get_lr(self) -> list[Any]:
        """The rates for the present step."""
        self._warn_outside_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._part(step - 1), self._part(step)
        rates = []
        for group in self.optimizer.param_groups:
            end = group["swa_lr"]
            # Where it began, from where it is: other schedulers may have moved it.
            start = end if before == 1 else (group["lr"] - before * end) / (1 - before)
            rates.append(end * now + start * (1 - now))
        return rates
