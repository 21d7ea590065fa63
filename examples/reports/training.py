"""Runs of a given number of steps: measured on the way, kept when finished, resumed when not."""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

import tensorgrad as tg
from tensorgrad import nn, viz

Curves = dict[str, list[float]]
Batch = tuple[tg.Tensor, tg.Tensor]

# Seconds between two checkpoints of a run that takes longer.
CHECKPOINT_EVERY = 60.0


class Batches:
    """Endless mini-batches of arrays in memory: a new order each epoch, drawn from a seed.

    Where it stands is two numbers, so that a run can go on exactly.
    """

    def __init__(self, data: Any, size: int, seed: int, shuffle: bool = True) -> None:
        self.x, self.y = data
        if not 1 <= size <= len(self.x):
            raise ValueError(f"Batches: size {size} of {len(self.x)} examples")
        self.size, self.seed, self.shuffle = size, seed, shuffle
        self.load_state_dict({"epoch": 0, "place": 0})

    def next(self) -> Batch:
        """The next ``size`` examples; an epoch's last, incomplete batch is left out."""
        if self.place + self.size > len(self.x):
            self.load_state_dict({"epoch": self.epoch + 1, "place": 0})
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
        count = len(self.x)
        random = np.random.default_rng((self.seed, self.epoch))
        self._order = random.permutation(count) if self.shuffle else np.arange(count)


def in_order(x: Any, size: int = 500) -> Iterator[tg.Tensor]:
    """All examples in order, for measuring."""
    for start in range(0, len(x), size):
        yield tg.from_numpy(x[start : start + size])


@tg.no_grad()
def scores(model: nn.Module, x: Any) -> Any:
    """The model's outputs for all examples, in evaluation mode."""
    was = model.training
    model.eval()
    found = np.concatenate([model(inputs).numpy() for inputs in in_order(x)])
    model.train(was)
    return found


def measure(model: nn.Module, data: Any) -> tuple[float, float]:
    """Mean cross-entropy and accuracy."""
    found, labels = tg.from_numpy(scores(model, data[0])), tg.from_numpy(data[1])
    loss = nn.functional.cross_entropy(found, labels).item()
    return loss, float((found.argmax(1) == labels).float().mean())


def settings_of(parts: dict[str, Any], steps: int, every: int) -> str:
    """What a run depends on, in one line: a run that was kept with another is made anew."""
    batches, optimizer = parts["batches"], parts["optimizer"]
    groups = [
        {key: value for key, value in group.items() if key != "params"}
        for group in optimizer.param_groups
    ]
    start = b"".join(p.detach().numpy().tobytes() for p in parts["model"].parameters())
    data = zlib.crc32(batches.x[:100].tobytes() + batches.y.tobytes())
    schedule = parts.get("scheduler")
    return repr((
        steps, every, batches.size, batches.seed, batches.shuffle, batches.x.shape, data,
        zlib.crc32(start), str(parts["model"]), type(optimizer).__name__, groups,
        schedule and (type(schedule).__name__, sorted(schedule.state_dict().items())),
    ))  # fmt: skip


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
) -> Curves:
    """Train for some steps; the loss of every step and what ``evaluate`` says every few.

    The curves are returned, and kept in ``folder/name.json`` with the weights beside them: a run
    that is found there is not repeated, its model is loaded. An interrupted one goes on from its
    last checkpoint with the same numbers as if it had not been. A loss that is not finite ends the
    run: the curves then have "diverged", the step.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done, weights = folder / f"{name}.json", folder / f"{name}.safetensors"
    checkpoint = folder / f"{name}.checkpoint.safetensors"
    parts: dict[str, Any] = {"model": model, "optimizer": optimizer, "batches": batches}
    if scheduler is not None:
        parts["scheduler"] = scheduler
    settings = settings_of(parts, steps, every)
    if done.exists():
        kept = json.loads(done.read_text())
        if kept["settings"] == settings:
            model.load_state_dict(tg.load(weights))
            return dict(kept["curves"])
    curves: Curves = {"loss": []}
    step, seconds = 0, 0.0
    if checkpoint.exists() and (state := tg.load(checkpoint))["settings"] == settings:
        for key, part in parts.items():
            part.load_state_dict(state["parts"][key])
        tg.set_rng_state(state["rng"])
        curves = {key: values.tolist() for key, values in state["curves"].items()}
        step, seconds = state["step"], state["seconds"]
    began = saved = time.perf_counter()
    with tqdm(total=steps, initial=step, desc=name, unit="step", disable=None) as bar:
        while step < steps:
            inputs, labels = batches.next()
            optimizer.zero_grad()
            loss = loss_of(model(inputs), labels)
            value = loss.item()
            if not np.isfinite(value):
                curves["diverged"] = [float(step)]
                break
            loss.backward()
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
                    "settings": settings,
                    "parts": {key: part.state_dict() for key, part in parts.items()},
                    "rng": tg.get_rng_state(),
                    "curves": {key: tg.tensor(v, dtype=tg.float64) for key, v in curves.items()},
                    "step": step,
                    "seconds": seconds + now - began,
                }
                tg.save(state, checkpoint)
    curves["seconds"] = [seconds + time.perf_counter() - began]
    tg.save(model.state_dict(), weights)
    write_json(done, {"settings": settings, "curves": curves})
    checkpoint.unlink(missing_ok=True)
    return curves


def write_json(path: Path, content: Any) -> None:
    """Complete or not at all."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(content))
    os.replace(temporary, path)


# --- curves ---------------------------------------------------------------------------------------


def windows(losses: list[float], size: int) -> list[tuple[float, float]]:
    """(step, mean of the ``size`` losses up to it)."""
    whole = len(losses) // size * size
    means = np.array(losses[:whole]).reshape(-1, size).mean(1)
    return [((k + 1.0) * size, float(mean)) for k, mean in enumerate(means)]


def per_epoch(losses: list[float], epochs: int) -> list[float]:
    """The mean loss of each epoch."""
    return [float(part.mean()) for part in np.split(np.array(losses), epochs)]


def band(runs: list[Curves], key: str, window: int = 1) -> Any:
    """A measurement over runs, by step: a line and, of several, a band of one deviation."""
    if key == "loss":
        return viz.over_runs([windows(run["loss"], window) for run in runs])
    return viz.over_runs([list(zip(run["step"], run[key])) for run in runs])
