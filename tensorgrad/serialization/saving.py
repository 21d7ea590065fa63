"""`save`: tensors and the structure around them, in one safetensors file."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import save as to_bytes
from safetensors.numpy import save_file

from tensorgrad.graph.node import TensorBase
from tensorgrad.nn.parameter import Buffer, Parameter
from tensorgrad.reading import canonical
from tensorgrad.serialization.atomic import path_of, write_atomically
from tensorgrad.serialization.structure import encode
from tensorgrad.serialization.ties import Entry, store
from tensorgrad.tensor import Tensor

__all__ = ["KEY", "VERSION", "save"]

KEY, VERSION = "tensorgrad", 1
_LONGEST = 90_000_000  # bytes of structure; readers of the format refuse a header of 100 MB
_CLASSES: dict[type, str] = {Tensor: "", Parameter: "parameter", Buffer: "buffer"}
_NOT_ATTRIBUTES = ("_post_accumulate_hooks",)


def save(
    obj: Any,
    f: Any,
    pickle_module: Any = pickle,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Write tensors, and dicts, lists, tuples, numbers and strings around them, to a file.

    f: a path, or a binary file object. A path is written to a temporary file beside it that then
    takes its place, so that at every moment the old file or the new one is there, whole.

    The file is safetensors: other readers see every tensor by its name, in nested containers by
    the path of keys, joined by dots; `load` restores the containers too, the sharing of memory
    between tensors, ``requires_grad`` and the class Parameter. Complex128, which the format lacks,
    is written as float64 with a last dimension of 2.

    TypeError for other objects, Modules among them: save their ``state_dict()``. No pickle is
    written, so the arguments that choose one are refused (ValueError) unless they are the defaults.
    """
    _check_defaults(
        pickle_module, pickle_protocol, _use_new_zipfile_serialization, _disable_byteorder_record
    )
    arrays, metadata = packed(obj)
    path = path_of(f, "save")
    try:
        if path is not None:
            write_atomically(
                path,
                lambda part: save_file(arrays, part, metadata),
                lambda: to_bytes(arrays, metadata),
            )
            return
        if not callable(getattr(f, "write", None)):
            raise TypeError(
                f"save: f must be a path or a file object with write(), got {type(f).__name__}"
            )
        f.write(to_bytes(arrays, metadata))
        if callable(flush := getattr(f, "flush", None)):
            flush()
    except SafetensorError as error:
        raise RuntimeError(f"save: the safetensors library refused: {error}") from error


def packed(obj: Any) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """What a file is made of: arrays by name, and the texts of its header."""
    names = _Names()
    tree = encode(obj, names)
    arrays, views = store([Entry(name, array) for name, array in names.arrays.items()])
    tensors = names.notes
    metadata = {"format": "pt"}  # readers ask for it: tensors are named and shaped as PyTorch's
    for name, view in views.items():
        tensors.setdefault(name, {}).update(view)
        owner = arrays[view["of"]]
        if view["shape"] == list(owner.shape) and view["dtype"] == owner.dtype.name:
            # As safetensors' save_model notes a tie, for its readers.
            metadata.setdefault(name, view["of"])
    for name in [name for name, array in arrays.items() if array.dtype == np.complex128]:
        array = arrays[name]
        arrays[name] = array.reshape(-1).view(np.float64).reshape(*array.shape, 2)
        tensors.setdefault(name, {})["complex128"] = True
    text = json.dumps({"version": VERSION, "tree": tree, "tensors": tensors}, allow_nan=False)
    if len(text) > _LONGEST:
        raise ValueError(
            f"save: the containers and numbers around the tensors take {len(text):,} bytes of "
            f"JSON, more than the {_LONGEST:,} that a header may have; put long lists of numbers "
            "into tensors"
        )
    return arrays, {**metadata, KEY: text}


class _Names:
    """Gives every tensor a name: the path of keys to it, made unique, and the same one again."""

    def __init__(self) -> None:
        self.arrays: dict[str, NDArray[Any]] = {}
        self.notes: dict[str, dict[str, Any]] = {}
        self._known: dict[int, tuple[Any, str]] = {}  # by id, with the object, so that it lives on

    def __call__(self, value: Any, path: tuple[Any, ...]) -> str:
        if id(value) in self._known:
            return self._known[id(value)][1]
        name = self._new_name(path)
        self._known[id(value)] = value, name
        if not isinstance(value, TensorBase):
            self.arrays[name] = self._native(value)
            return name
        if type(value) not in _CLASSES or type(value._array) is not np.ndarray:
            raise TypeError(
                f"save: {name!r} is a {type(value).__module__}.{type(value).__qualname__}; only "
                "Tensor, Parameter and Buffer are saved: save its data"
            )
        self.arrays[name] = value._array
        note: dict[str, Any] = {}
        if _CLASSES[type(value)]:
            note["class"] = _CLASSES[type(value)]
        if value.requires_grad:  # type: ignore[attr-defined] # Tensor's
            note["requires_grad"] = True
        attributes = {k: v for k, v in value.__dict__.items() if k not in _NOT_ATTRIBUTES}
        if note or attributes:
            self.notes[name] = note
        if attributes:
            note["attributes"] = encode(attributes, self, (*path, "attributes"))
        return name

    def _new_name(self, path: tuple[Any, ...]) -> str:
        plain = ".".join(map(str, path)) or "data"
        plain = plain.encode("utf-8", "backslashreplace").decode("utf-8")
        name, number = plain, 1
        while name in self.arrays or name.startswith(("~memory.", "__metadata__")):
            number += 1
            name = f"#{number}.{plain}"
        return name

    @staticmethod
    def _native(array: NDArray[Any]) -> NDArray[Any]:
        try:
            return canonical(array.astype(array.dtype.newbyteorder("="), copy=False))
        except TypeError as error:
            raise TypeError(f"save: a NumPy array cannot be saved: {error}") from None


def _check_defaults(module: Any, protocol: Any, new_format: Any, no_byteorder: Any) -> None:
    given = {
        "pickle_module": module is not pickle,
        f"pickle_protocol={protocol!r}": protocol != 2,
        f"_use_new_zipfile_serialization={new_format!r}": not new_format,
        f"_disable_byteorder_record={no_byteorder!r}": bool(no_byteorder),
    }
    for argument, other in given.items():
        if other:
            raise ValueError(
                f"save: {argument} concerns PyTorch's pickled files, but safetensors are written, "
                "without any pickle; leave it out"
            )
