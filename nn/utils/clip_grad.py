"""Gradients kept within bounds, in place.

``foreach`` chooses between PyTorch's implementations; there is one here, so it changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from tensorgrad.graph.node import wrap
from tensorgrad.graph.provenance import warn
from tensorgrad.ops.kinds import single
from tensorgrad.tensor import Tensor

__all__ = [
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
]


def _several(tensors: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _gradients(parameters: list[Tensor]) -> list[Tensor]:
    return [p.grad for p in parameters if p.grad is not None]


def _norm(array: np.ndarray[Any, Any], order: float) -> float:
    """The p-norm of all elements."""
    flat = single(array.reshape(-1))
    return float(np.linalg.norm(flat, ord=order)) if flat.size else 0.0


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The p-norm of all elements of all tensors, taken as one vector; inf for the largest."""
    norm_type = float(norm_type)
    given = _several(tensors)
    kind = np.result_type(*(t._array.dtype for t in given)) if given else np.dtype(np.float32)
    total = _norm(np.array([_norm(t._array, norm_type) for t in given]), norm_type)
    if error_if_nonfinite and not math.isfinite(total):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite "
            f"({total}), so it cannot be clipped. To disable this error and scale the gradients "
            "by the non-finite norm anyway, set `error_if_nonfinite=False`"
        )
    return wrap(np.asarray(total, kind if kind.kind == "f" else np.float64))


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    total_norm: Tensor,
    foreach: bool | None = None,
) -> None:
    """Scale the gradients by max_norm / total_norm where that is less than 1."""
    factor = float(max_norm) / (float(total_norm.item()) + 1e-6)
    if factor >= 1:
        return
    for gradient in _gradients(_several(parameters)):
        gradient._array *= gradient._array.dtype.type(factor)
        gradient._bump()


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients by one factor so that their total norm is at most max_norm; returns it.

    norm_type: the order p of the norm, inf for the largest element.  Parameters without a gradient
    are left out.
    """
    given = _several(parameters)
    if not given and isinstance(parameters, Iterator):
        warn(
            "clip_grad_norm_: `parameters` is an empty or used-up generator, no gradient clipping "
            "will occur."
        )
    total = get_total_norm(_gradients(given), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(given, max_norm, total, foreach)
    return total


def clip_grad_norm(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The old name of `clip_grad_norm_`."""
    warn(
        "`nn.utils.clip_grad_norm` is now deprecated in favor of `nn.utils.clip_grad_norm_`.",
        FutureWarning,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None
) -> None:
    """Cut every element of the gradients to [-clip_value, clip_value]."""
    bound = float(clip_value)
    for gradient in _gradients(_several(parameters)):
        np.clip(gradient._array, -bound, bound, out=gradient._array)
        gradient._bump()
