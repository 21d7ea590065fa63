"""`Parameter` and `Buffer`: tensors that a module registers when they are set as attributes."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from tensorgrad.dtypes import default_float
from tensorgrad.node import storage_of
from tensorgrad.strides import register_alias
from tensorgrad.tensor import Tensor

__all__ = ["Buffer", "Parameter"]


def _share(made: Any, data: Any, what: str) -> None:
    """Set a new tensor up on the memory of ``data``, outside its graph; nothing for None."""
    if data is None:
        made._setup(np.empty(0, default_float()))
    elif isinstance(data, Tensor):
        made._setup(data._array)
        made._storage = storage_of(data)  # a write through either counts for both
        register_alias(data, made)
    else:
        raise TypeError(
            f"{what}: expected a Tensor, got {type(data).__name__}; make one of it with "
            "tensorgrad.tensor(...) or tensorgrad.from_numpy(...)"
        )


class Parameter(Tensor):
    """A tensor that is trained: setting it as an attribute of a module registers it there.

    It shares the memory of ``data``.  Results of computations with it are plain Tensors.
    """

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        _share(self, data, "Parameter")
        if requires_grad:
            self.requires_grad_()

    def __deepcopy__(self, memo: dict[Any, Any]) -> Any:
        """A Parameter on a copy of the memory, without the gradient, as in PyTorch."""
        if id(self) not in memo:
            made = type(self).__new__(type(self))
            made._setup(self._array.copy(), self._requires_grad)
            memo[id(self)] = made
            for name, value in self.__dict__.items():
                if name != "_post_accumulate_hooks":
                    made.__dict__[name] = copy.deepcopy(value, memo)
        return memo[id(self)]

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()


class Buffer(Tensor):
    """A tensor that is state but is not trained: a module registers it as a buffer.

    persistent: whether ``state_dict()`` lists it.
    """

    persistent: bool

    def __init__(self, data: Any = None, *, persistent: bool = True) -> None:
        _share(self, data, "Buffer")
        self.persistent = persistent
