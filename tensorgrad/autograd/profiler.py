"""PyTorch's older path of the profiler: everything in it is `tensorgrad.profiler`'s.

Found when it is asked for: a profiler watches optimizers and modules, which know of autograd.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tensorgrad.profiler.older import DeviceType as DeviceType
    from tensorgrad.profiler.older import EventList as EventList
    from tensorgrad.profiler.older import FunctionEvent as FunctionEvent
    from tensorgrad.profiler.older import FunctionEventAvg as FunctionEventAvg
    from tensorgrad.profiler.older import ProfilerActivity as ProfilerActivity
    from tensorgrad.profiler.older import kineto_available as kineto_available
    from tensorgrad.profiler.older import profile as profile
    from tensorgrad.profiler.older import record_function as record_function


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return getattr(importlib.import_module("tensorgrad.profiler.older"), name)
