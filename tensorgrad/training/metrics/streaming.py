"""Metrics that are not means over batches: they gather an epoch and then give one number."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from tensorgrad.training.metrics.confusion import AVERAGES, ConfusionMatrix

__all__ = ["FScore", "Precision", "Recall", "StreamingMetric"]


@runtime_checkable
class StreamingMetric(Protocol):
    """What `fit` and `evaluate` reset before an epoch, feed with its batches, and then ask.

    One with ``state_dict`` and ``load_state_dict`` can be resumed in the middle of an epoch.
    """

    def reset(self) -> None:
        """Forget all samples."""

    def update(self, outputs: Any, targets: Any) -> None:
        """Add a batch."""

    def compute(self) -> float:
        """The metric of all samples so far."""


class FScore(ConfusionMatrix):
    """F over all batches, as a metric of `fit`: ``metrics={"F1": FScore(10)}``.

    average, beta, zero_division: as for `ConfusionMatrix.precision_recall_fscore`.
    """

    _part = 2

    def __init__(
        self,
        num_classes: int,
        average: str = "macro",
        *,
        beta: float = 1.0,
        zero_division: float = 0.0,
    ) -> None:
        super().__init__(num_classes)
        if average not in AVERAGES[1:]:
            raise ValueError(
                f"{type(self).__name__}: average must be one of {AVERAGES[1:]}, got {average!r}; "
                "one number is wanted, those of the classes are ConfusionMatrix's"
            )
        self._average, self._beta, self._zero_division = average, beta, zero_division

    def compute(self) -> float:
        """The averaged score of all samples so far."""
        scores = self.precision_recall_fscore(
            self._average, beta=self._beta, zero_division=self._zero_division
        )
        return float(scores[self._part])


class Precision(FScore):
    """Precision over all batches, as a metric of `fit`."""

    _part = 0

    def __init__(
        self, num_classes: int, average: str = "macro", *, zero_division: float = 0.0
    ) -> None:
        super().__init__(num_classes, average, zero_division=zero_division)


class Recall(FScore):
    """Recall over all batches, as a metric of `fit`."""

    _part = 1

    def __init__(
        self, num_classes: int, average: str = "macro", *, zero_division: float = 0.0
    ) -> None:
        super().__init__(num_classes, average, zero_division=zero_division)
