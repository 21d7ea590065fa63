"""Functions with a backward of their own, where PyTorch has them."""

from __future__ import annotations

from tensorgrad.custom import Function, FunctionCtx, once_differentiable
from tensorgrad.custom_vmap import VmapInfo

__all__ = ["Function", "FunctionCtx", "VmapInfo", "once_differentiable"]
