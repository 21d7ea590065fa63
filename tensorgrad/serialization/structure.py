"""Containers and plain values as JSON, with tensors by name: what `save` keeps beside the arrays.

Every value that JSON lacks is an object with one key, its kind: ``{"tuple": [...]}``,
``{"tensor": "name"}``. A list is a list; None, booleans, strings, integers and finite floats are
themselves.
"""

from __future__ import annotations

import base64
import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tensorgrad import dtypes
from tensorgrad.device import device
from tensorgrad.graph.node import TensorBase
from tensorgrad.nn.module import Module
from tensorgrad.size import Size

__all__ = ["decode", "encode"]

_SEQUENCES: dict[type, str] = {
    tuple: "tuple",
    set: "set",
    frozenset: "frozenset",
    Size: "size",
}
_BUILDERS: dict[str, Callable[[Any], Any]] = {tag: kind for kind, tag in _SEQUENCES.items()}
_MAPPINGS: dict[type, str] = {dict: "dict", OrderedDict: "ordered_dict"}
# nn's state_dict hangs the versions of its modules on the dict; nothing else is kept of one.
_METADATA = "_metadata"

Name = Callable[[Any, tuple[Any, ...]], str]


def encode(value: Any, name: Name, path: tuple[Any, ...] = (), above: tuple[int, ...] = ()) -> Any:
    """The JSON of a value; ``name(array_or_tensor, path)`` gives the names of tensors.

    TypeError for what has no JSON here, saying where it is; ValueError for a container that
    contains itself.
    """
    kind = type(value)
    if value is None or kind in (bool, str, int):
        return value
    if kind is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, TensorBase):
        return {"tensor": name(value, path)}
    if kind is np.ndarray:
        return {"ndarray": name(value, path)}
    if isinstance(value, np.generic) and value.dtype.kind in "biufc":
        return {"numpy_scalar": name(np.asarray(value), path)}
    if kind is complex:
        return {"complex": [repr(value.real), repr(value.imag)]}
    if kind in (bytes, bytearray):
        return {kind.__name__: base64.b64encode(value).decode("ascii")}
    if kind is dtypes.dtype:
        return {"dtype": value.name}
    if kind is device:
        return {"device": str(value)}
    return _encode_container(value, name, path, above)


def _encode_container(value: Any, name: Name, path: tuple[Any, ...], above: tuple[int, ...]) -> Any:
    kind = type(value)
    if id(value) in above:
        raise ValueError(f"save: the {kind.__name__} at {_shown(path)} contains itself")
    above = (*above, id(value))
    if kind is list or kind in _SEQUENCES:
        items = [encode(item, name, (*path, i), above) for i, item in enumerate(value)]
        return items if kind is list else {_SEQUENCES[kind]: items}
    if kind not in _MAPPINGS:
        raise TypeError(f"save: {_refusal(value)} (at {_shown(path)})")
    pairs = [
        [encode(key, name, (*path, "key"), above), encode(item, name, (*path, key), above)]
        for key, item in value.items()
    ]
    found: dict[str, Any] = {_MAPPINGS[kind]: pairs}
    attributes = dict(getattr(value, "__dict__", {}))
    if _METADATA in attributes:
        found[_METADATA] = encode(attributes.pop(_METADATA), name, (*path, _METADATA), above)
    if attributes:
        raise TypeError(
            f"save: the OrderedDict at {_shown(path)} has attributes of its own, "
            f"{sorted(attributes)}, which are not saved; remove them"
        )
    return found


def _refusal(value: Any) -> str:
    cls = type(value)
    full = f"{cls.__module__}.{cls.__qualname__}"
    if isinstance(value, Module):
        return (
            f"a whole Module, {full}, is not saved, because loading it would run code; save its "
            "state_dict() and load that with load_state_dict()"
        )
    if callable(getattr(value, "state_dict", None)):
        return f"an object of type {full} is not saved; save its state_dict()"
    return (
        f"an object of type {full} is not saved: only tensors, NumPy arrays, dicts, lists, tuples, "
        "sets, numbers, strings, bytes, None, dtypes, devices and sizes are"
    )


def _shown(path: tuple[Any, ...]) -> str:
    return "the top" if not path else "".join(f"[{part!r:.60}]" for part in path)


def decode(tree: Any, lookup: Callable[[str, str], Any]) -> Any:
    """The value of a JSON; ``lookup(kind, name)`` gives tensors. ValueError for what it is not."""
    if isinstance(tree, list):
        return [decode(item, lookup) for item in tree]
    if not isinstance(tree, Mapping):
        return tree
    tree = dict(tree)
    metadata = tree.pop(_METADATA, None)
    if len(tree) != 1:
        raise ValueError(f"a value with {len(tree)} kinds")
    ((tag, content),) = tree.items()
    if tag in _MAPPINGS.values():
        pairs = [(decode(key, lookup), decode(item, lookup)) for key, item in content]
        if tag == "dict":
            return dict(pairs)
        ordered: Any = OrderedDict(pairs)
        if metadata is not None:
            ordered._metadata = decode(metadata, lookup)
        return ordered
    if tag in _BUILDERS:
        return _BUILDERS[tag](decode(item, lookup) for item in content)
    return _decode_leaf(tag, content, lookup)


def _decode_leaf(tag: str, content: Any, lookup: Callable[[str, str], Any]) -> Any:
    if tag in ("tensor", "ndarray", "numpy_scalar"):
        return lookup(tag, content)
    if tag == "float":
        return float(content)
    if tag == "complex":
        return complex(float(content[0]), float(content[1]))
    if tag in ("bytes", "bytearray"):
        raw = base64.b64decode(content, validate=True)
        return raw if tag == "bytes" else bytearray(raw)
    if tag == "dtype":
        for known in dtypes.ALL:
            if known.name == content:
                return known
        raise ValueError(f"a dtype {content!r:.60}")
    if tag == "device":
        return device(content)
    raise ValueError(f"a value of kind {tag!r:.60}")
