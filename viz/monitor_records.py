"""What a `Monitor` keeps of a step, and how it is judged: many steps at a time.

At a step only a few elements are copied.  Their statistics are computed for all steps since the
last time together, so that each NumPy call has something to do: computed at once, they would cost
a small model ten times as much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tensorgrad.viz.activity import Activation, spread_of
from tensorgrad.viz.sampling import STATISTICS, statistics

__all__ = ["Raw", "Record", "Recorder"]

Array = NDArray[Any]

TOGETHER = 32  # steps
ELEMENTS = 1 << 20  # or so many numbers, whatever comes first


@dataclass(slots=True)
class Raw:
    """One step as it was seen; ``entries``: (number, gradient, before, after the step or None)."""

    step: int
    entries: list[tuple[int, Array, Array, Array | None]]
    missing: dict[int, str]  # number of a parameter -> why there is no gradient
    rates: dict[int, float]  # number -> learning rate
    activations: list[Activation]
    output: Array | None

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return sum(3 * len(grad) for _, grad, _, _ in self.entries) + sum(
            part.size for a in self.activations for part, _ in a.parts
        )


@dataclass(slots=True)
class Record:
    """One step, judged: statistics (rows) and histograms of the parameters in ``which``."""

    step: int
    which: tuple[int, ...]
    values: Array
    histograms: Array
    missing: dict[int, str]
    rates: dict[int, float]
    activations: dict[str, tuple[float | None, float | None, float | None]]
    alive: dict[str, Array]
    spread: float | None


class Recorder:
    """The records of a run: at most ``limit``; then every second one is dropped."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._records: list[Record] = []
        self._pending: list[Raw] = []
        self._numbers = 0

    def add(self, raw: Raw) -> None:
        """Keep a step."""
        self._pending.append(raw)
        self._numbers += raw.size
        if len(self._pending) >= TOGETHER or self._numbers >= ELEMENTS:
            self._judge()

    def thin(self) -> bool:
        """Drop every second record if there are too many; whether that was so."""
        if len(self._records) < self.limit:
            return False
        self._records = self._records[::2]
        return True

    @property
    def records(self) -> list[Record]:
        """All records in order."""
        self._judge()
        return self._records

    def __len__(self) -> int:
        return len(self._records) + len(self._pending)

    def _judge(self) -> None:
        entries = [entry for raw in self._pending for entry in raw.entries]
        values, histograms = np.empty((len(STATISTICS), 0)), np.empty((0, 0), np.uint16)
        if entries:
            _, gradients, before, after = zip(*entries)
            values, found = statistics(gradients, before, after)
            histograms = found.astype(np.uint16)
            if _fits(values):
                values = values.astype(np.float32)
        at = 0
        for raw in self._pending:
            end = at + len(raw.entries)
            self._records.append(
                Record(
                    raw.step,
                    tuple(entry[0] for entry in raw.entries),
                    values[:, at:end],
                    histograms[at:end],
                    raw.missing,
                    raw.rates,
                    {a.place.name: a.shares() for a in raw.activations},
                    {a.place.name: v for a in raw.activations if (v := a.alive()) is not None},
                    None if raw.output is None else spread_of(raw.output),
                )
            )
            at = end
        self._pending.clear()
        self._numbers = 0


def _fits(values: Array) -> bool:
    """Whether float32, half the memory, can hold the numbers."""
    with np.errstate(all="ignore"):
        size = np.abs(values[np.isfinite(values) & (values != 0)])
    return not size.size or bool(size.min() > 1e-37 and size.max() < 1e38)
