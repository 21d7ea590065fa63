"""Whole Jacobians and Hessians."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad import autograd
from tensorgrad.func.gradients import jvp
from tensorgrad.func.tracing import Function, Traced, pick, settle
from tensorgrad.node import TensorBase, wrap
from tensorgrad.ops import shape
from tensorgrad.tree import flatten

__all__ = ["hessian", "jacfwd", "jacobian", "jacrev"]


def jacrev(func: Function, argnums: Any = 0, has_aux: bool = False) -> Function:
    """The function that returns the Jacobian, of shape (*output, *input), row by row of the
    output.
    """

    def jacobian_of(*args: Any, **kwargs: Any) -> Any:
        traced = Traced(func, args, kwargs, argnums, has_aux, "jacrev")
        with autograd.enable_grad():
            blocks = [_rows(traced, output) for output in traced.leaves]
        settled = [traced.shaped(settle(block, traced.fresh)) for block in blocks]
        found = traced.build(settled)
        return (found, traced.settled(traced.aux)) if has_aux else found

    return jacobian_of


jacobian = jacrev


def _rows(traced: Traced, output: Any) -> list[Any]:
    """The Jacobian of one output with respect to each fresh tensor."""
    size = output._array.size
    rows: list[list[Any]] = []
    for i in range(size):
        seed = np.zeros(size, output._array.dtype)
        seed[i] = 1
        rows.append(
            traced.gradients([output], [wrap(seed.reshape(output._array.shape))], create=True)
        )
    blocks = []
    for k, fresh in enumerate(traced.fresh):
        target = (*output._array.shape, *fresh._array.shape)
        if not size:
            blocks.append(wrap(np.zeros(target, fresh._array.dtype)))
            continue
        parts = [shape.reshape(row[k], shape=(1, fresh._array.size)) for row in rows]
        blocks.append(shape.reshape(shape.cat(*parts, axis=0), shape=target))
    return blocks


def jacfwd(
    func: Function, argnums: Any = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Function:
    """The Jacobian column by column of the input: for functions with more outputs than inputs."""
    if randomness != "error":
        raise RuntimeError(
            "jacfwd: randomness must be 'error'; the columns are computed one by one"
        )

    def jacobian_of(*args: Any, **kwargs: Any) -> Any:
        places, single = pick(args, argnums, "jacfwd")
        aux: Any = None
        blocks = []
        for place in places:
            x = args[place]
            if not isinstance(x, TensorBase):
                raise TypeError("jacfwd: only tensor arguments are supported; use jacrev for trees")

            def one(value: Any, place: int = place) -> Any:
                return func(*args[:place], value, *args[place + 1 :], **kwargs)

            columns = []
            for i in range(x._array.size):
                basis = np.zeros(x._array.size, x._array.dtype)
                basis[i] = 1
                tangent = wrap(basis.reshape(x._array.shape))
                result = jvp(one, (x,), (tangent,), has_aux=has_aux)
                aux = result[2] if has_aux else None
                columns.append(result[1])
            blocks.append(_columns(columns, x))
        found = blocks[0] if single else tuple(blocks)
        return (found, aux) if has_aux else found

    return jacobian_of


def _columns(columns: list[Any], x: Any) -> Any:
    leaves = [flatten(column)[0] for column in columns]
    _, build = flatten(columns[0])
    made = []
    for parts in zip(*leaves, strict=True):
        flat = [shape.reshape(p, shape=(p._array.size, 1)) for p in parts]
        target = (*parts[0]._array.shape, *x._array.shape)
        made.append(shape.reshape(shape.cat(*flat, axis=1), shape=target))
    return build(made)


def hessian(func: Function, argnums: Any = 0) -> Function:
    """The function that returns the matrix of second derivatives of a scalar-valued ``func``."""
    return jacrev(jacrev(func, argnums), argnums)
