"""The training loop: epochs of steps, what they measured, and a progress bar."""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeAlias

from tqdm import tqdm

from tensorgrad.autograd import no_grad
from tensorgrad.nn import Module
from tensorgrad.optim import LBFGS, Optimizer
from tensorgrad.optim.lr_scheduler import LossRatioLR, LRScheduler, ReduceLROnPlateau
from tensorgrad.tensor import Tensor
from tensorgrad.training.arguments import (
    check_numbers,
    check_parts,
    check_trained,
    loss_number,
    samples_of,
)
from tensorgrad.training.checkpoints import Checkpoints
from tensorgrad.training.logs import Logs
from tensorgrad.training.measuring import Measures, Metrics
from tensorgrad.training.position import Position
from tensorgrad.training.stopping import Best

__all__ = ["Curves", "evaluate", "fit"]

Batches: TypeAlias = Iterable[Any]
Loss: TypeAlias = Callable[[Any, Any], Tensor]
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
    monitor: str = "loss",
    mode: str = "min",
    patience: int | None = None,
    min_delta: float = 0.0,
    restore_best: bool = False,
    folder: str | os.PathLike[str] | None = None,
    checkpoint_every: int | None = None,
    resume: bool = False,
    tensorboard: bool = False,
) -> Curves:
    """Train ``model`` for some epochs and return what was measured in each.

    train_loader, validation_loader: iterables, gone through once an epoch, of batches
        ``(input, ..., target)``; the model is called with the inputs.
    loss: ``loss(output, target)``, a mean over the batch.
    scheduler: takes a step after each epoch; a `ReduceLROnPlateau` is given the validation loss,
        or the training loss if there is none, and a `LossRatioLR` the loss of each batch.
    metrics: more to measure, ``{"accuracy": accuracy}``, each a mean over the batch, or a streaming
        metric, ``{"F1": FScore(10)}``, which is asked once an epoch.
    description, progress: a tqdm bar with the numbers of the last epoch.
    monitor, mode: what the best epoch is the best in, on the validation data if there are any, and
        whether less of it ("min") or more ("max") is better.
    patience, min_delta: stop after so many epochs in a row that were not better than the best by
        more than ``min_delta``.
    restore_best: in the end the model is as it was after its best epoch.
    folder: gets ``history.csv`` and ``history.jsonl``, a line for each epoch, ``best.safetensors``,
        the state_dict of the best epoch, and ``checkpoint.safetensors``, everything that going on
        needs, after each epoch and every ``checkpoint_every`` batches besides.
    resume: go on from the checkpoint in ``folder`` if there is one, which gives the very numbers
        of a run that was not interrupted: the same bits on the same machine. Without it, a folder
        that has a checkpoint is refused.
    tensorboard: write the same numbers to ``folder`` for TensorBoard.

    "train" numbers are means over the epoch while the model was learning, in training mode, so
    they lag behind; use `evaluate` for those of the final model. Raises FloatingPointError at the
    first batch whose loss is not finite, before it has changed the model.
    """
    loaders = {"train_loader": train_loader, "validation_loader": validation_loader}
    if validation_loader is None:
        del loaders["validation_loader"]
    check_parts("fit", model, loss, metrics, loaders)
    check_trained(model, optimizer, scheduler)
    optional = {"patience": patience, "checkpoint_every": checkpoint_every}
    whole = {name: value for name, value in optional.items() if value is not None}
    check_numbers(
        whole={"epochs": epochs, **whole},
        real={"min_delta": min_delta},
        flags={
            "progress": progress,
            "restore_best": restore_best,
            "resume": resume,
            "tensorboard": tensorboard,
        },
    )
    if epochs < 0:
        raise ValueError(f"fit: epochs must not be negative, got {epochs}")
    if isinstance(optimizer, LBFGS):
        raise TypeError(
            "fit: LBFGS asks for the loss several times in a step; write its loop, with "
            "optimizer.step(closure)"
        )
    best = Best(monitor, mode, patience, min_delta)
    measures, position = Measures(metrics), Position(train_loader)
    best.check(["loss", *(metrics or {})])
    parts = {
        "model": model,
        "optimizer": optimizer,
        "scheduler": scheduler,
        "measures": measures,
        "position": position,
        "best": best,
    }
    checkpoints = Checkpoints(folder, parts, checkpoint_every, resume)
    rows = checkpoints.rows  # a dict of what was measured for each epoch that is over
    with ExitStack() as stack:
        logs = stack.enter_context(Logs(folder, rows, tensorboard))
        bar = tqdm(total=epochs, desc=description, unit="epoch", disable=not progress)
        stack.enter_context(bar)
        bar.update(len(rows))
        while len(rows) < epochs and not best.stop:
            checkpoints.begin_epoch()
            results = {
                "train": _train(
                    *(model, loss, optimizer, measures, position, scheduler),
                    epoch=len(rows) + 1,
                    after_batch=checkpoints.after_batch,
                )
            }
            if validation_loader is not None:
                results["validation"] = evaluate(model, loss, validation_loader, metrics)
            shown = results.get("validation", results["train"])
            rates = [float(group["lr"]) for group in optimizer.param_groups]
            if isinstance(scheduler, ReduceLROnPlateau):
                scheduler.step(shown["loss"])
            elif scheduler is not None and not isinstance(scheduler, LossRatioLR):
                scheduler.step()
            if best.update(shown[monitor]):
                checkpoints.keep_best(model, in_memory=restore_best)
            row = {"epoch": len(rows) + 1, **results, "lr": rates, "seconds": checkpoints.seconds()}
            rows.append(row)
            logs.write(row)
            measures.reset()
            checkpoints.save()
            bar.set_postfix({name: f"{value:.4f}" for name, value in shown.items()})
            bar.update()
    if restore_best and rows:
        checkpoints.restore_best(model)
    return _curves(rows, ["loss", *(metrics or {})])


def evaluate(
    model: Module, loss: Loss, loader: Batches, metrics: Metrics | None = None
) -> dict[str, float]:
    """The loss and the metrics over all batches, in evaluation mode, without recording."""
    check_parts("evaluate", model, loss, metrics, {"loader": loader})
    measures = Measures(metrics)
    with _mode(model, training=False), no_grad():
        for batch in loader:
            inputs, target = _parts("evaluate", batch)
            samples = samples_of("evaluate", inputs, target)
            output = model(*inputs)
            measures.add(samples, loss_number("evaluate", loss(output, target)), output, target)
    return measures.values("evaluate")


def _train(
    model: Module,
    loss: Loss,
    optimizer: Optimizer,
    measures: Measures,
    position: Position,
    scheduler: LRScheduler | None,
    *,
    epoch: int,
    after_batch: Callable[[], None],
) -> dict[str, float]:
    """One epoch, or what is left of it."""
    with _mode(model, training=True):
        for batch in position.batches():
            inputs, target = _parts("fit", batch)
            samples = samples_of("fit", inputs, target)
            optimizer.zero_grad()
            output = model(*inputs)
            value = loss(output, target)
            number = loss_number("fit", value)
            if not math.isfinite(number):
                rates = ", ".join(f"{group['lr']:g}" for group in optimizer.param_groups)
                raise FloatingPointError(
                    f"fit: the loss is {number} at batch {position.done} of epoch {epoch}; try a "
                    f"learning rate below {rates}, or look for bad values in the data"
                )
            value.backward()
            optimizer.step()
            if isinstance(scheduler, LossRatioLR):
                scheduler.step(number)
            measures.add(samples, number, output, target)
            after_batch()
    return measures.values("fit")


def _curves(rows: list[dict[str, Any]], names: list[str]) -> Curves:
    curves: Curves = {name: defaultdict(list) for name in names}
    for row in rows:
        for split in ("train", "validation"):
            for name, value in row.get(split, {}).items():
                curves[name][split].append(value)
    return {name: dict(splits) for name, splits in curves.items()}


def _parts(caller: str, batch: Any) -> tuple[tuple[Any, ...], Any]:
    if not isinstance(batch, (tuple, list)) or len(batch) < 2:
        raise TypeError(
            f"{caller}: a batch must be a tuple or list (input, ..., target), got "
            f"{type(batch).__name__}"
        )
    *inputs, target = batch
    return tuple(inputs), target


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
