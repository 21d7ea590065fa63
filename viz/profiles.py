"""`profile`: where the time of a profile went, as bars or as a flame graph."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from tensorgrad.profiler import profile as Profile
from tensorgrad.profiler.breakdown import Breakdown
from tensorgrad.viz.charts.call_tree import Call, call_tree
from tensorgrad.viz.charts.flame_chart import flame_chart, flame_table
from tensorgrad.viz.charts.profile_chart import profile_chart, profile_table
from tensorgrad.viz.figures.arguments import heading, one_of, whole
from tensorgrad.viz.figures.figure import Figure, encode
from tensorgrad.viz.figures.words import duration, no_formula, plural, visible
from tensorgrad.viz.snapshots.naming import kind_of

__all__ = ["By", "FlameFigure", "ProfileFigure", "Spent", "profile"]

By = Literal["module", "line", "operation", "call"]
OUTSIDE = "outside of operations"


@dataclass(frozen=True, slots=True)
class Spent:
    """What a module, line or operation took, in microseconds: forward, for its gradients, in an
    optimizer's step, or outside of operations; and how often it was called.
    """

    name: str
    forward: float = 0.0
    backward: float = 0.0
    update: float = 0.0
    other: float = 0.0
    calls: int = 0

    @property
    def total(self) -> float:
        """All of it."""
        return self.forward + self.backward + self.update + self.other


class ProfileFigure(Figure):
    """Bars of times: a table as text, a row a module, line or operation as SVG.

    ``rows`` has each of them, the slowest first; ``shown`` those that are printed and drawn.
    """

    def __init__(
        self, rows: list[Spent], what: str, title: str, elapsed: float, max_rows: int | None
    ) -> None:
        super().__init__(title)
        self.rows, self.what, self.elapsed = rows, what, elapsed
        self.shown = _shown(rows, max_rows)

    @property
    def subtitle(self) -> str:
        """How long the profile took, and of what the rows are."""
        return f"{duration(self.elapsed)}, by {self.what}"

    def _make_text(self) -> str:
        return profile_table(self.shown, self.title, self.subtitle, self.what, self.elapsed)

    def _whole_text(self) -> str:
        return profile_table(self.rows, self.title, self.subtitle, self.what, self.elapsed)

    def _make_svg(self) -> str:
        by_line = self.what == "line"
        return profile_chart(self.shown, self.title, self.subtitle, self.elapsed, by_line=by_line)

    def _make_data(self) -> dict[str, Any]:
        rows = [{**asdict(row), "total": row.total} for row in self.rows]
        return {"kind": "profile", "by": self.what, "elapsed": self.elapsed, "rows": rows}

    def csv(self) -> str:
        """A line for each row, in microseconds."""
        columns = ("forward", "backward", "update", "other", "total", "calls")
        cells = [
            [no_formula(row.name), *(f"{getattr(row, key):.9g}" for key in columns)]
            for row in self.rows
        ]
        return _csv([[self.what, *columns], *cells])

    def _formats(self) -> dict[str, Callable[[], bytes]]:
        return {**super()._formats(), ".csv": lambda: encode(self.csv())}


class FlameFigure(Figure):
    """A flame graph: an indented table as text, boxes under boxes as SVG; ``root`` is a tree."""

    def __init__(self, root: Call, title: str, max_rows: int | None) -> None:
        super().__init__(title)
        self.root, self._max_rows = root, max_rows

    @property
    def subtitle(self) -> str:
        """How long the profile took."""
        return f"{duration(self.root.total)}; below each call what ran inside of it"

    def _make_text(self) -> str:
        return flame_table(self.root, self.title, self.subtitle, self._max_rows)

    def _whole_text(self) -> str:
        return flame_table(self.root, self.title, self.subtitle, None)

    def _make_svg(self) -> str:
        return flame_chart(self.root, self.title, self.subtitle)

    def _make_data(self) -> dict[str, Any]:
        made: dict[int, dict[str, Any]] = {}
        for _, call in self.root.walk():
            mine = made.setdefault(id(call), {})
            inside = [made.setdefault(id(inner), {}) for inner in call.children]
            facts = {"name": call.name, "kind": call.kind, "total": call.total, "own": call.own}
            mine.update({**facts, "calls": call.calls, "inside": inside})
        return {"kind": "profile", "by": "call", **made[id(self.root)], "elapsed": self.root.total}

    def csv(self) -> str:
        """A line for each call, its path with semicolons as programs for flame graphs read it."""
        rows = [
            [no_formula(";".join((*path, call.name))), f"{call.total:.9g}", f"{call.own:.9g}",
             str(call.calls)]
            for path, call in self.root.walk()
        ]  # fmt: skip
        return _csv([["call", "total", "own", "calls"], *rows])

    def _formats(self) -> dict[str, Callable[[], bytes]]:
        return {**super()._formats(), ".csv": lambda: encode(self.csv())}


def profile(
    prof: Any, by: By = "module", *, title: str = "Profile", max_rows: int | None = 30
) -> ProfileFigure | FlameFigure:
    """Where the time went that a `tensorgrad.profiler.profile` has measured.

    prof: the profile, after its ``with`` block; or what its ``by_module()`` or ``by_line()`` gave.
    by: bars by "module", by "line" of the program or by "operation", each with its gradients, an
        optimizer's step and what no operation took; or "call": a flame graph, in which named ranges
        and modules stand above what ran inside of them, calls of one name taken together.
    max_rows: of more rows the slowest are shown, and the others as one; None shows all.  `data`,
        .json, .csv and the text in the .html have every one.

    Raises TypeError for what is no profile, RuntimeError for one that is running or empty.
    """
    caller = "viz.profile"
    shown = heading(title, caller)
    one_of(by, get_args(By), caller, "by")
    if max_rows is not None:
        whole(max_rows, 2, caller, "max_rows")
    if isinstance(prof, Breakdown):
        return _bars(prof, prof.title, shown, max_rows)
    if not isinstance(prof, Profile):
        raise TypeError(
            f"{caller}: prof must be a tensorgrad.profiler.profile, or what its by_module() or "
            f"by_line() gave, got {kind_of(prof)}; write `with profile() as prof: ...`, then "
            "viz.profile(prof)"
        )
    try:
        found = prof.by_line() if by == "line" else prof.by_module()
    except RuntimeError as error:
        raise RuntimeError(f"{caller}: {str(error).partition(': ')[2]}") from error
    if by == "call":
        return FlameFigure(call_tree(prof.events(), found.elapsed), shown, max_rows)
    if by == "operation":
        return ProfileFigure(
            _with_rest(_by_operation(prof.events()), found.rest), by, shown, found.elapsed, max_rows
        )
    return _bars(found, by, shown, max_rows)


def _bars(found: Breakdown, what: str, title: str, max_rows: int | None) -> ProfileFigure:
    rows = [
        Spent(visible(row.name), row.forward, row.backward, row.update, calls=row.calls)
        for row in found
    ]
    return ProfileFigure(_with_rest(rows, found.rest), what, title, found.elapsed, max_rows)


def _with_rest(rows: list[Spent], rest: float) -> list[Spent]:
    return [*rows, Spent(OUTSIDE, other=max(rest, 0.0))]


def _by_operation(events: Any) -> list[Spent]:
    """Operations by name, with their gradients, which have their number; optimizers by class."""
    made = {e.sequence_nr: e.name for e in events if e.kind == "forward" and e.sequence_nr >= 0}
    sums: dict[str, dict[str, Any]] = {}
    for event in events:
        step = event.name.startswith("Optimizer.step#")
        if event.kind == "range" and not step:
            continue
        name, part = event.name, event.kind
        if step:
            name, part = event.name.partition("#")[2], "update"
        elif event.kind == "backward":
            name = made.get(event.sequence_nr, event.name)
        row = sums.setdefault(name, {"calls": 0})
        row[part] = row.get(part, 0.0) + event.self_cpu_time_total
        row["calls"] += part != "backward" or name == event.name
    rows = [Spent(visible(name), **parts) for name, parts in sums.items()]
    return sorted(rows, key=lambda row: -row.total)


def _shown(rows: list[Spent], limit: int | None) -> list[Spent]:
    """The slowest rows, one for the others, and the last, which is no row of theirs."""
    if limit is None or len(rows) - 1 <= limit:
        return rows
    *known, rest = rows
    hidden = known[limit - 1 :]
    sums = {
        key: sum(getattr(row, key) for row in hidden) for key in ("forward", "backward", "update")
    }
    calls = sum(row.calls for row in hidden)
    return [
        *known[: limit - 1],
        Spent(f"… {plural(len(hidden), 'row')}", **sums, calls=calls),
        rest,
    ]


def _csv(rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()
