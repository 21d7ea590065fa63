"""Shape methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad.functions import shape as functions

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["ShapeMethods"]


class ShapeMethods:
    """Shape methods."""

    __slots__ = ()

    def broadcast_to(self: Any, size: Sequence[int]) -> Tensor:
        """Repeat along dimensions of size 1, as a view; the gradient sums over the repeats."""
        return functions.broadcast_to(self, size)

    def chunk(self: Any, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
        """At most ``chunks`` pieces of equal size along a dimension."""
        return functions.chunk(self, chunks, dim)

    def expand(self: Any, *size: Any) -> Tensor:
        """As broadcast_to; -1 keeps a dimension."""
        return functions.expand(self, *size)

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

    def split(self: Any, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
        """Pieces along a dimension: of one size (the last may be smaller), or of the sizes listed."""
        return functions.split(self, split_size_or_sections, dim)

    def squeeze(self: Any, dim: Any = None) -> Tensor:
        """Drop dimensions of size 1: all, or those named."""
        return functions.squeeze(self, dim)

    def swapaxes(self: Any, dim0: int, dim1: int) -> Tensor:
        """Exchange two dimensions, as a view."""
        return functions.transpose(self, dim0, dim1)

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

    def unbind(self: Any, dim: int = 0) -> tuple[Tensor, ...]:
        """The slices along a dimension, without it."""
        return functions.unbind(self, dim)

    def unflatten(self: Any, dim: int, sizes: Sequence[int]) -> Tensor:
        """Split one dimension into several."""
        return functions.unflatten(self, dim, sizes)

    def unsqueeze(self: Any, dim: int) -> Tensor:
        """Insert a dimension of size 1."""
        return functions.unsqueeze(self, dim)


    def reshape(self: Any, *shape: Any) -> Tensor:
        """Another shape, given as ints or one sequence; a view where that is possible."""
        return functions.reshape(self, _sizes(shape))

    def reshape_as(self: Any, other: Tensor) -> Tensor:
        """Reshaped to the other tensor's shape."""
        return functions.reshape(self, other.shape)

    def view(self: Any, *shape: Any) -> Tensor:
        """A reshape that shares memory; an error where the strides forbid it."""
        if len(shape) == 1 and not isinstance(shape[0], (int, tuple, list)):
            raise RuntimeError(f"view: viewing as {shape[0]!r} is not supported; use .to(dtype)")
        return functions.view(self, *shape)

    def view_as(self: Any, other: Tensor) -> Tensor:
        """Viewed in the other tensor's shape."""
        return functions.view(self, other.shape)

    def permute(self: Any, *dims: Any) -> Tensor:
        """The dimensions in another order, given as ints or one sequence."""
        return functions.permute(self, _sizes(dims))

    def expand_as(self: Any, other: Tensor) -> Tensor:
        """Expanded to the other tensor's shape."""
        return functions.expand(self, *other.shape)

    def repeat(self: Any, *repeats: Any) -> Tensor:
        """Repeated along each dimension; new dimensions may be added in front."""
        sizes = _sizes(repeats)
        if len(sizes) < self.ndim:
            raise RuntimeError(
                "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor"
            )
        return functions.tile(self, sizes)

    def tile(self: Any, *dims: Any) -> Tensor:
        """Repeated along each dimension as often as dims says."""
        return functions.tile(self, _sizes(dims))

    def flip(self: Any, *dims: Any) -> Tensor:
        """Reversed along dimensions, as a copy."""
        return functions.flip(self, _sizes(dims))

    @property
    def T(self: Any) -> Tensor:  # noqa: N802 - PyTorch's name
        """The dimensions in reverse order."""
        return functions.permute(self, tuple(reversed(range(self.ndim))))

    @property
    def mT(self: Any) -> Tensor:  # noqa: N802 - PyTorch's name
        """The last two dimensions exchanged."""
        if self.ndim < 2:
            raise RuntimeError(f"tensor.mT is only supported on matrices or batches of matrices. Got {self.ndim}-D tensor.")
        return functions.transpose(self, -2, -1)


def _sizes(size: Any) -> Any:
    """Ints, or one sequence of them."""
    return size[0] if len(size) == 1 and isinstance(size[0], (tuple, list)) else size
