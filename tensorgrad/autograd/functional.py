"""Jacobians, Hessians and products with them, of functions of one tensor or of several.

`tensorgrad.func` has the same as functions of functions; this is PyTorch's older form, which runs
``func`` at once.  In all of them ``inputs`` is a tensor or a tuple of tensors, and what is returned
has the same form.  ``create_graph`` records the results; ``strict`` refuses, instead of returning
zeros, when an output does not depend on an input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorgrad.autograd.core import grad
from tensorgrad.autograd.grad_mode import enable_grad
from tensorgrad.autograd.products import pull, push, zeros_like
from tensorgrad.errors import describe
from tensorgrad.graph.node import TensorBase, wrap
from tensorgrad.primitive import recorded

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Func = Callable[..., Any]


# --- What all of them do --------------------------------------------------------------------------


def _as_tuple(value: Any, what: str, name: str) -> tuple[bool, tuple[Any, ...]]:
    """Whether it was a tuple, and the tensors."""
    several = isinstance(value, tuple)
    tensors = value if several else (value,)
    for i, tensor in enumerate(tensors):
        if not isinstance(tensor, TensorBase):
            raise TypeError(
                f"{name}: {what} must be a Tensor or a tuple of Tensors, but the value"
                f"{f' at index {i}' if several else ''} is a {type(tensor).__name__}"
            )
    return several, tensors


def _fresh(inputs: Sequence[Any], create_graph: bool) -> tuple[Any, ...]:
    """The inputs as new places in the graph; connected to the old ones if results are recorded."""
    return tuple(
        recorded.alias(x) if create_graph and x.requires_grad else x.detach().requires_grad_()
        for x in inputs
    )


def _called(func: Func, inputs: tuple[Any, ...], name: str, strict: bool) -> Any:
    several, outputs = _as_tuple(func(*inputs), "what the function returns", name)
    if strict:
        for i, output in enumerate(outputs):
            if not output.requires_grad:
                raise RuntimeError(
                    f"{name}: output {i} of the function does not require gradients: in strict "
                    "mode it must be computed in a differentiable manner from the inputs"
                )
    return several, outputs


def _directions(v: Any, like: Sequence[Any], name: str) -> tuple[Any, ...]:
    """The given vectors, of the shapes of ``like``; None stands for 1 where there is one number."""
    if v is None:
        if len(like) != 1 or like[0]._array.size != 1:
            raise RuntimeError(
                f"{name}: v can only be None for a single tensor with a single element, here "
                f"{[describe(t) for t in like]}"
            )
        return (wrap(np.ones(like[0]._array.shape, like[0]._array.dtype)),)
    _, vectors = _as_tuple(v, "v", name)
    if len(vectors) != len(like):
        raise RuntimeError(f"{name}: v has {len(vectors)} tensors, expected {len(like)}")
    for i, (vector, tensor) in enumerate(zip(vectors, like, strict=True)):
        if vector._array.shape != tensor._array.shape:
            raise RuntimeError(
                f"{name}: v[{i}] has shape {vector._array.shape}, expected {tensor._array.shape}"
            )
    return vectors


def _filled(
    found: Sequence[Any], like: Sequence[Any], name: str, strict: bool, text: str, recording: bool
) -> tuple[Any, ...]:
    """Zeros where nothing came, which strict mode refuses, as it does what is not recorded."""
    filled = []
    for i, (gradient, tensor) in enumerate(zip(found, like, strict=True)):
        if strict and gradient is None:
            raise RuntimeError(f"{name}: {text.format(i)}. This is not allowed in strict mode.")
        if strict and recording and not gradient.requires_grad:
            raise RuntimeError(
                f"{name}: the result for {i} is independent of the inputs. This is not allowed in "
                "strict mode with create_graph=True."
            )
        filled.append(zeros_like(tensor) if gradient is None else gradient)
    return tuple(filled)


def _given(values: Sequence[Any], several: bool, create_graph: bool) -> Any:
    """One value or a tuple, out of the graph unless results are recorded."""
    settled = tuple(value if create_graph else value.detach() for value in values)
    return settled if several else settled[0]


INDEPENDENT = "the output of the function is independent of input {}"
TANGENT = "output {} of the function is independent of the inputs"


# --- Products -------------------------------------------------------------------------------------


def vjp(
    func: Func, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(func(*inputs), v^T J): v has the shape of the output."""
    several, given = _as_tuple(inputs, "inputs", "vjp")
    with enable_grad():
        fresh = _fresh(given, create_graph)
        many, outputs = _called(func, fresh, "vjp", strict)
        seeds = _directions(v, outputs, "vjp")
        found = pull(outputs, fresh, seeds, create_graph)
        found = _filled(found, fresh, "vjp", strict, INDEPENDENT, create_graph)
    return _given(outputs, many, create_graph), _given(found, several, create_graph)


def jvp(
    func: Func, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(func(*inputs), J v): v has the shape of the inputs."""
    _, given = _as_tuple(inputs, "inputs", "jvp")
    with enable_grad():
        fresh = _fresh(given, create_graph)
        vectors = _directions(v, fresh, "jvp")
        many, outputs = _called(func, fresh, "jvp", strict)
        found, _ = push(outputs, fresh, vectors, create_graph)
        found = _filled(found, outputs, "jvp", strict, TANGENT, create_graph)
    return _given(outputs, many, create_graph), _given(found, many, create_graph)


def _scalar(func: Func, fresh: tuple[Any, ...], name: str, strict: bool) -> Any:
    many, (output, *others) = _called(func, fresh, name, strict)
    if many or others or output._array.size != 1:
        raise RuntimeError(
            f"{name}: the function must return a single Tensor with a single element, got "
            f"{describe(output)}{' in a tuple' if many else ''}"
        )
    return output


def vhp(
    func: Func, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(func(*inputs), v^T H), of a function to one number; v has the shape of the inputs."""
    several, given = _as_tuple(inputs, "inputs", "vhp")
    with enable_grad():
        fresh = _fresh(given, create_graph)
        vectors = _directions(v, fresh, "vhp")
        output = _scalar(func, fresh, "vhp", strict)
        first = pull([output], fresh, _directions(None, [output], "vhp"), True)
        first = _filled(first, fresh, "vhp", strict, INDEPENDENT, strict)
        found = pull(first, fresh, vectors, create_graph)
        found = _filled(found, fresh, "vhp", strict, GRADIENT, create_graph)
    return _given([output], False, create_graph), _given(found, several, create_graph)


GRADIENT = "the gradient of the function is independent of input {}"


def hvp(
    func: Func, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(func(*inputs), H v), of a function to one number; as `vhp`, the Hessian being symmetric.

    It is computed as J v of the gradient, by reverse mode once more; `vhp` is faster.
    """
    several, given = _as_tuple(inputs, "inputs", "hvp")
    with enable_grad():
        fresh = _fresh(given, create_graph)
        vectors = _directions(v, fresh, "hvp")
        output = _scalar(func, fresh, "hvp", strict)
        first = pull([output], fresh, _directions(None, [output], "hvp"), True)
        first = _filled(first, fresh, "hvp", strict, INDEPENDENT, strict)
        found, _ = push(first, fresh, vectors, create_graph)
        found = _filled(found, fresh, "hvp", strict, GRADIENT, create_graph)
    return _given([output], False, create_graph), _given(found, several, create_graph)


# --- Whole matrices -------------------------------------------------------------------------------


def jacobian(
    func: Func,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The derivatives of every output by every input: shape (*output, *input).

    One tensor, a tuple over the inputs, over the outputs, or (outputs of) tuples over the inputs.
    vectorize: all rows in one batched call of `grad`.
    strategy: "reverse-mode" goes row by row, "forward-mode" (with ``vectorize``) column by column.
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise ValueError(
            f'jacobian: strategy must be "reverse-mode" or "forward-mode", got {strategy!r}'
        )
    if strict and vectorize:
        raise RuntimeError(
            "jacobian: strict=True and vectorize=True are not supported together: of a batch of "
            "rows it cannot be told which one does not depend on an input"
        )
    if strategy == "forward-mode" and not vectorize:
        raise NotImplementedError('jacobian: strategy="forward-mode" needs vectorize=True')
    several, given = _as_tuple(inputs, "inputs", "jacobian")
    with enable_grad():
        fresh = _fresh(given, create_graph)
        many, outputs = _called(func, fresh, "jacobian", strict)
        if strategy == "forward-mode":
            blocks = _columns(outputs, fresh, create_graph)
        elif vectorize:
            blocks = [_batched_rows(output, fresh, create_graph) for output in outputs]
        else:
            blocks = [_rows(output, fresh, create_graph, strict) for output in outputs]
    rows = [_given(block, several, create_graph) for block in blocks]
    return tuple(rows) if many else rows[0]


def _basis(tensor: Any) -> Any:
    """One unit vector of a tensor's shape a row."""
    size = tensor._array.size
    return np.eye(size, dtype=tensor._array.dtype).reshape(size, *tensor._array.shape)


def _stacked(parts: Sequence[Any], shape: tuple[int, ...], dtype: Any) -> Any:
    """Equal tensors along a new first axis, reshaped."""
    if not parts:
        return wrap(np.zeros(shape, dtype))
    rows = [recorded.reshape(p, shape=(1, *p._array.shape)) for p in parts]
    return recorded.reshape(recorded.cat(*rows, axis=0), shape=shape)


def _rows(output: Any, fresh: tuple[Any, ...], create: bool, strict: bool) -> list[Any]:
    rows = [
        _filled(
            pull([output], fresh, [wrap(seed)], create),
            fresh,
            "jacobian",
            strict,
            INDEPENDENT,
            create,
        )
        for seed in _basis(output)
    ]
    return [
        _stacked([row[k] for row in rows], (*output._array.shape, *x._array.shape), x._array.dtype)
        for k, x in enumerate(fresh)
    ]


def _batched_rows(output: Any, fresh: tuple[Any, ...], create: bool) -> list[Any]:
    shapes = [(*output._array.shape, *x._array.shape) for x in fresh]
    found: Sequence[Any] = (None,) * len(fresh)
    if output.requires_grad and output._array.size:
        found = grad(
            output,
            fresh,
            wrap(_basis(output)),
            retain_graph=True,
            create_graph=create,
            allow_unused=True,
            is_grads_batched=True,
        )
    return [
        wrap(np.zeros(shape, x._array.dtype)) if g is None else recorded.reshape(g, shape=shape)
        for g, shape, x in zip(found, shapes, fresh, strict=True)
    ]


def _columns(outputs: Any, fresh: tuple[Any, ...], create: bool) -> list[list[Any]]:
    blocks: list[list[Any]] = [[] for _ in outputs]
    zeros = [wrap(np.zeros(x._array.shape, x._array.dtype)) for x in fresh]
    for k, x in enumerate(fresh):
        columns = []
        for seed in _basis(x):
            along = [*zeros[:k], wrap(seed), *zeros[k + 1 :]]
            found, _ = push(outputs, fresh, along, create)
            columns.append(_filled(found, outputs, "jacobian", False, TANGENT, False))
        for i, output in enumerate(outputs):
            shape, n = output._array.shape, output._array.size
            side = _stacked([c[i] for c in columns], (x._array.size, n), output._array.dtype)
            turned = recorded.permute(side, axes=(1, 0))
            blocks[i].append(recorded.reshape(turned, shape=(*shape, *x._array.shape)))
    return blocks


def hessian(
    func: Func,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The second derivatives of a function to one number: shape (*input, *input).

    A tensor, or a tuple of tuples over the inputs.  outer_jacobian_strategy: how the gradient's
    Jacobian is computed, see `jacobian`.
    """
    if outer_jacobian_strategy not in ("reverse-mode", "forward-mode"):
        raise ValueError(
            'hessian: outer_jacobian_strategy must be "reverse-mode" or "forward-mode", got '
            f"{outer_jacobian_strategy!r}"
        )
    several, given = _as_tuple(inputs, "inputs", "hessian")

    def gradient(*fresh: Any) -> Any:
        output = _scalar(func, fresh, "hessian", strict)
        found = pull([output], fresh, _directions(None, [output], "hessian"), True)
        return _filled(found, fresh, "hessian", strict, INDEPENDENT, strict)

    found = jacobian(gradient, given, create_graph, strict, vectorize, outer_jacobian_strategy)
    return found if several else found[0][0]
