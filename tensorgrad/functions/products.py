"""Products with an addition, products of vectors, and chains of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.functions.einsum import tensordot
from tensorgrad.functions.linalg import bmm, mm, mv
from tensorgrad.functions.shape import reshape, wrap_dim
from tensorgrad.ops import elementwise, indexing
from tensorgrad.ops import linalg as ops
from tensorgrad.ops.kinds import one_dtype, refuse_kinds
from tensorgrad.promotion import promote_types

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "addbmm",
    "addmm",
    "addmv",
    "addr",
    "baddbmm",
    "chain_matmul",
    "cross",
    "inner",
    "kron",
    "vdot",
]


def _added(name: str, input: Tensor, product: Tensor, beta: Any, alpha: Any) -> Tensor:
    """beta * input + alpha * product; with beta 0 the input is not read, NaN or not."""
    if input._array.dtype != product._array.dtype:
        raise RuntimeError(
            f"{name}: expected one dtype, got {input.dtype} for input and {product.dtype} for the "
            "factors"
        )
    kind = product._array.dtype.kind
    if kind in "biu":  # bools remain bools, and fractions are dropped, as in PyTorch
        beta, alpha = map(bool if kind == "b" else int, (beta, alpha))
    try:
        fits = np.broadcast_shapes(input.shape, product.shape) == product.shape
    except ValueError:
        fits = False
    if not fits:
        raise RuntimeError(
            f"{name}: input of shape {tuple(input.shape)} does not broadcast to the product's "
            f"{tuple(product.shape)}"
        )
    if alpha != 1:
        product = elementwise.mul(product, alpha)
    if beta == 0:
        return product
    return elementwise.add(input if beta == 1 else elementwise.mul(input, beta), product)


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta * input + alpha * (mat1 @ mat2)."""
    return _added("addmm", input, mm(mat1, mat2), beta, alpha)


def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta * input + alpha * (mat @ vec)."""
    return _added("addmv", input, mv(mat, vec), beta, alpha)


def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta * input + alpha * (vec1 outer vec2), in the common dtype of the three."""
    if (vec1.ndim, vec2.ndim) != (1, 1):
        raise RuntimeError(
            f"addr: expected two vectors, got {tuple(vec1.shape)} and {tuple(vec2.shape)}"
        )
    product = elementwise.mul(reshape(vec1, (-1, 1)), vec2)
    common = promote_types(input._array.dtype, product._array.dtype)
    for coefficient, factor in (("beta", beta), ("alpha", alpha)):
        if isinstance(factor, bool) and common.kind != "b":
            raise RuntimeError(f"addr: a bool {coefficient} is for bool results, not {common}")
        if isinstance(factor, float) and common.kind in "biu":
            raise RuntimeError(f"addr: {coefficient} must be an integer for {common} tensors")
    return _added("addr", input.to(common), product.to(common), beta, alpha)


def baddbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1
) -> Tensor:
    """beta * input + alpha * (batch1 @ batch2), batch by batch."""
    return _added("baddbmm", input, bmm(batch1, batch2), beta, alpha)


def addbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1
) -> Tensor:
    """beta * input + alpha * the sum over the batch of batch1 @ batch2."""
    bmm_shapes = batch1.ndim == batch2.ndim == 3 and batch1.shape[0] == batch2.shape[0]
    if not bmm_shapes or batch1.shape[2] != batch2.shape[1]:
        raise RuntimeError(
            "addbmm: expected batches (B, n, m) and (B, m, p), got "
            f"{tuple(batch1.shape)} and {tuple(batch2.shape)}"
        )
    # One product over the batch and the inner dimension together.
    return _added("addbmm", input, tensordot(batch1, batch2, ([0, 2], [0, 1])), beta, alpha)


def inner(input: Tensor, other: Tensor) -> Tensor:
    """The sum of products over the last dimensions; a scalar multiplies."""
    if input.ndim == 0 or other.ndim == 0:
        return elementwise.mul(input, other)
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    return tensordot(input, other, ([-1], [-1]))


def vdot(input: Tensor, other: Tensor) -> Tensor:
    """The inner product of two vectors, the first one conjugated."""
    if (input.ndim, other.ndim) != (1, 1) or input.shape != other.shape:
        raise RuntimeError(
            f"vdot: expected two vectors of one size, got {tuple(input.shape)} and "
            f"{tuple(other.shape)}"
        )
    if input._array.dtype != other._array.dtype:
        raise RuntimeError(f"vdot: expected one dtype, got {input.dtype} and {other.dtype}")
    refuse_kinds("vdot", "b", input)
    return ops.matmul(elementwise.conj(input) if input.is_complex() else input, other)


def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: blocks of ``other``, each times an element of ``input``."""
    rank = max(input.ndim, other.ndim)
    a = (1,) * (rank - input.ndim) + input._array.shape
    b = (1,) * (rank - other.ndim) + other._array.shape
    left = reshape(input, [n for size in a for n in (size, 1)])
    right = reshape(other, [n for size in b for n in (1, size)])
    return reshape(elementwise.mul(left, right), [n * m for n, m in zip(a, b, strict=True)])


def _cross(input: Tensor, other: Tensor, dim: int) -> Tensor:
    # Axes of broadcast operands count from the back.
    behind = dim - max(input.ndim, other.ndim)
    ahead, twice = np.array([1, 2, 0]), np.array([2, 0, 1])

    def turned(x: Tensor, order: Any) -> Tensor:
        return indexing.take_rows(x, index=order, axis=x.ndim + behind)

    return elementwise.sub(
        elementwise.mul(turned(input, ahead), turned(other, twice)),
        elementwise.mul(turned(input, twice), turned(other, ahead)),
    )


def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """The vector product along a dimension of size 3; by default the first that has it."""
    shapes = f"{tuple(input.shape)} and {tuple(other.shape)}"
    if input.ndim != other.ndim:
        raise RuntimeError(
            f"linalg.cross: inputs must have the same number of dimensions, got shapes {shapes}"
        )
    one_dtype("linalg.cross", input, other)
    try:
        shape = np.broadcast_shapes(input.shape, other.shape)
    except ValueError:
        raise RuntimeError(f"linalg.cross: shapes {shapes} do not broadcast") from None
    if dim is None:
        if 3 not in shape:
            raise RuntimeError(f"no dimension of size 3 in input: cross of shapes {shapes}")
        dim = shape.index(3)
    dim = wrap_dim(dim, input.ndim)
    if input.shape[dim] != 3 or other.shape[dim] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3, got shapes {shapes}"
        )
    return _cross(input, other, dim)


def chain_matmul(*matrices: Tensor) -> Tensor:
    """The product of matrices, multiplied in the cheapest order."""
    if len(matrices) == 1 and isinstance(matrices[0], (list, tuple)):
        matrices = tuple(matrices[0])
    for i, m in enumerate(matrices):
        if m.ndim != 2:
            raise RuntimeError(f"Tensor dimension is {m.ndim}, expected 2: matrix {i} of the chain")
    if not matrices:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    return matrices[0].clone() if len(matrices) == 1 else multiplied(matrices, "chain_matmul")


def multiplied(matrices: Sequence[Tensor], name: str) -> Tensor:
    """The product of matrices in the order of fewest multiplications (dynamic programming)."""
    count = len(matrices)
    sizes = [m._array.shape[0] for m in matrices] + [matrices[-1]._array.shape[1]]
    for i in range(1, count):
        if matrices[i - 1]._array.shape[1] != sizes[i]:
            raise RuntimeError(
                f"{name}: tensors {i - 1} and {i} with shapes {tuple(matrices[i - 1].shape)} and "
                f"{tuple(matrices[i].shape)} cannot be multiplied"
            )
    cost = [[0] * count for _ in range(count)]
    cut = [[0] * count for _ in range(count)]
    for length in range(2, count + 1):
        for i in range(count - length + 1):
            j = i + length - 1
            cost[i][j], cut[i][j] = min(
                (cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                for k in range(i, j)
            )

    def product(i: int, j: int) -> Tensor:
        if i == j:
            return matrices[i]
        return mm(product(i, cut[i][j]), product(cut[i][j] + 1, j))

    return product(0, count - 1)
