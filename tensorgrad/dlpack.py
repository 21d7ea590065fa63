"""DLPack: tensors and other libraries' arrays on one memory, both ways, without a copy.

NumPy makes and reads the capsules: it knows the protocol's versions, its read-only flag and how
long the memory must live.  As with ``.numpy()``, writes through the other library do not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from tensorgrad.device import check_device
from tensorgrad.graph.node import strided
from tensorgrad.reading import canonical
from tensorgrad.views import strides

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["capsule_of", "from_dlpack", "to_dlpack"]

CPU = (1, 0)  # DLPack's kDLCPU, device 0


def capsule_of(
    tensor: Any,
    stream: Any = None,
    max_version: tuple[int, int] | None = None,
    dl_device: Any = None,
    copy: bool | None = None,
) -> Any:
    """A capsule on the tensor's memory, for one consumer; refused if the tensor requires grad."""
    if tensor.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    if stream not in (None, -1):
        raise AssertionError(f"stream should be None on cpu, got {stream!r}")
    if dl_device is not None and tuple(int(n) for n in dl_device) != CPU:
        raise BufferError(
            f"__dlpack__: the tensor is on the CPU, {CPU}, and cannot be exported to "
            f"{tuple(dl_device)}"
        )
    array = tensor._array
    if not array.flags.c_contiguous and tensor.is_contiguous():
        strides.make_contiguous(tensor)  # nobody should see the layout a kernel chose
        array = tensor._array
    if copy:
        array = array.copy()
    return array.__dlpack__(max_version=max_version)


def to_dlpack(tensor: Tensor) -> Any:
    """A capsule on the tensor's memory, for one consumer; `from_dlpack` also takes tensors."""
    return capsule_of(tensor)


class _Producer:
    """A capsule with the methods that NumPy asks for."""

    def __init__(self, capsule: Any) -> None:
        self.capsule = capsule

    def __dlpack__(self, **words: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return CPU


class _Writable:
    """An array's memory with leave to write; keeps the array, and so the memory, alive."""

    def __init__(self, array: ndarray[Any, Any]) -> None:
        self.array = array
        found = array.__array_interface__
        self.__array_interface__ = {**found, "data": (found["data"][0], False)}


def _capsule_from(source: Any) -> Any:
    if type(source).__name__ == "PyCapsule":
        if '"used_dltensor' in repr(source):
            raise RuntimeError(
                "from_dlpack received an invalid capsule: it was consumed before; a DLTensor "
                "capsule can be consumed only once"
            )
        return source
    if not hasattr(source, "__dlpack__"):
        raise TypeError(
            f"from_dlpack: expected an object with __dlpack__ or a capsule, got "
            f"{type(source).__name__}"
        )
    kind, _ = source.__dlpack_device__()
    if kind != CPU[0]:
        raise BufferError(
            f"from_dlpack: the array is on DLPack device {int(kind)}; move it to the CPU first"
        )
    try:
        return source.__dlpack__(max_version=(1, 0))
    except TypeError:  # a producer from before the protocol had versions
        return source.__dlpack__()


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor on the memory of any object with ``__dlpack__``, or of a capsule.

    copy: True always copies; None and False share.  Elements that NumPy has no type for, bfloat16,
    are a BufferError.
    """
    check_device(device)
    capsule = _capsule_from(ext_tensor)
    versioned = "dltensor_versioned" in repr(capsule)
    try:
        array = np.from_dlpack(_Producer(capsule))
    except RuntimeError as error:
        if "dtype" not in str(error):
            raise
        raise BufferError(
            f"from_dlpack: NumPy has no type for these elements ({error}); convert them first, "
            "bfloat16 to float32"
        ) from None
    if copy:
        array = array.copy()
    elif not versioned:  # it could not say whether writing is allowed; NumPy then forbids it
        array = np.asarray(_Writable(array))
    return strided(canonical(array))
