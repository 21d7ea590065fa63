"""Whole Jacobians and Hessians."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad import autograd
from tensorgrad.autograd.products import settle
from tensorgrad.func.gradients import jvp
from tensorgrad.func.mapping import vmap
from tensorgrad.func.tracing import Chosen, Function, Traced
from tensorgrad.graph.node import TensorBase, wrap
from tensorgrad.ops import indexing
from tensorgrad.ops import shape as shapes
from tensorgrad.tree import flatten, tree_map

__all__ = ["hessian", "jacfwd", "jacobian", "jacrev"]


def jacrev(
    func: Function,
    argnums: Any = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Function:
    """The function that returns the Jacobian, of shape (*output, *input), from one backward pass
    for all rows of the output.

    chunk_size: at most so many rows at a time, to save memory.
    """
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")
    if _preallocate_and_copy:
        raise RuntimeError("jacrev: _preallocate_and_copy=True is not supported; use chunk_size")

    def jacobian_of(*args: Any, **kwargs: Any) -> Any:
        traced = Traced(func, args, kwargs, argnums, has_aux, "jacrev")
        with autograd.enable_grad():
            blocks = [_rows(traced, output, chunk_size) for output in traced.leaves]
        settled = [traced.shaped(settle(block, traced.fresh)) for block in blocks]
        found = traced.build(settled)
        return (found, traced.settled(traced.aux)) if has_aux else found

    return jacobian_of


jacobian = jacrev


def _rows(traced: Traced, output: Any, chunk_size: int | None) -> list[Any]:
    """The Jacobian of one output with respect to each fresh tensor."""
    size, shape = output._array.size, output._array.shape
    width = min(size, chunk_size or size)
    parts: list[list[Any]] = []
    for start in range(0, size, max(width, 1)):
        basis = np.eye(min(width, size - start), size, start, output._array.dtype)
        parts.append(_pulled(traced, output, wrap(basis.reshape(-1, *shape))))
    blocks = []
    for k, fresh in enumerate(traced.fresh):
        target = (*shape, *fresh._array.shape)
        if not size:
            blocks.append(wrap(np.zeros(target, fresh._array.dtype)))
        else:
            rows = parts[0][k] if len(parts) == 1 else shapes.cat(*(p[k] for p in parts), axis=0)
            blocks.append(shapes.reshape(rows, shape=target))
    return blocks


def _pulled(traced: Traced, output: Any, seeds: Any) -> list[Any]:
    """J^T of every row of ``seeds`` at once."""
    if not output.requires_grad:
        return [
            wrap(np.zeros((len(seeds._array), *t._array.shape), t._array.dtype))
            for t in traced.fresh
        ]
    found: list[Any] = list(
        autograd.grad(
            output,
            traced.fresh,
            seeds,
            retain_graph=True,
            create_graph=True,
            materialize_grads=True,
            is_grads_batched=True,
        )
    )
    return found


def jacfwd(
    func: Function, argnums: Any = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Function:
    """The Jacobian from one forward product for all elements of the input: for functions with more
    outputs than inputs.

    randomness: as in `vmap`.
    """

    def jacobian_of(*args: Any, **kwargs: Any) -> Any:
        chosen = Chosen(args, argnums, "jacfwd")
        aux: Any = None
        columns: list[list[Any]] = []  # per leaf of the input, one block per output
        if not chosen.leaves:
            raise RuntimeError("jacfwd: the chosen arguments hold no tensor")
        for k, x in enumerate(chosen.leaves):
            if not isinstance(x, TensorBase):
                raise TypeError(
                    f"jacfwd: expected tensors to differentiate with respect to, got "
                    f"{type(x).__name__}; choose others with argnums"
                )

            def one(value: Any, k: int = k) -> Any:
                leaves = [*chosen.leaves[:k], value, *chosen.leaves[k + 1 :]]
                return func(*chosen.replaced(leaves), **kwargs)

            size = x._array.size
            basis = wrap(np.eye(size, dtype=x._array.dtype).reshape(size, *x._array.shape))
            found, aux = _pushed(one, x, basis, has_aux, randomness)
            outputs, build = flatten(found)
            columns.append([_behind(output, x) for output in outputs])
        found = build([chosen.shaped(list(row)) for row in zip(*columns, strict=True)])
        return (found, aux) if has_aux else found

    return jacobian_of


def _pushed(one: Function, x: Any, basis: Any, has_aux: bool, randomness: str) -> Any:
    """(J of every row of ``basis``, aux): (number of rows, *output)."""

    def push(tangent: Any) -> Any:
        result = jvp(one, (x,), (tangent,), has_aux=has_aux)
        return (result[1], result[2]) if has_aux else (result[1], ())

    if not x._array.size:
        tangents, aux = push(wrap(np.zeros(x._array.shape, x._array.dtype)))
        return tree_map(lambda t: indexing.getitem(t, index=(None,)), tangents), aux
    tangents, aux = vmap(push, randomness=randomness)(basis)
    return tangents, tree_map(lambda t: indexing.getitem(t, index=(0,)), aux)


def _behind(rows: Any, x: Any) -> Any:
    """(size of x, *output) as (*output, *shape of x)."""
    _, *out = rows._array.shape
    if not x._array.size:
        return wrap(np.zeros((*out, *x._array.shape), rows._array.dtype))
    turned = shapes.permute(rows, axes=(*range(1, len(out) + 1), 0))
    return shapes.reshape(turned, shape=(*out, *x._array.shape))


def hessian(func: Function, argnums: Any = 0) -> Function:
    """The function that returns the matrix of second derivatives of a scalar-valued ``func``."""
    return jacrev(jacrev(func, argnums), argnums)
