"""What is measured of a model's outputs besides the loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.errors import describe
from tensorgrad.tensor import Tensor

__all__ = ["accuracy"]


def accuracy(outputs: Tensor, targets: Tensor) -> float:
    """The share, 0 to 1, of samples whose largest output is the one of their class.

    outputs: scores or probabilities, (N, C, ...). targets: class numbers, (N, ...). Among equal
    outputs the first counts. Raises ValueError for shapes that do not belong together, TypeError
    for targets that are not integers.
    """
    scores, classes = outputs._array, targets._array
    if scores.ndim < 2 or classes.shape != scores.shape[:1] + scores.shape[2:]:
        raise ValueError(
            f"accuracy: outputs are {describe(outputs)} and targets {describe(targets)}; expected "
            "outputs (N, C, ...) and targets (N, ...)"
        )
    if classes.dtype.kind not in "iu":
        raise TypeError(
            f"accuracy: targets must be class numbers, integers, but are {describe(targets)}"
        )
    if not classes.size:
        raise ValueError("accuracy: there are no samples")
    hits: Any = scores.argmax(axis=1) == classes
    return float(np.mean(hits))
