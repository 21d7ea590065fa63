"""Writing at indices, out of place and in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad.functions import placing
from tensorgrad.functions import scattering as functions
from tensorgrad.views.following import before_write, write

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["ScatteringMethods"]


class ScatteringMethods:
    """Writing at indices, out of place and in place."""

    __slots__ = ()

    def index_add(self: Any, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
        """input with alpha * source's slices added at positions along ``dim``."""
        return functions.index_add(self, dim, index, source, alpha=alpha)

    def index_copy(self: Any, dim: int, index: Tensor, source: Tensor) -> Tensor:
        """input with source's slices in place of those at positions along ``dim``."""
        return functions.index_copy(self, dim, index, source)

    def index_fill(self: Any, dim: int, index: Tensor, value: Any) -> Tensor:
        """input with a number (or 0-d tensor) in the slices at positions along ``dim``."""
        return functions.index_fill(self, dim, index, value)

    def index_put(self: Any, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
        """input with values written (or added, repeated places too) at a tuple of index tensors."""
        return functions.index_put(self, indices, values, accumulate)

    def index_reduce(
        self: Any,
        dim: int,
        index: Tensor,
        source: Tensor,
        reduce: str,
        *,
        include_self: bool = True,
    ) -> Tensor:
        """input combined with source's slices that fall on positions along ``dim``."""
        return functions.index_reduce(self, dim, index, source, reduce, include_self=include_self)

    def masked_scatter(self: Any, mask: Tensor, source: Tensor) -> Tensor:
        """input with the first elements of source, in order, where the mask holds."""
        return placing.masked_scatter(self, mask, source)

    def put(self: Any, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
        """input, taken as flat, with source written or added at integer positions."""
        return placing.put(self, index, source, accumulate)

    def scatter(
        self: Any,
        dim: int,
        index: Tensor,
        src: Any = None,
        *,
        value: Any = None,
        reduce: str | None = None,
    ) -> Tensor:
        """input with src (or a number) written at index along ``dim``: the inverse of gather."""
        return functions.scatter(self, dim, index, src, value=value, reduce=reduce)

    def scatter_add(self: Any, dim: int, index: Tensor, src: Tensor) -> Tensor:
        """input with src added at index along ``dim``; repeated places add up."""
        return functions.scatter_add(self, dim, index, src)

    def scatter_reduce(
        self: Any, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
    ) -> Tensor:
        """In-place `scatter_reduce`."""
        return functions.scatter_reduce(self, dim, index, src, reduce, include_self=include_self)

    def select_scatter(self: Any, src: Tensor, dim: int, index: int) -> Tensor:
        """input with src in place of one slice along ``dim``."""
        return placing.select_scatter(self, src, dim, index)

    def slice_scatter(
        self: Any,
        src: Tensor,
        dim: int = 0,
        start: int | None = None,
        end: int | None = None,
        step: int = 1,
    ) -> Tensor:
        """input with src in place of a range of slices along ``dim``."""
        return placing.slice_scatter(self, src, dim, start, end, step)

    def take(self: Any, index: Tensor) -> Tensor:
        """The elements of the flattened input at integer positions, in index's shape."""
        return placing.take(self, index)

    def scatter_(
        self: Any,
        dim: int,
        index: Tensor,
        src: Any = None,
        *,
        value: Any = None,
        reduce: str | None = None,
    ) -> Tensor:
        """In-place `scatter`."""
        changed = functions.scatter(
            before_write(self, src, value), dim, index, src, value=value, reduce=reduce
        )
        return write(self, changed, "scatter_")  # type: ignore[no-any-return]

    def scatter_add_(self: Any, dim: int, index: Tensor, src: Tensor) -> Tensor:
        """In-place `scatter_add`."""
        changed = functions.scatter_add(before_write(self, src), dim, index, src)
        return write(self, changed, "scatter_add_")  # type: ignore[no-any-return]

    def scatter_reduce_(
        self: Any, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
    ) -> Tensor:
        """In-place `scatter_reduce`."""
        changed = functions.scatter_reduce(
            before_write(self, src), dim, index, src, reduce, include_self=include_self
        )
        return write(self, changed, "scatter_reduce_")  # type: ignore[no-any-return]

    def index_add_(self: Any, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
        """In-place `index_add`."""
        changed = functions.index_add(before_write(self, source), dim, index, source, alpha=alpha)
        return write(self, changed, "index_add_")  # type: ignore[no-any-return]

    def index_copy_(self: Any, dim: int, index: Tensor, source: Tensor) -> Tensor:
        """In-place `index_copy`."""
        changed = functions.index_copy(before_write(self, source), dim, index, source)
        return write(self, changed, "index_copy_")  # type: ignore[no-any-return]

    def index_fill_(self: Any, dim: int, index: Tensor, value: Any) -> Tensor:
        """In-place `index_fill`."""
        changed = functions.index_fill(before_write(self, value), dim, index, value)
        return write(self, changed, "index_fill_")  # type: ignore[no-any-return]

    def index_put_(self: Any, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
        """In-place `index_put`."""
        changed = functions.index_put(before_write(self, values), indices, values, accumulate)
        return write(self, changed, "index_put_")  # type: ignore[no-any-return]

    def masked_scatter_(self: Any, mask: Tensor, source: Tensor) -> Tensor:
        """In-place `masked_scatter`."""
        changed = placing.masked_scatter(before_write(self, source), mask, source)
        return write(self, changed, "masked_scatter_")  # type: ignore[no-any-return]

    def put_(self: Any, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
        """In-place `put`."""
        changed = placing.put(before_write(self, source), index, source, accumulate)
        return write(self, changed, "put_")  # type: ignore[no-any-return]
