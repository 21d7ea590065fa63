"""Methods that watch a tensor's gradient, or ask where the tensor stands."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tensorgrad.graph import hooks

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["GradientMethods"]


class GradientMethods:
    """Hooks of tensors, kept gradients, inference tensors."""

    __slots__ = ()

    def retain_grad(self: Any) -> None:
        """Keep ``.grad`` for this tensor although it is not a leaf."""
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self._node is not None and not self.retains_grad:
            hooks.hooks_of(self._node).retain.append(weakref.ref(self))

    @property
    def retains_grad(self: Any) -> bool:
        """Whether a non-leaf keeps its gradient."""
        found = self._node.hooks if self._node is not None else None
        return found is not None and any(r() is self for r in found.retain)

    def register_hook(self: Any, hook: Callable[[Tensor], Tensor | None]) -> hooks.RemovableHandle:
        """Call ``hook(gradient)`` whenever this tensor's gradient is computed; it may replace
        it.
        """
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self._node is not None:
            return hooks.add_hook(hooks.hooks_of(self._node).tensor, hook)
        return hooks.add_hook(hooks.leaf_hooks(self), hook)

    def register_post_accumulate_grad_hook(
        self: Any, hook: Callable[[Tensor], None]
    ) -> hooks.RemovableHandle:
        """Call ``hook(leaf)`` after a gradient was added to this leaf's ``.grad``."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self._node is not None:
            raise RuntimeError(
                "post accumulate grad hooks cannot be registered on non-leaf tensors"
            )
        table: dict[int, Any] = self.__dict__.setdefault("_post_accumulate_hooks", {})
        return hooks.add_hook(table, hook)

    def is_inference(self: Any) -> bool:
        """Whether it was made in an `inference_mode`: no recorded operation may save it."""
        return self._storage is not None and self._storage.inference
