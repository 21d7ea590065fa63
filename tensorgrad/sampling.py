"""Random tensors: uniform, normal, whole numbers, permutations.

All draw from a `Generator`, the default one unless another is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.batching import Batch
from tensorgrad.creation import check_options, finish, like, real_dtype, size_of
from tensorgrad.dtypes import numpy_dtype
from tensorgrad.random import Generator, rng_of

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
]


def _array(drawn: Any) -> Any:
    """NumPy's scalars as arrays; what was drawn for every example of a vmap as it is."""
    return drawn if isinstance(drawn, Batch) else np.asarray(drawn)


def cast(array: Any, kind: np.dtype[Any]) -> Any:
    """Drawn numbers as a dtype; what vmap draws for each example is no ndarray and stays so."""
    return (array if hasattr(array, "astype") else np.asarray(array)).astype(kind)


def uniform_array(rng: Any, shape: tuple[int, ...], kind: np.dtype[Any]) -> Any:
    """Uniform on [0, 1), drawn in the precision asked for."""
    if kind.kind == "c":
        part = np.dtype(np.float32 if kind.char == "F" else np.float64)
        return uniform_array(rng, shape, part) + 1j * uniform_array(rng, shape, part)
    if kind.kind != "f":
        raise NotImplementedError(f"rand: expected a floating point dtype, got {kind}")
    if kind in (np.float32, np.float64):
        return _array(rng.random(shape, dtype=kind.type))
    return _array(rng.random(shape, dtype=np.float32)).astype(kind)


def normal_array(rng: Any, shape: tuple[int, ...], kind: np.dtype[Any]) -> Any:
    """Standard normal, drawn in the precision asked for; complex parts have variance 1/2."""
    if kind.kind == "c":
        part = np.dtype(np.float32 if kind.char == "F" else np.float64)
        pair = normal_array(rng, shape, part) + 1j * normal_array(rng, shape, part)
        return (pair * np.sqrt(0.5)).astype(kind)
    if kind.kind != "f":
        raise NotImplementedError(f"randn: expected a floating point dtype, got {kind}")
    if kind in (np.float32, np.float64):
        return _array(rng.standard_normal(shape, dtype=kind.type))
    return _array(rng.standard_normal(shape, dtype=np.float32)).astype(kind)


def rand(
    *sizes: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Uniform on [0, 1)."""
    check_options(device, layout, pin_memory)
    return finish(
        uniform_array(rng_of(generator), size_of(sizes, size), real_dtype(dtype)), requires_grad
    )


def randn(
    *sizes: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Standard normal."""
    check_options(device, layout, pin_memory)
    return finish(
        normal_array(rng_of(generator), size_of(sizes, size), real_dtype(dtype)), requires_grad
    )


def rand_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Uniform on [0, 1) in the input's shape and dtype."""
    check_options(device, layout, pin_memory, memory_format)
    return finish(uniform_array(rng_of(generator), *like(input, dtype)), requires_grad)


def randn_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Standard normal in the input's shape and dtype."""
    check_options(device, layout, pin_memory, memory_format)
    return finish(normal_array(rng_of(generator), *like(input, dtype)), requires_grad)


def randint(
    low: Any = None,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Whole numbers from low (0 if left out) to below high, int64 unless told otherwise."""
    check_options(device, layout, pin_memory)
    if size is None:
        low, high, size = None, low, high
    elif high is None:
        low, high = None, low
    low = 0 if low is None else low
    if high is None:
        raise TypeError("randint() missing 1 required argument: 'high'")
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"randint: size must be a tuple of ints, got {type(size).__name__}")
    kind = np.dtype(np.int64) if dtype is None else numpy_dtype(dtype)
    return finish(whole_array(rng_of(generator), low, high, size_of((size,)), kind), requires_grad)


def whole_array(
    rng: np.random.Generator, low: Any, high: Any, shape: tuple[int, ...], kind: np.dtype[Any]
) -> Any:
    """Whole numbers from low to below high, of a dtype that holds them."""
    if low >= high:
        raise RuntimeError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"
        )
    if kind.kind in "biu":
        limits = (0, 1) if kind.kind == "b" else (np.iinfo(kind).min, np.iinfo(kind).max)
        for what, value in (("from", low), ("to - 1", high - 1)):
            if not limits[0] <= value <= limits[1]:
                raise RuntimeError(f"randint: {what} is out of bounds for {kind}: {value}")
    return cast(rng.integers(low, high, shape), kind)


def randint_like(
    input: Tensor,
    low: Any = None,
    high: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Whole numbers from low (0 if left out) to below high in the input's shape and dtype."""
    check_options(device, layout, pin_memory, memory_format)
    if high is None:
        low, high = None, low
    if high is None:
        raise TypeError("randint_like() missing 1 required argument: 'high'")
    low = 0 if low is None else low
    shape, kind = like(input, dtype)
    return finish(whole_array(rng_of(generator), int(low), int(high), shape, kind), requires_grad)


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """0 to n - 1 in random order."""
    check_options(device, layout, pin_memory)
    if n < 0:
        raise RuntimeError(f"randperm: n must be non-negative, got {n}")
    kind = np.dtype(np.int64) if dtype is None else numpy_dtype(dtype)
    return finish(rng_of(generator).permutation(n).astype(kind), requires_grad)
