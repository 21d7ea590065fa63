"""Runs of a given number of steps: measured on the way, kept when finished, resumed when not."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

import tensorgrad as tg
from tensorgrad import nn

Curves = dict[str, list[float]]
Batch = tuple[tg.Tensor, tg.Tensor]

# Seconds between two checkpoints of a run that takes longer.
CHECKPOINT_EVERY = 60.0


class Batches:
    """Endless mini-batches of arrays in memory: a new order each epoch, drawn from a seed.

    Where it stands is three numbers, so that a run can go on exactly.
    """

    def __init__(self, x: Any, y: Any, size: int, seed: int, shuffle: bool = True) -> None:
        self.x, self.y, self.size, self.seed, self.shuffle = x, y, size, seed, shuffle
        self.epoch, self.place = 0, 0
        self._order = self._shuffled()

    def _shuffled(self) -> Any:
        n = len(self.x)
        return np.random.default_rng((self.seed, self.epoch)).permutation(n) if self.shuffle else (
            np.arange(n)
        )

    def next(self) -> Batch:
        """The next ``size`` examples; an epoch's last, incomplete batch is left out."""
        if self.place + self.size > len(self._order):
            self.epoch, self.place = self.epoch + 1, 0
            self._order = self._shuffled()
        index = self._order[self.place : self.place + self.size]
        self.place += self.size
        return tg.from_numpy(self.x[index]), tg.from_numpy(self.y[index])

    @property
    def per_epoch(self) -> int:
        """How many batches an epoch has."""
        return len(self.x) // self.size

    def state_dict(self) -> dict[str, int]:
        """The epoch and the place in it."""
        return {"epoch": self.epoch, "place": self.place}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on from there."""
        self.epoch, self.place = state["epoch"], state["place"]
        self._order = self._shuffled()


def in_batches(x: Any, y: Any, size: int = 500) -> Iterator[Batch]:
    """All examples in order, for measuring."""
    for start in range(0, len(x), size):
        yield tg.from_numpy(x[start : start + size]), tg.from_numpy(y[start : start + size])


@tg.no_grad()
def measure(model: nn.Module, x: Any, y: Any) -> tuple[float, float]:
    """Mean cross-entropy and accuracy, in evaluation mode."""
    was, total, right = model.training, 0.0, 0
    model.eval()
    for inputs, labels in in_batches(x, y):
        outputs = model(inputs)
        total += nn.functional.cross_entropy(outputs, labels, reduction="sum").item()
        right += int((outputs.argmax(1) == labels).sum())
    model.train(was)
    return total / len(x), right / len(x)


@tg.no_grad()
def predictions(model: nn.Module, x: Any) -> Any:
    """The class with the largest output, for each example."""
    model.eval()
    zeros = np.zeros(len(x), np.int64)
    return np.concatenate([model(inputs).argmax(1).numpy() for inputs, _ in in_batches(x, zeros)])


def train(
    model: nn.Module,
    optimizer: tg.optim.Optimizer,
    batches: Batches,
    steps: int,
    *,
    name: str,
    folder: Path,
    every: int = 100,
    evaluate: Callable[[], dict[str, float]] | None = None,
    scheduler: Any = None,
    loss_of: Callable[[tg.Tensor, tg.Tensor], tg.Tensor] = nn.functional.cross_entropy,
    after_backward: Callable[[], None] | None = None,
) -> Curves:
    """Train for some steps; the loss of every step and what ``evaluate`` says every few.

    The curves are returned, and kept in ``folder/name.json`` with the weights beside them: a run
    that is found there is not repeated, its model is loaded. An interrupted one goes on from its
    last checkpoint with the same numbers as if it had not been.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done, weights = folder / f"{name}.json", folder / f"{name}.safetensors"
    checkpoint = folder / f"{name}.checkpoint.safetensors"
    if done.exists():
        model.load_state_dict(tg.load(weights))
        return json.loads(done.read_text())  # type: ignore[no-any-return]
    curves: Curves = {"loss": []}
    step, seconds = 0, 0.0
    parts: dict[str, Any] = {"model": model, "optimizer": optimizer, "batches": batches}
    if scheduler is not None:
        parts["scheduler"] = scheduler
    if checkpoint.exists():
        kept = tg.load(checkpoint)
        for key, part in parts.items():
            part.load_state_dict(kept["parts"][key])
        tg.set_rng_state(kept["rng"])
        curves = {key: array.tolist() for key, array in kept["curves"].items()}
        step, seconds = kept["step"], kept["seconds"]
    began = saved = time.perf_counter()
    with tqdm(total=steps, initial=step, desc=name, unit="step", leave=False) as bar:
        while step < steps:
            inputs, labels = batches.next()
            optimizer.zero_grad()
            loss = loss_of(model(inputs), labels)
            value = loss.item()
            if not np.isfinite(value):
                raise FloatingPointError(f"{name}: the loss is {value} at step {step}")
            loss.backward()
            if after_backward is not None:
                after_backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
            curves["loss"].append(value)
            step += 1
            bar.update()
            if evaluate is not None and (step % every == 0 or step == steps):
                found = {"step": float(step), **evaluate()}
                for key, number in found.items():
                    curves.setdefault(key, []).append(number)
                bar.set_postfix({k: f"{v:.4f}" for k, v in found.items() if k != "step"})
            now = time.perf_counter()
            if now - saved > CHECKPOINT_EVERY:
                saved = now
                state = {
                    "parts": {key: part.state_dict() for key, part in parts.items()},
                    "rng": tg.get_rng_state(),
                    "curves": {key: tg.tensor(v, dtype=tg.float64) for key, v in curves.items()},
                    "step": step,
                    "seconds": seconds + now - began,
                }
                tg.save(state, checkpoint)
    curves["seconds"] = [seconds + time.perf_counter() - began]
    tg.save(model.state_dict(), weights)
    temporary = done.with_suffix(".tmp")
    temporary.write_text(json.dumps(curves))
    os.replace(temporary, done)
    checkpoint.unlink(missing_ok=True)
    return curves
