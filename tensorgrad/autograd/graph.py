"""The graph in a user's hands: saved-tensor hooks, hooks on several gradients, edges, versions."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tensorgrad.autograd.edges import GradientEdge, get_gradient_edge
from tensorgrad.graph.hooks import RemovableHandle
from tensorgrad.graph.node import (
    Node,
    Storage,
    TensorBase,
    edge_of,
    local,
    number,
    storage_of,
    wrap,
)
from tensorgrad.graph.saved import pack_node
from tensorgrad.views.following import bump

__all__ = [
    "GradientEdge",
    "Node",
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
]

# --- Saved tensors --------------------------------------------------------------------------------


class saved_tensors_hooks:
    """Keep what operations of the block save for backward in another form.

    ``pack_hook(tensor)`` returns anything, ``unpack_hook`` of that the tensor again, with the same
    shape, dtype and values.  The innermost pair counts.  Arrays of parameters that are not
    arguments (an index, a padding mode) are no saved tensors.  A pack hook that keeps the tensor
    itself is still told when its memory is written before backward; one that keeps a copy need not
    care.
    """

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def __enter__(self) -> None:
        if not callable(self.pack_hook) or not callable(self.unpack_hook):
            raise TypeError("saved_tensors_hooks: expected two callables (pack_hook, unpack_hook)")
        context = local.context
        if context.saved_hooks_disabled is not None:
            raise RuntimeError(context.saved_hooks_disabled)
        context.saved_hooks = (*context.saved_hooks, (self.pack_hook, self.unpack_hook))
        if pack_node not in context.on_forward:
            context.on_forward = (pack_node, *context.on_forward)

    def __exit__(self, *error: object) -> None:
        context = local.context
        context.saved_hooks = context.saved_hooks[:-1]
        if not context.saved_hooks:
            context.on_forward = tuple(w for w in context.on_forward if w is not pack_node)


class save_on_cpu(saved_tensors_hooks):
    """Keep saved tensors in main memory, which is where they are.

    pin_memory: keep copies, as PyTorch does on the way through pinned memory; later writes to the
        originals then do no harm.
    device_type: for PyTorch's signature; there is one device.
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(
            lambda tensor: tensor.detach().clone() if pin_memory else tensor, lambda kept: kept
        )


@contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Refuse saved-tensor hooks in the block, with this message; raised now if some are active."""
    context = local.context
    if context.saved_hooks:
        raise RuntimeError(error_message)
    before, context.saved_hooks_disabled = context.saved_hooks_disabled, error_message
    try:
        yield
    finally:
        context.saved_hooks_disabled = before


class _Kept:
    """A saved array, until its memory is about to be written; from then on a copy."""

    __slots__ = ("__weakref__", "array", "stamp", "storage")

    def __init__(self, tensor: Any) -> None:
        self.array = tensor._array
        self.storage: Storage | None = storage_of(tensor)
        self.stamp = number()


class _Mutation:
    """What an `allow_mutation_on_saved_tensors` block knows: who saved which storage."""

    def __init__(self) -> None:
        self._open = True
        self._kept: dict[Storage, list[weakref.ref[_Kept]]] = {}

    def clear(self) -> None:
        """Forget everything; graphs recorded in the block cannot be walked any more."""
        self._open = False
        self._kept.clear()

    def pack(self, tensor: Any) -> _Kept:
        made = _Kept(tensor)
        assert made.storage is not None
        self._kept.setdefault(made.storage, []).append(weakref.ref(made))
        return made

    def unpack(self, kept: _Kept) -> Any:
        if not self._open:
            raise RuntimeError(
                "Trying to backward outside of the 'allow_mutation_on_saved_tensors' context in "
                "which the graph was originally recorded."
            )
        if kept.storage is not None and kept.storage.stamp > kept.stamp:
            raise RuntimeError(
                "one of the variables needed for gradient computation has been modified by an "
                f"inplace operation that allow_mutation_on_saved_tensors does not see: "
                f"{kept.array.dtype}{kept.array.shape} was written by an optimizer or a layer's "
                "running statistics"
            )
        return wrap(kept.array)

    def before_write(self, tensor: Any) -> None:
        copies: dict[int, Any] = {}
        for reference in self._kept.pop(tensor._storage, ()):
            kept = reference()
            if kept is not None:
                if id(kept.array) not in copies:
                    copies[id(kept.array)] = (kept.array, kept.array.copy(order="K"))
                kept.array = copies[id(kept.array)][1]
                kept.storage = None


@contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[_Mutation]:
    """Let tensors that are saved for backward be written in place: they are copied before it.

    Forward and backward must both be in the block.  Yields an object whose ``clear()`` drops what
    is kept.
    """
    context = local.context
    if any(isinstance(getattr(w, "__self__", None), _Mutation) for w in context.before_write):
        raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
    made = _Mutation()
    before = context.before_write
    with saved_tensors_hooks(made.pack, made.unpack):
        context.before_write = (*before, made.before_write)
        try:
            yield made
        finally:
            context.before_write = before
            made.clear()


# --- Several gradients at once --------------------------------------------------------------------


class _Handles(RemovableHandle):
    """One handle for the hooks of several tensors."""

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        super().__init__({})
        self.handles = tuple(handles)

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()


class _Gathering:
    """The gradients of one backward pass on their way to a multi-grad hook."""

    def __init__(self, nodes: list[int], fn: Callable[[Any], None], walk: Any) -> None:
        running = {id(node) for node in walk.order if walk.will_run(node)}
        self.gradients: list[Any] = [None] * len(nodes)
        self.missing = sum(node in running for node in nodes)
        self.fn = fn
        walk.at_end.append(self.call)

    def arrive(self, place: int, gradient: Any) -> None:
        self.gradients[place] = gradient
        self.missing -= 1
        if self.missing == 0:
            self.call()

    def call(self) -> None:
        """Once: when all have come, or (if one of them turned out to be None) at the end."""
        fn, self.fn = self.fn, _nothing
        fn(self.gradients)


def _nothing(gradients: Any) -> None:
    pass


def register_multi_grad_hook(
    tensors: Sequence[Any], fn: Callable[..., None], *, mode: str = "all"
) -> RemovableHandle:
    """Call ``fn`` once in each backward pass that reaches some of the tensors.

    mode: ``"all"``, when the gradients of all tensors that this pass reaches are there:
        ``fn(gradients)``, with None for the others.  ``"any"``, with the first: ``fn(gradient)``.
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    # Numbers, not nodes: a hook that held its own node would be a cycle.
    nodes = [id(edge_of(tensor)) for tensor in tensors]
    seen: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()

    def of(place: int) -> Callable[[Any], None]:
        def gather(gradient: Any) -> None:
            walk = local.context.walk
            if walk not in seen:
                seen[walk] = _Gathering(nodes, fn, walk)
            seen[walk].arrive(place, gradient)

        def first(gradient: Any) -> None:
            walk = local.context.walk
            if walk not in seen:
                seen[walk] = True
                fn(gradient)

        return gather if mode == "all" else first

    return _Handles([tensor.register_hook(of(i)) for i, tensor in enumerate(tensors)])


def increment_version(tensor: Any | Iterable[Any]) -> None:
    """Tell the engine that the memory of a tensor, or of several, was written unseen."""
    tensors = (tensor,) if isinstance(tensor, TensorBase) else tensor
    if not isinstance(tensors, Iterable):
        raise RuntimeError("increment_version expect a Iterable[Tensor] as input")
    for one in tensors:
        if not isinstance(one, TensorBase):
            raise RuntimeError(
                f"increment_version expect each element of the iterable to be a tensor, got "
                f"{type(one).__name__}"
            )
        if one._storage is not None and one._storage.inference:
            raise RuntimeError("Inference tensors do not track version counter.")
        bump(one)
