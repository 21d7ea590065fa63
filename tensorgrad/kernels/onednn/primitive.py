"""One prepared computation of oneDNN: its layouts, its memory objects, and running it on arrays.

A `Prepared` belongs to one thread: its memory objects are given the addresses of the arrays just
before it runs, so two threads that shared it would compute on each other's arrays. `per_thread`
keeps a bounded number of them for each thread.

Before it runs, every array is compared with the layout that the computation was prepared for: a
wrong address or stride would be a crash or a wrong result, not an exception.  Convolutions and
pooling are found by the very shapes and strides of what they are given (and look at its dtype), and
make the rest themselves: that is their comparison.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np

from tensorgrad.kernels.onednn import library as api
from tensorgrad.kernels.onednn.health import library
from tensorgrad.kernels.onednn.library import Argument, OneDNNError
from tensorgrad.machine import threads
from tensorgrad.machine.address import address

__all__ = [
    "Description",
    "Layout",
    "Prepared",
    "Rectified",
    "empty",
    "forget",
    "per_thread",
    "reorder",
]

FLOAT = np.dtype(np.float32)
# Prepared computations for each thread: a network has a few per layer and batch size.
REMEMBERED = 256

Made = TypeVar("Made")


def _dims(values: Sequence[int]) -> Any:
    """``dnnl_dims_t``: twelve numbers, of which as many count as there are axes."""
    return (ctypes.c_int64 * 12)(*values)


class Layout:
    """How the elements of one array lie in memory: a memory descriptor.

    Either plain, with a shape and strides that an array is compared with, or opaque: chosen by
    oneDNN, and held in a flat array of ``nbytes``.
    """

    __slots__ = ("_alike", "_owner", "handle", "nbytes", "shape", "strides")

    def __init__(self, handle: int, shape: Any, strides: Any, owner: Any) -> None:
        self.handle, self.shape, self.strides, self._owner = handle, shape, strides, owner
        self._alike = strides
        self.nbytes = int(library().memory_desc_get_size(handle))

    @classmethod
    def of(cls, shape: Sequence[int], strides: Sequence[int] | None = None) -> Layout:
        """float32 of a shape, with strides in bytes (C order without)."""
        if strides is None:
            steps = [1] * len(shape)
            for i in range(len(shape) - 2, -1, -1):
                steps[i] = steps[i + 1] * shape[i + 1]
        else:
            steps = [step // FLOAT.itemsize for step in strides]
        handle = library().new(
            "memory_desc_create_with_strides", len(shape), _dims(shape), api.F32, _dims(steps)
        )
        return cls(handle, tuple(shape), tuple(n * FLOAT.itemsize for n in steps), library())

    @classmethod
    def any(cls, shape: Sequence[int]) -> Layout:
        """Of this shape, in whatever order oneDNN wants: for describing, not for arrays."""
        handle = library().new(
            "memory_desc_create_with_tag", len(shape), _dims(shape), api.F32, api.TAG_ANY
        )
        return cls(handle, None, None, library())

    def same_as(self, other: Layout) -> bool:
        """Whether two layouts put every element at the same place."""
        return bool(library().memory_desc_equal(self.handle, other.handle))

    def holds(self, strides: tuple[int, ...]) -> bool:
        """Whether other strides in bytes put every element of its shape at the same place.

        Those of an axis of one element say nothing. What was asked last is remembered.
        """
        if strides != self._alike:
            each = zip(self.shape, strides, self.strides, strict=True)
            if not all(n == 1 or a == b for n, a, b in each):
                return False
            self._alike = strides
        return True

    def __del__(self) -> None:
        if isinstance(self._owner, api.Library):
            self._owner.memory_desc_destroy(self.handle)


class Rectified:
    """The attribute of a primitive that makes the larger of its result and 0 of it."""

    __slots__ = ("_library", "handle")

    def __init__(self) -> None:
        self._library = lib = library()
        steps = lib.new("post_ops_create")
        try:
            lib.post_ops_append_eltwise(steps, api.RELU, 0.0, 0.0)
            self.handle: int = lib.new("primitive_attr_create")
            lib.primitive_attr_set_post_ops(self.handle, steps)  # a copy of them
        finally:
            lib.post_ops_destroy(steps)

    def __del__(self) -> None:
        if hasattr(self, "handle"):
            self._library.primitive_attr_destroy(self.handle)


class Description:
    """A primitive descriptor: what is to be computed, on which layouts, by which implementation."""

    __slots__ = ("_library", "handle", "kind", "layouts")

    def __init__(self, kind: str, *args: Any) -> None:
        self._library = library()
        self.kind = kind
        plain = [a.handle if isinstance(a, (Layout, Description, Rectified)) else a for a in args]
        self.layouts = [a for a in args if isinstance(a, Layout)]  # kept alive with it
        self.handle: int = self._library.new(f"{kind}_primitive_desc_create", *plain)

    def wants(self, argument: str) -> Layout:
        """The layout in which it wants an argument that was described as `Layout.any`."""
        handle = self._library.query_md(self.handle, api.QUERIES[argument], 0)
        if not handle:
            raise OneDNNError(f"{self.kind} has no argument {argument}")
        return Layout(handle, None, None, self)

    @property
    def implementation(self) -> str:
        """The name of oneDNN's implementation: ``jit:avx512_core``, ``ref:any``, ..."""
        return self._library.query_text(self.handle)

    def __del__(self) -> None:
        if hasattr(self, "handle"):
            self._library.primitive_desc_destroy(self.handle)


class Prepared:
    """A primitive with a memory object for each of its arguments."""

    __slots__ = (
        "_execute", "_handle", "_layouts", "_library", "_list", "_memories", "_places", "_stream",
        "description",
    )  # fmt: skip

    def __init__(self, description: Description, **layouts: Layout) -> None:
        self._library = lib = description._library
        self.description = description
        self._memories: list[int] = []
        self._layouts = tuple(layouts.values())
        self._stream = stream()
        self._handle = lib.new("primitive_create", description.handle)
        self._memories.extend(
            lib.new("memory_create", layout.handle, lib.engine, None) for layout in self._layouts
        )
        self._places: tuple[int, ...] = ()  # the addresses that the memory objects have
        self._list = (Argument * len(layouts))(
            *(
                Argument(api.ARGUMENTS[name], memory)
                for name, memory in zip(layouts, self._memories, strict=True)
            )
        )
        self._execute: Any = partial(
            lib.execute, self._handle, self._stream.handle, len(layouts), self._list
        )

    def run(self, *arrays: Any) -> None:
        """Compute on arrays, in the order of the layouts; results are written into theirs.

        Raises ValueError for an array that is not what the computation was prepared for.
        """
        layouts = self._layouts
        if len(arrays) != len(layouts):
            raise ValueError(f"expected {len(layouts)} arrays, got {len(arrays)}")
        for layout, array in zip(layouts, arrays):
            if layout.shape is None:
                fits = array.nbytes >= layout.nbytes and array.flags.c_contiguous
            else:
                fits = (
                    array.dtype is FLOAT
                    and array.shape == layout.shape
                    and (array.strides == layout.strides or layout.holds(array.strides))
                )
            if not fits:
                raise ValueError(
                    f"oneDNN {self.description.kind}: prepared for {_words(layout)}, got "
                    f"{array.dtype} {array.shape} with strides {array.strides}"
                )
        self.at(*map(address, arrays))

    def at(self, *places: int) -> None:
        """Compute on the memory of arrays, of which the caller knows that they fit.

        That is where what was prepared was found by the very shapes and strides of the arrays, or
        where they were made for it; `run` looks at them.
        """
        if places != self._places:  # mostly the same memory, step after step
            before, self._places = self._places or (0,) * len(places), ()
            for memory, place, old in zip(self._memories, places, before, strict=True):
                if place != old and self._library.set_handle(memory, place):
                    raise OneDNNError(f"{self.description.kind}: an address was refused")
            self._places = places
        status = self._execute()
        if status:
            raise OneDNNError(f"{self.description.kind}: status {status}")

    def __del__(self) -> None:
        if hasattr(self, "_handle"):
            self._library.primitive_destroy(self._handle)
            for memory in self._memories:
                self._library.memory_destroy(memory)


def _words(layout: Layout) -> str:
    if layout.shape is None:
        return f"{layout.nbytes} contiguous bytes"
    return f"float32 {layout.shape} with strides {layout.strides}"


class _Stream:
    """A thread's queue of computations."""

    def __init__(self, lib: api.Library) -> None:
        self._library = lib
        self.handle = lib.new("stream_create", lib.engine, 1)  # 1: in order

    def __del__(self) -> None:
        if hasattr(self, "handle"):
            self._library.stream_destroy(self.handle)


class _Thread(threading.local):
    """What one thread keeps: its stream, and its prepared computations by their keys."""

    def __init__(self) -> None:
        self.stream: _Stream | None = None
        # In two generations, since a key of many numbers takes a microsecond to be hashed: what is
        # found needs no further look-up to count as used.
        self.prepared: dict[Hashable, Any] = {}
        self.older: dict[Hashable, Any] = {}
        self.threads = 0  # what OpenMP was told here


_thread = _Thread()
# How many threads compute; 0 as long as nobody has said.
_threads = {"number": 0}


def set_threads(number: int) -> None:
    """Compute with so many threads, in all of the program's threads, from now on."""
    _threads["number"] = number


threads.on_change.append(set_threads)


def stream() -> _Stream:
    """The calling thread's stream."""
    if _thread.stream is None:
        _thread.stream = _Stream(library())
    return _thread.stream


def per_thread(key: Hashable, make: Callable[[], Made]) -> Made:
    """What ``make`` gives, kept for this thread under ``key`` while it is among the last used."""
    thread, number = _thread, _threads["number"]
    if number != thread.threads:
        library().set_threads(number)
        thread.threads = number
        thread.prepared, thread.older = {}, {}  # oneDNN plans for a number of threads
    found: Made | None = thread.prepared.get(key)
    if found is None:
        found = thread.older.pop(key, None)
        if found is None:
            found = make()
        if len(thread.prepared) >= REMEMBERED // 2:
            thread.prepared, thread.older = {}, thread.prepared
        thread.prepared[key] = found
    return found


def forget() -> None:
    """Let go of what this thread has prepared."""
    _thread.prepared, _thread.older = {}, {}
    _thread.stream = None


def empty(layout: Layout) -> Any:
    """A flat array for an opaque layout."""
    return np.empty(layout.nbytes, np.uint8)


def reorder(source: Layout, target: Layout) -> Prepared | None:
    """The copy from one layout to another; None where they are the same."""
    if source.same_as(target):
        return None
    lib = library()
    description = Description("reorder", source, lib.engine, target, lib.engine, None)
    return Prepared(description, src=source, dst=target)
