"""NumPy's ufuncs on Tensors: ``np.exp(x)``, ``array + x``, ``np.add.reduce(x)``, ..., recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from tensorgrad.functions import elementwise as basic
from tensorgrad.functions import floating, statistics
from tensorgrad.functions import linalg as products
from tensorgrad.graph.node import TensorBase
from tensorgrad.numpy_dispatch.table import axes_of, cast, name_of, no_others, tensor_of
from tensorgrad.ops import elementwise as ops
from tensorgrad.ops import floating as bits
from tensorgrad.ops import logarithmic, reduction, shape, trigonometric
from tensorgrad.primitive import recorded
from tensorgrad.promotion import promote

__all__ = ["UFUNCS", "call_ufunc"]

_SCALARS = (bool, int, float, complex)
_NUMBERS = (*_SCALARS, np.generic)  # they have no say in the dtype of a result
_OPERANDS = (TensorBase, ndarray, *_NUMBERS, list, tuple)


def _swap(x: Any) -> Any:
    return shape.permute(x, axes=(*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def _column(x: Any) -> Any:
    return x[..., None]


def _conj(x: Any) -> Any:
    return ops.conj(x) if x.is_complex() else ops.clone(x)


def _vecdot(a: Any, b: Any) -> Any:
    return reduction.sum(ops.mul(_conj(tensor_of(a)), b), axis=-1, keepdims=False)


def _matvec(a: Any, b: Any) -> Any:
    return products.matmul(a, _column(b))[..., 0]


def _vecmat(a: Any, b: Any) -> Any:
    return products.matmul(_conj(a)[..., None, :], b)[..., 0, :]


def _matmul(a: Any, b: Any) -> Any:
    return recorded.matmul(a, b)


def _heaviside(x: Any, values: Any) -> Any:
    x, values = (tensor_of(v) for v in (x, values))
    kind = np.result_type(*promote([x._array, values._array], to_float=True))
    return floating.heaviside(cast(x, kind), cast(values, kind))


def _fabs(x: Any) -> Any:
    if x.is_complex():
        raise TypeError("np.fabs is not defined for complex tensors; use np.abs")
    return ops.abs(x if x.is_floating_point() else ops.mul(x, 1.0))


def _modf(x: Any) -> tuple[Any, Any]:
    whole = ops.trunc(x if x.is_floating_point() else ops.mul(x, 1.0))
    # The fraction of an infinity is 0, with its sign, in NumPy.
    rest = ops.where(ops.isinf(x), 0.0, ops.sub(x, whole))
    return floating.copysign(rest, x), whole


def _round(x: Any) -> Any:
    return ops.round(x, decimals=0)


UFUNCS: dict[Any, Callable[..., Any]] = {
    # one argument
    np.absolute: ops.abs, np.fabs: _fabs, np.negative: ops.neg, np.positive: ops.clone,
    np.sign: ops.sgn, np.conjugate: _conj, np.invert: ops.bitwise_not, np.rint: _round,
    np.floor: ops.floor, np.ceil: ops.ceil, np.trunc: ops.trunc, np.exp: ops.exp,
    np.exp2: trigonometric.exp2, np.expm1: ops.expm1, np.log: ops.log, np.log2: ops.log2,
    np.log10: ops.log10, np.log1p: ops.log1p, np.sqrt: ops.sqrt, np.square: basic.square,
    np.reciprocal: ops.reciprocal, np.sin: ops.sin, np.cos: ops.cos, np.tan: trigonometric.tan,
    np.arcsin: trigonometric.asin, np.arccos: trigonometric.acos, np.arctan: trigonometric.atan,
    np.sinh: trigonometric.sinh, np.cosh: trigonometric.cosh, np.tanh: ops.tanh,
    np.arcsinh: trigonometric.asinh, np.arccosh: trigonometric.acosh,
    np.arctanh: trigonometric.atanh, np.deg2rad: lambda x: ops.mul(x, np.pi / 180),
    np.radians: lambda x: ops.mul(x, np.pi / 180), np.rad2deg: lambda x: ops.mul(x, 180 / np.pi),
    np.degrees: lambda x: ops.mul(x, 180 / np.pi), np.isfinite: ops.isfinite,
    np.isinf: ops.isinf, np.isnan: ops.isnan, np.signbit: bits.signbit,
    np.logical_not: ops.logical_not, np.modf: _modf, np.frexp: floating.frexp,
    # two arguments
    np.add: ops.add, np.subtract: ops.sub, np.multiply: ops.mul, np.divide: ops.div,
    np.floor_divide: ops.floor_divide, np.remainder: ops.remainder, np.fmod: bits.fmod,
    np.divmod: lambda a, b: (ops.floor_divide(a, b), ops.remainder(a, b)), np.power: ops.pow,
    np.float_power: floating.float_power, np.arctan2: trigonometric.atan2,
    np.hypot: trigonometric.hypot, np.logaddexp: logarithmic.logaddexp,
    np.logaddexp2: logarithmic.logaddexp2, np.copysign: bits.copysign,
    np.nextafter: bits.nextafter, np.maximum: ops.maximum, np.minimum: ops.minimum,
    np.fmax: bits.fmax, np.fmin: bits.fmin, np.heaviside: _heaviside, np.ldexp: floating.ldexp,
    np.gcd: bits.gcd, np.lcm: bits.lcm, np.equal: ops.eq, np.not_equal: ops.ne, np.less: ops.lt,
    np.less_equal: ops.le, np.greater: ops.gt, np.greater_equal: ops.ge,
    np.logical_and: ops.logical_and, np.logical_or: ops.logical_or,
    np.logical_xor: ops.logical_xor, np.bitwise_and: ops.bitwise_and,
    np.bitwise_or: ops.bitwise_or, np.bitwise_xor: ops.bitwise_xor,
    np.left_shift: bits.bitwise_left_shift, np.right_shift: bits.bitwise_right_shift,
    np.matmul: _matmul, np.vecdot: _vecdot,
}  # fmt: skip
for _name, _adapter in (("matvec", _matvec), ("vecmat", _vecmat)):  # of NumPy 2.2
    if hasattr(np, _name):
        UFUNCS[getattr(np, _name)] = _adapter

_REDUCE: dict[Any, Callable[..., Any]] = {
    np.add: reduction.sum, np.multiply: reduction.prod, np.maximum: reduction.amax,
    np.minimum: reduction.amin, np.logical_and: reduction.all, np.logical_or: reduction.any,
}  # fmt: skip
_ACCUMULATE: dict[Any, Callable[..., Any]] = {
    np.add: lambda x, axis: reduction.cumsum(x, axis=axis), np.multiply: statistics.cumprod,
    np.maximum: lambda x, axis: statistics.cummax(x, axis).values,
    np.minimum: lambda x, axis: statistics.cummin(x, axis).values,
    np.logaddexp: statistics.logcumsumexp,
}  # fmt: skip
# What NumPy's keywords are where nobody set them; anything else is refused.
_DEFAULTS = {"casting": "same_kind", "order": "K", "subok": True, "where": True}


def _reduce(ufunc: Any, a: Any, axis: Any = 0, dtype: Any = None, out: Any = None,
            keepdims: bool = False, **rest: Any) -> Any:  # fmt: skip
    no_others(f"{ufunc.__name__}.reduce", {"out": out, **rest})
    return _REDUCE[ufunc](cast(tensor_of(a), dtype), axis=axes_of(axis), keepdims=keepdims)


def _accumulate(ufunc: Any, a: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    no_others(f"{ufunc.__name__}.accumulate", {"out": out})
    return _ACCUMULATE[ufunc](cast(tensor_of(a), dtype), axis)


def _outer(ufunc: Any, a: Any, b: Any) -> Any:
    first, second = tensor_of(a), tensor_of(b)
    return UFUNCS[ufunc](first.reshape(*first.shape, *(1,) * second.ndim), second)


def _at(ufunc: Any, a: Any, indices: Any, values: Any) -> None:
    """a[indices] += values, where an index may come twice; in place."""
    if not isinstance(a, TensorBase):
        source: Any = values
        ufunc.at(a, indices, source.numpy())  # which refuses to lose a gradient
        return
    added: Any = tensor_of(values)
    if ufunc is np.subtract:
        added = ops.neg(added)
    places = indices if isinstance(indices, tuple) else (indices,)
    target: Any = a
    target.index_put_(
        tuple(tensor_of(i) for i in places), cast(added, a._array.dtype), accumulate=True
    )


def _array(x: Any) -> Any:
    return x.numpy()


def _written(ufunc: Any, method: str, inputs: tuple[Any, ...], words: dict[str, Any]) -> Any:
    """The call with ``out=``: an ndarray is written by NumPy, a Tensor in place, recorded."""
    outs = words.pop("out")
    if all(out is None or isinstance(out, ndarray) for out in outs):
        # .numpy() refuses a tensor that requires grad, whose graph an ndarray would lose.
        plain = [_array(x) if isinstance(x, TensorBase) else x for x in inputs]
        into = outs if len(outs) > 1 or method == "__call__" else outs[0]
        return getattr(ufunc, method)(*plain, out=into, **words)
    if len(outs) > 1 or not isinstance(outs[0], TensorBase):
        raise TypeError(f"{name_of(ufunc)}: out= takes one Tensor, or ndarrays only, got {outs!r}")
    found: Any = call_ufunc(ufunc, method, inputs, words)
    target: Any = outs[0]
    if found.shape != target.shape or not np.can_cast(
        found._array.dtype, target._array.dtype, "same_kind"
    ):
        raise TypeError(
            f"{name_of(ufunc)}: the result, {found.dtype} of shape {tuple(found.shape)}, does not "
            f"fit out=, {target.dtype} of shape {tuple(target.shape)}"
        )
    return target.copy_(found)


def _is_default(key: str, value: Any) -> bool:
    return key in _DEFAULTS and isinstance(value, (bool, str)) and value == _DEFAULTS[key]


def _refused(ufunc: Any, method: str) -> TypeError:
    what = name_of(ufunc) + ("" if method == "__call__" else f".{method}")
    return TypeError(
        f"{what} has no tensorgrad equivalent; compute it on the array, "
        f"{what}(x.detach().numpy()), where no gradient is needed"
    )


def call_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], words: dict[str, Any]) -> Any:
    """What ``ufunc.method(*inputs, **words)`` is for Tensors; NotImplemented for strange types."""
    if not all(isinstance(x, _OPERANDS) for x in inputs) and method != "at":
        return NotImplemented
    adapter = UFUNCS.get(ufunc)
    if adapter is None:
        raise _refused(ufunc, method)
    if words:
        if any(out is not None for out in words.get("out", ())):
            return _written(ufunc, method, inputs, words)
        words = {k: v for k, v in words.items() if not _is_default(k, v)}
    if method == "__call__":
        if words:
            dtype = words.pop("dtype", None)
            no_others(ufunc.__name__, words)
            inputs = tuple(cast(tensor_of(x), dtype) for x in inputs)
        if len(inputs) == 1:
            return adapter(tensor_of(inputs[0]))
        return adapter(*(x if isinstance(x, _NUMBERS) else tensor_of(x) for x in inputs))
    if method == "reduce" and ufunc in _REDUCE:
        return _reduce(ufunc, *inputs, **words)
    if method == "accumulate" and ufunc in _ACCUMULATE:
        return _accumulate(ufunc, *inputs, **words)
    if method == "outer" and ufunc.nin == 2 and ufunc.signature is None:
        no_others(f"{ufunc.__name__}.outer", words)
        return _outer(ufunc, *inputs)
    if method == "at" and ufunc in (np.add, np.subtract):
        _at(ufunc, *inputs)
        return None
    raise _refused(ufunc, method)
