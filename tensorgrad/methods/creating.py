"""New tensors with the dtype of an existing one, and its elements as another class or size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from tensorgrad.creation import check_options, finish, size_of, warn_of_copy
from tensorgrad.dtypes import as_dtype, numpy_dtype
from tensorgrad.functions import shape
from tensorgrad.graph.node import TensorBase, strided
from tensorgrad.legacy import of_dtype
from tensorgrad.primitive import recorded
from tensorgrad.reading import array_of
from tensorgrad.scalars import element

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["CreatingMethods"]


def _kind(tensor: Any, dtype: Any) -> np.dtype[Any]:
    return tensor._array.dtype if dtype is None else numpy_dtype(dtype)


def _sizes(args: tuple[Any, ...], size: Any) -> tuple[int, ...]:
    return size_of(args if size is None else (size,))


class CreatingMethods:
    """``new_*``: as the function of that name, in this tensor's dtype unless another is given."""

    __slots__ = ()

    def new_tensor(
        self: Any,
        data: Any,
        *,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        layout: Any = None,
        pin_memory: bool = False,
    ) -> Tensor:
        """A tensor of data, copied."""
        check_options(device, layout, pin_memory)
        if isinstance(data, TensorBase):
            warn_of_copy("tensor.new_tensor(source)")
        return finish(array_of(data, _kind(self, dtype)), requires_grad, self)

    def new_empty(
        self: Any,
        *args: Any,
        size: Any = None,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        layout: Any = None,
        pin_memory: bool = False,
    ) -> Tensor:
        """Unwritten elements."""
        check_options(device, layout, pin_memory)
        return finish(np.empty(_sizes(args, size), _kind(self, dtype)), requires_grad, self)

    def new_zeros(
        self: Any,
        *args: Any,
        size: Any = None,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        layout: Any = None,
        pin_memory: bool = False,
    ) -> Tensor:
        """Zeros."""
        check_options(device, layout, pin_memory)
        return finish(np.zeros(_sizes(args, size), _kind(self, dtype)), requires_grad, self)

    def new_ones(
        self: Any,
        *args: Any,
        size: Any = None,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        layout: Any = None,
        pin_memory: bool = False,
    ) -> Tensor:
        """Ones."""
        check_options(device, layout, pin_memory)
        return finish(np.ones(_sizes(args, size), _kind(self, dtype)), requires_grad, self)

    def new_full(
        self: Any,
        size: Sequence[int],
        fill_value: Any,
        *,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        layout: Any = None,
        pin_memory: bool = False,
    ) -> Tensor:
        """One value everywhere."""
        check_options(device, layout, pin_memory)
        value = fill_value._array if isinstance(fill_value, TensorBase) else fill_value
        kind = _kind(self, dtype)
        filled = np.full(size_of((tuple(size),)), element("new_full", value, kind), kind)
        return finish(filled, requires_grad, self)

    def new_empty_strided(
        self: Any,
        size: Sequence[int],
        stride: Sequence[int],
        *,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        layout: Any = None,
        pin_memory: bool = False,
    ) -> Tensor:
        """Unwritten elements with those strides (in elements)."""
        check_options(device, layout, pin_memory)
        sizes, steps = size_of((tuple(size),)), tuple(int(s) for s in stride)
        if len(sizes) != len(steps) or any(s < 0 for s in steps):
            raise RuntimeError(
                f"new_empty_strided: size {list(sizes)} needs as many strides, none negative, got "
                f"{list(steps)}"
            )
        kind = _kind(self, dtype)
        reach = 1 + sum((n - 1) * s for n, s in zip(sizes, steps, strict=True) if n)
        memory = np.empty(reach, kind)
        array = as_strided(memory, sizes, tuple(s * kind.itemsize for s in steps))
        return strided(array).requires_grad_(requires_grad)

    def new(self: Any, *args: Any) -> Tensor:
        """As the constructor of this tensor's type: of data, or unwritten of a size."""
        return of_dtype(as_dtype(self._array.dtype))(*args)

    def as_subclass(self: Any, cls: Any) -> Any:
        """The same memory and graph as an object of a subclass of Tensor."""
        if not (isinstance(cls, type) and issubclass(cls, TensorBase)):
            raise TypeError(f"as_subclass: expected a subclass of Tensor, got {cls!r}")
        alias = self.view_as(self)
        made: Any = object.__new__(cls)
        for name in TensorBase.__slots__:
            if hasattr(alias, name):
                setattr(made, name, getattr(alias, name))
        return made

    @staticmethod
    def _make_subclass(cls: Any, data: Any, require_grad: bool = False) -> Any:
        """A leaf of a subclass on the memory of ``data``: what PyTorch's programs call in their
        ``__new__``.
        """
        made = data.detach().as_subclass(cls)
        made._node, made._view = None, None
        return made.requires_grad_(require_grad)

    def sum_to_size(self: Any, *sizes: Any, size: Any = None) -> Tensor:
        """Summed over the dimensions along which that size would be broadcast to this one."""
        wanted = size_of(sizes, size)
        have = self._array.shape
        lead = len(have) - len(wanted)
        fits = lead >= 0 and all(
            n in (1, m) for n, m in zip(wanted, have[max(lead, 0) :], strict=True)
        )
        if not fits:
            raise RuntimeError(
                f"size {{{list(wanted)}}} is not expandable to size {{{list(have)}}}."
            )
        axes = [*range(lead)]
        axes += [i + lead for i, n in enumerate(wanted) if n == 1 and have[i + lead] != 1]
        if not axes:
            return self  # type: ignore[no-any-return]
        return shape.reshape(recorded.sum(self, axis=tuple(axes), keepdims=True), wanted)

    def module_load(self: Any, other: Tensor, assign: bool = False) -> Tensor:
        """What `Module.load_state_dict` puts in this tensor's place: itself, overwritten by other,
        or other itself (assign).
        """
        if assign:
            return other.detach()
        return self.detach().copy_(other)  # type: ignore[no-any-return]
