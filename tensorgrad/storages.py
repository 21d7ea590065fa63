"""Storages: what tensors that share memory know of it together."""

from __future__ import annotations

import weakref
from types import CodeType
from typing import Any

__all__ = ["InferenceStorage", "Storage", "inference_saved"]


class Storage:
    """What a tensor shares with its views: how often, when and where it was written.

    ``stamp`` is the creation number at the last write: a node made before it that saved this
    memory must not be used any more.

    The strides of a memory are the user's (``strided``: it came from an ndarray), or the engine's
    choice, which nobody should see: then ``aliases`` lists who shares the ``memory`` and by which
    steps, so that all of them can move to a contiguous copy together.
    """

    __slots__ = ("aliases", "memory", "stamp", "strided", "version", "writer")

    inference = False  # of the class, so that making one costs nothing more

    def __init__(self, strided: bool = False) -> None:
        self.version = 0
        self.stamp = 0
        self.writer: tuple[CodeType | None, int] = (None, 0)
        self.strided = strided
        self.memory: Any = None
        self.aliases: list[tuple[weakref.ref[Any], tuple[Any, ...]]] | None = None


class InferenceStorage(Storage):
    """The storage of a tensor made in an `inference_mode`: no graph may save it."""

    __slots__ = ()
    inference = True


def inference_saved(name: str) -> RuntimeError:
    """The error of an operation that would save an inference tensor."""
    return RuntimeError(
        f"{name}: Inference tensors cannot be saved for backward. Please do not use Tensors "
        "created in inference mode in computation tracked by autograd. To work around this, make "
        "a clone to get a normal tensor and use it in autograd, or use tensorgrad.no_grad() "
        "instead of tensorgrad.inference_mode()."
    )
