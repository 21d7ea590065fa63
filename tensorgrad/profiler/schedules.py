"""Which steps of a long training are profiled."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

__all__ = ["ProfilerAction", "ProfilerActivity", "schedule"]


class ProfilerActivity(Enum):
    """What can be profiled; only CPU is here."""

    CPU = 0
    XPU = 1
    MTIA = 2
    CUDA = 3
    HPU = 4
    PrivateUse1 = 5


class ProfilerAction(Enum):
    """What to do with a step."""

    NONE = 0  # nothing
    WARMUP = 1  # profile it and forget it: what is paid once is then paid
    RECORD = 2
    RECORD_AND_SAVE = 3  # and then hand over what was recorded


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0,
    skip_first_wait: int = 0,
) -> Callable[[int], ProfilerAction]:  # fmt: skip
    """For ``profile(schedule=...)``: after ``skip_first`` steps, cycles of ``wait`` steps that are
    left alone, ``warmup`` steps that are profiled and forgotten, and ``active`` ones that are kept.

    repeat: how many cycles; 0 for no end. skip_first_wait: other than 0, the first cycle does not
    wait.
    """
    for name, value in (("wait", wait), ("warmup", warmup), ("repeat", repeat),
                        ("skip_first", skip_first)):  # fmt: skip
        if value < 0:
            raise ValueError(f"schedule: {name} must not be negative, got {value}")
    if active < 1:
        raise ValueError(f"schedule: active must be at least 1, got {active}")

    def action(step: int) -> ProfilerAction:
        if step < 0:
            raise ValueError(f"schedule: steps are counted from 0, got {step}")
        step -= skip_first
        if step < 0:
            return ProfilerAction.NONE
        if skip_first_wait:
            step += wait
        cycle, place = divmod(step, wait + warmup + active)
        if (repeat and cycle >= repeat) or place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        last = place == wait + warmup + active - 1
        return ProfilerAction.RECORD_AND_SAVE if last else ProfilerAction.RECORD

    return action
