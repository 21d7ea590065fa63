"""`Monitor`: gradients, updates and activations of a model while it is trained."""

from __future__ import annotations

import csv
import io
import os
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tensorgrad.graph.provenance import Location
from tensorgrad.nn.parameter import is_lazy
from tensorgrad.viz.figures.figure import encode, write_atomically
from tensorgrad.viz.figures.words import visible
from tensorgrad.viz.monitoring.rules import warnings_of
from tensorgrad.viz.monitoring.sampling import STATISTICS
from tensorgrad.viz.monitoring.views import Course, MonitorFigure, Track
from tensorgrad.viz.monitoring.watch import Watch
from tensorgrad.viz.snapshots.naming import is_module, kind_of

if TYPE_CHECKING:
    from tensorgrad.nn import Module
    from tensorgrad.optim import Optimizer
    from tensorgrad.viz.diagnosis.findings import Findings

__all__ = ["Monitor"]

Array = NDArray[Any]


class Monitor:
    """Watches a model and its optimizer while your own loop trains.

    It costs under 3 % of a step, where that takes a quarter of a millisecond or more.

    model: the Module whose parameters and activations are watched.
    optimizer: any Optimizer that trains (some of) them; its steps are the clock.
    every: look at every so-manieth step, beginning with the first.
    sample: at most so many evenly spaced elements of each parameter are looked at.
    activations: watch relu, gelu, sigmoid, tanh and their kin inside the model.  True: at every
        look; None: at every fourth, beginning with the first, after 32 looks at every eighth and
        after 256 at every sixteenth, since they cost more than all else; False: never.
    records: keep at most so many; then every second one is dropped and ``every`` is doubled.

    What is kept of a step: copies of those elements before and after it and of their gradients, and
    of at most 8,192 outputs of each activation; at most 16 MB of copies.  Their statistics and
    histograms are computed, and the copies dropped, when something below asks or there are more.

    ``report()`` is a figure of everything so far, ``warnings()`` what is wrong and how to mend it,
    ``to_csv()`` the numbers.  ``detach()``, or the end of a ``with`` block, stops watching and
    leaves the model as it was.  A gradient that was not computed (a frozen parameter, one that
    the loss does not reach) is shown as that, never as 0.  A copy of the model is not watched.
    """

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        *,
        every: int = 10,
        sample: int = 512,
        activations: bool | None = None,
        records: int = 1000,
    ) -> None:
        for word, value, least in (
            ("every", every, 1), ("sample", sample, 16), ("records", records, 4)
        ):  # fmt: skip
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ValueError(
                    f"viz.Monitor: {word} must be an int of at least {least}, got {value!r}"
                )
        if activations is not None and not isinstance(activations, bool):
            raise TypeError(
                f"viz.Monitor: activations must be True, False or None, got {activations!r}"
            )
        if not is_module(model):
            raise TypeError(f"viz.Monitor: model must be a Module, got {kind_of(model)}")
        if not callable(getattr(optimizer, "register_step_post_hook", None)):
            raise TypeError(
                f"viz.Monitor: optimizer must be an Optimizer, got {type(optimizer).__name__}; "
                "Monitor(model, optimizer)"
            )
        if not list(model.named_parameters()):
            raise ValueError("viz.Monitor: the model has no parameters to watch")
        self.model, self.optimizer = model, optimizer
        self._first = {name: _checksum(p) for name, p in model.named_parameters()}
        self._watch = Watch(model, optimizer, every, sample, activations, records)

    # --- The life of a monitor -------------------------------------------------------------------

    @property
    def every(self) -> int:
        """Every so-manieth step is looked at."""
        return self._watch.every

    def detach(self) -> None:
        """Stop watching; model and optimizer are as before.  What was seen stays."""
        self._watch.end()

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, *error: object) -> None:
        self.detach()

    def __repr__(self) -> str:
        watch = self._watch
        state = ", detached" if watch.ended else ""
        return (
            f"Monitor({type(self.model).__name__}, every={self.every}, steps={watch.steps}, "
            f"records={len(watch.recorder)}{state})"
        )

    def __reduce__(self) -> Any:
        raise TypeError(
            "a Monitor cannot be pickled or copied: it hangs on a model and an optimizer of this "
            "program; keep its to_csv() or report() instead"
        )

    # --- What a user asks ------------------------------------------------------------------------

    @property
    def steps(self) -> list[int]:
        """The numbers (from 0) of the steps that were looked at."""
        return self._watch.recorder.steps

    def report(self, names: Iterable[str] | str | None = None) -> MonitorFigure:
        """Everything so far as a figure: a table as text, ridgelines and courses as SVG.

        names: parameters and activations to show, by name or with wildcards
        (``"layers.*.weight"``); by default all.
        """
        return MonitorFigure(self.courses(), self.tracks(), self.steps, names, self.warnings())

    def to_matplotlib(self) -> Any:
        """The report as a matplotlib Figure; needs ``pip install 'tensorgrad[matplotlib]'``."""
        return self.report().to_matplotlib()

    def warnings(self) -> Findings:
        """What is wrong with this training, with the evidence, the line and what to do."""
        changed = {
            name: self._first.get(name) != _checksum(p) for name, p in self.model.named_parameters()
        }
        return warnings_of(
            self.courses(), self.tracks(), self.steps, changed, self._spreads(), self.model
        )

    def _spreads(self) -> list[float]:
        records = self._watch.recorder.records
        return [record.spread for record in records if record.spread is not None]

    def courses(self) -> list[Course]:
        """One `Course` for each parameter: its statistics over the steps."""
        out = []
        records = self._watch.recorder.records
        for name, number in self._watch.names.items():
            size = len(records)
            values = np.full((len(STATISTICS), size), np.nan)
            histograms: list[Array | None] = [None] * size
            status = [""] * size
            rates = [float("nan")] * size
            for k, record in enumerate(records):
                rates[k] = record.rates.get(number, float("nan"))
                if number in record.which:
                    column = record.which.index(number)
                    values[:, k] = record.values[:, column]
                    histograms[k] = record.histograms[column]
                    status[k] = "ok"
                else:
                    status[k] = record.missing.get(number, "not there")
            place = self._place(name)
            shape = self._watch.shapes[number]
            out.append(Course(visible(name), shape, status, values, histograms, rates, place))
        return out

    def _place(self, name: str) -> Location | None:
        activity = self._watch.activity
        if activity is None:
            return None
        for known, p in self.model.named_parameters():
            if known == name:
                return activity.users.get(id(p))
        return None

    def tracks(self) -> list[Track]:
        """One `Track` for each activation: shares of zeros, dead units, saturation."""
        records = self._watch.recorder.records
        names = dict.fromkeys(name for record in records for name in record.activations)
        out = []
        nothing = (None, None, None, None)
        for name in names:
            found = [record.activations.get(name, nothing) for record in records]
            zero, dead, saturated, alive = zip(*found)
            location, is_output = self._watch.recorder.about.get(name, (None, False))
            out.append(Track(name, zero, dead, saturated, list(alive), location, is_output))
        return out

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str:
        """The numbers as CSV, a line for each step and parameter or activation.

        Also written to ``path`` if one is given.  What was not computed is empty.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        shares = ("zero_share", "dead_share", "saturated_share")
        head = ["step", "name", "status", *STATISTICS, "grad_to_data", "update_to_data"]
        writer.writerow([*head, *shares])
        courses, tracks = self.courses(), self.tracks()
        for k, step in enumerate(self.steps):
            for c in courses:
                numbers = [*c.values[:, k], c.grad_to_data[k], c.update_to_data[k]]
                writer.writerow([step, c.name, c.status[k], *map(_cell, numbers), "", "", ""])
            for t in tracks:
                numbers = [t.zero[k], t.dead[k], t.saturated[k]]
                if any(value is not None for value in numbers):
                    empty = [""] * (len(STATISTICS) + 2)
                    writer.writerow([step, t.name, "activation", *empty, *map(_cell, numbers)])
        if path is not None:
            write_atomically(Path(path), encode(text.getvalue()))
        return text.getvalue()


def _cell(value: Any) -> str:
    return "" if value is None or np.isnan(value) else f"{value:.6g}"


def _checksum(tensor: Any) -> int | None:
    """Of a parameter's memory; None for a lazy one, which has no values yet."""
    array = None if is_lazy(tensor) else getattr(tensor, "_array", None)
    return zlib.crc32(np.ascontiguousarray(array).tobytes()) if array is not None else None
