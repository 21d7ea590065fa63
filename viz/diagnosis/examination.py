"""What `doctor` looks at: the graph behind a loss, its values and its gradients, undisturbed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tensorgrad.autograd import enable_grad
from tensorgrad.autograd import grad as gradients_of
from tensorgrad.graph.node import Freed, Node, local
from tensorgrad.graph.provenance import Location
from tensorgrad.random import fork_rng
from tensorgrad.viz.figures.words import visible

if TYPE_CHECKING:
    from tensorgrad.nn import Module

__all__ = ["Examination", "Parameter", "bad_data", "examine"]

Array = NDArray[Any]


@dataclass(slots=True)
class Parameter:
    """A parameter, its gradient (None: not computed) and the line that uses it."""

    name: str
    tensor: Any
    gradient: Array | None = None
    location: Location | None = None

    @property
    def array(self) -> Array:
        """Its values."""
        found: Array = self.tensor._array
        return found

    @property
    def is_weight(self) -> bool:
        """A matrix or a kernel, not a bias or a scale."""
        return bool(self.tensor.ndim > 1)


@dataclass
class Examination:
    """The facts: ``nodes`` from the inputs to the loss, parameters in the order of the model."""

    loss: Any
    nodes: list[Node]
    parameters: list[Parameter]
    freed: bool = False  # whether backward has run: values are gone
    bad_forward: tuple[Node, str] | None = None  # the first operation that was not finite
    bad_backward: Node | None = None
    forward_ran: bool = False  # whether every operation's output was seen
    output: Any = None  # what the model returned, if its call was seen
    largest_input: float | None = None
    consumers: dict[int, list[Node]] = field(default_factory=dict)
    after: dict[int, bool] = field(default_factory=dict)  # whether a parameter comes in later

    def value(self, node: Node) -> Array | None:
        """The output of an operation, where it or what reads it has kept it."""
        kept = node.saved
        if type(kept) is tuple and kept and isinstance(kept[0], np.ndarray):
            return kept[0]
        for consumer in self.consumers.get(id(node), []):
            saved = consumer.saved
            if type(saved) is not tuple:
                continue
            for edge, entry in zip(consumer.inputs, saved[1:]):
                if edge is node and isinstance(entry, np.ndarray):
                    return entry
        return None

    def name_of(self, node: Node) -> str:
        """``features.0: relu``: the module and the operation."""
        path = node.scope.path if node.scope is not None else ""
        return visible(f"{path}: {node.op.name}" if path else node.op.name)


def examine(model: Module, loss: Any, batch: Any, caller: str = "viz.doctor") -> Examination:
    """Compute what is needed and leave everything as it was: gradients, buffers, random numbers."""
    watch = _Forward()
    output: list[Any] = []
    if callable(loss) and not hasattr(loss, "grad_fn"):
        with _undisturbed(model), watch, _outputs(model, output):
            loss = _loss(model, loss, batch, caller)
        watched = True
    else:
        watched = False
        if batch is not None:
            told = "leave it out"
            if hasattr(batch, "param_groups"):
                told = "an optimizer is given by name: optimizer=..."
            raise TypeError(
                f"{caller}: batch goes with a loss function, but loss is a Tensor; {told}"
            )
    if not hasattr(loss, "grad_fn") or not hasattr(loss, "_array"):
        raise TypeError(
            f"{caller}: loss must be a Tensor, a function without arguments that returns one, or a "
            f"loss function with batch=(input, target); got {type(loss).__name__}"
        )
    if loss._array.size != 1:
        raise ValueError(
            f"{caller}: the loss has shape {tuple(loss.shape)}; a loss is one number: take .mean()"
        )
    nodes = _graph(loss)
    named = [Parameter(visible(name), p) for name, p in model.named_parameters()]
    made = Examination(loss, nodes, named, forward_ran=watched)
    made.freed = any(type(n.saved) is Freed for n in nodes)
    made.output = output[-1] if output else None
    made.bad_forward = watch.first
    made.largest_input = _largest(batch)
    _connect(made)
    _differentiate(made)
    return made


def _loss(model: Module, loss: Any, batch: Any, caller: str) -> Any:
    with enable_grad():
        if batch is None:
            try:
                return loss()
            except TypeError as error:
                if "argument" in str(error) and hasattr(loss, "forward"):
                    raise TypeError(
                        f"{caller}: {type(loss).__name__} is a loss function: give "
                        "batch=(input, target) as well"
                    ) from error
                raise
        if not isinstance(batch, tuple | list) or len(batch) < 2:
            raise TypeError(
                f"{caller}: batch must be (input, ..., target), got {type(batch).__name__}"
            )
        *inputs, target = batch
        return loss(model(*inputs), target)


@contextmanager
def _undisturbed(model: Module) -> Iterator[None]:
    """Buffers (running statistics) and the default generator as before."""
    kept = [(buffer, buffer._array.copy()) for buffer in model.buffers()]
    try:
        with fork_rng():
            yield
    finally:
        for buffer, array in kept:
            buffer._array[...] = array


@contextmanager
def _outputs(model: Module, found: list[Any]) -> Iterator[None]:
    def keep(module: Any, args: Any, output: Any) -> None:
        found.append(output)

    handle = model.register_forward_hook(keep)
    try:
        yield
    finally:
        handle.remove()


class _Forward:
    """Looks at every operation's output while the forward runs, for the first not finite."""

    def __init__(self) -> None:
        self.first: tuple[Node, str] | None = None

    def __enter__(self) -> _Forward:
        local.context.on_forward = (*local.context.on_forward, self._see)
        return self

    def __exit__(self, *error: object) -> None:
        context = local.context
        context.on_forward = tuple(w for w in context.on_forward if w != self._see)

    def _see(self, node: Node, out: Any) -> None:
        if self.first is None and out._array.dtype.kind in "fc":
            said = not_finite(out._array)
            if said:
                # What came in without a gradient (data) was not seen before.
                entries = node.saved[1:] if type(node.saved) is tuple else ()
                given = [e for e in entries if isinstance(e, np.ndarray) and e.dtype.kind in "fc"]
                bad = any(not_finite(e) for e in given)
                self.first = node, said + (" (there was some in its input)" if bad else "")


def bad_data(node: Node) -> tuple[Node, str] | None:
    """What an operation has kept of data that are not finite: those that no operation made."""
    if not any(edge is None for edge in node.inputs) or type(node.saved) is not tuple:
        return None
    if any(edge is not None and not hasattr(edge, "variable") for edge in node.inputs):
        return None
    # The first entry is the output, which may be what is not finite; parameters are by now.
    for entry in node.saved[1:]:
        if isinstance(entry, np.ndarray) and entry.dtype.kind in "fc":
            said = not_finite(entry)
            if said and not (entry[~np.isfinite(entry)] == -np.inf).all():  # as masks are
                return node, said
    return None


def not_finite(array: Array) -> str:
    """``3 NaN, 1 infinite of 20``; empty if all is finite."""
    with np.errstate(all="ignore"):
        if np.isfinite(array).all():
            return ""
        nan, inf = int(np.isnan(array).sum()), int(np.isinf(array).sum())
    counted = [f"{n:,} {word}" for n, word in ((nan, "NaN"), (inf, "infinite")) if n]
    return f"{', '.join(counted)} of {array.size:,}"


def _largest(batch: Any) -> float | None:
    if not isinstance(batch, tuple | list) or len(batch) < 2:
        return None
    array = getattr(batch[0], "_array", batch[0])
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu" or not array.size:
        return None
    with np.errstate(all="ignore"):
        return float(np.abs(array.astype(np.float64)).max())


def _graph(loss: Any) -> list[Node]:
    """Every operation behind the loss, inputs first; leaves' nodes are left out."""
    root = loss.grad_fn
    if root is None:
        return []
    seen: dict[int, Node] = {id(root): root}
    stack = [root]
    while stack:
        node = stack.pop()
        for edge in node.inputs:
            if edge is not None and id(edge) not in seen:
                seen[id(edge)] = edge
                stack.append(edge)
    return sorted((n for n in seen.values() if not hasattr(n, "variable")), key=lambda n: n.seq)


def _connect(made: Examination) -> None:
    """Who reads what, which lines use which parameters, and where the last parameter comes in."""
    own = {id(p.tensor): p for p in made.parameters}
    uses: dict[int, bool] = {}
    for node in made.nodes:
        for edge in node.inputs:
            if edge is None:
                continue
            made.consumers.setdefault(id(edge), []).append(node)
            parameter = own.get(id(getattr(edge, "variable", None)))
            if parameter is not None:
                uses[id(node)] = True
                parameter.location = parameter.location or node.location
    for node in reversed(made.nodes):
        made.after[id(node)] = any(
            uses.get(id(c), False) or made.after[id(c)] for c in made.consumers.get(id(node), [])
        )


def _differentiate(made: Examination) -> None:
    """The gradients, without touching any ``.grad``; of a freed graph those that are there."""
    trained = [p for p in made.parameters if p.tensor.requires_grad]
    if made.loss.grad_fn is None or not trained:
        return
    if made.freed:
        for p in trained:
            p.gradient = None if p.tensor.grad is None else p.tensor.grad._array
        return
    seen: set[int] = set()

    def arrived(node: Node, g: Any) -> None:
        parts = g if isinstance(g, tuple) else (g,)
        arrays = [getattr(part, "_array", part) for part in parts if part is not None]
        if all(not not_finite(np.asarray(a)) for a in arrays):
            seen.add(id(node))
        elif made.bad_backward is None:
            made.bad_backward = next(
                (c for c in made.consumers.get(id(node), []) if id(c) in seen), node
            )

    context = local.context
    before = context.on_backward
    context.on_backward = (*before, arrived)
    try:
        found = gradients_of(
            made.loss, [p.tensor for p in trained], retain_graph=True, allow_unused=True
        )
    finally:
        context.on_backward = before
    for p, g in zip(trained, found):
        p.gradient = None if g is None else g._array
