"""Dropout: random zeros while training, of elements or of whole channels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorgrad.batching import Batch
from tensorgrad.errors import describe
from tensorgrad.graph.provenance import warn
from tensorgrad.nn.functional.checks import expect_tensor
from tensorgrad.nn.functional.gates import SELU_ALPHA, SELU_SCALE
from tensorgrad.ops import elementwise as ops
from tensorgrad.random import rng_of
from tensorgrad.tensor import Tensor
from tensorgrad.views.following import before_write, write

__all__ = [
    "alpha_dropout",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "feature_alpha_dropout",
]


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero each element with probability ``p`` and scale the rest by 1 / (1 - p).

    Without ``training`` it gives back the input itself.  Draws from the default generator.
    """
    check_probability("dropout", input, p)
    return dropped("dropout", input, p, training, inplace)


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zero each channel of (N, C, L) or (C, L) with probability ``p``, and scale the others."""
    check_probability("dropout1d", input, p)
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input: "
            f"{describe(input)}; it drops channels of (N, C, L) or (C, L)"
        )
    return dropped("dropout1d", input, p, training, inplace, axes=input.ndim - 1)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zero each channel of (N, C, H, W) with probability ``p``, and scale the others.

    A 3-d input counts as (N, C, L), with PyTorch's warning; other ranks warn as well.
    """
    check_probability("dropout2d", input, p)
    if input.ndim == 3:
        warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D "
            "dropout behavior is desired - input is interpreted as shape (N, C, L). Use dropout1d "
            "for it."
        )
    elif input.ndim != 4:
        _warn_rank("dropout2d", input, "dropout1d or dropout3d")
    return dropped("dropout2d", input, p, training, inplace, axes=2)


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zero each channel of (N, C, D, H, W) or (C, D, H, W) with probability ``p``."""
    check_probability("dropout3d", input, p)
    if input.ndim not in (4, 5):
        _warn_rank("dropout3d", input, "dropout1d or dropout2d")
    axes = 1 if input.ndim == 4 else 2
    return dropped("dropout3d", input, p, training, inplace, axes=axes)


def _warn_rank(name: str, input: Tensor, instead: str) -> None:
    warn(
        f"{name}: Received a {input.ndim}-D input to {name}, which is deprecated and will result "
        f"in an error in a future release. Use dropout for single elements, {instead} for "
        "channels."
    )


def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Dropout for SELU: dropped elements become its lowest value, then mean and variance are kept.

    With q = 1 - p and l = -scale * alpha: a * (x or l) + b, a = 1 / sqrt(q + l**2 p q),
    b = -a p l (Klambauer et al., 2017).
    """
    check_probability("alpha_dropout", input, p)
    return dropped("alpha_dropout", input, p, training, inplace, alpha=True)


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """`alpha_dropout` of whole channels of (N, C, ...)."""
    check_probability("feature_alpha_dropout", input, p)
    return dropped("feature_alpha_dropout", input, p, training, inplace, axes=2, alpha=True)


def check_probability(name: str, input: Any, p: float) -> None:
    """Raise unless the input is a Tensor and p from 0 to 1."""
    expect_tensor(name, "input", input)
    if not 0 <= p <= 1:
        raise ValueError(f"{name}(): dropout probability has to be between 0 and 1, but got {p}")


def dropped(
    name: str,
    input: Tensor,
    p: float,
    training: bool,
    inplace: bool,
    axes: int | None = None,
    alpha: bool = False,
) -> Tensor:
    """Dropout of the slices named by the first ``axes`` axes; None: of single elements."""
    x = input._array
    if not training or p == 0:
        return input
    if x.dtype.kind not in "fc" and p < 1:
        raise RuntimeError(
            f"{name}(): expected an input of floating-point numbers, got {describe(input)}; "
            "convert it with .float()"
        )
    shape: tuple[int, ...] = x.shape
    if axes is not None:
        if p < 1 and x.size and x.ndim < 2:
            raise RuntimeError(
                f"{name}(): Feature dropout requires at least 2 dimensions in the input, got "
                f"{describe(input)}"
            )
        shape = x.shape[:axes] + (1,) * (x.ndim - axes)
    # Drawn in the logical order, whatever the memory's, so that a seed means one mask.
    kept = rng_of(None).random(shape, np.float32) >= p
    if axes is None and not isinstance(x, Batch) and not x.flags.c_contiguous:
        laid_out = np.empty_like(x, dtype=np.bool_)
        laid_out[...] = kept
        kept = laid_out
    source = before_write(input) if inplace else input
    # Masked rather than multiplied by zeros: a dropped infinity or NaN is 0, forward and backward.
    out = ops.mask(source, mask=kept)
    if alpha and p < 1:
        low = -SELU_SCALE * SELU_ALPHA
        factor = 1 / math.sqrt((1 - p) * (1 + p * low * low))
        rest = np.where(kept, -factor * p * low, factor * low * (1 - p)).astype(x.dtype)
        out = ops.add(ops.mul(out, factor), rest)
    elif p < 1:
        out = ops.mul(out, 1 / (1 - p))
    return write(input, out, f"{name}_") if inplace else out
