"""Reading safetensors: checked by the library, with the structure that `save` put beside them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import deserialize, safe_open

from tensorgrad.dtypes import ALL
from tensorgrad.graph.node import Storage, new_storage, strided, wrap
from tensorgrad.nn.parameter import Buffer, Parameter
from tensorgrad.serialization.locations import Locations
from tensorgrad.serialization.saving import KEY, VERSION
from tensorgrad.serialization.structure import decode
from tensorgrad.serialization.ties import view_of

__all__ = ["read"]

_KINDS: dict[str, Any] = {
    "BOOL": np.bool_, "U8": np.uint8, "I8": np.int8, "I16": np.int16, "I32": np.int32,
    "I64": np.int64, "U16": np.uint16, "U32": np.uint32, "U64": np.uint64, "F16": np.float16,
    "F32": np.float32, "F64": np.float64, "C64": np.complex64, "BF16": None,
}  # fmt: skip

# A view of a memory as objects would take its bytes for addresses.
_VIEWED = {kind.name for kind in ALL}


def read(file: IO[bytes], mapped: Path | None, locations: Locations) -> Any:
    """The structure in the file if `save` wrote it, else a dict of the tensors by name."""
    if mapped is None:
        content = file.read()
        found = {name: entry["data"] for name, entry in deserialize(content)}  # type: ignore[no-untyped-call]
        header, _ = _header(content)
    else:
        with safe_open(str(mapped), framework="np"):  # checks the header and all offsets
            pass
        memory = np.memmap(mapped, np.uint8, mode="c").view(np.ndarray)
        header, start = _header(memory)
        found = {
            name: memory[start + entry["data_offsets"][0] : start + entry["data_offsets"][1]]
            for name, entry in header.items()
            if name != "__metadata__"
        }
    metadata = header.pop("__metadata__", None) or {}
    arrays = {
        name: _array(name, entry, found[name], locations)
        for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"])
    }
    for array in arrays.values():
        locations.check(array.reshape(-1), "cpu")
    if KEY in metadata:
        return _restore(arrays, metadata[KEY])
    tensors: dict[str, Any] = {name: wrap(array) for name, array in arrays.items()}
    for name, of in metadata.items():
        # How safetensors' save_model notes a tensor that it left out since another shares its data.
        if name not in tensors and name != "format" and of in tensors:
            tensors[name] = tensors[of].detach()
    return tensors


def _header(content: Any) -> tuple[dict[str, Any], int]:
    start = 8 + int.from_bytes(bytes(content[:8]), "little")
    return json.loads(bytes(content[8:start])), start


def _array(name: str, entry: dict[str, Any], raw: Any, locations: Locations) -> NDArray[Any]:
    if entry["dtype"] not in _KINDS:
        raise ValueError(
            f"tensor {name!r:.100} is of type {entry['dtype']}, which NumPy lacks; convert it with "
            "the program that wrote it"
        )
    kind = _KINDS[entry["dtype"]]
    kind = None if kind is None else np.dtype(kind)
    flat = locations.array(raw, kind) if len(raw) else np.empty(0, kind or np.float32)
    if not flat.flags.aligned:
        flat = flat.copy()
    return flat.reshape(entry["shape"])


def _restore(arrays: dict[str, NDArray[Any]], text: str) -> Any:
    about = json.loads(text)
    if not isinstance(about["version"], int) or about["version"] > VERSION:
        raise ValueError(
            f"it is of version {about['version']!r:.20}, later than {VERSION}, which this version "
            "of tensorgrad reads; update tensorgrad"
        )
    return _Restorer(arrays, about["tensors"]).value(about["tree"])


class _Restorer:
    """Makes every tensor once, and gives tensors on one memory one storage."""

    def __init__(self, arrays: dict[str, NDArray[Any]], notes: dict[str, dict[str, Any]]) -> None:
        self._arrays = dict(arrays)
        self._notes = notes
        for name, note in notes.items():
            if note.get("complex128"):
                pairs = arrays[name]
                if pairs.dtype != np.float64 or pairs.shape[-1:] != (2,):
                    raise ValueError(f"tensor {name!r:.100} is not of pairs of float64")
                whole = pairs.reshape(-1).view(np.complex128)
                self._arrays[name] = whole.reshape(pairs.shape[:-1])
        self._owners = {note["of"] for note in notes.values() if "of" in note}
        self._storages: dict[str, Storage] = {}
        self._made: dict[str, Any] = {}

    def value(self, tree: Any) -> Any:
        return decode(tree, self._lookup)

    def _array(self, name: str) -> NDArray[Any]:
        note = self._notes.get(name, {})
        if "of" not in note:
            return self._arrays[name]
        if note["dtype"] not in _VIEWED:
            raise ValueError(f"a view of type {note['dtype']!r:.40}")
        view = view_of(self._arrays[note["of"]], note)
        if math.prod(view.shape) * view.itemsize > 16 * max(self._arrays[note["of"]].nbytes, 64):
            raise ValueError(f"tensor {name!r:.100} is far larger than the memory it is a view of")
        return view

    def _lookup(self, kind: str, name: str) -> Any:
        if name in self._made:
            return self._made[name]
        array = self._array(name)
        if kind == "tensor":
            self._made[name] = self._tensor(name, array)
        elif kind == "ndarray":
            self._made[name] = array
        else:
            self._made[name] = array.reshape(())[()]
        return self._made[name]

    def _tensor(self, name: str, array: NDArray[Any]) -> Any:
        note = self._notes.get(name, {})
        tensor: Any = strided(array)
        owner = note.get("of", name)
        if owner in self._owners:
            fresh = new_storage(type(tensor._storage or Storage()), strided=True)
            tensor._storage = self._storages.setdefault(owner, fresh)
        if note.get("class") == "parameter":
            tensor = Parameter(tensor, requires_grad=False)
        elif note.get("class") == "buffer":
            tensor = Buffer(tensor)
        if note.get("requires_grad"):
            tensor.requires_grad_()
        if "attributes" in note:
            tensor.__dict__.update(self.value(note["attributes"]))
        return tensor
