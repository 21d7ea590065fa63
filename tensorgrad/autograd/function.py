"""Functions with a backward of their own, where PyTorch has them."""

from __future__ import annotations

from tensorgrad.custom import Function, FunctionCtx, once_differentiable

__all__ = ["Function", "FunctionCtx", "once_differentiable"]
