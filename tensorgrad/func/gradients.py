"""Gradients and products with Jacobians: grad, vjp, jvp, hvp."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad import autograd
from tensorgrad.autograd.products import push, settle, zeros_like
from tensorgrad.func.tracing import Function, Traced
from tensorgrad.graph.node import TensorBase, wrap
from tensorgrad.ops import elementwise, reduction
from tensorgrad.tree import flatten

__all__ = ["grad", "grad_and_value", "hvp", "jvp", "linearize", "value_and_grad", "vjp"]


def grad(func: Function, argnums: Any = 0, has_aux: bool = False) -> Function:
    """The function that returns the gradient of a scalar-valued ``func``.

    argnums: the argument, or tuple of arguments, to differentiate with respect to.
    has_aux: ``func`` returns (output, aux); then (gradient, aux) is returned.
    """

    def gradient(*args: Any, **kwargs: Any) -> Any:
        found, (_, aux) = _grad(func, argnums, has_aux, args, kwargs, "grad")
        return (found, aux) if has_aux else found

    return gradient


def grad_and_value(func: Function, argnums: Any = 0, has_aux: bool = False) -> Function:
    """As `grad`; returns (gradient, value), or (gradient, (value, aux))."""

    def both(*args: Any, **kwargs: Any) -> Any:
        found, (value, aux) = _grad(func, argnums, has_aux, args, kwargs, "grad_and_value")
        return found, ((value, aux) if has_aux else value)

    return both


def value_and_grad(func: Function, argnums: Any = 0, has_aux: bool = False) -> Function:
    """As `grad_and_value` in the other order: (value, gradient), or ((value, aux), gradient)."""
    swapped = grad_and_value(func, argnums, has_aux)

    def both(*args: Any, **kwargs: Any) -> Any:
        found, value = swapped(*args, **kwargs)
        return value, found

    return both


def _grad(
    func: Function, argnums: Any, has_aux: bool, args: Any, kwargs: Any, name: str
) -> tuple[Any, tuple[Any, Any]]:
    traced = Traced(func, args, kwargs, argnums, has_aux, name)
    output = traced.output
    if not isinstance(output, TensorBase) or output._array.ndim:
        raise RuntimeError(
            f"{name}: expected the function to return a 0-d tensor, got "
            f"{getattr(output, 'shape', type(output).__name__)}; use vjp or jacrev for others"
        )
    with autograd.enable_grad():
        seed = wrap(np.ones((), output._array.dtype))
        found = traced.gradients([output], [seed], create=True)
    gradients = traced.shaped(settle(found, traced.fresh))
    return gradients, (traced.settled(output), traced.settled(traced.aux))


def vjp(func: Function, *primals: Any, has_aux: bool = False) -> Any:
    """(output, vjp_fn): ``vjp_fn(cotangents)`` is the tuple of cotangents of the primals.

    has_aux: ``func`` returns (output, aux); then (output, vjp_fn, aux) is returned.
    """
    traced = Traced(func, primals, {}, tuple(range(len(primals))), has_aux, "vjp")

    def pull_back(cotangents: Any) -> Any:
        seeds, _ = flatten(cotangents)
        if len(seeds) != len(traced.leaves):
            raise RuntimeError(
                f"vjp_fn: expected {len(traced.leaves)} cotangents, one per output, got "
                f"{len(seeds)}"
            )
        with autograd.enable_grad():
            found = traced.gradients(traced.leaves, seeds, create=True)
        return traced.shaped(settle(found, traced.fresh))

    output = traced.settled(traced.output)
    return (output, pull_back, traced.settled(traced.aux)) if has_aux else (output, pull_back)


def _forward(traced: Traced, tangents: Any, name: str) -> list[Any]:
    """J tangents for every output."""
    along, _ = flatten(tangents)
    if [t._array.shape for t in along] != [t._array.shape for t in traced.fresh]:
        raise RuntimeError(
            f"{name}: tangents must have the primals' shapes, got "
            f"{[t._array.shape for t in along]} for {[t._array.shape for t in traced.fresh]}"
        )
    with autograd.enable_grad():
        found, dummies = push(traced.leaves, traced.fresh, along, create=True)
    out = [zeros_like(o) if t is None else t for o, t in zip(traced.leaves, found, strict=True)]
    return settle(out, [*traced.fresh, *dummies])


def jvp(
    func: Function, primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False
) -> Any:
    """(output, tangent of the output): the directional derivative along ``tangents``."""
    if strict:
        raise RuntimeError("jvp: strict=True is not supported; unused inputs have tangent zero")
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise RuntimeError("jvp: primals and tangents must be tuples")
    traced = Traced(func, primals, {}, tuple(range(len(primals))), has_aux, "jvp")
    tangent = traced.build(_forward(traced, tangents, "jvp"))
    output = traced.settled(traced.output)
    return (output, tangent, traced.settled(traced.aux)) if has_aux else (output, tangent)


def linearize(func: Function, *primals: Any) -> tuple[Any, Function]:
    """(output, jvp_fn): ``jvp_fn(*tangents)`` is the tangent of the output, func being run once."""
    traced = Traced(func, primals, {}, tuple(range(len(primals))), False, "linearize")

    def along(*tangents: Any) -> Any:
        return traced.build(_forward(traced, tangents, "linearize"))

    return traced.settled(traced.output), along


def hvp(func: Function, primals: Any, tangents: Any) -> tuple[Any, Any]:
    """(gradient, Hessian times tangents) of a scalar-valued ``func``, without the Hessian.

    primals, tangents: tuples of the arguments and of directions of the same shapes.
    """
    places = tuple(range(len(primals)))
    along, _ = flatten(tangents)

    def slope(*args: Any) -> Any:
        found = grad(func, argnums=places)(*args)
        leaves, _ = flatten(found)
        parts = [
            reduction.sum(elementwise.mul(g, t), axis=None, keepdims=False)
            for g, t in zip(leaves, along, strict=True)
        ]
        total = parts[0]
        for part in parts[1:]:
            total = elementwise.add(total, part)
        return total, found

    product, first = grad(slope, argnums=places, has_aux=True)(*primals)
    return first, product
