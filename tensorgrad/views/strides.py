"""The strides that a user sees, and those that the memory has.

Kernels may lay their results out as suits them (channels last); `stride`, `view` and
`is_contiguous` go on as if every result were contiguous, and where that cannot be kept up the
memory is exchanged for a contiguous copy.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
from numpy import ndarray

from tensorgrad.batching import Batch
from tensorgrad.graph.node import Storage, storage_of
from tensorgrad.graph.storages import SAVED
from tensorgrad.machine.address import address
from tensorgrad.primitive import recorded
from tensorgrad.views.following import base_of, chain, root_of, through

__all__ = [
    "contiguous_strides",
    "is_contiguous",
    "logical_offset",
    "logical_strides",
    "make_contiguous",
    "register_alias",
    "view_as_shape",
]


def contiguous_strides(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """The strides, in bytes, of a C-contiguous array."""
    strides = [itemsize] * len(shape)
    for i in range(len(shape) - 2, -1, -1):
        strides[i] = strides[i + 1] * max(shape[i + 1], 1)
    return tuple(strides)


def _probe(shape: tuple[int, ...], strides: tuple[int, ...]) -> Any:
    """An array with strides (in bytes, of one byte each) but no memory: for trying steps on."""
    return np.lib.stride_tricks.as_strided(np.empty(1, np.int8), shape, strides, writeable=False)


def _follow(probe: Any, steps: tuple[Any, ...]) -> Any:
    """The steps on a probe; a new dimension has PyTorch's stride, where NumPy's is 0."""
    for step in steps:
        probe = through(probe, (step,))
        index = step[1].get("index")
        if index is not None and None in index:
            strides = list(probe.strides)
            for axis in reversed(_new_axes(index, probe.ndim)):
                last = axis + 1 == probe.ndim
                strides[axis] = 1 if last else probe.shape[axis + 1] * strides[axis + 1]
            probe = np.lib.stride_tricks.as_strided(probe, probe.shape, strides, writeable=False)
    return probe


def _new_axes(index: tuple[Any, ...], ndim: int) -> list[int]:
    """Where the dimensions lie that None in a basic index makes."""
    if Ellipsis not in index:
        index = (*index, Ellipsis)
    made = sum(part is None or isinstance(part, slice) for part in index)
    axes, place = [], 0
    for part in index:
        if part is None:
            axes.append(place)
        place += ndim - made if part is Ellipsis else part is None or isinstance(part, slice)
    return axes


def logical_strides(tensor: Any) -> tuple[int, ...]:
    """The strides, in elements, that the tensor has in PyTorch.

    Memory may be laid out otherwise (channels last after a convolution).  What the engine made
    counts as contiguous; a view's strides follow from the steps that made it.
    """
    storage = tensor._storage
    if storage is not None and storage.strided:
        size = tensor._array.itemsize
        return tuple(s // size for s in tensor._array.strides)
    steps = _memory_steps(tensor)
    if not steps:
        return contiguous_strides(tensor._array.shape, 1)
    shape = storage.memory.shape if storage.memory is not None else chain(tensor)[0]._array.shape
    strides = contiguous_strides(shape, 1)
    for number, (op, params) in enumerate(steps):
        if op.name != "permute":
            probe = _follow(_probe(shape, strides), steps[number:])
            return probe.strides  # type: ignore[no-any-return]
        axes = params["axes"]
        shape, strides = tuple([shape[i] for i in axes]), tuple([strides[i] for i in axes])
    return strides


def is_contiguous(tensor: Any) -> bool:
    """Whether the elements are in row-major order, as PyTorch would have them."""
    array = tensor._array
    if type(array) is ndarray:
        if tensor._view is tensor._held is None:  # an operation's result, however it lies
            return True
        if _as_it_seems(tensor):
            return array.flags.c_contiguous
    if not array.size:
        return True
    found, wanted = logical_strides(tensor), contiguous_strides(array.shape, 1)
    return all(s == w or n <= 1 for s, w, n in zip(found, wanted, array.shape, strict=True))


def logical_offset(tensor: Any) -> int:
    """Where the tensor's first element lies in memory, in elements, as PyTorch counts."""
    storage = tensor._storage
    root = base_of(tensor)
    if storage is not None and storage.strided:
        start = address(tensor._array) - address(root._array)
        return int(start // max(tensor._array.itemsize, 1))
    steps = _memory_steps(tensor)
    if not steps:
        return 0
    shape = storage.memory.shape if storage.memory is not None else root._array.shape
    probe = _probe(shape, contiguous_strides(shape, 1))
    return address(through(probe, steps)) - address(probe)


def _memory_steps(tensor: Any) -> tuple[Any, ...]:
    """The steps from the start of the memory to a tensor, through detached copies too."""
    root, steps = chain(tensor)
    before: tuple[Any, ...] = ()
    for reference, known in (root._storage.aliases or ()) if root._storage is not None else ():
        if reference() is root:
            before = known
            break
    return (*before, *steps)


def register_alias(parent: Any, out: Any, detached: bool = False) -> None:
    """Remember who shares a memory, where strides cannot tell it.

    That is where the engine chose the layout, and for a detached view, which has no parent.
    """
    storage: Storage = out._held  # a storage, not SAVED: it is shared
    if storage.strided or isinstance(out._array, Batch):
        return
    if storage.aliases is None:
        if parent._array.flags.c_contiguous and not (detached and parent._view is not None):
            return
        root = root_of(parent)
        if root._array.flags.c_contiguous and not detached:
            storage.plain = True  # its strides, and so those of its views, are what they seem
            return
        if _is_all_of(parent._array, root._array):
            return  # a reshape that was detached: as contiguous as its base
        storage.memory = root._array
        storage.aliases = [(weakref.ref(root), ())]
    elif not detached and storage.memory.flags.c_contiguous:
        return  # a view knows its way from the base, and that memory need not be exchanged
    last, known = storage.aliases[-1]
    if not detached and last() is parent:  # as in a row of steps: no walk up to the root
        steps = (*known, (out._view[1], out._view[2] or {}))
    else:
        steps = _memory_steps(parent) if detached else _memory_steps(out)
    if len(storage.aliases) > 32 and len(storage.aliases) & (len(storage.aliases) - 1) == 0:
        storage.aliases = [entry for entry in storage.aliases if entry[0]() is not None]
    storage.aliases.append((weakref.ref(out), steps))


def _is_all_of(array: ndarray[Any, Any], base: ndarray[Any, Any]) -> bool:
    """Whether an array is another's memory from its start, both in C order."""
    return (
        array.flags.c_contiguous
        and base.flags.c_contiguous
        and array.size == base.size
        and address(array) == address(base)
    )


def make_contiguous(tensor: Any) -> None:
    """Exchange a memory of engine-chosen layout for a C-contiguous copy, for all who share it.

    The values do not change, so no version moves; arrays that nodes saved stay as they are.
    """
    storage = tensor._storage
    if storage is None or storage.aliases is None:
        root, steps = chain(tensor)
        if root._held is SAVED:
            storage_of(root)  # while it has the array that was saved
        root._array = np.ascontiguousarray(root._array)
        if steps:
            tensor._array = through(root._array, steps)
        return
    fresh = np.ascontiguousarray(storage.memory)
    storage.memory = fresh
    for reference, steps in storage.aliases:
        alias = reference()
        if alias is not None:
            alias._array = through(fresh, steps)


def view_as_shape(tensor: Any, shape: tuple[int, ...]) -> Any:
    """A reshape that is guaranteed to share memory; None where PyTorch's strides forbid it."""
    array = tensor._array
    # What an operation made and nobody shares is contiguous to its user, however it lies.
    if tensor._view is not None or tensor._storage is not None:
        if isinstance(array, ndarray) and _as_it_seems(tensor):
            if _reshapes_without_copy(array, shape):
                return recorded.reshape(tensor, shape=shape)
            return None
        if not fits(array.shape, logical_strides(tensor), shape):
            return None
    if not isinstance(array, Batch) and not _reshapes_without_copy(array, shape):
        make_contiguous(tensor)
    return recorded.reshape(tensor, shape=shape)


def _as_it_seems(tensor: Any) -> bool:
    """Whether the strides of a tensor's array are those that its user may know of."""
    storage = tensor._held
    if storage is SAVED:
        storage = tensor._storage
    if storage is not None and (storage.strided or storage.aliases is not None):
        return bool(storage.strided or storage.memory.flags.c_contiguous)
    if storage is not None and storage.plain:
        return True
    return bool(tensor._array.flags.c_contiguous or root_of(tensor)._array.flags.c_contiguous)


def fits(shape: tuple[int, ...], strides: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Whether an array can be seen under another shape of as many elements, without a copy.

    Dimensions that follow each other in memory without gaps are one run, and a run may be cut
    anywhere: each must be a product of some of the wanted sizes.
    """
    if 0 in shape:
        return True
    sizes = iter([n for n in wanted if n != 1])
    run, step = 1, 0  # elements of the run so far, and the stride of its last dimension
    for n, stride in zip((*shape, 2), (*strides, None), strict=True):
        if n == 1:
            continue
        if stride is not None and (run == 1 or step == n * stride):
            run, step = run * n, stride
            continue
        while run > 1:
            size = next(sizes)
            if run % size:
                return False
            run //= size
        run, step = n, 0 if stride is None else stride
    return True


def _reshapes_without_copy(array: ndarray[Any, Any], shape: tuple[int, ...]) -> bool:
    if array.flags.c_contiguous:
        return True
    try:
        array.reshape(shape, copy=False)
    except ValueError:
        return False
    return True
