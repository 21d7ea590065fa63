"""The value of a batched tensor: one example's shape, all the examples' data.

It is not an ndarray, on purpose.  Code that would read one example's numbers where all are meant
must fail, and an object that NumPy cannot turn into an array does; a placeholder array of the
right shape would go on silently.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from tensorgrad.node import hook, local, wrap

__all__ = ["Batch", "Frame", "everything", "lift", "on_arrays", "raw_physical"]


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

    __slots__ = ("batched", "dtype", "frame", "physical", "shape")
    __array_priority__ = 2000
    base = None  # what _as_view asks of an array

    def __init__(self, frame: Frame, physical: Any, batched: bool) -> None:
        self.frame, self.physical, self.batched = frame, physical, batched
        array = physical._array
        self.shape: tuple[int, ...] = array.shape[1:] if batched else array.shape
        self.dtype = array.dtype

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

    # --- What integer and bool arrays go through on their way into a primitive's parameters ---

    def astype(self, dtype: Any, copy: bool = True) -> Batch:
        """The values in another type, outside the graph."""
        return Batch(self.frame, wrap(raw_physical(self).astype(dtype, copy=copy)), self.batched)

    def copy(self, order: str = "C") -> Batch:
        """Batches are never written, so a copy is the same one."""
        return self

    def reshape(self, *shape: Any) -> Batch:
        """The values in another shape, outside the graph."""
        wanted = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        lead = raw_physical(self).shape[:1] if self.batched else ()
        return Batch(self.frame, wrap(raw_physical(self).reshape((*lead, *wanted))), self.batched)

    def __getitem__(self, index: Any) -> Batch:
        parts = index if isinstance(index, tuple) else (index,)
        if not all(p is None or p is Ellipsis or isinstance(p, (int, slice)) for p in parts):
            self._refuse("indexing by arrays")
        whole = (slice(None), *parts) if self.batched else parts
        return Batch(self.frame, wrap(np.asarray(raw_physical(self)[whole])), self.batched)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **words: Any) -> Any:
        # ``kept &= x >= low`` asks for the result in ``kept``; the name is bound to the result.
        words.pop("out", None)
        if method == "__call__" and ufunc.nout == 1 and not words:
            return _apply(lambda *arrays: ufunc(*arrays), inputs)
        if method == "reduce" and words.keys() <= {"axis", "keepdims"} and len(inputs) == 1:
            axis = words.get("axis", 0)
            axes = range(self.ndim) if axis is None else axis if isinstance(axis, tuple) else [axis]
            moved = tuple(a % max(self.ndim, 1) + self.batched for a in axes)
            total = ufunc.reduce(
                raw_physical(self), axis=moved, keepdims=words.get("keepdims", False)
            )
            return Batch(self.frame, wrap(np.asarray(total)), self.batched)
        return self._refuse(f"{ufunc.__name__}.{method}")

    def __array_function__(self, function: Any, types: Any, args: Any, words: Any) -> Any:
        if function is np.where and len(args) == 3 and not words:
            return _apply(np.where, args)
        if function is np.broadcast_to and isinstance(args[0], Batch):
            return on_arrays(
                lambda x: np.broadcast_to(
                    x.reshape(len(x), *(1,) * (len(args[1]) - self.ndim), *self.shape),
                    (len(x), *args[1]),
                ),
                args[0],
            )
        if function in (np.zeros_like, np.ones_like) and not words:
            fill = np.zeros if function is np.zeros_like else np.ones
            return fill(self.shape, self.dtype)
        if function is np.shape:
            return self.shape
        if function is np.iscomplexobj:
            return self.dtype.kind == "c"
        return self._refuse(f"numpy.{function.__name__}")

    def _binary(self, ufunc: Any, other: Any) -> Any:
        return _apply(ufunc, (self, other))

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
        return _apply(np.negative, (self,))

    def __invert__(self) -> Any:
        return _apply(np.invert, (self,))

    __rand__, __ror__, __radd__, __rmul__ = __and__, __or__, __add__, __mul__
    __hash__ = object.__hash__

    # --- What has no answer for one example ---

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NoReturn:
        self._refuse("reading its values as an array")

    def __bool__(self) -> NoReturn:
        raise RuntimeError(
            "vmap: a branch on the value of a batched tensor: its examples may go different ways. "
            "Compute both and choose with where(condition, a, b), or keep this part outside vmap"
        )

    def __len__(self) -> int:
        return self.shape[0]

    def item(self) -> NoReturn:
        raise RuntimeError(
            "vmap: It looks like you're calling .item() on a Tensor. A batched tensor has one "
            "value for each example; keep it a tensor, or read it outside vmap"
        )

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        self._refuse(f"its ndarray.{name}")

    def _refuse(self, what: str) -> NoReturn:
        raise RuntimeError(
            f"vmap: {what} is not available for a batched tensor of shape {self.shape}: what "
            "happens, or the shape of the result, would depend on the values of each example. "
            "Keep this part outside vmap"
        )

    def __repr__(self) -> str:
        return f"Batch(level={self.frame.level}, shape={self.shape}, dtype={self.dtype})"


hook.batch = Batch


def raw_physical(batch: Batch) -> Any:
    """The array of all examples: an ndarray, or a Batch of an outer call."""
    return batch.physical._array


def _apply(function: Callable[..., Any], inputs: Any) -> Batch:
    """An elementwise function of arrays, of which some are Batches, outside the graph."""
    frame = max((b.frame for b in inputs if isinstance(b, Batch)), key=lambda f: f.level)
    rank = max((np.ndim(x) if not isinstance(x, Batch) else x.ndim for x in inputs), default=0)
    arrays, batched = [], False
    for x in inputs:
        if isinstance(x, Batch) and x.frame is frame:
            array = raw_physical(x)
            if x.batched:
                batched = True
                array = array.reshape((array.shape[0], *(1,) * (rank - x.ndim), *x.shape))
            x = array
        arrays.append(x)
    return Batch(frame, _wrapped(function(*arrays)), batched)


def _wrapped(value: Any) -> Any:
    return wrap(value if isinstance(value, Batch) else np.asarray(value))


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
    return Batch(frame, _wrapped(on_arrays(function, *arrays)), True)


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
