"""The simplest layers, which `Sequential` computes without calling their modules.

A small layer's time is mostly the module's call, its function and (where nothing is recorded) the
Tensor around its result.  Here it goes straight to the primitive, in the module's scope and at the
line of the program that called the Sequential; and where nothing is recorded, from array to array,
each layer in the memory that the one before allocated.  Whatever is not as simple as it should be
(hooks, a forward of its own, a wrong shape or type) is the module's own business, as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np
from numpy import ndarray

from tensorgrad.blocks import LARGE
from tensorgrad.constants import FLOATS, float32, float64
from tensorgrad.nn.activation import ReLU, Sigmoid, Tanh
from tensorgrad.nn.batchnorm import BatchNorm1d
from tensorgrad.nn.conv import Conv1d, Conv2d, Conv3d
from tensorgrad.nn.functional.normalization import scale_and_offset
from tensorgrad.nn.hooks import everywhere
from tensorgrad.nn.linear import Linear
from tensorgrad.nn.pooling import MaxPool1d, MaxPool2d, MaxPool3d
from tensorgrad.node import Scope, local, wrap
from tensorgrad.ops import elementwise, linalg
from tensorgrad.ops.linalg import product
from tensorgrad.ops.rectified_convolution import rectified, rectified_conv
from tensorgrad.ops.unary import sigmoid_of_negative
from tensorgrad.primitive import primitives
from tensorgrad.provenance import caller
from tensorgrad.tensor import Tensor

__all__ = ["recorded", "unrecorded"]


# Of a class of modules: its forward, which a program may have replaced; what to do on an array,
# which may be written if it is own; and on a Tensor.  Both for a module with a given __dict__, and
# None where the module must be called.
_Layer: TypeAlias = tuple[
    Any, Callable[[dict[str, Any], Any, bool], Any], Callable[[dict[str, Any], Any], Any]
]

_linear = primitives["linear"].forward
_rectified = primitives["relu"].forward


# Up to so many rows, weights times columns take three quarters of the time of rows times weights,
# if there are this many results: of (50, 784) to 300 features 266 us, not 331.
_FEW = 128
_MANY = 1 << 12


def _linear_array(state: dict[str, Any], x: Any, own: bool) -> Any:
    parameters = state["_parameters"]
    weight, bias = parameters["weight"]._array, parameters["bias"]
    b = None if bias is None else bias._array
    shape, kind = x.shape, x.dtype
    count, _ = weight.shape
    if (
        len(shape) != 2
        or weight.dtype is not kind
        or (b is not None and (b.dtype is not kind or b.shape != (count,)))
    ):
        return _linear(x, weight, b)
    rows = shape[0]
    if rows * count < _MANY:
        y = x.dot(weight.T)
    elif rows <= _FEW and rows <= count:
        y = weight.dot(x.T).T
    else:
        y = product(x, weight.T)
    return y if b is None else np.add(y, b, y)


def _linear_tensor(state: dict[str, Any], x: Any) -> Any:
    parameters = state["_parameters"]
    return linalg.linear(x, parameters["weight"], parameters["bias"])


def _tanh_array(state: dict[str, Any], x: Any, own: bool) -> Any:
    if x.size >= LARGE:  # in pieces, on several threads
        return None
    return np.tanh(x, x) if own else np.tanh(x)


def _sigmoid_array(state: dict[str, Any], x: Any, own: bool) -> Any:
    return sigmoid_of_negative(np.negative(x, x) if own else np.negative(x))


def _relu_array(state: dict[str, Any], x: Any, own: bool) -> Any:
    return None if state["inplace"] else _rectified(x)


def _relu_tensor(state: dict[str, Any], x: Any) -> Any:
    return None if state["inplace"] else elementwise.relu(x)


def _batch_norm_array(state: dict[str, Any], x: Any, own: bool) -> Any:
    buffers, parameters = state["_buffers"], state["_parameters"]
    count = state["num_features"]
    if state["training"] or x.ndim != 2 or x.shape[1] != count or x.size >= LARGE:
        return None
    given = [buffers["running_mean"], buffers["running_var"]]
    given += [parameters["weight"], parameters["bias"]]
    mean, var, w, b = arrays = [t if t is None else t._array for t in given]
    if any(a is not None and (a.shape != (count,) or a.dtype is not x.dtype) for a in arrays):
        return None
    scale, offset = scale_and_offset(mean, var, w, b, state["eps"])
    x = np.multiply(x, scale, x) if own else np.multiply(x, scale)
    return np.add(x, offset, x)


_LAYERS: dict[type, _Layer] = {
    Linear: (Linear.forward, _linear_array, _linear_tensor),
    Tanh: (Tanh.forward, _tanh_array, lambda state, x: elementwise.tanh(x)),
    Sigmoid: (Sigmoid.forward, _sigmoid_array, lambda state, x: elementwise.sigmoid(x)),
    ReLU: (ReLU.forward, _relu_array, _relu_tensor),
    BatchNorm1d: (BatchNorm1d.forward, _batch_norm_array, lambda state, x: None),
}


def _conv_tensor(state: dict[str, Any], x: Any) -> Any:
    padding, rank = state["padding"], len(state["stride"])
    if state["padding_mode"] != "zeros" or isinstance(padding, str) or x._array.ndim != rank + 2:
        return None
    parameters = state["_parameters"]
    return rectified_conv(
        x, parameters["weight"], parameters["bias"], stride=state["stride"],
        padding=tuple([(p, p) for p in padding]), dilation=state["dilation"],
        groups=state["groups"],
    )  # fmt: skip


# A convolution whose result nobody sees but the ReLU that follows, and that ReLU.
_BEFORE_RELU: dict[type, Any] = {
    kind: (kind.forward, None, _conv_tensor) for kind in (Conv1d, Conv2d, Conv3d)
}
_DONE = (ReLU.forward, None, lambda state, x: rectified(x))


def _relu_follows(modules: dict[str, Any], name: str) -> bool:
    """Whether nobody observes, and the module after the named one is a ReLU and nothing else."""
    context, names = local.context, [*modules]
    place = names.index(name) + 1
    if context.on_forward or context.vmaps or place == len(names):
        return False
    module = modules[names[place]]
    if type(module) is not ReLU or ReLU.forward is not _DONE[0]:
        return False
    state = module.__dict__
    return state["_hooks"] is None and "forward" not in state and not state["inplace"]


def recorded(modules: dict[str, Any], value: Any) -> Any:
    """The value through modules by name, one after the other, where operations are recorded."""
    if everywhere.hooks is not None:
        for module in modules.values():
            value = module(value)
        return value
    context = local.context
    outer, place = context.scope, None
    ready = False  # whether the value is a convolution's, and holds what the ReLU after it gives
    try:
        for name, module in modules.items():
            layer: Any = _LAYERS.get(kind := type(module))
            if layer is None:
                if kind in _BEFORE_RELU and _relu_follows(modules, name):
                    layer = _BEFORE_RELU[kind]
            elif ready:
                layer = _DONE
            if layer is not None and isinstance(value, Tensor):
                forward, _, on_tensor = layer
                state = module.__dict__
                if (
                    state["_hooks"] is None
                    and "forward" not in state
                    and kind.forward is forward
                    and ((dtype := value._array.dtype) is float32 or dtype is float64)
                ):
                    context.scope = scope = Scope()  # as in Module.__call__
                    scope.parent, scope.name, scope.cls = outer, name, kind.__name__
                    scope.call = call = state["_calls"]
                    if place is None:
                        place = caller(2)
                    context.place = place
                    try:
                        found = on_tensor(state, value)
                    except Exception:
                        found = None  # the module will say what is wrong
                    if found is not None:
                        state["_calls"] = call + 1
                        value = found
                        ready = kind in _BEFORE_RELU
                        continue
            ready = False
            context.scope, context.place = outer, None
            value = module(value)
    finally:
        context.scope, context.place = outer, None
    return value


_POOLINGS = {kind: kind.forward for kind in (MaxPool1d, MaxPool2d, MaxPool3d)}


def _may_wait(relu: Any, pooling: Any) -> bool:
    """Whether a ReLU may come after the max pooling that follows it.

    The largest of rectified numbers is the rectified largest one, and there are fewer of those.
    """
    if type(relu) is not ReLU or type(pooling) not in _POOLINGS:
        return False
    first, second = relu.__dict__, pooling.__dict__
    if first["_hooks"] is not None or second["_hooks"] is not None or first["inplace"]:
        return False
    if "forward" in first or "forward" in second or second["return_indices"]:
        return False
    kind = type(pooling)
    return ReLU.forward is _LAYERS[ReLU][0] and kind.forward is _POOLINGS[kind]


def unrecorded(modules: Iterable[Any], value: Any) -> Any:
    """The value through modules one after the other, where nothing is recorded."""
    plain = everywhere.hooks is None and not local.context.vmaps
    array = _floats(value) if plain else None  # what the value is now, if that can be on arrays
    own = False
    if array is not None and array.ndim > 2:
        modules = order = [*modules]
        for i in range(len(order) - 1):
            if _may_wait(order[i], order[i + 1]):
                order[i : i + 2] = order[i + 1], order[i]
    for module in modules:
        kind = type(module)
        layer = _LAYERS.get(kind)
        if layer is not None and array is not None:
            forward, on_array, _ = layer
            state = module.__dict__
            if state["_hooks"] is None and "forward" not in state and kind.forward is forward:
                try:
                    found = on_array(state, array, own)
                except Exception:
                    found = None
                if found is not None:
                    array, own = found, True
                    state["_calls"] += 1
                    continue
        value = module(_wrapped(array) if own else value)
        array, own = _floats(value) if plain else None, False
    return _wrapped(array) if own else value


def _wrapped(array: Any) -> Any:
    """A Tensor of an array made here: matrices in C order, images as they lie."""
    return wrap(np.asarray(array, order="C") if array.ndim == 2 else array)


def _floats(value: Any) -> Any:
    """A Tensor's array of float32 or float64; None of anything else."""
    if isinstance(value, Tensor):
        array = value._array
        if type(array) is ndarray and array.dtype in FLOATS:
            return array
    return None
