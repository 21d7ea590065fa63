"""The graph's parts: tensors' state, storages, nodes, scopes, and what a thread is doing."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from math import prod
from types import CodeType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import asarray, ndarray

from tensorgrad.graph.entries import NOTHING, Freed, Kept, Packed, PackedArray, Spec
from tensorgrad.graph.inspection import SavedNames, named
from tensorgrad.graph.provenance import Location, caller, locate
from tensorgrad.graph.scope import Context, Scope, local, push_scope
from tensorgrad.graph.storages import SAVED, InferenceStorage, Storage, known, new_storage, of_array

if TYPE_CHECKING:
    from tensorgrad.primitive import Primitive
    from tensorgrad.tensor import Tensor

__all__ = [
    "ALL",
    "NOTHING",
    "ONE",
    "AccumulateGrad",
    "Context",
    "Freed",
    "Kept",
    "Node",
    "OutputNode",
    "Packed",
    "PackedArray",
    "Scope",
    "SeveralNode",
    "Spec",
    "Storage",
    "TensorBase",
    "accumulator",
    "edge_of",
    "local",
    "make_node",
    "mark_inference",
    "new",
    "new_storage",
    "number",
    "numbers",
    "push_scope",
    "register_tensor_class",
    "storage_of",
    "strided",
    "wrap",
]


new = object.__new__
_new_tuple: Any = tuple.__new__  # a NamedTuple's own goes through two more calls

# --- Tensors and storages, as far as recording must know them -------------------------------------


class TensorBase:
    """The state of a Tensor, as slots.  Only the engine touches them."""

    __slots__ = (
        "_accumulator",  # weak reference to the leaf's AccumulateGrad node
        "_array",  # always an ndarray
        "_grad",  # Tensor | None
        "_held",  # its storage, made when first needed: by a view, a write; or SAVED
        "_hooks",  # a leaf's hooks, by id
        "_node",  # the node that made it; None for a leaf
        "_requires_grad",
        "_view",  # (parent, primitive, params, stamp at which the node was derived)
    )
    _accumulator: weakref.ref[AccumulateGrad] | None
    _array: ndarray[Any, Any]
    _grad: Any
    _held: Storage | None
    _hooks: dict[int, Callable[[Any], Any]] | None
    _node: Node | None
    _requires_grad: bool
    _view: tuple[Any, Primitive, dict[str, Any] | None, int] | None

    @property
    def _storage(self) -> Storage | None:
        """The storage, if anybody needed it yet."""
        held = self._held
        return held if held is not SAVED else known(held, self._array)

    @_storage.setter
    def _storage(self, storage: Storage | None) -> None:
        self._held = storage


class _Hook:
    """What tensor.py registers: the class of outputs, and how a view follows writes to its base."""

    tensor: type[Tensor]
    refresh_view: Callable[[Any], None]
    register_alias: Callable[[Any, Any], None]
    accumulate: Primitive  # the op of every leaf's node; set in primitive.py
    recorded: Any  # the namespace of recording primitives; set in primitive.py
    batch: type[Any]  # what a Tensor holds instead of an ndarray under vmap; set in batching
    batch_ufunc: Callable[..., Any]  # NumPy's functions on such values
    batch_function: Callable[..., Any]
    function: Callable[[Any, tuple[Any, ...]], Any]  # a user's Function on such Tensors
    by_jvp: Callable[..., Any]  # a user's Function's gradients from its jvp; set in autograd
    inference = 0  # how many inference_mode blocks are open, in all threads


hook = _Hook()


def register_tensor_class(
    cls: type[Tensor],
    refresh_view: Callable[[Any], None],
    register_alias: Callable[[Any, Any], None],
) -> None:
    """The one back-reference of the core, called by tensor.py when it is imported."""
    hook.tensor = cls
    hook.refresh_view = refresh_view
    hook.register_alias = register_alias


def wrap(array: Any, node: Node | None = None) -> Tensor:
    """A Tensor on an array, without a copy; part of the graph if a node is given."""
    out = new(hook.tensor)
    if not (array.__class__ is ndarray or type(array) is hook.batch):
        array = asarray(array)
    out._array = array
    out._grad = out._held = out._view = out._accumulator = out._hooks = None
    out._node = node
    out._requires_grad = node is not None
    if hook.inference:
        mark_inference(out)
    return out


def mark_inference(out: Any) -> None:
    """Make a new tensor an inference tensor, if this thread is in an inference_mode."""
    if out._held is None and local.context.inference:
        out._held = new_storage(InferenceStorage)


def strided(array: Any) -> Tensor:
    """A Tensor on an array whose strides are part of what the user sees."""
    out = wrap(array)
    if not out._array.flags.c_contiguous:
        out._storage = new_storage(type(out._storage or Storage()), strided=True)
    return out


def storage_of(tensor: TensorBase) -> Storage:
    """The tensor's storage, made if this is the first one to ask."""
    held = tensor._held
    if held is None:
        held = tensor._held = new_storage()
    elif held is SAVED:
        held = tensor._held = of_array(tensor._array)
    return held


# --- Nodes --------------------------------------------------------------------------------------

numbers = itertools.count(1)  # ``next(numbers)`` is faster, where that counts
number = numbers.__next__


# In the place of a node's second edge: it has one input only; ``first`` is the tuple of all edges.
ONE, ALL = object(), object()


class Node(SavedNames):
    """One recorded operation.  It has edges to the nodes of its inputs, never to a Tensor.

    An edge is the input's node (a leaf has an `AccumulateGrad`), or None where no gradient is
    needed.  A node stands for one output; an operation with several has an `OutputNode` for each.
    Shape, dtype, place, scope and edges survive the freeing of the saved arrays.
    """

    __slots__ = (
        "code",
        "dtype",
        "first",
        "hooks",
        "lasti",
        "op",
        "params",
        "saved",
        "scope",
        "second",
        "seq",
        "shape",
        "storages",
    )
    op: Primitive
    # The edges of one input (then ``second`` is ONE) or of two, without a tuple of them for
    # Python's garbage collector to look through; else ``first`` is the tuple and ``second`` ALL.
    first: Any
    second: Any
    params: dict[str, Any] | None
    saved: tuple[Any, ...]
    # For each of what is saved its storage, SAVED, or None; None if there is nothing to free.
    storages: tuple[Storage | None, ...] | None
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    code: CodeType | None
    lasti: int
    scope: Scope | None
    seq: int
    hooks: Any

    @property
    def inputs(self) -> tuple[Node | None, ...]:
        """The edges: the node of each argument, None where it needs no gradient."""
        first, second = self.first, self.second
        if second is ALL:
            return first  # type: ignore[no-any-return]
        return (first,) if second is ONE else (first, second)

    @inputs.setter
    def inputs(self, edges: tuple[Node | None, ...]) -> None:
        self.first, self.second = edges, ALL

    @property
    def ndim(self) -> int:
        """The number of dimensions of the output."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements of the output."""
        return prod(self.shape)

    @property
    def location(self) -> Location | None:
        """File, line and function of the user's program that made this node."""
        return locate(self.code, self.lasti)

    @property
    def input_specs(self) -> tuple[Any, ...]:
        """Something with the shape and dtype of each argument; a number or None as it is.

        Known before and after the saved arrays are freed.
        """
        kept = self.saved
        if type(kept) is not Freed and len(kept) > len(self.inputs):
            kept = kept[1 : 1 + len(self.inputs)]
        return tuple(
            edge if edge is not None else kept[i] if kept and i < len(kept) else None
            for i, edge in enumerate(self.inputs)
        )

    def free(self) -> None:
        """Let go of the saved arrays; shapes, dtypes and numbers stay known."""
        kept = self.saved
        self.saved, self.storages = NOTHING, None
        if kept and None in (inputs := self.inputs):
            specs: list[Any] = []
            for edge, entry in zip(inputs, kept[1:]):
                if edge is not None:
                    entry = None  # the edge tells
                elif type(entry) is ndarray or isinstance(entry, (ndarray, PackedArray)):
                    entry = _new_tuple(Spec, (entry.shape, entry.dtype))
                specs.append(entry)
            self.saved = _new_tuple(Freed, specs)

    @property
    def metadata(self) -> dict[Any, Any]:
        """A dictionary for the user's own notes on this node."""
        from tensorgrad.graph.hooks import hooks_of

        return hooks_of(self).metadata

    def name(self) -> str:
        """The node's name as PyTorch spells it: ``MulBackward0``."""
        return (
            "".join(part[:1].upper() + part[1:] for part in self.op.name.split("_")) + "Backward0"
        )

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """(node, output index) of each input, as in PyTorch."""
        return tuple(
            (named(edge.inputs[0]), edge.index)
            if isinstance(edge, OutputNode)
            else (named(edge), 0)
            for edge in self.inputs
        )

    def register_hook(self, hook: Callable[..., Any]) -> Any:
        """Call ``hook(grad_inputs, grad_outputs)`` after this node's rules have run."""
        from tensorgrad.graph.hooks import register_post_hook

        return register_post_hook(self, hook)

    def register_prehook(self, hook: Callable[..., Any]) -> Any:
        """Call ``hook(grad_outputs)`` before this node's rules run."""
        from tensorgrad.graph.hooks import register_pre_hook

        return register_pre_hook(self, hook)

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"


class SeveralNode(Node):
    """An operation with several outputs; it knows the node of each while that lives."""

    __slots__ = ("outputs",)
    outputs: list[weakref.ref[OutputNode] | None]


class OutputNode(Node):
    """One output of an operation with several; its only edge is that operation's node."""

    __slots__ = ("__weakref__", "index")
    index: int


class AccumulateGrad(Node):
    """Where a leaf's gradient arrives.  It keeps the leaf alive; the leaf refers to it weakly.

    One is made for every leaf in every step, so what is the same for all of them is the class's.
    """

    __slots__ = ("__weakref__", "variable")
    variable: Tensor
    inputs = ()
    params = storages = scope = None
    saved = ()
    code, lasti, seq = None, 0, 0  # a leaf comes before everything

    @property
    def op(self) -> Primitive:  # type: ignore[override]
        return hook.accumulate

    def name(self) -> str:
        return "AccumulateGrad"


def accumulator(leaf: Any) -> AccumulateGrad:
    """The node that accumulates into ``leaf.grad``, made when first needed."""
    reference = leaf._accumulator
    node: AccumulateGrad | None = reference() if reference is not None else None
    if node is None:
        node = AccumulateGrad()
        array = leaf._array
        node.hooks = None
        node.shape, node.dtype = array.shape, array.dtype
        node.variable = leaf
        leaf._accumulator = weakref.ref(node)
    return node


def edge_of(tensor: Any) -> Node | None:
    """The node at which a tensor's gradient arrives; None if it needs none."""
    if tensor._view is not None:
        hook.refresh_view(tensor)
    if not tensor._requires_grad:
        return None
    return tensor._node if tensor._node is not None else accumulator(tensor)


def make_node(
    op: Primitive,
    inputs: tuple[Node | None, ...],
    saved: tuple[Any, ...],
    params: dict[str, Any] | None,
    shape: Any,
    dtype: Any,
    kind: type[Node] = Node,
) -> Node:
    """A node outside the specialised recorders; its place is that of the nearest user's frame."""
    node = new(kind)
    node.op, node.inputs, node.saved, node.params = op, inputs, saved, params
    node.shape, node.dtype = shape, dtype
    node.storages = node.hooks = None
    node.code, node.lasti = caller(2)
    node.scope = local.context.scope
    node.seq = number()
    return node
