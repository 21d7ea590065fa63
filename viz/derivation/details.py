"""Small answers about one node that a derivation is put together from."""

from __future__ import annotations

import linecache
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tensorgrad.formula import formulas_of
from tensorgrad.viz.derivation import expression as ex
from tensorgrad.viz.derivation.between import Key, key_of
from tensorgrad.viz.derivation.expression import Expr, Symbol
from tensorgrad.viz.derivation.model import Step, Way
from tensorgrad.viz.derivation.noise import is_noise
from tensorgrad.viz.derivation.notation import total_over
from tensorgrad.viz.derivation.parts import Read
from tensorgrad.viz.figures.words import shorten, visible
from tensorgrad.viz.snapshots.naming import named_scopes

__all__ = [
    "class_names",
    "declared",
    "exchanges_last_axes",
    "extremes",
    "fitted",
    "line_of",
    "modules_of",
    "one_number",
    "parameter_value",
    "prose_of",
    "staying",
    "tuple_of",
]

Extreme = tuple[Way, str] | None  # a way, and the operation it leads through

# Of a write into a view: to the base, and to what was written.
_WRITTEN = (
    "the gradient with 0 where the view was written",
    "the part of the gradient where the view was written",
)
SMALL = 1e-12  # below this share of the whole, a change of size is rounding


def staying(nodes: list[Any]) -> set[Key]:
    """The weights of linear layers: (out, in), so that they map columns as they are."""
    return {
        key_of(node.inputs[1])
        for node in nodes
        if node.op.name == "linear" and len(node.inputs) > 1 and node.inputs[1] is not None
    }


def fitted(found: Read, made: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[Expr, str]:
    """The sum that undoes a broadcast, where there is one."""
    shape = made if found.shape is None else found.shape
    if ex.is_zero(found.expr) or len(shape) < len(wanted) or shape == wanted:
        return found.expr, ""
    lead = len(shape) - len(wanted)
    axes = tuple(range(lead)) + tuple(
        lead + i for i, n in enumerate(wanted) if n == 1 and shape[lead + i] != 1
    )
    kept = tuple(n for i, n in enumerate(shape) if i not in axes)
    if not axes or any(
        n != m for n, m in zip(kept, [w for w in wanted if w != 1], strict=False) if n != 1
    ):
        return found.expr, ""
    few = [a for a in axes if shape[a] != 1]
    if not few:
        return found.expr, ""
    times = int(np.prod([shape[a] for a in few]))
    return total_over(
        found.expr, shape, axes
    ), f"it is used {times} times, and what each use gives adds up"


def parameter_value(name: str, value: Any) -> Read:
    if isinstance(value, (bool, np.bool_)) or value is None:
        return Read(Symbol(name), (), value)
    if isinstance(value, (int, float, complex, np.number)):
        return Read(ex.Num(value if isinstance(value, (int, float, complex)) else value.item()), ())
    shape = getattr(value, "shape", None)
    return Read(Symbol(name), None if shape is None else tuple(shape), value)


def declared(node: Any) -> tuple[tuple[str | None, ...], str]:
    """The formulas of an operation's rules, or what is said instead."""
    op = node.op
    if hasattr(node, "ctx"):
        return (), f"your own backward, {visible(op.name)}.backward"
    if op.formula is None:
        return (), visible(op.prose or "no formula is declared")
    shapes = [getattr(spec, "shape", () if spec is not None else None) for spec in node.input_specs]
    try:
        return formulas_of(op, shapes, node.params or {}), ""
    except Exception as error:  # shapes that were not kept
        return (), f"its formula needs shapes that are not kept ({type(error).__name__})"


def prose_of(node: Any, i: int, prose: str) -> str:
    """What is said of one argument's gradient in the place of a formula."""
    return _WRITTEN[i] if node.op.name == "copy_slices" and i < 2 else prose


def one_number(spec: Any) -> Read | None:
    """An argument that is one number, which stands in a formula as it is."""
    if isinstance(spec, (bool, int, float, complex)):
        return Read(ex.Num(spec), ())
    if not isinstance(spec, np.ndarray) or spec.size != 1 or spec.dtype.kind not in "fiuc":
        return None
    found = complex(spec.reshape(()))
    return Read(ex.Num(found if found.imag else found.real), tuple(spec.shape))


def class_names(node: Any, operands: tuple[str | None, ...]) -> str | None:
    """What the program calls the classes of a loss: the second argument of its call."""
    if node.op.name not in ("cross_entropy", "ctc") or len(operands) < 2:
        return None
    return operands[1]


def exchanges_last_axes(node: Any) -> bool:
    """Whether an operation is a transpose."""
    axes = (node.params or {}).get("axes")
    n = len(axes) if isinstance(axes, tuple) else 0
    return node.op.name == "permute" and n > 1 and axes == (*range(n - 2), n - 1, n - 2)


def tuple_of(symbols: Sequence[Expr]) -> Expr:
    return symbols[0] if len(symbols) == 1 else ex.Call("", tuple(symbols))


def modules_of(scope: Any, names: Mapping[int, str]) -> tuple[str, ...]:
    """Labels of the modules around a scope, the outermost first; ``names`` as for named_scopes."""
    return tuple(
        visible(f"{path}: {inside.cls}" if path else inside.cls)
        for inside, _, path in named_scopes(scope, names)
    )


def line_of(node: Any) -> str:
    place = node.location
    if place is None:
        return ""
    return shorten(visible(linecache.getline(place.filename, place.lineno).strip()), 100)


def extremes(steps: list[Step]) -> tuple[Extreme, Extreme, Extreme]:
    """Where the gradient shrinks most on its way, where it grows most, where it is 0 but for
    rounding; behind that there is nothing to compare.
    """
    lost: Extreme = None
    onwards: list[tuple[Way, Step]] = []
    comes: dict[str, list[bool]] = {}  # of a variable: whether each term of its gradient is lost
    for step in steps:
        before = comes.get(_name(step.left))
        gone = before is not None and all(before)
        for way in step.ways:
            noise = gone or is_noise(way, step)
            if noise and not gone and lost is None:
                lost = way, step.op
            comes.setdefault(way.to, []).append(noise)
            if way.onwards and not noise and way.ratio is not None and np.isfinite(way.ratio):
                onwards.append((way, step))
    if not onwards:
        return None, None, lost
    least = min(onwards, key=_ratio)
    most = max(onwards, key=_ratio)
    shrinks = (least[0], least[1].op) if _ratio(least) < 1 - SMALL else None
    grows = (most[0], most[1].op) if _ratio(most) > 1 + SMALL else None
    return shrinks, grows, lost


def _name(x: Expr) -> str:
    """Of a variable, whole or by its elements."""
    while isinstance(x, ex.At):
        x = x.x
    return x.name if isinstance(x, Symbol) else ""


def _ratio(pair: tuple[Way, Step]) -> float:
    return pair[0].ratio or 0.0
