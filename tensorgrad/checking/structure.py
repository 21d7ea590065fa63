"""Mistakes that show in the axes: a transposed factor, a sum over the batch or a mean left out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

from tensorgrad.checking.differences import Real
from tensorgrad.checking.evidence import Evidence, Finding, within

__all__ = ["mean_term", "one_row", "own_rows", "terms", "transposed"]


def transposed(e: Evidence) -> Finding | None:
    """Backward multiplies by a factor in place of its transpose, where the shapes allow both."""
    j, n = e.blocks(e.expected), len(e.outputs)
    axes = range(n + len(e.inputs))
    for a, b in combinations(axes, 2):
        if j.shape[a] != j.shape[b] or j.shape[a] < 2:
            continue
        turned = np.swapaxes(j, a, b).reshape(e.got.shape)
        if not e.same(turned, e.got):
            continue
        fits = within(e, e.residual(turned, e.got))
        if b < n:
            return Finding(
                "transposed",
                f"The gradient of {e.name} uses the gradient that comes in transposed, or sums it "
                f"over axis {a} in place of axis {b} (or the other way round).",
                f"got is expected with axes {a} and {b} of the output exchanged, {fits}.",
                "Square shapes fit either way, so no error of shapes tells.",
                (a, b),
            )
        if a >= n:
            return Finding(
                "transposed",
                f"The gradient of {e.name} is transposed.",
                f"got is expected with axes {a - n} and {b - n} of {e.name} exchanged, {fits}.",
                "Transpose what backward returns, or exchange the two factors of its product.",
                (a, b),
            )
        return Finding(
            "transposed",
            f"A factor is transposed: the gradient of {e.name} is right for the transpose of the "
            "matrix that forward multiplied by.",
            f"got is expected with axis {a} of the output and axis {b - n} of {e.name} exchanged, "
            f"{fits}.",
            "For y = x @ W the gradient of x is g @ W.T, that of W is x.T @ g. Square matrices fit "
            "either way, so no error of shapes tells.",
            (a, b),
        )
    return None


def mean_term(e: Evidence) -> Finding | None:
    """What is missing is the same for all elements along axes of the input, as a mean's share is.

    Backward of ``y = x - mean(x)`` is ``g - mean(g)``; the second term is what one forgets.
    """
    n = len(e.outputs)
    j, a = e.blocks(e.expected), e.blocks(e.got)
    missing = j - a
    for axes in _axes(e.inputs):
        places = tuple(n + axis for axis in axes)
        share = np.mean(missing, axis=places, keepdims=True)
        if not e.same(np.broadcast_to(share, missing.shape), missing):
            continue
        which = _axis_words(axes)
        fits = within(e, e.residual(np.broadcast_to(share, missing.shape), missing))
        own = np.mean(a, axis=places, keepdims=True)
        argument = ", ".join(map(str, axes))
        if e.same(share, -own):
            return Finding(
                "mean term",
                f"The mean term is missing in the gradient of {e.name}: forward subtracts a mean "
                f"along {which}, and every element of {e.name} moves that mean.",
                f"expected - got is constant along {which}, and is minus the mean of got there, "
                f"{fits}.",
                f"Subtract it: dx - dx.mean({_argument(argument)}, keepdim=True).",
                (axes,),
            )
        return Finding(
            "mean term",
            f"A term is missing in the gradient of {e.name} that is the same for every element "
            f"along {which}: a mean (or a sum) in forward gives each of them an equal share.",
            f"expected - got is constant along {which}, {fits}.",
            f"Add the share that goes through the mean along {which}.",
            (axes,),
        )
    return None


def one_row(e: Evidence) -> Finding | None:
    """Backward hands on the gradient of some rows of the output, where it should sum over all."""
    j, a = e.blocks(e.expected), e.blocks(e.got)
    for axis, size in enumerate(e.outputs):
        if size < 2:
            continue
        lines = np.moveaxis(a, axis, 0), np.moveaxis(j, axis, 0)
        empty = [not np.any(np.abs(row) > e.room * e.scale) for row in lines[0]]
        whole = [e.same(got, want) for got, want in zip(*lines, strict=True)]
        needed = [bool(np.any(np.abs(row) > e.room * e.scale)) for row in lines[1]]
        kept = [i for i in range(size) if whole[i] and needed[i]]
        lost = [i for i in range(size) if empty[i] and needed[i]]
        if not kept or not lost or any(not (whole[i] or empty[i]) for i in range(size)):
            continue
        rows = f"row {kept[0]}" if len(kept) == 1 else f"rows {', '.join(map(str, kept))}"
        where = f"axis {axis} of the output"
        batch = "the batch (axis 0)" if axis == 0 else where
        return Finding(
            "batch sum" if axis == 0 else "broadcast",
            f"The sum over {batch} is missing: the gradient of {e.name} is the contribution of "
            f"{rows} of {size} alone.",
            f"For {rows} got equals expected, {within(e, 0)}; for the others it is 0.",
            f"{e.name} is used by every row: add up what each of them gives, .sum({axis}).",
            (axis, tuple(kept)),
        )
    return None


def own_rows(e: Evidence) -> Finding | None:
    """Rows depend on each other in forward; backward has only what each gives to itself."""
    if e.outputs != e.inputs:
        return None
    n = len(e.outputs)
    j, a = e.blocks(e.expected), e.blocks(e.got)
    for axis, size in enumerate(e.outputs):
        if size < 2:
            continue
        shape = [1] * (2 * n)
        shape[axis] = shape[n + axis] = size
        own = np.eye(size).reshape(shape)
        if e.same(a, j * own):
            return Finding(
                "batch sum",
                f"The sum over axis {axis} is missing: each row of {e.name} gets only the gradient "
                "of its own row of the output, yet it moves the others too.",
                "For the own row got equals expected, "
                f"{within(e, e.residual(a, j * own))}; for the others it is 0.",
                f"Sum over axis {axis} what all rows of the output give to one row of {e.name}.",
                (axis,),
            )
    return None


# --- Normalisations: several terms at once --------------------------------------------------------


def terms(e: Evidence) -> Finding | None:
    """Which of the coupling terms of a normalisation backward lacks.

    Along the normalised axes the Jacobian of ``(x - mean) / std`` is, up to a factor, the identity
    minus 1/n (the mean term) minus u u' / n with u = x - mean (the variance term); softmax's has
    y y'.  Off the diagonal only those terms live, so that they can be fitted there one by one;
    what the diagonal has besides says how much of them backward has for the own row.
    """
    if e.outputs != e.inputs or e.y is None or any(e.complex):
        return None
    for axes in _axes(e.inputs):
        size = int(np.prod([e.inputs[axis] for axis in axes]))
        if size < 4:
            continue  # more terms than numbers to fit them
        grouped = _groups(e, axes, size)
        found = None if grouped is None else _fit(e, axes, size, *grouped)
        if found is not None:
            return found
    return None


def _groups(e: Evidence, axes: tuple[int, ...], size: int) -> tuple[Real, Real, Real] | None:
    """The missing part per group (groups, n, n), with x and y; None if groups are coupled."""
    n = len(e.inputs)
    rest = [axis for axis in range(n) if axis not in axes]
    order = [*rest, *axes]
    missing = e.blocks(e.expected - e.got).transpose([*order, *(n + axis for axis in order)])
    outer = int(np.prod([e.inputs[axis] for axis in rest]))
    square = missing.reshape(outer, size, outer, size)
    blocks = square[np.arange(outer), :, np.arange(outer), :]
    if abs(np.sum(square**2) - np.sum(blocks**2)) > (e.room * e.scale) ** 2 * square.size:
        return None
    assert e.y is not None
    x = e.x.reshape(e.inputs).transpose(order).reshape(outer, size)
    y = e.y.reshape(e.outputs).transpose(order).reshape(outer, size)
    return blocks, x, y


def _fit(
    e: Evidence, axes: tuple[int, ...], size: int, missing: Real, x: Real, y: Real
) -> Finding | None:
    off = ~np.eye(size, dtype=bool)
    u = x - x.mean(axis=1, keepdims=True)
    for kinds in (("mean",), ("output",), ("mean", "variance"), ("variance",)):
        bases = {"mean": np.ones_like(u), "variance": u, "output": y}
        vectors = [bases[kind] for kind in kinds]
        weights, worst, own = [], 0.0, []
        for g in range(len(u)):
            columns = np.stack([np.outer(v[g], v[g])[off] for v in vectors], axis=1)
            fitted, *_ = np.linalg.lstsq(columns, missing[g][off], rcond=None)
            worst = max(worst, float(np.max(np.abs(columns @ fitted - missing[g][off]))))
            weights.append(fitted)
            squares = np.stack([v[g] ** 2 for v in vectors], axis=1) * fitted
            beside = np.diagonal(missing[g]) - squares.sum(axis=1)
            shares, *_ = np.linalg.lstsq(squares, beside, rcond=None)
            worst = max(worst, float(np.max(np.abs(squares @ shares - beside))))
            own.append(shares)
        used = np.abs(weights) * [[float(np.max(v * v)) for v in vectors]]
        present = used.max(axis=0) > e.room * e.scale
        shares = np.median(own, axis=0)
        steady = bool(np.all(np.abs(np.array(own) - shares) < 1e-3))
        if worst <= e.room * e.scale and present.all() and steady:
            return _words(e, axes, kinds, shares, worst / e.scale)
    return None


NORMALISED = "dx = (g - mean(g) - u * mean(g * u)) * weight / std, u = (x - mean) / std"
TERMS = {
    "mean": ("the mean term", "-mean(g)"),
    "variance": ("the variance term", "-u * mean(g * u)"),
    "output": ("the coupling term", "-y * sum(g * y)"),
}


def _words(
    e: Evidence, axes: tuple[int, ...], kinds: tuple[str, ...], own: Any, residual: float
) -> Finding | None:
    which = _axis_words(axes)
    lines = []
    for kind, share in zip(kinds, own, strict=True):
        name, term = TERMS[kind]
        if abs(share) < 1e-3:
            lines.append(f"{name} {term} is missing.")
        elif abs(share + 1) < 1e-3:
            lines.append(
                f"{name} {term} lacks its sum over {which}: each element has its own share only."
            )
        elif abs(share - 1) < 1e-3:
            lines.append(
                f"{name} {term} lacks its sum over {which}: each element has its own share only, "
                "and that with the wrong sign."
            )
        else:
            return None
    if "output" in kinds:
        rule = "dx = y * g - y * sum(g * y)"
        why = f"Forward divides by a sum along {which}, and every element of {e.name} moves it."
    else:
        rule = NORMALISED
        why = f"Forward takes statistics along {which}, and every element of {e.name} moves them."
    if len(lines) == 1:
        says = [f"In the gradient of {e.name}, {lines[0]}"]
    else:
        says = [f"The gradient of {e.name} has {len(lines)} mistakes."]
        says += [f"{i}. {line[0].upper()}{line[1:]}" for i, line in enumerate(lines, 1)]
    fits = within(e, residual)
    return Finding(
        "mean term" if "mean" in kinds else "coupling term",
        "\n".join(says),
        f"expected - got is {'that' if len(lines) > 1 else 'that term'} and nothing else, {fits}.",
        f"{why} The whole rule, for a gradient g that comes in: {rule}.",
        (axes, kinds, tuple(np.round(own).tolist())),
    )


def _axes(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Sets of axes, single ones first, that hold more than one element."""
    for few in range(1, len(shape) + 1):
        for axes in combinations(range(len(shape)), few):
            if all(shape[axis] > 1 for axis in axes):
                yield axes


def _axis_words(axes: tuple[int, ...]) -> str:
    if len(axes) == 1:
        return f"axis {axes[0]}"
    return "axes " + ", ".join(map(str, axes[:-1])) + f" and {axes[-1]}"


def _argument(listed: str) -> str:
    return f"({listed})" if "," in listed else listed
