"""Random tensors whose law this tensor gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad import drawing
from tensorgrad.random import Generator

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["DrawingMethods"]


class DrawingMethods:
    """Random tensors whose law this tensor gives."""

    __slots__ = ()

    def bernoulli(
        self: Any, p: float | None = None, *, generator: Generator | None = None
    ) -> Tensor:
        """1 with the probability given here at each place (or everywhere p), else 0."""
        return drawing.bernoulli(self, p, generator=generator)

    def multinomial(
        self: Any,
        num_samples: int,
        replacement: bool = False,
        *,
        generator: Generator | None = None,
    ) -> Tensor:
        """Places along the last dimension, drawn with probabilities proportional to the weights."""
        return drawing.multinomial(self, num_samples, replacement, generator=generator)
