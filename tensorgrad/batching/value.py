"""The value of a batched tensor: one example's shape, all the examples' data.

It is not an ndarray, on purpose.  Code that would read one example's numbers where all are meant
must fail, and an object that NumPy cannot turn into an array does; a placeholder array of the
right shape would go on silently.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from tensorgrad.graph.node import hook, local, wrap

__all__ = [
    "Batch",
    "Frame",
    "beside",
    "contiguous",
    "each_example",
    "everything",
    "lift",
    "made",
    "on_arrays",
    "raw_physical",
]


ESCAPED = (
    "vmap: a batched tensor is used after the vmap that made it has returned; return it from the "
    "mapped function instead of storing it"
)


class Frame:
    """One call of a mapped function: its nesting depth, how many examples, how it draws numbers."""

    __slots__ = ("level", "randomness", "size")

    def __init__(self, level: int, size: int, randomness: str) -> None:
        self.level, self.size, self.randomness = level, size, randomness


class Batch:
    """Stands where an ndarray stands in a Tensor, for all examples of one mapped call.

    ``physical`` is the Tensor of all the examples, along its first axis if ``batched``; if not,
    every example has the same value.  It may itself hold a Batch of an outer call.
    """

    __slots__ = ("batched", "dtype", "frame", "physical", "scratch", "shape")
    __array_priority__ = 2000
    base = None  # what _as_view asks of an array

    def __init__(self, frame: Frame, physical: Any, batched: bool) -> None:
        self.frame, self.physical, self.batched = frame, physical, batched
        array = physical._array
        self.shape: tuple[int, ...] = array.shape[1:] if batched else array.shape
        self.dtype = array.dtype
        self.scratch = False  # no Tensor's value: a result of NumPy's, which may be written into

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def itemsize(self) -> int:
        return int(self.dtype.itemsize)

    @property
    def nbytes(self) -> int:
        return self.size * self.itemsize

    def detached(self) -> Batch:
        """The same values, outside the graph of the larger Tensor."""
        return Batch(self.frame, self.physical.detach(), self.batched)

    @property
    def real(self) -> Batch:
        return Batch(self.frame, wrap(raw_physical(self).real), self.batched)

    @property
    def T(self) -> Batch:
        axes = (0, *range(self.ndim, 0, -1)) if self.batched else None
        return Batch(self.frame, wrap(raw_physical(self).transpose(axes)), self.batched)

    def transpose(self, *axes: Any) -> Batch:
        """The axes in another order, outside the graph."""
        order = axes[0] if len(axes) == 1 else axes
        if order is None:
            return self.T
        moved = (0, *(a % self.ndim + 1 for a in order)) if self.batched else order
        return Batch(self.frame, wrap(raw_physical(self).transpose(moved)), self.batched)

    # --- What integer and bool arrays go through on their way into a primitive's parameters ---

    def astype(self, dtype: Any, copy: bool = True) -> Batch:
        """The values in another type, outside the graph."""
        return Batch(self.frame, wrap(raw_physical(self).astype(dtype, copy=copy)), self.batched)

    def copy(self, order: str = "C") -> Batch:
        """The same value, which may be written into."""
        return made(self.frame, raw_physical(self), self.batched)  # type: ignore[no-any-return]

    def reshape(self, *shape: Any) -> Batch:
        """The values in another shape, outside the graph."""
        wanted = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        lead = raw_physical(self).shape[:1] if self.batched else ()
        return Batch(self.frame, wrap(raw_physical(self).reshape((*lead, *wanted))), self.batched)

    def __getitem__(self, index: Any) -> Batch:
        parts = index if isinstance(index, tuple) else (index,)
        if not all(p is None or p is Ellipsis or isinstance(p, (int, slice)) for p in parts):
            self.refuse("indexing by arrays")
        whole = (slice(None), *parts) if self.batched else parts
        return Batch(self.frame, wrap(np.asarray(raw_physical(self)[whole])), self.batched)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **words: Any) -> Any:
        return hook.batch_ufunc(self, ufunc, method, inputs, words)

    def __array_function__(self, function: Any, types: Any, args: Any, words: Any) -> Any:
        return hook.batch_function(self, function, args, words)

    # --- Of all examples at once: for checks that any of them may fail ---

    def any(self, axis: Any = None, **words: Any) -> Any:
        """Whether any element of any example is true; along an axis, for each example."""
        return everything(self).any() if axis is None else np.any(self, axis, **words)

    def all(self, axis: Any = None, **words: Any) -> Any:
        """Whether all elements of all examples are true; along an axis, for each example."""
        return everything(self).all() if axis is None else np.all(self, axis, **words)

    def min(self, axis: Any = None, **words: Any) -> Any:
        """The smallest element of all examples; along an axis, for each example."""
        return everything(self).min(**words) if axis is None else np.amin(self, axis, **words)

    def max(self, axis: Any = None, **words: Any) -> Any:
        """The largest element of all examples; along an axis, for each example."""
        return everything(self).max(**words) if axis is None else np.amax(self, axis, **words)

    # --- Of each example ---

    def sum(self, axis: Any = None, **words: Any) -> Any:
        """The sum of each example's elements."""
        return np.sum(self, axis, **words)

    def mean(self, axis: Any = None, **words: Any) -> Any:
        """The mean of each example's elements."""
        return np.mean(self, axis, **words)

    def var(self, axis: Any = None, **words: Any) -> Any:
        """The variance of each example's elements."""
        return np.var(self, axis, **words)

    def argmax(self, axis: Any = None, **words: Any) -> Any:
        """The index of each example's largest element."""
        return np.argmax(self, axis, **words)

    def _unary(self, ufunc: Any) -> Any:
        return hook.batch_ufunc(self, ufunc, "__call__", (self,), {})

    def _binary(self, ufunc: Any, other: Any) -> Any:
        return hook.batch_ufunc(self, ufunc, "__call__", (self, other), {})

    def __eq__(self, other: object) -> Any:
        return self._binary(np.equal, other)

    def __ne__(self, other: object) -> Any:
        return self._binary(np.not_equal, other)

    def __lt__(self, other: Any) -> Any:
        return self._binary(np.less, other)

    def __le__(self, other: Any) -> Any:
        return self._binary(np.less_equal, other)

    def __gt__(self, other: Any) -> Any:
        return self._binary(np.greater, other)

    def __ge__(self, other: Any) -> Any:
        return self._binary(np.greater_equal, other)

    def __and__(self, other: Any) -> Any:
        return self._binary(np.bitwise_and, other)

    def __or__(self, other: Any) -> Any:
        return self._binary(np.bitwise_or, other)

    def __add__(self, other: Any) -> Any:
        return self._binary(np.add, other)

    def __sub__(self, other: Any) -> Any:
        return self._binary(np.subtract, other)

    def __mul__(self, other: Any) -> Any:
        return self._binary(np.multiply, other)

    def __truediv__(self, other: Any) -> Any:
        return self._binary(np.true_divide, other)

    def __mod__(self, other: Any) -> Any:
        return self._binary(np.remainder, other)

    def __floordiv__(self, other: Any) -> Any:
        return self._binary(np.floor_divide, other)

    def __neg__(self) -> Any:
        return self._unary(np.negative)

    def __invert__(self) -> Any:
        return self._unary(np.invert)

    def __rsub__(self, other: Any) -> Any:
        return hook.batch_ufunc(self, np.subtract, "__call__", (other, self), {})

    __rand__, __ror__, __radd__, __rmul__ = __and__, __or__, __add__, __mul__
    __hash__ = object.__hash__

    # --- What has no answer for one example ---

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NoReturn:
        self.refuse("reading its values as an array")

    def __bool__(self) -> NoReturn:
        raise RuntimeError(
            "vmap: a branch on the value of a batched tensor: its examples may go different ways. "
            "Compute both and choose with where(condition, a, b), or keep this part outside vmap"
        )

    def __iter__(self) -> NoReturn:
        self.refuse("going through its values one by one")

    def __int__(self) -> NoReturn:
        self.item()

    def __float__(self) -> NoReturn:
        self.item()

    def __index__(self) -> NoReturn:
        self.item()

    def __len__(self) -> int:
        return self.shape[0]

    def item(self) -> NoReturn:
        raise RuntimeError(
            "vmap: It looks like you're calling .item() on a Tensor. A batched tensor has one "
            "value for each example; keep it a tensor, or read it outside vmap"
        )

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        self.refuse(f"its ndarray.{name}")

    def refuse(self, what: str) -> NoReturn:
        self.check_alive()
        raise RuntimeError(
            f"vmap: {what} is not available for a batched tensor of shape {self.shape}: what "
            "happens, or the shape of the result, would depend on the values of each example. "
            "Keep this part outside vmap"
        )

    def check_alive(self) -> None:
        """Raise if the mapped call that this is a value of has returned."""
        if self.frame not in local.context.vmaps:
            raise RuntimeError(ESCAPED)

    def __repr__(self) -> str:
        return f"Batch(level={self.frame.level}, shape={self.shape}, dtype={self.dtype})"


hook.batch = Batch


def raw_physical(batch: Batch) -> Any:
    """The array of all examples: an ndarray, or a Batch of an outer call."""
    return batch.physical._array


def on_arrays(function: Callable[..., Any], *values: Any) -> Any:
    """``function`` of arrays, or of all examples' arrays with the examples along the first axis.

    For kernels that do not mind one more leading axis; outside the graph.
    """
    frames = [v.frame for v in values if isinstance(v, Batch)]
    if not frames:
        return function(*values)
    frame = max(frames, key=lambda f: f.level)
    arrays = []
    for value in values:
        if isinstance(value, Batch) and value.frame is frame:
            array = raw_physical(value)
            if value.batched:
                arrays.append(array)
                continue
        else:
            array = value
        if isinstance(array, (Batch, np.ndarray)):
            array = np.broadcast_to(array[None], (frame.size, *array.shape))
        arrays.append(array)
    return made(frame, on_arrays(function, *arrays), True)


def made(frame: Frame, result: Any, batched: bool) -> Any:
    """A function's array, or its tuple of them, as Batches."""
    if isinstance(result, tuple):
        return tuple(made(frame, part, batched) for part in result)
    array = result if isinstance(result, Batch) else np.asarray(result)
    batch = Batch(frame, wrap(array), batched)
    batch.scratch = True
    return batch


def beside(out: Any, given: Any) -> Any:
    """A new tensor as a value of the mapped call that another belongs to, for writing into it."""
    array = getattr(given, "_array", None)
    return wrap(Batch(array.frame, out, batched=False)) if isinstance(array, Batch) else out


def each_example(function: Callable[..., Any], *values: Any) -> Any:
    """``function`` of arrays, called on each example's; its array (or tuple of them) as a Batch.

    For kernels that cannot take one more axis, outside the graph.  A tuple (an index) may have
    Batches in it.
    """
    flat = [p for v in values for p in (v if isinstance(v, tuple) else (v,))]
    frames = [v.frame for v in flat if isinstance(v, Batch)]
    if not frames:
        return function(*values)
    frame = max(frames, key=lambda f: f.level)

    def example(value: Any, k: int) -> Any:
        if isinstance(value, tuple):
            return tuple(example(part, k) for part in value)
        if isinstance(value, Batch) and value.frame is frame:
            return raw_physical(value)[k] if value.batched else raw_physical(value)
        return value

    rows = [each_example(function, *(example(v, k) for v in values)) for k in range(frame.size)]
    if not rows:
        raise RuntimeError("vmap: an operation that goes example by example, and no examples")
    if isinstance(rows[0], tuple):
        return tuple(_stacked(frame, parts) for parts in zip(*rows, strict=True))
    return _stacked(frame, rows)


def _stacked(frame: Frame, parts: Any) -> Any:
    inner = next((p.frame for p in parts if isinstance(p, Batch)), None)
    if inner is None:
        return made(frame, np.stack(parts), True)
    rows = [raw_physical(p)[:, None] if p.batched else p for p in parts]
    return made(frame, made(inner, np.concatenate(rows, axis=1), True), True)


def contiguous(array: Any) -> Any:
    """`numpy.ascontiguousarray`, which a Batch needs as little as it has strides."""
    return array if isinstance(array, Batch) else np.ascontiguousarray(array)


def everything(array: Any) -> Any:
    """The numbers of all examples as one ndarray: for checks that any of them may fail."""
    while isinstance(array, Batch):
        array = raw_physical(array)
    return array


def lift(tensor: Any) -> Any:
    """A tensor as a value of the innermost mapped call, the same for all examples if it was made
    outside; as it is where nothing is being mapped.
    """
    frames = local.context.vmaps
    if not frames:
        return tensor
    array = tensor._array
    if isinstance(array, Batch) and array.frame is frames[-1]:
        return tensor
    return wrap(Batch(frames[-1], tensor, batched=False))


def is_batched(value: Any) -> bool:
    """Whether a Tensor holds a Batch."""
    return isinstance(getattr(value, "_array", None), Batch)
