"""`Function`: an operation whose forward and backward a user writes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.backward.engine import FunctionNode
from tensorgrad.custom.context import FunctionCtx, asks_for_jvp
from tensorgrad.errors import GradientShapeError
from tensorgrad.graph.hooks import move_retained
from tensorgrad.graph.node import (
    OutputNode,
    TensorBase,
    edge_of,
    hook,
    local,
    make_node,
    new,
    number,
    wrap,
)
from tensorgrad.graph.saved import SavedValue
from tensorgrad.primitive import structural
from tensorgrad.recording.general import watch
from tensorgrad.views import following as views

__all__ = ["Function", "FunctionCtx", "once_differentiable", "record_function"]


class Function:
    """Subclass it with static methods ``forward(ctx, ...)`` and ``backward(ctx, *gradients)``.

    ``vjp`` is another name for ``backward``.  ``jvp(ctx, *tangents)`` gives the tangents of the
    outputs; forward mode (`func.jvp`, `autograd.forward_ad`) uses it instead of ``backward``, and
    where there is no ``backward`` the gradient is had from it.

    ``vmap(info, in_dims, *args)`` says what the function does under `func.vmap`;
    ``generate_vmap_rule = True`` has it derived from forward and backward.

    Or ``forward(...)`` without ctx and ``setup_context(ctx, inputs, output)``.  Call it by
    ``apply``.  ``backward`` returns one gradient, or None, per argument of forward.
    """

    generate_vmap_rule = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Refused: a Function is not called, it is applied."""
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Call "
            f"{type(self).__name__}.apply(...) on the class."
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the output; must be overridden."""
        raise NotImplementedError(
            "You must implement the forward function for custom autograd.Function."
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Save what backward needs, when forward takes no ctx."""
        raise NotImplementedError("setup_context is not overridden")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradients of forward's arguments; must be overridden."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom "
            "autograd.Function to use it with backward mode AD."
        )

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """The tangents of the outputs, given those of forward's arguments; may be overridden."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with "
            "forward mode AD."
        )

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *args: Any) -> Any:
        """What the function does to a batch: returns the output and its batch dimensions."""
        raise NotImplementedError(
            "To use autograd.Function with vmap, you must either override the vmap staticmethod or "
            "set generate_vmap_rule=True."
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run forward, and record this function as one node.

        Keyword arguments and defaults are bound to forward's parameters where forward takes no
        ctx; where it does, keyword arguments are put in their places (no defaults).
        """
        if cls.setup_context is not Function.setup_context:
            bound = inspect.signature(cls.forward).bind(*args, **kwargs)
            bound.apply_defaults()
            args = bound.args
            kwargs = {}
        elif kwargs:
            bound = inspect.signature(cls.forward).bind(None, *args, **kwargs)
            args, kwargs = bound.args[1:], bound.kwargs
        context = local.context
        if context.vmaps and (answer := hook.function(cls, args)) is not NotImplemented:
            return answer
        ctx = _Context(cls)
        recording = context.grad_enabled
        edges = tuple(edge_of(a) if recording and isinstance(a, TensorBase) else None for a in args)
        # Under no_grad too, as in PyTorch: what the arguments say, not what will be recorded.
        ctx.needs_input_grad = tuple(isinstance(a, TensorBase) and a._requires_grad for a in args)
        context.grad_enabled = False
        try:
            if cls.setup_context is not Function.setup_context:
                result = cls.forward(*args)
                cls.setup_context(ctx, args, result)
            else:
                result = cls.forward(ctx, *args, **kwargs)
        finally:
            context.grad_enabled = recording
        if any(edge is not None for edge in edges):
            result = _record(cls, ctx, args, edges, result)
        return result


def record_function(cls: type[Function], args: tuple[Any, ...], edges: Any, result: Any) -> Any:
    """Record outputs that were computed in another way than by ``forward``."""
    ctx = _Context(cls)
    ctx.needs_input_grad = tuple(edge is not None for edge in edges)
    cls.setup_context(ctx, args, result)
    return _record(cls, ctx, args, edges, result)


class _Context(FunctionCtx):
    """The ctx together with its function: what the node runs."""

    def __init__(self, function: type[Function]) -> None:
        super().__init__()
        self._function = function
        self._plain: set[int] = set()  # the outputs that are no tensors
        self._arguments: list[Any] = []  # for jvp: (shape, dtype), or None for what is no tensor
        self._saved_forward: tuple[Any, ...] | None = None
        self._linear: Any = None  # the jvp once it has been recorded

    def _backward(self) -> Callable[..., Any]:
        function = self._function
        own, vjp = function.backward is not Function.backward, function.vjp is not Function.vjp
        if own and vjp:
            raise RuntimeError(
                "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. "
                "You should only implement one of them."
            )
        if function.jvp is not Function.jvp and (asks_for_jvp() or not (own or vjp)):
            return hook.by_jvp
        return function.vjp if vjp else function.backward

    def _run(self, node: FunctionNode, g: Any, create: bool) -> list[Any]:
        several = node.op.outputs
        given = list(g) if several else [g]
        shapes: Any = node.shape if several else (node.shape,)
        dtypes: Any = node.dtype if several else (node.dtype,)
        shown = []
        for i, (value, shape, dtype) in enumerate(zip(given, shapes, dtypes, strict=True)):
            if value is None:  # an output that is no tensor has no gradient at all
                made = self.materialize_grads and i not in self._plain
                shown.append(wrap(np.zeros(shape, dtype)) if made else None)
            else:
                shown.append(value if create else wrap(value))
        found = self._backward()(self, *shown)
        found = list(found) if isinstance(found, tuple) else [found]
        name = f"{self._function.__name__}.backward"
        while len(found) > len(node.inputs) and found[-1] is None:
            found.pop()
        if len(found) != len(node.inputs):
            raise RuntimeError(
                f"{name} returned an incorrect number of gradients (expected {len(node.inputs)}, "
                f"got {len(found)}), one per argument of forward"
            )
        arrays: list[Any] = []
        for i, (gradient, edge) in enumerate(zip(found, node.inputs, strict=True)):
            if gradient is None or edge is None:
                arrays.append(None)
                continue
            if not isinstance(gradient, TensorBase):
                raise RuntimeError(
                    f"{name}: gradient {i} is {type(gradient).__name__}, expected a Tensor or None"
                )
            shape = gradient._array.shape
            if shape != edge.shape and not _sums_to(shape, edge.shape):
                raise GradientShapeError(
                    f"{name} returned an invalid gradient at index {i} - got {shape} but expected "
                    f"shape compatible with {edge.shape}",
                    i,
                    shape,
                    edge.shape,
                )
            arrays.append(gradient if create else gradient._array)
        return arrays


def _sums_to(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    lead = len(shape) - len(target)
    return lead >= 0 and all(n in (1, m) for n, m in zip(target, shape[lead:], strict=True))


def _record(
    cls: type[Function], ctx: _Context, args: tuple[Any, ...], edges: Any, result: Any
) -> Any:
    several = isinstance(result, tuple)
    outputs = list(result) if several else [result]
    shape: Any = tuple(t._array.shape if isinstance(t, TensorBase) else () for t in outputs)
    dtype: Any = tuple(
        t._array.dtype if isinstance(t, TensorBase) else np.dtype(np.float32) for t in outputs
    )
    if not several:
        if not isinstance(result, (TensorBase, list, dict)):
            return result  # a number, None: nothing that a gradient could reach
        if not isinstance(result, TensorBase):
            raise TypeError(
                f"{cls.__name__}.forward must return a Tensor or a tuple of them, got "
                f"{type(result).__name__}"
            )
        shape, dtype = shape[0], dtype[0]
    op = structural(cls.__name__, f"The user's function {cls.__name__}.")
    op.arguments = tuple(f"argument {i}" for i in range(len(args)))
    op.outputs = several
    op.plain = False  # its node runs the user's backward
    node: Any = make_node(op, edges, (), None, shape, dtype, FunctionNode)
    node.ctx = ctx
    ctx._plain = {i for i, t in enumerate(outputs) if not isinstance(t, TensorBase)}
    given = {id(a) for a in args if isinstance(a, TensorBase)}
    dirty = {id(t) for t in ctx._dirty}
    _check_dirty(cls, ctx, outputs)
    constant = {id(t) for t in ctx._non_differentiable}
    places: dict[int, Any] = {}
    made: list[Any] = []
    for index, tensor in enumerate(outputs):
        if not isinstance(tensor, TensorBase):
            made.append(tensor)
            continue
        out: Any = tensor
        if id(tensor) not in dirty and not given.isdisjoint(
            {id(tensor), id(views.base_of(tensor))}
        ):
            out = views.handed_through(tensor)  # becomes a tensor of its own
        if id(tensor) not in constant and tensor._array.dtype.kind in "fc":
            place = node
            if several:
                place = new(OutputNode)
                place.op, place.inputs, place.params, place.saved = op, (node,), None, ()
                place.storages = place.hooks = None
                place.shape, place.dtype = tensor._array.shape, tensor._array.dtype
                place.code, place.lasti, place.scope = node.code, node.lasti, node.scope
                place.seq, place.index = number(), index
            if id(tensor) in dirty and tensor._view is not None:
                views.written(tensor, place)
            else:
                if id(tensor) in dirty:
                    views.bump(tensor)
                    if tensor._node is not None:
                        move_retained(tensor, tensor._node, place)
                out._node, out._requires_grad, out._view = place, True, None
            places[id(tensor)] = place
        made.append(out)
    hooks = local.context.saved_hooks[-1] if local.context.saved_hooks else None

    def kept(tensors: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            None if t is None else SavedValue(t, places.get(id(t), t._node), hooks) for t in tensors
        )

    ctx._saved = kept(ctx._to_save)
    if ctx._saved:
        node.storages = ()  # something to free
    if cls.jvp is not Function.jvp:
        tensors = [a if isinstance(a, TensorBase) else None for a in args]
        ctx._arguments = [None if a is None else (a._array.shape, a._array.dtype) for a in tensors]
        if ctx._to_save_forward is not None:
            ctx._saved_forward = kept(ctx._to_save_forward)
    ctx._to_save = ctx._dirty = ctx._non_differentiable = ()
    ctx._to_save_forward = None
    if local.context.on_forward:
        for tensor, out in zip(outputs, made, strict=True):
            if (place := places.get(id(tensor))) is not None:
                watch(place, out)
    return tuple(made) if several else made[0]


def _check_dirty(cls: type[Function], ctx: _Context, outputs: list[Any]) -> None:
    returned = {id(t) for t in outputs}
    for tensor in ctx._dirty:
        if id(tensor) not in returned:
            raise RuntimeError(
                "Some elements marked as dirty during the forward method were not returned as "
                f"output by {cls.__name__}. The inputs that are modified inplace must all be "
                "outputs of the Function."
            )
        root = views.base_of(tensor)
        if root._requires_grad and root._node is None:
            raise RuntimeError(
                f"{cls.__name__}: a leaf Variable that requires grad has been used in an in-place "
                "operation (it, or a view of it, was marked dirty); clone() it before"
            )


def once_differentiable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a backward that uses something the engine cannot differentiate again."""

    def wrapped(ctx: Any, *gradients: Any) -> Any:
        context = local.context
        recording, context.grad_enabled = context.grad_enabled, False
        try:
            found = function(ctx, *gradients)
        finally:
            context.grad_enabled = recording
        if not recording or not any(getattr(g, "_requires_grad", False) for g in gradients):
            return found
        several = isinstance(found, tuple)
        values = found if several else (found,)
        marked = _Undifferentiable.apply(len(values), *values, *gradients)
        return marked if several else marked[0]

    return wrapped


class _Undifferentiable(Function):
    """Marks gradients whose own gradient was ruled out by `once_differentiable`."""

    @staticmethod
    def forward(ctx: Any, count: int, *values: Any) -> Any:
        return values[:count]

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with @once_differentiable"
        )
