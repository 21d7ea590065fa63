"""How other libraries reach a Tensor: NumPy's functions, the Array API standard, DLPack."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tensorgrad.device import check_device
from tensorgrad.dlpack import CPU, capsule_of

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["InterchangeMethods"]

# The versions of the Array API standard whose programs the namespace runs: each has what those
# before it had.
_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12")


class InterchangeMethods:
    """The protocols by which other libraries compute with Tensors."""

    __slots__ = ()

    def __array_namespace__(self: Any, *, api_version: str | None = None) -> Any:
        """The module `tensorgrad.array_api`; ValueError for a version it does not have."""
        if api_version is not None and api_version not in _VERSIONS:
            raise ValueError(
                f"version {api_version!r} of the Array API standard is not implemented; there are "
                + ", ".join(_VERSIONS)
            )
        # Loaded when first asked for: programs that never ask need not wait for it.
        return importlib.import_module("tensorgrad.array_api")

    def __array_ufunc__(self: Any, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """NumPy's ufuncs, recorded: ``np.exp(x)``, ``array + x``, ``np.add.reduce(x)``."""
        from tensorgrad.numpy_dispatch import call_ufunc  # loaded when first asked for

        return call_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self: Any, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """NumPy's other functions, recorded: ``np.concatenate([x, y])``, ``np.sum(x)``."""
        from tensorgrad.numpy_dispatch import call_function

        return call_function(func, types, args, kwargs)

    def __imatmul__(self: Any, other: Any) -> Tensor:
        # The standard asks for the name. Not in place: the product may have another shape, and
        # x @= y is x = x @ y in PyTorch too.
        return self @ other  # type: ignore[no-any-return]

    def to_device(self: Any, device: Any, /, *, stream: Any = None) -> Tensor:
        """The tensor itself: there is one device, the CPU."""
        check_device(device)
        if stream is not None:
            raise ValueError(f"to_device: stream must be None on the CPU, got {stream!r}")
        return self  # type: ignore[no-any-return]

    def __dlpack__(
        self: Any,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: Any = None,
        copy: bool | None = None,
    ) -> Any:
        """A DLPack capsule on the tensor's memory; BufferError if it requires grad."""
        return capsule_of(self, stream, max_version, dl_device, copy)

    def __dlpack_device__(self: Any) -> tuple[int, int]:
        """DLPack's number of the CPU, and 0."""
        return CPU
