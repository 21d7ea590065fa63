"""What a `Monitor` keeps of a step, and how it is judged: many steps at a time, when asked.

At a step only a few elements are copied.  Their statistics are computed when somebody asks, or when
16 MB of them wait: for many steps together, so that each NumPy call has something to do.  Computed
at once, they would cost a small model ten times as much.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tensorgrad.graph.provenance import Location
from tensorgrad.viz.monitoring.activity import Activation, Part
from tensorgrad.viz.monitoring.activity_shares import Shares, judged, spreads_of
from tensorgrad.viz.monitoring.layout import Form, Row, numbers_of
from tensorgrad.viz.monitoring.sampling import STATISTICS, statistics
from tensorgrad.viz.monitoring.shelf import Shelf, taken

__all__ = ["Raw", "Record", "Recorder"]

Array = NDArray[Any]

WAITING = 1 << 24  # bytes of steps that are not judged yet
TOGETHER = 1 << 16  # elements of gradients that are judged together: they stay in the cache


class Raw(NamedTuple):
    """One step as it was seen.

    Three rows of numbers were written to a block, from ``starts`` on: the parameters before the
    step, the gradients, the parameters after it.  ``about`` are the parameters' numbers and ids;
    there are the gradients of those that have one, at the positions ``which`` (None: all).
    ``groups`` are the optimizer's: a rate, and the ids of the parameters.
    """

    step: int
    about: tuple[tuple[int, ...], tuple[int, ...]]
    forms: tuple[Form, Form, Form]
    block: BytesIO
    starts: tuple[int, int, int]
    which: tuple[int, ...] | None
    missing: dict[int, str] | None  # number of a parameter -> why there is no gradient
    groups: list[tuple[float, tuple[int, ...]]]
    activations: Sequence[Activation]
    output: Part | None
    nbytes: int

    def rows(self) -> tuple[Row, Row, Row]:
        """The parameters before the step, the gradients, the parameters after it."""
        before, gradients, after = (
            Row(form, taken(self.block, start, form.nbytes))
            for form, start in zip(self.forms, self.starts)
        )
        return before, gradients, after

    def rates(self) -> list[float | None]:
        """The rate of each parameter; None for one that the optimizer does not have."""
        rates = {one: rate for rate, ids in self.groups for one in ids}
        return [rates.get(one) for one in self.about[1]]

    def chosen(self, rates: list[float | None]) -> Chosen:
        """What there is of those parameters that have a gradient."""
        before, gradients, after = self.rows()
        known = before.form.sizes == after.form.sizes  # else they changed during the step
        if not known:
            after = before
        numbers, updated = self.about[0], [known and rate is not None for rate in rates]
        if self.which is None:
            return Chosen(numbers, before, after, gradients, updated)
        return Chosen(
            tuple(numbers[k] for k in self.which),
            before.part(self.which),
            after.part(self.which),
            gradients,
            [updated[k] for k in self.which],
        )

    def moved(self, shelf: Shelf) -> Raw:
        """The same in other memory."""
        for activation in self.activations:
            activation.parts = [part.moved(shelf) for part in activation.parts]
        output = None if self.output is None else self.output.moved(shelf)
        rows = self.rows()
        block = shelf.block(sum(len(row.data) for row in rows))
        first = block.tell()
        block.writelines([row.data for row in rows])
        middle = first + len(rows[0].data)
        starts = first, middle, middle + len(rows[1].data)
        return self._replace(block=block, starts=starts, output=output)


class Chosen(NamedTuple):
    """Of the parameters that have a gradient: numbers, elements, and which were updated."""

    numbers: tuple[int, ...]
    before: Row
    after: Row
    gradients: Row
    updated: list[bool]


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
    """The records of a run: at most ``limit``; then every second one is dropped.

    waiting: steps that are not judged yet, and ``nbytes`` of them.  Who appends one calls `tidy`
    when there are ``most`` bytes or ``room`` steps.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.shelf = Shelf()  # where the bytes of the steps are put
        self.about: dict[str, tuple[Location | None, bool]] = {}  # of activations
        self._records: list[Record] = []
        self.waiting: list[Raw] = []
        self.nbytes, self.most, self.room = 0, WAITING, limit

    def tidy(self) -> bool:
        """Judge what waits, if it is much; whether every second step was dropped."""
        thinned = len(self) >= self.limit
        if thinned:
            self.shelf = Shelf()  # the old one is let go, with what was dropped
            waiting = self.waiting[len(self._records) % 2 :: 2]
            self.waiting = [raw.moved(self.shelf) for raw in waiting]
            self._records = self._records[::2]
            self.nbytes = sum(raw.nbytes for raw in self.waiting)
        if self.nbytes >= self.most:
            self.judge()
        self.room = self.limit - len(self._records)
        return thinned

    @property
    def steps(self) -> list[int]:
        """The numbers of the steps."""
        return [one.step for part in (self._records, self.waiting) for one in part]

    @property
    def records(self) -> list[Record]:
        """All records in order."""
        self.judge()
        return self._records

    def __len__(self) -> int:
        return len(self._records) + len(self.waiting)

    def judge(self) -> None:
        """Compute what is to be known of the steps that wait."""
        for raw in self.waiting:
            for a in raw.activations:
                self.about[a.place.name] = (a.place.location, a.is_output)
        for part in _portions(self.waiting):
            self._records += _records_of(part)
        self.waiting.clear()
        self.shelf = Shelf()
        self.nbytes, self.room = 0, self.limit - len(self._records)


def _portions(waiting: list[Raw]) -> Iterator[list[Raw]]:
    part: list[Raw] = []
    elements = 0
    for raw in waiting:
        part.append(raw)
        elements += sum(raw.forms[0].sizes)
        if elements >= TOGETHER:
            yield part
            part, elements = [], 0
    if part:
        yield part


def _records_of(part: Sequence[Raw]) -> list[Record]:
    rates = [raw.rates() for raw in part]
    chosen = [raw.chosen(of_each) for raw, of_each in zip(part, rates)]
    values, histograms = np.empty((len(STATISTICS), 0)), np.empty((0, 0), np.uint16)
    sizes = [size for one in chosen for size in one.before.form.sizes]
    if sizes:
        values, found = statistics(
            numbers_of([one.gradients for one in chosen]),
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
    for raw, one, of_each, spread in zip(part, chosen, rates, spreads):
        end = at + len(one.numbers)
        records.append(
            Record(
                raw.step,
                one.numbers,
                values[:, at:end],
                histograms[at:end],
                raw.missing or {},
                {n: rate for n, rate in zip(raw.about[0], of_each) if rate is not None},
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
