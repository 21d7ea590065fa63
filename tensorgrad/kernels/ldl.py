"""Bunch-Kaufman factors of symmetric and Hermitian matrices, as LAPACK packs them (lower)."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["factor", "unpack"]

_ALPHA = (1 + np.sqrt(17)) / 8  # bounds the growth of the elements (Bunch and Kaufman, 1977)


def _size(x: Any) -> Any:
    """LAPACK's cheap absolute value."""
    return np.abs(x.real) + np.abs(x.imag) if np.iscomplexobj(x) else np.abs(x)


def _exchange(a: Any, k: int, p: int, hermitian: bool) -> None:
    """Swap rows and columns k and p > k of what is left; only the lower triangle is read."""
    if p == k:
        return
    below = a[p + 1 :, k].copy()
    a[p + 1 :, k] = a[p + 1 :, p]
    a[p + 1 :, p] = below
    between = a[k + 1 : p, k].copy()
    a[k + 1 : p, k] = np.conj(a[p, k + 1 : p]) if hermitian else a[p, k + 1 : p]
    a[p, k + 1 : p] = np.conj(between) if hermitian else between
    if hermitian:
        a[p, k] = np.conj(a[p, k])
    a[k, k], a[p, p] = a[p, p], a[k, k]


def factor(a: Any, hermitian: bool) -> tuple[Any, Any, int]:
    """(packed L and D, pivots, info) of one matrix, by its lower triangle.

    pivots: row k was exchanged with pivots[k] - 1; two equal negative numbers mark a 2 by 2 block
    of D, whose second row was exchanged with -pivots - 1.
    """
    a = np.tril(a)
    n = a.shape[0]
    pivots = np.zeros(n, np.int32)
    info, k = 0, 0
    if hermitian:
        a[range(n), range(n)] = np.diagonal(a).real
    while k < n:
        step, p = 1, k
        own = _size(a[k, k])
        column = _size(a[k + 1 :, k])
        far = int(np.argmax(column)) + k + 1 if k + 1 < n else k
        largest = column[far - k - 1] if k + 1 < n else 0.0
        if max(own, largest) == 0 or np.isnan(own):
            info = info or k + 1
            if hermitian:
                a[k, k] = a[k, k].real
            pivots[k] = k + 1
            k += 1
            continue
        if own < _ALPHA * largest:
            row = np.concatenate([_size(a[far, k:far]), _size(a[far + 1 :, far])])
            widest = row.max()
            if own >= _ALPHA * largest * (largest / widest):
                p = k
            elif _size(a[far, far]) >= _ALPHA * widest:
                p = far
            else:
                p, step = far, 2
        start = k + step - 1
        _exchange(a, start, p, hermitian)
        if step == 2 and p != start:
            a[start, k], a[p, k] = a[p, k], a[start, k]
        if step == 1:
            _eliminate_one(a, k, hermitian)
            pivots[k] = p + 1
        else:
            _eliminate_two(a, k, hermitian)
            pivots[k : k + 2] = -(p + 1)
        k += step
    return a, pivots, info


def _eliminate_one(a: Any, k: int, hermitian: bool) -> None:
    if hermitian:
        a[k, k] = a[k, k].real
    column = a[k + 1 :, k] / a[k, k]
    other = np.conj(a[k + 1 :, k]) if hermitian else a[k + 1 :, k]
    a[k + 1 :, k + 1 :] -= np.tril(np.outer(column, other))
    a[k + 1 :, k] = column


def _eliminate_two(a: Any, k: int, hermitian: bool) -> None:
    below = a[k + 2 :, k : k + 2].copy()
    corner = np.conj(a[k + 1, k]) if hermitian else a[k + 1, k]
    block = np.array([[a[k, k], corner], [a[k + 1, k], a[k + 1, k + 1]]])
    if below.size:
        left = np.linalg.solve(block.T, below.T).T  # below @ inv(block)
        other = np.conj(below) if hermitian else below
        a[k + 2 :, k + 2 :] -= np.tril(left @ other.T)
        a[k + 2 :, k : k + 2] = left


def unpack(pivots: Any) -> tuple[Any, Any, Any]:
    """(order, places, double) of one packed matrix, whose early columns were not exchanged later.

    order: the rows of A as L D L^T has them, when L is put together.
    places: for each element of that L the packed row, of its column, where it stands.
    double: where a 2 by 2 block of D begins.
    """
    n = len(pivots)
    order = np.arange(n)
    places = np.broadcast_to(np.arange(n)[:, None], (n, n)).copy()  # row of each column's entry
    double = np.zeros(n, bool)
    k = 0
    while k < n:
        step = 2 if pivots[k] < 0 else 1
        start, p = k + step - 1, abs(int(pivots[k])) - 1
        order[[start, p]] = order[[p, start]]
        if p != start:
            places[[start, p], :k] = places[[p, start], :k]
        if step == 2:
            double[k] = True
        k += step
    return order, places, double
