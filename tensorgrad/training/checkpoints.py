"""The files of a run: its checkpoint, and the model of its best epoch."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tensorgrad.nn import Module
from tensorgrad.serialization import load, save

__all__ = ["Checkpoints"]

CHECKPOINT, BEST = "checkpoint.safetensors", "best.safetensors"


class Checkpoints:
    """Writes and reads the states of a run's parts, and the rows of its finished epochs.

    Files are replaced whole, so a process that is killed leaves the last checkpoint or the one
    before. Without a folder nothing is written.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None,
        parts: Mapping[str, Any],
        every: int | None,
        resume: bool,
    ) -> None:
        if folder is None and (every is not None or resume):
            raise ValueError("fit: checkpoint_every and resume need a folder")
        if every is not None and every < 1:
            raise ValueError(f"fit: checkpoint_every must be at least 1 batch, got {every}")
        if folder is not None and not os.fspath(folder):
            raise ValueError("fit: folder is empty; name one, '.' for the present one")
        self._folder = None if folder is None else Path(folder)
        self._parts = {name: part for name, part in parts.items() if part is not None}
        self._every = every
        self._batches = 0
        self._best: dict[str, Any] | None = None
        self.rows: list[dict[str, Any]] = []
        self._before = 0.0  # seconds that another process spent on the present epoch
        self._began = time.perf_counter()
        if self._folder is None:
            return
        if self._folder.exists() and not self._folder.is_dir():
            raise NotADirectoryError(f"fit: folder={str(folder)!r} is a file; name another folder")
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / CHECKPOINT
        if not path.exists():
            return
        if not resume:
            raise FileExistsError(
                f"fit: {path} is there already; pass resume=True to go on from it, or name another "
                "folder"
            )
        self._load(path)

    def begin_epoch(self) -> None:
        """Take the time."""
        self._began = time.perf_counter() - self._before
        self._before = 0.0

    def seconds(self) -> float:
        """What the epoch has taken so far, in all processes that worked on it."""
        return time.perf_counter() - self._began

    def after_batch(self) -> None:
        """Write a checkpoint if it is time to."""
        self._batches += 1
        if self._every is not None and self._batches % self._every == 0:
            self.save(self.seconds())

    def save(self, seconds: float = 0.0) -> None:
        """Write the checkpoint; seconds: what the epoch that is not over has taken."""
        if self._folder is None:
            return
        states = {name: part.state_dict() for name, part in self._parts.items()}
        state = {"states": states, "rows": self.rows, "seconds": seconds}
        save(state, self._folder / CHECKPOINT)

    def _load(self, path: Path) -> None:
        state = load(path)
        if not isinstance(state, dict) or set(state) != {"states", "rows", "seconds"}:
            raise ValueError(f"fit: {path} is no checkpoint that fit wrote")
        states = state["states"]
        if set(states) != set(self._parts):
            raise ValueError(
                f"fit: {path} has {sorted(states)}, this run has {sorted(self._parts)}; resume "
                "with the same arguments"
            )
        for name, part in self._parts.items():
            part.load_state_dict(states[name])
        self.rows, self._before = state["rows"], state["seconds"]

    def keep_best(self, model: Module, in_memory: bool) -> None:
        """Keep the model's state, that of the best epoch so far."""
        if self._folder is not None:
            save(model.state_dict(), self._folder / BEST)
        elif in_memory:
            self._best = copy.deepcopy(dict(model.state_dict()))

    def restore_best(self, model: Module) -> None:
        """Give the model the state of the best epoch."""
        if self._folder is not None:
            if (self._folder / BEST).exists():
                model.load_state_dict(load(self._folder / BEST))
        elif self._best is not None:
            model.load_state_dict(self._best)
