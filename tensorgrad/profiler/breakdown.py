"""The same times by module and by line of the user's program, forward beside backward.

A gradient is counted where its operation was recorded: the line that made it, the module that ran.
An optimizer's step, which is made of no operations, is a row of its own and counts at its line.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tensorgrad.profiler.collecting import BACKWARD, RANGE, STEP
from tensorgrad.profiler.events import FunctionEvent
from tensorgrad.profiler.table import of_time

__all__ = ["Breakdown", "Row", "by_line", "by_module"]


@dataclass
class Row:
    """A module, a line or an optimizer: its own operations, in us, and how many there were.

    update: what optimizers' steps took beside the operations in them; a step counts as a call.
    """

    name: str
    forward: float = 0.0
    backward: float = 0.0
    calls: int = 0
    update: float = 0.0

    @property
    def total(self) -> float:
        """Both ways, and updates."""
        return self.forward + self.backward + self.update


class Breakdown(list[Row]):
    """Rows, the slowest first; ``print`` shows a table.

    elapsed: the time of the profile in us. What no operation and no optimizer took is Python
    between them: modules, the engine, the program itself.
    """

    def __init__(self, rows: Iterable[Row], title: str, elapsed: float) -> None:
        super().__init__(sorted(rows, key=lambda row: -row.total))
        self.title, self.elapsed = title, elapsed

    @property
    def rest(self) -> float:
        """What was spent outside of operations, gradients and optimizers' steps, in us."""
        return self.elapsed - sum(row.total for row in self)

    def __str__(self) -> str:
        return self.table()

    def table(self, row_limit: int = 40) -> str:
        """As text; row_limit: -1 for all rows."""
        shown = self if row_limit < 0 else self[:row_limit]
        hidden = self[len(shown) :]
        cells: list[tuple[str, float | None, float | None, float, str]] = [
            (row.name, *_ways(row), row.total, str(row.calls)) for row in shown
        ]
        if hidden:
            forth, back = sum(row.forward for row in hidden), sum(row.backward for row in hidden)
            calls = str(sum(row.calls for row in hidden))
            cells.append((f"{len(hidden)} more", forth, back, forth + back, calls))
        cells.append(("outside of operations", None, None, self.rest, ""))
        width = max(len(self.title), *(len(cell[0]) for cell in cells))
        lines = [f"{self.title:<{width}}  {'forward':>10}  {'backward':>10}  {'total':>10}"
                 f"  {'share':>6}  {'calls':>6}"]  # fmt: skip
        for name, forward, backward, total, calls in cells:
            ways = ["" if way is None else of_time(way) for way in (forward, backward)]
            share = f"{total / self.elapsed:.1%}" if self.elapsed else "--"
            lines.append(
                f"{name:<{width}}  {ways[0]:>10}  {ways[1]:>10}  {of_time(total):>10}"
                f"  {share:>6}  {calls:>6}".rstrip()
            )
        return "\n".join(lines)


def _ways(row: Row) -> tuple[float | None, float | None]:
    """Forward and backward; of an optimizer, which has neither, nothing."""
    return (None, None) if row.update and row.update == row.total else (row.forward, row.backward)


def _broken_down(
    events: Iterable[FunctionEvent],
    name: Callable[[FunctionEvent], str],
    title: str,
    elapsed: float,
) -> Breakdown:
    rows: dict[str, Row] = {}
    for event in events:
        if event.kind == RANGE and not event.name.startswith(STEP):
            continue
        key = name(event)
        row = rows.setdefault(key, Row(key))
        if event.kind == RANGE:
            row.update += event.self_cpu_time_total
            row.calls += 1
        elif event.kind == BACKWARD:
            row.backward += event.self_cpu_time_total
        else:
            row.forward += event.self_cpu_time_total
            row.calls += 1
    return Breakdown(rows.values(), title, elapsed)


def by_module(events: Iterable[FunctionEvent], elapsed: float) -> Breakdown:
    """By the innermost module that ran when the operation was recorded; optimizers by class."""

    def name(event: FunctionEvent) -> str:
        if event.kind == RANGE:
            return event.name.removeprefix(STEP)
        path, kind = event.module
        if not kind:
            return "(no module)"
        return f"{path} ({kind})" if path else kind

    return _broken_down(events, name, "module", elapsed)


def by_line(events: Iterable[FunctionEvent], elapsed: float) -> Breakdown:
    """By the line of the user's program that recorded the operation or called the optimizer."""

    def name(event: FunctionEvent) -> str:
        place = event.location
        if place is None:
            return "(no line)"
        source = linecache.getline(place.filename, place.lineno).strip()
        text = source if len(source) <= 48 else source[:45] + "..."
        return f"{Path(place.filename).name}:{place.lineno}  {text}".rstrip()

    return _broken_down(events, name, "line", elapsed)
