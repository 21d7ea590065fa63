"""Differentiation: backward, grad, grad modes, and functions with a backward of their own."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tensorgrad.anomaly import detect_anomaly, set_detect_anomaly
from tensorgrad.custom import Function, once_differentiable
from tensorgrad.engine import walk
from tensorgrad.errors import describe
from tensorgrad.node import Node, TensorBase, edge_of, local, wrap

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "Function",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "grad",
    "is_grad_enabled",
    "no_grad",
    "observe_backward",
    "observe_forward",
    "once_differentiable",
    "set_detect_anomaly",
    "set_grad_enabled",
]

F = TypeVar("F", bound=Callable[..., Any])


# --- Modes ----------------------------------------------------------------------------------------


def is_grad_enabled() -> bool:
    """Whether operations of this thread are recorded."""
    return local.context.grad_enabled


class _GradMode:
    """A context manager and decorator that sets whether this thread records."""

    def __init__(self, mode: bool) -> None:
        self._mode = mode
        self._before: list[bool] = []  # a stack: one object may be entered again inside itself

    def __enter__(self) -> None:
        context = local.context
        self._before.append(context.grad_enabled)
        context.grad_enabled = self._mode

    def __exit__(self, *error: object) -> None:
        local.context.grad_enabled = self._before.pop()

    def __call__(self, function: F) -> F:
        mode = self._mode
        if inspect.isgeneratorfunction(function):
            return _wrap_generator(function, mode)  # type: ignore[no-any-return]

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with _GradMode(mode):
                return function(*args, **kwargs)

        return wrapped  # type: ignore[return-value]


def _wrap_generator(function: Any, mode: bool) -> Any:
    """The mode holds while the generator runs, not while its consumer does."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Iterator[Any]:
        generator = function(*args, **kwargs)
        sent: Any = None
        try:
            while True:
                with _GradMode(mode):
                    value = generator.send(sent)
                try:
                    sent = yield value
                except GeneratorExit:
                    raise
                except BaseException as error:  # goes to the generator, as if it had raised itself
                    with _GradMode(mode):
                        value = generator.throw(error)
                    sent = yield value
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
        finally:
            generator.close()

    return wrapped


class no_grad(_GradMode):
    """Record nothing: ``with no_grad():``, ``@no_grad()`` or ``@no_grad``."""

    def __new__(cls, function: Any = None) -> Any:
        made = super().__new__(cls)
        if function is None:
            return made
        made.__init__()  # type: ignore[misc]
        return made(function)

    def __init__(self, function: Any = None) -> None:
        super().__init__(False)


class enable_grad(_GradMode):
    """Record again inside a `no_grad`; as context manager or decorator."""

    def __new__(cls, function: Any = None) -> Any:
        made = super().__new__(cls)
        if function is None:
            return made
        made.__init__()  # type: ignore[misc]
        return made(function)

    def __init__(self, function: Any = None) -> None:
        super().__init__(True)


class set_grad_enabled(_GradMode):
    """Set the mode at once; as a context manager, until the end of the block."""

    def __init__(self, mode: bool) -> None:
        super().__init__(bool(mode))
        self._previous = local.context.grad_enabled
        local.context.grad_enabled = self._mode

    def __enter__(self) -> None:
        self._before.append(self._previous)
        local.context.grad_enabled = self._mode

    def __call__(self, function: F) -> F:
        local.context.grad_enabled = self._previous  # as a decorator it sets nothing now
        return super().__call__(function)


# --- Backward -------------------------------------------------------------------------------------


def _sequence(value: Any) -> Sequence[Any]:
    return (value,) if value is None or isinstance(value, TensorBase) else tuple(value)


def _seeds(outputs: Sequence[Any], gradients: Any, create: bool, name: str) -> dict[Node, Any]:
    """Where the walk starts: each output's node with its gradient."""
    given = [None] * len(outputs) if gradients is None else list(_sequence(gradients))
    if len(given) != len(outputs):
        raise RuntimeError(f"{name}: got {len(outputs)} tensors and {len(given)} gradients")
    pending: dict[Node, Any] = {}
    gradient: Any
    for output, gradient in zip(outputs, given, strict=True):
        if not isinstance(output, TensorBase):
            raise TypeError(f"{name}: expected a Tensor, got {type(output).__name__}")
        edge = edge_of(output)
        if edge is None:
            raise RuntimeError(
                f"{name}: the tensor {describe(output)} does not require grad and does not have a "
                "grad_fn: nothing that requires grad led to it, or it was made under no_grad() or "
                "by detach()"
            )
        array = output._array
        if gradient is None:
            if array.size != 1:
                raise RuntimeError(
                    f"{name}: grad can be implicitly created only for scalar outputs, got "
                    f"{describe(output)}; reduce it (.sum(), .mean()) or pass the gradient"
                )
            if array.dtype.kind == "c":
                raise RuntimeError(
                    f"{name}: grad can be computed only for real scalar outputs but got "
                    f"{array.dtype}"
                )
            gradient = wrap(np.ones(array.shape, array.dtype))
        elif not isinstance(gradient, TensorBase):
            raise TypeError(
                f"{name}: a gradient must be a Tensor or None, got {type(gradient).__name__}"
            )
        elif gradient._array.shape != array.shape:
            raise RuntimeError(
                f"{name}: mismatch in shape: the gradient is {describe(gradient)}, the output is "
                f"{describe(output)}"
            )
        elif gradient._array.dtype.kind == "c" and array.dtype.kind != "c":
            raise RuntimeError(f"{name}: a complex gradient for the real output {describe(output)}")
        value: Any = gradient if create else gradient._array
        if gradient._array.dtype is not array.dtype:
            value = gradient.to(array.dtype) if create else value.astype(array.dtype)
        pending[edge] = value if edge not in pending else pending[edge] + value
    return pending


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add the gradients of ``tensors`` to ``.grad`` of the leaves (or of ``inputs`` only).

    grad_tensors: one per tensor, of its shape; None stands for 1 and needs a tensor of one element.
    retain_graph: keep the saved arrays for another backward; defaults to ``create_graph``.
    create_graph: record the gradients themselves, so that they can be differentiated.
    """
    outputs = _sequence(tensors)
    pending = _seeds(outputs, grad_tensors, create_graph, "backward")
    retain = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        walk(pending, retain=retain, create=create_graph)
        return
    wanted = _sequence(inputs)
    if not wanted:
        raise RuntimeError("backward: inputs is empty; leave it out to reach every leaf")
    edges = _edges(wanted, "backward")
    found = walk(pending, retain=retain, create=create_graph, targets=set(edges))
    for tensor, edge in zip(wanted, edges, strict=True):
        if tensor._node is not None and edge in found:  # a leaf received its gradient on the way
            gradient = found[edge] if create_graph else wrap(found[edge].copy())
            tensor._grad = gradient if tensor._grad is None else tensor._grad + gradient


def _edges(inputs: Sequence[Any], name: str) -> list[Node]:
    edges = []
    for i, tensor in enumerate(inputs):
        if not isinstance(tensor, TensorBase):
            raise TypeError(f"{name}: input {i} is {type(tensor).__name__}, not a Tensor")
        edge = edge_of(tensor)
        if edge is None:
            raise RuntimeError(
                f"{name}: input {i}, {describe(tensor)}, does not require grad; call "
                "requires_grad_() on it before the forward pass"
            )
        edges.append(edge)
    return edges


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor, ...]:
    """The sum of the gradients of ``outputs`` with respect to each of ``inputs``.

    Leaves no trace in any ``.grad``.  An input that the outputs do not depend on is an error,
    unless ``allow_unused`` (None is returned for it) or ``materialize_grads`` (zeros).
    """
    if is_grads_batched:
        raise RuntimeError(
            "grad: is_grads_batched=True is not supported; loop over the rows of grad_outputs"
        )
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "grad: expected allow_unused to be True or not passed when materialize_grads=True"
        )
    allow = materialize_grads if allow_unused is None else allow_unused
    wanted = _sequence(inputs)
    edges = _edges(wanted, "grad")
    pending = _seeds(_sequence(outputs), grad_outputs, create_graph, "grad")
    retain = create_graph if retain_graph is None else retain_graph
    found = walk(pending, retain=retain, create=create_graph, targets=set(edges), accumulate=False)
    answer: list[Any] = []
    for i, (tensor, edge) in enumerate(zip(wanted, edges, strict=True)):
        gradient = found.get(edge)
        if gradient is None:
            if not allow:
                raise RuntimeError(
                    f"grad: input {i}, {describe(tensor)}, appears to not have been used in the "
                    "graph. Set allow_unused=True if this is the desired behavior."
                )
            answer.append(
                wrap(np.zeros(tensor._array.shape, tensor._array.dtype))
                if materialize_grads
                else None
            )
        else:
            # Two inputs may be given the same array (x + y): a user may write into each.
            answer.append(gradient if create_graph else wrap(np.array(gradient)))
    return tuple(answer)


# --- Observers ------------------------------------------------------------------------------------


@contextmanager
def observe_forward(observer: Callable[[Node, Tensor], object]) -> Iterator[None]:
    """Call ``observer(node, output)`` for every operation this thread records in the block."""
    context = local.context
    before = context.on_forward
    context.on_forward = (*before, observer)
    try:
        yield
    finally:
        context.on_forward = before


@contextmanager
def observe_backward(observer: Callable[[Node, Any], object]) -> Iterator[None]:
    """Call ``observer(node, gradient)`` for every node that backward reaches in the block.

    The gradient is an ndarray (a Tensor under ``create_graph``; a tuple for an operation with
    several outputs) and must not be written.
    """
    context = local.context
    before = context.on_backward
    context.on_backward = (*before, observer)
    try:
        yield
    finally:
        context.on_backward = before


def __getattr__(name: str) -> Any:
    """``autograd.gradcheck`` as in PyTorch; it is a client of this module, so it loads on use."""
    if name in ("gradcheck", "gradgradcheck"):
        return getattr(importlib.import_module("tensorgrad.gradcheck"), name)
    raise AttributeError(f"module 'tensorgrad.autograd' has no attribute {name!r}")
