"""Events in the Trace Event Format, which Perfetto (ui.perfetto.dev) and chrome://tracing show."""

from __future__ import annotations

import gzip
import json
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from tensorgrad.profiler.collecting import BACKWARD, FORWARD, RANGE
from tensorgrad.profiler.events import FunctionEvent

__all__ = ["write_trace"]

_CATEGORIES = {FORWARD: "cpu_op", BACKWARD: "cpu_op", RANGE: "user_annotation"}


def _complete(event: FunctionEvent, process: int) -> dict[str, Any]:
    """An event with its start and length, in us."""
    args: dict[str, Any] = {"Ev Idx": event.id}
    if event.sequence_nr >= 0:
        args["Sequence number"] = event.sequence_nr
    if event.input_shapes:
        args["Input Dims"] = event.input_shapes
    if event.flops:
        args["FLOPs"] = event.flops
    if event.cpu_memory_usage:
        args["Bytes"] = event.cpu_memory_usage
    path, kind = event.module
    if kind:
        args["Module"] = f"{path} ({kind})" if path else kind
    if event.location is not None:
        args["Line"] = str(event.location)
    if event.stack:
        args["Call stack"] = ";".join(reversed(event.stack))
    return {
        "ph": "X", "cat": _CATEGORIES[event.kind], "name": event.trace_name, "pid": process,
        "tid": event.thread, "ts": event.time_range.start, "dur": event.cpu_time_total,
        "args": args,
    }  # fmt: skip


def _arrows(events: Iterable[FunctionEvent], process: int) -> list[dict[str, Any]]:
    """From each operation to its gradient."""
    found: list[dict[str, Any]] = []
    made: dict[int, FunctionEvent] = {}
    for event in events:
        if event.sequence_nr < 0:
            continue
        if event.kind == FORWARD:
            made[event.sequence_nr] = event
        elif event.kind == BACKWARD and event.sequence_nr in made:
            for phase, at in (("s", made[event.sequence_nr]), ("f", event)):
                arrow = {
                    "ph": phase, "id": event.sequence_nr, "pid": process, "tid": at.thread,
                    "ts": at.time_range.start, "cat": "fwdbwd", "name": "fwdbwd",
                }  # fmt: skip
                found.append(arrow | ({"bp": "e"} if phase == "f" else {}))
    return found


def write_trace(
    path: str | os.PathLike[str], events: Iterable[FunctionEvent], metadata: Mapping[str, Any]
) -> None:
    """Write a trace; compressed if the path ends in ``.gz``."""
    events, process = [*events], os.getpid()
    name = os.path.basename(sys.argv[0] if sys.argv else "") or "python"
    title = {"ph": "M", "name": "process_name", "pid": process, "tid": 0, "args": {"name": name}}
    found = [title, *(_complete(event, process) for event in events), *_arrows(events, process)]
    trace = {"schemaVersion": 1, "displayTimeUnit": "ms", **metadata, "traceEvents": found}
    text = json.dumps(trace, allow_nan=False)
    if os.fspath(path).endswith(".gz"):
        with gzip.open(path, "wt", encoding="utf-8") as file:
            file.write(text)
    else:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
