"""Running a function on fresh leaves, so that its gradients can be asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad import autograd
from tensorgrad.autograd.products import cut, pull, settle, zeros_like
from tensorgrad.batching import lift
from tensorgrad.graph.node import TensorBase
from tensorgrad.ops import elementwise
from tensorgrad.tree import flatten

__all__ = ["Chosen", "Function", "Traced"]

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
    return cut(given).requires_grad_()


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
        found = pull(outputs, self.fresh, seeds, create)
        return [zeros_like(t) if g is None else g for t, g in zip(self.fresh, found, strict=True)]

    def settled(self, tree: Any) -> Any:
        leaves, build = flatten(tree)
        return build(settle(leaves, self.fresh))
