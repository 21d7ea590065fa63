"""Convolution of any kind: columns of windows and one matrix product, channels last.

The reference of `tensorgrad.kernels.convolution`, which describes problems and arguments.
Measured against the (N, C, H, W) layout on 3x3 and 5x5 layers of small CNNs, channels last halve
the time, most of which goes into building the columns.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

__all__ = ["adjoint", "columns", "convolve", "input_gradient", "kept", "padded", "weight_gradient"]

# Columns are kept for the weight gradient up to this size: making them again costs 10-40 % of it,
# keeping them costs K*K times the memory of the input.
KEEP_COLUMNS_BYTES = 32 << 20


def adjoint(problem: Any) -> Any:
    """The convolution, of stride 1, that leads from the output's gradient to the input's."""
    outs, channels, *kernel = problem.weight
    sizes = zip(kernel, problem.dilation, problem.padding, strict=True)
    return problem._replace(
        input=(problem.input[0], outs, *problem.output),
        weight=(channels, outs, *kernel),
        padding=tuple((d * (k - 1) - low, d * (k - 1) - high) for k, d, (low, high) in sizes),
    )


def kept(name: str, cols: Any) -> tuple[str, Any] | None:
    """What the forward keeps for the weight gradient: the columns, unless they are too many."""
    return (name, cols) if cols.nbytes <= KEEP_COLUMNS_BYTES else None


def padded(x: Any, padding: tuple[tuple[int, int], ...]) -> Any:
    """A channels-last array with zero borders; the array itself if there are none."""
    if not any(low or high for low, high in padding):
        return x
    spatial = [n + low + high for n, (low, high) in zip(x.shape[1:-1], padding, strict=True)]
    out = np.zeros((x.shape[0], *spatial, x.shape[-1]), x.dtype)
    inner = tuple(slice(low, low + n) for n, (low, _) in zip(x.shape[1:-1], padding, strict=True))
    out[(slice(None), *inner)] = x
    return out


def columns(problem: Any, x: Any) -> Any:
    """Every window as a row: (groups, N * windows, kernel * channels per group)."""
    last = np.moveaxis(x, 1, -1)
    batch, *_, channels = last.shape
    kernel, out, groups = problem.kernel, problem.output, problem.groups
    per_group = channels // groups
    whole = prod(kernel) == 1 and prod(problem.stride) == 1
    if groups == 1 and whole and not any(map(any, problem.padding)):
        return np.ascontiguousarray(last).reshape(1, batch * prod(out), channels)
    full = padded(last, problem.padding)
    step = full.strides
    view = as_strided(
        full,
        (batch, *out, *kernel, groups, per_group),
        (
            step[0],
            *(a * s for a, s in zip(step[1:-1], problem.stride, strict=True)),
            *(a * d for a, d in zip(step[1:-1], problem.dilation, strict=True)),
            step[-1] * per_group,
            step[-1],
        ),
        writeable=False,
    )
    n = len(kernel)
    axes = (1 + 2 * n, *range(1 + 2 * n), 2 + 2 * n)  # groups to the front
    rows = np.ascontiguousarray(np.transpose(view, axes))
    return rows.reshape(groups, batch * prod(out), prod(kernel) * per_group)


def _weight_matrix(w: Any, groups: int) -> Any:
    """(O, C/groups, *kernel) as (groups, kernel * C/groups, O/groups)."""
    outs, per_group, *kernel = w.shape
    n = len(kernel)
    split = w.reshape(groups, outs // groups, per_group, *kernel)
    return np.transpose(split, (0, *range(3, 3 + n), 2, 1)).reshape(
        groups, prod(kernel) * per_group, outs // groups
    )


def _product(a: Any, b: Any) -> Any:
    return np.dot(a[0], b[0])[None] if a.shape[0] == 1 else np.matmul(a, b)


def convolve(problem: Any, x: Any, w: Any, b: Any, keep: bool) -> tuple[Any, Any]:
    """The product of columns and weights, plus the bias."""
    groups = problem.groups
    cols = columns(problem, x)
    y = _product(cols, _weight_matrix(w, groups))  # (groups, M, O/groups)
    y = y[0] if groups == 1 else np.moveaxis(y, 0, 1).reshape(y.shape[1], w.shape[0])
    if b is not None:
        y += b
    y = y.reshape(x.shape[0], *problem.output, w.shape[0])
    return np.moveaxis(y, -1, 1), kept("reference", cols) if keep else None


def _rows(g: Any, groups: int) -> Any:
    """(N, O, *out) as (groups, N * windows, O/groups)."""
    last = np.ascontiguousarray(np.moveaxis(g, 1, -1))
    outs = last.shape[-1]
    flat = last.reshape(prod(last.shape[:-1]), groups, outs // groups)
    return np.moveaxis(flat, 1, 0)


def weight_gradient(problem: Any, x: Any, g: Any, kept: Any) -> Any:
    """The product of the output's gradient, transposed, and columns."""
    outs, per_group, *kernel = problem.weight
    own = kept is not None and kept[0] == "reference"
    cols = kept[1] if own else columns(problem, x)
    # (groups, O/groups, kernel * C/groups), then channels before the kernel's axes.
    d = _product(np.swapaxes(_rows(g, problem.groups), 1, 2), cols)
    n = len(kernel)
    d = d.reshape(outs, *kernel, per_group)
    return np.ascontiguousarray(np.transpose(d, (0, n + 1, *range(1, n + 1))))


def input_gradient(problem: Any, g: Any, w: Any) -> Any:
    """Columns of gradients, each added to where it came from."""
    batch, channels, *spatial = problem.input
    kernel, out, groups, padding = problem.kernel, problem.output, problem.groups, problem.padding
    matrix = np.swapaxes(_weight_matrix(w, groups), 1, 2)
    d = _product(_rows(g, groups), matrix)  # (groups, M, kernel * C/groups)
    per_group = channels // groups
    d = d.reshape(groups, batch, *out, *kernel, per_group)
    full_size = [n + low + high for n, (low, high) in zip(spatial, padding, strict=True)]
    full = np.zeros((batch, *full_size, groups, per_group), g.dtype)
    n = len(kernel)
    for place in np.ndindex(*kernel):
        where = tuple(
            slice(a * dil, a * dil + s * (o - 1) + 1, s)
            for a, dil, s, o in zip(place, problem.dilation, problem.stride, out, strict=True)
        )
        index = (slice(None), slice(None)) + (slice(None),) * n + place
        if all(out):
            full[(slice(None), *where)] += np.moveaxis(d[index], 0, -2)
    inner = tuple(slice(low, low + m) for m, (low, _) in zip(spatial, padding, strict=True))
    full = full.reshape(batch, *full_size, channels)[(slice(None), *inner)]
    return np.moveaxis(full, -1, 1)
