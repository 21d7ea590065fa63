"""What oneDNN offers to compute: its kernels, registered after NumPy's and so asked before them.

A kernel is offered for float32 from a size on at which a call into the library, some ten
microseconds, and preparing it once for each shape, about a millisecond, are well spent. Whether
the library is there is asked last: nothing is loaded for a program that never needs it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from math import isfinite, prod
from typing import Any

import numpy as np

from tensorgrad.kernels import bounds, products, rectify, taps_convolution, winograd
from tensorgrad.kernels import convolution as convolutions
from tensorgrad.kernels import gelu as gelus
from tensorgrad.kernels import layer_norm as layer_norms
from tensorgrad.kernels import normalization as norms
from tensorgrad.kernels import pooling as pools
from tensorgrad.kernels.dense import is_dense
from tensorgrad.kernels.onednn import (
    convolution,
    elementwise,
    health,
    normalization,
    pooling,
    primitive,
    product,
)
from tensorgrad.kernels.registry import Operation, forget

__all__ = ["NAME"]

NAME = "onednn"

# Multiplications of a convolution, elements of anything else.
LEAST_PRODUCTS = 1 << 19
LEAST_ELEMENTS = 1 << 14
LEAST_RECTIFIED = 1 << 17
LEAST_BETWEEN_PRODUCTS, LEAST_ANYWHERE = 1 << 16, 1 << 22
# The shortest side of a product, and what stands between products has so many rows and columns.
LEAST_SIDE = products.SIDE
# Of one image.
MANY_CHANNELS, SMALL_MAP = 64, 1 << 10


def offer(
    operation: Operation, rule: Callable[[Any], str]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a kernel for problems in float32 to which ``rule`` has no objection."""

    def applies(problem: Any) -> str:
        if problem.dtype != np.float32:
            return f"float32 only, not {problem.dtype}"
        return rule(problem) or health.reason()

    return operation.kernel(NAME, applies, provider=NAME)


def _product(problem: Any) -> str:
    """The rule for products, of which `products.LEAST` keeps the small ones away.

    Of few rows NumPy's BLAS is faster: (50, 784) to 300 features took 0.8 of PyTorch's time by it,
    1.2 by oneDNN.
    """
    side = min(*problem.left, *problem.right)
    return f"short: a side of {side}, less than {LEAST_SIDE}" if side < LEAST_SIDE else ""


def _between_products(problem: Any) -> str:
    """The rule for what stands between matrix products: it goes to oneDNN where those do.

    The threads of two libraries get in each other's way: with oneDNN's GELU and layer norm between
    products of NumPy's BLAS the step of a small GPT took 1.83 of PyTorch's time, by NumPy alone
    1.24, with all of it by oneDNN 1.12.
    """
    size = prod(problem.input)
    if size < LEAST_BETWEEN_PRODUCTS:
        return f"small: {size} elements between products, fewer than {LEAST_BETWEEN_PRODUCTS}"
    columns = problem.input[-1]
    side = min(columns, size // columns)
    if side < LEAST_SIDE and size < LEAST_ANYWHERE:
        return f"between products with a side of {side}, less than {LEAST_SIDE}"
    return ""


def _small(problem: Any, least: int = LEAST_ELEMENTS) -> str:
    """The rule for maps."""
    size = prod(problem.input)
    if size < least:
        return f"small: {size} elements, fewer than {least}"
    return _one_image(problem, problem.input[1], problem.input[2:])


def _one_image(problem: Any, channels: int, size: tuple[int, ...]) -> str:
    """The rule for convolutions that make a map of this size of one image, and what is between.

    With many channels their weights are most of what there is to read, and oneDNN first copies them
    into an order of its own; NumPy's BLAS takes them as they lie. By both in turns, the mini-VGG
    took 18 ms for one image, by NumPy alone 9.
    """
    if problem.input[0] == 1 and channels >= MANY_CHANNELS and prod(size) <= SMALL_MAP:
        return f"one image of {channels} channels, for which NumPy's products are faster"
    return ""


def _forget() -> None:
    forget()
    primitive.forget()


health.on_fork.append(_forget)


# --- Convolution ----------------------------------------------------------------------------------


def _convolution(problem: Any) -> str:
    spatial = len(problem.kernel)
    if not 1 <= spatial <= 3:
        return f"{spatial} spatial axes"
    if not all((*problem.input, *problem.weight, *problem.output)):
        return "nothing to compute"
    products = problem.input[0] * prod(problem.output) * prod(problem.weight)
    if products < LEAST_PRODUCTS:
        return f"small: {products} products, fewer than {LEAST_PRODUCTS}"
    return ""


# Where NumPy's BLAS is faster: Winograd's convolution multiplies a quarter as often, and on maps
# hardly larger than the window much of it meets nothing but padding.  What 3x3 layers of 64 to 512
# channels took on two AVX2 cores is in docs/benchmarks.md.  Forward, Winograd's was faster in a
# loop, not in a network, where oneDNN's computations follow and find the other library's threads.
_WINOGRAD_CHANNELS, _WINOGRAD_TILES = 128, 96
_BY_PLACE_ROWS = 32


def _by_winograd(problem: Any, serves: Callable[[Any], str]) -> str:
    tiles = problem.input[0] * prod(-(-n // 4) for n in problem.output)
    few = min(problem.weight[:2]) < _WINOGRAD_CHANNELS or tiles < _WINOGRAD_TILES
    if few or serves(problem):
        return ""
    return f"Winograd's is faster from {_WINOGRAD_CHANNELS} channels and {_WINOGRAD_TILES} tiles on"


def _convolution_forward(problem: Any) -> str:
    return _convolution(problem) or _one_image(problem, problem.weight[0], problem.output)


def _convolution_input(problem: Any) -> str:
    if problem.weight[1] < 4:
        return f"slower than NumPy with {problem.weight[1]} input channels a group"
    return _convolution(problem) or _by_winograd(problem, winograd.serves_input)


def _convolution_weight(problem: Any) -> str:
    reason = _convolution(problem)
    rows = problem.input[0] * prod(problem.output)
    if not reason and rows >= _BY_PLACE_ROWS and not taps_convolution.serves(problem):
        return "a product for each place of the window is faster on maps this small"
    return reason or _by_winograd(problem, winograd.serves)


# The stride, the padding, the dilation and the groups of a `convolutions.Problem`.
_HOW = slice(2, 6)


@offer(convolutions.convolve, _convolution_forward)
def _convolve(problem: Any, x: Any, w: Any, b: Any, keep: bool) -> tuple[Any, Any]:
    return convolution.convolve(x, w, b, *problem[_HOW]), None


# A number below the largest in float32, squared, for sums of squares of weights and of inputs.
_NO_OVERFLOW = 1e74


@offer(convolutions.rectified, _convolution_forward)
def _convolve_rectified(problem: Any, x: Any, w: Any, b: Any, keep: bool) -> tuple[Any, Any]:
    # It makes 0 of NaN, which cannot be where no sum of products can overflow: none is larger
    # than the norm of the inputs times that of the weights.
    of_weights, of_bias = _squares(w), 0.0 if b is None else _squares(b)
    bound = bounds.known(x)
    largest = _NO_OVERFLOW if bound is None else bound * x.size * of_weights
    if not largest < _NO_OVERFLOW:
        largest = _squares(x) * of_weights
    if largest < _NO_OVERFLOW and of_bias < _NO_OVERFLOW:
        y = convolution.convolve(x, w, b, *problem[_HOW], rectified=True)
        bounds.tell(y, 2 * (largest + of_bias))
        return y, None
    found: tuple[Any, Any] = convolutions.rectified.reference.run(problem, x, w, b, keep)
    return found


@offer(convolutions.input_gradient, _convolution_input)
def _input_gradient(problem: Any, g: Any, w: Any) -> Any:
    return convolution.input_gradient(g, w, problem.input, *problem[_HOW])


@offer(convolutions.weight_gradient, _convolution_weight)
def _weight_gradient(problem: Any, x: Any, g: Any, kept: Any) -> Any:
    return convolution.weight_gradient(x, g, problem.weight, *problem[_HOW])


# --- Max pooling ----------------------------------------------------------------------------------


def _pooling(problem: Any) -> str:
    spatial = len(problem.kernel)
    if not 1 <= spatial <= 3 or len(problem.input) != spatial + 2:
        return "not (N, C, *spatial) with one to three spatial axes"
    if any(n != 1 for n in problem.dilation):
        return "dilated windows"
    if prod(problem.kernel) >= 255:
        return "the places of windows this large do not fit a byte"
    if any(max(p) >= k for p, k in zip(problem.padding, problem.kernel, strict=True)):
        return "padding as wide as the window"
    if any(high < 0 or low < 0 for low, high in problem.padding):
        return "negative padding"
    return _small(problem) if all(problem.output) else "no window fits"


def _squares(x: Any) -> float:
    """The sum of the squares of all elements: NaN or infinite if one is, or is very large."""
    flat = x.ravel("K")
    return float(flat.dot(flat))


def _finite(x: Any) -> bool:
    """Whether all elements are numbers, and none so large that its square is not."""
    return isfinite(_squares(x))


# The places of the maxima that a forward pass found, while its result lives: the gradient
# asks for them with that very array.
_places: dict[int, tuple[weakref.ref[Any], Any]] = {}


@offer(pools.max_pool, _pooling)
def _max_pool(problem: Any, x: Any) -> Any:
    bound = bounds.known(x)
    if bound is None and not _finite(x):  # it passes over NaN, and has the lowest number for -inf
        return pools.max_pool.reference.run(problem, x)
    y, won = _pooled(problem, x)
    if bound is not None:
        bounds.tell(y, bound)
    key = id(y)
    _places[key] = weakref.ref(y, lambda _: _places.pop(key, None)), won
    return y


def _pooled(problem: Any, x: Any) -> tuple[Any, Any]:
    """The maxima, and their places as an array of the same shape."""
    return pooling.max_pool(x, problem.kernel, problem.stride, problem.padding, problem.output)


@offer(pools.pool_winner, _pooling)
def _pool_winner(problem: Any, x: Any, y: Any) -> Any:
    known = _places.get(id(y))
    if known is not None and known[0]() is y:
        return known[1]
    if not _finite(y):
        return pools.pool_winner.reference.run(problem, x, y)
    return _pooled(problem, x)[1]


@offer(pools.pool_scatter, _pooling)
def _pool_scatter(problem: Any, g: Any, won: Any) -> Any:
    return pooling.max_pool_gradient(
        g, won, problem.input, problem.kernel, problem.stride, problem.padding
    )


# --- ReLU -----------------------------------------------------------------------------------------


def _maps(problem: Any) -> str:
    """The rule for ReLU: of maps, and of anything very large.

    Between products NumPy's takes one pass; to look whether all is finite takes BLAS's threads.
    """
    size = prod(problem.input)
    if len(problem.input) < 4:
        few = size < LEAST_ANYWHERE
        return f"{size} elements, no maps, fewer than {LEAST_ANYWHERE}" if few else ""
    return _small(problem, LEAST_RECTIFIED)


@offer(rectify.relu, _maps)
def _relu(problem: Any, x: Any) -> Any:
    if is_dense(x) and _finite(x):  # oneDNN makes 0 of NaN
        return elementwise.relu(x)
    return rectify.relu.reference.run(problem, x)


@offer(rectify.relu_gradient, _maps)
def _relu_gradient(problem: Any, g: Any, y: Any) -> Any:
    if is_dense(g) and g.strides == y.strides and _finite(g):  # and NaN of inf and NaN where y is 0
        return elementwise.relu_gradient(g, y)
    return rectify.relu_gradient.reference.run(problem, g, y)


# --- Batch norm -----------------------------------------------------------------------------------


def _batch_norm(problem: Any) -> str:
    if not 2 <= len(problem.input) <= 5:
        return f"{len(problem.input)} axes"
    return _small(problem)


@offer(norms.batch_norm, _batch_norm)
def _normalised(problem: Any, x: Any, w: Any, b: Any, mean: Any, var: Any, eps: float) -> Any:
    return normalization.batch_norm(x, w, b, mean, var, eps)


@offer(norms.batch_norm_backward, _batch_norm)
def _batch_norm_backward(
    problem: Any, g: Any, x: Any, w: Any, mean: Any, var: Any, eps: float, needs: Any
) -> list[Any]:
    found = normalization.batch_norm_gradients(g, x, w, mean, var, eps)
    return [d if need else None for d, need in zip(found, needs, strict=True)]


# --- Products -------------------------------------------------------------------------------------


@offer(products.product, _product)
def _multiply(problem: Any, a: Any, b: Any, bias: Any) -> Any:
    return product.product(a, b, bias)


# --- Layer norm -----------------------------------------------------------------------------------


def _layer_norm(problem: Any) -> str:
    return _between_products(problem) if problem.centred else "RMS norm"


@offer(layer_norms.layer_norm, _layer_norm)
def _rows_normalised(problem: Any, x: Any, w: Any, b: Any, eps: float) -> tuple[Any, Any, Any]:
    y, mean, var = normalization.layer_norm(x, w, b, eps)
    var += np.float32(eps)
    return y, mean[:, None], np.reciprocal(np.sqrt(var, out=var), out=var)[:, None]


@offer(layer_norms.layer_norm_gradient, _layer_norm)
def _layer_norm_gradient(
    problem: Any, g: Any, x: Any, w: Any, mean: Any, inverse: Any, eps: float, needs: Any
) -> list[Any]:
    # Its kernel adds eps again.
    var = np.reciprocal(inverse * inverse) - np.float32(eps)
    found = normalization.layer_norm_gradients(g, x, w, mean.ravel(), var.ravel(), eps)
    return [d if need else None for d, need in zip(found, needs, strict=True)]


# --- GELU -----------------------------------------------------------------------------------------


@offer(gelus.gelu, _between_products)
def _gelu(problem: Any, x: Any, keep: bool) -> tuple[Any, Any]:
    return elementwise.gelu(x, problem.tanh), None


@offer(gelus.gelu_gradient, _between_products)
def _gelu_gradient(problem: Any, g: Any, x: Any, kept: Any) -> Any:
    return elementwise.gelu_gradient(g, x, problem.tanh)
