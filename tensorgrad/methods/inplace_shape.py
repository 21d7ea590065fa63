"""In-place methods that change a tensor's shape or memory, not its elements."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.creation import check_memory_format, size_of
from tensorgrad.functions import shape
from tensorgrad.graph.node import Storage, TensorBase, local, new_storage, storage_of
from tensorgrad.views.following import check_not_leaf
from tensorgrad.views.reforming import reform
from tensorgrad.views.sharing import TypedStorage, UntypedStorage, memory_of, sharers
from tensorgrad.views.strides import contiguous_strides, make_contiguous

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["InplaceShapeMethods"]


class InplaceShapeMethods:
    """Another shape for the same memory (``t_``), or another memory (``set_``, ``resize_``)."""

    __slots__ = ()

    def squeeze_(self: Any, dim: Any = None, *dims: int) -> Tensor:
        """In-place `squeeze`."""
        named = (dim, *dims) if dims else dim
        return _reformed(self, lambda x: shape.squeeze(x, named), "squeeze_")

    def unsqueeze_(self: Any, dim: int) -> Tensor:
        """In-place `unsqueeze`."""
        return _reformed(self, lambda x: shape.unsqueeze(x, dim), "unsqueeze_")

    def t_(self: Any) -> Tensor:
        """In-place `t`."""
        if self.ndim > 2:
            raise RuntimeError(
                f"t_() expects a tensor with <= 2 dimensions, but self is {self.ndim}D; "
                "use transpose_(dim0, dim1)"
            )
        return _reformed(self, shape.t, "t_")

    def transpose_(self: Any, dim0: int, dim1: int) -> Tensor:
        """In-place `transpose`."""
        return _reformed(self, lambda x: shape.transpose(x, dim0, dim1), "transpose_")

    def swapaxes_(self: Any, axis0: int, axis1: int) -> Tensor:
        """In-place `swapaxes`."""
        return _reformed(self, lambda x: shape.transpose(x, axis0, axis1), "swapaxes_")

    def swapdims_(self: Any, dim0: int, dim1: int) -> Tensor:
        """In-place `swapdims`."""
        return _reformed(self, lambda x: shape.transpose(x, dim0, dim1), "swapdims_")

    def resize_(self: Any, *sizes: Any, size: Any = None, memory_format: Any = None) -> Tensor:
        """Another size over the same memory; more elements need a new memory, begun with the old.

        The further elements have no set value.  A memory that others share cannot grow: they
        would not follow, as they do in PyTorch.
        """
        check_memory_format(memory_format)
        if self.requires_grad:
            raise RuntimeError(
                "cannot resize variables that require grad; use reshape, or pad and index"
            )
        wanted = size_of(sizes, size)
        count = math.prod(wanted)
        if not self.is_contiguous():
            raise RuntimeError("resize_: the tensor is not contiguous; call contiguous() first")
        make_contiguous(self)
        if count <= self._array.size:
            return _reformed(
                self,
                lambda x: shape.view(shape.narrow(shape.view(x, (-1,)), 0, 0, count), wanted),
                "resize_",
            )
        if sharers(self):
            raise RuntimeError(
                f"resize_: {self._array.size} elements cannot become {count}: other tensors share "
                "this memory, and would not follow. Make a new tensor (x.new_empty(size))."
            )
        grown = np.empty(count, self._array.dtype)
        grown[: self._array.size] = self._array.ravel()
        _take(self, grown.reshape(wanted), new_storage())
        return self  # type: ignore[no-any-return]

    def resize_as_(self: Any, the_template: Tensor, *, memory_format: Any = None) -> Tensor:
        """`resize_` to the other tensor's size."""
        return self.resize_(the_template.shape, memory_format=memory_format)  # type: ignore[no-any-return]

    def set_(
        self: Any,
        source: Any = None,
        storage_offset: int = 0,
        size: Sequence[int] | None = None,
        stride: Sequence[int] | None = None,
    ) -> Tensor:
        """Share another tensor's memory (or a storage's) from now on; nothing: be empty.

        Refused where a gradient would have to pass from one to the other.
        """
        check_not_leaf(self, "set_")
        needs = isinstance(source, TensorBase) and source.requires_grad  # type: ignore[attr-defined]
        if local.context.grad_enabled and (needs or self.requires_grad):
            raise RuntimeError(
                "set_: gradients cannot follow a change of memory; assign the tensor to the name "
                "(x = source), or write x.data = source, or use tensorgrad.no_grad()"
            )
        if any(other._view is not None and other._view[0] is self for other in sharers(self)):
            raise RuntimeError(
                "set_: the tensor has views, which would go on sharing its former memory; "
                "make a new tensor instead"
            )
        if source is None:
            _take(self, np.empty(0, self._array.dtype), new_storage())
            return self  # type: ignore[no-any-return]
        if isinstance(source, TensorBase):
            if source._array.dtype != self._array.dtype:
                raise RuntimeError(
                    f"set_: the source has dtype {source._array.dtype}, the tensor {self.dtype}"
                )
            if size is None:
                _take(self, source._array, storage_of(source))
                return self  # type: ignore[no-any-return]
            flat, storage = memory_of(source), storage_of(source)
        elif isinstance(source, (UntypedStorage, TypedStorage)):
            flat, storage = source.elements(self._array.dtype), source.shared
        else:
            raise TypeError(f"set_: expected a Tensor or a storage, got {type(source).__name__}")
        wanted = (flat.size - storage_offset,) if size is None else size_of((tuple(size),))
        _take(self, _window(flat, storage_offset, wanted, stride), storage)
        return self  # type: ignore[no-any-return]


def _reformed(tensor: Any, change: Callable[[Any], Any], name: str) -> Tensor:
    return reform(tensor, change, name)  # type: ignore[no-any-return]


def _take(tensor: Any, array: Any, storage: Storage) -> None:
    tensor._array, tensor._storage = array, storage
    tensor._view = tensor._accumulator = None
    if not array.flags.c_contiguous:
        storage.strided = True


def _window(flat: Any, offset: int, size: tuple[int, ...], stride: Any) -> Any:
    """The elements of a flat memory under a size and strides (in elements) that stay within it."""
    steps = contiguous_strides(size, 1) if stride is None else tuple(int(s) for s in stride)
    if len(steps) != len(size):
        raise RuntimeError(f"set_: {len(size)} sizes and {len(steps)} strides")
    last = offset + sum((n - 1) * s for n, s in zip(size, steps, strict=True))
    if any(s < 0 for s in steps) or offset < 0 or (0 not in size and last >= flat.size):
        raise RuntimeError(
            f"set_: size {list(size)}, stride {list(steps)} and offset {offset} reach beyond the "
            f"{flat.size} elements of the storage"
        )
    bytes_ = tuple(s * flat.itemsize for s in steps)
    return np.lib.stride_tricks.as_strided(flat[offset:], size, bytes_)
