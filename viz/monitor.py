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

from tensorgrad.provenance import Location
from tensorgrad.viz.activity import Activity
from tensorgrad.viz.figure import write_atomically
from tensorgrad.viz.monitor_records import Raw, Recorder
from tensorgrad.viz.monitor_rules import warnings_of
from tensorgrad.viz.monitor_views import Course, MonitorFigure, Track
from tensorgrad.viz.sampling import STATISTICS, Spaced
from tensorgrad.viz.words import visible

if TYPE_CHECKING:
    from tensorgrad.nn import Module
    from tensorgrad.optim import Optimizer
    from tensorgrad.viz.findings import Findings

__all__ = ["Monitor"]

Array = NDArray[Any]


class Monitor:
    """Watches a model and its optimizer while your own loop trains; costs under 3 % of a step.

    model: the Module whose parameters and activations are watched.
    optimizer: any Optimizer that trains (some of) them; its steps are the clock.
    every: look at every so-manieth step, beginning with the first.
    sample: at most so many evenly spaced elements of each parameter are looked at.
    activations: watch relu, gelu, sigmoid, tanh and their kin inside the model.
    records: keep at most so many; then every second one is dropped and ``every`` is doubled.

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
        activations: bool = True,
        records: int = 1000,
    ) -> None:
        for word, value, least in (
            ("every", every, 1), ("sample", sample, 16), ("records", records, 4)
        ):  # fmt: skip
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ValueError(
                    f"viz.Monitor: {word} must be an int of at least {least}, got {value!r}"
                )
        if not callable(getattr(model, "named_parameters", None)):
            raise TypeError(f"viz.Monitor: model must be a Module, got {type(model).__name__}")
        if not callable(getattr(optimizer, "register_step_post_hook", None)):
            raise TypeError(
                f"viz.Monitor: optimizer must be an Optimizer, got {type(optimizer).__name__}; "
                "Monitor(model, optimizer)"
            )
        if not list(model.named_parameters()):
            raise ValueError("viz.Monitor: the model has no parameters to watch")
        self.model, self.optimizer, self.every = model, optimizer, every
        self._sample = sample
        self._names: dict[str, int] = {}
        self._shapes: list[tuple[int, ...]] = []
        self._spaced: dict[tuple[int, int], Spaced] = {}
        self._recorder = Recorder(records)
        self._about: dict[str, tuple[Location | None, bool]] = {}  # of activations
        self._steps = self._looks = 0
        self._places: list[tuple[str, Any, str]] = []  # a parameter's name, table and key there
        self._activity = Activity(model) if activations else None
        self._first = {name: _checksum(p) for name, p in model.named_parameters()}
        self._before: dict[int, tuple[Any, Array | None, Array]] = {}
        self._handles = [
            optimizer.register_step_pre_hook(self._before_step),
            optimizer.register_step_post_hook(self._after_step),
        ]
        self._watch_if_due()

    # --- The life of a monitor -------------------------------------------------------------------

    def detach(self) -> None:
        """Stop watching; model and optimizer are as before.  What was seen stays."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._before.clear()
        if self._activity is not None:
            self._activity.remove()

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, *error: object) -> None:
        self.detach()

    def __repr__(self) -> str:
        state = "" if self._handles else ", detached"
        return (
            f"Monitor({type(self.model).__name__}, every={self.every}, steps={self._steps}, "
            f"records={len(self._recorder)}{state})"
        )

    def __reduce__(self) -> Any:
        raise TypeError(
            "a Monitor cannot be pickled or copied: it hangs on a model and an optimizer of this "
            "program; keep its to_csv() or report() instead"
        )

    # --- What it does at a step ------------------------------------------------------------------

    def _watch_if_due(self) -> None:
        due = self._steps % self.every == 0
        if self._activity is not None and due:
            self._activity.install()

    def _number(self, name: str, shape: tuple[int, ...]) -> int:
        if name not in self._names:
            self._names[name] = len(self._names)
            self._shapes.append(shape)
        number = self._names[name]
        self._shapes[number] = shape  # a lazy parameter gets one late
        return number

    def _parameters(self) -> list[tuple[str, Any]]:
        """The model's parameters; where they stand is looked up at every eighth look.

        Walking through the modules takes longer than all else with a small model.  A parameter that
        is exchanged is seen at once, one in a new place up to seven looks late.
        """
        if self._looks % 8 == 0:
            self._places, seen = [], set()
            for path, module in self.model.named_modules():
                for key, p in module._parameters.items():
                    if p is not None and id(p) not in seen:
                        seen.add(id(p))
                        name = f"{path}.{key}" if path else key
                        self._places.append((name, module._parameters, key))
        self._looks += 1
        found = [(name, table.get(key)) for name, table, key in self._places]
        return [(name, p) for name, p in found if p is not None]

    def _of(self, array: Array, number: int) -> Array:
        key = (number, array.size)
        if key not in self._spaced:
            self._spaced[key] = Spaced(array.size, self._sample)
        return self._spaced[key].copy_of(array)

    def _before_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        if self._steps % self.every:
            return
        # A closure computes gradients within the step: those that are there now are old.
        closure = bool(args and args[0] is not None) or kwargs.get("closure") is not None
        self._before.clear()
        for name, p in self._parameters():
            if not isinstance(getattr(p, "_array", None), np.ndarray) or not p._array.size:
                continue
            number = self._number(name, tuple(p._array.shape))
            grad = None
            if not closure and p._grad is not None:
                grad = self._of(p._grad._array, number)
            self._before[number] = (p, grad, self._of(p._array, number))

    def _after_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        due = self._steps % self.every == 0
        if due:
            try:
                self._record()
            finally:
                self._before.clear()
                if self._activity is not None:
                    self._activity.remove()
        self._steps += 1
        self._watch_if_due()

    def _record(self) -> None:
        """Keep what this step was: copies of a few elements, no reference to any tensor."""
        trained = {
            id(p): group.get("lr") for group in self.optimizer.param_groups for p in group["params"]
        }
        entries: list[tuple[int, Array, Array, Array | None]] = []
        missing: dict[int, str] = {}
        rates: dict[int, float] = {}
        for number, (p, grad, data) in self._before.items():
            if grad is None and p._grad is not None:
                grad = self._of(p._grad._array, number)
            has_update = id(p) in trained
            rate = trained.get(id(p))
            if rate is not None:
                rates[number] = float(rate)
            if grad is None:
                missing[number] = "no gradient" if p.requires_grad else "frozen"
                continue
            after = self._of(p._array, number) if has_update else None
            entries.append((number, grad, data, after))
        activity = self._activity
        seen = [] if activity is None else list(activity.found.values())
        for a in seen:
            self._about[a.place.name] = (a.place.location, a.is_output)
        output = None if activity is None else activity.output
        self._recorder.add(Raw(self._steps, entries, missing, rates, seen, output))
        if self._recorder.thin():
            self.every *= 2

    # --- What a user asks ------------------------------------------------------------------------

    @property
    def steps(self) -> list[int]:
        """The numbers (from 0) of the steps that were looked at."""
        return [record.step for record in self._recorder.records]

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
        records = self._recorder.records
        return [record.spread for record in records if record.spread is not None]

    def courses(self) -> list[Course]:
        """One `Course` for each parameter: its statistics over the steps."""
        out = []
        records = self._recorder.records
        for name, number in self._names.items():
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
            shape = self._shapes[number]
            out.append(Course(visible(name), shape, status, values, histograms, rates, place))
        return out

    def _place(self, name: str) -> Location | None:
        if self._activity is None:
            return None
        for known, p in self.model.named_parameters():
            if known == name:
                return self._activity.users.get(id(p))
        return None

    def tracks(self) -> list[Track]:
        """One `Track` for each activation: shares of zeros, dead units, saturation."""
        records = self._recorder.records
        names = dict.fromkeys(name for record in records for name in record.activations)
        out = []
        nothing = (None, None, None)
        for name in names:
            found = [record.activations.get(name, nothing) for record in records]
            alive = [record.alive.get(name) for record in records]
            zero, dead, saturated = zip(*found)
            location, is_output = self._about.get(name, (None, False))
            out.append(Track(name, zero, dead, saturated, alive, location, is_output))
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
            write_atomically(Path(path), text.getvalue().encode("utf-8", "replace"))
        return text.getvalue()


def _cell(value: Any) -> str:
    return "" if value is None or np.isnan(value) else f"{value:.6g}"


def _checksum(tensor: Any) -> int | None:
    array = getattr(tensor, "_array", None)
    return zlib.crc32(np.ascontiguousarray(array).tobytes()) if array is not None else None
