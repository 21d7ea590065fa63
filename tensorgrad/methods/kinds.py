"""What a tensor is: where it lies, how it is stored, which kind of numbers it holds.

There is one device and one layout here, so most answers are constants.  They exist because programs
ask before they choose a path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad.device import CPU, check_device
from tensorgrad.device import device as Device
from tensorgrad.layouts import layout as Layout
from tensorgrad.layouts import strided
from tensorgrad.views import sharing as memory
from tensorgrad.views.strides import logical_strides

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["KindMethods"]


class KindMethods:
    """Questions about a tensor's device, layout, memory and dtype."""

    __slots__ = ()

    @property
    def device(self) -> Device:
        """Always the CPU."""
        return CPU

    @property
    def is_cpu(self) -> bool:
        """Always True."""
        return True

    @property
    def is_cuda(self) -> bool:
        """Always False."""
        return False

    is_ipu = is_maia = is_meta = is_mps = is_mtia = is_vulkan = is_xla = is_xpu = is_cuda
    is_mkldnn = is_nested = is_quantized = is_sparse = is_sparse_csr = is_cuda

    def get_device(self) -> int:
        """The number of the device: -1, as PyTorch gives it for the CPU."""
        return -1

    @property
    def layout(self) -> Layout:
        """Always ``tensorgrad.strided``."""
        return strided

    def ndimension(self: Any) -> int:
        """The number of dimensions."""
        return self._array.ndim  # type: ignore[no-any-return]

    @property
    def name(self) -> None:
        """None: PyTorch's name of a variable, which nothing sets any more."""
        return None

    def is_floating_point(self: Any) -> bool:
        """Whether the dtype is a real floating-point type."""
        return self._array.dtype.kind == "f"  # type: ignore[no-any-return]

    def is_complex(self: Any) -> bool:
        """Whether the dtype is complex."""
        return self._array.dtype.kind == "c"  # type: ignore[no-any-return]

    @property
    def grad_dtype(self: Any) -> Any:
        """The dtype of its gradient: its own; another cannot be set."""
        return self.dtype

    @grad_dtype.setter
    def grad_dtype(self: Any, value: Any) -> None:
        if value != self.dtype:
            raise RuntimeError(
                f"grad_dtype: the gradient of a {self.dtype!r} tensor has that dtype; got {value!r}"
            )

    def is_signed(self: Any) -> bool:
        """Whether the dtype has negative numbers."""
        return self._array.dtype.kind in "ifc"

    def is_conj(self) -> bool:
        """Always False: conj() computes at once, where PyTorch's marks a view."""
        return False

    def is_neg(self) -> bool:
        """Always False: no view is marked as negated."""
        return False

    def resolve_conj(self: Any) -> Tensor:
        """The tensor itself: conj() has computed already."""
        return self  # type: ignore[no-any-return]

    def resolve_neg(self: Any) -> Tensor:
        """The tensor itself: no view is marked as negated."""
        return self  # type: ignore[no-any-return]

    def is_nonzero(self: Any) -> bool:
        """Whether the one element is not zero."""
        if self._array.size != 1:
            raise RuntimeError(
                "Boolean value of Tensor with "
                + ("no values" if not self._array.size else "more than one value")
                + " is ambiguous"
            )
        return bool(self._array.item() != 0)

    def is_same_size(self: Any, other: Tensor) -> bool:
        """Whether the shapes are equal."""
        return self._array.shape == other._array.shape  # type: ignore[no-any-return]

    def is_set_to(self: Any, tensor: Tensor) -> bool:
        """Whether both are the same elements of the same memory: address, shape, strides."""
        return (
            self.data_ptr() == tensor.data_ptr()
            and self._array.shape == tensor._array.shape
            and logical_strides(self) == logical_strides(tensor)
        )

    # --- Memory ---------------------------------------------------------------------------------

    def is_shared(self) -> bool:
        """Whether other processes see the memory: never."""
        return False

    def share_memory_(self: Any) -> Tensor:
        """Refused: an ndarray's memory cannot be moved to where other processes see it."""
        raise RuntimeError(
            "share_memory_: tensors are not shared between processes; send x.numpy(), or use "
            "multiprocessing.shared_memory"
        )

    def is_pinned(self: Any, device: Any = None) -> bool:
        """Whether the memory is page-locked for a GPU: never."""
        check_device(device)
        return False

    def pin_memory(self: Any, device: Any = None) -> Tensor:
        """Refused: there is no GPU to copy to."""
        raise RuntimeError("pin_memory: there is no accelerator here; leave the call out")

    def untyped_storage(self: Any) -> memory.UntypedStorage:
        """The bytes of the memory that the tensor and its views share."""
        return memory.untyped(self)

    def storage(self: Any) -> memory.TypedStorage:
        """The elements of the memory that the tensor and its views share."""
        return memory.typed(self)

    def storage_type(self: Any) -> type[memory.TypedStorage]:
        """The class of ``storage()``."""
        return memory.TypedStorage

    def const_data_ptr(self: Any) -> int:
        """The address of the first element."""
        return self.data_ptr()  # type: ignore[no-any-return]

    def dim_order(self: Any, ambiguity_check: bool = False) -> tuple[int, ...]:
        """The dimensions from the one with the largest stride to the smallest."""
        strides = logical_strides(self)
        if ambiguity_check and self._ambiguous_order(strides):
            raise RuntimeError(
                "dim_order: The tensor does not have unique dim order, or cannot map to exact one "
                "of the given memory formats."
            )
        return tuple(sorted(range(self.ndim), key=lambda i: -strides[i]))

    def _ambiguous_order(self: Any, strides: tuple[int, ...]) -> bool:
        kept = [s for s, n in zip(strides, self._array.shape, strict=True) if n > 1]
        return len(kept) < len(strides) or len(set(kept)) < len(kept)
