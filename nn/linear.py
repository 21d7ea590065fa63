"""Linear layers."""

from __future__ import annotations

import math
from typing import Any

from numpy import add

from tensorgrad.kernels.products import LEAST, SIDE, offered
from tensorgrad.nn import functional as F
from tensorgrad.nn import init
from tensorgrad.nn.factory import parameter
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter
from tensorgrad.nn.short_calls import on_arrays
from tensorgrad.ops import linalg
from tensorgrad.ops.linalg import beside, product, repeated
from tensorgrad.tensor import Tensor

__all__ = ["Identity", "Linear", "NonDynamicallyQuantizableLinear"]


class Identity(Module):
    """The input as it is, whatever the arguments: a placeholder."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        """The input."""
        return input


# Up to so many rows, weights times columns take three quarters of the time of rows times weights,
# if there are this many results: of (50, 784) to 300 features 266 us, not 331.
_FEW = 128
_MANY = 1 << 12


def _linear(module: Any, x: Any, own: bool) -> Any:
    # Lengths, not shapes: a shape is a new tuple each time it is asked for, 90 ns.
    parameters = module.__dict__["_parameters"]
    weight, bias = parameters["weight"]._array, parameters["bias"]
    kind, count = x.dtype, len(weight)
    if weight.dtype is not kind or weight.ndim != 2:
        return None
    if bias is None:
        b = None
    else:
        b = bias._array
        if b.dtype is not kind or b.size != count or b.ndim != 1:
            return None
    flat = x.ndim == 2
    if flat:
        rows = len(x)
        if rows * count < _MANY:
            y = x.dot(weight.T)  # which refuses another number of features
            if b is None:
                return y
            return add(y, repeated(b, rows) if rows > 1 < count else beside(b, rows), y)
    shape, features = x.shape, weight.shape[1]
    if shape[-1] != features:
        return None
    if not flat:
        rows = math.prod(shape[:-1])
        x = x.reshape(rows, features)
    y = None
    if rows >= SIDE and rows * count * features >= LEAST:
        y = offered(x, weight.T, b)
    if y is None:
        if flat and rows <= _FEW and rows <= count:
            y = weight.dot(x.T).T
        else:
            y = product(x, weight.T)
        if b is not None:
            add(y, beside(b, rows), y)
    return y if flat else y.reshape((*shape[:-1], count))


def _linear_recorded(module: Any, x: Any) -> Any:
    parameters = module.__dict__["_parameters"]
    return linalg.linear(x, parameters["weight"], parameters["bias"])


class Linear(Module):
    """x @ weight.T + bias over the last dimension: (..., in_features) to (..., out_features).

    weight: (out_features, in_features); weight and bias are drawn from U(-k, k),
    k = 1 / sqrt(in_features).
    """

    in_features: int
    out_features: int
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = parameter(self, (out_features, in_features), device, dtype)
        if bias:
            self.bias = parameter(self, (out_features,), device, dtype)
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        # a = sqrt(5) makes the bound of kaiming_uniform_ 1 / sqrt(fan_in).
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    @on_arrays(_linear, _linear_recorded)
    def forward(self, input: Tensor) -> Tensor:
        """Apply the layer."""
        parameters = self.__dict__["_parameters"]  # found sooner than attributes of a module are
        if "weight" in parameters and "bias" in parameters:
            return F.linear(input, parameters["weight"], parameters["bias"])
        return F.linear(input, self.weight, self.bias)  # computed ones

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class NonDynamicallyQuantizableLinear(Linear):
    """`Linear` under the name that PyTorch gives the last projection of `MultiheadAttention`."""


class Bilinear(Module):
    """y_o = sum_ij x1_i weight_oij x2_j + bias_o over the last dimensions of two inputs.

    weight: (out_features, in1_features, in2_features); weight and bias are drawn from U(-k, k),
    k = 1 / sqrt(in1_features).
    """

    in1_features: int
    in2_features: int
    out_features: int
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"Bilinear: in1_features must be > 0, but got {in1_features}")
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        shape = (out_features, in1_features, in2_features)
        self.weight = parameter(self, shape, device, dtype)
        made = parameter(self, (out_features,), device, dtype) if bias else None
        self.register_parameter("bias", made)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        """Apply the layer."""
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
