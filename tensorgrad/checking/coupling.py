"""Terms left out where forward couples elements: means, sums, and those of normalisations."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.checking.differences import Real
from tensorgrad.checking.elementwise import CANDIDATES
from tensorgrad.checking.evidence import Evidence, Finding, axes_of, axis_words, within

__all__ = ["mean_term", "sum_term", "terms"]


def mean_term(e: Evidence) -> Finding | None:
    """What is missing is the same for all elements along axes of the input, as a mean's share is.

    Backward of ``y = x - mean(x)`` is ``g - mean(g)``; the second term is what one forgets.
    """
    n = len(e.outputs)
    j, a = e.blocks(e.expected), e.blocks(e.got)
    missing = j - a
    # The largest set first: what is the same along three axes is so along each of them.
    for axes in reversed(list(axes_of(e.inputs))):
        places = tuple(n + axis for axis in axes)
        share = np.mean(missing, axis=places, keepdims=True)
        if not e.same(np.broadcast_to(share, missing.shape), missing):
            continue
        which = axis_words(axes)
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


def sum_term(e: Evidence) -> Finding | None:
    """What is missing knows the incoming gradient only by its sum along an axis of the output."""
    if e.outputs != e.inputs or not e.outputs:
        return None
    n = len(e.outputs)
    missing = e.blocks(e.expected - e.got)
    for axis, size in enumerate(e.outputs):
        # Along this axis all rows lack the same; along the others each row only something of its
        # own, which mean() over the axis and a diagonal over the rest would give.
        share = np.mean(missing, axis=axis, keepdims=True)
        if size < 3 or not e.same(np.broadcast_to(share, missing.shape), missing):
            continue
        rest = [a for a in range(n) if a != axis]
        own = np.moveaxis(share, [axis, *rest], range(n))[0]
        own = np.moveaxis(
            own, [len(rest) + a for a in [axis, *rest]], range(len(rest), n + len(rest))
        )
        own = own.reshape((len(rest) and int(np.prod([e.inputs[a] for a in rest]))) or 1, size, -1)
        vector = np.stack([own[i, :, i] for i in range(len(own))], axis=1)
        term = _term(e, np.moveaxis(vector.reshape([size, *(e.inputs[a] for a in rest)]), 0, axis))
        return Finding(
            "sum term",
            f"A term is missing in the gradient of {e.name}: {term} * sum(g), the sum along axis "
            f"{axis} (g: the gradient that comes in).",
            f"expected - got is the same for each element of g along axis {axis}, "
            f"{within(e, e.residual(np.broadcast_to(share, missing.shape), missing))}.",
            f"Every element of {e.name} moves all of the output along axis {axis}, by the same.",
            (axis, term),
        )
    return None


def _term(e: Evidence, values: Real) -> str:
    flat = values.reshape(-1)
    for mark, sign in (("-", -1), ("", 1)):
        for text, function in CANDIDATES:
            for name, given in ((e.name, e.x), ("y", e.y)):
                if given is None:
                    continue
                with np.errstate(all="ignore"):
                    found = sign * function(given)
                if np.isfinite(found).all() and np.ptp(found) > 0 and e.same(found, flat):
                    return mark + text.format(name)
    return "something"


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
    for axes in axes_of(e.inputs):
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
            return _words(e, axes, kinds, shares, worst / e.scale, np.array(weights))
    return None


NORMALISED = "dx = (g - mean(g) - u * mean(g * u)) * weight / std, u = (x - mean) / std"
TERMS = {
    "mean": ("the mean term", "-mean(g)"),
    "variance": ("the variance term", "-u * mean(g * u)"),
    "output": ("the coupling term", "-y * sum(g * y)"),
}


def _words(
    e: Evidence,
    axes: tuple[int, ...],
    kinds: tuple[str, ...],
    own: Any,
    residual: float,
    weights: Real,
) -> Finding | None:
    which = axis_words(axes)
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
        softmax = bool(np.all(np.abs(weights + 1) < 1e-3))
        rule = "dx = y * g - y * sum(g * y)" if softmax else "dx = (g - y * sum(g * y)) / size"
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


def _argument(listed: str) -> str:
    return f"({listed})" if "," in listed else listed
