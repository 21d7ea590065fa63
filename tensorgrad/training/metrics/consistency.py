"""Can a printed table of precision and recall be true?

Behind every such table are whole numbers: of a class's n samples t were found, so its recall is
t / n, and the model named the class q >= t times, so its precision is t / q. The q of all classes
add up to the number of samples, and so do their n; the sum of the t is the accuracy. A table whose
printed digits fit no such numbers was not computed from any confusion matrix.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from tensorgrad.training.metrics.confusion import ConfusionMatrix
from tensorgrad.training.metrics.scores import as_array

__all__ = ["Consistency", "Contradiction", "check_consistency"]


class Contradiction(NamedTuple):
    """Something printed that cannot be true: where it stands, and why it cannot."""

    entry: str
    why: str

    def __str__(self) -> str:
        return f"{self.entry}: {self.why}"


class Consistency:
    """What `check_consistency` found; true in a condition if nothing contradicts.

    contradictions: what cannot be true, in the order of the table.
    exchanged: how many contradictions are left if precision and recall change places; None where
        one of them was not given.
    accuracy: the sum of recall × support over the samples, None where that is not known.
    """

    def __init__(
        self, found: list[Contradiction], exchanged: int | None, accuracy: float | None
    ) -> None:
        self.contradictions, self.exchanged, self.accuracy = found, exchanged, accuracy

    def __bool__(self) -> bool:
        return not self.contradictions

    def __repr__(self) -> str:
        if not self.contradictions:
            return "consistent: nothing printed contradicts anything else"
        count = len(self.contradictions)
        lines = [f"{count} contradiction{'s' if count > 1 else ''}"]
        lines += [f"  {found}" for found in self.contradictions]
        if self.exchanged is not None and self.exchanged < count:
            lines.append(
                "  with precision and recall exchanged "
                + (
                    f"only {self.exchanged} would be left"
                    if self.exchanged
                    else "nothing contradicts"
                )
                + ": the two were most likely swapped"
            )
        return "\n".join(lines)


class _Table(NamedTuple):
    """What was printed, as arrays of a number per class, and half a unit of its last digit."""

    precision: Any
    recall: Any
    fscore: Any
    support: Any
    accuracy: float | None
    half: float


def check_consistency(
    precision: Any = None,
    recall: Any = None,
    support: Any = None,
    *,
    fscore: Any = None,
    accuracy: float | None = None,
    confusion: Any = None,
    decimals: int = 4,
    accuracy_decimals: int | None = None,
    labels: Sequence[str] | None = None,
) -> Consistency:
    """Whether printed numbers can come from one and the same confusion matrix.

    precision, recall, fscore: a number of 0 to 1 for each class, printed with ``decimals`` digits.
    support: the number of samples of each class. accuracy: printed with ``accuracy_decimals``
    digits (by default ``decimals``). confusion: a ConfusionMatrix or its counts (true rows,
    predicted columns), with which everything else is compared. Give what there is: what can be
    checked, is. The support is what most follows from.
    """
    given = {"precision": precision, "recall": recall, "support": support, "fscore": fscore}
    arrays = {
        name: None if value is None else as_array(value).astype(float)
        for name, value in given.items()
    }
    matrix = None
    if confusion is not None:
        matrix = (
            confusion
            if isinstance(confusion, ConfusionMatrix)
            else ConfusionMatrix.from_counts(confusion, labels)
        )
    sizes = {name: array.shape for name, array in arrays.items() if array is not None}
    if matrix is not None:
        sizes["confusion"] = matrix.counts.shape[:1]
    if not sizes:
        raise ValueError("check_consistency: nothing was given to check")
    if len(set(sizes.values())) > 1 or any(len(shape) != 1 for shape in sizes.values()):
        raise ValueError(f"check_consistency: expected one number per class, got shapes {sizes}")
    (classes,) = next(iter(sizes.values()))
    if labels is None:
        labels = [str(k) for k in range(classes)] if matrix is None else matrix.labels
    if len(labels) != classes:
        raise ValueError(f"check_consistency: {len(labels)} labels for {classes} classes")
    table = _Table(**arrays, accuracy=accuracy, half=0.5 * 10.0**-decimals + 1e-9)
    digits = decimals if accuracy_decimals is None else accuracy_decimals
    found = _check(table, labels, matrix, 0.5 * 10.0**-digits + 1e-9)
    exchanged = None
    if table.precision is not None and table.recall is not None:
        other = table._replace(precision=table.recall, recall=table.precision)
        exchanged = len(_check(other, labels, matrix, 0.5 * 10.0**-digits + 1e-9))
    implied = None
    if table.recall is not None and table.support is not None and table.support.sum():
        implied = float((table.recall * table.support).sum() / table.support.sum())
    return Consistency(found, exchanged, implied)


def _check(
    table: _Table, labels: Sequence[str], matrix: ConfusionMatrix | None, half_accuracy: float
) -> list[Contradiction]:
    found = _shares(table, labels)
    if found:
        return found  # nothing can be derived from what is no share
    if matrix is not None:
        found += _against_matrix(table, labels, matrix, half_accuracy)
    found += _fscores(table, labels)
    if table.recall is not None and table.support is not None:
        found += _counts(table, labels, half_accuracy)
    return found


def _shares(table: _Table, labels: Sequence[str]) -> list[Contradiction]:
    found = []
    for name in ("precision", "recall", "fscore"):
        for label, value in zip(labels, _each(table, name), strict=False):
            if not 0 <= value <= 1:
                found.append(Contradiction(f"{name} of {label}", f"{value:g} is no share"))
    for label, value in zip(labels, _each(table, "support"), strict=False):
        if value < 0 or value != math.floor(value):
            found.append(Contradiction(f"support of {label}", f"{value:g} is no number of samples"))
    if table.accuracy is not None and not 0 <= table.accuracy <= 1:
        found.append(Contradiction("accuracy", f"{table.accuracy:g} is no share"))
    return found


def _each(table: _Table, name: str) -> Any:
    value = getattr(table, name)
    return () if value is None else value


def _against_matrix(
    table: _Table, labels: Sequence[str], matrix: ConfusionMatrix, half_accuracy: float
) -> list[Contradiction]:
    found = []
    true = matrix.precision_recall_fscore()
    for name in ("precision", "recall", "fscore"):
        for label, value, exact in zip(labels, _each(table, name), getattr(true, name)):
            if abs(value - exact) > table.half:
                why = f"{value:g} is printed, the confusion matrix gives {exact:.6g}"
                found.append(Contradiction(f"{name} of {label}", why))
    for label, value, exact in zip(labels, _each(table, "support"), true.support):
        if value != exact:
            why = f"{value:g} is printed, the row of the confusion matrix adds up to {exact}"
            found.append(Contradiction(f"support of {label}", why))
    if table.accuracy is not None and abs(table.accuracy - matrix.accuracy()) > half_accuracy:
        why = f"{table.accuracy:g} is printed, the confusion matrix gives {matrix.accuracy():.6g}"
        found.append(Contradiction("accuracy", why))
    return found


def _fscores(table: _Table, labels: Sequence[str]) -> list[Contradiction]:
    if table.precision is None or table.recall is None or table.fscore is None:
        return []
    found = []
    for k, label in enumerate(labels):
        p, r = float(table.precision[k]), float(table.recall[k])
        low = _harmonic(max(p - table.half, 0), max(r - table.half, 0)) - table.half
        high = _harmonic(p + table.half, r + table.half) + table.half
        if not low <= table.fscore[k] <= high:
            why = f"{table.fscore[k]:g} is printed, precision and recall give "
            found.append(Contradiction(f"fscore of {label}", why + f"{_harmonic(p, r):.6g}"))
    return found


def _harmonic(p: float, r: float) -> float:
    return 2 * p * r / (p + r) if p + r else 0.0


def _counts(table: _Table, labels: Sequence[str], half_accuracy: float) -> list[Contradiction]:
    """Look for whole numbers behind recall, precision and support."""
    found: list[Contradiction] = []
    samples = int(table.support.sum())
    hits = [0.0, 0.0]  # the fewest and the most, over all classes
    named = [0.0, 0.0]
    for k, label in enumerate(labels):
        n, r = int(table.support[k]), float(table.recall[k])
        if n == 0:
            if table.precision is not None:
                named[1] = math.inf  # it may have been named any number of times, never rightly
            continue
        low, high = (r - table.half) * n, (r + table.half) * n
        least, most = max(math.ceil(low), 0), min(math.floor(high), n)
        if least > most:
            why = f"{r:g} of {n:,} samples is {r * n:.2f}: no whole number gives {r:g}"
            found.append(Contradiction(f"recall of {label}", why))
            bounds = (max(low, 0.0), high)
        else:
            bounds = (float(least), float(most))
        hits = [hits[0] + bounds[0], hits[1] + bounds[1]]
        if table.precision is None:
            continue
        p = float(table.precision[k])
        fewest, largest = _named(p, table.half, bounds, samples - n)
        if least <= most and not any(
            _whole(t, p, table.half, samples - n)
            for t in range(least, min(most, least + 10_000) + 1)
        ):
            why = f"{_span(least, most)} found of {n:,}, but no whole number of predictions, "
            why += f"at most {samples - n + most:,}, gives a precision of {p:g}"
            found.append(Contradiction(f"precision of {label}", why))
        named = [named[0] + fewest, named[1] + largest]
    if table.precision is not None and not named[0] - 1e-6 <= samples <= named[1] + 1e-6:
        fewest, largest = math.ceil(named[0]), math.floor(min(named[1], 1e15))
        # Between two whole numbers: no count at all, so the middle is told.
        times = _span(fewest, largest) if fewest <= largest else f"{sum(named) / 2:,.1f}"
        why = f"the classes were named {times} times in "
        found.append(Contradiction("precision", why + f"all, but there are {samples:,} samples"))
    if table.accuracy is not None and samples:
        least_share, most_share = hits[0] / samples, hits[1] / samples
        if not (least_share - half_accuracy <= table.accuracy <= most_share + half_accuracy):
            middle = (least_share + most_share) / 2
            why = f"{table.accuracy:g} is printed, recall and support give {middle:.4f}"
            found.append(Contradiction("accuracy", why))
    return found


def _named(p: float, half: float, hits: tuple[float, float], others: int) -> tuple[float, float]:
    """The fewest and the most times a class can have been named."""
    fewest = hits[0] / (p + half)
    if p - half > 0:
        return fewest, max(fewest, hits[1] / (p - half))
    return fewest, max(fewest, hits[1] + others)


def _whole(t: int, p: float, half: float, others: int) -> bool:
    """Whether some whole number q, t <= q <= t + others, has t / q equal to p as printed."""
    if t == 0:
        return p <= half  # 0 of any number; never named, it is printed as 0 too
    low = max(math.ceil(t / (p + half)), t)
    high = t + others if p <= half else min(math.floor(t / (p - half)), t + others)
    return low <= high


def _span(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
