"""`profile`: a profile of a block, or of some steps of a training."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterable
from enum import Enum
from types import TracebackType
from typing import Any

from tensorgrad.graph.provenance import warn
from tensorgrad.profiler.breakdown import Breakdown, by_line, by_module
from tensorgrad.profiler.collecting import Collector, Record
from tensorgrad.profiler.events import EventList, FunctionEvent, FunctionEventAvg, events_of
from tensorgrad.profiler.schedules import ProfilerAction, ProfilerActivity
from tensorgrad.profiler.traces import write_trace

__all__ = [
    "DeviceType",
    "kineto_available",
    "profile",
    "supported_activities",
    "tensorboard_trace_handler",
]

_RECORDS = (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)


class DeviceType(Enum):
    """Where an event ran."""

    CPU = 0


def supported_activities() -> set[ProfilerActivity]:
    """What can be profiled here."""
    return {ProfilerActivity.CPU}


def kineto_available() -> bool:
    """Whether PyTorch's library for traces of accelerators is used; never."""
    return False


class profile:
    """Profile what this thread does in the body of a ``with``.

    activities: only `ProfilerActivity.CPU`.
    schedule: a function from the number of a step to a `ProfilerAction`, see
        `tensorgrad.profiler.schedule`; then call ``step()`` after each step of the training.
        Without it everything is kept.
    on_trace_ready: called with this object whenever what was recorded is complete.
    record_shapes: keep the shapes of arguments.
    profile_memory: count the bytes of new arrays in results. Memory that an operation needs only
        meanwhile, and that which is given back, is not seen.
    with_stack: keep the frames of the user's program, at some 5 us an operation.
    with_flops: count the operations of products, see `tensorgrad.profiler.flops`.
    with_modules: a range for each call of a module. (`by_module` needs none.)
    acc_events: keep the events of all cycles of the schedule, not of the last one alone.
    """

    def __init__(
        self,
        *,
        activities: Iterable[Any] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[[profile], object] | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
        experimental_config: None = None,
        execution_trace_observer: None = None,
        acc_events: bool = False,
        use_cuda: bool | None = None,
        custom_trace_id_callback: Callable[[], str] | None = None,
        post_processing_timeout_s: float | None = None,
    ) -> None:
        _check_activities(activities, use_cuda)
        for name, value in (
            ("experimental_config", experimental_config),
            ("execution_trace_observer", execution_trace_observer),
            ("post_processing_timeout_s", post_processing_timeout_s),
        ):
            if value is not None:
                raise NotImplementedError(f"profile: {name} is not supported; leave it out")
        self.record_shapes = record_shapes or with_flops
        self.profile_memory, self.with_stack = profile_memory, with_stack
        self.with_flops, self.with_modules, self.acc_events = with_flops, with_modules, acc_events
        self.schedule, self.on_trace_ready = schedule, on_trace_ready
        self.custom_trace_id_callback = custom_trace_id_callback
        self.step_num = 0
        self.current_action = ProfilerAction.RECORD if schedule is None else schedule(0)
        self._collector: Collector | None = None
        self._events: list[FunctionEvent] | None = None
        self._elapsed = 0.0
        self._step: Record | None = None
        self._metadata: dict[str, Any] = {}

    # --- Running ----------------------------------------------------------------------------------

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begin, as entering the ``with`` does."""
        if self._collector is not None:
            raise RuntimeError("profile: it is running already")
        if self.current_action is not ProfilerAction.NONE:
            self._collect()
        self._begin_step()

    def stop(self) -> None:
        """End, as leaving the ``with`` does."""
        recorded = self.current_action in _RECORDS
        if self._collector is not None:
            self._finish(keep=recorded)
            if recorded and self.on_trace_ready is not None:
                self.on_trace_ready(self)

    def step(self) -> None:
        """The next step of the training begins."""
        before = self.current_action
        after = ProfilerAction.RECORD if self.schedule is None else self.schedule(self.step_num + 1)
        self.step_num, self.current_action = self.step_num + 1, after
        if self._step is not None and self._collector is not None:
            self._collector.end(self._step)
        complete = before is ProfilerAction.RECORD_AND_SAVE
        if before in _RECORDS and not complete and after not in _RECORDS:
            warn(f"profile: the schedule has {before.name} followed by {after.name}")
        # Two steps belong together if both are kept, or both forgotten, and nothing ends between.
        together = not complete and (before in _RECORDS) == (after in _RECORDS)
        if self._collector is not None and (not together or after is ProfilerAction.NONE):
            self._finish(keep=before in _RECORDS)
            if complete and self.on_trace_ready is not None:
                self.on_trace_ready(self)
        if after is not ProfilerAction.NONE and self._collector is None:
            self._collect()
        self._begin_step()

    def _begin_step(self) -> None:
        """With a schedule, steps are ranges."""
        if self.schedule is not None and self._collector is not None:
            self._step = self._collector.begin(f"ProfilerStep#{self.step_num}")

    def _collect(self) -> None:
        self._collector = Collector(
            self.record_shapes, self.profile_memory, self.with_stack, self.with_flops,
            self.with_modules,
        )  # fmt: skip
        self._collector.start()

    def _finish(self, keep: bool) -> None:
        collector = self._collector
        assert collector is not None
        collector.stop()  # which another thread may not, so it is forgotten afterwards
        self._collector = self._step = None
        if not keep:
            return
        events = events_of(collector.records, collector.began)
        elapsed = (collector.ended - collector.began) / 1e3
        if self.acc_events and self._events is not None:
            for event in events:
                event.id += len(self._events)
                start, end = event.time_range
                event.time_range = event.time_range._replace(
                    start=start + self._elapsed, end=end + self._elapsed
                )
            events = [*self._events, *events]
            elapsed += self._elapsed
        self._events, self._elapsed = events, elapsed

    def toggle_collection_dynamic(self, enable: bool, activities: Iterable[Any]) -> None:
        """Leave something out of a running profile, or collect again."""
        _check_activities(activities, None)
        if self._collector is None:
            raise RuntimeError("toggle_collection_dynamic: the profile is not running")
        self._collector.pause(not enable)

    # --- What was found ---------------------------------------------------------------------------

    def _found(self, what: str) -> list[FunctionEvent]:
        if self._events is None:
            running = self._collector is not None
            raise RuntimeError(
                f"{what}: "
                + ("the profile is still running: ask after the with block, or in on_trace_ready"
                   if running else "nothing was recorded yet")
            )  # fmt: skip
        return self._events

    def events(self) -> EventList:
        """All events, by their start."""
        return EventList(
            self._found("events"),
            profile_memory=self.profile_memory,
            with_flops=self.with_flops,
            export=self.export_chrome_trace,
        )

    def key_averages(
        self,
        group_by_input_shape: bool = False,
        group_by_stack_n: int = 0,
        group_by_overload_name: bool = False,
    ) -> EventList:
        """Sums of events by name; ``.table()`` shows them. See `EventList.key_averages`."""
        return self.events().key_averages(
            group_by_input_shape, group_by_stack_n, group_by_overload_name
        )

    def total_average(self) -> FunctionEventAvg:
        """All events in one."""
        return self.events().total_average()

    def by_module(self) -> Breakdown:
        """Forward and backward times by module; a gradient counts where its operation ran."""
        return by_module(self._found("by_module"), self._elapsed)

    def by_line(self) -> Breakdown:
        """Forward and backward times by line of the program that is profiled."""
        return by_line(self._found("by_line"), self._elapsed)

    # --- Files ------------------------------------------------------------------------------------

    def export_chrome_trace(self, path: str, use_python_export: bool = False) -> None:
        """Write a trace for Perfetto (ui.perfetto.dev) or chrome://tracing; ``.gz`` compresses.

        There is one way to write it, so ``use_python_export`` makes no difference.
        """
        switches = {
            "record_shapes": self.record_shapes, "profile_memory": self.profile_memory,
            "with_stack": self.with_stack, "with_flops": self.with_flops,
        }  # fmt: skip
        metadata = {name: 1 for name, on in switches.items() if on} | self._metadata
        if self.custom_trace_id_callback is not None:
            metadata["trace_id"] = self.custom_trace_id_callback()
        write_trace(path, self._found("export_chrome_trace"), metadata)

    def export_stacks(self, path: str, metric: str = "self_cpu_time_total") -> None:
        """Write stacks for programs that draw flame graphs; see `EventList.export_stacks`."""
        if not self.with_stack:
            raise RuntimeError("export_stacks: the profile was made without with_stack=True")
        self.events().export_stacks(path, metric)

    def add_metadata(self, key: str, value: str) -> None:
        """A text that is written into the trace."""
        self._metadata[key] = value

    def add_metadata_json(self, key: str, value: str) -> None:
        """What a text of JSON says, written into the trace."""
        self._metadata[key] = json.loads(value)

    preset_metadata_json = add_metadata_json


def _check_activities(activities: Iterable[Any] | None, use_cuda: bool | None) -> None:
    if use_cuda:
        raise RuntimeError("profile: there is no CUDA here; leave use_cuda out")
    if activities is None:
        return
    asked = [*activities]
    for activity in asked:
        if activity is not ProfilerActivity.CPU:
            raise RuntimeError(
                f"profile: {activity} cannot be profiled here; activities may hold "
                "ProfilerActivity.CPU alone"
            )
    if not asked:
        raise ValueError("profile: activities is empty; leave it out, or name ProfilerActivity.CPU")


def tensorboard_trace_handler(
    dir_name: str,
    worker_name: str | None = None,
    use_gzip: bool = False,
    use_python_export: bool = False,
) -> Callable[[profile], None]:
    """For ``on_trace_ready``: write each trace into a folder, as ``NAME.TIME.pt.trace.json``."""

    def handle(found: profile) -> None:
        os.makedirs(dir_name, exist_ok=True)
        name = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        ending = ".gz" if use_gzip else ""
        file = f"{name}.{time.time_ns()}.pt.trace.json{ending}"
        found.export_chrome_trace(os.path.join(dir_name, file), use_python_export)

    return handle
