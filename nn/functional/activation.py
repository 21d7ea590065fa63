"""Activations: elementwise nonlinearities, and softmax with its relatives.

``inplace=True`` writes the result into the input's own memory and returns the input; the graph
follows it as it follows every write.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.dtypes import numpy_dtype
from tensorgrad.functions.shape import dimension
from tensorgrad.graph.provenance import warn
from tensorgrad.nn.functional.checks import expect_tensor
from tensorgrad.ops import elementwise as ops
from tensorgrad.ops import softmax as softmax_ops
from tensorgrad.ops.gelu import gelu as _gelu
from tensorgrad.tensor import Tensor
from tensorgrad.views.following import before_write, write

__all__ = [
    "elu",
    "elu_",
    "gelu",
    "leaky_relu",
    "leaky_relu_",
    "log_softmax",
    "logsigmoid",
    "relu",
    "relu_",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "tanh",
]


def _real(name: str, input: Tensor) -> None:
    """Raise unless the input is a Tensor of floating-point numbers, as PyTorch's kernels do."""
    expect_tensor(name, "input", input)
    if input._array.dtype.kind != "f":
        raise NotImplementedError(
            f"{name}(): not implemented for {input.dtype}; convert the input with .float()"
        )


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0); the derivative at 0 is 0."""
    if inplace:
        return relu_(input)
    expect_tensor("relu", "input", input)
    if input._array.dtype.kind == "b":
        raise RuntimeError("relu(): Boolean inputs not supported; convert the input with .float()")
    return ops.relu(input)


def relu_(input: Tensor) -> Tensor:
    """`relu` in place."""
    expect_tensor("relu_", "input", input)
    out: Tensor = write(input, relu(before_write(input)), "relu_")
    return out


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, else negative_slope * x; the derivative at 0 is negative_slope."""
    if inplace:
        return leaky_relu_(input, negative_slope)
    _real("leaky_relu", input)
    x = input._array
    slope = np.where(x > 0, x.dtype.type(1), x.dtype.type(negative_slope))
    return ops.leaky_relu(input, slope=slope)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """`leaky_relu` in place."""
    _real("leaky_relu_", input)
    if negative_slope < 0:
        raise RuntimeError(
            f"leaky_relu_: a negative slope ({negative_slope}) in place loses the sign of the "
            "input; use inplace=False"
        )
    out: Tensor = write(input, leaky_relu(before_write(input), negative_slope), "leaky_relu_")
    return out


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha * (e**x - 1); the derivative at 0 is alpha."""
    if inplace:
        return elu_(input, alpha)
    _real("elu", input)
    # relu(x) + alpha * expm1(min(x, 0)): where(x > 0, x, expm1(x)) would give 0 * inf = NaN in the
    # gradient of a large x.
    below = ops.expm1(ops.clamp(input, min=None, max=0))
    if alpha != 1:
        below = ops.mul(below, float(alpha))
    return ops.add(ops.relu(input), below)


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`elu` in place."""
    _real("elu_", input)
    out: Tensor = write(input, elu(before_write(input), alpha), "elu_")
    return out


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + e**-x)."""
    expect_tensor("sigmoid", "input", input)
    return ops.sigmoid(input)


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    expect_tensor("tanh", "input", input)
    return ops.tanh(input)


def logsigmoid(input: Tensor) -> Tensor:
    """log(1 / (1 + e**-x)), computed so that it neither overflows nor loses digits."""
    _real("logsigmoid", input)
    return ops.log_sigmoid(input)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x * sigmoid(x), also called swish; of complex numbers too."""
    expect_tensor("silu", "input", input)
    if not input.is_complex():
        _real("silu", input)
    x = before_write(input) if inplace else input
    out = ops.mul(x, ops.sigmoid(x))
    return write(input, out, "silu_") if inplace else out


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x * P(Z <= x) for a standard normal Z (Hendrycks and Gimpel, 2016).

    approximate="tanh": x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x**3))) / 2 instead.
    """
    _real("gelu", input)
    if approximate not in ("none", "tanh"):
        raise RuntimeError(f"gelu(): approximate must be 'none' or 'tanh', got {approximate!r}")
    return _gelu(input, tanh=approximate == "tanh")


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + e**(beta x)) / beta; x itself where beta x > threshold."""
    _real("softplus", input)
    scaled = input if beta == 1 else ops.mul(input, float(beta))
    soft = ops.neg(ops.log_sigmoid(ops.neg(scaled)))
    if beta != 1:
        soft = ops.div(soft, float(beta))
    return ops.where(scaled._array > threshold, input, soft)


# --- Softmax --------------------------------------------------------------------------------------


def _prepared(name: str, input: Tensor, dim: int | None, dtype: Any) -> tuple[Tensor, int]:
    """The input in the dtype that was asked for, and the dimension counted from the front."""
    expect_tensor(name, "input", input)
    if dtype is not None:
        input = input.to(numpy_dtype(dtype))
    _real(name, input)
    ndim = input._array.ndim
    if dim is None:
        warn(
            f"Implicit dimension choice for {name} has been deprecated. Change the call to include "
            "dim=X as an argument."
        )
        dim = 0 if ndim in (0, 1, 3) else 1
    dim = dimension(dim)
    span = max(ndim, 1)
    if not -span <= dim < span:
        raise IndexError(
            f"{name}(): Dimension out of range (expected to be in range of [{-span}, {span - 1}], "
            f"but got {dim}) for an input of shape {tuple(input.shape)}"
        )
    return input, dim % span


def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """e**x_i / sum_j e**x_j along ``dim``; ``dtype`` is what the input is converted to first.

    _stacklevel: taken, and changes nothing: the warning about a missing ``dim`` names the
        nearest caller outside the package.
    """
    input, axis = _prepared("softmax", input, dim, dtype)
    return softmax_ops.softmax(input, axis=axis)


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """The softmax of -x."""
    input, axis = _prepared("softmin", input, dim, dtype)
    return softmax_ops.softmax(ops.neg(input), axis=axis)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """x_i - log sum_j e**x_j along ``dim``; exact where softmax underflows."""
    input, axis = _prepared("log_softmax", input, dim, dtype)
    return softmax_ops.log_softmax(input, axis=axis)
