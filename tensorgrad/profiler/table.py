"""The table of events as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["of_bytes", "of_time", "table"]

_UNITS = {"s": 1e6, "ms": 1e3, "us": 1.0}
_KEYS = (
    "cpu_time", "cpu_time_total", "self_cpu_time_total", "cpu_memory_usage",
    "self_cpu_memory_usage", "count", "flops",
)  # fmt: skip
# Of devices that are not here, so that programs which sort by them run: all are 0.
_DEVICE_KEYS = (
    "device_time", "device_time_total", "self_device_time_total", "device_memory_usage",
    "self_device_memory_usage",
)  # fmt: skip


def of_time(us: float, unit: str | None = None) -> str:
    """Microseconds, in the largest unit of which it is more than one."""
    if unit is None:
        unit = next((name for name, size in _UNITS.items() if abs(us) >= size), "us")
    return f"{us / _UNITS[unit]:.3f}{unit}"


def of_bytes(count: float) -> str:
    """Bytes, in the largest unit of which it is more than one."""
    for unit, size in (("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)):
        if abs(count) >= size:
            return f"{count / size:.2f} {unit}"
    return f"{count:.0f} B"


def _of_flops(most: float) -> tuple[str, float]:
    """The heading of a column, and its unit."""
    for prefix, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("K", 1e3)):
        if most >= size:
            return f"Total {prefix}FLOPs", size
    return "Total FLOPs", 1.0


def _cut(text: str, width: int | None) -> str:
    return text if width is None or len(text) <= width else text[: max(width - 3, 0)] + "..."


def table(
    events: Sequence[Any],
    sort_by: str | None,
    row_limit: int,
    source_width: int | None,
    name_width: int | None,
    shapes_width: int | None,
    header: str | None,
    top_level: bool,
    unit: str | None,
    memory: bool,
    flops: bool,
) -> str:
    """Of events, or sums of them; see `EventList.table`."""
    if not events:
        return ""
    if unit is not None and unit not in _UNITS:
        raise ValueError(f"table: time_unit is one of {', '.join(_UNITS)}, not {unit!r}")
    if sort_by is not None:
        sort_by = sort_by.replace("cuda", "device")
        if sort_by not in (*_KEYS, *_DEVICE_KEYS):
            raise ValueError(f"table: sort_by is one of {', '.join(_KEYS)}, not {sort_by!r}")
    whole = sum(event.self_cpu_time_total for event in events)
    rows = list(events)
    if sort_by is not None:
        rows.sort(key=lambda event: -getattr(event, sort_by))
    if top_level:
        rows = [event for event in rows if event.cpu_parent is None]
    if row_limit >= 0:
        rows = rows[:row_limit]

    def share(part: float) -> str:
        return f"{part / whole:.2%}" if whole else "--"

    def time(us: float) -> str:
        return of_time(us, unit)

    columns: list[tuple[str, list[str]]] = [
        ("Name", [_cut(event.key, name_width) for event in rows]),
        ("Self CPU %", [share(event.self_cpu_time_total) for event in rows]),
        ("Self CPU", [time(event.self_cpu_time_total) for event in rows]),
        ("CPU total %", [share(event.cpu_time_total) for event in rows]),
        ("CPU total", [time(event.cpu_time_total) for event in rows]),
        ("CPU time avg", [time(event.cpu_time) for event in rows]),
    ]
    if memory:
        columns.append(("CPU Mem", [of_bytes(event.cpu_memory_usage) for event in rows]))
        columns.append(("Self CPU Mem", [of_bytes(event.self_cpu_memory_usage) for event in rows]))
    columns.append(("# of Calls", [str(event.count) for event in rows]))
    # Which columns there are, and in which unit, is asked of all events: not of those that happen
    # to come first in this run.
    if any(event.input_shapes for event in events):
        shapes = [_cut(str(event.input_shapes or "[]"), shapes_width) for event in rows]
        columns.append(("Input Shapes", shapes))
    if any(event.stack for event in events):
        columns.append(
            ("Source Location", [_cut(event.stack[0] if event.stack else "", source_width)
                                 for event in rows])
        )  # fmt: skip
    if flops:
        heading, size = _of_flops(max(event.flops for event in events))
        columns.append((heading, [f"{e.flops / size:.3f}" if e.flops else "--" for e in rows]))
    return _drawn(columns, header) + f"\nSelf CPU time total: {time(whole)}\n"


def _drawn(columns: Sequence[tuple[str, Sequence[str]]], header: str | None) -> str:
    """Columns between lines, their texts to the right."""
    widths = [max(12, len(name), *map(len, texts), 0) for name, texts in columns]
    line = "  ".join("-" * width for width in widths)
    names = "  ".join(name.rjust(width) for (name, _), width in zip(columns, widths, strict=True))
    body = [
        "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True))
        for row in zip(*(texts for _, texts in columns), strict=True)
    ]
    title = [] if header is None else ["=" * len(line), header]
    return "\n".join([*title, line, names, line, *body, line])
