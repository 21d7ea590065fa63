"""Matrix products."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tensorgrad.batching import products
from tensorgrad.kernels.products import LEAST, SIDE, offered
from tensorgrad.machine import arena
from tensorgrad.machine.constants import float32, float64
from tensorgrad.primitive import primitive, primitives


def _swap(xp: Any, x: Any) -> Any:
    """Exchange the last two axes."""
    if x.ndim == 2:
        return xp.permute(x, axes=(1, 0))
    return xp.permute(x, axes=(*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def _left(xp: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    if a.ndim == 1 and b.ndim == 1:
        return xp.mul(g, b)
    if b.ndim == 1:  # y_i = sum_k a_ik b_k
        return xp.mul(xp.reshape(g, shape=(*g.shape, 1)), b)
    if a.ndim == 1:
        return _vector(xp, xp.matmul(b, xp.reshape(g, shape=(*g.shape, 1))), b)
    return xp.matmul(g, _swap(xp, b))


def _vector(xp: Any, product: Any, matrix: Any) -> Any:
    """Drop the column axis; a batch of vectors is summed by the engine."""
    return xp.reshape(product, shape=product.shape[:-1])


def _right(xp: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    if a.ndim == 1 and b.ndim == 1:
        return xp.mul(g, a)
    if a.ndim == 1:  # y_j = sum_k a_k b_kj
        column = xp.reshape(a, shape=(*a.shape, 1))
        return xp.mul(column, xp.reshape(g, shape=(*g.shape[:-1], 1, g.shape[-1])))
    if b.ndim == 1:
        return _vector(xp, xp.matmul(_swap(xp, a), xp.reshape(g, shape=(*g.shape, 1))), a)
    if b.ndim == 2 and a.ndim > 2:
        # One product over the flattened batch, not a batch of products to be summed.
        n = prod(a.shape[:-1])  # not -1, which means nothing where there are no elements
        rows = xp.reshape(a, shape=(n, a.shape[-1]))
        return xp.matmul(_swap(xp, rows), xp.reshape(g, shape=(n, g.shape[-1])))
    return xp.matmul(_swap(xp, a), g)


def _formula(shapes: Any, params: Any) -> tuple[str, str]:
    a, b = shapes
    if len(a) == 1 and len(b) == 1:
        return "g * b", "g * a"
    if len(b) == 1:
        return "outer(g, b)", "a.T @ g" if len(a) == 2 else "matvec(a.T, g)"
    if len(a) == 1:
        return "b @ g" if len(b) == 2 else "matvec(b, g)", "outer(a, g)"
    return "g @ b.T", "a.T @ g"


# From this many elements of a result on `np.matmul`, which does not fill it with zeros first as
# `dot` does: (300, 50) @ (50, 784) took 445 us by dot, 351 by matmul.  It takes longer to begin,
# and longest where it cannot hand the matrices to BLAS as they lie.
_LARGE = 1 << 16
# From this many features on, a linear layer of few rows computes weights times columns, and turns
# the result as it adds the bias: (50, 784) to 300 features 335 us, by rows times weights 382;
# (32, 512) to 512 240 and 290.  With a fifth as many rows as results both take the same.
_DEEP = 256
# Below this many the result needs no memory that waits, whatever its dtype.
_SMALL = arena.LEAST // 16


def product(a: Any, b: Any) -> Any:
    """The product of two matrices of numbers that fit, a large one on memory that waits."""
    rows, inner = a.shape
    columns = b.shape[1]
    size, kind = rows * columns, a.dtype
    if size * inner >= LEAST and inner >= SIDE and rows >= SIDE and b.dtype is kind:
        y = offered(a, b, None)
        if y is not None:
            return y
    if size * kind.itemsize < arena.LEAST or b.dtype is not kind:
        return a.dot(b)
    y = arena.empty((rows, columns), kind)
    if size < _LARGE or inner < 2 or not (a.flags.forc and b.flags.forc):
        return a.dot(b, y)
    return np.matmul(a, b, y)


def beside(b: Any, rows: int) -> Any:
    """A bias in the shape in which NumPy adds it soonest to so many rows of its length.

    Arrays of one shape, and a single number, need no broadcasting, which is more than half of the
    time of a small sum: (1, 16) 1.0 -> 0.5 us, (32, 1) 0.95 -> 0.65.
    """
    if rows == 1:
        return b[None]
    return b.reshape(()) if b.size == 1 else b


_KEPT = 128  # biases of each dtype
_repeated: dict[Any, dict[tuple[bytes, int], Any]] = {float32: {}, float64: {}}


def repeated(b: Any, rows: int) -> Any:
    """A bias once for each of so many rows, to be read only; kept while the bias is what it was.

    For inference, where biases do not change from call to call, and small results: NumPy adds (16,)
    to (32, 16) in 1.4 us, going from row to row; arrays of one shape, found by the bytes of the
    bias, in 0.9, and (10,) to (350, 10) in 1.1 instead of 3.7.  Copies made anew gain nothing.
    """
    kept = _repeated[b.dtype]
    key = b.tobytes(), rows
    found = kept.get(key)
    if found is None:
        if len(kept) >= _KEPT:
            kept.clear()
        found = np.repeat(b[None], rows, 0)
        found.flags.writeable = False
        kept[key] = found
    return found


def _in_rule(a: Any, b: Any) -> Any:
    """`matmul` where the shapes fit and no bools come."""
    return product(a, b) if a.ndim == 2 and b.ndim == 2 else primitives["matmul"].forward(a, b)


@primitive(
    _left,
    _right,
    saves=("b", "a"),
    formula=_formula,
    promote="common",
    batch=products.matmul,
    raw=_in_rule,
)
def matmul(a: Any, b: Any) -> Any:
    """The matrix product: vectors, matrices, and batches of them with broadcasting."""
    if a.ndim == 0 or b.ndim == 0:
        raise RuntimeError(
            f"both arguments need at least one dimension, got {a.ndim}-d and {b.ndim}-d; use * "
            "for scalars"
        )
    inner = b.shape[-2] if b.ndim > 1 else b.shape[0]
    if a.shape[-1] != inner:
        raise RuntimeError(
            f"the inner sizes differ: {a.shape[-1]} columns on the left, {inner} rows on the right"
        )
    if a.ndim == 2 and b.ndim == 2:
        return product(a, b) if a.dtype.kind != "b" else np.matmul(a, b)
    if inner == 1 and a.ndim > 2 and b.ndim > 2:
        return np.multiply(a, b)  # columns times rows: a GEMM for each would be slower
    if a.ndim > 2 and b.ndim == 2 and a.flags.c_contiguous:
        rows = product(a.reshape(prod(a.shape[:-1]), a.shape[-1]), b)
        return rows.reshape(*a.shape[:-1], b.shape[-1])
    return np.matmul(a, b)


def _linear_rules() -> Any:
    def to_rows(xp: Any, x: Any) -> Any:
        return x if x.ndim == 2 else xp.reshape(x, shape=(prod(x.shape[:-1]), x.shape[-1]))

    def of_input(xp: Any, g: Any, y: Any, x: Any, w: Any, b: Any) -> Any:
        return xp.matmul(g, w)

    def of_weight(xp: Any, g: Any, y: Any, x: Any, w: Any, b: Any) -> Any:
        # g.T @ x has the weight's own layout, so that the optimizer walks both alike.
        if x.ndim == 2:
            return xp.matmul(xp.permute(g, axes=(1, 0)), x)
        return xp.matmul(_swap(xp, to_rows(xp, g)), to_rows(xp, x))

    def of_bias(xp: Any, g: Any, y: Any, x: Any, w: Any, b: Any) -> Any:
        return xp.sum(g if g.ndim == 2 else to_rows(xp, g), axis=0, keepdims=False)

    return of_input, of_weight, of_bias


def _linear_formula(shapes: Any, params: Any) -> tuple[str, ...]:
    if len(shapes[0]) > 1:
        return "g @ w", "rows(g).T @ rows(x)", "sum(rows(g), 0)"
    return "g @ w", "outer(g, x)", "g"


def _of_small(x: Any, w: Any, b: Any) -> Any:
    """x @ w.T + b of matrices, if all fit and the result is small; else None.

    It asks for lengths and ranks; shapes are new tuples each time, 90 ns.
    """
    kind = x.dtype
    if x.ndim != 2 or w.ndim != 2 or w.dtype is not kind:
        return None
    rows, count = len(x), len(w)
    if rows * count >= _SMALL:
        return None
    if b is not None and (b.dtype is not kind or b.ndim != 1 or len(b) != count):
        return None
    try:
        y = x.dot(w.T)
    except ValueError:  # not as many features
        return None
    return y if b is None else np.add(y, b if rows > 1 < count else beside(b, rows), y)


def _expect_fitting(x: Any, w: Any, b: Any) -> None:
    """Say what does not fit, if anything."""
    sizes, shape = x.shape, w.shape
    if len(shape) != 2 or not sizes or sizes[-1] != shape[1]:
        raise RuntimeError(
            f"input's last dimension must be the weight's second: got {x.shape} and {w.shape}"
        )
    if b is not None and b.shape != shape[:1]:
        raise RuntimeError(f"bias has shape {b.shape}, expected ({w.shape[0]},)")
    if w.dtype is not x.dtype or (b is not None and b.dtype is not x.dtype):
        kinds = {a.dtype for a in (x, w, b) if a is not None}
        raise RuntimeError(
            "input, weight and bias must have one dtype, got "
            f"{', '.join(map(str, sorted(kinds, key=str)))}"
        )


@primitive(
    *_linear_rules(),
    saves=("w", "x", ""),
    formula=_linear_formula,
    batch=products.linear,
    exact=True,
)
def linear(x: Any, w: Any, b: Any) -> Any:
    """x @ w.T + b, fused: x (..., in), w (out, in), b (out,) or None."""
    y = _of_small(x, w, b)
    if y is not None:
        return y
    _expect_fitting(x, w, b)
    sizes, shape = x.shape, w.shape
    if len(sizes) == 2:
        rows, count = sizes[0], shape[0]
        if rows >= SIDE and rows * count * shape[1] >= LEAST:
            y = offered(x, w.T, b)
            if y is not None:
                return y
        if b is not None and 8 <= rows <= count // 5 and shape[1] >= _DEEP:
            return np.add(w.dot(x.T).T, b, arena.empty((rows, count), x.dtype))
        y = product(x, w.T)
        return y if b is None else np.add(y, beside(b, rows), y)
    flat = x.reshape(prod(sizes[:-1]), sizes[-1])
    y = offered(flat, w.T, b) if len(flat) >= SIDE and len(flat) * w.size >= LEAST else None
    if y is None:
        y = product(flat, w.T)
        if b is not None:
            y += b
    return y.reshape(*sizes[:-1], shape[0])
