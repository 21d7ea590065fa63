"""Storages: what tensors that share memory know of it together."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from types import CodeType
from typing import Any

__all__ = [
    "BY_ARRAY",
    "SAVED",
    "InferenceStorage",
    "Storage",
    "inference_saved",
    "known",
    "latest",
    "new_storage",
    "note_stamp",
    "of_array",
]

# The creation number at the last write of any storage: what newer nodes saved is as it was, and
# backward need not ask.
latest = 0
_writing = threading.Lock()


class Storage:
    """What a tensor shares with its views: how often, when and where it was written.

    ``stamp`` is the creation number at the last write: a node made before it that saved this
    memory must not be used any more.

    The strides of a memory are the user's (``strided``: it came from an ndarray), or the engine's
    choice, which nobody should see: then ``aliases`` lists who shares the ``memory`` and by which
    steps, so that all of them can move to a contiguous copy together.  ``plain``: without a list,
    the memory is known to be in C order, and the strides of all views of it are what they seem.
    """

    # One is made for every memory that is viewed, so only ``stamp`` is a slot, which its maker sets
    # to 0; what few storages ever need is the class's until it is written.
    __slots__ = ("__dict__", "stamp")
    stamp: int
    version: int = 0
    writer: tuple[CodeType | None, int] = (None, 0)
    strided: bool = False
    plain: bool = False
    memory: Any = None
    aliases: list[tuple[weakref.ref[Any], tuple[Any, ...]]] | None = None
    inference = False


def note_stamp(stamp: int) -> None:
    """Some storage is about to be written; ``stamp`` was drawn for it."""
    global latest
    with _writing:  # else one of two threads could take back what the other noted
        if stamp > latest:
            latest = stamp


def new_storage(cls: type[Storage] = Storage, *, strided: bool = False) -> Storage:
    """A storage that was never written."""
    storage = cls()
    storage.stamp = 0
    if strided:
        storage.strided = True
    return storage


# What a tensor holds, and a node beside the array that it saved, where memory was saved and (as far
# as they know) nothing else happened to it: its storage is that of the ndarray itself, made when
# somebody asks.  Most saved arrays are never written and have no views, and a storage and a tuple
# of storages for each of them would be most of what the garbage collector has to look through.
# So tensors that do not share a storage must not share the ndarray object either, and nobody may
# write into this one: `known` and `tensorgrad.graph.node.storage_of` find what it stands for.
SAVED = new_storage()
BY_ARRAY = (SAVED, SAVED, SAVED, SAVED)  # of a node's output and up to three arguments

# The storages that were asked for, by the ids of the arrays, which live.
_asked: dict[int, tuple[weakref.KeyedRef[int, Any], Storage]] = {}


def _forget(reference: weakref.KeyedRef[int, Any], pop: Callable[..., Any] = _asked.pop) -> None:
    pop(reference.key, None)  # not looked up: an array may outlive this module, at exit


def of_array(array: Any) -> Storage:
    """The storage of a saved array's memory, made if nobody asked before."""
    key = id(array)
    entry = _asked.get(key)
    if entry is None:
        made = weakref.KeyedRef(array, _forget, key), new_storage()
        entry = _asked.setdefault(key, made)  # another thread may have been first
    return entry[1]


def known(held: Storage | None, array: Any) -> Storage | None:
    """The storage that a tensor or a node means, for this array; None if nobody asked for it."""
    if held is not SAVED:
        return held
    entry = _asked.get(id(array))
    return None if entry is None else entry[1]


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
