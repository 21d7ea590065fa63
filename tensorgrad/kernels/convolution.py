"""Which kernel convolves: three operations over one description of the problem.

Arrays are logically (N, C, *spatial), in any layout.  Kernels return channels-last memory: a window
is then K runs of contiguous values, a matrix product writes its output in order, and the next layer
finds its input in the layout that it wants.

=================  =======================================  ===================
operation          called as                                returns
=================  =======================================  ===================
`convolve`         run(problem, x, w, b or None, keep)      (y, kept or None)
`input_gradient`   run(problem, g, w)                       dx, of problem.input
`weight_gradient`  run(problem, x, g, kept or None)         dw, of problem.weight
`rectified`        as `convolve`                            (max(y, 0), kept or None)
=================  =======================================  ===================

``keep`` says that a weight gradient may follow; what the forward then keeps for it is a pair (name
of the kernel, arrays), which other kernels do not read.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tensorgrad.kernels import (
    blocked,
    depthwise,
    lines,
    one_image,
    rectify,
    taps_convolution,
    windows,
    winograd,
)
from tensorgrad.kernels.registry import Operation

__all__ = ["Problem", "convolve", "input_gradient", "rectified", "weight_gradient"]


class Problem(NamedTuple):
    """A convolution as its kernels see it; hashable, so that choices are kept for it."""

    input: tuple[int, ...]
    weight: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    groups: int
    dtype: np.dtype[Any]

    @property
    def kernel(self) -> tuple[int, ...]:
        """The window's size along each spatial axis."""
        return self.weight[2:]

    @property
    def output(self) -> tuple[int, ...]:
        """How many windows fit along each spatial axis."""
        return tuple(
            (n + p[0] + p[1] - d * (k - 1) - 1) // s + 1
            for n, k, s, p, d in zip(
                self.input[2:], self.kernel, self.stride, self.padding, self.dilation, strict=True
            )
        )


def _rectified(problem: Problem, x: Any, w: Any, b: Any, keep: bool) -> tuple[Any, Any]:
    """One after the other."""
    y, kept = convolve.choose(problem)(problem, x, w, b, keep)
    after = rectify.Problem(y.shape, y.dtype)
    return rectify.relu.choose(after)(after, y), kept


convolve = Operation("conv", windows.convolve)
rectified = Operation("conv_relu", _rectified)
input_gradient = Operation("conv_input", windows.input_gradient)
weight_gradient = Operation("conv_weight", windows.weight_gradient)

# The last one registered is asked first.
convolve.kernel("by place", taps_convolution.serves)(taps_convolution.convolve)
input_gradient.kernel("by place", taps_convolution.serves)(taps_convolution.input_gradient)
weight_gradient.kernel("by place", taps_convolution.serves)(taps_convolution.weight_gradient)
convolve.kernel("winograd", winograd.serves)(winograd.convolve)
input_gradient.kernel("winograd", winograd.serves_input)(winograd.input_gradient)
weight_gradient.kernel("winograd", winograd.serves)(winograd.weight_gradient)
convolve.kernel("blocked", blocked.serves)(blocked.convolve)
input_gradient.kernel("blocked", blocked.serves_input)(blocked.input_gradient)
weight_gradient.kernel("blocked", blocked.serves)(blocked.weight_gradient)
convolve.kernel("lines", lines.serves)(lines.convolve)
input_gradient.kernel("lines", lines.serves_input)(lines.input_gradient)
weight_gradient.kernel("lines", lines.serves)(lines.weight_gradient)
convolve.kernel("depthwise", depthwise.serves)(depthwise.convolve)
input_gradient.kernel("depthwise", depthwise.serves)(depthwise.input_gradient)
weight_gradient.kernel("depthwise", depthwise.serves)(depthwise.weight_gradient)
convolve.kernel("one image", one_image.serves)(one_image.convolve)
