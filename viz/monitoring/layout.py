"""Which elements of a model's parameters a `Monitor` looks at, and copies of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tensorgrad.nn.parameter import is_lazy
from tensorgrad.viz.monitoring.sampling import Spaced, every

__all__ = ["Form", "Layout", "Place", "Row", "numbers_of"]

Array = NDArray[Any]
Place = tuple[str, dict[str, Any], str]  # a parameter's name, the table it is in and its key there
Source = memoryview | Callable[[], bytes]


class Form(NamedTuple):
    """What is in a row: the dtypes of several arrays, and how many elements of each."""

    kinds: list[Any]
    sizes: list[int]

    @property
    def nbytes(self) -> int:
        """Of the row."""
        return sum(kind.itemsize * size for kind, size in zip(self.kinds, self.sizes))


class Row(NamedTuple):
    """Copies of a few elements of several arrays: the bytes of all, one after the other."""

    form: Form
    data: bytes | memoryview

    def parts(self) -> list[Any]:
        """The bytes of each array."""
        kinds, sizes = self.form
        ends = [*accumulate(kind.itemsize * size for kind, size in zip(kinds, sizes))]
        return [self.data[start:end] for start, end in zip([0, *ends], ends)]

    def part(self, which: Sequence[int]) -> Row:
        """The row of some of the arrays."""
        (kinds, sizes), parts = self.form, self.parts()
        form = Form([kinds[k] for k in which], [sizes[k] for k in which])
        return Row(form, b"".join([parts[k] for k in which]))


class Layout:
    """The parameters that there are now, and which of their elements are looked at.

    A parameter's memory stays where it is while it is trained, so views of it are kept: those of
    small arrays are copied by a single call.  One that got other memory is seen by ``holds``.
    """

    __slots__ = (
        "_absent", "_held", "_plain", "_sources", "_steps",
        "form", "ids", "names", "params", "shapes",
    )  # fmt: skip

    def __init__(self, places: Iterable[Place], limit: int) -> None:
        self._held: list[tuple[dict[str, Any], str, Any, Array]] = []
        self._absent: list[tuple[dict[str, Any], str, Any, int]] = []  # without elements
        self._steps: list[int] = []  # every so-manieth element
        self._sources: list[Source] = []
        self.params: list[Any] = []
        self.names: list[str] = []
        self.shapes: list[tuple[int, ...]] = []
        self.form = Form([], [])
        for name, table, key in places:
            p: Any = table.get(key)
            size = _size(p)
            if size <= 0:
                self._absent.append((table, key, p, size))
                continue
            array, spaced = p._array, Spaced(size, limit)
            self._held.append((table, key, p, array))
            self._steps.append(spaced.step)
            self._sources.append(_source(array, spaced.step))
            self.params.append(p)
            self.names.append(name)
            self.shapes.append(tuple(array.shape))
            self.form.kinds.append(array.dtype)
            self.form.sizes.append(spaced.count)
        self.ids = tuple(map(id, self.params))
        self._plain = all(type(source) is memoryview for source in self._sources)

    def holds(self) -> bool:
        """Whether the same parameters are still in their places, in the same memory."""
        for table, key, p, array in self._held:
            if p._array is not array or table.get(key) is not p:
                return False
        for table, key, p, size in self._absent:
            if table.get(key) is not p or _size(p) != size:
                return False
        return True

    def row(self) -> Row:
        """The elements of all parameters."""
        for _, _, p, array in self._held:
            if p._array is not array:  # a step that puts new memory in the old one's place
                return _row([p._array for p in self.params], self._steps)
        sources: list[Any] = self._sources
        if not self._plain:
            sources = [source if type(source) is memoryview else source() for source in sources]
        return Row(self.form, b"".join(sources))

    def gradients(self) -> tuple[Row, tuple[int, ...] | None]:
        """Those of the gradients, and which parameters have one (None: all of them)."""
        arrays = []
        for p in self.params:
            g = p._grad
            if g is None:
                break
            arrays.append(g._array)
        else:
            return _row(arrays, self._steps, self.form), None
        which = tuple([k for k, p in enumerate(self.params) if p._grad is not None])
        arrays = [p._grad._array for p in self.params if p._grad is not None]
        return _row(arrays, [self._steps[k] for k in which]), which


def _source(array: Array, step: int) -> Source:
    """What has the bytes of every ``step``-th element, whenever it is asked."""
    flat = array.ravel("K")
    if not np.may_share_memory(flat, array):  # a copy, since the memory has gaps
        return lambda: every(array, step).tobytes()
    if step > 1:
        return flat[::step].tobytes
    try:
        return memoryview(flat)  # type: ignore[arg-type]
    except (ValueError, BufferError):  # a dtype that Python does not know
        return flat.tobytes


def _row(arrays: list[Any], steps: list[int], known: Form | None = None) -> Row:
    """The row of some elements of arrays; ``known`` is the form if their dtypes are those in it."""
    parts: list[Any] = [
        a if step == 1 else every(a, step).tobytes() for a, step in zip(arrays, steps)
    ]
    try:
        data = b"".join(parts)
    except (TypeError, ValueError, BufferError):  # in an order of their own
        data = b"".join([part if type(part) is bytes else part.tobytes() for part in parts])
    kinds = [a.dtype for a in arrays]
    if known is not None and kinds == known.kinds:
        return Row(known, data)
    return Row(Form(kinds, [-(-a.size // step) for a, step in zip(arrays, steps)]), data)


def numbers_of(rows: Sequence[Row]) -> Array:
    """The numbers of all rows one after the other, in their common dtype."""
    kinds = {kind for row in rows for kind in row.form.kinds}
    if len(kinds) == 1:
        return np.frombuffer(b"".join([row.data for row in rows]), kinds.pop())
    return np.concatenate(
        [
            np.frombuffer(part, kind)
            for row in rows
            for part, kind in zip(row.parts(), row.form.kinds)
        ]
    )


def _size(p: Any) -> int:
    """The number of elements; -1 for what has no values (yet)."""
    if p is None or is_lazy(p) or not isinstance(getattr(p, "_array", None), np.ndarray):
        return -1
    return math.prod(p._array.shape)
