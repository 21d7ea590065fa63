"""Random tensors: uniform, normal, whole numbers, permutations.

All draw from a `Generator`, the default one unless another is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from tensorgrad.creation import check_options, finish, like, real_dtype, size_of
from tensorgrad.device import check_device
from tensorgrad.dtypes import numpy_dtype
from tensorgrad.node import TensorBase, wrap
from tensorgrad.random import Generator, rng_of

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "bernoulli",
    "normal",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
]


def uniform_array(rng: np.random.Generator, shape: tuple[int, ...], kind: np.dtype[Any]) -> Any:
    """Uniform on [0, 1), drawn in the precision asked for."""
    if kind.kind == "c":
        part = np.dtype(np.float32 if kind.char == "F" else np.float64)
        return uniform_array(rng, shape, part) + 1j * uniform_array(rng, shape, part)
    if kind.kind != "f":
        raise RuntimeError(f"rand: expected a floating point dtype, got {kind}")
    if kind in (np.float32, np.float64):
        return np.asarray(rng.random(shape, dtype=kind.type))
    return np.asarray(rng.random(shape, dtype=np.float32)).astype(kind)


def normal_array(rng: np.random.Generator, shape: tuple[int, ...], kind: np.dtype[Any]) -> Any:
    """Standard normal, drawn in the precision asked for; complex parts have variance 1/2."""
    if kind.kind == "c":
        part = np.dtype(np.float32 if kind.char == "F" else np.float64)
        pair = normal_array(rng, shape, part) + 1j * normal_array(rng, shape, part)
        return (pair * np.sqrt(0.5)).astype(kind)
    if kind.kind != "f":
        raise RuntimeError(f"randn: expected a floating point dtype, got {kind}")
    if kind in (np.float32, np.float64):
        return np.asarray(rng.standard_normal(shape, dtype=kind.type))
    return np.asarray(rng.standard_normal(shape, dtype=np.float32)).astype(kind)


def rand(
    *size: Any,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Uniform on [0, 1)."""
    check_options(device, layout, pin_memory)
    return finish(uniform_array(rng_of(generator), size_of(size), real_dtype(dtype)), requires_grad)


def randn(
    *size: Any,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Standard normal."""
    check_options(device, layout, pin_memory)
    return finish(normal_array(rng_of(generator), size_of(size), real_dtype(dtype)), requires_grad)


def rand_like(
    input: Tensor,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    memory_format: Any = None,
) -> Tensor:
    """Uniform on [0, 1) in the input's shape and dtype."""
    check_options(device, layout, False, memory_format)
    return finish(uniform_array(rng_of(None), *like(input, dtype)), requires_grad)


def randn_like(
    input: Tensor,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    memory_format: Any = None,
) -> Tensor:
    """Standard normal in the input's shape and dtype."""
    check_options(device, layout, False, memory_format)
    return finish(normal_array(rng_of(None), *like(input, dtype)), requires_grad)


def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Whole numbers from low (0 if left out) to below high, int64 unless told otherwise."""
    check_device(device)
    if size is None:
        low, high, size = 0, low, high
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"randint: size must be a tuple of ints, got {type(size).__name__}")
    if low >= high:
        raise RuntimeError(f"randint: from >= to, got from={low} >= to={high}")
    kind = np.dtype(np.int64) if dtype is None else numpy_dtype(dtype)
    drawn = rng_of(generator).integers(low, high, size_of((size,)))
    return finish(np.asarray(drawn).astype(kind), requires_grad)


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """0 to n - 1 in random order."""
    check_device(device)
    kind = np.dtype(np.int64) if dtype is None else numpy_dtype(dtype)
    return finish(rng_of(generator).permutation(n).astype(kind), requires_grad)


def normal(
    mean: Any,
    std: Any = 1.0,
    size: Sequence[int] | None = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal numbers with the given means and standard deviations (tensors or numbers)."""
    check_device(device)
    m, s = (v._array if isinstance(v, TensorBase) else v for v in (mean, std))
    if np.any(np.less(s, 0)):
        raise RuntimeError(f"normal expects std >= 0.0, but found std {np.min(s)}")
    if size is None and not isinstance(mean, TensorBase) and not isinstance(std, TensorBase):
        raise TypeError("normal: size is needed when mean and std are numbers")
    shape = (
        size_of((tuple(size),))
        if size is not None
        else np.broadcast_shapes(np.shape(m), np.shape(s))
    )
    kind = real_dtype(dtype)
    if dtype is None:
        for v in (m, s):
            if isinstance(v, ndarray) and v.dtype.kind == "f":
                kind = v.dtype
                break
    array = normal_array(rng_of(generator), shape, kind)
    return finish(np.asarray(array * s + m).astype(kind, copy=False), requires_grad)


def bernoulli(input: Tensor, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that the input gives at each place, else 0; the input's dtype."""
    p = input._array
    if np.any((p < 0) | (p > 1)):
        raise RuntimeError("bernoulli: expected p_in >= 0 && p_in <= 1")
    drawn = rng_of(generator).random(p.shape) < p
    return wrap(np.asarray(drawn).astype(p.dtype))
