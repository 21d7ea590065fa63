"""Storages as objects: what lies under a tensor and its views, for asking who shares it.

They are made when asked for and hold the memory; the engine's own record of writes is
`tensorgrad.graph.node.Storage`.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy import ndarray

from tensorgrad.device import CPU, device
from tensorgrad.dtypes import as_dtype, dtype
from tensorgrad.graph.node import Storage, TensorBase, storage_of
from tensorgrad.machine.address import address
from tensorgrad.machine.arena import is_whole
from tensorgrad.views.following import base_of

__all__ = ["TypedStorage", "UntypedStorage", "memory_of", "sharers"]


def memory_of(tensor: Any) -> ndarray[Any, Any]:
    """All elements of the memory a tensor lies in, flat, as far as tensorgrad knows it."""
    array = base_of(tensor)._array
    while (
        isinstance(array.base, ndarray) and not is_whole(array) and array.base.dtype == array.dtype
    ):
        array = array.base
    if array.flags.c_contiguous:
        return array.reshape(-1)  # type: ignore[no-any-return]
    flat = array.transpose(np.argsort([-abs(s) for s in array.strides], kind="stable"))
    return flat.reshape(-1)  # type: ignore[no-any-return]


def sharers(tensor: Any) -> list[Any]:
    """The other tensors on the same engine's storage.

    Storages do not list them: a list would cost every view its entry.  Only changes of memory ask,
    which are rare enough for a walk over what the garbage collector knows.
    """
    storage = tensor._storage
    if storage is None:
        return []
    return [
        found
        for found in gc.get_referrers(storage)
        if isinstance(found, TensorBase) and found is not tensor
    ]


class UntypedStorage:
    """The bytes under a tensor."""

    def __init__(self, array: ndarray[Any, Any], shared: Storage) -> None:
        self._bytes = array.view(np.uint8)
        self.shared = shared

    def elements(self, kind: np.dtype[Any]) -> ndarray[Any, Any]:
        """The memory as elements of a type."""
        return self._bytes[: self._bytes.size // kind.itemsize * kind.itemsize].view(kind)

    @property
    def device(self) -> device:
        """Always the CPU."""
        return CPU

    @property
    def is_cuda(self) -> bool:
        """Always False."""
        return False

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return address(self._bytes)

    def nbytes(self) -> int:
        """The number of bytes."""
        return self._bytes.size

    size = __len__ = nbytes

    def element_size(self) -> int:
        """1: an untyped storage holds bytes."""
        return 1

    def tolist(self) -> list[int]:
        """The bytes as numbers."""
        return self._bytes.tolist()  # type: ignore[no-any-return]

    def is_shared(self) -> bool:
        """Whether other processes see the memory: never."""
        return False

    def is_pinned(self) -> bool:
        """Whether the memory is page-locked for a GPU: never."""
        return False

    def __getitem__(self, index: int) -> int:
        return int(self._bytes[index])

    def __repr__(self) -> str:
        words = "\n".join(f" {value}" for value in self.tolist())
        return f"{words}\n[tensorgrad.UntypedStorage(device=cpu) of size {len(self)}]"


class TypedStorage:
    """The elements under a tensor; PyTorch has it for old programs."""

    def __init__(self, array: ndarray[Any, Any], shared: Storage) -> None:
        self._array, self.shared = array, shared

    def elements(self, kind: np.dtype[Any]) -> ndarray[Any, Any]:
        """The memory as elements of a type."""
        return self.untyped().elements(kind)

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return UntypedStorage(self._array, self.shared)

    @property
    def dtype(self) -> dtype:
        """The element type."""
        return as_dtype(self._array.dtype)

    @property
    def device(self) -> device:
        """Always the CPU."""
        return CPU

    @property
    def is_cuda(self) -> bool:
        """Always False."""
        return False

    def data_ptr(self) -> int:
        """The address of the first element."""
        return address(self._array)

    def nbytes(self) -> int:
        """The number of bytes."""
        return self._array.nbytes

    def size(self) -> int:
        """The number of elements."""
        return self._array.size

    __len__ = size

    def element_size(self) -> int:
        """Bytes per element."""
        return self._array.itemsize

    def tolist(self) -> list[Any]:
        """The elements as Python numbers."""
        return self._array.tolist()  # type: ignore[no-any-return]

    def __getitem__(self, index: int) -> Any:
        return self._array[index].item()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._array.tolist())

    def __repr__(self) -> str:
        words = "\n".join(f" {value}" for value in self._array.tolist())
        return (
            f"{words}\n[tensorgrad.TypedStorage(dtype={self.dtype!r}, device=cpu) of size "
            f"{len(self)}]"
        )


def untyped(tensor: Any) -> UntypedStorage:
    """The bytes under a tensor."""
    return UntypedStorage(memory_of(tensor), storage_of(tensor))


def typed(tensor: Any) -> TypedStorage:
    """The elements under a tensor."""
    return TypedStorage(memory_of(tensor), storage_of(tensor))
