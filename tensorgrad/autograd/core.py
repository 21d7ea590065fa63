"""backward and grad: where a walk starts, where it ends, and what is returned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy import ndarray

from tensorgrad.autograd.edges import GradientEdge, node_at
from tensorgrad.backward.engine import walk
from tensorgrad.backward.shortcuts import at_leaves
from tensorgrad.batching import Frame, is_batched
from tensorgrad.batching.mapped import entered, unwrapped, wrapped
from tensorgrad.errors import describe
from tensorgrad.graph.node import Node, TensorBase, edge_of, local, wrap
from tensorgrad.graph.provenance import warn
from tensorgrad.machine.constants import constant
from tensorgrad.primitive import recorded

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["backward", "grad", "observe_backward", "observe_forward", "plain_backward"]

# Nobody may write into a seed that all losses share; a leaf that it reaches gets a copy.
_ONES = {np.dtype(kind): constant(1.0, np.dtype(kind)) for kind in (np.float32, np.float64)}


def _sequence(value: Any) -> Sequence[Any]:
    if value is None or isinstance(value, (TensorBase, GradientEdge)):
        return (value,)
    return tuple(value)


def _seeds(outputs: Sequence[Any], gradients: Any, create: bool, name: str) -> dict[Node, Any]:
    """Where the walk starts: each output's node with its gradient."""
    given = [None] * len(outputs) if gradients is None else list(_sequence(gradients))
    if len(given) != len(outputs):
        raise RuntimeError(f"{name}: got {len(outputs)} tensors and {len(given)} gradients")
    pending: dict[Node, Any] = {}
    gradient: Any
    for output, gradient in zip(outputs, given, strict=True):
        if isinstance(output, GradientEdge):
            edge: Node | None = node_at(output)
            array: Any = edge  # as far as its shape and dtype are asked for
        elif isinstance(output, TensorBase):
            edge, array = edge_of(output), output._array
        else:
            raise TypeError(f"{name}: expected a Tensor, got {type(output).__name__}")
        if edge is None:
            raise RuntimeError(
                f"{name}: the tensor {describe(output)} does not require grad and does not have a "
                "grad_fn: nothing that requires grad led to it, or it was made under no_grad() or "
                "by detach()"
            )
        if gradient is None:
            if array.size != 1:
                raise RuntimeError(
                    f"{name}: grad can be implicitly created only for scalar outputs, got "
                    f"{_describe(output)}; reduce it (.sum(), .mean()) or pass the gradient"
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
                f"{_describe(output)}"
            )
        elif gradient._array.dtype.kind == "c" and array.dtype.kind != "c":
            raise RuntimeError(
                f"{name}: a complex gradient for the real output {_describe(output)}"
            )
        value: Any = gradient if create else gradient._array
        if gradient._array.dtype is not array.dtype:
            value = gradient.to(array.dtype) if create else value.astype(array.dtype)
        pending[edge] = value if edge not in pending else pending[edge] + value
    return pending


def plain_backward(output: Any, gradient: Any, retain: bool | None) -> bool:
    """`backward` of the commonest call, ``loss.backward()``; False if it is any other, or wrong."""
    if not isinstance(output, TensorBase) or type(array := output._array) is not ndarray:
        return False
    edge = output._node
    if edge is None or output._view is not None:
        edge = edge_of(output)
        if edge is None:
            return False
    dtype = array.dtype
    if gradient is None:
        if array.shape != () or dtype not in _ONES:
            return False
        value = _ONES[dtype]
    elif isinstance(gradient, TensorBase):
        value = gradient._array
        if type(value) is not ndarray or value.dtype is not dtype or value.shape != array.shape:
            return False
    else:
        return False
    if not at_leaves(edge, value, retain):
        walk({edge: value}, bool(retain), False)
    return True


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Add the gradients of ``tensors`` to ``.grad`` of the leaves (or of ``inputs`` only).

    grad_tensors: one per tensor, of its shape; None stands for 1 and needs a tensor of one element.
    retain_graph: keep the saved arrays for another backward; defaults to ``create_graph``.
    create_graph: record the gradients themselves, so that they can be differentiated.
    grad_variables: the old name of grad_tensors.
    """
    if grad_variables is not None:
        warn("backward: `grad_variables` is deprecated; use `grad_tensors`", FutureWarning)
        if grad_tensors is not None:
            raise RuntimeError(
                "backward: `grad_tensors` and `grad_variables` (deprecated) were both passed; use "
                "`grad_tensors` only"
            )
        grad_tensors = grad_variables
    if inputs is None and not create_graph and plain_backward(tensors, grad_tensors, retain_graph):
        return
    outputs = _sequence(tensors)
    if any(is_batched(output) for output in outputs):
        raise RuntimeError(
            "vmap: backward() called inside the mapped function. This is not supported: call it "
            "outside, or use func.grad or autograd.grad inside"
        )
    if create_graph:
        warn(
            "Using backward() with create_graph=True will create a reference cycle between the "
            "parameter and its gradient, which keeps their memory until Python's garbage "
            "collector runs. Prefer autograd.grad; otherwise reset the .grad fields to None after "
            "use."
        )
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
        if isinstance(tensor, GradientEdge):
            continue  # a leaf's; there is no tensor whose .grad could hold another's
        if tensor._node is None or tensor.retains_grad:
            continue  # received its gradient on the way
        if edge in found:
            gradient = found[edge] if create_graph else wrap(found[edge].copy())
            tensor._grad = gradient if tensor._grad is None else tensor._grad + gradient


def _edges(inputs: Sequence[Any], name: str) -> list[Node]:
    edges = []
    for i, tensor in enumerate(inputs):
        if isinstance(tensor, GradientEdge):
            edges.append(node_at(tensor))
            continue
        if not isinstance(tensor, TensorBase):
            raise RuntimeError(
                f"{name}: all inputs have to be Tensors or GradientEdges, but got "
                f"{type(tensor).__name__}"
            )
        edge = edge_of(tensor)
        if edge is None:
            raise RuntimeError(
                f"{name}: input {i}, {describe(tensor)}, does not require grad; call "
                "requires_grad_() on it before the forward pass"
            )
        edges.append(edge)
    return edges


@overload
def grad(outputs: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> dict[str, Tensor]: ...


@overload
def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor, ...]: ...


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> Any:
    """The sum of the gradients of ``outputs`` with respect to each of ``inputs``, as a tuple.

    inputs: a Tensor, several, or a dict of them (``dict(model.named_parameters())``), for which the
        gradients come as a dict too.

    Leaves no trace in any ``.grad``.  An input that the outputs do not depend on is an error,
    unless ``allow_unused`` (None is returned for it) or ``materialize_grads`` (zeros).
    only_inputs: has no other value than True any more.
    is_grads_batched: each of ``grad_outputs`` has one more dimension in front, and so have the
        gradients: one row a row.
    """
    if not only_inputs:
        warn(
            "grad: only_inputs argument is deprecated and is ignored now (defaults to True). To "
            "accumulate gradient for other parts of the graph, please use backward.",
            FutureWarning,
        )
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "grad: expected allow_unused to be True or not passed when materialize_grads=True"
        )
    if isinstance(inputs, Mapping):
        if type(inputs) is not dict:
            raise TypeError(
                f"grad: inputs may be a dict, not {type(inputs).__name__}: dict(inputs)"
            )
        gradients = grad(
            outputs, tuple(inputs.values()), grad_outputs, retain_graph, create_graph, True,
            allow_unused, is_grads_batched, materialize_grads,
        )  # fmt: skip
        return dict(zip(inputs, gradients, strict=True))
    allow = materialize_grads if allow_unused is None else allow_unused
    if is_grads_batched:
        return _batched(
            lambda seeds, retain: grad(
                outputs, inputs, seeds, retain, create_graph, True, allow, False, materialize_grads
            ),
            grad_outputs,
            create_graph if retain_graph is None else retain_graph,
        )
    wanted = _sequence(inputs)
    if not wanted:
        raise RuntimeError("grad: `inputs` argument to `grad()` cannot be empty.")
    edges = _edges(wanted, "grad")
    tensors = create_graph or bool(local.context.vmaps)  # batched values are Tensors' only
    pending = _seeds(_sequence(outputs), grad_outputs, tensors, "grad")
    retain = create_graph if retain_graph is None else retain_graph
    found = walk(
        pending,
        retain=retain,
        create=tensors,
        targets=set(edges),
        accumulate=False,
        record=create_graph,
    )
    answer: list[Any] = []
    for i, (tensor, edge) in enumerate(zip(wanted, edges, strict=True)):
        gradient = found.get(edge)
        if gradient is None:
            if not allow:
                raise RuntimeError(
                    f"grad: input {i}, {_describe(tensor)}, appears to not have been used in the "
                    "graph. Set allow_unused=True if this is the desired behavior."
                )
            answer.append(wrap(np.zeros(edge.shape, edge.dtype)) if materialize_grads else None)
        else:
            # Two inputs may be given the same array (x + y): a user may write into each.
            answer.append(gradient if tensors else wrap(np.array(gradient)))
    return tuple(answer)


def _batched(
    pull: Callable[[list[Any], bool], tuple[Any, ...]], grad_outputs: Any, retain: bool
) -> tuple[Any, ...]:
    """One backward pass for all rows of the batch; ``pull(seeds, retain)`` makes it.

    One for each row where a rule has to look at the numbers of one row alone.
    """
    seeds = _sequence(grad_outputs)
    sizes = {seed.shape[0] if seed.ndim else 0 for seed in seeds if seed is not None}
    if len(sizes) != 1 or 0 in sizes:
        raise RuntimeError(
            "grad: with is_grads_batched=True every gradient of grad_outputs needs a leading "
            f"dimension of one size, at least 1, got {[describe(seed) for seed in seeds]}"
        )
    size: int = sizes.pop()
    frame = Frame(len(local.context.vmaps) + 1, size, "same")
    try:
        with entered(frame):
            found = pull([None if s is None else wrapped(s, 0, frame) for s in seeds], True)
        return tuple(None if g is None else unwrapped(g, 0, frame) for g in found)
    except RuntimeError as error:
        if "vmap:" not in str(error):
            raise
    rows = [
        pull([None if s is None else s[i] for s in seeds], retain or i < size - 1)
        for i in range(size)
    ]
    return tuple(
        None
        if parts[0] is None
        else recorded.cat(*(recorded.reshape(p, shape=(1, *p._array.shape)) for p in parts), axis=0)
        for parts in zip(*rows, strict=True)
    )


def _describe(value: Any) -> str:
    """A tensor, or the output that an edge names."""
    if isinstance(value, GradientEdge):
        node = node_at(value)
        return f"output {value.output_nr} of {node.name()}, {node.dtype}{node.shape}"
    return describe(value)


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
