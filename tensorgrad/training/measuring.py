"""What is measured over the batches of an epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from tensorgrad.training.arguments import metric_number
from tensorgrad.training.metrics import StreamingMetric

__all__ = ["Measures", "Metrics"]

Metrics: TypeAlias = Mapping[str, Callable[[Any, Any], float] | StreamingMetric]


class Measures:
    """The loss and the metrics of an epoch: means over samples, and what streaming metrics say."""

    def __init__(self, metrics: Metrics | None) -> None:
        self._functions: dict[str, Callable[[Any, Any], float]] = {}
        self._streams: dict[str, StreamingMetric] = {}
        for name, metric in (metrics or {}).items():
            if name == "loss":
                raise ValueError("metrics: 'loss' is the name of the loss; choose another one")
            if not isinstance(name, str):
                raise TypeError(f"metrics: a name must be a str, got {name!r}")
            if isinstance(metric, type):
                raise TypeError(
                    f"metrics: {name!r} is the class {metric.__name__}; make one of it: "
                    f"{metric.__name__}(...)"
                )
            if isinstance(metric, StreamingMetric):
                self._streams[name] = metric
            elif callable(metric):
                self._functions[name] = metric
            else:
                raise TypeError(
                    f"metrics: {name!r} must be a function of (outputs, targets) or have reset, "
                    f"update and compute, got {type(metric).__name__}"
                )
        self._names = ["loss", *(metrics or {})]
        self.reset()

    def reset(self) -> None:
        """Begin an epoch."""
        self._samples = 0
        self._sums = dict.fromkeys(["loss", *self._functions], 0.0)
        for stream in self._streams.values():
            stream.reset()

    def add(self, samples: int, loss: float, output: Any, target: Any) -> None:
        """Add a batch."""
        self._samples += samples
        self._sums["loss"] += samples * loss
        for name, metric in self._functions.items():
            self._sums[name] += samples * metric_number(name, metric(output, target))
        for stream in self._streams.values():
            stream.update(output, target)

    def values(self, caller: str) -> dict[str, float]:
        """The numbers of all samples so far, in the order of the metrics."""
        if not self._samples:
            raise ValueError(
                f"{caller}: the loader gave no batches; an iterator or generator can be gone "
                "through only once, and drop_last drops a batch that is not full"
            )
        means = {name: total / self._samples for name, total in self._sums.items()}
        streamed = {name: float(stream.compute()) for name, stream in self._streams.items()}
        return {name: (means | streamed)[name] for name in self._names}

    def state_dict(self) -> dict[str, Any]:
        """What was added up, for a checkpoint in the middle of an epoch."""
        return {
            "samples": self._samples,
            "sums": dict(self._sums),
            "streams": {name: _stateful(s, name).state_dict() for name, s in self._streams.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on adding where a checkpoint stopped."""
        if set(state["sums"]) != set(self._sums) or set(state["streams"]) != set(self._streams):
            before = sorted({*state["sums"], *state["streams"]})
            raise ValueError(
                f"fit: the checkpoint measures {before}, this run {sorted(self._names)}; resume "
                "with the same metrics"
            )
        self._samples, self._sums = state["samples"], dict(state["sums"])
        for name, stream in self._streams.items():
            _stateful(stream, name).load_state_dict(state["streams"][name])


def _stateful(metric: Any, name: str) -> Any:
    if not (hasattr(metric, "state_dict") and hasattr(metric, "load_state_dict")):
        raise TypeError(
            f"fit: the metric {name!r}, a {type(metric).__name__}, needs state_dict and "
            "load_state_dict to be in a checkpoint"
        )
    return metric
