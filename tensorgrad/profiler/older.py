"""The profiler as `torch.autograd.profiler` has it."""

from __future__ import annotations

from typing import Any

from tensorgrad.profiler import session
from tensorgrad.profiler.events import EventList, FunctionEvent, FunctionEventAvg
from tensorgrad.profiler.ranges import record_function
from tensorgrad.profiler.schedules import ProfilerActivity
from tensorgrad.profiler.session import DeviceType, kineto_available

__all__ = [
    "DeviceType",
    "EventList",
    "FunctionEvent",
    "FunctionEventAvg",
    "ProfilerActivity",
    "kineto_available",
    "profile",
    "record_function",
]


class profile(session.profile):
    """`tensorgrad.profiler.profile` with the arguments of PyTorch's older one.

    enabled: nothing is collected where it is False. Printed, it shows the table of all events.
    """

    def __init__(
        self,
        enabled: bool = True,
        *,
        use_cuda: bool = False,
        use_device: str | None = None,
        record_shapes: bool = False,
        with_flops: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_modules: bool = False,
        use_kineto: bool = False,
        use_cpu: bool = True,
        experimental_config: None = None,
        acc_events: bool = False,
        custom_trace_id_callback: Any = None,
        post_processing_timeout_s: float | None = None,
    ) -> None:
        if use_device not in (None, "cpu") or use_kineto:
            raise NotImplementedError(
                "profile: only the CPU is profiled here; leave out use_device and use_kineto"
            )
        if not use_cpu:
            raise NotImplementedError("profile: nothing but the CPU is here; leave out use_cpu")
        super().__init__(
            use_cuda=use_cuda,
            record_shapes=record_shapes,
            with_flops=with_flops,
            profile_memory=profile_memory,
            with_stack=with_stack,
            with_modules=with_modules,
            experimental_config=experimental_config,
            acc_events=acc_events,
            custom_trace_id_callback=custom_trace_id_callback,
            post_processing_timeout_s=post_processing_timeout_s,
        )
        self.enabled = enabled

    def __enter__(self) -> profile:
        if self.enabled:
            self.start()
        return self

    def __str__(self) -> str:
        return "<unfinished profile>" if self._events is None else str(self.events())

    @property
    def function_events(self) -> EventList | None:
        """All events; None before the end."""
        return None if self._events is None else self.events()

    @property
    def self_cpu_time_total(self) -> float:
        """The sum of all own times, in us."""
        return self.events().self_cpu_time_total

    def table(self, *args: Any, **kwargs: Any) -> str:
        """The table of all events; see `EventList.table`."""
        return self.events().table(*args, **kwargs)
