"""Which epoch was the best, and when to stop waiting for a better one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

__all__ = ["Best"]


class Best:
    """The best value so far of one measured number, and how many epochs ago it was.

    ``update(value)`` says whether a value is the best one. ``stop`` is true once ``patience``
    epochs in a row were not better than the best by more than ``min_delta``; never, if it is None.
    NaN is better than nothing.
    """

    def __init__(
        self, monitor: str, mode: str, patience: int | None = None, min_delta: float = 0.0
    ) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f"fit: mode must be 'min' or 'max', got {mode!r}")
        if patience is not None and patience < 1:
            raise ValueError(f"fit: patience must be at least 1 epoch, got {patience}")
        if not min_delta >= 0:
            raise ValueError(f"fit: min_delta must not be negative, got {min_delta}")
        self.monitor, self.mode, self.patience, self.min_delta = monitor, mode, patience, min_delta
        self.value = math.inf if mode == "min" else -math.inf  # the best of all
        self.reference = self.value  # what must be beaten by min_delta: `value` may creep away
        self.waited = 0

    def check(self, names: Sequence[str]) -> None:
        """ValueError if what is monitored is not measured."""
        if self.monitor not in names:
            raise ValueError(
                f"fit: monitor={self.monitor!r} is not measured; there are {', '.join(names)}"
            )

    @property
    def stop(self) -> bool:
        """Whether patience is at its end."""
        return self.patience is not None and self.waited >= self.patience

    def update(self, value: float) -> bool:
        """Take an epoch's value; true if it is the best so far."""
        sign = 1 if self.mode == "min" else -1
        if sign * value < sign * self.reference - self.min_delta:
            self.reference, self.waited = value, 0
        else:
            self.waited += 1
        better = sign * value < sign * self.value
        if better:
            self.value = value
        return better

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {
            "monitor": self.monitor,
            "mode": self.mode,
            "value": self.value,
            "reference": self.reference,
            "waited": self.waited,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint that monitored the same."""
        if (state["monitor"], state["mode"]) != (self.monitor, self.mode):
            raise ValueError(
                f"fit: the checkpoint monitors {state['monitor']!r} ({state['mode']}), this run "
                f"{self.monitor!r} ({self.mode})"
            )
        self.value, self.reference = state["value"], state["reference"]
        self.waited = state["waited"]
