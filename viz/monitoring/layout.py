"""Which elements of a model's parameters a `Monitor` looks at, and copies of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from itertools import accumulate
from operator import attrgetter
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
    data: bytes

    def parts(self) -> list[bytes]:
        """The bytes of each array."""
        kinds, sizes = self.form
        ends = [*accumulate(kind.itemsize * size for kind, size in zip(kinds, sizes))]
        return [self.data[start:end] for start, end in zip([0, *ends], ends)]

    def part(self, which: Sequence[int]) -> Row:
        """The row of some of the arrays."""
        (kinds, sizes), parts = self.form, self.parts()
        form = Form([kinds[k] for k in which], [sizes[k] for k in which])
        return Row(form, b"".join([parts[k] for k in which]))


_gradient = attrgetter("_grad._array")


class Layout:
    """The parameters that there are now, and which of their elements are looked at.

    A parameter's memory stays where it is while it is trained, so views of it are kept: those of
    small arrays are copied by a single call.  One that got other memory is seen by ``holds``.

    form: of a row of all of them.  nbytes: of such a row.
    """

    __slots__ = (
        "_absent", "_held", "_plain", "_sources", "_steps", "_whole",
        "form", "ids", "names", "nbytes", "params", "shapes",
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
        self.nbytes = self.form.nbytes
        self.ids = tuple(map(id, self.params))
        self._whole = all(step == 1 for step in self._steps)
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

    def write(self, block: BytesIO) -> Form:
        """Write the elements of all parameters, which are in the memory where they were."""
        if self._plain:
            block.writelines(self._sources)  # type: ignore[arg-type]
        else:
            block.writelines([s if isinstance(s, memoryview) else s() for s in self._sources])
        return self.form

    def write_anew(self, block: BytesIO) -> Form:
        """The same, for a step may have put new memory in the old one's place; their form."""
        for _, _, p, array in self._held:
            if p._array is not array:
                return _write(block, [p._array for p in self.params], self._steps)
        return self.write(block)

    def write_gradients(self, block: BytesIO) -> tuple[Form, tuple[int, ...] | None]:
        """Write those of the gradients; their form, and which there are (None: all of them)."""
        start = block.tell()
        try:
            if self._whole:
                block.writelines(map(_gradient, self.params))
            else:
                arrays = zip(map(_gradient, self.params), self._steps)
                block.writelines([a if n == 1 else every(a, n).tobytes() for a, n in arrays])
            if block.tell() == start + self.nbytes:
                return self.form, None
        except (AttributeError, ValueError, BufferError):
            pass  # there is none, or the elements are in an order of their own
        block.seek(start)
        which = tuple([k for k, p in enumerate(self.params) if p._grad is not None])
        grads = [self.params[k]._grad._array for k in which]
        form = _write(block, grads, [self._steps[k] for k in which])
        return form, None if len(which) == len(self.params) else which


def _source(array: Array, step: int) -> Source:
    """What has the bytes of every ``step``-th element, whenever it is asked."""
    flat = array.ravel("K")
    if not np.may_share_memory(flat, array):  # a copy, since the memory has gaps
        return lambda: every(array, step).tobytes()
    if step > 1:
        return flat[::step].tobytes
    exporter: Any = flat  # which NumPy's types say of arrays from Python 3.12 on
    try:
        return memoryview(exporter)
    except (ValueError, BufferError):  # a dtype that Python does not know
        return flat.tobytes


def _write(block: BytesIO, arrays: list[Any], steps: list[int]) -> Form:
    """Write some elements of arrays."""
    block.writelines([every(a, n).tobytes() for a, n in zip(arrays, steps)])
    return Form([a.dtype for a in arrays], [-(-a.size // n) for a, n in zip(arrays, steps)])


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
