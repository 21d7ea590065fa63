"""Methods for strides of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad.functions import strided
from tensorgrad.views.reforming import reform

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["StridedMethods"]


class StridedMethods:
    """as_strided and kin."""

    __slots__ = ()

    def as_strided(self: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
        """See `tensorgrad.as_strided`."""
        return strided.as_strided(self, size, stride, storage_offset)

    def as_strided_(self: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
        """In-place `as_strided`: this tensor becomes the window, which must lie within it."""

        def change(former: Any) -> Any:
            out = strided.as_strided(former, size, stride, storage_offset)
            step = out
            while step is not former:
                if step._view is None:
                    raise RuntimeError(
                        "as_strided_: the window reaches outside the tensor's own elements; use "
                        "as_strided"
                    )
                step = step._view[0]
            return out

        return reform(self, change, "as_strided_")  # type: ignore[no-any-return]

    def as_strided_scatter(
        self: Any, src: Tensor, size: Any, stride: Any, storage_offset: int | None = None
    ) -> Tensor:
        """See `tensorgrad.as_strided_scatter`."""
        return strided.as_strided_scatter(self, src, size, stride, storage_offset)
