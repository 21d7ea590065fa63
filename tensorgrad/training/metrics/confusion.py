"""The confusion matrix, and precision, recall and F per class with their averages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tensorgrad.errors import describe
from tensorgrad.training.metrics.scores import as_array, as_classes, predictions
from tensorgrad.training.table import format_table

__all__ = ["ConfusionMatrix", "Scores", "confusion_matrix", "precision_recall_fscore"]

AVERAGES = (None, "macro", "micro", "weighted")


class Scores(NamedTuple):
    """Precision, recall, F and the number of samples: per class as arrays, or averaged."""

    precision: Any
    recall: Any
    fscore: Any
    support: Any


class ConfusionMatrix:
    """How often each true class (a row) was taken for each class (a column).

    Samples are added batch by batch with ``update``; printed, it is a table with the sums of the
    rows, which are the numbers of true samples, and of the columns, the numbers of predictions.
    ``counts`` is the (C, C) array of integers. ``labels`` are the names for the table.
    """

    counts: NDArray[np.int64]

    def __init__(self, num_classes: int, labels: Sequence[str] | None = None) -> None:
        if not isinstance(num_classes, int | np.integer):
            raise TypeError(f"ConfusionMatrix: num_classes must be an int, got {num_classes!r}")
        if num_classes < 1:
            raise ValueError(f"ConfusionMatrix: num_classes must be at least 1, got {num_classes}")
        self.labels = [str(k) for k in range(num_classes)] if labels is None else list(labels)
        if len(self.labels) != num_classes:
            raise ValueError(
                f"ConfusionMatrix: {len(self.labels)} labels for {num_classes} classes"
            )
        self.counts = np.zeros((num_classes, num_classes), np.int64)

    @classmethod
    def from_counts(cls, counts: Any, labels: Sequence[str] | None = None) -> ConfusionMatrix:
        """A matrix that was counted elsewhere: true rows, predicted columns, no shares."""
        array = as_array(counts)
        if array.ndim != 2 or array.shape[0] != array.shape[1]:
            raise ValueError(f"ConfusionMatrix: counts are {describe(array)}; expected (C, C)")
        if (array < 0).any() or (array != np.floor(array)).any():
            raise ValueError(
                "ConfusionMatrix: counts must be whole numbers of samples, not negative; rows that "
                "were divided by their sums cannot be counted any more"
            )
        matrix = cls(len(array), labels)
        matrix.counts = array.astype(np.int64)
        return matrix

    def update(self, outputs: Any, targets: Any) -> None:
        """Add samples. outputs: scores (N, C, ...), or class numbers of the targets' shape."""
        classes = as_classes("ConfusionMatrix", "targets", targets)
        given = as_array(outputs)
        if given.ndim == classes.ndim + 1:
            if given.shape[1] != len(self.counts):
                raise ValueError(
                    f"ConfusionMatrix: outputs are {describe(given)}, but there are "
                    f"{len(self.counts)} classes"
                )
            given = predictions(given)
        if given.shape != classes.shape:
            raise ValueError(
                f"ConfusionMatrix: outputs are {describe(as_array(outputs))} and targets "
                f"{describe(classes)}; expected (N, C, ...) or (N, ...) and (N, ...)"
            )
        taken = as_classes("ConfusionMatrix", "predicted classes", given)
        size = len(self.counts)
        for what, found in (("targets", classes), ("predicted classes", taken)):
            if found.size and (found.min() < 0 or found.max() >= size):
                raise ValueError(
                    f"ConfusionMatrix: {what} must be 0 to {size - 1}, found {found.min()} to "
                    f"{found.max()}"
                )
        pairs = (classes * size + taken).reshape(-1)
        self.counts += np.bincount(pairs, minlength=size * size).reshape(size, size)

    def reset(self) -> None:
        """Forget all samples."""
        self.counts = np.zeros_like(self.counts)

    def state_dict(self) -> dict[str, Any]:
        """What was counted, for a checkpoint."""
        return {"counts": self.counts.tolist()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go back to what was counted."""
        self.counts = np.array(state_dict["counts"], np.int64)

    # --- What is derived --------------------------------------------------------------------------

    def accuracy(self) -> float:
        """The share of samples on the diagonal."""
        self._check_samples()
        return float(self.counts.trace() / self.counts.sum())

    def precision_recall_fscore(
        self, average: str | None = None, *, beta: float = 1.0, zero_division: float = 0.0
    ) -> Scores:
        """Precision TP / predicted, recall TP / true, F = (1 + beta²) PR / (beta² P + R).

        average: None gives arrays of one number per class; "macro" their mean; "weighted" their
            mean weighted with the true samples of each class; "micro" counts all classes together,
            which makes all three the accuracy.
        zero_division: 0, 1 or NaN, the value where the divisor is 0: no prediction of a class, no
            sample of it, neither. NaN is left out of the means.
        """
        if average not in AVERAGES:
            raise ValueError(f"average must be one of {AVERAGES}, got {average!r}")
        if not (zero_division in (0, 1) or np.isnan(zero_division)):
            raise ValueError(f"zero_division must be 0, 1 or NaN, got {zero_division!r}")
        if not beta >= 0:
            raise ValueError(f"beta must not be negative, got {beta}")
        self._check_samples()
        hits = self.counts.diagonal().astype(float)
        predicted, true = self.counts.sum(0).astype(float), self.counts.sum(1).astype(float)
        if average == "micro":
            hits, predicted, true = hits.sum(), predicted.sum(), true.sum()
        precision = _divide(hits, predicted, zero_division)
        recall = _divide(hits, true, zero_division)
        # Written with counts, F needs no case of its own for P = R = 0, which is 0 / 0 above.
        if np.isinf(beta):
            fscore = recall
        else:
            fscore = _divide((1 + beta**2) * hits, beta**2 * true + predicted, zero_division)
        if average is None:
            return Scores(precision, recall, fscore, self.counts.sum(1))
        if average == "micro":
            p, r, f = float(precision), float(recall), float(fscore)
        else:
            weights = true if average == "weighted" else np.ones_like(true)
            p, r, f = (_mean(values, weights) for values in (precision, recall, fscore))
        return Scores(p, r, f, int(self.counts.sum()))

    def report(self, zero_division: float = 0.0, digits: int = 4) -> str:
        """A table of precision, recall, F1 and support per class, and the averages."""
        each = self.precision_recall_fscore(zero_division=zero_division)
        rows: list[list[str]] = [
            [label, *(f"{x:.{digits}f}" for x in numbers[:3]), f"{numbers[3]:,}"]
            for label, *numbers in zip(self.labels, *each, strict=True)
        ]
        rows.append([])
        for name in ("macro", "weighted"):
            p, r, f, n = self.precision_recall_fscore(name, zero_division=zero_division)
            rows.append([f"{name} mean", *(f"{x:.{digits}f}" for x in (p, r, f)), f"{n:,}"])
        rows.append(["accuracy", "", "", f"{self.accuracy():.{digits}f}", f"{n:,}"])
        return format_table(["class", "precision", "recall", "F1", "support"], rows)

    def __repr__(self) -> str:
        rows = [
            [label, *map(str, row.tolist()), str(row.sum())]
            for label, row in zip(self.labels, self.counts, strict=True)
        ]
        totals = ["sum", *map(str, self.counts.sum(0).tolist()), str(self.counts.sum())]
        return format_table(["true \\ predicted", *self.labels, "sum"], [*rows, [], totals])

    def _check_samples(self) -> None:
        if not self.counts.any():
            raise ValueError("ConfusionMatrix: there are no samples")


def confusion_matrix(
    outputs: Any, targets: Any, num_classes: int | None = None, labels: Sequence[str] | None = None
) -> ConfusionMatrix:
    """The confusion matrix of one set of samples.

    outputs: scores (N, C, ...), or predicted class numbers (N, ...). targets: class numbers.
    num_classes: by default C, the number of labels, or one more than the largest class number.
    """
    classes, given = as_array(targets), as_array(outputs)
    if num_classes is None:
        if given.ndim == classes.ndim + 1:
            num_classes = given.shape[1]
        elif labels is not None:
            num_classes = len(labels)
        elif not classes.size or not given.size:
            raise ValueError("confusion_matrix: there are no samples to tell num_classes from")
        else:
            num_classes = int(max(classes.max(), given.max())) + 1
    matrix = ConfusionMatrix(num_classes, labels)
    matrix.update(given, classes)
    return matrix


def precision_recall_fscore(
    outputs: Any,
    targets: Any,
    average: str | None = None,
    *,
    beta: float = 1.0,
    zero_division: float = 0.0,
    num_classes: int | None = None,
) -> Scores:
    """`ConfusionMatrix.precision_recall_fscore` of one set of samples."""
    matrix = confusion_matrix(outputs, targets, num_classes)
    return matrix.precision_recall_fscore(average, beta=beta, zero_division=zero_division)


def _divide(part: Any, whole: Any, zero_division: float) -> Any:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), zero_division)


def _mean(values: Any, weights: Any) -> float:
    """The weighted mean of what is not NaN; NaN if nothing is left."""
    known = ~np.isnan(values)
    if not weights[known].sum():
        return float("nan")
    return float(np.average(values[known], weights=weights[known]))
