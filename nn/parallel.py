"""`DataParallel`, as it is on a computer without a GPU: the module itself, wrapped.

`DistributedDataParallel` is named, so that programs which choose at run time can import it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tensorgrad.distributed import uninitialized
from tensorgrad.nn.module import Module

__all__ = ["DataParallel", "DistributedDataParallel"]


class DataParallel(Module):
    """Calls its module; programs that wrap a model find it under ``.module``.

    The devices are taken and not used, as PyTorch does where there is none: `device_ids` is [].
    """

    def __init__(
        self,
        module: Module,
        device_ids: Sequence[Any] | None = None,
        output_device: Any = None,
        dim: int = 0,
    ) -> None:
        super().__init__()
        self.module = module
        self.device_ids: list[int] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)


class DistributedDataParallel(Module):
    """Refused: there is no process group."""

    def __init__(self, module: Module, *args: Any, **kwargs: Any) -> None:
        raise uninitialized("DistributedDataParallel")
