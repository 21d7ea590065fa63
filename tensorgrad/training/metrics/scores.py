"""How often a model's outputs name the right class."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.errors import describe

__all__ = ["accuracy", "as_array", "as_classes", "predictions", "top_k_accuracy"]


def accuracy(outputs: Any, targets: Any) -> float:
    """The share, 0 to 1, of samples whose largest output is the one of their class.

    outputs: scores or probabilities, (N, C, ...). targets: class numbers, (N, ...). Among equal
    outputs the first counts, NaN is smaller than any number and no hit. Tensors or arrays. Raises
    ValueError for shapes that do not belong together and classes that do not exist, TypeError for
    targets that are not integers.
    """
    scores, classes = _check("accuracy", outputs, targets)
    hits = scores.argmax(axis=1) == classes
    if np.isnan(scores.max()):
        hits = _within(scores, np.expand_dims(classes, 1), 1)
    return float(np.mean(hits))


def top_k_accuracy(outputs: Any, targets: Any, k: int = 5) -> float:
    """The share of samples for which fewer than ``k`` outputs come before that of their class.

    outputs, targets: as for `accuracy`, of which this is the case ``k=1``: among equal outputs the
    one with the smaller class number comes first. An output that is NaN is no hit.
    """
    scores, classes = _check("top_k_accuracy", outputs, targets)
    if not 1 <= k <= scores.shape[1]:
        raise ValueError(
            f"top_k_accuracy: k={k} is not within 1 to {scores.shape[1]}, the number of classes"
        )
    return float(np.mean(_within(scores, np.expand_dims(classes, 1), k)))


def _within(scores: Any, places: Any, k: int) -> Any:
    """Whether fewer than k outputs come before those at ``places``, which are numbers."""
    own = np.take_along_axis(scores, places, axis=1)
    numbers = np.arange(scores.shape[1]).reshape(1, -1, *(1 for _ in scores.shape[2:]))
    before = (scores > own) | ((scores == own) & (numbers < places))
    return (before.sum(axis=1) < k) & ~np.isnan(own.squeeze(1))


def as_array(value: Any) -> np.ndarray[Any, Any]:
    """A Tensor's array, or what NumPy makes of anything else."""
    return np.asarray(getattr(value, "_array", value))


def as_classes(caller: str, what: str, value: Any) -> np.ndarray[Any, Any]:
    """Class numbers as an array of integers; TypeError for anything else."""
    classes = as_array(value)
    if classes.dtype.kind not in "iub":
        raise TypeError(
            f"{caller}: {what} must be class numbers, integers, but are {describe(classes)}"
        )
    return classes.astype(np.int64)


def predictions(outputs: Any) -> np.ndarray[Any, Any]:
    """The class of the largest output, the first among equals: (N, C, ...) to (N, ...).

    Raises ValueError where an output is NaN.
    """
    scores = as_array(outputs)
    if scores.ndim < 2:
        raise ValueError(f"predictions: outputs are {describe(scores)}; expected (N, C, ...)")
    if scores.dtype.kind == "f" and np.isnan(scores).any():
        raise ValueError("predictions: some outputs are NaN: the model has diverged")
    return np.asarray(scores.argmax(axis=1))


def _check(caller: str, outputs: Any, targets: Any) -> tuple[Any, Any]:
    scores, classes = as_array(outputs), as_array(targets)
    if scores.ndim < 2 or classes.shape != scores.shape[:1] + scores.shape[2:]:
        raise ValueError(
            f"{caller}: outputs are {describe(scores)} and targets {describe(classes)}; expected "
            "outputs (N, C, ...) and targets (N, ...)"
        )
    if classes.dtype.kind not in "iu":
        raise TypeError(
            f"{caller}: targets must be class numbers, integers, but are {describe(classes)}"
        )
    if not classes.size:
        raise ValueError(f"{caller}: there are no samples")
    if classes.min() < 0 or classes.max() >= scores.shape[1]:
        raise ValueError(
            f"{caller}: targets must be class numbers 0 to {scores.shape[1] - 1}, found "
            f"{classes.min()} to {classes.max()}"
        )
    return scores, classes
