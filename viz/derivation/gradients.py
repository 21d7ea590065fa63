"""The gradients of a derivation: one backward, watched at every node."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorgrad import autograd
from tensorgrad.backward.engine import unbroadcast
from tensorgrad.primitive import raw
from tensorgrad.viz.derivation.between import Key, Part, key_of, leaf_of
from tensorgrad.viz.derivation.differences import (
    MANY,
    NOTHING,
    Chain,
    Checked,
    check_step,
    check_whole,
    tolerance,
)
from tensorgrad.viz.derivation.model import Size
from tensorgrad.viz.derivation.values import Values
from tensorgrad.viz.derivation.wording import verdict
from tensorgrad.viz.figures.words import visible
from tensorgrad.viz.snapshots.places import short_place

__all__ = ["Gradients", "size_of"]

KEEP = 2_000_000  # numbers of gradients to hold on to


def size_of(array: np.ndarray[Any, Any]) -> Size:
    """The norm, without overflow, and what is remarkable about it."""
    magnitudes = np.abs(array)
    if not magnitudes.size:
        return Size(0.0, "empty")
    largest = float(magnitudes.max())
    if math.isnan(largest):
        return Size(math.nan, "nan")
    if math.isinf(largest):
        return Size(math.inf, "inf")
    if largest == 0:
        return Size(0.0, "zero")
    scaled = magnitudes.astype(np.float64) / largest
    return Size(largest * math.sqrt(float(np.square(scaled).sum())), "ok")


class Gradients:
    """What a backward brought: sizes at each variable and of each term, and the checks of them."""

    def __init__(self, values: Values, part: Part, check: bool) -> None:
        self.values, self.part, self.check = values, part, check
        self.sizes: dict[Key, Size] = {}
        self.arrays: dict[Key, Any] = {}
        self.terms: dict[tuple[int, int], Size] = {}
        self.checked: dict[tuple[int, int], Checked] = {}
        self.whole: dict[Key, Checked] = {}
        self.problem = ""
        self.within = self._limits()
        self._room = KEEP

    def _limits(self) -> dict[Key, float]:
        """How exact the gradient of each variable is: as the coarsest dtype on its way."""
        found: dict[Key, float] = {}
        for node in reversed(self.part.operations):
            outputs = range(len(node.shape)) if node.op.outputs else ()
            keys: list[Key] = [id(node), *((id(node), k) for k in outputs)]
            own = [found.get(key, 0.0) for key in keys]
            for edge in node.inputs:
                if edge is not None:
                    limit = tolerance(node.dtype, edge.dtype)
                    found[key_of(edge)] = max(found.get(key_of(edge), 0.0), limit, *own)
        return found

    def run(self, loss: Any, root: Any, seed: Any) -> None:
        """Go back from the loss once; on failure ``problem`` says why there are no numbers."""
        nodes = self.part.operations
        hooked = [node for node in self._between() if _has_hooks(node)]  # before ours are there
        handles = [node.register_hook(self._watcher(node)) for node in nodes]
        inputs = [_edge(target) for target in self.part.targets.values()]
        try:
            with autograd.observe_backward(self._arrived):
                found = autograd.grad(
                    loss, inputs, None if seed is None else [seed], retain_graph=True
                )
        except RuntimeError as error:
            self.problem = str(error)
            return
        finally:
            for handle in handles:
                handle.remove()
        weight = np.ones(loss.shape) if seed is None else seed.detach().numpy()
        for key, gradient in zip(self.part.targets, found, strict=True):
            array = np.asarray(gradient.detach().numpy())
            self.sizes[key] = size_of(array)
            self.arrays[key] = array
            if self.check:
                self.whole[key] = check_whole(
                    self.values, self.part, root, key, weight, array, self.within.get(key, 1e-7)
                )
                if hooked and verdict(self.whole[key]) is False:
                    self._excuse(key, hooked)

    def _between(self) -> list[Any]:
        """All that a gradient passes through: operations, their single outputs, leaves."""
        edges = (edge for node in self.part.operations for edge in node.inputs)
        passed = [e for e in edges if e is not None and key_of(e) in self.part.reached]
        return list({id(n): n for n in (*self.part.operations, *passed)}.values())

    def _excuse(self, key: Key, hooked: list[Any]) -> None:
        """A whole that is not the function's although each step is: a hook has changed it."""
        if any(verdict(checked) is False for checked in self.checked.values()):
            return
        moved = {id(node) for node in Chain(self.values, self.part, key).moving}
        for node in hooked:
            made = node.inputs[0] if hasattr(node, "index") else node
            if id(made) in moved or key_of(node) == key:
                on = "it"
                if leaf_of(node) is None:
                    place = short_place(made.location)
                    on = f"the result of {visible(made.op.name)}" + (f" ({place})" if place else "")
                self.whole[key] = Checked(None, why=f"a hook on {on} has changed the gradient")
                return

    def _arrived(self, node: Any, gradient: Any) -> None:
        if isinstance(gradient, tuple):
            return  # each of several outputs has arrived already
        array = np.asarray(getattr(gradient, "_array", gradient))
        self.sizes[key_of(node)] = size_of(array)
        if array.size <= self._room:
            self._room -= array.size
            self.arrays[key_of(node)] = array.copy()

    def _watcher(self, node: Any) -> Any:
        quick = len(self.part.operations) > MANY

        def watch(grad_inputs: tuple[Any, ...], grad_outputs: tuple[Any, ...]) -> None:
            gradient = tuple(None if g is None else g._array for g in grad_outputs)
            for i, (found, edge) in enumerate(zip(grad_inputs, node.inputs, strict=False)):
                if found is None or edge is None or key_of(edge) not in self.part.reached:
                    continue
                array = np.asarray(unbroadcast(raw, np.asarray(found._array), edge.shape))
                if array.dtype.kind == "c" and edge.dtype.kind != "c":
                    array = array.real
                elif array.dtype.kind != "c" and edge.dtype.kind == "c":
                    array = array.astype(edge.dtype)
                self.terms[id(node), i] = size_of(array)
                if self.check:
                    self.checked[id(node), i] = check_step(
                        self.values, node, i, gradient, array, quick=quick
                    )
                else:
                    self.checked[id(node), i] = NOTHING

        return watch


def _has_hooks(node: Any) -> bool:
    """Whether the program has put a hook there that may change the gradient."""
    leaf = leaf_of(node)
    if leaf is not None:
        return bool(leaf._hooks)
    hooks = node.hooks
    return hooks is not None and bool(hooks.tensor or hooks.pre or hooks.post)


def _edge(node: Any) -> Any:
    """What `autograd.grad` takes for a node."""
    leaf = leaf_of(node)
    return (
        leaf
        if leaf is not None
        else autograd.graph.GradientEdge(
            node.inputs[0] if hasattr(node, "index") else node, getattr(node, "index", 0)
        )
    )
