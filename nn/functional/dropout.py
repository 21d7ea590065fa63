"""Dropout: random zeros while training."""

from __future__ import annotations

import numpy as np

from tensorgrad.errors import describe
from tensorgrad.nn.functional.checks import expect_tensor
from tensorgrad.ops import elementwise as ops
from tensorgrad.random import rng_of
from tensorgrad.tensor import Tensor
from tensorgrad.views import before_write, write

__all__ = ["dropout"]


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero each element with probability ``p`` and scale the rest by 1 / (1 - p).

    Without ``training`` it gives back the input itself.  Draws from the default generator.
    """
    expect_tensor("dropout", "input", input)
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not training or p == 0:
        return input
    x = input._array
    if x.dtype.kind not in "fc":
        raise RuntimeError(
            f"dropout(): expected an input of floating-point numbers, got {describe(input)}; "
            "convert it with .float()"
        )
    # Drawn in the logical order, whatever the memory's, so that a seed means one mask.
    kept = rng_of(None).random(x.shape, np.float32) >= p
    if not x.flags.c_contiguous:
        laid_out = np.empty_like(x, dtype=np.bool_)
        laid_out[...] = kept
        kept = laid_out
    source = before_write(input) if inplace else input
    # Masked rather than multiplied by zeros: a dropped infinity or NaN is 0, forward and backward.
    out = ops.mask(source, mask=kept)
    if p < 1:
        out = ops.mul(out, 1 / (1 - p))
    return write(input, out, "dropout_") if inplace else out
