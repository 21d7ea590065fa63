"""Why a gradient is wrong: hypotheses, tried one after the other on the two Jacobians."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorgrad.checking import coupling, elementwise, patterns, structure
from tensorgrad.checking.evidence import Evidence, Finding, within

__all__ = ["diagnose", "region", "unknown"]

Hypothesis = Callable[[Evidence], Finding | None]

# The first that fits is told.  What needs less comes first: a flipped sign is also a factor of -1.
# own_factor comes last: among a dozen candidate functions one may fit what a structure explains.
WHOLE: tuple[Hypothesis, ...] = (
    patterns.not_a_number,
    patterns.absent,
    patterns.sign,
    patterns.factor,
    patterns.conjugate,
    structure.transposed,
    structure.one_row,
    coupling.mean_term,
    structure.own_rows,
    coupling.sum_term,
    structure.moved,
    coupling.terms,
    elementwise.replaced,
    elementwise.own_factor,
)
PART: tuple[Hypothesis, ...] = (patterns.absent, patterns.sign, patterns.factor)


def diagnose(e: Evidence, wrong: Any) -> Finding:
    """What explains the difference; ``wrong`` marks the elements of the Jacobian that differ."""
    for hypothesis in WHOLE:
        found = hypothesis(e)
        if found is not None:
            return found
    columns = np.asarray(wrong).any(axis=0)
    bad, size = int(np.count_nonzero(columns)), columns.size
    if 0 < bad < size:
        return _part(e, columns, bad, size)
    return unknown(e, wrong)


def _part(e: Evidence, columns: Any, bad: int, size: int) -> Finding:
    """Some elements of the input are wrong, and the others right."""
    where = region(columns.reshape(e.inputs), e.name)
    others = (
        "the other element is right" if size - bad == 1 else f"the other {size - bad} are right"
    )
    start = f"Only {where} {'are' if ' of ' in where else 'is'} wrong; {others}."
    key = tuple(np.flatnonzero(columns)[:16].tolist())
    advice = "Look for an index, a mask, a slice or a border that is treated apart in backward."
    inner = e.narrowed(columns)
    for hypothesis in PART:
        found = hypothesis(inner)
        if found is not None:
            there = found.says.replace(f"gradient of {e.name}", "gradient there")
            kind = "one element" if bad == 1 else found.kind
            says = f"{start} {there}"
            return Finding(kind, says, found.evidence, advice, (key, *found.key))
    missing = inner.expected - inner.got
    share = float(np.median(missing))
    if bad > 1 and len(missing) == 1 and inner.same(missing, np.full_like(missing, share)):
        return Finding(
            "some elements",
            f"{start} Each of them lacks a term of {share:.6g}.",
            f"expected - got is that for each of them, {within(e, 0)}.",
            "Look for a term that only these elements have, as the one-hot target of a softmax.",
            (key, float(f"{share:.4g}")),
        )
    ratio = _ratio(inner)
    if ratio is not None and bad == 1:
        start += f" It is {ratio:.4g} times what it should be."
    gap = np.max(np.abs(inner.got - inner.expected))
    told = f"Elsewhere got equals expected; there they differ by up to {gap:.4g}."
    return Finding("one element" if bad == 1 else "some elements", start, told, advice, (key,))


def _ratio(e: Evidence) -> float | None:
    square = float(np.vdot(e.expected, e.expected))
    return float(np.vdot(e.expected, e.got)) / square if square else None


def unknown(e: Evidence, wrong: Any) -> Finding:
    """What can be said where no hypothesis fits."""
    mask = np.asarray(wrong) & (np.abs(e.expected) > e.room * max(e.scale, 1e-300))
    ratios = e.got[mask] / e.expected[mask]
    if ratios.size:
        agree = int(np.count_nonzero(ratios > 0))
        told = (
            f"got / expected lies between {np.min(ratios):.4g} and {np.max(ratios):.4g}; "
            f"the sign is right in {agree} of {ratios.size}."
        )
    else:
        told = f"Derivatives that should be 0 are as large as {np.max(np.abs(e.got)):.4g}."
    return Finding(
        "unknown",
        f"No single mistake that gradcheck knows explains the gradient of {e.name}.",
        told,
        "Two mistakes may be mixed. Check the parts of the function one by one.",
    )


def region(mask: Any, name: str) -> str:
    """The marked elements of a tensor, as one indexing expression if there is one."""
    if mask.ndim == 0 or mask.all():
        return f"all of {name}" if mask.ndim else name
    places = np.argwhere(mask)
    if len(places) == 1:
        return f"{name}[{', '.join(map(str, places[0].tolist()))}]"
    parts: list[str] = []
    chosen: list[Any] = []
    for axis, size in enumerate(mask.shape):
        used = np.unique(places[:, axis])
        if len(used) == size:
            parts.append(":")
            chosen.append(np.arange(size))
            continue
        run = len(used) > 1 and used[-1] - used[0] == len(used) - 1
        if len(used) == 1:
            parts.append(str(int(used[0])))
        elif run:
            end = "" if used[-1] == size - 1 else str(int(used[-1]) + 1)
            parts.append(f"{int(used[0]) or ''}:{end}")
        else:
            parts.append(str(used.tolist()))
        chosen.append(used)
    if int(np.prod([len(c) for c in chosen])) == len(places):
        return f"{name}[{', '.join(parts)}]"
    return f"{len(places)} of {mask.size} elements of {name}"


def agree(first: Finding, others: Sequence[Finding]) -> bool:
    """Whether the same was found at other inputs too."""
    return all(other.kind == first.kind and other.key == first.key for other in others)
