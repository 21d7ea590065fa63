"""Functions with a backward of their own, where PyTorch has them."""

from __future__ import annotations

from tensorgrad.custom.function import Function, FunctionCtx, once_differentiable
from tensorgrad.custom.vmap import VmapInfo

__all__ = ["Function", "FunctionCtx", "VmapInfo", "once_differentiable"]
