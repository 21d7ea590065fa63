"""Parts of complex tensors as methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad.functions import complex_parts as functions
from tensorgrad.functions.elementwise import conj
from tensorgrad.linalg import checks as matrices

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["ComplexMethods"]


class ComplexMethods:
    """Parts of complex tensors as methods."""

    __slots__ = ()

    def angle(self: Any) -> Tensor:
        """The argument in radians; of a real tensor 0, or pi where it is negative."""
        return functions.angle(self)

    @property
    def mH(self: Any) -> Tensor:
        """The conjugate transpose of matrices."""
        return matrices.adjoint(self)

    @property
    def H(self: Any) -> Tensor:
        """The conjugate transpose of one matrix."""
        if self.ndim not in (0, 2):
            raise RuntimeError(
                f"tensor.H is only supported on matrices (2-D tensors). Got {self.ndim}-D tensor; "
                "use mH for batches"
            )
        return matrices.adjoint(self) if self.ndim else conj(self)
