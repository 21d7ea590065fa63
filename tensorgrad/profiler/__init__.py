"""Where a program's time goes: PyTorch's `torch.profiler`, and the same by module and by line.

    with tg.profiler.profile(record_shapes=True) as prof:
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()

    print(prof.key_averages().table(sort_by="self_cpu_time_total", row_limit=10))
    print(prof.by_module())
    print(prof.by_line())
    prof.export_chrome_trace("trace.json")      # for Perfetto, or chrome://tracing

See docs/profiler.md for what is measured, and how.
"""

from tensorgrad.profiler.events import EventList, FunctionEvent, FunctionEventAvg
from tensorgrad.profiler.ranges import record_function
from tensorgrad.profiler.schedules import ProfilerAction, ProfilerActivity, schedule
from tensorgrad.profiler.session import (
    DeviceType,
    kineto_available,
    profile,
    supported_activities,
    tensorboard_trace_handler,
)

__all__ = [
    "DeviceType",
    "EventList",
    "FunctionEvent",
    "FunctionEventAvg",
    "ProfilerAction",
    "ProfilerActivity",
    "kineto_available",
    "profile",
    "record_function",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]
