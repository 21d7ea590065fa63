"""What `fit` and `evaluate` are given, checked before anything is trained or written."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

from tensorgrad.errors import describe
from tensorgrad.nn import Module
from tensorgrad.tensor import Tensor

__all__ = [
    "check_numbers",
    "check_parts",
    "check_trained",
    "loss_number",
    "metric_number",
    "samples_of",
]


def check_parts(
    caller: str, model: Any, loss: Any, metrics: Any, loaders: Mapping[str, Any]
) -> None:
    """TypeError unless each part is of the kind that a loop needs."""
    if not isinstance(model, Module):
        raise TypeError(f"{caller}: model must be a Module, got {_kind(model)}")
    if isinstance(loss, type) or not callable(loss):
        raise TypeError(
            f"{caller}: loss must be a function of (output, target) or a module such as "
            f"nn.CrossEntropyLoss(), got {_kind(loss)}"
        )
    if metrics is not None and not isinstance(metrics, Mapping):
        raise TypeError(
            f'{caller}: metrics must be a dict, {{"accuracy": accuracy}}, got {_kind(metrics)}'
        )
    for name, loader in loaders.items():
        if not (hasattr(loader, "__iter__") or hasattr(loader, "__getitem__")):
            raise TypeError(
                f"{caller}: {name} must be an iterable of batches, as a DataLoader is, got "
                f"{_kind(loader)}"
            )


def check_trained(model: Module, optimizer: Any, scheduler: Any) -> None:
    """Raise unless the optimizer steps the model's parameters, and the scheduler its rates."""
    if isinstance(optimizer, type) or not hasattr(optimizer, "param_groups"):
        raise TypeError(
            "fit: optimizer must be an optimizer, as optim.SGD(model.parameters(), lr=0.1) makes "
            f"one, got {_kind(optimizer)}"
        )
    stepped = {id(p) for group in optimizer.param_groups for p in group["params"]}
    own = {id(p) for p in model.parameters()}
    if own and not own & stepped:
        raise ValueError(
            "fit: the optimizer has none of the model's parameters, which would not be trained; "
            "make it from model.parameters()"
        )
    if scheduler is None:
        return
    if isinstance(scheduler, type) or not hasattr(scheduler, "step"):
        raise TypeError(
            "fit: scheduler must be a scheduler, as lr_scheduler.StepLR(optimizer, 10) makes one, "
            f"got {_kind(scheduler)}"
        )
    if getattr(scheduler, "optimizer", optimizer) is not optimizer:
        raise ValueError(
            "fit: the scheduler belongs to another optimizer, whose rates it would set; make it "
            "from the one that is given"
        )


def check_numbers(
    whole: Mapping[str, Any], real: Mapping[str, Any], flags: Mapping[str, Any]
) -> None:
    """TypeError for what is no whole number, no number, no bool."""
    for name, value in whole.items():
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise TypeError(f"fit: {name} must be a whole number, got {value!r}")
    for name, value in real.items():
        if not isinstance(value, Real):
            raise TypeError(f"fit: {name} must be a number, got {value!r}")
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise TypeError(f"fit: {name} must be True or False, got {value!r}")


def loss_number(caller: str, value: Any) -> float:
    """The loss of a batch as a number; TypeError unless it is a Tensor of one element."""
    if not isinstance(value, Tensor) or value.numel() != 1:
        what = describe(value) if isinstance(value, Tensor) else _kind(value)
        raise TypeError(
            f"{caller}: loss must return a Tensor of one element, the mean over the batch, got "
            f"{what}"
        )
    return value.item()  # type: ignore[no-any-return]


def metric_number(name: str, value: Any) -> float:
    """What a metric says, as a Python number."""
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError):
        what = describe(value) if isinstance(value, Tensor) else f"{_kind(value)} ({value!r:.60})"
        raise TypeError(
            f"metrics: {name!r} must return a number, the mean over the batch, got {what}"
        ) from None


def samples_of(caller: str, inputs: tuple[Any, ...], target: Any) -> int:
    """How many samples a batch has: by the target, or an input if the target is a dict or so."""
    for part in (target, *inputs):
        dimensions = getattr(part, "ndim", None)
        if dimensions or isinstance(part, list):
            return len(part)
        if dimensions == 0:
            break
    raise TypeError(
        f"{caller}: the target of a batch has no dimension of samples: {_kind(target)}; a data set "
        "goes into a DataLoader, which makes batches"
    )


def _kind(value: Any) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}; make one of it: {value.__name__}(...)"
    if isinstance(value, Tensor):
        return describe(value)
    if value is None or isinstance(value, (str, int, float)):
        return repr(value)
    return f"a {type(value).__name__}"
