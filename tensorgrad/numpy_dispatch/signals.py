"""Polynomials, convolutions, derivatives and lines of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.functions import calculus
from tensorgrad.functions import shape as shapes
from tensorgrad.graph.node import wrap
from tensorgrad.numpy_dispatch.table import cast, floats_of, implements, tensor_of, tensors_of
from tensorgrad.ops import elementwise as ops
from tensorgrad.ops import indexing
from tensorgrad.ops import shape as shape_ops
from tensorgrad.primitive import recorded

__all__: list[str] = []


@implements("linspace")
def _linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False,
              dtype: Any = None, axis: int = 0, *, device: Any = None) -> Any:  # fmt: skip
    first, last = tensors_of((floats_of(start), floats_of(stop)))
    whole = shapes.broadcast_tensors(first, last)
    parts = max(num - 1 if endpoint else num, 1)
    steps = np.arange(num, dtype=first._array.real.dtype) / first._array.real.dtype.type(parts)
    line = wrap(steps.reshape(-1, *(1,) * whole[0].ndim))
    step = ops.sub(whole[1], whole[0])
    found = ops.add(ops.mul(line, step), whole[0])
    if endpoint and num > 1:  # the last one exactly, as NumPy has it
        found = ops.where(wrap(np.asarray(line._array == 1)), whole[1], found)
    found = cast(shapes.movedim(found, 0, axis), dtype)
    return (found, ops.div(step, parts)) if retstep else found


@implements("polyval")
def _polyval(p: Any, x: Any) -> Any:
    coefficients, at = tensors_of((p, x))
    found: Any = ops.mul(at, 0)
    for i in range(coefficients.shape[0]):  # Horner's scheme
        found = ops.add(ops.mul(found, at), coefficients[i])
    return found


@implements("gradient")
def _gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    x = floats_of(f)
    dims = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    steps = [1.0] if not varargs else list(varargs)
    if len(steps) == 1:
        steps = steps * len(dims)
    if len(steps) != len(dims):
        raise TypeError(f"np.gradient: {len(varargs)} spacings for {len(dims)} axes")
    spacing = [h if isinstance(h, (int, float)) else _spacing(h) for h in steps]
    found = calculus.gradient(x, spacing=spacing, dim=tuple(dims), edge_order=edge_order)
    return found[0] if len(found) == 1 else found


def _spacing(h: Any) -> Any:
    """A distance as a number, coordinates as a Tensor."""
    t: Any = tensor_of(h)
    return t if t.ndim else t.item()


@implements("convolve")
def _convolve(a: Any, v: Any, mode: str = "full") -> Any:
    x, y = tensors_of((a, v))
    if x.ndim != 1 or y.ndim != 1 or not x.numel() or not y.numel():
        raise ValueError(
            f"np.convolve: expected two vectors that are not empty, got {tuple(x.shape)} and "
            f"{tuple(y.shape)}"
        )
    if x.shape[0] < y.shape[0]:
        x, y = y, x
    n, m = x.shape[0], y.shape[0]
    starts = {"full": (0, n + m - 1), "same": ((m - 1) // 2, n), "valid": (m - 1, n - m + 1)}
    if mode not in starts:
        raise ValueError(f"np.convolve: mode must be 'full', 'same' or 'valid', got {mode!r}")
    start, count = starts[mode]
    wide = shape_ops.pad(x, widths=((m - 1, m - 1),), value=0)
    places = start + np.arange(count)[:, None] + np.arange(m)
    windows = indexing.take_rows(wide, index=places, axis=0)
    return recorded.matmul(windows, shapes.flip(y, (0,)))


@implements("correlate")
def _correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    x, y = tensors_of((a, v))
    if x.ndim == y.ndim == 1 and x.shape[0] < y.shape[0]:
        turned: Any = _correlate(y, x, mode)
        return shapes.flip(ops.conj(turned) if turned.is_complex() else turned, (0,))
    return _convolve(x, shapes.flip(ops.conj(y) if y.is_complex() else y, (0,)), mode)
