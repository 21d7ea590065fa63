"""Initial values of parameters: every function fills its tensor in place and returns it.

What they draw comes from ``generator``, or from the default one that `tensorgrad.manual_seed`
seeds.  Nothing is recorded.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.errors import describe
from tensorgrad.graph.provenance import warn
from tensorgrad.nn.functional.checks import expect_tensor
from tensorgrad.nn.skipping import skippable
from tensorgrad.random import Generator, rng_of
from tensorgrad.tensor import Tensor

__all__ = [
    "calculate_gain",
    "constant",
    "constant_",
    "dirac",
    "dirac_",
    "eye",
    "eye_",
    "kaiming_normal",
    "kaiming_normal_",
    "kaiming_uniform",
    "kaiming_uniform_",
    "normal",
    "normal_",
    "ones_",
    "orthogonal",
    "orthogonal_",
    "sparse",
    "sparse_",
    "trunc_normal_",
    "uniform",
    "uniform_",
    "xavier_normal",
    "xavier_normal_",
    "xavier_uniform",
    "xavier_uniform_",
    "zeros_",
]

Array = np.ndarray[Any, Any]

_LINEAR = (
    "linear",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
)


def _fill(name: str, tensor: Tensor, values: Any) -> Tensor:
    """Write values into a tensor's memory, unrecorded, cast to its dtype."""
    expect_tensor(name, "tensor", tensor)
    if not tensor._array.flags.writeable:
        raise RuntimeError(
            f"{name}: the memory of {describe(tensor)} is read-only; clone() it first"
        )
    tensor._array[...] = values
    tensor._bump()
    return tensor


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which a nonlinearity's weights must be larger to keep the signal's spread.

    1 for linear maps and sigmoid, 5/3 for tanh, sqrt(2) for relu, 3/4 for selu, and
    sqrt(2 / (1 + param**2)) for leaky_relu with the slope ``param`` (0.01 unless given).
    """
    if nonlinearity in _LINEAR or nonlinearity == "sigmoid":
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "selu":
        return 3.0 / 4
    if nonlinearity == "leaky_relu":
        if param is not None and (isinstance(param, bool) or not isinstance(param, (int, float))):
            raise ValueError(f"calculate_gain: negative_slope {param!r} not a valid number")
        slope = 0.01 if param is None else param
        return math.sqrt(2.0 / (1 + slope**2))
    raise ValueError(f"calculate_gain: Unsupported nonlinearity {nonlinearity!r}")


@skippable
def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill with numbers drawn evenly from [a, b)."""
    expect_tensor("uniform_", "tensor", tensor)
    if a > b:
        raise RuntimeError(
            f"uniform_ expects to return a [from, to) range, but found from={a} > to={b}"
        )
    return _fill("uniform_", tensor, rng_of(generator).uniform(a, b, tensor.shape))


@skippable
def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill with numbers of the normal distribution N(mean, std**2)."""
    expect_tensor("normal_", "tensor", tensor)
    if std < 0:
        raise RuntimeError(f"normal_ expects std >= 0.0, but found std {std}")
    return _fill("normal_", tensor, rng_of(generator).normal(mean, std, tensor.shape))


@skippable
def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Fill with numbers of N(mean, std**2) drawn again until they lie in [a, b]."""
    expect_tensor("trunc_normal_", "tensor", tensor)
    if not a <= b or std < 0:
        raise RuntimeError(
            f"trunc_normal_: expected a <= b and std >= 0, got a={a}, b={b} and std={std}"
        )
    if mean < a - 2 * std or mean > b + 2 * std:
        warn(
            f"trunc_normal_: mean={mean} is more than 2 std from [a, b] = [{a}, {b}]: nearly all "
            "numbers will lie at one end of it."
        )
    if std == 0:
        return _fill("trunc_normal_", tensor, min(max(mean, a), b))
    low, high = (a - mean) / std, (b - mean) / std
    drawn = _truncated(rng_of(generator), tensor.numel(), low, high)
    values = np.clip(drawn * std + mean, a, b)
    return _fill("trunc_normal_", tensor, values.reshape(tensor.shape))


def _truncated(rng: np.random.Generator, count: int, low: float, high: float) -> Array:
    """Standard normal numbers between two bounds, by rejection from whichever proposal fits.

    Normal where the interval has much of the mass, uniform where it is short, and for a long
    interval in a tail the exponential that touches it (C. P. Robert, Simulation of truncated
    normal variables, 1995).
    """
    if high < 0:  # the left tail is the mirrored right one
        return -_truncated(rng, count, -high, -low)
    mass = 0.5 * (math.erf(high / math.sqrt(2)) - math.erf(low / math.sqrt(2)))
    nearest = max(low, 0.0)
    rate = 0.5 * (nearest + math.sqrt(nearest * nearest + 4))
    out = np.empty(count)
    have = 0
    while have < count:
        n = max(count - have, 16)
        if mass > 0.25:
            z = rng.standard_normal(n)
            z = z[(z >= low) & (z <= high)]
        elif low <= 0 or (high - low) * rate < 2:
            z = rng.uniform(low, high, n)
            z = z[rng.random(n) <= np.exp(0.5 * (nearest**2 - z * z))]
        else:
            z = low + rng.exponential(1 / rate, n)
            z = z[(rng.random(n) <= np.exp(-0.5 * (z - rate) ** 2)) & (z <= high)]
        z = z[: count - have]
        out[have : have + len(z)] = z
        have += len(z)
    return out


@skippable
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one value."""
    return _fill("constant_", tensor, val)


@skippable
def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones."""
    return _fill("ones_", tensor, 1)


@skippable
def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros."""
    return _fill("zeros_", tensor, 0)


@skippable
def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with the identity: ones on the diagonal, zeros elsewhere."""
    expect_tensor("eye_", "tensor", tensor)
    if tensor.ndim != 2:
        raise ValueError(
            f"eye_: only tensors with 2 dimensions are supported, got {describe(tensor)}"
        )
    return _fill("eye_", tensor, np.eye(*tensor.shape))


@skippable
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill a convolution's weight so that, with "same" padding, it hands its input channels on."""
    expect_tensor("dirac_", "tensor", tensor)
    if tensor.ndim not in (3, 4, 5):
        raise ValueError(
            f"dirac_: only tensors with 3, 4, or 5 dimensions are supported, got {describe(tensor)}"
        )
    shape = tensor._array.shape
    if groups < 1 or shape[0] % groups:
        raise ValueError(f"dirac_: dim 0 ({shape[0]}) must be divisible by groups={groups}")
    values = np.zeros(shape)
    per_group = shape[0] // groups
    centre = tuple(n // 2 for n in shape[2:])
    for group in range(groups):
        for i in range(min(per_group, shape[1])):
            values[(group * per_group + i, i, *centre)] = 1
    return _fill("dirac_", tensor, values)


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """How many inputs reach one output of a weight, and how many outputs one input reaches."""
    if tensor.ndim < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions, got "
            f"{describe(tensor)}"
        )
    outputs, inputs, *window = tensor._array.shape
    return inputs * math.prod(window), outputs * math.prod(window)


def _fan(name: str, tensor: Tensor, mode: str) -> int:
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(
            f"{name}: Mode {mode} not supported, please use one of ['fan_in', 'fan_out']"
        )
    return _calculate_fan_in_and_fan_out(tensor)[mode == "fan_out"]


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    """The fan that a mode names; PyTorch's name, which programs call."""
    return _fan("_calculate_correct_fan", tensor, mode)


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """U(-c, c), c = gain * sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010)."""
    expect_tensor("xavier_uniform_", "tensor", tensor)
    bound = gain * math.sqrt(6.0 / max(sum(_calculate_fan_in_and_fan_out(tensor)), 1))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """N(0, s**2), s = gain * sqrt(2 / (fan_in + fan_out)) (Glorot and Bengio, 2010)."""
    expect_tensor("xavier_normal_", "tensor", tensor)
    std = gain * math.sqrt(2.0 / max(sum(_calculate_fan_in_and_fan_out(tensor)), 1))
    return normal_(tensor, 0.0, std, generator)


def _kaiming_std(name: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float | None:
    """gain / sqrt(fan); None, with PyTorch's warning, for a tensor without elements."""
    expect_tensor(name, "tensor", tensor)
    if 0 in tensor._array.shape:
        warn("Initializing zero-element tensors is a no-op")
        return None
    return calculate_gain(nonlinearity, a) / math.sqrt(_fan(name, tensor, mode))


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """U(-c, c), c = gain * sqrt(3 / fan) (He et al., 2015); ``a`` is the slope of leaky_relu."""
    std = _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    if std is None:
        return tensor
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """N(0, s**2), s = gain / sqrt(fan) (He et al., 2015); ``a`` is the slope of leaky_relu."""
    std = _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity)
    return tensor if std is None else normal_(tensor, 0.0, std, generator)


@skippable
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Fill with gain times orthonormal rows (or columns, if there are more rows than columns).

    Dimensions after the first count as one.  Evenly distributed over all such matrices (Saxe,
    McClelland and Ganguli, 2013): Q of a QR decomposition with the signs of R's diagonal.
    """
    expect_tensor("orthogonal_", "tensor", tensor)
    if tensor.ndim < 2:
        raise ValueError(
            "orthogonal_: only tensors with 2 or more dimensions are supported, got "
            f"{describe(tensor)}"
        )
    if not tensor.numel():
        return tensor
    rows = tensor._array.shape[0]
    columns = tensor.numel() // rows
    tall = rng_of(generator).standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(tall)
    q *= np.where(np.diagonal(r) < 0, -1, 1)
    if rows < columns:
        q = q.T
    return _fill("orthogonal_", tensor, gain * q.reshape(tensor.shape))


@skippable
def sparse_(
    tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None
) -> Tensor:
    """Fill from N(0, std**2), with a share ``sparsity`` of each column zero (Martens, 2010)."""
    expect_tensor("sparse_", "tensor", tensor)
    if tensor.ndim != 2:
        raise ValueError(
            f"sparse_: only tensors with 2 dimensions are supported, got {describe(tensor)}"
        )
    rows, columns = tensor._array.shape
    zeros = math.ceil(sparsity * rows)
    rng = rng_of(generator)
    values = rng.normal(0, std, (rows, columns))
    for column in range(columns):
        values[rng.permutation(rows)[:zeros], column] = 0
    return _fill("sparse_", tensor, values)


# --- Old names ------------------------------------------------------------------------------------


def _old(new: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The function under its name of before the underscore, with PyTorch's warning."""
    name = new.__name__.rstrip("_")

    def old(*args: Any, **kwargs: Any) -> Tensor:
        warn(
            f"`nn.init.{name}` is now deprecated in favor of `nn.init.{new.__name__}`.",
            FutureWarning,
        )
        return new(*args, **kwargs)

    old.__name__ = old.__qualname__ = name
    old.__doc__ = f"The old name of `{new.__name__}`; it warns."
    return old


constant = _old(constant_)
dirac = _old(dirac_)
eye = _old(eye_)
kaiming_normal = _old(kaiming_normal_)
kaiming_uniform = _old(kaiming_uniform_)
normal = _old(normal_)
orthogonal = _old(orthogonal_)
sparse = _old(sparse_)
uniform = _old(uniform_)
xavier_normal = _old(xavier_normal_)
xavier_uniform = _old(xavier_uniform_)

# The two that programs with an initializer of their own take from PyTorch.
_no_grad_uniform_ = uniform_
_no_grad_normal_ = normal_
