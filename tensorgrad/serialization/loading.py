"""`load`: safetensors files, and PyTorch's ``.pt`` files, told apart by their first bytes."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import IO, Any

from safetensors import SafetensorError

from tensorgrad.graph.provenance import warn
from tensorgrad.serialization import pytorch_legacy, pytorch_zip, safetensors_file
from tensorgrad.serialization.atomic import path_of
from tensorgrad.serialization.locations import Locations
from tensorgrad.serialization.unpickler import Refused

__all__ = ["load"]


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Read what `save` wrote, any other safetensors file, or a ``.pt``/``.pth`` file of PyTorch.

    f: a path, or a binary file object, read from where it stands to its end.
    map_location: as in PyTorch, a device, a dict of location tags or a function of a storage (here
    a flat tensor) and its tag; all of them must end at the CPU.
    mmap: tensors stay on the disk until they are used; writes to them are not written back. Only
    for paths.
    weights_only: True or False, it makes no difference: objects that would run code are refused in
    either case. encoding: of strings that Python 2 pickled.

    A safetensors file of other origin gives a dict of tensors by name. Of PyTorch's pickles
    tensors, Parameters, dicts, OrderedDicts, lists, tuples, sets, numbers, strings, bytes,
    ``torch.Size``, dtypes and devices are read; ``pickle.UnpicklingError`` names anything else. No
    code of a file is run. bfloat16, which NumPy lacks, becomes float32, exactly, with a warning.
    RuntimeError for files that are damaged, cut off or none of these, EOFError for empty ones.
    """
    encoding = _check_arguments(pickle_module, weights_only, pickle_load_args)
    locations = Locations(map_location)
    path = path_of(f, "load")
    if path is None and mmap:
        raise RuntimeError("load: f must be a file path in order to use the mmap argument")
    source = str(path) if path is not None else "the file object"
    file: IO[bytes] = path.open("rb") if path is not None else io.BytesIO(_content(f))
    with file:
        if not file.read(1):
            raise EOFError(f"load: {source} is empty")
        file.seek(0)
        try:
            value = _load(file, path if mmap else None, source, locations, encoding)
        except Refused:
            raise
        except (
            *(ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError),
            *(RecursionError, pickle.UnpicklingError, SafetensorError, MemoryError, EOFError),
        ) as error:
            # A made-up file can make a reader raise nearly anything.
            raise RuntimeError(
                f"load: {source} is damaged, cut off or made up: {type(error).__name__}: "
                f"{str(error)[:300]}"
            ) from error
    if locations.widened:
        warn(
            f"load: {source} has bfloat16 tensors, which NumPy lacks; they were read as float32, "
            "with the same values"
        )
    return value


def _load(
    file: IO[bytes], mapped: Path | None, source: str, locations: Locations, encoding: str
) -> Any:
    head = file.read(pytorch_legacy.HEAD)
    file.seek(0)
    if head.startswith(b"PK\x03\x04"):
        return pytorch_zip.read(file, mapped, source, locations, encoding)
    if pytorch_legacy.begins(head):
        if mapped is not None:
            raise RuntimeError(
                f"load: {source} is of PyTorch's format from before 1.6, which cannot be mapped; "
                "leave mmap out"
            )
        return pytorch_legacy.read(file, source, locations, encoding)
    if len(head) > 8 and head[8:9] == b"{":
        return safetensors_file.read(file, mapped, locations)
    raise RuntimeError(
        f"load: {source} is neither a safetensors file nor one that PyTorch's save wrote (it "
        f"starts with {head[:8]!r})"
    )


def _content(f: Any) -> bytes:
    if not callable(getattr(f, "read", None)):
        raise AttributeError(
            f"load: f must be a path or a binary file object with read(), got {type(f).__name__}"
        )
    content = f.read()
    if not isinstance(content, (bytes, bytearray, memoryview)):
        raise TypeError(
            f"load: the file object gave {type(content).__name__}, not bytes; open it with 'rb'"
        )
    return bytes(content)


def _check_arguments(module: Any, weights_only: Any, others: dict[str, Any]) -> str:
    if module is not None:
        raise RuntimeError(
            "load: pickle_module cannot be chosen: no pickle is ever run, files are read through "
            "a list of allowed names; leave it out"
        )
    if weights_only not in (None, True, False):
        raise TypeError(f"load: weights_only must be a bool, got {weights_only!r:.60}")
    encoding = others.pop("encoding", "utf-8")
    if others:
        raise TypeError(f"load: unexpected keyword arguments {sorted(others)}")
    "".encode(encoding)  # LookupError for an encoding that there is not
    return str(encoding)
