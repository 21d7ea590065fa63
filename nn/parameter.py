"""`Parameter` and `Buffer`: tensors that a module registers when they are set as attributes.

Their uninitialized forms have a dtype but no shape yet: `nn.LazyLinear` and its kin make them.
"""

from __future__ import annotations

import copy
from typing import Any, ClassVar, NoReturn, Self

import numpy as np

from tensorgrad.device import check_device
from tensorgrad.dtypes import default_float, numpy_dtype
from tensorgrad.dtypes import dtype as dtype_of
from tensorgrad.graph.node import TensorBase, storage_of, wrap
from tensorgrad.tensor import Tensor
from tensorgrad.views.strides import register_alias

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "is_lazy"]


def _sharing(cls: Any, data: Any, what: str) -> Any:
    """A new tensor on the memory of ``data``, outside its graph; of no elements for None."""
    if data is None:
        return cls._made(np.empty(0, default_float()))
    if not isinstance(data, Tensor):
        raise TypeError(
            f"{what}: expected a Tensor, got {type(data).__name__}; make one of it with "
            "tensorgrad.tensor(...) or tensorgrad.from_numpy(...)"
        )
    made = cls._made(data._array)
    made._storage = storage_of(data)  # a write through either counts for both
    register_alias(data, made)
    return made


class Parameter(Tensor):
    """A tensor that is trained: setting it as an attribute of a module registers it there.

    It shares the memory of ``data``.  Results of computations with it are plain Tensors.
    """

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Self:
        made: Self = _sharing(cls, data, "Parameter")
        if requires_grad:
            made.requires_grad_()
        return made

    def __deepcopy__(self, memo: dict[Any, Any]) -> Any:
        """A Parameter on a copy of the memory, without the gradient, as in PyTorch."""
        if id(self) not in memo:
            made = self._made(self._array.copy(), self._requires_grad)
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

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Self:
        made: Self = _sharing(cls, data, "Buffer")
        made.persistent = persistent
        return made


_memory: Any = TensorBase.__dict__["_array"]  # the slot below the property that refuses


class UninitializedTensorMixin(Tensor):
    """A tensor of which only the dtype is known: computing with it is a ValueError."""

    cls_to_become: ClassVar[type[Tensor]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        return object.__new__(cls)  # and __init__ does the rest

    def _refuse(self) -> NoReturn:
        name = type(self).__name__
        raise ValueError(
            f"Attempted to use an uninitialized parameter: a {name} has no shape and no values. "
            "When using lazy modules, call the model once with a batch of data to initialize its "
            "parameters before computing with them, counting them or drawing them anew"
        )

    # Every operation reads this slot: refused here, in one place, rather than by each of them.
    @property
    def _array(self) -> Any:
        self._refuse()

    @_array.setter
    def _array(self, value: Any) -> None:
        _memory.__set__(self, value)

    def _init(self, requires_grad: bool, device: Any, dtype: Any) -> None:
        check_device(device)
        kind = default_float() if dtype is None else numpy_dtype(dtype)
        self._check_kind(requires_grad, kind)
        self._setup(np.empty(0, kind), requires_grad)

    def _check_kind(self, requires_grad: bool, kind: np.dtype[Any]) -> None:
        if requires_grad and kind.kind not in "fc":
            raise RuntimeError(
                f"{type(self).__name__}: only Tensors of floating point and complex dtype can "
                f"require gradients, got {kind}"
            )

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become a tensor of this shape, in place, with whatever the memory held as values."""
        check_device(device)
        kind = _memory.__get__(self).dtype if dtype is None else numpy_dtype(dtype)
        self._array = np.empty(tuple(shape), kind)
        self._storage = self._view = self._accumulator = None
        self.__class__ = self.cls_to_become  # type: ignore[assignment]

    @property
    def dtype(self) -> dtype_of:
        """The element type that it will have."""
        return self.data.dtype

    @property
    def data(self) -> Tensor:
        """An empty tensor of its dtype."""
        return wrap(_memory.__get__(self))

    @data.setter
    def data(self, value: Any) -> None:
        _memory.__set__(self, value._array)

    @property
    def shape(self) -> NoReturn:
        """Not known yet: a RuntimeError."""
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually "
            "happens in `load_state_dict` when trying to load an uninitialized parameter into an "
            "initialized one. Call `forward` to initialize the parameters before accessing their "
            "attributes."
        )

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Say whether gradients will be recorded for it."""
        self._check_kind(requires_grad, _memory.__get__(self).dtype)
        self._requires_grad = requires_grad
        return self

    def share_memory_(self) -> NoReturn:
        """There is no memory yet: a RuntimeError."""
        raise RuntimeError(
            "Can't share memory on an uninitialized parameter or buffer. Call `forward` to "
            "initialize the parameters before calling `module.share_memory()`."
        )

    def is_floating_point(self) -> bool:
        """Whether its dtype is of real floating-point numbers."""
        return self.data.is_floating_point()

    def is_complex(self) -> bool:
        """Whether its dtype is of complex numbers."""
        return self.data.is_complex()

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            memo[id(self)] = self._again()
        return memo[id(self)]

    def _again(self) -> Any:
        """Another one like it."""
        make: Any = type(self)
        return make(self.requires_grad, None, self.dtype)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self.requires_grad, None, self.dtype)

    def __repr__(self, **format: Any) -> str:
        return f"<{type(self).__name__}>"


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A Parameter whose shape a lazy module learns from its first input."""

    cls_to_become = Parameter

    def __init__(self, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> None:
        self._init(requires_grad, device, dtype)


class UninitializedBuffer(UninitializedTensorMixin):
    """A buffer whose shape a lazy module learns from its first input."""

    cls_to_become = Tensor
    persistent: bool

    def __init__(
        self,
        requires_grad: bool = False,
        device: Any = None,
        dtype: Any = None,
        persistent: bool = True,
    ) -> None:
        self._init(requires_grad, device, dtype)
        self.persistent = persistent


def is_lazy(param: Any) -> bool:
    """Whether it is an uninitialized parameter or buffer."""
    return isinstance(param, UninitializedTensorMixin)
