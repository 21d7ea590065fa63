"""Matrix products of groups of different sizes."""

from __future__ import annotations

from typing import Any

import numpy as np

import tensorgrad as tg
from tensorgrad.errors import describe
from tensorgrad.nn.functional.checks import expect_tensor, optional_tensor
from tensorgrad.tensor import Tensor

__all__ = ["grouped_mm"]


def grouped_mm(
    mat_a: Tensor,
    mat_b: Tensor,
    *,
    offs: Tensor | None = None,
    bias: Tensor | None = None,
    out_dtype: Any = None,
) -> Tensor:
    """One matrix product per group, of groups that lie side by side in one matrix.

    offs: where each group ends, not falling.  (T, K) and (G, K, N): rows are grouped, (T, N).
    (G, M, K) and (K, T): columns are, (M, T).  (M, T) and (T, N): what is summed over is,
    (G, M, N).  (G, M, K) and (G, K, N): no ``offs``, (G, M, N).  What is beyond the last end gives
    zeros.  bias: added to every group's result.
    """
    name = "grouped_mm"
    expect_tensor(name, "mat_a", mat_a)
    expect_tensor(name, "mat_b", mat_b)
    optional_tensor(name, "offs", offs)
    optional_tensor(name, "bias", bias)
    wide, tall = mat_a.ndim == 2, mat_b.ndim == 2
    shown = f"got {describe(mat_a)} and {describe(mat_b)}"
    if mat_a.ndim not in (2, 3) or mat_b.ndim not in (2, 3):
        raise RuntimeError(f"{name}(): mat_a and mat_b have to be 2 or 3 dimensional, {shown}")
    if mat_a.shape[-1] != mat_b.shape[-2]:
        raise RuntimeError(
            f"{name}(): contraction dimension of mat_a and mat_b must match, {shown}"
        )
    if mat_a.dtype != mat_b.dtype or not mat_a.is_floating_point():
        raise RuntimeError(f"{name}(): expected two matrices of one floating dtype, {shown}")
    if (offs is not None) != (wide or tall):
        raise RuntimeError(
            f"{name}(): have to provide offs if one matrix is 2-dimensional, and not if both are "
            f"3-dimensional, {shown}"
        )
    if offs is None:
        if mat_a.shape[0] != mat_b.shape[0]:
            raise RuntimeError(f"{name}(): batched dimension has to match, {shown}")
        out = mat_a @ mat_b
        out = out if bias is None else out + bias
        return out if out_dtype is None else out.to(out_dtype)
    starts, ends = _ranges(name, offs, mat_a.shape[-1 if tall else 0] if wide else mat_b.shape[-1])
    if wide != tall and len(ends) != (mat_b if wide else mat_a).shape[0]:
        raise RuntimeError(
            f"{name}(): {len(ends)} ends in offs, for {describe(mat_b if wide else mat_a)}"
        )
    pieces = []
    for group, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if wide and tall:
            piece = mat_a[:, start:end] @ mat_b[start:end]
        elif wide:
            piece = mat_a[start:end] @ mat_b[group]
        else:
            piece = mat_a[group] @ mat_b[:, start:end]
        pieces.append(piece if bias is None else piece + bias)
    if wide and tall:
        out = tg.stack(pieces)
    else:
        axis = 0 if wide else 1
        last = ends[-1] if ends else 0
        rest = (mat_a.shape[0] if wide else mat_b.shape[1]) - last
        shape = (rest, mat_b.shape[-1]) if wide else (mat_a.shape[1], rest)
        out = tg.cat([*pieces, tg.zeros(shape, dtype=mat_a.dtype)], axis)
    return out if out_dtype is None else out.to(out_dtype)


def _ranges(name: str, offs: Tensor, size: int) -> tuple[list[int], list[int]]:
    """Where the groups start and end."""
    ends = offs.numpy()
    if ends.ndim != 1 or ends.dtype != np.int32:
        raise RuntimeError(f"{name}(): offs has to be 1D and int32, got {describe(offs)}")
    listed = [0, *ends.tolist()]
    if listed != sorted(listed) or listed[-1] > size:
        raise RuntimeError(
            f"{name}(): offs must not fall and must end within {size}, got {ends.tolist()}"
        )
    return listed[:-1], listed[1:]
