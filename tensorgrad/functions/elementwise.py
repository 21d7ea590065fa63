"""Elementwise functions, PyTorch's names and arguments.  Integers become the default float where a
function's values are real; arguments are brought to their common type and broadcast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.graph.node import TensorBase, wrap
from tensorgrad.graph.provenance import warn
from tensorgrad.ops import elementwise as ops
from tensorgrad.ops.kinds import is_complex, one_dtype, refuse_complex, refuse_kinds
from tensorgrad.promotion import result_type
from tensorgrad.scalars import element

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "abs",
    "absolute",
    "add",
    "ceil",
    "clamp",
    "clip",
    "conj",
    "cos",
    "div",
    "divide",
    "exp",
    "expm1",
    "fix",
    "floor",
    "floor_divide",
    "frac",
    "imag",
    "lerp",
    "log",
    "log10",
    "log1p",
    "log2",
    "maximum",
    "minimum",
    "mul",
    "multiply",
    "neg",
    "negative",
    "positive",
    "pow",
    "real",
    "reciprocal",
    "relu",
    "remainder",
    "round",
    "rsqrt",
    "sgn",
    "sigmoid",
    "sign",
    "sin",
    "sqrt",
    "square",
    "sub",
    "subtract",
    "tanh",
    "true_divide",
    "trunc",
    "where",
]

# --- One argument ---------------------------------------------------------------------------------


def exp(input: Tensor) -> Tensor:
    """e**x."""
    return ops.exp(input)


def expm1(input: Tensor) -> Tensor:
    """e**x - 1, exact for small x."""
    return ops.expm1(input)


def log(input: Tensor) -> Tensor:
    """The natural logarithm."""
    return ops.log(input)


def log2(input: Tensor) -> Tensor:
    """The logarithm to base 2."""
    return ops.log2(input)


def log10(input: Tensor) -> Tensor:
    """The logarithm to base 10."""
    return ops.log10(input)


def log1p(input: Tensor) -> Tensor:
    """log(1 + x), exact for small x."""
    return ops.log1p(input)


def sqrt(input: Tensor) -> Tensor:
    """The square root; NaN below 0."""
    return ops.sqrt(input)


def rsqrt(input: Tensor) -> Tensor:
    """1 / sqrt(x)."""
    return ops.rsqrt(input)


def reciprocal(input: Tensor) -> Tensor:
    """1 / x."""
    return ops.reciprocal(input)


def sin(input: Tensor) -> Tensor:
    """The sine of x in radians."""
    return ops.sin(input)


def cos(input: Tensor) -> Tensor:
    """The cosine of x in radians."""
    return ops.cos(input)


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return ops.tanh(input)


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + e**-x)."""
    return ops.sigmoid(input)


def relu(input: Tensor) -> Tensor:
    """max(x, 0); the derivative at 0 is 0."""
    return ops.relu(input)


def abs(input: Tensor) -> Tensor:
    """|x|; the derivative at 0 is 0."""
    return ops.abs(input)


def neg(input: Tensor) -> Tensor:
    """-x."""
    return ops.neg(input)


def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1; derivative 0."""
    return ops.sign(input)


def sgn(input: Tensor) -> Tensor:
    """sign(x); x / |x| for complex x."""
    # NumPy's and the standard's sign, the primitive behind it, is NaN at NaN; PyTorch's is 0.
    return ops.sgn(input) if is_complex(input) else ops.sign(input)


def floor(input: Tensor) -> Tensor:
    """The largest whole number not above x; derivative 0."""
    return ops.floor(input)


def ceil(input: Tensor) -> Tensor:
    """The smallest whole number not below x; derivative 0."""
    return ops.ceil(input)


def trunc(input: Tensor) -> Tensor:
    """x without its fraction; derivative 0."""
    return ops.trunc(input)


def square(input: Tensor) -> Tensor:
    """x**2."""
    return ops.pow(input, 2)


def positive(input: Tensor) -> Tensor:
    """x itself; refused for bools."""
    if input._array.dtype.kind == "b":
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


def frac(input: Tensor) -> Tensor:
    """x - trunc(x)."""
    refuse_kinds("frac", "biu", input)
    return ops.sub(input, ops.trunc(input))


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """x rounded to ``decimals`` places, halves to even; derivative 0."""
    return ops.round(input, decimals=decimals)


def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """min(max(x, min), max), of numbers, tensors or None; the derivative at a bound is 1."""
    if min is None and max is None:
        raise RuntimeError("clamp: at least one of 'min' or 'max' must not be None")
    if isinstance(min, TensorBase) or isinstance(max, TensorBase):
        out = input
        for bound, compare in ((min, ops.ge), (max, ops.le)):
            if bound is not None:
                out = ops.where(compare(out, bound), out, bound)
        # A NaN compares false, and must stay.
        return ops.where(ops.isnan(input), input, out) if input._array.dtype.kind == "f" else out
    dtype = input._array.dtype
    if dtype in _WIDE and _modest(min) and _modest(max):  # the usual case, in short
        return ops.clamp(input, min=min, max=max)
    low, high = _plain("min", min), _plain("max", max)
    refuse_complex("clamp", input._array, low, high)
    wanted = result_type(input._array, *(b for b in (low, high) if b is not None))
    if wanted.kind == "b":
        raise NotImplementedError("clamp: not implemented for bool")
    if wanted is not dtype:
        input = ops.astype(input, dtype=wanted)
    low, high = (None if b is None else element("clamp", b, wanted).item() for b in (low, high))
    return ops.clamp(input, min=low, max=high)


_WIDE = (np.dtype(np.float32), np.dtype(np.float64))


def _modest(bound: Any) -> bool:
    """Whether it is None or a number that float32 has for certain."""
    return bound is None or (type(bound) in (float, int) and -1e38 < bound < 1e38)


def _plain(name: str, bound: Any) -> Any:
    """A bound as a Python number; TypeError if it is none."""
    if isinstance(bound, np.generic):
        bound = bound.item()
    if bound is not None and not isinstance(bound, (int, float, complex)):
        raise TypeError(
            f"clamp(): argument '{name}' must be a number or a Tensor, not {type(bound).__name__}"
        )
    return bound


def conj(input: Tensor) -> Tensor:
    """The complex conjugate; a real tensor itself."""
    return ops.conj(input) if input._array.dtype.kind == "c" else input


def real(input: Tensor) -> Tensor:
    """The real part; a real tensor itself."""
    return ops.real(input) if input._array.dtype.kind == "c" else input


def imag(input: Tensor) -> Tensor:
    """The imaginary part of a complex tensor."""
    return ops.imag(input)


# --- Two arguments --------------------------------------------------------------------------------


def add(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """input + alpha * other."""
    return ops.add(input, other if alpha == 1 else _scaled("add", input, other, alpha))


def _scaled(name: str, input: Any, other: Any, alpha: Any) -> Any:
    """alpha * other; alpha has no say in the type of the result."""
    kind = result_type(*(getattr(v, "_array", v) for v in (input, other))).kind
    if isinstance(alpha, bool) and kind != "b":
        raise RuntimeError(f"{name}: Boolean alpha only supported for Boolean results.")
    if isinstance(alpha, float) and kind in "biu":
        raise RuntimeError(
            f"{name}: For integral input tensors, argument alpha must not be a floating point "
            f"number, got {alpha}"
        )
    if isinstance(alpha, complex) and kind != "c":
        raise RuntimeError(f"{name}: a complex alpha is for complex results, got {alpha}")
    return ops.mul(other, bool(alpha) if kind == "b" else alpha)


def sub(input: Any, other: Any, alpha: Any = 1) -> Tensor:
    """input - alpha * other."""
    bools = [is_bool(v) for v in (input, other)]
    if all(bools):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
            "`logical_xor()` operator instead."
        )
    if any(bools):
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying "
            "to invert a mask, use the `~` or `logical_not()` operator instead."
        )
    return ops.sub(input, other if alpha == 1 else _scaled("sub", input, other, alpha))


def is_bool(value: Any) -> bool:
    """Whether a value is a tensor of bools, or a bool."""
    return isinstance(value, bool) or (
        isinstance(value, TensorBase) and value._array.dtype.kind == "b"
    )


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """input / other; rounding_mode "floor" or "trunc" rounds the quotient."""
    if rounding_mode is None:
        return ops.div(input, other)
    if rounding_mode == "floor":
        return ops.floor_divide(input, other)
    if rounding_mode == "trunc":
        return ops.trunc_divide(input, other)
    raise RuntimeError(
        "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found "
        f"'{rounding_mode}'"
    )


def pow(input: Any, exponent: Any) -> Tensor:
    """input**exponent."""
    return ops.pow(input, exponent)


def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """input + weight * (end - input)."""
    refuse_kinds("lerp", "biu", input, end)
    one_dtype("lerp", input, end)
    return ops.add(input, ops.mul(weight, ops.sub(end, input)))


def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """input where condition holds, else other; of the condition alone, where it holds."""
    if input is None and other is None:
        return tuple(wrap(i) for i in np.nonzero(np.atleast_1d(condition._array)))
    if isinstance(condition, TensorBase) and condition._array.dtype is _BYTE:
        warn("where received a uint8 condition tensor; use a bool one, such as condition.bool()")
        condition = ops.ne(condition, 0)
    if not (isinstance(input, TensorBase) and isinstance(other, TensorBase)):
        input, other = (v.item() if isinstance(v, np.generic) else v for v in (input, other))
        dtype = result_type(getattr(input, "_array", input), getattr(other, "_array", other))
        if dtype.char != "e":  # float16 alone takes numbers beyond its range, as infinities
            input, other = (element("where", v, dtype) for v in (input, other))
    return ops.where(condition, input, other)


_BYTE = np.dtype(np.uint8)


def mul(input: Any, other: Any) -> Tensor:
    """input * other."""
    return ops.mul(input, other)


def maximum(input: Any, other: Any) -> Tensor:
    """The larger of the two, NaN if either is; ties share the gradient evenly."""
    _two_tensors("maximum", input, other)
    return ops.maximum(input, other)


def _two_tensors(name: str, *values: Any) -> None:
    for argument, value in zip(("input", "other"), values, strict=True):
        if not isinstance(value, TensorBase):
            raise TypeError(
                f"{name}(): argument '{argument}' must be Tensor, not {type(value).__name__}; "
                "clamp takes numbers"
            )


def minimum(input: Any, other: Any) -> Tensor:
    """The smaller of the two, NaN if either is; ties share the gradient evenly."""
    _two_tensors("minimum", input, other)
    return ops.minimum(input, other)


def floor_divide(input: Any, other: Any) -> Tensor:
    """floor(input / other)."""
    return ops.floor_divide(input, other)


def remainder(input: Any, other: Any) -> Tensor:
    """input - other * floor(input / other): the sign of other."""
    return ops.remainder(input, other)


# --- Second names ---


absolute = abs
negative = neg
multiply = mul
subtract = sub
divide = div
true_divide = div
clip = clamp
fix = trunc
