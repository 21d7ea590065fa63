"""Running a function on fresh leaves, so that its gradients can be asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorgrad import autograd
from tensorgrad.batching import Batch, is_batched, lift
from tensorgrad.node import AccumulateGrad, Node, TensorBase, wrap
from tensorgrad.ops import elementwise
from tensorgrad.tree import flatten

__all__ = ["Chosen", "Function", "Traced", "leaf_of_zeros", "settle"]

Function = Callable[..., Any]


def _fresh(tensor: Any, name: str) -> Any:
    """The same values as a new place in the graph, where a gradient can be asked for.

    What is already being differentiated stays connected, through a node of its own.
    """
    if not isinstance(tensor, TensorBase):
        raise TypeError(
            f"{name}: expected tensors to differentiate with respect to, got "
            f"{type(tensor).__name__}; choose others with argnums"
        )
    if tensor._array.dtype.kind not in "fc":
        raise RuntimeError(
            f"{name}: only tensors of floating-point and complex dtype can be differentiated, got "
            f"{tensor._array.dtype}{tensor._array.shape}"
        )
    given: Any = lift(tensor)
    if given.requires_grad:
        return elementwise.alias(given)
    return _cut(given).requires_grad_()


def _cut(tensor: Any) -> Any:
    """The tensor outside the graph; a batched one outside the graph of its examples only."""
    if not isinstance(tensor._array, Batch):
        return tensor.detach()
    out = wrap(tensor._array)
    out._storage = tensor._storage
    return out


def leaf_of_zeros(like: Any) -> Any:
    """Zeros that require grad, of a tensor's shape and dtype."""
    array = like._array
    return lift(wrap(np.zeros(array.shape, array.dtype))).requires_grad_()


def settle(results: list[Any], fresh: Sequence[Any]) -> list[Any]:
    """Cut the results off unless something outside, beside the fresh leaves, leads to them.

    Under vmap the graph of the examples and that of each larger Tensor are settled by themselves.
    """
    batched = [t for t in results if is_batched(t)]
    physical = settle([t._array.physical for t in batched], fresh) if batched else []
    for tensor, inner in zip(batched, physical, strict=True):
        if inner is not tensor._array.physical:
            out = wrap(Batch(tensor._array.frame, inner, tensor._array.batched), tensor._node)
            results = [out if t is tensor else t for t in results]
    own = {id(t) for t in fresh if t.is_leaf}
    seen: set[Node] = set()
    stack = [t._node for t in results if isinstance(t, TensorBase) and t._node is not None]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if isinstance(node, AccumulateGrad) and id(node.variable) not in own:
            return results
        stack.extend(edge for edge in node.inputs if edge is not None)
    return [_cut(t) if isinstance(t, TensorBase) else t for t in results]


class Chosen:
    """The arguments that `argnums` names, as the flat list of their leaves (trees are allowed)."""

    def __init__(self, args: tuple[Any, ...], argnums: Any, name: str) -> None:
        self.args = args
        self.single = isinstance(argnums, int)
        self.leaves: list[Any] = []
        self._parts: list[tuple[int, int, Any]] = []  # (place, number of leaves, how to build)
        for place in [argnums] if self.single else list(argnums):
            if not -len(args) <= place < len(args):
                raise RuntimeError(
                    f"{name}: got argnum={place}, but only {len(args)} positional inputs"
                )
            leaves, build = flatten(args[place])
            self.leaves += leaves
            self._parts.append((place % len(args), len(leaves), build))

    def trees(self, values: list[Any]) -> list[Any]:
        """One value per leaf, in the structure of each chosen argument."""
        trees, start = [], 0
        for _, count, build in self._parts:
            trees.append(build(values[start : start + count]))
            start += count
        return trees

    def shaped(self, values: list[Any]) -> Any:
        """One value per leaf: a tree for one argument, a tuple of trees for several."""
        trees = self.trees(values)
        return trees[0] if self.single else tuple(trees)

    def replaced(self, values: list[Any]) -> list[Any]:
        """All arguments, with other leaves in the chosen ones."""
        new = list(self.args)
        for (place, _, _), tree in zip(self._parts, self.trees(values), strict=True):
            new[place] = tree
        return new


class Traced:
    """A function run once on fresh copies of some of its arguments, with recording on."""

    def __init__(
        self,
        func: Function,
        args: tuple[Any, ...],
        kwargs: Any,
        argnums: Any,
        has_aux: bool,
        name: str,
    ) -> None:
        chosen = Chosen(args, argnums, name)
        with autograd.enable_grad():
            self.fresh: list[Any] = [_fresh(leaf, name) for leaf in chosen.leaves]
            output = func(*chosen.replaced(self.fresh), **kwargs)
        self.shaped = chosen.shaped
        self.aux: Any = None
        if has_aux:
            if not isinstance(output, tuple) or len(output) != 2:
                raise RuntimeError(
                    f"{name}: with has_aux=True the function must return (output, aux)"
                )
            output, self.aux = output
        self.output = output
        self.leaves, self.build = flatten(output)
        for leaf in self.leaves:
            if not isinstance(leaf, TensorBase):
                raise RuntimeError(
                    f"{name}: expected the function to return tensors, got {type(leaf).__name__}"
                )

    def gradients(self, outputs: list[Any], seeds: list[Any], create: bool) -> list[Any]:
        """J^T seeds for each fresh tensor; zeros where an output does not depend on it."""
        pairs = [(o, s) for o, s in zip(outputs, seeds, strict=True) if o.requires_grad]
        if not pairs:
            return [wrap(np.zeros(t._array.shape, t._array.dtype)) for t in self.fresh]
        found = autograd.grad(
            [o for o, _ in pairs],
            self.fresh,
            [s for _, s in pairs],
            retain_graph=True,
            create_graph=create,
            allow_unused=True,
        )
        return [
            wrap(np.zeros(t._array.shape, t._array.dtype)) if g is None else g
            for t, g in zip(self.fresh, found, strict=True)
        ]

    def settled(self, tree: Any) -> Any:
        leaves, build = flatten(tree)
        return build(settle(leaves, self.fresh))
