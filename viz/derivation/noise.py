"""Whether what is left of a gradient is rounding only."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from tensorgrad.viz.derivation import expression as ex
from tensorgrad.viz.derivation.expression import Expr
from tensorgrad.viz.derivation.model import Step, Way

__all__ = ["is_noise"]

ROUNDINGS = 16  # so many of the dtype's steps may be left of a sum that is 0


def is_noise(way: Way, step: Step) -> bool:
    """Whether the gradient that comes in has cancelled itself out: a softmax takes its mean away.

    Where each element is only multiplied, as by the slope of a saturated tanh, a small number is
    what the calculus gives, however small it is.  What is 0 exactly, as behind a mask or a write
    over the whole of a view, was not left by rounding.
    """
    if not way.ratio or not way.ratio < ROUNDINGS * _rounding(step.dtype):
        return False
    return way.right is None or _adds(way.right)


def _rounding(dtype: str) -> float:
    try:
        return float(np.finfo(dtype.rpartition(".")[2]).eps)
    except (TypeError, ValueError):
        return 0.0


def _adds(x: Expr) -> bool:
    """Whether a formula has the gradient in several terms, or in a sum."""
    return _times_there(x) > 1 or _in_a_sum(x)


def _parts(x: Any) -> list[Any]:
    if isinstance(x, tuple):
        return list(x)
    if isinstance(x, Expr) and is_dataclass(x):
        return [getattr(x, field.name) for field in fields(x)]
    return []


def _times_there(x: Any) -> int:
    if isinstance(x, ex.Gradient):
        return 1
    return sum(map(_times_there, _parts(x)))


def _in_a_sum(x: Any) -> bool:
    sums = isinstance(x, ex.Total | ex.Call) or (
        isinstance(x, ex.Times) and x.kind in ("mat", "conv")
    )
    if sums and _times_there(x):
        return True
    return not isinstance(x, ex.Gradient) and any(map(_in_a_sum, _parts(x)))
