"""A convolution and the relu after it in one kernel, recorded as the two nodes that they are.

For a caller that keeps the convolution's own result from everybody: a convolution's rules do not
read it, so it need not exist. `rectified_conv` records the convolution, with relu's numbers as its
output, and `rectified` records relu over just those.
"""

from __future__ import annotations

from copy import copy
from functools import partial
from typing import Any

from tensorgrad.kernels import convolution as kernels
from tensorgrad.ops.convolution import computed, conv
from tensorgrad.ops.elementwise import relu
from tensorgrad.primitive import Primitive, primitives
from tensorgrad.recording.recorders import recorder

__all__ = ["rectified", "rectified_conv"]


def _with_forward(record: Any, forward: Any) -> Any:
    """The recorder of a primitive that computes otherwise."""
    op: Primitive = copy(record.primitive)
    op.forward = forward
    return recorder(op)


_record_conv = _with_forward(conv, partial(computed, kernels.rectified))
_record_relu = _with_forward(relu, lambda x: x)


def _named(out: Any, name: str) -> Any:
    if out._node is not None:
        out._node.op = primitives[name]
    return out


def rectified_conv(x: Any, w: Any, b: Any, **how: Any) -> Any:
    """A convolution's node, with the larger of its result and 0 as the output: not to be shown.

    None where nobody offers to compute both at once; a problem that no kernel takes is computed by
    the reference, one after the other.  ``how``: as `conv` takes it.
    """
    if not kernels.rectified.kernels:
        return None
    return _named(_record_conv(x, w, b, **how), "conv")


def rectified(y: Any) -> Any:
    """relu of what `rectified_conv` gave, which is its output too: the same array."""
    return _named(_record_relu(y), "relu")
