"""Convolution and its two adjoints by oneDNN.

Activations are channels last; weights come and go in their own order, and are brought to the order
that oneDNN likes inside: they are small beside the activations, and change at every step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.kernels.onednn import library as api
from tensorgrad.kernels.onednn.health import library
from tensorgrad.kernels.onednn.layouts import Handed, New, channels_last, in_blocks
from tensorgrad.kernels.onednn.primitive import (
    FLOAT,
    Description,
    Layout,
    Prepared,
    Rectified,
    _dims,
    empty,
    per_thread,
    reorder,
)
from tensorgrad.machine.address import address

__all__ = ["convolve", "input_gradient", "weight_gradient"]

Ints = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]

_STEP = (FLOAT.itemsize,)  # the strides of a vector without gaps


class _Problem:
    """What the three computations of one convolution describe together."""

    def __init__(
        self, x: Ints, w: Ints, bias: Ints | None, stride: Ints, padding: Pairs, dilation: Ints,
        groups: int, rectified: bool = False,
    ) -> None:  # fmt: skip
        out = tuple(
            (n + low + high - d * (k - 1) - 1) // s + 1
            for n, k, s, (low, high), d in zip(x[2:], w[2:], stride, padding, dilation, strict=True)
        )
        self.x, self.w, self.y = x, _grouped(w, groups), (x[0], w[0], *out)
        self.x_layout, self.y_layout = channels_last(x), channels_last(self.y)
        self.w_any = Layout.any(self.w)
        self.b_layout = None if bias is None else Layout.of(bias)
        if bias not in (None, w[:1]) or x[1] != w[1] * groups or w[0] % groups:
            raise ValueError(
                f"oneDNN convolution: an input {x}, a weight {w} and a bias {bias} in {groups} "
                "groups do not fit"
            )
        self.how = (
            _dims(stride), _dims([d - 1 for d in dilation]), _dims([low for low, _ in padding]),
            _dims([high for _, high in padding]),
        )  # fmt: skip
        self.forward = Description(
            "convolution_forward", library().engine, api.TRAINING, api.CONVOLUTION_DIRECT,
            self.x_layout, self.w_any, self.b_layout, self.y_layout, *self.how,
            Rectified() if rectified else None,
        )  # fmt: skip

    def expect(self, gradient: Ints) -> None:
        """Raise ValueError for the gradient of another output."""
        if gradient != self.y:
            raise ValueError(
                f"oneDNN convolution: expected the gradient of {self.y}, got one of {gradient}"
            )


def _grouped(w: Ints, groups: int) -> Ints:
    """The shape of weights as oneDNN describes groups: by an axis of their own."""
    return w if groups == 1 else (groups, w[0] // groups, *w[1:])


def _mistyped(*arrays: Any) -> ValueError:
    """The error of another dtype: shapes and strides are what a computation is found by."""
    kinds = ", ".join(str(array.dtype) for array in arrays)
    return ValueError(f"oneDNN convolution: prepared for float32, got {kinds}")


class _Weights:
    """Weights in their own order, brought to the one wanted.

    Small ones into memory that is kept, the copy of large ones lives as long as a call.
    """

    def __init__(self, shape: Ints, strides: Ints, wanted: Layout) -> None:
        self._wanted = wanted
        self._copy = reorder(Layout.of(shape, strides), wanted)
        self._blocks = None if self._copy is None else in_blocks(shape, wanted)
        if self._blocks is not None:
            self._place, self._shape = address(self._blocks[0]), self._blocks[1].shape

    def __call__(self, w: Any) -> tuple[int, Any]:
        """Their address, and the array that must live until they were used."""
        if self._blocks is not None:
            array = self._blocks[1]
            array[...] = w.reshape(self._shape)
            return self._place, array
        if self._copy is not None:
            w, given = empty(self._wanted), w
            self._copy.run(given, w)
        return address(w), w


class _WeightGradient:
    """Makes the gradient of weights in the order given, and brings it to their own."""

    def __init__(self, shape: Ints, given: Layout, product: Prepared) -> None:
        self._shape, self._given, self._product = shape, given, product
        self._copy = reorder(given, Layout.of(shape))
        self._blocks = None if self._copy is None else in_blocks(shape, given)
        if self._blocks is not None:
            self._place = address(self._blocks[0])

    def __call__(self, x: Any, g: Any) -> Any:
        """The gradient in C order, from images and a gradient in the layouts wanted."""
        dw = np.empty(self._shape, FLOAT)
        if self._copy is None:
            self._product.at(address(x), address(g), address(dw))
        elif self._blocks is not None:
            array = self._blocks[1]
            self._product.at(address(x), address(g), self._place)
            dw.reshape(array.shape)[...] = array
        else:
            inside = empty(self._given)
            self._product.at(address(x), address(g), address(inside))
            self._copy.run(inside, dw)
        return dw


def convolve(
    x: Any, w: Any, b: Any, stride: Ints, padding: Pairs, dilation: Ints, groups: int, *,
    rectified: bool = False,
) -> Any:  # fmt: skip
    """The convolution (N, O, *out), channels last; ``rectified``: the larger of it and 0."""
    if groups != 1:
        w = w.reshape(_grouped(w.shape, groups))
    if not (x.dtype is w.dtype is FLOAT):
        raise _mistyped(x, w)
    of_bias = None
    if b is not None:
        if b.dtype is not FLOAT:
            raise _mistyped(b)
        if b.strides != _STEP:
            b = np.ascontiguousarray(b)
        of_bias = b.shape
    how = (stride, padding, dilation, groups)
    key = ("conv", x.shape, x.strides, w.shape, w.strides, of_bias, how, rectified)

    def make() -> Callable[[Any, Any, Any], Any]:
        shape = w.shape if groups == 1 else (w.shape[0] * w.shape[1], *w.shape[2:])
        problem = _Problem(x.shape, shape, of_bias, *how, rectified)
        wanted = problem.forward.wants("weights")
        layouts = {"src": problem.x_layout, "weights": wanted, "dst": problem.y_layout}
        if problem.b_layout is not None:
            layouts["bias"] = problem.b_layout
        product = Prepared(problem.forward, **layouts)
        x_handed = Handed(x.shape, x.strides, problem.x_layout)
        w_handed = _Weights(w.shape, w.strides, wanted)
        new = New(problem.y)

        def run(x: Any, w: Any, b: Any) -> Any:
            y, x = new(), x_handed(x)
            place, w = w_handed(w)
            if b is None:
                product.at(address(x), place, address(y))
            else:
                product.at(address(x), place, address(y), address(b))
            return y

        return run

    return per_thread(key, make)(x, w, b)


def input_gradient(
    g: Any, w: Any, shape: Ints, stride: Ints, padding: Pairs, dilation: Ints, groups: int
) -> Any:
    """The gradient of the input, of ``shape`` (N, C, *spatial), channels last."""
    if not (g.dtype is w.dtype is FLOAT):
        raise _mistyped(g, w)
    if groups != 1:
        w = w.reshape(_grouped(w.shape, groups))
    how = (stride, padding, dilation, groups)
    key = ("conv_input", g.shape, g.strides, w.shape, w.strides, shape, how)

    def make() -> Callable[[Any, Any], Any]:
        flat = w.shape if groups == 1 else (w.shape[0] * w.shape[1], *w.shape[2:])
        problem = _Problem(shape, flat, None, *how)
        problem.expect(g.shape)
        description = Description(
            "convolution_backward_data", library().engine, api.CONVOLUTION_DIRECT,
            problem.x_layout, problem.w_any, problem.y_layout, *problem.how, problem.forward, None,
        )  # fmt: skip
        wanted = description.wants("weights")
        product = Prepared(
            description, diff_dst=problem.y_layout, weights=wanted, diff_src=problem.x_layout
        )
        g_handed = Handed(g.shape, g.strides, problem.y_layout)
        w_handed = _Weights(w.shape, w.strides, wanted)
        new = New(shape)

        def run(g: Any, w: Any) -> Any:
            dx, g = new(), g_handed(g)
            place, w = w_handed(w)
            product.at(address(g), place, address(dx))
            return dx

        return run

    return per_thread(key, make)(g, w)


def weight_gradient(
    x: Any, g: Any, shape: Ints, stride: Ints, padding: Pairs, dilation: Ints, groups: int
) -> Any:
    """The gradient of the weight, of ``shape`` (O, C/groups, *kernel), in C order."""
    if not (x.dtype is g.dtype is FLOAT):
        raise _mistyped(x, g)
    how = (stride, padding, dilation, groups)
    key = ("conv_weight", x.shape, x.strides, g.shape, g.strides, shape, how)

    def make() -> Callable[[Any, Any], Any]:
        problem = _Problem(x.shape, shape, None, *how)
        problem.expect(g.shape)
        description = Description(
            "convolution_backward_weights", library().engine, api.CONVOLUTION_DIRECT,
            problem.x_layout, problem.w_any, None, problem.y_layout, *problem.how, problem.forward,
            None,
        )  # fmt: skip
        given = description.wants("diff_weights")
        product = Prepared(
            description, src=problem.x_layout, diff_dst=problem.y_layout, diff_weights=given
        )
        gradient = _WeightGradient(problem.w, given, product)
        x_handed = Handed(x.shape, x.strides, problem.x_layout)
        g_handed = Handed(g.shape, g.strides, problem.y_layout)

        def run(x: Any, g: Any) -> Any:
            found = gradient(x_handed(x), g_handed(g))
            return found if groups == 1 else found.reshape(shape)

        return run

    return per_thread(key, make)(x, g)
