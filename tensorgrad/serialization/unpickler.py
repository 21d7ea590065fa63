"""Reading the pickles in PyTorch's files without running anything they ask for.

A pickle is a program: it may name any function of any module and have it called. Here it finds
the names of a short list only, and behind those functions of our own that check what they are
given.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tensorgrad import dtypes
from tensorgrad.device import device
from tensorgrad.graph.node import new_storage, strided
from tensorgrad.nn.parameter import Parameter
from tensorgrad.serialization.numpy_values import ElementType, PendingArray, number
from tensorgrad.size import Size

__all__ = ["KINDS", "FlatStorage", "Refused", "unpickle"]

# Of the storages: the element types. None is bfloat16.
KINDS: dict[str, np.dtype[Any] | None] = {
    "FloatStorage": np.dtype(np.float32),
    "DoubleStorage": np.dtype(np.float64),
    "HalfStorage": np.dtype(np.float16),
    "BFloat16Storage": None,
    "LongStorage": np.dtype(np.int64),
    "IntStorage": np.dtype(np.int32),
    "ShortStorage": np.dtype(np.int16),
    "CharStorage": np.dtype(np.int8),
    "ByteStorage": np.dtype(np.uint8),
    "BoolStorage": np.dtype(np.bool_),
    "ComplexFloatStorage": np.dtype(np.complex64),
    "ComplexDoubleStorage": np.dtype(np.complex128),
    "UntypedStorage": np.dtype(np.uint8),
}


class Refused(pickle.UnpicklingError):
    """Told apart from the unpickler's own UnpicklingError, which means damaged data."""


class FlatStorage:
    """A storage of the file: its elements, and what the tensors on it share.

    A pickle that gets hold of one can do nothing with it but make tensors.
    """

    __slots__ = ("_array", "_shared")

    def __init__(self, array: NDArray[Any]) -> None:
        self._array = array
        self._shared = new_storage(strided=True)

    def tensor(self, offset: Any, size: Any, stride: Any, kind: Any = None) -> Any:
        """The tensor that starts at an element, with a shape and steps in elements."""
        flat: NDArray[Any] = self._array
        if kind is not None:
            flat = flat.view(kind)
        size, stride = tuple(size), tuple(stride)
        numbers = (offset, *size, *stride)
        fit = all(type(n) is int and 0 <= n < 1 << 62 for n in numbers)
        if not fit or len(size) != len(stride):
            raise ValueError(f"a tensor of shape {size!r:.100} with strides {stride!r:.100}")
        reach = offset + sum((n - 1) * s for n, s in zip(size, stride)) + 1
        if math.prod(size) and reach > flat.size:
            raise ValueError(
                f"a tensor of shape {size}, strides {stride} and offset {offset} on a storage of "
                f"{flat.size} elements"
            )
        start = flat[offset:] if math.prod(size) else flat[:0]
        steps = [n * flat.itemsize for n in stride]
        array = np.lib.stride_tricks.as_strided(start, size, steps)
        tensor = strided(array)
        if tensor._storage is None or not tensor._storage.inference:
            tensor._storage = self._shared
        return tensor


def unpickle(
    content: bytes, source: str, storage: Callable[[tuple[Any, ...]], FlatStorage], encoding: str
) -> Any:
    """The value of one pickle; ``storage(id)`` gives the storages that it refers to.

    `Refused` names what is not on the list; damaged data raise nearly anything.
    """
    for _ in pickletools.genops(content):
        pass  # raises where a length is more than there is: the unpickler would reserve it first
    return _Unpickler(content, source, storage, encoding).load()


class _Unpickler(pickle._Unpickler):
    """The unpickler written in Python: of its instructions single ones can be replaced."""

    stack: list[Any]
    memo: dict[int, Any]
    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)

    def __init__(self, content: bytes, source: str, storage: Any, encoding: str) -> None:
        super().__init__(io.BytesIO(content), encoding=encoding)
        self.memo = _Memo()
        self._source = source
        self._storage = storage

    def find_class(self, module: str, name: str, /) -> Any:
        found = _ALLOWED.get((module, name))
        if found is not None:
            return found
        if module in ("torch", "torch.storage") and name in KINDS:
            return _Kind(name)
        if module == "torch":
            for known in dtypes.ALL:
                if known.name == name:
                    return known
        raise Refused(
            f"load: {self._source} asks for {f'{module}.{name}'[:100]!r}, which is refused, "
            "weights_only=False or not: only tensors, Parameters, arrays of numbers, dicts, lists, "
            "tuples, sets, numbers and strings are read, and nothing of the file was run. If it "
            "is a model or an optimizer saved whole, load it in PyTorch and save its state_dict()"
        )

    def load_build(self) -> None:
        """Give an object its attributes: only what PyTorch's state_dict() hangs on its dict."""
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, ElementType):
            target.complete(state)
            return
        if isinstance(target, PendingArray):
            self._replace(target, PendingArray.of(state))
            return
        if type(target) is not OrderedDict or not isinstance(state, dict):
            raise Refused(
                f"load: {self._source} sets the attributes of a {type(target).__name__}, which is "
                "refused; only tensors and plain containers are read"
            )
        if set(state) - {"_metadata"}:
            raise Refused(
                f"load: {self._source} sets the attributes {sorted(map(str, state))!r:.100} of an "
                "OrderedDict, which is refused, except for _metadata"
            )
        target.__dict__.update(state)

    dispatch[pickle.BUILD[0]] = load_build

    def _replace(self, pending: PendingArray, array: NDArray[Any]) -> None:
        """The array in the place of what announced it, for later references to it too."""
        self.stack[-1] = array
        for key in pending.keys:
            self.memo[key] = array

    def persistent_load(self, pid: Any) -> Any:
        if not isinstance(pid, tuple) or len(pid) < 5 or _text(pid[0]) != "storage":
            raise ValueError(f"a reference to {pid!r:.100}")
        if not isinstance(pid[1], _Kind):
            raise ValueError("a storage without a type")
        return self._storage((pid[1].name, *pid[2:]))


class _Memo(dict[int, Any]):
    """What a pickle may refer to again; arrays to come know under which numbers."""

    def __setitem__(self, key: int, value: Any) -> None:
        if isinstance(value, PendingArray):
            value.keys.append(key)
        super().__setitem__(key, value)


class _Kind:
    """The class of a storage, by name; nothing can be made of it."""

    __slots__ = ("name",)
    name: str

    def __init__(self, name: str) -> None:
        self.name = name


class _Function:
    """A function on the list: something that can be called, but is no class."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)


def _rebuild_tensor(storage: Any, offset: Any, size: Any, stride: Any) -> Any:
    if not isinstance(storage, FlatStorage):
        raise ValueError("a tensor without a storage")
    return storage.tensor(offset, size, stride)


def _rebuild_tensor_v2(
    storage: Any, offset: Any, size: Any, stride: Any, grad: Any, hooks: Any, metadata: Any = None
) -> Any:
    return _finish(_rebuild_tensor(storage, offset, size, stride), grad, hooks, metadata)


def _rebuild_tensor_v3(
    storage: Any, offset: Any, size: Any, stride: Any, grad: Any, hooks: Any, kind: Any,
    metadata: Any = None,
) -> Any:  # fmt: skip
    if not isinstance(storage, FlatStorage) or not isinstance(kind, dtypes.dtype):
        raise ValueError("a tensor without a storage or a type")
    tensor = storage.tensor(offset, size, stride, kind.dtype)
    return _finish(tensor, grad, hooks, metadata)


def _finish(tensor: Any, grad: Any, hooks: Any, metadata: Any) -> Any:
    if hooks:
        raise ValueError("a tensor with hooks, which are functions")
    marks = metadata or {}
    if not isinstance(marks, dict) or not set(marks) <= {"conj", "neg"}:
        raise ValueError(f"a tensor with {marks!r:.100}")
    # Lazy conjugates and negatives of PyTorch: a copy has them done.
    if marks.get("conj"):
        tensor = strided(np.conj(tensor._array))
    if marks.get("neg"):
        tensor = strided(np.negative(tensor._array))
    return tensor.requires_grad_() if grad is True else tensor


def _rebuild_parameter(data: Any, grad: Any, hooks: Any, state: Any = None) -> Any:
    if hooks or state:
        raise ValueError("a Parameter with hooks or attributes")
    return Parameter(data, requires_grad=grad is True)


def _encode(text: Any, encoding: Any = "utf-8") -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "utf-8"):
        raise ValueError("bytes in an unknown encoding")
    return text.encode(encoding)


def _bytearray(*content: Any) -> bytearray:
    # Not of a number, which is how many zeros to make.
    if not all(isinstance(part, (bytes, list)) for part in content):
        raise ValueError(f"bytes made of {content!r:.60}")
    return bytearray(*content)


def _ordered(*pairs: Any) -> OrderedDict[Any, Any]:
    return OrderedDict(*pairs)


def _ndarray(*_: Any) -> None:
    raise Refused("load: the file calls 'numpy.ndarray', which is refused; it may only be named")


def _counter(counts: Any = ()) -> Counter[Any]:
    if not isinstance(counts, (dict, tuple)):
        raise ValueError(f"a Counter made of {counts!r:.60}")
    return Counter(counts)


def _text(value: Any) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else str(value)


_ALLOWED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): _Function(_ordered),
    ("collections", "Counter"): _Function(_counter),
    ("numpy", "dtype"): _Function(ElementType),
    ("numpy", "ndarray"): _Function(_ndarray),  # what _reconstruct is told to make
    ("torch._utils", "_rebuild_tensor"): _Function(_rebuild_tensor),
    ("torch._utils", "_rebuild_tensor_v2"): _Function(_rebuild_tensor_v2),
    ("torch._utils", "_rebuild_tensor_v3"): _Function(_rebuild_tensor_v3),
    ("torch._utils", "_rebuild_parameter"): _Function(_rebuild_parameter),
    ("torch._utils", "_rebuild_parameter_with_state"): _Function(_rebuild_parameter),
    ("torch", "Size"): _Function(lambda sizes=(): Size(tuple(sizes))),
    ("torch", "device"): _Function(lambda *place: device(*place)),
    ("_codecs", "encode"): _Function(_encode),
}
for _module in ("numpy.core.multiarray", "numpy._core.multiarray"):  # before and since NumPy 2
    _ALLOWED[_module, "scalar"] = _Function(number)
    _ALLOWED[_module, "_reconstruct"] = _Function(PendingArray)
for _module in ("builtins", "__builtin__"):  # the second is Python 2's, and protocol 2's
    _ALLOWED[_module, "set"] = _Function(lambda items=(): set(items))
    _ALLOWED[_module, "frozenset"] = _Function(lambda items=(): frozenset(items))
    _ALLOWED[_module, "complex"] = _Function(lambda *parts: complex(*parts))
    _ALLOWED[_module, "bytearray"] = _Function(_bytearray)
    _ALLOWED[_module, "bytes"] = _Function(lambda: b"")  # none: how protocol 2 writes no bytes
