"""Reading a pickle of plain values and integer arrays without running anything it asks for.

A pickle is a program: it may name any function of any module and have it called. Here the names
it may use are a short list, and even those are answered by stand-ins of our own, so that no
function of NumPy or of the standard library is called with a stranger's arguments.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["safe_unpickle"]

# Python 3.11's unpickler makes its memo table as long as the largest index it is told, and
# fills it: one opcode of five bytes would take 64 GB. Honest pickles count up from 0.
_LARGEST_MEMO = 1 << 20
_INTEGER = re.compile(r"[ui][1248]")


def safe_unpickle(content: bytes, source: str) -> Any:
    """The value pickled in ``content``: dicts, lists, tuples, numbers, strings, integer ndarrays.

    Strings of Python 2 come as bytes. Anything else is refused with ``pickle.UnpicklingError``
    that names ``source`` and what the pickle asked for; damaged data raise ``ValueError``.
    """
    try:
        for opcode, argument, _ in pickletools.genops(content):
            if opcode.name in ("PUT", "LONG_BINPUT") and int(argument or 0) > _LARGEST_MEMO:
                raise ValueError(f"memo index {argument}")
        return _resolve(_Unpickler(content, source).load())
    except _Refused:
        raise
    except Exception as error:
        # A made-up pickle can make the unpickler raise nearly anything.
        raise ValueError(
            f"{source}: not a pickle of plain values and arrays, or damaged "
            f"({type(error).__name__}: {str(error)[:200]})"
        ) from error


class _Refused(pickle.UnpicklingError):
    """Told apart from the unpickler's own UnpicklingError, which means damaged data."""


class _Unpickler(pickle.Unpickler):
    def __init__(self, content: bytes, source: str) -> None:
        super().__init__(io.BytesIO(content), encoding="bytes")
        self._source = source

    def find_class(self, module: str, name: str, /) -> Any:
        if (stand_in := _ALLOWED.get((module, name))) is not None:
            return stand_in
        raise _Refused(
            f"{self._source}: the pickle asks for {f'{module}.{name}'[:100]!r}, which is refused: "
            "only plain values and NumPy arrays of integers are read. Nothing of it was run. "
            "If this file should be a data set, it is not the original"
        )

    def persistent_load(self, pid: Any) -> Any:
        raise _Refused(
            f"{self._source}: the pickle refers to an object outside itself, which is refused"
        )


class _StandIn:
    """What a permitted name stands for. Slots: a pickle can set no attribute on a stand-in."""

    __slots__ = ()


class _Dtype:
    """numpy.dtype, for integers only: its code, and its byte order once the state is set."""

    __slots__ = ("code", "order")

    def __init__(self, code: Any) -> None:
        self.code = _text(code)
        self.order = "|"
        if not _INTEGER.fullmatch(self.code):
            raise ValueError(f"an array of type {self.code[:20]!r}, not of integers")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = _text(state[1])

    def resolve(self) -> np.dtype[Any]:
        if self.order not in ("<", ">", "=", "|"):
            raise ValueError("an unknown byte order")
        return np.dtype(self.order + self.code)


class _Array:
    """An ndarray in the making: what NumPy would give its ``__setstate__``, as plain data."""

    __slots__ = ("dtype", "fortran", "raw", "shape")

    def __init__(self) -> None:
        self.shape: Any = None
        self.dtype: Any = None
        self.fortran: Any = False
        self.raw: Any = b""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, self.shape, self.dtype, self.fortran, self.raw = state

    def resolve(self) -> NDArray[Any]:
        shape, raw = self.shape, self.raw
        if not isinstance(self.dtype, _Dtype) or not isinstance(raw, (bytes, bytearray)):
            raise ValueError("an array without a type or without its data")
        if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError("an array without a shape")
        dtype = self.dtype.resolve()
        if math.prod(shape) * dtype.itemsize != len(raw):
            raise ValueError(f"an array of shape {shape} with {len(raw)} bytes of data")
        flat = np.frombuffer(raw, dtype).astype(dtype.newbyteorder("="))
        return flat.reshape(shape, order="F" if self.fortran else "C")


class _MakeDtype(_StandIn):
    __slots__ = ()

    def __call__(self, code: Any, *_: Any) -> _Dtype:
        return _Dtype(code)


class _Reconstruct(_StandIn):
    """numpy's _reconstruct(class, shape, code): an empty array, whose state follows."""

    __slots__ = ()

    def __call__(self, *_: Any) -> _Array:
        return _Array()


class _FromBuffer(_StandIn):
    """numpy's _frombuffer(buffer, dtype, shape, order), as pickle protocol 5 writes arrays."""

    __slots__ = ()

    def __call__(self, raw: Any, dtype: Any, shape: Any, order: Any) -> _Array:
        array = _Array()
        array.__setstate__((0, shape, dtype, order == "F", raw))
        return array


class _Encode(_StandIn):
    """_codecs.encode(text, "latin1"): how Python 3 writes bytes at protocol 2."""

    __slots__ = ()

    def __call__(self, text: Any, encoding: Any) -> bytes:
        if not isinstance(text, str) or encoding not in ("latin1", b"latin1"):
            raise ValueError("bytes in an unknown encoding")
        return text.encode("latin1")


_ALLOWED: dict[tuple[str, str], _StandIn] = {
    ("numpy", "dtype"): _MakeDtype(),
    ("numpy", "ndarray"): _StandIn(),
    ("_codecs", "encode"): _Encode(),
}
for _core in ("numpy.core", "numpy._core"):  # NumPy 1 and NumPy 2
    _ALLOWED[f"{_core}.multiarray", "_reconstruct"] = _Reconstruct()
    _ALLOWED[f"{_core}.numeric", "_frombuffer"] = _FromBuffer()


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin1")
    if isinstance(value, str):
        return value
    raise ValueError(f"a {type(value).__name__} where a string belongs")


def _resolve(value: Any) -> Any:
    """Put real arrays where stand-ins are: at the top, and one level down in a dict.

    Not deeper: a value that contains itself, or that repeats a list a billion times over, costs
    nothing as long as nobody walks through it.
    """
    if isinstance(value, _Array):
        return value.resolve()
    if isinstance(value, dict):
        return {k: v.resolve() if isinstance(v, _Array) else v for k, v in value.items()}
    return value
