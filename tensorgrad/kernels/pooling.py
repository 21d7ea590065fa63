"""Pooling on NumPy by strided slices: one slice of the input per place in the window.

Works on any memory layout and keeps it.  Arrays are (..., *spatial) with ``n`` spatial axes at the
end; windows are given by kernel, stride, padding (low, high) and dilation per axis.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["gather", "maximum", "padded", "scatter", "slices", "winner"]


def padded(x: Any, padding: tuple[tuple[int, int], ...], value: float) -> Any:
    """The input with a border; the input itself if there is none.  Keeps the layout."""
    if not any(low or high for low, high in padding):
        return x
    lead = x.ndim - len(padding)
    shape = (
        *x.shape[:lead],
        *(n + a + b for n, (a, b) in zip(x.shape[lead:], padding, strict=True)),
    )
    order = np.argsort([-abs(s) for s in x.strides], kind="stable")  # axes, outermost first
    out = np.full([shape[i] for i in order], value, x.dtype).transpose(np.argsort(order))
    inner: Any = tuple(slice(a, a + n) for n, (a, _) in zip(x.shape[lead:], padding, strict=True))
    out[(..., *inner)] = x
    return out


def slices(
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    out: tuple[int, ...],
) -> Iterator[tuple[Any, ...]]:
    """For each place in the window, the index of that element of every window."""
    for place in np.ndindex(*kernel):
        yield (
            ...,
            *(
                slice(a * d, a * d + s * (o - 1) + 1, s)
                for a, d, s, o in zip(place, dilation, stride, out, strict=True)
            ),
        )


def maximum(x: Any, kernel: Any, stride: Any, dilation: Any, out: Any) -> Any:
    """The maximum of every window of a padded input, one axis after the other."""
    n = len(kernel)
    for i in range(n):
        axis = x.ndim - n + i
        best = None
        for a in range(kernel[i]):
            start = a * dilation[i]
            index = (slice(None),) * axis + (
                slice(start, start + stride[i] * (out[i] - 1) + 1, stride[i]),
            )
            part = x[index]
            if best is None:
                best = part.copy(order="K") if kernel[i] == 1 else part
            else:
                best = np.maximum(best, part) if a == 1 else np.maximum(best, part, out=best)
        x = best
    return x


def winner(x: Any, y: Any, kernel: Any, stride: Any, dilation: Any, out: Any) -> Any:
    """Which place of each window holds its maximum: the first one, as in PyTorch."""
    places = int(np.prod(kernel))
    kind: Any = np.uint8 if places < 255 else np.int32
    won = np.full_like(y, places, dtype=kind)
    nan = bool(np.isnan(np.add.reduce(y, axis=None))) if y.dtype.kind == "f" else False
    every = list(slices(kernel, stride, dilation, out))
    for k in range(places - 1, -1, -1):  # backwards, so that the first place has the last word
        part = x[every[k]]
        hit = part == y
        if nan:
            hit |= np.isnan(part)
        np.copyto(won, kind(k), where=hit)
    return won


def scatter(g: Any, won: Any, shape: Any, kernel: Any, stride: Any, dilation: Any) -> Any:
    """Put each window's value at its winner, in zeros of the padded input's shape."""
    out = g.shape[g.ndim - len(kernel) :]
    order = np.argsort([-abs(s) for s in g.strides], kind="stable")
    dx = np.zeros([shape[i] for i in order], g.dtype).transpose(np.argsort(order))
    disjoint = all(k <= s for k, s in zip(kernel, stride, strict=True)) and set(dilation) == {1}
    for k, index in enumerate(slices(kernel, stride, dilation, out)):
        part = _masked(g, won == k)
        if disjoint:
            dx[index] = part
        else:
            dx[index] += part
    return dx


def gather(x: Any, won: Any, kernel: Any, stride: Any, dilation: Any) -> Any:
    """The value at each window's winner: the adjoint of scatter."""
    out = won.shape[won.ndim - len(kernel) :]
    y = np.zeros_like(won, dtype=x.dtype)
    for k, index in enumerate(slices(kernel, stride, dilation, out)):
        np.copyto(y, x[index], where=won == k)
    return y


def _masked(g: Any, mask: Any) -> Any:
    from tensorgrad.primitive import raw

    return raw.mask(g, mask=mask)
