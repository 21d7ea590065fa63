"""`Monitor`: gradients, updates and activations of a model while it is trained."""

from __future__ import annotations

import csv
import io
import math
import os
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tensorgrad.nn.parameter import is_lazy
from tensorgrad.provenance import Location
from tensorgrad.viz.figures.figure import encode, write_atomically
from tensorgrad.viz.figures.words import visible
from tensorgrad.viz.monitoring.activity import Activation, Activity
from tensorgrad.viz.monitoring.layout import Layout, Place, Row
from tensorgrad.viz.monitoring.records import Raw, Recorder
from tensorgrad.viz.monitoring.rules import warnings_of
from tensorgrad.viz.monitoring.sampling import STATISTICS
from tensorgrad.viz.monitoring.views import Course, MonitorFigure, Track

if TYPE_CHECKING:
    from tensorgrad.nn import Module
    from tensorgrad.optim import Optimizer
    from tensorgrad.viz.diagnosis.findings import Findings

__all__ = ["Monitor"]

Array = NDArray[Any]


class Monitor:
    """Watches a model and its optimizer while your own loop trains.

    It costs under 3 % of a step of a millisecond or more; of a shorter one, take every=50.

    model: the Module whose parameters and activations are watched.
    optimizer: any Optimizer that trains (some of) them; its steps are the clock.
    every: look at every so-manieth step, beginning with the first.
    sample: at most so many evenly spaced elements of each parameter are looked at.
    activations: watch relu, gelu, sigmoid, tanh and their kin inside the model.  True: at every
        look; None: at every fourth, beginning with the first, since they cost more than all else;
        False: never.
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
        self._recorder = Recorder(records)
        self._steps = self._looks = self._due = 0  # begun, looked at, number of the next to look at
        self._places: list[Place] = []
        self._layout = Layout((), sample)
        self._numbers: tuple[int, ...] = ()  # of the parameters in the layout
        self._groups: list[tuple[float, tuple[int, ...]]] = []  # of the optimizer, at the last look
        self._activity = None if activations is False else Activity(model, self._keep)
        self._stride = 4 if activations is None else 1  # they are watched at every so-manieth look,
        self._rest = 0  # and at the one after so many more
        self._first = {name: _checksum(p) for name, p in model.named_parameters()}
        self._before: tuple[Row, tuple[Row, Any] | None] | None = None
        self._clock: Any = optimizer.register_step_pre_hook(self._before_step)
        self._end: Any = None  # of a step after which there is something to do
        self._install()

    # --- The life of a monitor -------------------------------------------------------------------

    def detach(self) -> None:
        """Stop watching; model and optimizer are as before.  What was seen stays."""
        for handle in (self._clock, self._end):
            if handle is not None:
                handle.remove()
        self._clock = self._end = self._before = None
        if self._activity is not None:
            self._activity.remove()

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, *error: object) -> None:
        self.detach()

    def __repr__(self) -> str:
        state = "" if self._clock is not None else ", detached"
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

    def _keep(self, data: bytes) -> memoryview:
        return self._recorder.shelf.put(data)

    def _install(self) -> None:
        if self._activity is not None and not self._rest:
            self._activity.install()

    def _look_away(self) -> None:
        activity = self._activity
        if activity is None:
            return
        if activity.installed:
            activity.remove()
            # Where it is not the model but its parts that are called, the next look will see them.
            self._rest = self._stride if activity.called else 1
        self._rest -= 1

    def _look_up(self) -> Layout:
        """The parameters as they are; where they stand in the model is found at every eighth look.

        Walking through the modules takes longer than all else with a small model.  A parameter that
        is exchanged is seen at once, one in a new place up to seven looks late.
        """
        moved = False
        if self._looks % 8 == 0:
            places = _places(self.model)
            moved = _identities(places) != _identities(self._places)
            self._places = places
        self._looks += 1
        if moved or not self._layout.holds():
            self._layout = layout = Layout(self._places, self._sample)
            for name, shape in zip(layout.names, layout.shapes):
                number = self._names.setdefault(name, len(self._names))
                self._shapes[number:] = [shape, *self._shapes[number + 1 :]]
            self._numbers = tuple(self._names[name] for name in layout.names)
        return self._layout

    # The clock is one hook: at most steps it counts, and that is all.  A second one, called after
    # the step, is registered where it is needed; and activations are watched from the end of the
    # step before, so that a closure that this one may call is not.

    def _before_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        step = self._steps
        self._steps = step + 1
        if step < self._due - 1:
            return
        if step >= self._due:
            layout = self._look_up()
            # A closure computes gradients within the step: those that are there now are old.
            closure = bool(args and args[0] is not None) or kwargs.get("closure") is not None
            self._before = layout.row(), None if closure else layout.gradients()
        elif self._activity is None or self._rest:
            return
        if self._end is not None:  # the step before failed
            self._end.remove()
        self._end = optimizer.register_step_post_hook(self._after_step)

    def _after_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        self._end.remove()
        self._end = None
        try:
            if self._before is not None:
                self._record(self._before)
        finally:
            if self._before is not None:
                self._before = None
                self._due = self._steps + -self._steps % self.every
                self._look_away()
            if self._steps == self._due:
                self._install()

    def _record(self, seen_before: tuple[Row, tuple[Row, Any] | None]) -> None:
        """Keep what this step was: copies of a few elements, no reference to any tensor."""
        layout, (before, found) = self._layout, seen_before
        gradients, which = layout.gradients() if found is None else found
        after = layout.row()
        data = b"".join((before.data, after.data, gradients.data))
        nbytes = len(data)
        groups = [
            (float(group.get("lr", math.nan)), tuple(map(id, group["params"])))
            for group in self.optimizer.param_groups
        ]
        if groups != self._groups:
            self._groups = groups  # else the old ones will do, and take no memory
        missing: dict[int, str] = {}
        if which is not None:
            for k in set(range(len(layout.params))).difference(which):
                frozen = not layout.params[k].requires_grad
                missing[self._numbers[k]] = "frozen" if frozen else "no gradient"
        activity = self._activity
        seen: list[Activation] = []
        output = None
        if activity is not None and activity.installed:
            seen = list(activity.found.values())
            output = activity.output
            nbytes += activity.nbytes
        raw = Raw(
            self._steps - 1,
            self._numbers,
            layout.ids,
            (before.form, after.form, gradients.form),
            self._keep(data),
            which,
            missing,
            self._groups,
            seen,
            output,
            nbytes,
        )
        if self._recorder.add(raw):
            self.every *= 2

    # --- What a user asks ------------------------------------------------------------------------

    @property
    def steps(self) -> list[int]:
        """The numbers (from 0) of the steps that were looked at."""
        return self._recorder.steps

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
        nothing = (None, None, None, None)
        for name in names:
            found = [record.activations.get(name, nothing) for record in records]
            zero, dead, saturated, alive = zip(*found)
            location, is_output = self._recorder.about.get(name, (None, False))
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


def _places(model: Module) -> list[Place]:
    """Where the parameters stand, each once, under the name that named_parameters has."""
    found: list[Place] = []
    seen: set[int] = set()
    for path, module in model.named_modules():
        for key, p in module._parameters.items():
            if p is not None and id(p) not in seen:
                seen.add(id(p))
                found.append((f"{path}.{key}" if path else key, module._parameters, key))
    return found


def _identities(places: list[Place]) -> list[tuple[str, int, str]]:
    return [(name, id(table), key) for name, table, key in places]
