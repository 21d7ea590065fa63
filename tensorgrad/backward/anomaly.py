"""Anomaly detection: which operation's gradient made the first NaN, and what was changed unseen.

Inside the block every node that is recorded has the checksums of its saved arrays kept.  Backward
compares them, which catches writes that no version counter sees (through ``.numpy()``, ``.data`` or
another library), and looks for NaN in what each rule returns.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from tensorgrad.graph.node import Node
from tensorgrad.graph.scope import local

__all__ = [
    "detect_anomaly",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "set_anomaly_enabled",
    "set_detect_anomaly",
]


def _checksum(array: Any) -> int:
    return zlib.crc32(np.ascontiguousarray(array).tobytes())


class Anomaly:
    """What `detect_anomaly` keeps, and the two questions that the backward walk asks it."""

    def __init__(self, check_nan: bool) -> None:
        self.check_nan = check_nan
        self._sums: dict[Node, tuple[int | None, ...]] = {}

    def recorded(self, node: Node, out: object) -> None:
        """Remember what a node saved; called for every operation recorded in the block."""
        if node.saved:
            self._sums[node] = tuple(
                _checksum(entry) if isinstance(entry, np.ndarray) else None for entry in node.saved
            )

    def before(self, node: Node) -> None:
        """Compare a node's saved arrays with what they were."""
        sums = self._sums.get(node, ())
        names = ("output", *(f"argument '{name}'" for name in node.op.arguments))
        for i, (entry, kept) in enumerate(zip(node.saved, sums, strict=False)):
            if kept is None or not isinstance(entry, np.ndarray):
                continue  # packed by a saved-tensor hook since
            if _checksum(entry) != kept:
                raise RuntimeError(
                    f"the {names[min(i, len(names) - 1)]} of {node.op.name}, saved at "
                    f"{node.location}, was changed since without tensorgrad seeing it (through "
                    ".numpy(), .data or another library); its gradient would be wrong"
                )

    def after(self, node: Node, found: list[Any]) -> None:
        """Look for NaN in the gradients that a node's rules returned."""
        if not self.check_nan:
            return
        for i, gradient in enumerate(found):
            array = getattr(gradient, "_array", gradient)
            if isinstance(array, np.ndarray) and array.dtype.kind in "fc" and np.isnan(array).any():
                scope = f", in module {node.scope.path!r}" if node.scope is not None else ""
                raise RuntimeError(
                    f"Function '{node.name()}' returned nan values in its {i}th output: the "
                    f"operation was recorded at {node.location}{scope}"
                )


class set_detect_anomaly:
    """Turn anomaly detection on or off at once; as a context manager, to the end of the block."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        context = local.context
        self._before = (context.anomaly, context.on_forward)
        made = Anomaly(check_nan) if mode else None
        context.anomaly = made
        watchers = tuple(w for w in context.on_forward if not _of_anomaly(w))
        context.on_forward = (*watchers, made.recorded) if made is not None else watchers

    def __enter__(self) -> None:
        return None

    def __exit__(self, *error: object) -> None:
        local.context.anomaly, local.context.on_forward = self._before


def _of_anomaly(watcher: Any) -> bool:
    return isinstance(getattr(watcher, "__self__", None), Anomaly)


class detect_anomaly:
    """``with detect_anomaly():`` around forward and backward; slow, for debugging."""

    def __init__(self, check_nan: bool = True) -> None:
        self._check_nan = check_nan
        self._mode: set_detect_anomaly | None = None

    def __enter__(self) -> None:
        self._mode = set_detect_anomaly(True, self._check_nan)

    def __exit__(self, *error: object) -> None:
        assert self._mode is not None
        self._mode.__exit__(*error)


def set_anomaly_enabled(mode: bool, check_nan: bool = True) -> None:
    """Turn anomaly detection on or off for this thread, from now on."""
    set_detect_anomaly(mode, check_nan)


def is_anomaly_enabled() -> bool:
    """Whether this thread looks for anomalies."""
    return local.context.anomaly is not None


def is_anomaly_check_nan_enabled() -> bool:
    """Whether it looks for NaN too: True unless it was turned on without."""
    anomaly = local.context.anomaly
    return anomaly is None or bool(anomaly.check_nan)
