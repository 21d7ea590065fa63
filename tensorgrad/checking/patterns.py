"""Mistakes that show in the numbers alone: sign, factor, nothing at all, NaN, a conjugate."""

from __future__ import annotations

import numpy as np

from tensorgrad.checking.evidence import Evidence, Finding, count, size_names, within

__all__ = ["absent", "conjugate", "diagonal", "factor", "not_a_number", "sign"]


def not_a_number(e: Evidence) -> Finding | None:
    """Backward gives NaN or infinity where the function has a derivative."""
    bad = ~np.isfinite(e.got)
    if not bad.any() or not np.isfinite(e.expected[bad]).all():
        return None
    columns = int(np.count_nonzero(bad.any(axis=0)))
    what = "NaN" if np.isnan(e.got[bad]).all() else "NaN or infinity"
    return Finding(
        "nan",
        f"Backward gives {what} for {columns} of {count(e.got.shape[1], 'element')} of {e.name}.",
        "The differences are finite there: the function is fine, its backward is not.",
        "Look for 0 * inf, 0 / 0, a log or a root of 0 in backward; mask before, not after it.",
        (what,),
    )


def absent(e: Evidence) -> Finding | None:
    """Backward gives nothing at all, or nothing for some elements that matter."""
    if e.scale == 0 or np.any(np.abs(e.got) > e.room * e.scale):
        return None
    return Finding(
        "dependency",
        f"No gradient reaches {e.name}: backward gives zero, yet the output depends on {e.name}.",
        f"The largest derivative is {e.scale:.4g}; all that came is 0.",
        f"Look for a None or zeros returned for {e.name}, a detach(), .data, numpy() or no_grad() "
        "on the way.",
    )


def sign(e: Evidence) -> Finding | None:
    """Backward gives minus the gradient."""
    if not e.scale or not e.same(e.got, -e.expected):
        return None
    return Finding(
        "sign",
        f"The sign is flipped: backward gives minus the gradient of {e.name}.",
        f"got + expected is 0, {within(e, e.residual(e.got, -e.expected))}.",
        f"Look for a minus that is missing, or one too many, where {e.name}'s gradient is made.",
    )


def factor(e: Evidence) -> Finding | None:
    """Backward gives the same multiple of every derivative."""
    if not e.scale:
        return None
    c = float(np.vdot(e.expected, e.got) / np.vdot(e.expected, e.expected))
    if abs(c) < 1e-6 or abs(c - 1) < 1e-6 or not e.same(e.got, c * e.expected):
        return None
    says, advice = _named(e, c)
    return Finding(
        "factor",
        says,
        f"got = {c:.6g} * expected, {within(e, e.residual(e.got, c * e.expected))}.",
        advice,
        (float(f"{c:.4g}"),),
    )


def _named(e: Evidence, c: float) -> tuple[str, str]:
    near = 1e-4 if e.room < 1e-3 else 10 * e.room
    size = abs(c)
    minus = " The sign is flipped too." if c < 0 else ""
    # An elementwise function sums nothing, so that a 2 is a 2 there, whatever the sizes are.
    for n, what in () if e.part or diagonal(e) else size_names(e):
        if abs(size * n - 1) < near:
            return (
                f"The gradient of {e.name} is {n} times too small, and {n} is {what}: it looks "
                f"like a mean in backward where forward has a sum.{minus}",
                f"Look for a mean(), or a division by {n}, that forward does not have.",
            )
        if abs(size / n - 1) < near:
            return (
                f"The gradient of {e.name} is {n} times too large, and {n} is {what}: it looks "
                f"like a sum in backward where forward has a mean.{minus}",
                f"Divide by {n}, as the mean in forward does.",
            )
    for n in range(2, 13):
        if abs(size / n - 1) < near:
            return (
                f"The gradient of {e.name} is {n} times too large.{minus}",
                f"Look for a factor {n} that is counted twice, or a 1/{n} that is missing.",
            )
        if abs(size * n - 1) < near:
            return (
                f"The gradient of {e.name} is {n} times too small: a factor {n} is missing.{minus}",
                f"Look for a power or a product whose derivative has the factor {n}.",
            )
    return (
        f"The gradient of {e.name} is off by one constant factor, {c:.4g}.",
        "Look for a constant of forward that backward lacks, or has twice.",
    )


def diagonal(e: Evidence) -> bool:
    """Whether each element of the output depends on one of the input's, as in tanh."""
    rows, across = e.expected.shape
    return rows == across and not np.any(e.expected[~np.eye(rows, dtype=bool)])


def conjugate(e: Evidence) -> Finding | None:
    """Backward multiplies by a factor where its conjugate belongs."""
    if e.complex != (True, True) or not e.scale:
        return None
    turned = e.expected.copy()
    turned[0::2, 1::2] *= -1
    turned[1::2, 0::2] *= -1
    if not e.same(turned, e.got):
        return None
    return Finding(
        "conjugate",
        f"A conjugate is missing in the gradient of {e.name}.",
        "got is expected with the imaginary factor's sign turned, "
        f"{within(e, e.residual(turned, e.got))}.",
        "For y = c * z, PyTorch's convention is conj(c) * grad: use .conj() on the factor.",
    )
