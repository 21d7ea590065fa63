"""What distributions share: parameters that broadcast, probabilities and logits."""

from __future__ import annotations

import numbers
from typing import Any

import tensorgrad as tg
from tensorgrad.batching.value import is_batched
from tensorgrad.nn import functional as F
from tensorgrad.tensor import Tensor

__all__ = [
    "EULER",
    "always",
    "broadcast_all",
    "clamp_probs",
    "logits_to_probs",
    "probs_to_logits",
    "whole_log",
]

EULER = 0.57721566490153286060  # Euler's constant


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """The values as tensors of one shape; numbers take the dtype of the tensors among them."""
    tensors = [v for v in values if isinstance(v, Tensor)]
    for value in values:
        if not isinstance(value, (Tensor, numbers.Number)):
            raise ValueError(
                "Input arguments must all be instances of Number, Tensor, got "
                f"{type(value).__name__}"
            )
    kind = tensors[0].dtype if tensors else tg.get_default_dtype()
    given = [v if isinstance(v, Tensor) else tg.tensor(v, dtype=kind) for v in values]
    return tuple(tg.broadcast_tensors(*given))


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities kept from 0 and 1 by the step of their dtype."""
    eps = tg.finfo(probs.dtype).eps
    return probs.clamp(eps, 1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """The logarithm of probabilities; of their odds, if there are two outcomes."""
    kept = clamp_probs(probs)
    return kept.log() - (-kept).log1p() if is_binary else kept.log()


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """The probabilities that logarithms (of odds, if there are two outcomes) stand for."""
    return logits.sigmoid() if is_binary else logits.softmax(-1)


def always(valid: Tensor) -> bool:
    """Whether all are true; what vmap maps over cannot be read, and passes."""
    return is_batched(valid) or bool(valid.all().item())


def whole_log(value: Tensor) -> Tensor:
    """log(value!), elementwise."""
    return (value + 1).lgamma()


def softplus(value: Tensor) -> Tensor:
    """log(1 + e^x), without an overflow."""
    return F.softplus(value)
