"""Mistakes of elementwise functions: a factor that the input or the output tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.checking.evidence import Evidence, Finding, within
from tensorgrad.checking.patterns import diagonal

__all__ = ["CANDIDATES", "own_factor", "replaced"]

Function = Callable[[Any], Any]
# What derivatives of elementwise functions are made of; a mask is tried before a sign.
CANDIDATES: tuple[tuple[str, Function], ...] = (
    ("({0} > 0)", lambda v: (v > 0).astype(float)),
    ("{0}", lambda v: v),
    ("(1 - {0})", lambda v: 1 - v),
    ("(1 + {0})", lambda v: 1 + v),
    ("{0}**2", lambda v: v * v),
    ("(1 - {0}**2)", lambda v: 1 - v * v),
    ("(1 + {0}**2)", lambda v: 1 + v * v),
    ("{0} * (1 - {0})", lambda v: v * (1 - v)),
    ("(1 / {0})", lambda v: 1 / v),
    ("(1 / {0}**2)", lambda v: 1 / (v * v)),
    ("(1 / (1 + {0}**2))", lambda v: 1 / (1 + v * v)),
    ("sqrt({0})", lambda v: np.sqrt(v)),
    ("(1 / sqrt({0}))", lambda v: 1 / np.sqrt(v)),
    ("(1 / (2 * sqrt({0})))", lambda v: 0.5 / np.sqrt(v)),
    ("(1 / (2 * {0}))", lambda v: 0.5 / v),
    ("log({0})", lambda v: np.log(v)),
    ("exp({0})", lambda v: np.exp(v)),
    ("exp(-{0})", lambda v: np.exp(-v)),
    ("cos({0})", lambda v: np.cos(v)),
    ("sin({0})", lambda v: np.sin(v)),
    ("-sin({0})", lambda v: -np.sin(v)),
    ("sign({0})", lambda v: np.sign(v)),
)


def replaced(e: Evidence) -> Finding | None:
    """An elementwise function whose derivative was taken for another one."""
    if e.x.size < 3 or not diagonal(e) or np.any(e.got[~np.eye(e.x.size, dtype=bool)]):
        return None
    right, wrong = (_named_function(e, np.diagonal(j)) for j in (e.expected, e.got))
    if right is None or wrong is None:
        return None
    told = ", y being the output" if "y" in (right + wrong).replace(e.name, "") else ""
    return Finding(
        "other factor",
        f"Backward gives g * {wrong}, where g * {right} belongs{told} (g: the gradient that comes "
        "in).".replace("g * 1,", "g,"),
        f"Both hold for every element, {within(e, 0)}.",
        f"Put {right} in the place of {wrong}.",
        (right, wrong),
    )


def _named_function(e: Evidence, values: Any) -> str | None:
    """A short expression of the input or the output that has these values."""
    if e.same(values, np.ones_like(values)):
        return "1"
    for text, function in CANDIDATES:
        for name, given in ((e.name, e.x), ("y", e.y)):
            if given is None or given.shape != values.shape:
                continue
            with np.errstate(all="ignore"):
                found = function(given)
            if np.isfinite(found).all() and np.ptp(found) > 0 and e.same(values, found):
                return text.format(name)
    return None


def own_factor(e: Evidence) -> Finding | None:
    """Backward gives each derivative times something that the input or the output tells."""
    if not e.scale or e.expected.size < 3:
        return None
    for text, function in CANDIDATES:
        for whose, values, along in ((e.name, e.x, 1), ("y", e.y, 0)):
            if values is None or values.size != e.expected.shape[along] or values.size < 3:
                continue
            with np.errstate(all="ignore"):
                f = function(values)
            if not np.isfinite(f).all() or np.ptp(f) == 0:
                continue
            f = f[:, None] if along == 0 else f[None]
            written = text.format(whose)
            told = ", y being the output" if whose == "y" else ""
            if e.same(e.got * f, e.expected):
                return Finding(
                    "own factor",
                    f"The gradient of {e.name} lacks the factor {written}{told}.",
                    f"got * {written} = expected, {within(e, e.residual(e.got * f, e.expected))}.",
                    f"Multiply by {written}.",
                    (written,),
                )
            if e.same(e.got, e.expected * f):
                return Finding(
                    "own factor",
                    f"The gradient of {e.name} has the factor {written} once too many{told}.",
                    f"got = expected * {written}, {within(e, e.residual(e.got, e.expected * f))}.",
                    f"Leave {written} out, once.",
                    (written,),
                )
    return None
