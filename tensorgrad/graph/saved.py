"""What nodes saved, when somebody wants it kept in another form: saved-tensor hooks.

Packing happens through the forward observers, so that it costs nothing while no hook is set: a node
whose arrays were packed has a `Packed` in place of the plain tuple, and the walk takes it apart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from tensorgrad.graph.node import (
    AccumulateGrad,
    Freed,
    Node,
    OutputNode,
    Packed,
    PackedArray,
    hook,
    local,
    number,
    storage_of,
    wrap,
)
from tensorgrad.graph.provenance import Location, locate
from tensorgrad.graph.storages import SAVED, inference_saved, known

__all__ = [
    "Hooks",
    "SavedTensor",
    "SavedValue",
    "check",
    "freed",
    "overwritten",
    "pack_array",
    "pack_node",
    "saved_tensor",
    "unpack_array",
    "unpacked",
]

Hooks = tuple[Callable[[Any], Any], Callable[[Any], Any]]


def _at(place: Location | None) -> str:
    return str(place) if place is not None else "an unknown place"


def freed(node: Node) -> RuntimeError:
    """The error of reading what backward let go."""
    return RuntimeError(
        "Trying to backward through the graph a second time (or to read saved tensors after they "
        f"were freed): the arrays that {node.name()} saved (recorded at {_at(node.location)}) were "
        "freed by the first backward. Pass retain_graph=True to the first one if you need two."
    )


def check(node: Node) -> None:
    """Raise if an array that the node saved was written since, unless it can be had again."""
    seq = node.seq
    lost = False
    for place, (held, entry) in enumerate(zip(node.storages or (), node.saved, strict=False)):
        storage = held if held is not SAVED else known(held, entry)
        if storage is not None and storage.stamp > seq:
            if place or not node.op.selects:
                raise overwritten(node, place, storage)
            lost = True
    if lost:
        _select_again(node)


def _select_again(node: Node) -> None:
    """The output of an operation that selects, from the argument, after the output was written.

    ``nn.MaxPool2d(2), nn.ReLU(inplace=True)`` is common, and PyTorch, which saves the places of the
    maxima and not the maxima, allows it.  To save places here would cost every other program.
    """
    with quiet():
        made = getattr(hook.recorded, node.op.name)(wrap(node.saved[1]), **(node.params or {}))
    node.saved = (made._array, *node.saved[1:])
    node.storages = (None, *(node.storages or ())[1:])


def overwritten(node: Node, place: int, storage: Any) -> RuntimeError:
    """Name what was changed, where it was saved, and where it was written."""
    names = ("output", *(f"argument '{name}'" for name in node.op.arguments))
    which = names[min(place, len(names) - 1)]
    return RuntimeError(
        "one of the variables needed for gradient computation has been modified by an inplace "
        f"operation: the {which} of {node.op.name}, saved at {_at(node.location)}, was written at "
        f"{_at(locate(*storage.writer))} (version {storage.version}). Write out of place there, or "
        "clone() before."
    )


class quiet:
    """For a user's pack hook: nothing it does is recorded, watched or packed again."""

    def __enter__(self) -> None:
        context = local.context
        self._before = (context.grad_enabled, context.on_forward)
        context.grad_enabled, context.on_forward = False, ()

    def __exit__(self, *error: object) -> None:
        local.context.grad_enabled, local.context.on_forward = self._before


def pack_array(hooks: Hooks, shown: Any) -> PackedArray:
    """One array in the form that the pack hook gives it; ``shown`` is the tensor it is called with.

    An output is shown detached, an input at its place in the graph, a leaf as itself.
    """
    pack, unpack = hooks
    storage = storage_of(shown)
    version = storage.version
    with quiet():
        kept = pack(shown)
    if storage.version != version:
        raise RuntimeError(
            "A saved tensor pack hook is modifying its input in place. Tensors provided as input "
            "to pack hook cannot be modified by in-place operations, as this can lead to "
            "unexpected side-effects; clone() it in the hook."
        )
    array = shown._array
    held = storage if _shares(kept, storage) else None
    return PackedArray(array.shape, array.dtype, kept, unpack, held)


def _shares(kept: Any, storage: Any) -> bool:
    """Whether what a pack hook returned is the tensor's memory itself, not a copy."""
    if isinstance(kept, dict):
        kept = tuple(kept.values())
    if isinstance(kept, (tuple, list)):
        return any(_shares(item, storage) for item in kept)
    return getattr(kept, "_storage", None) is storage


def unpack_array(entry: PackedArray, seq: int) -> ndarray[Any, Any]:
    """The array of an entry, by its unpack hook; ``seq`` is when it was saved."""
    tensor = entry.unpack(entry.kept)
    array = getattr(tensor, "_array", None)
    if not isinstance(array, ndarray):
        raise TypeError(
            "Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
            f"{type(tensor).__name__}"
        )
    if array.shape != entry.shape or array.dtype != entry.dtype:
        raise RuntimeError(
            f"a saved tensor of {entry.dtype}{entry.shape} was packed, but unpack_hook returned "
            f"{array.dtype}{array.shape}; it must restore shape, dtype and values"
        )
    if entry.storage is not None and entry.storage.stamp > seq:
        raise RuntimeError(
            "one of the variables needed for gradient computation has been modified by an inplace "
            f"operation: {array.dtype}{array.shape}, kept by a saved tensor pack hook without a "
            "copy. Return a clone() from the hook, or write out of place."
        )
    return array


def _shown(node: Node, place: int, array: ndarray[Any, Any]) -> Any:
    """The tensor that stands for a saved array: 0 is the output, then the arguments."""
    edge = node.inputs[place - 1] if 0 < place <= len(node.inputs) else None
    if type(edge) is AccumulateGrad and edge.variable._array is array:
        return edge.variable
    shown = wrap(array, edge)
    if node.storages is not None and place < len(node.storages):
        shown._held = node.storages[place]
    return shown


def _map_arrays(tree: Any, function: Callable[[Any], Any], kind: type) -> Any:
    """The same nesting with the function applied to what is of a kind."""
    if isinstance(tree, kind):
        return function(tree)
    if type(tree) in (tuple, list):
        return type(tree)(_map_arrays(item, function, kind) for item in tree)
    if type(tree) is dict:
        return {key: _map_arrays(item, function, kind) for key, item in tree.items()}
    return tree


def _packed_entry(hooks: Hooks, node: Node, place: int) -> Any:
    def pack(array: Any) -> PackedArray:
        return pack_array(hooks, _shown(node, place, array))

    return _map_arrays(node.saved[place], pack, ndarray)


def pack_node(node: Any, out: object) -> None:
    """The forward observer: give what a new node saved to the innermost pair of hooks."""
    if type(node) is OutputNode:
        node = node.inputs[0]
    if type(node.saved) is not tuple:
        return
    hooks = local.context.saved_hooks[-1]
    packed = Packed(_packed_entry(hooks, node, i) for i in range(len(node.saved)))
    if any(new is not old for new, old in zip(packed, node.saved, strict=True)):
        node.saved = packed
        node.storages = ()  # something to free; versions are for the unpack hook to care about


def unpacked(node: Node) -> tuple[Any, ...]:
    """A packed node's saved arrays."""
    if type(node.saved) is Freed:
        raise freed(node)
    seq = node.seq
    return tuple(
        _map_arrays(entry, lambda packed: unpack_array(packed, seq), PackedArray)
        for entry in node.saved
    )


# --- One saved tensor, for the user to look at ----------------------------------------------------


class SavedTensor:
    """One array that a node saved: ``grad_fn._raw_saved_self``."""

    def __init__(self, node: Node, place: int) -> None:
        self._node, self._place = node, place

    def _entry(self) -> Any:
        return self._node.saved[self._place]

    def register_hooks(self, pack_hook: Any, unpack_hook: Any) -> None:
        """Keep this one array in another form: ``unpack_hook(pack_hook(tensor))`` restores it."""
        if not callable(pack_hook) or not callable(unpack_hook):
            raise TypeError("register_hooks(): expected two callables (pack_hook, unpack_hook)")
        node = self._node
        if type(node.saved) is Freed or not node.saved:
            raise RuntimeError(
                f"Calling register_hooks on a saved tensor after it has been freed. {freed(node)}"
            )
        entry = self._entry()
        if isinstance(entry, PackedArray):
            raise RuntimeError(
                "Calling register_hooks on a saved tensor whose hooks have already been set. Hint: "
                "only one pair of hooks is allowed at a time."
            )
        if not isinstance(entry, ndarray):
            raise RuntimeError(
                "Calling register_hooks on a saved tensor with value None is forbidden"
            )
        made = pack_array((pack_hook, unpack_hook), _shown(node, self._place, entry))
        saved = list(node.saved)
        saved[self._place] = made
        node.saved = Packed(saved)
        if node.storages:
            storages = list(node.storages)
            storages[self._place] = None
            node.storages = tuple(storages)

    def value(self) -> Any:
        """The saved tensor at its place in the graph, a number, or None."""
        node = self._node
        if type(node.saved) is Freed or not node.saved:
            raise freed(node)
        entry = self._entry()
        array = unpack_array(entry, node.seq) if isinstance(entry, PackedArray) else entry
        if not isinstance(array, ndarray):
            return array if isinstance(array, (bool, int, float, complex)) else None
        storage = known(node.storages[self._place], entry) if node.storages else None
        if storage is not None and storage.stamp > node.seq:
            raise overwritten(node, self._place, storage)
        if self._place == 0:
            return wrap(array, node)
        return _shown(node, self._place, array)


def saved_tensor(node: Node, name: str) -> SavedTensor:
    """One of a node's saved arrays: ``result``, ``self``, ``other``, or an argument by its name."""
    names = node.op.arguments
    places = {"result": 0, "self": 1, "other": 2, **{n: i + 1 for i, n in enumerate(names)}}
    place = places.get(name)
    if place is None or place > len(names):
        raise AttributeError(
            f"{node.name()} has no saved tensor {name!r}; there are {', '.join(('result', *names))}"
        )
    return SavedTensor(node, place)


class SavedValue:
    """A tensor kept by a user's function: its array and its place in the graph.

    Keeping the Tensor itself would tie an output to its own node in a cycle.
    """

    __slots__ = ("_array", "_leaf", "_packed", "_place", "_stamp", "_storage")

    def __init__(self, tensor: Any, place: Any, hooks: Hooks | None = None) -> None:
        self._array = tensor._array
        self._storage = storage_of(tensor)
        if self._storage.inference and not local.context.inference:
            raise inference_saved("save_for_backward")
        self._leaf = tensor if place is None or type(place) is AccumulateGrad else None
        self._place = None if self._leaf is not None else place
        self._stamp = number()
        self._packed: PackedArray | None = None
        if hooks is not None:
            self.register_hooks(*hooks)

    def register_hooks(self, pack_hook: Any, unpack_hook: Any) -> None:
        """Keep it in another form from now on."""
        if not callable(pack_hook) or not callable(unpack_hook):
            raise TypeError("register_hooks(): expected two callables (pack_hook, unpack_hook)")
        if self._packed is not None:
            raise RuntimeError(
                "Calling register_hooks on a saved tensor whose hooks have already been set. Hint: "
                "only one pair of hooks is allowed at a time."
            )
        shown = self._leaf
        if shown is None:
            shown = wrap(self._array)
            shown._storage = self._storage
        self._packed = pack_array((pack_hook, unpack_hook), shown)
        self._array = np.empty(0)
        if self._leaf is not None and not self._leaf.requires_grad:
            self._leaf = None  # only a place in the graph is worth holding it for

    def value(self) -> Any:
        """The tensor again; an error if its memory was written since."""
        if self._packed is not None:
            array = unpack_array(self._packed, self._stamp)
            if self._leaf is not None and self._leaf._array is array:
                return self._leaf
            made = wrap(array, self._place)
            if self._leaf is not None and self._leaf.requires_grad:
                from tensorgrad.graph.node import accumulator

                made._node, made._requires_grad = accumulator(self._leaf), True
            return made
        if self._storage.stamp > self._stamp:
            raise RuntimeError(
                "one of the variables needed for gradient computation has been modified by an "
                f"inplace operation: a tensor saved by save_for_backward, {self._array.dtype}"
                f"{self._array.shape}, is at version {self._storage.version}. clone() it before "
                "saving."
            )
        if self._leaf is not None:
            return self._leaf
        made = wrap(self._array, self._place)
        made._storage = self._storage
        return made
