"""Batching rules of matrix products: as few and as large GEMMs as the arguments allow."""

from __future__ import annotations

from typing import Any

from tensorgrad.batching.dispatch import Call

__all__ = ["linear", "matmul"]


def matmul(call: Call) -> Any:
    """Vectors become matrices for the product, and what is before the matrices is aligned."""
    xp = call.xp
    a, b = call.args
    in_a, in_b = call.flags
    rank_a, rank_b = call.ndim(0), call.ndim(1)
    if rank_a == 0 or rank_b == 0:
        raise RuntimeError(
            f"both arguments need at least one dimension, got {rank_a}-d and {rank_b}-d; use * "
            "for scalars"
        )
    if (not in_b and rank_b == 2) or (rank_a > 1 and rank_b == 1 and not in_b):
        return call.run(a, b)  # the examples are only more rows
    if not in_a and rank_a == 2 and rank_b == 1:
        return call.run(b, xp.permute(a, axes=(1, 0)))
    if rank_a == 1 and rank_b == 1:
        return xp.sum(xp.mul(a, b), axis=-1, keepdims=False)
    rank = max(rank_a, rank_b, 2)
    product = call.run(_matrix(call, 0, rank, -2), _matrix(call, 1, rank, -1))
    shape = list(product._array.shape)
    if rank_a == 1:
        del shape[-2]
    if rank_b == 1:
        del shape[-1]
    return product if len(shape) == rank + 1 else xp.reshape(product, shape=tuple(shape))


def _matrix(call: Call, i: int, rank: int, new: int) -> Any:
    """Argument i with at least two axes (a vector gets one of length 1), of aligned rank."""
    x, flag, shape = call.args[i], call.flags[i], list(call.shape(i))
    if len(shape) == 1:
        shape.insert(1 if new == -1 else 0, 1)
    if flag:
        shape = [call.size, *(1,) * (rank - len(shape)), *shape]
    return x if tuple(shape) == x._array.shape else call.xp.reshape(x, shape=tuple(shape))


def linear(call: Call) -> Any:
    """More rows where only the input has examples; else one product per example's weight."""
    xp = call.xp
    x, w, b = call.args
    if not call.flags[1] and not call.flags[2]:
        return call.run(x, w, b)
    if call.ndim(1) != 2 or call.shape(0)[-1:] != call.shape(1)[1:]:
        raise RuntimeError(
            "input's last dimension must be the weight's second: got "
            f"{call.shape(0)} and {call.shape(1)}"
        )
    *rows, depth = call.shape(0)
    out = call.shape(1)[0]
    lead = (call.size,) if call.flags[0] else ()
    x = xp.reshape(x, shape=(*lead, -1, depth)) if depth else xp.reshape(x, shape=(*lead, 1, 0))
    turned = xp.permute(w, axes=(0, 2, 1) if call.flags[1] else (1, 0))
    y = xp.matmul(x, turned)
    if b is not None:
        b = xp.reshape(b, shape=(call.size, 1, out)) if call.flags[2] else b
        y = xp.add(y, b)
    return xp.reshape(y, shape=(call.size, *rows, out))
