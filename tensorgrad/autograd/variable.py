"""`Variable`: what a Tensor was called in PyTorch before 0.4."""

from __future__ import annotations

from typing import Any

from tensorgrad.graph.node import TensorBase, hook, storage_of, wrap

__all__ = ["Variable"]


class _VariableMeta(type):
    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, hook.tensor)


class Variable(metaclass=_VariableMeta):
    """``Variable(tensor, requires_grad=False)`` gives a Tensor on the same memory."""

    def __new__(cls, data: Any = None, requires_grad: bool = False) -> Any:
        if data is None:
            return hook.tensor().requires_grad_(requires_grad)
        if not isinstance(data, TensorBase):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        made: Any = wrap(data._array)
        made._held = storage_of(data)
        return made.requires_grad_(requires_grad)
