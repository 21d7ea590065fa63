"""What a user's `Function` hands from its forward to its backward or its jvp."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tensorgrad.graph.node import TensorBase

__all__ = ["FunctionCtx", "asks_for_jvp", "by_jvp"]


class _Asked(threading.local):
    jvp = False


_asked = _Asked()


def asks_for_jvp() -> bool:
    """Whether a Function that has a jvp of its own is to be differentiated by it."""
    return _asked.jvp


@contextmanager
def by_jvp() -> Iterator[None]:
    """A block of forward mode: the Functions met in it use their own jvp, if they have one."""
    before, _asked.jvp = _asked.jvp, True
    try:
        yield
    finally:
        _asked.jvp = before


class FunctionCtx:
    """What a Function's forward hands to its backward; plain attributes may be set on it too."""

    def __init__(self) -> None:
        self.needs_input_grad: tuple[bool, ...] = ()
        self.materialize_grads = True
        self._to_save: tuple[Any, ...] = ()
        self._to_save_forward: tuple[Any, ...] | None = None
        self._saved: tuple[Any, ...] | None = ()
        self._dirty: tuple[Any, ...] = ()
        self._non_differentiable: tuple[Any, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors (inputs, outputs, others) or None for ``saved_tensors`` in backward."""
        for tensor in tensors:
            if tensor is not None and not isinstance(tensor, TensorBase):
                raise TypeError(
                    "save_for_backward can only save tensors or None, got "
                    f"{type(tensor).__name__}; "
                    "set other values as attributes of ctx"
                )
        self._to_save = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """Keep tensors or None for ``saved_tensors`` in ``jvp``; without it jvp sees backward's."""
        for tensor in tensors:
            if tensor is not None and not isinstance(tensor, TensorBase):
                raise TypeError(
                    f"save_for_forward can only save tensors or None, got {type(tensor).__name__}"
                )
        self._to_save_forward = tensors

    def mark_dirty(self, *tensors: Any) -> None:
        """Say which inputs forward changed in place; each must also be returned."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Say which outputs have no gradient."""
        self._non_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward sees zeros (the default) or None for unused outputs."""
        self.materialize_grads = bool(value)

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What forward saved; an error if it was changed in place since, or already freed."""
        if self._saved is None:
            raise RuntimeError(
                "Trying to backward through the graph a second time (saved_tensors were freed). "
                "Pass retain_graph=True to the first backward."
            )
        return tuple(None if entry is None else entry.value() for entry in self._saved)

    @property
    def _raw_saved_tensors(self) -> tuple[Any, ...]:
        """What forward saved, as objects on which ``register_hooks`` may be called."""
        return self._saved or ()
