"""The training loop: epochs of steps, what they measured, and a progress bar."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

from tqdm import tqdm

from tensorgrad.autograd import no_grad
from tensorgrad.nn import Module
from tensorgrad.optim import Optimizer
from tensorgrad.optim.lr_scheduler import LossRatioLR, LRScheduler, ReduceLROnPlateau
from tensorgrad.tensor import Tensor

__all__ = ["Curves", "evaluate", "fit"]

Batches: TypeAlias = Iterable[Any]
Loss: TypeAlias = Callable[[Any, Any], Tensor]
Metrics: TypeAlias = Mapping[str, Callable[[Any, Any], float]]
# What was measured, by name and by the data it was measured on; one number for each epoch:
# curves["loss"]["train"]. viz.learning_curves draws it.
Curves: TypeAlias = dict[str, dict[str, list[float]]]


def fit(
    model: Module,
    loss: Loss,
    optimizer: Optimizer,
    train_loader: Batches,
    validation_loader: Batches | None = None,
    *,
    epochs: int,
    scheduler: LRScheduler | None = None,
    metrics: Metrics | None = None,
    description: str = "",
    progress: bool = True,
) -> Curves:
    """Train ``model`` for some epochs and return what was measured in each.

    train_loader, validation_loader: iterables, gone through once an epoch, of batches
        ``(input, ..., target)``; the model is called with the inputs.
    loss: ``loss(output, target)``, a mean over the batch.
    scheduler: takes a step after each epoch; a `ReduceLROnPlateau` is given the validation loss,
        or the training loss if there is none, and a `LossRatioLR` the loss of each batch.
    metrics: more to measure, ``{"accuracy": accuracy}``, each a mean over the batch.
    description, progress: a tqdm bar with the numbers of the last epoch.

    "train" numbers are means over the epoch while the model was learning, in training mode, so
    they lag behind; use `evaluate` for those of the final model. Raises FloatingPointError at the
    first batch whose loss is not finite, before it has changed the model.
    """
    if epochs < 0:
        raise ValueError(f"fit: epochs must not be negative, got {epochs}")
    measures = {"loss": loss, **(metrics or {})}
    curves: Curves = {name: defaultdict(list) for name in measures}
    after_batch = scheduler.step if isinstance(scheduler, LossRatioLR) else None
    with tqdm(total=epochs, desc=description, unit="epoch", disable=not progress) as bar:
        for epoch in range(1, epochs + 1):
            results = {
                "train": _train(
                    model, loss, optimizer, train_loader, metrics or {}, epoch, after_batch
                )
            }
            if validation_loader is not None:
                results["validation"] = evaluate(model, loss, validation_loader, metrics)
            if isinstance(scheduler, ReduceLROnPlateau):
                scheduler.step(results.get("validation", results["train"])["loss"])
            elif scheduler is not None and after_batch is None:
                scheduler.step()
            for split, values in results.items():
                for name, value in values.items():
                    curves[name][split].append(value)
            shown = results.get("validation", results["train"])
            bar.set_postfix({name: f"{value:.4f}" for name, value in shown.items()})
            bar.update()
    return {name: dict(splits) for name, splits in curves.items()}


def evaluate(
    model: Module, loss: Loss, loader: Batches, metrics: Metrics | None = None
) -> dict[str, float]:
    """The loss and the metrics over all batches, in evaluation mode, without recording."""
    means = _Means()
    with _mode(model, training=False), no_grad():
        for inputs, target in _batches(loader):
            output = model(*inputs)
            means.add(len(target), loss(output, target).item(), output, target, metrics or {})
    return means.values("evaluate")


def _train(
    model: Module,
    loss: Loss,
    optimizer: Optimizer,
    loader: Batches,
    metrics: Metrics,
    epoch: int,
    after_batch: Callable[[float], None] | None,
) -> dict[str, float]:
    means = _Means()
    with _mode(model, training=True):
        for number, (inputs, target) in enumerate(_batches(loader), 1):
            optimizer.zero_grad()
            output = model(*inputs)
            value = loss(output, target)
            if not math.isfinite(value.item()):
                rates = ", ".join(f"{group['lr']:g}" for group in optimizer.param_groups)
                raise FloatingPointError(
                    f"fit: the loss is {value.item()} at batch {number} of epoch {epoch}; try a "
                    f"learning rate below {rates}, or look for bad values in the data"
                )
            value.backward()
            optimizer.step()
            if after_batch is not None:
                after_batch(value.item())
            means.add(len(target), value.item(), output, target, metrics)
    return means.values("fit")


class _Means:
    """Means over samples of what was measured over batches."""

    def __init__(self) -> None:
        self._samples = 0
        self._sums: dict[str, float] = defaultdict(float)

    def add(self, samples: int, loss: float, output: Any, target: Any, metrics: Metrics) -> None:
        self._samples += samples
        self._sums["loss"] += samples * loss
        for name, metric in metrics.items():
            self._sums[name] += samples * metric(output, target)

    def values(self, caller: str) -> dict[str, float]:
        if not self._samples:
            raise ValueError(
                f"{caller}: the loader gave no batches; an iterator or generator can be gone "
                "through only once, and drop_last drops a batch that is not full"
            )
        return {name: total / self._samples for name, total in self._sums.items()}


def _batches(loader: Batches) -> Iterator[tuple[tuple[Any, ...], Any]]:
    for batch in loader:
        if not isinstance(batch, (tuple, list)) or len(batch) < 2:
            raise TypeError(
                "fit: a batch must be a tuple or list (input, ..., target), got "
                f"{type(batch).__name__}"
            )
        *inputs, target = batch
        yield tuple(inputs), target


@contextmanager
def _mode(model: Module, training: bool) -> Iterator[None]:
    """The model in training or evaluation mode, and then as it was."""
    before = {module: module.training for module in model.modules()}
    model.train(training)
    try:
        yield
    finally:
        for module, was in before.items():
            module.training = was
