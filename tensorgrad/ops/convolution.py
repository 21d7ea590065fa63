"""Convolution and its two adjoints: bilinear, so the three are closed under differentiation.

``stride`` and ``dilation`` are one int per spatial axis, ``padding`` one (low, high) pair.
"""

from __future__ import annotations

from typing import Any

from numpy import ndarray

from tensorgrad.backward import sums
from tensorgrad.batching import windows as batching
from tensorgrad.kernels import channels
from tensorgrad.kernels import convolution as kernels
from tensorgrad.kernels.registry import Operation, described
from tensorgrad.primitive import Kept, primitive, raw


def problem_of(
    x: Any, w: Any, dtype: Any, *, stride: Any, padding: Any, dilation: Any, groups: int
) -> kernels.Problem:
    """The problem of an input and a weight of these shapes."""
    parts = tuple(x), tuple(w), stride, padding, dilation, groups, dtype
    problem: kernels.Problem = described(kernels.Problem, parts)
    return problem


def _of_input(xp: Any, g: Any, y: Any, x: Any, w: Any, b: Any, *, cache: Any, **how: Any) -> Any:
    return xp.conv_input(g, w, shape=x.shape, **how)


def _of_weight(xp: Any, g: Any, y: Any, x: Any, w: Any, b: Any, *, cache: Any, **how: Any) -> Any:
    if cache is not None:
        problem = problem_of(x.shape, w.shape, g.dtype, **how)
        return kernels.weight_gradient.choose(problem)(problem, x, g, cache)
    return xp.conv_weight(x, g, shape=w.shape, **how)


def _of_bias(xp: Any, g: Any, y: Any, x: Any, w: Any, b: Any, *, cache: Any, **how: Any) -> Any:
    axes = (0, *range(2, g.ndim))
    if xp is raw and type(g) is ndarray:
        g = sums.smaller(g)
        if (found := channels.total(g, axes)) is not None:
            return found
    return xp.sum(g, axis=axes, keepdims=False)


def check(x: Any, w: Any, b: Any, groups: int, padding: Any, dilation: Any) -> None:
    """Raise RuntimeError where shapes or dtypes do not fit."""
    n = w.ndim - 2
    if x.ndim != n + 2:
        raise RuntimeError(
            f"expected an input (N, C, *spatial) of {n + 2} dimensions, got {x.shape}"
        )
    if w.shape[1] * groups != x.shape[1]:
        raise RuntimeError(
            f"given groups={groups}, weight of size {w.shape}, expected input {x.shape} to have "
            f"{w.shape[1] * groups} channels, but got {x.shape[1]} channels instead"
        )
    if w.shape[0] % groups:
        raise RuntimeError(f"{w.shape[0]} output channels are not divisible by groups={groups}")
    if b is not None and b.shape != (w.shape[0],):
        raise RuntimeError(f"expected bias of shape ({w.shape[0]},), got {b.shape}")
    if x.dtype != w.dtype or (b is not None and b.dtype != x.dtype):
        kinds = {str(a.dtype) for a in (x, w, b) if a is not None}
        raise RuntimeError(
            f"input, weight and bias should have one type, got {', '.join(sorted(kinds))}"
        )
    for i in range(n):
        room = x.shape[2 + i] + padding[i][0] + padding[i][1]
        need = dilation[i] * (w.shape[2 + i] - 1) + 1
        if room < need:
            raise RuntimeError(
                f"calculated padded input size along spatial axis {i} is {room}, kernel size can't "
                f"be greater than that: {need}"
            )


def chosen(operation: Operation, problem: kernels.Problem, x: Any, w: Any, b: Any) -> Any:
    """The implementation for arrays that fit; RuntimeError if they do not."""
    check(x, w, b, problem.groups, problem.padding, problem.dilation)
    return operation.choose(problem)


def computed(
    operation: Operation, x: Any, w: Any, b: Any, *, keep: bool = False, **how: Any
) -> Kept:
    """What an operation of `kernels` with convolve's arguments gives, and what it keeps."""
    problem = problem_of(x.shape, w.shape, x.dtype, **how)
    run, kind = operation.chosen(problem), x.dtype
    if (
        run is None  # else these shapes were looked at before
        or w.dtype is not kind
        or (b is not None and (b.dtype is not kind or b.shape != w.shape[:1]))
    ):
        run = chosen(operation, problem, x, w, b)
    y, cache = run(problem, x, w, b, keep)
    return Kept(y, cache=cache)


@primitive(
    _of_input,
    _of_weight,
    _of_bias,
    saves=("w", "x w", ""),
    keeps="cache",
    formula=("conv_input(g, w, x)", "conv_weight(x, g, w)", "sum_channels(g)"),
    batch=batching.conv,
    exact=True,
)
def conv(
    x: Any,
    w: Any,
    b: Any,
    *,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    keep: bool = False,
) -> Kept:
    """Cross-correlation: x (N, C, *S), w (O, C/groups, *K), b (O,) or None."""
    return computed(
        kernels.convolve, x, w, b, stride=stride, padding=padding, dilation=dilation,
        groups=groups, keep=keep,
    )  # fmt: skip


@primitive(
    lambda xp, g, y, z, w, *, shape, **how: xp.conv(g, w, None, **how),
    lambda xp, g, y, z, w, *, shape, **how: xp.conv_weight(g, z, shape=w.shape, **how),
    saves=("w", "z"),
    formula=("conv(g, w)", "conv_weight(g, z, w)"),
    batch=batching.conv_input,
)
def conv_input(z: Any, w: Any, *, shape: Any, **how: Any) -> Any:
    """The adjoint of convolution with respect to its input, of the given shape."""
    problem = problem_of(shape, w.shape, z.dtype, **how)
    return kernels.input_gradient.choose(problem)(problem, z, w)


@primitive(
    lambda xp, g, y, x, z, *, shape, **how: xp.conv_input(z, g, shape=x.shape, **how),
    lambda xp, g, y, x, z, *, shape, **how: xp.conv(x, g, None, **how),
    saves=("z", "x"),
    formula=("conv_input(z, g, x)", "conv(x, g)"),
    batch=batching.conv_weight,
)
def conv_weight(x: Any, z: Any, *, shape: Any, **how: Any) -> Any:
    """The adjoint of convolution with respect to its weight, of the given shape."""
    problem = problem_of(x.shape, shape, z.dtype, **how)
    return kernels.weight_gradient.choose(problem)(problem, x, z, None)
