"""What a `Monitor` keeps of a step, and how it is judged: many steps at a time, when asked.

At a step only a few elements are copied.  Their statistics are computed when somebody asks, or when
16 MB of them wait: for many steps together, so that each NumPy call has something to do.  Computed
at once, they would cost a small model ten times as much.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tensorgrad.viz.activity import Activation
from tensorgrad.viz.activity_shares import Shares, judged, spreads_of
from tensorgrad.viz.monitor_layout import Row, numbers_of
from tensorgrad.viz.sampling import STATISTICS, statistics

__all__ = ["Raw", "Record", "Recorder"]

Array = NDArray[Any]

WAITING = 1 << 24  # bytes of steps that are not judged yet
TOGETHER = 1 << 16  # elements of gradients that are judged together: they stay in the cache


class Raw(NamedTuple):
    """One step as it was seen.

    ``numbers`` are those of the parameters in the rows ``before`` and ``after`` (the step),
    ``sizes`` how many elements of each there are.  ``gradients`` is the row of those parameters
    that have one, at the positions ``which`` (None: all).
    """

    step: int
    numbers: tuple[int, ...]
    sizes: list[int]
    before: Row
    after: Row
    gradients: Row
    which: tuple[int, ...] | None
    missing: dict[int, str]  # number of a parameter -> why there is no gradient
    rates: list[float | None]  # of each parameter; None: the optimizer does not have it
    activations: list[Activation]
    output: Array | None
    nbytes: int

    def chosen(self) -> Chosen:
        """What there is of those parameters that have a gradient."""
        before, after = self.before, self.after
        if list(map(len, before.parts)) != list(map(len, after.parts)):
            after = before  # they changed their sizes
        every = range(len(self.numbers)) if self.which is None else self.which
        known = after is self.after
        return Chosen(
            tuple(self.numbers[k] for k in every),
            [self.sizes[k] for k in every],
            _part(before, every),
            _part(after, every),
            [known and self.rates[k] is not None for k in every],
        )


class Chosen(NamedTuple):
    """Of each parameter that has a gradient: its number, elements, and whether it was updated."""

    numbers: tuple[int, ...]
    sizes: list[int]
    before: Row
    after: Row
    updated: list[bool]


def _part(row: Row, which: Iterable[int]) -> Row:
    return Row([row.kinds[k] for k in which], [row.parts[k] for k in which])


@dataclass(slots=True)
class Record:
    """One step, judged: statistics (rows) and histograms of the parameters in ``which``."""

    step: int
    which: tuple[int, ...]
    values: Array
    histograms: Array
    missing: dict[int, str]
    rates: dict[int, float]
    activations: dict[str, Shares]
    spread: float | None


class Recorder:
    """The records of a run: at most ``limit``; then every second one is dropped."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._records: list[Record] = []
        self._waiting: list[Raw] = []
        self._bytes = 0

    def add(self, raw: Raw) -> bool:
        """Keep a step; whether there were too many, so that every second one was dropped."""
        self._waiting.append(raw)
        self._bytes += raw.nbytes
        thinned = len(self) >= self.limit
        if thinned:
            self._waiting = self._waiting[len(self._records) % 2 :: 2]
            self._records = self._records[::2]
            self._bytes = sum(raw.nbytes for raw in self._waiting)
        if self._bytes >= WAITING:
            self.judge()
        return thinned

    @property
    def steps(self) -> list[int]:
        """The numbers of the steps."""
        return [one.step for part in (self._records, self._waiting) for one in part]

    @property
    def records(self) -> list[Record]:
        """All records in order."""
        self.judge()
        return self._records

    def __len__(self) -> int:
        return len(self._records) + len(self._waiting)

    def judge(self) -> None:
        """Compute what is to be known of the steps that wait."""
        for part in _portions(self._waiting):
            self._records += _records_of(part)
        self._waiting.clear()
        self._bytes = 0


def _portions(waiting: list[Raw]) -> Iterator[list[Raw]]:
    part: list[Raw] = []
    elements = 0
    for raw in waiting:
        part.append(raw)
        elements += sum(raw.sizes)
        if elements >= TOGETHER:
            yield part
            part, elements = [], 0
    if part:
        yield part


def _records_of(part: Sequence[Raw]) -> list[Record]:
    chosen = [raw.chosen() for raw in part]
    values, histograms = np.empty((len(STATISTICS), 0)), np.empty((0, 0), np.uint16)
    sizes = [size for one in chosen for size in one.sizes]
    if sizes:
        values, found = statistics(
            numbers_of([raw.gradients for raw in part]),
            numbers_of([one.before for one in chosen]),
            numbers_of([one.after for one in chosen]),
            np.array(sizes, np.intp),
        )
        values[-1, [not known for one in chosen for known in one.updated]] = np.nan
        histograms = found.astype(np.uint16)
        if _fits(values):
            values = values.astype(np.float32)
    shares = iter(judged([a for raw in part for a in raw.activations]))
    spreads = spreads_of([raw.output for raw in part])
    records, at = [], 0
    for raw, one, spread in zip(part, chosen, spreads):
        end = at + len(one.numbers)
        records.append(
            Record(
                raw.step,
                one.numbers,
                values[:, at:end],
                histograms[at:end],
                raw.missing,
                {n: rate for n, rate in zip(raw.numbers, raw.rates) if rate is not None},
                {a.place.name: next(shares) for a in raw.activations},
                spread,
            )
        )
        at = end
    return records


def _fits(values: Array) -> bool:
    """Whether float32, half the memory, can hold the numbers."""
    with np.errstate(all="ignore"):
        size = np.abs(values[np.isfinite(values) & (values != 0)])
    return not size.size or bool(size.min() > 1e-37 and size.max() < 1e38)
