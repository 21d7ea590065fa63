"""Linear maps and table look-ups."""

from __future__ import annotations

import numpy as np

from tensorgrad.autograd import no_grad
from tensorgrad.batching import Batch, everything
from tensorgrad.errors import describe
from tensorgrad.functions.einsum import einsum
from tensorgrad.graph.node import wrap
from tensorgrad.nn.functional.checks import expect_tensor
from tensorgrad.ops import elementwise, indexing, linalg
from tensorgrad.tensor import Tensor

__all__ = ["bilinear", "by_frequency", "embedding", "linear", "one_hot", "shrink_rows"]


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """input @ weight.T + bias: input (..., in), weight (out, in) or (in,), bias (out,) or None."""
    if not isinstance(input, Tensor):
        expect_tensor("linear", "input", input)
    if weight._array.ndim == 1:
        out = linalg.matmul(input, weight)
        return out if bias is None else out + bias
    return linalg.linear(input, weight, bias)


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y_o = sum_ij x1_i weight_oij x2_j + bias_o: x1 (..., I), x2 (..., J), weight (O, I, J)."""
    name = "bilinear"
    for argument, value in (("input1", input1), ("input2", input2), ("weight", weight)):
        expect_tensor(name, argument, value)
    x1, x2, w = input1._array.shape, input2._array.shape, weight._array.shape
    listed = f"input1 {describe(input1)}, input2 {describe(input2)}, weight {describe(weight)}"
    if len(x1) != len(x2):
        raise RuntimeError(f"{name}(): input dimensions do not match: {listed}")
    if not x1 or x1[:-1] != x2[:-1]:
        raise RuntimeError(f"{name}(): input batch dimensions do not match: {listed}")
    if len(w) != 3 or x1[-1] != w[1] or x2[-1] != w[2]:
        raise RuntimeError(f"{name}(): the weight must be (out, in1, in2), got {listed}")
    out = einsum("...i,oij,...j->...o", input1, weight, input2)
    if bias is None:
        return out
    expect_tensor(name, "bias", bias)
    if bias._array.shape != w[:1]:
        raise RuntimeError(
            f"{name}(): bias size does not match weight size: got {describe(bias)}, expected {w[0]}"
        )
    return out + bias


def by_frequency(rows: Tensor, index: np.ndarray) -> Tensor:
    """The rows as they are, with their gradients divided by how often each index occurs."""
    _, inverse, counts = np.unique(index, return_inverse=True, return_counts=True)
    share = (1 / counts)[inverse].reshape(*index.shape, 1).astype(rows._array.dtype)
    still = rows.detach()
    # The difference is exactly 0: only its gradient matters.
    return elementwise.add(still, elementwise.mul(elementwise.sub(rows, still), share))


def _indices(
    name: str, argument: str, value: Tensor
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    expect_tensor(name, argument, value)
    array = value._array
    if array.dtype not in (np.int64, np.int32):
        raise RuntimeError(
            f"{name}(): Expected tensor for argument {argument!r} (indices) to have a scalar type "
            f"of int64 (Long) or int32 (Int), got {describe(value)}; convert it with .long()"
        )
    return array.astype(np.int64, copy=False)


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of ``weight`` (n, d) named by ``input`` (any shape): shape (*input.shape, d).

    padding_idx: a row that receives no gradient.  max_norm: rows that are looked up are first
    scaled down, in place, to at most this ``norm_type``-norm.  scale_grad_by_freq: gradients are
    divided by how often their index occurs in the input.
    """
    index = _indices("embedding", "input", input)
    expect_tensor("embedding", "weight", weight)
    if sparse:
        raise NotImplementedError("embedding(): sparse=True is not supported; leave it out")
    if weight.ndim != 2:
        raise RuntimeError(f"embedding(): 'weight' must be 2-D, got {describe(weight)}")
    rows = weight._array.shape[0]
    if index.size and not (index.min() >= 0 and index.max() < rows):
        seen = everything(index)
        bad = seen[(seen < 0) | (seen >= rows)].flat[0]
        raise IndexError(
            f"embedding(): index out of range in self: {bad}, for a weight of {rows} rows, "
            f"{describe(weight)}"
        )
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise AssertionError(
                f"embedding(): padding_idx must be within num_embeddings ({rows}), got "
                f"{padding_idx}"
            )
        padding_idx %= rows
    if max_norm is not None:
        _shrink(weight, index, max_norm, norm_type)
    out = indexing.take_rows(weight, index=index, axis=0)
    if scale_grad_by_freq and index.size and out._array.dtype.kind == "f":
        out = by_frequency(out, index)
    if padding_idx is not None:
        padding = (index == padding_idx)[..., None]
        if padding.any():
            out = elementwise.where(padding, out.detach(), out)
    return out


def shrink_rows(weight: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> None:
    """Scale the rows of a weight that ``indices`` name down to a norm, in place, unrecorded."""
    index = _indices("embedding_renorm_", "indices", indices)
    _shrink(weight, index, max_norm, norm_type)


def _shrink(weight: Tensor, index: np.ndarray, max_norm: float, norm_type: float) -> None:
    """Scale the named rows of a weight down to a norm, in place and unrecorded."""
    used = np.unique(index)
    rows = weight._array[used]
    norms = np.linalg.norm(rows, ord=norm_type, axis=1)
    large = norms > max_norm
    if large.any():
        factors = (max_norm / (norms[large] + 1e-7)).astype(rows.dtype)
        with no_grad():
            weight._array[used[large]] = rows[large] * factors[:, None]
            weight._bump()


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """int64 vectors with a 1 at the place each element names: shape (*tensor.shape, num_classes).

    num_classes: -1 stands for the largest element plus 1.
    """
    expect_tensor("one_hot", "tensor", tensor)
    index = tensor._array
    if index.dtype != np.int64:
        raise RuntimeError(
            "one_hot(): one_hot is only applicable to index tensor of type int64, got "
            f"{describe(tensor)}; convert it with .long()"
        )
    if not index.size and num_classes <= 0:
        raise RuntimeError(
            "one_hot(): cannot infer the number of classes from the empty tensor "
            f"{describe(tensor)}; pass num_classes"
        )
    if index.size and index.min() < 0:
        raise RuntimeError(f"one_hot(): class values must be non-negative, got {index.min()}")
    if num_classes == -1 and isinstance(index, Batch):
        index.refuse("counting the classes")
    if num_classes == -1:
        num_classes = int(index.max()) + 1
    elif num_classes < 1:
        raise RuntimeError(f"one_hot(): num_classes should be positive or -1, got {num_classes}")
    elif index.size and index.max() >= num_classes:
        raise RuntimeError(
            "one_hot(): class values must be smaller than num_classes: got the value "
            f"{index.max()} and num_classes={num_classes}"
        )
    return wrap(np.equal(index[..., None], np.arange(num_classes)).astype(np.int64))
