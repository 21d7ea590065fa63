"""Tensor: an array that remembers how it was made.

Here is its state: data, gradient, graph, conversion.  Its operations are in the mixins of
`tensorgrad.methods`, one family a file, each method spelled out.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy import ndarray

from tensorgrad import autograd
from tensorgrad.autograd.core import plain_backward
from tensorgrad.batching import Batch
from tensorgrad.creation import check_memory_format, size_of
from tensorgrad.device import check_device
from tensorgrad.dtypes import as_dtype, default_float, dtype
from tensorgrad.functions.shape import dimension
from tensorgrad.graph.inspection import named
from tensorgrad.graph.node import (
    OutputNode,
    TensorBase,
    hook,
    local,
    mark_inference,
    new_storage,
    register_tensor_class,
    storage_of,
    strided,
    wrap,
)
from tensorgrad.graph.provenance import warn
from tensorgrad.layouts import contiguous_format
from tensorgrad.machine.address import address
from tensorgrad.methods import Methods
from tensorgrad.ops import elementwise
from tensorgrad.reading import array_of, canonical, check_sequence
from tensorgrad.size import Size
from tensorgrad.views import following as views
from tensorgrad.views import strides

__all__ = ["Tensor"]


class Tensor(TensorBase, Methods):
    """A multi-dimensional array with a gradient and a place in a graph.

    ``Tensor(data)`` makes a float tensor of nested lists, ``Tensor(2, 3)`` an unwritten one of that
    size; `tensorgrad.tensor` is the usual way.
    """

    __array_priority__ = 1000
    _post_accumulate_hooks: dict[int, Any] | None = None

    # Not __init__: to that Python gives the other arguments that a subclass's __new__ may take.
    def __new__(cls, *data: Any, device: Any = None) -> Self:
        check_device(device)
        if not data:
            array: Any = np.empty(0, default_float())
        elif len(data) == 1 and (type(data[0]) is bool or not isinstance(data[0], (int, Size))):
            check_sequence("Tensor", data[0])
            whole = isinstance(data[0], TensorBase)
            array = array_of(data[0], None if whole else default_float())
        else:
            array = np.empty(size_of(data), default_float())
        return cls._made(array)

    @classmethod
    def _made(cls, array: Any, requires_grad: bool = False) -> Self:
        made = object.__new__(cls)
        Tensor._setup(made, array, requires_grad)
        return made

    def _setup(self, array: ndarray[Any, Any], requires_grad: bool = False) -> None:
        self._array = array
        self._node = self._held = self._view = self._accumulator = self._hooks = None
        self._grad = None
        self._requires_grad = requires_grad
        if hook.inference:
            mark_inference(self)

    # --- What it is -----------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        """The sizes of the dimensions."""
        return tuple.__new__(Size, self._array.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        if dim is None:
            return tuple.__new__(Size, self._array.shape)
        if dim.__class__ is not int:
            dim = dimension(dim)  # True and a slice would index the tuple
        try:
            return self._array.shape[dim]
        except IndexError:
            n = max(self._array.ndim, 1)
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got "
                f"{dim})"
            ) from None

    @property
    def dtype(self) -> dtype:
        """The element type."""
        return as_dtype(self._array.dtype)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    def dim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    def numel(self) -> int:
        """The number of elements."""
        return self._array.size

    nelement = numel

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self._array.itemsize

    def element_size(self) -> int:
        """Bytes per element."""
        return self._array.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self._array.nbytes

    def stride(self, dim: int | None = None) -> Any:
        """Steps between neighbours, in elements, as PyTorch would have them."""
        found = strides.logical_strides(self)
        return found if dim is None else found[dim]

    def is_contiguous(self, memory_format: Any = contiguous_format) -> bool:
        """Whether the elements are in row-major order, as PyTorch would have them."""
        check_memory_format(memory_format)
        return strides.is_contiguous(self)

    def contiguous(self, *, memory_format: Any = contiguous_format) -> Tensor:
        """The tensor itself if it is contiguous, else a copy that is."""
        check_memory_format(memory_format)
        if strides.is_contiguous(self):
            return self
        context, array = local.context, self._array
        if not (context.grad_enabled or context.dispatch) and type(array) is ndarray:
            return wrap(array.copy())
        out = elementwise.clone(self)
        out._array = np.ascontiguousarray(out._array)
        return out

    def storage_offset(self) -> int:
        """Where the first element lies in the base's memory, in elements."""
        return strides.logical_offset(self)

    def data_ptr(self) -> int:
        """The address of the first element."""
        return address(self._array)

    # --- Gradients ------------------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        """Whether operations on it are recorded."""
        if self._view is not None:
            views.refresh_view(self)
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if self._node is not None and value:  # requires_grad_() may say so once more
            raise RuntimeError("you can only change requires_grad flags of leaf variables.")
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Start (or, for a leaf, stop) recording what is done with this tensor."""
        if requires_grad and self._array.dtype.kind not in "fc":
            raise RuntimeError(
                "only Tensors of floating point and complex dtype can require gradients, got "
                f"{self.dtype}"
            )
        if not requires_grad and self._node is not None:
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. If you want to use a "
                "computed "
                "variable in a subgraph that doesn't require differentiation use var_no_grad = "
                "var.detach()."
            )
        if requires_grad and self.is_inference() and not local.context.inference:
            raise RuntimeError(
                "Setting requires_grad=True on inference tensor outside InferenceMode is not "
                "allowed; clone() it first."
            )
        self._requires_grad = bool(requires_grad)
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether it was made by the user, not by a recorded operation."""
        return not self.requires_grad or self._node is None

    @property
    def grad_fn(self) -> Any:
        """The node that made it; None for a leaf."""
        if self._view is not None:
            views.refresh_view(self)
        node = self._node
        return named(node.inputs[0] if isinstance(node, OutputNode) else node)

    @property
    def grad(self) -> Any:
        """The accumulated gradient, or None."""
        if self._grad is None and not self.is_leaf and not self.retains_grad:
            warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its "
                ".grad attribute won't be populated during autograd.backward(); call "
                "retain_grad() on it before."
            )
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(
                    f"assigned grad expected to be a Tensor or None but got {type(value).__name__}"
                )
            if value is self:
                raise RuntimeError("can't assign Variable as its own grad")
            if value._array.shape != self._array.shape:
                raise RuntimeError(
                    f"assigned grad has data of a different size: {tuple(value._array.shape)}, "
                    "expected "
                    f"{tuple(self._array.shape)}"
                )
            if value._array.dtype != self._array.dtype:
                raise RuntimeError(
                    f"assigned grad has data of a different type: {value.dtype}, expected "
                    f"{self.dtype}"
                )
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Add this tensor's gradients to ``.grad`` of the leaves; see `autograd.backward`."""
        if inputs is None and not create_graph and plain_backward(self, gradient, retain_graph):
            return  # as in autograd.backward, without it in between
        autograd.backward(self, gradient, retain_graph, create_graph, None, inputs)

    def detach(self) -> Tensor:
        """The same memory, outside the graph; writes are seen by both and counted.

        Under vmap outside the graph of all the examples too, not only of this one.
        """
        if isinstance(self._array, Batch):
            return wrap(self._array.detached())
        out = wrap(self._array)
        out._held = storage_of(self)
        strides.register_alias(self, out, detached=True)
        return out

    def detach_(self) -> Self:
        """Leave the graph; refused for a view, whose base would still be in it."""
        if self._is_view():
            raise RuntimeError("Can't detach views in-place. Use detach() instead.")
        former = self
        while former._view is not None:  # what it was before a transpose_ or the like
            former = former._view[0]
            former._node, former._requires_grad = None, False
        self._node = None
        self._requires_grad = False
        if isinstance(self._array, Batch):
            self._array = self._array.detached()
        return self

    @property
    def data(self) -> Tensor:
        """The same memory, outside the graph; writes through it are not counted."""
        if isinstance(self._array, Batch):
            return self.detach()
        if not self._array.flags.c_contiguous and self.is_contiguous():
            strides.make_contiguous(self)
        out = strided(views.unguarded(self))
        if out._held is None:  # the same ndarray, but not the same storage
            out._held = new_storage()
        return out

    @data.setter
    def data(self, value: Any) -> None:
        if not isinstance(value, TensorBase):
            raise TypeError(f"data must be a Tensor, got {type(value).__name__}")
        if self._requires_grad and value._array.dtype.kind not in "fc":
            raise RuntimeError(
                "data set to a tensor that requires gradients must be floating point or complex "
                f"dtype, got {value._array.dtype}; requires_grad_(False) first"
            )
        self._array = value._array
        # A new memory, of another shape or dtype perhaps: what was known of the old one is not so.
        strides_count = value._storage is not None and value._storage.strided
        self._held = new_storage(strided=strides_count)  # not the value's: see `data` above
        self._view = self._accumulator = None

    @property
    def _version(self) -> int:
        """How often this tensor's memory was written in place."""
        if self.is_inference():
            raise RuntimeError("Inference tensors do not track version counter.")
        storage = self._storage
        return 0 if storage is None else storage.version

    @property
    def _base(self) -> Any:
        """The tensor whose memory this view shares, or None."""
        base = views.base_of(self)
        return None if base is self else base

    def _is_view(self) -> bool:
        return views.base_of(self) is not self

    def _bump(self) -> None:
        """Tell the engine that ``_array`` was written directly."""
        views.bump(self)

    @property
    def output_nr(self) -> int:
        """Which output of its operation this is."""
        return self._node.index if isinstance(self._node, OutputNode) else 0

    # --- Copies ---

    def __hash__(self) -> Any:
        return id(self)

    def clone(self, *, memory_format: Any = None) -> Tensor:
        """A copy, recorded."""
        check_memory_format(memory_format)
        return elementwise.clone(self)

    def __deepcopy__(self, memo: dict[Any, Any]) -> Any:
        if not self.is_leaf:
            node = self.grad_fn
            at = f" at {node.location}" if node.location is not None else ""
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
                f"protocol at the moment; this one is the result of {node.op.name}{at}. detach() "
                "it first; where it is a module's attribute (a pruned weight after training), copy "
                "the module after a forward under no_grad()"
            )
        if id(self) in memo:
            return memo[id(self)]
        import copy

        made: Any = self._made(self._array.copy(), self._requires_grad)
        memo[id(self)] = made
        made._grad = copy.deepcopy(self._grad, memo)
        made.__dict__.update(
            copy.deepcopy(
                {k: v for k, v in self.__dict__.items() if k != "_post_accumulate_hooks"}, memo
            )
        )
        return made

    def __copy__(self) -> Any:
        """The same memory in a leaf."""
        return _rebuild(type(self), self._array, self.requires_grad, dict(self.__dict__))

    def __reduce_ex__(self, protocol: Any) -> Any:
        if not self.is_leaf:
            raise RuntimeError("only leaf tensors can be pickled; detach() it first")
        return _rebuild, (type(self), self._array, self._requires_grad, dict(self.__dict__))


def _rebuild(cls: Any, array: Any, requires_grad: bool, attributes: dict[str, Any]) -> Any:
    made = cls._made(canonical(array), requires_grad)
    made.__dict__.update(attributes)
    return made


register_tensor_class(Tensor, views.refresh_view, strides.register_alias)
