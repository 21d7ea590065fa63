"""`DataParallel`, as it is on a computer without a GPU: the module itself, wrapped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tensorgrad.nn.module import Module

__all__ = ["DataParallel"]


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
