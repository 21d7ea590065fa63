"""What a profile found, as PyTorch's profiler gives it: events, their sums, and lists of them.

Times are in microseconds.  An event's own ("self") time is its time without that of the events
inside of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from tensorgrad.graph.provenance import locate
from tensorgrad.profiler.collecting import BACKWARD, RANGE, Record
from tensorgrad.profiler.table import of_time, table

__all__ = ["EventList", "FunctionEvent", "FunctionEventAvg", "Interval", "events_of"]


class Interval(NamedTuple):
    """Start and end, in us from the start of the profile."""

    start: float
    end: float

    def elapsed_us(self) -> float:
        """Its length."""
        return self.end - self.start


class _Times:
    """Texts of the times that events and their sums have, and what no CPU has."""

    count: int
    cpu_time_total: float
    self_cpu_time_total: float
    device_time_total = self_device_time_total = device_time = 0.0
    device_memory_usage = self_device_memory_usage = 0
    cpu_children: list[FunctionEvent]

    @property
    def cpu_time(self) -> float:
        """The average of a call."""
        return self.cpu_time_total / self.count if self.count else 0.0

    @property
    def cpu_time_str(self) -> str:
        """`cpu_time` with its unit."""
        return of_time(self.cpu_time)

    @property
    def cpu_time_total_str(self) -> str:
        """`cpu_time_total` with its unit."""
        return of_time(self.cpu_time_total)

    @property
    def self_cpu_time_total_str(self) -> str:
        """`self_cpu_time_total` with its unit."""
        return of_time(self.self_cpu_time_total)


class FunctionEvent(_Times):
    """One operation, gradient or range.

    name, also ``key``; time_range, an `Interval`; cpu_parent and cpu_children; input_shapes of
    arguments, or of a gradient; stack, "file(line): function" from the innermost call outwards;
    module, the path of the module in which it ran and its class; location, the user's line;
    sequence_nr, which an operation and its gradient share; cpu_memory_usage, the bytes of the new
    arrays in the results, those of inner events included; flops; kind: "forward", "backward" or
    "range"; thread.
    """

    count = 1
    is_async = is_remote = is_legacy = False
    node_id, overload_name, use_device = -1, "", None

    def __init__(self, record: Record, number: int, began: int) -> None:
        self.id = number
        self.trace_name = record.name  # with the number of a step, which sums cannot use
        numbered = record.name.startswith("ProfilerStep#")
        self.name = self.key = "ProfilerStep*" if numbered else record.name
        self.kind, self.thread = record.kind, record.thread
        self.time_range = Interval((record.start - began) / 1e3, (record.end - began) / 1e3)
        self.cpu_parent: FunctionEvent | None = None
        self.cpu_children: list[FunctionEvent] = []
        self.input_shapes = [list(shape) for shape in record.shapes]
        self.sequence_nr, self.flops = record.seq, record.flops
        self.location = locate(record.code, record.lasti)
        places = [locate(*frame) for frame in record.stack]
        self.stack = [f"{p.filename}({p.lineno}): {p.function}" for p in places if p is not None]
        scope = record.scope
        self.module = ("", "") if scope is None else (scope.path, scope.cls)
        self.self_cpu_memory_usage = self.cpu_memory_usage = record.nbytes
        self.cpu_time_total = self.self_cpu_time_total = self.time_range.elapsed_us()
        self.scope = 7 if record.kind == RANGE else int(record.kind == BACKWARD)  # RecordScope's

    def __repr__(self) -> str:
        return (
            f"<FunctionEvent id={self.id} name={self.name} kind={self.kind} "
            f"cpu_time={self.cpu_time_str} start_us={self.time_range.start:.3f} "
            f"end_us={self.time_range.end:.3f} "
            f"cpu_children={[child.id for child in self.cpu_children]} thread={self.thread} "
            f"input_shapes={self.input_shapes} cpu_memory_usage={self.cpu_memory_usage}>"
        )


class FunctionEventAvg(_Times):
    """The sum of events of one name: ``count`` of them; ``cpu_time`` is their average."""

    def __init__(self, key: str = "") -> None:
        self.key = key
        self.count = 0
        self.cpu_time_total = self.self_cpu_time_total = 0.0
        self.cpu_memory_usage = self.self_cpu_memory_usage = self.flops = 0
        self.input_shapes: Any = None
        self.stack: list[str] = []
        self.cpu_parent: FunctionEvent | None = None
        self.cpu_children = []

    def add(self, other: FunctionEvent | FunctionEventAvg) -> FunctionEventAvg:
        """Add an event, or a sum of others, to this one."""
        if not self.key:
            self.key = other.key
        self.count += other.count
        self.cpu_time_total += other.cpu_time_total
        self.self_cpu_time_total += other.self_cpu_time_total
        self.cpu_memory_usage += other.cpu_memory_usage
        self.self_cpu_memory_usage += other.self_cpu_memory_usage
        self.flops += other.flops
        return self

    __iadd__ = add

    def __repr__(self) -> str:
        return (
            f"<FunctionEventAvg key={self.key} self_cpu_time={self.self_cpu_time_total_str} "
            f"cpu_time={self.cpu_time_str} input_shapes={self.input_shapes or ''} "
            f"cpu_memory_usage={self.cpu_memory_usage}>"
        )


class EventList(list[Any]):
    """Events, or sums of them, with a table: ``print(events)`` shows it."""

    def __init__(
        self,
        events: Iterable[Any] = (),
        *,
        profile_memory: bool = False,
        with_flops: bool = False,
        export: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(events)
        self._memory, self._flops, self._export = profile_memory, with_flops, export

    def __str__(self) -> str:
        return self.table()

    @property
    def self_cpu_time_total(self) -> float:
        """The sum of all own times."""
        return float(sum(event.self_cpu_time_total for event in self))

    def _like(self, events: Iterable[Any]) -> EventList:
        return EventList(events, profile_memory=self._memory, with_flops=self._flops)

    def key_averages(
        self,
        group_by_input_shapes: bool = False,
        group_by_stack_n: int = 0,
        group_by_overload_name: bool = False,
    ) -> EventList:
        """Sums by name; by the shapes of the inputs too, and by the innermost n of the stack.

        There are no overloads here, so ``group_by_overload_name`` makes no difference.
        """
        sums: dict[Any, FunctionEventAvg] = {}
        for event in self:
            shapes = str(event.input_shapes) if group_by_input_shapes else ""
            stack = event.stack[:group_by_stack_n]
            found = sums.setdefault((event.key, shapes, *stack), FunctionEventAvg())
            found.add(event)
            found.stack = stack
            if group_by_input_shapes:
                found.input_shapes = shapes
        return self._like(sums.values())

    def total_average(self) -> FunctionEventAvg:
        """All of them in one."""
        total = FunctionEventAvg("Total")
        for event in self:
            total.add(event)
        return total

    def table(
        self,
        sort_by: str | None = None,
        row_limit: int = 100,
        max_src_column_width: int = 75,
        max_name_column_width: int = 55,
        max_shapes_column_width: int = 80,
        header: str | None = None,
        top_level_events_only: bool = False,
        time_unit: str | None = None,
    ) -> str:
        """A table as text.

        sort_by: ``cpu_time``, ``cpu_time_total``, ``self_cpu_time_total``, ``cpu_memory_usage``,
        ``self_cpu_memory_usage``, ``count`` or ``flops``, the largest first; as they came without
        it. row_limit: -1 for all rows. time_unit: ``s``, ``ms`` or ``us``, else each time's own.
        """
        return table(
            self, sort_by, row_limit, max_src_column_width, max_name_column_width,
            max_shapes_column_width, header, top_level_events_only, time_unit,
            self._memory, self._flops,
        )  # fmt: skip

    def export_chrome_trace(self, path: str) -> None:
        """Write the events for Perfetto or chrome://tracing."""
        if self._export is None:
            raise RuntimeError("export_chrome_trace: sums have no times; export events()")
        self._export(path)

    def supported_export_stacks_metrics(self) -> list[str]:
        """What `export_stacks` can write."""
        return ["self_cpu_time_total"]

    def export_stacks(self, path: str, metric: str) -> None:
        """Write stacks with a number each, as the programs that draw flame graphs read them.

        The profile must have been made ``with_stack``; times are whole us.
        """
        if metric not in self.supported_export_stacks_metrics():
            raise ValueError(
                f"export_stacks: metric should be one of {self.supported_export_stacks_metrics()}, "
                f"got {metric!r}"
            )
        lines = []
        table = str.maketrans(" ;\t\n", "____")
        for event in self:
            value = int(event.self_cpu_time_total)
            if event.stack and value > 0:
                frames = [frame.translate(table) for frame in reversed(event.stack)]
                lines.append(f"{';'.join([*frames, event.key.translate(table)])} {value}\n")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(lines)


def events_of(records: Sequence[Record], began: int) -> list[FunctionEvent]:
    """Records as events, each with the events inside of it; sorted by their start."""
    made: dict[int, FunctionEvent] = {}
    events: list[FunctionEvent] = []
    for record in records:  # a parent comes before what is inside of it
        event = FunctionEvent(record, len(events), began)
        made[id(record)] = event
        events.append(event)
        if record.parent is not None:
            parent = event.cpu_parent = made[id(record.parent)]
            parent.cpu_children.append(event)
            parent.self_cpu_time_total -= event.cpu_time_total
    for event in reversed(events):
        if event.cpu_parent is not None:
            event.cpu_parent.cpu_memory_usage += event.cpu_memory_usage
    return events
