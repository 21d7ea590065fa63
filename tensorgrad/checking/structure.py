"""Mistakes that show in the axes: a transposed factor, a sum left out, elements out of order."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from tensorgrad.checking.evidence import Evidence, Finding, axis_words, within

__all__ = ["moved", "one_row", "own_rows", "transposed"]


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
        if len(e.inputs) == len(e.outputs) == 1:
            return _not_adjoint(e, (0,), fits)
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
    if e.outputs == e.inputs:
        for few in range(2, n + 1):
            for pairs in combinations(range(n), few):
                turned = j
                for a in pairs:
                    turned = np.swapaxes(turned, a, n + a)
                turned = turned.reshape(e.got.shape)
                if turned.shape == e.got.shape and e.same(turned, e.got):
                    return _not_adjoint(e, pairs, within(e, e.residual(turned, e.got)))
    return None


def _not_adjoint(e: Evidence, axes: tuple[int, ...], fits: str) -> Finding:
    return Finding(
        "transposed",
        f"Backward does along {axis_words(axes)} what forward does, where the transpose of that "
        "belongs.",
        f"got is the transpose of expected, {fits}.",
        "The transpose of a roll is a roll backwards, of a cumulative sum one from the end, of a "
        "convolution one with the kernel flipped.",
        axes,
    )


def moved(e: Evidence) -> Finding | None:
    """Every derivative is there, at the wrong place: shifted along an axis, or in reverse order."""
    j, n = e.blocks(e.expected), len(e.outputs)
    if not e.scale:
        return None
    for axis, size in enumerate(e.inputs):
        ways = [(f"reversed along axis {axis}", np.flip(j, n + axis))] if size > 1 else []
        ways += [
            (f"shifted by {s} along axis {axis}", np.roll(j, s, n + axis))
            for step in range(1, size // 2 + 1)
            for s in (step, -step)
        ]
        for text, shifted in ways:
            if e.same(shifted.reshape(e.got.shape), e.got):
                return Finding(
                    "moved",
                    f"The gradient of {e.name} is {text}.",
                    f"got is expected, so {text.split()[0]}, "
                    f"{within(e, e.residual(shifted.reshape(e.got.shape), e.got))}.",
                    "Backward must undo the order in which forward reads its elements.",
                    (text,),
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
    return _some_rows(e)


def _some_rows(e: Evidence) -> Finding | None:
    """The same for elements of the output that do not fill whole rows."""
    floor = e.room * e.scale
    needed = (np.abs(e.expected) > floor).any(axis=1)
    empty = ~(np.abs(e.got) > floor).any(axis=1)
    whole = (np.abs(e.got - e.expected) <= floor).all(axis=1)
    kept, lost = int(np.sum(whole & needed)), int(np.sum(empty & needed))
    if not kept or not lost or not (whole | empty).all():
        return None
    return Finding(
        "broadcast",
        f"A sum over the output is missing: the gradient of {e.name} is the contribution of {kept} "
        f"of the {kept + lost} elements that {e.name} moves.",
        f"For these got equals expected, {within(e, 0)}; for the others it is 0.",
        f"Add up what each use of {e.name} gives.",
        (kept, lost),
    )


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
