"""Shape methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tensorgrad.functions import shape as functions
from tensorgrad.functions.shape import dims_of, given_once, sizes_of
from tensorgrad.ops import shape as ops
from tensorgrad.recording.viewing import reshaped

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["ShapeMethods"]


class ShapeMethods:
    """Shape methods."""

    __slots__ = ()

    def broadcast_to(self: Any, *sizes: Any, size: Any = None) -> Tensor:
        """Repeat along dimensions of size 1, as a view; the gradient sums over the repeats."""
        several = sizes if size is None else given_once("broadcast_to", sizes, size)
        return functions.broadcast_to(self, sizes_of(several))

    def expand(self: Any, *sizes: Any, size: Any = None) -> Tensor:
        """As broadcast_to; -1 keeps a dimension."""
        several = sizes if size is None else given_once("expand", sizes, size)
        return functions.expand(self, *several)

    def flatten(self: Any, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        """Join the dimensions from start_dim to end_dim into one."""
        return functions.flatten(self, start_dim, end_dim)

    def moveaxis(self: Any, source: Any, destination: Any) -> Tensor:
        """Move dimensions to other places, the rest keeping their order."""
        return functions.movedim(self, source, destination)

    def movedim(self: Any, source: Any, destination: Any) -> Tensor:
        """Move dimensions to other places, the rest keeping their order."""
        return functions.movedim(self, source, destination)

    def narrow(self: Any, dim: int, start: Any, length: int) -> Tensor:
        """``length`` slices from ``start`` along a dimension, as a view."""
        return functions.narrow(self, dim, start, length)

    def numel(self: Any) -> int:
        """The number of elements."""
        return functions.numel(self)

    def ravel(self: Any) -> Tensor:
        """One dimension, in row-major order."""
        return functions.ravel(self)

    def select(self: Any, dim: int, index: int) -> Tensor:
        """One slice along a dimension, as a view without it."""
        return functions.select(self, dim, index)

    def squeeze(self: Any, dim: Any = None, *dims: int) -> Tensor:
        """Drop dimensions of size 1: all, or those named, as a tuple or one after the other."""
        return functions.squeeze(self, (dim, *dims) if dims else dim)

    def swapaxes(self: Any, axis0: int, axis1: int) -> Tensor:
        """Exchange two dimensions, as a view."""
        return functions.transpose(self, axis0, axis1)

    def swapdims(self: Any, dim0: int, dim1: int) -> Tensor:
        """Exchange two dimensions, as a view."""
        return functions.transpose(self, dim0, dim1)

    def t(self: Any) -> Tensor:
        """The transpose of a matrix; a vector as it is."""
        return functions.t(self)

    def transpose(self: Any, dim0: int, dim1: int) -> Tensor:
        """Exchange two dimensions, as a view."""
        return functions.transpose(self, dim0, dim1)

    def tril(self: Any, diagonal: int = 0) -> Tensor:
        """The lower triangle of matrices; the rest is 0."""
        return functions.tril(self, diagonal)

    def triu(self: Any, diagonal: int = 0) -> Tensor:
        """The upper triangle of matrices; the rest is 0."""
        return functions.triu(self, diagonal)

    def unflatten(self: Any, dim: int, sizes: Sequence[int]) -> Tensor:
        """Split one dimension into several."""
        return functions.unflatten(self, dim, sizes)

    def unsqueeze(self: Any, dim: int) -> Tensor:
        """Insert a dimension of size 1."""
        return functions.unsqueeze(self, dim)

    def reshape(self: Any, *sizes: Any, shape: Any = None) -> Tensor:
        """Another shape, given as ints or one sequence; a view where that is possible."""
        if sizes and shape is None:  # as nearly always: straight to what gives the view
            found = reshaped(functions.RESHAPE, self, sizes, False)
            if found is not None:
                return found
        several = sizes if shape is None else given_once("reshape", sizes, shape)
        one = len(several) == 1 and isinstance(several[0], (tuple, list))
        return functions.reshape_closely(self, several[0] if one else several)

    def reshape_as(self: Any, other: Tensor) -> Tensor:
        """Reshaped to the other tensor's shape."""
        return functions.reshape(self, other.shape)

    def view(self: Any, *shape: Any, size: Any = None, dtype: Any = None) -> Tensor:
        """A reshape that shares memory, an error where the strides forbid it; or, with a dtype, the
        bytes as elements of it.
        """
        if shape and size is dtype is None:  # as nearly always: straight to what gives the view
            found = reshaped(functions.RESHAPE, self, shape, True)
            if found is not None:
                return found
        if (
            len(shape) == 1
            and not isinstance(shape[0], (tuple, list))
            and not hasattr(shape[0], "__index__")
        ):
            dtype, shape = shape[0], ()
        if dtype is not None:
            return functions.view_as_dtype(self, dtype)
        return functions.view(self, shape if size is None else given_once("view", shape, size))

    def view_as(self: Any, other: Tensor) -> Tensor:
        """Viewed in the other tensor's shape."""
        return ShapeMethods.view(self, other.shape)

    def permute(self: Any, *order: Any, dims: Any = None) -> Tensor:
        """The dimensions in another order, given as ints or one sequence."""
        several = order if dims is None else given_once("permute", order, dims)
        return functions.permute(self, dims_of(several))

    def expand_as(self: Any, other: Tensor) -> Tensor:
        """Expanded to the other tensor's shape."""
        return functions.expand(self, *other.shape)

    def flip(self: Any, *axes: Any, dims: Any = None) -> Tensor:
        """Reversed along dimensions, as a copy."""
        several = axes if dims is None else given_once("flip", axes, dims)
        return functions.flip(self, dims_of(several))

    @property
    def T(self: Any) -> Tensor:
        """The dimensions in reverse order."""
        return ops.permute(self, axes=tuple(range(self._array.ndim - 1, -1, -1)))

    @property
    def mT(self: Any) -> Tensor:
        """The last two dimensions exchanged; a 0-d tensor itself."""
        if self.ndim == 0:
            return self  # type: ignore[no-any-return]
        if self.ndim < 2:
            raise RuntimeError(
                "tensor.mT is only supported on matrices or batches of matrices. Got "
                f"{self.ndim}-D tensor."
            )
        return functions.transpose(self, -2, -1)
