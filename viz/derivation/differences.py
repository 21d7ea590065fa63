"""Finite differences beside each step of a derivation, and of the whole of it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tensorgrad.checking.differences import SIGNS, Point, Subject, flat
from tensorgrad.checking.methods import Differences
from tensorgrad.graph.node import wrap
from tensorgrad.viz.derivation.between import Key, Part, key_of
from tensorgrad.viz.derivation.values import Unknown, Values

__all__ = ["MANY", "NOTHING", "Chain", "Checked", "check_step", "check_whole", "tolerance"]

ELEMENTS = 12  # up to so many, every element is moved; of more, random directions
DIRECTIONS = 3
MANY = 500  # operations, beyond which one direction for each must do
SEED = 11
ROUNDING = 1e-8  # beside the gradient that comes in, less than this counts as 0
# Why an operation's argument cannot be moved element by element.
_APART = {"eigh": "it reads one triangle of a symmetric matrix; no element of that moves alone"}


# Up to which relative error a gradient that was computed in a dtype counts as right.
_LIMITS = {"float64": 1e-7, "complex128": 1e-7, "float32": 1e-3, "complex64": 1e-3, "float16": 5e-2}


def tolerance(*dtypes: Any) -> float:
    """The largest of the limits of some dtypes, those of an operation with several outputs too."""
    flat = [d for dtype in dtypes for d in (dtype if isinstance(dtype, tuple) else (dtype,))]
    return max(_LIMITS.get(str(np.dtype(d)), 5e-2) for d in flat)


class Checked(NamedTuple):
    """A gradient beside differences: the relative error, or why there is none."""

    error: float | None
    method: str = ""
    why: str = ""
    within: float = 1e-7  # up to which error it counts as right


NOTHING = Checked(None)


class _Still(Subject):
    """A subject without random numbers: operations have none, and setting their state is slow."""

    def call(self) -> list[Any]:
        found = self.func(*self.inputs)
        return list(found) if isinstance(found, tuple) else [found]


def check_step(
    values: Values,
    node: Any,
    i: int,
    gradient: Any,
    contribution: np.ndarray[Any, Any],
    *,
    quick: bool = False,
) -> Checked:
    """One operation's product of gradient and Jacobian, for one argument.

    quick: along one random direction, whatever its size.
    """
    if node.op.name in _APART:
        return Checked(None, why=_APART[node.op.name])
    try:
        arguments = [values.argument(node, k, anything=True) for k in range(len(node.inputs))]
    except Unknown as why:
        return Checked(None, why=str(why))
    moved = arguments[i]
    if not isinstance(moved, np.ndarray) or moved.shape != contribution.shape:
        return Checked(None, why="the argument is a number of the program")

    complexes = [_complex(a) for a in arguments]

    def run(tensor: Any) -> Any:
        array = tensor._array
        # A complex step of one argument: some operations ask for one dtype of all.
        others = complexes if array.dtype.kind == "c" else arguments
        found = values.run(node, [*others[:i], array, *others[i + 1 :]])
        return tuple(map(wrap, found)) if isinstance(found, tuple) else wrap(found)

    gradients = gradient if isinstance(gradient, tuple) else (gradient,)
    within = tolerance(node.dtype, node.inputs[i].dtype)
    return _compare(run, moved, gradients, contribution, within, quick=quick)


def _complex(value: Any) -> Any:
    floats = isinstance(value, np.ndarray) and value.dtype.kind == "f"
    return value.astype(np.complex128) if floats else value


def check_whole(
    values: Values,
    part: Part,
    root: Any,
    key: Key,
    seed: Any,
    gradient: np.ndarray[Any, Any],
    within: float,
) -> Checked:
    """The gradient of the loss by one variable: the whole way from there is run again."""
    start = values.of(key)
    if start is None:
        return Checked(None, why=values.why(key))
    chain = Chain(values, part, key)
    for node in chain.moving:
        if node.op.name in _APART:
            return Checked(None, why=f"{node.op.name}: {_APART[node.op.name]}")
    goal = key_of(root)
    return _compare(lambda t: wrap(chain.run(t._array)[goal]), start, (seed,), gradient, within)


class Chain:
    """The operations that depend on one variable, to be run again from other values of it."""

    def __init__(self, values: Values, part: Part, key: Key) -> None:
        self.values, self.key = values, key
        self.moving = []
        above = {key}
        for node in part.operations:
            if any(edge is not None and key_of(edge) in above for edge in node.inputs):
                self.moving.append(node)
                above.add(id(node))
                if node.op.outputs:
                    above |= {(id(node), k) for k in range(len(node.shape))}

    def run(self, start: Any) -> dict[Key, Any]:
        """The values of all that depends on the variable, from one of it."""
        now: dict[Key, Any] = {self.key: start}
        for node in self.moving:
            arguments = [
                now[key_of(edge)]
                if edge is not None and key_of(edge) in now
                else self.values.argument(node, i)
                for i, edge in enumerate(node.inputs)
            ]
            found = self.values.run(node, arguments)
            if node.op.outputs:
                now |= {(id(node), k): y for k, y in enumerate(found)}
            elif id(node) != self.key:
                now[id(node)] = found
        return now


def _compare(
    run: Callable[[Any], Any],
    start: np.ndarray[Any, Any],
    gradients: Sequence[Any],
    got: np.ndarray[Any, Any],
    within: float,
    *,
    quick: bool = False,
) -> Checked:
    """The relative error of a gradient, as sizes of vectors."""
    point = Point("x", wrap(np.array(start)))
    if not point.size:
        return Checked(None, why="there are no elements")
    weights = [None if g is None else flat(np.asarray(g)) for g in gradients]
    here = flat(got)
    if not np.all(np.isfinite(here)):
        return Checked(None, why="the gradient is not finite")
    differences = Differences(_Still(run, (point.tensor,), [point]), 1e-6, None)
    whole = point.size <= (1 if quick else ELEMENTS)
    if whole:
        directions = np.eye(point.size)
    else:
        rng = np.random.default_rng(SEED)
        directions = rng.choice(SIGNS, (1 if quick else DIRECTIONS, point.size))
    gaps, sizes = [], []
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            method = differences.used(point)
            for direction in directions:
                found = differences.along(point, direction)
                slope = sum(
                    float(w @ d) for w, d in zip(weights, found, strict=True) if w is not None
                )
                gaps.append(slope - float(here @ direction))
                sizes.append(slope)
    except Unknown as why:
        return Checked(None, why=str(why))
    except Exception as error:  # a forward that refuses double precision: say it, go on
        return Checked(None, why=f"its forward cannot be run again ({type(error).__name__})")
    gap = float(np.linalg.norm(gaps)) if whole else max(map(abs, gaps))
    size = max(float(np.linalg.norm(sizes)) if whole else 0.0, float(np.linalg.norm(here)))
    # Of a gradient that is 0 but for rounding, rounding is all there is to compare.
    size = max(size, ROUNDING * sum(float(np.linalg.norm(w)) for w in weights if w is not None))
    if not np.isfinite(gap):
        return Checked(None, why="the differences are not finite")
    relative = gap / size if size else gap
    if relative > within and method != "complex":
        outputs = differences.subject.values()
        moved = sum(float(abs(w) @ abs(y)) for w, y in zip(weights, outputs) if w is not None)
        if gap <= 64 * np.finfo(float).eps * moved / differences.step(point):
            told = "it is so small that differences show nothing but their own rounding"
            return Checked(None, why=told)
    return Checked(relative, method, within=within)
