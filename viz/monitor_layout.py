"""Which elements of a model's parameters a `Monitor` looks at, and copies of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tensorgrad.nn.parameter import is_lazy
from tensorgrad.viz.sampling import Spaced, every

__all__ = ["Layout", "Place", "Row", "numbers_of"]

Array = NDArray[Any]
Place = tuple[str, dict[str, Any], str]  # a parameter's name, the table it is in and its key there


class Row(NamedTuple):
    """Copies of a few elements of several arrays: their dtypes and the bytes.

    Bytes cost a third of what small arrays cost, and half of what np.concatenate costs: a step of a
    small model is no longer than a few dozen calls of NumPy, and code that runs once in ten steps
    runs half as fast as code that has just run.
    """

    kinds: list[Any]
    parts: list[bytes]


class Layout:
    """The parameters that there are now, and which of their elements are looked at."""

    __slots__ = ("_checks", "_steps", "names", "nbytes", "params", "shapes", "sizes")

    def __init__(self, places: Iterable[Place], limit: int) -> None:
        self._checks: list[tuple[dict[str, Any], str, Any, int]] = []
        self._steps: list[int] = []  # every so-manieth element
        self.params: list[Any] = []
        self.names: list[str] = []
        self.shapes: list[tuple[int, ...]] = []
        self.sizes: list[int] = []  # of each parameter's part of the row
        self.nbytes = 0  # of a row
        for name, table, key in places:
            p: Any = table.get(key)
            size = _size(p)
            self._checks.append((table, key, p, size))
            if size > 0:
                spaced = Spaced(size, limit)
                self.params.append(p)
                self.names.append(name)
                self.shapes.append(tuple(p._array.shape))
                self.sizes.append(spaced.count)
                self.nbytes += spaced.count * p._array.itemsize
                self._steps.append(spaced.step)

    def holds(self) -> bool:
        """Whether the same parameters are still in their places, as large as they were."""
        for table, key, p, size in self._checks:
            if (p._array.size if size > 0 else _size(p)) != size or table.get(key) is not p:
                return False
        return True

    def row(self) -> Row:
        """The elements of all parameters."""
        return _row([p._array for p in self.params], self._steps)

    def gradients(self) -> tuple[Row, tuple[int, ...] | None]:
        """Those of the gradients, and which parameters have one (None: all of them)."""
        grads = [None if p._grad is None else p._grad._array for p in self.params]
        which = tuple(k for k, g in enumerate(grads) if g is not None)
        if len(which) == len(grads):
            return _row(grads, self._steps), None
        return _row([grads[k] for k in which], [self._steps[k] for k in which]), which


def _row(arrays: list[Any], steps: list[int]) -> Row:
    parts = [
        a.tobytes() if step == 1 else every(a, step).tobytes() for a, step in zip(arrays, steps)
    ]
    return Row([a.dtype for a in arrays], parts)


def numbers_of(rows: Sequence[Row]) -> Array:
    """The numbers of all rows one after the other, in their common dtype."""
    kinds = {kind for row in rows for kind in row.kinds}
    parts = [part for row in rows for part in row.parts]
    if len(kinds) == 1:
        return np.frombuffer(b"".join(parts), kinds.pop())
    every_kind = [kind for row in rows for kind in row.kinds]
    return np.concatenate([np.frombuffer(part, kind) for part, kind in zip(parts, every_kind)])


def _size(p: Any) -> int:
    """The number of elements; -1 for what has no values (yet)."""
    if p is None or is_lazy(p) or not isinstance(getattr(p, "_array", None), np.ndarray):
        return -1
    return math.prod(p._array.shape)
