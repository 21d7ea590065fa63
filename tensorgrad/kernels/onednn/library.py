"""oneDNN's C interface, version 3, bound through ctypes.

Every function that returns a status raises `OneDNNError` when it is not success. Objects are plain
addresses here; `primitive` owns them and destroys them.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

__all__ = ["ARGUMENTS", "F32", "Argument", "Library", "OneDNNError", "Unavailable", "candidates"]

PACKAGE = "onednn-cpu-gomp"
MAJOR = 3

# enum dnnl_data_type_t, dnnl_prop_kind_t, dnnl_alg_kind_t, dnnl_normalization_flags_t
F32 = 3
TRAINING, INFERENCE, BACKWARD = 64, 96, 128
CONVOLUTION_DIRECT, POOLING_MAX, SOFTMAX, LOG_SOFTMAX = 1, 0x1FF, 0x30000, 0x30001
GIVEN_STATISTICS, SCALE, SHIFT = 1, 2, 4
RELU, RELU_FROM_RESULT, GELU_TANH, GELU_ERF = 0x20, 0x100, 0x2B, 0x31
TAG_ANY = 1
QUERY_IMPLEMENTATION = 8
BLOCKED = 2  # the format of a memory descriptor that has strides and blocks

# The numbers by which a primitive's arguments are named when it is run.
ARGUMENTS = {
    "src": 1, "dst": 17, "weights": 33, "bias": 41, "mean": 49, "variance": 50, "scale": 51,
    "shift": 52, "workspace": 64, "diff_src": 129, "diff_dst": 145, "diff_weights": 161,
    "diff_bias": 169, "diff_scale": 255, "diff_shift": 256,
}  # fmt: skip
# By which query a primitive descriptor tells the layout that it wants of an argument.
QUERIES = {
    "src": 129, "diff_src": 130, "weights": 131, "diff_weights": 132, "dst": 133, "diff_dst": 134,
    "workspace": 135,
}  # fmt: skip

# By which query a memory descriptor tells a number, or a list of them.
NUMBERS = {"format": 262, "blocks": 263}
LISTS = {"padded": 260, "strides": 14, "block_sizes": 264, "block_axes": 265}

_STATUS = {1: "out of memory", 2: "invalid arguments", 3: "not implemented", 6: "runtime error"}

_TYPES: dict[str, Any] = {
    "P": ctypes.c_void_p,
    "p": ctypes.POINTER(ctypes.c_void_p),
    "i": ctypes.c_int,
    "u": ctypes.c_uint,
    "f": ctypes.c_float,
    "D": ctypes.POINTER(ctypes.c_int64),
}

# The C functions used, with one letter of _TYPES per argument; all return a status.
_FUNCTIONS = {
    "engine_create": "piP",
    "stream_create": "pPu",
    "stream_destroy": "P",
    "memory_desc_create_with_strides": "piDiD",
    "memory_desc_create_with_tag": "piDii",
    "memory_desc_destroy": "P",
    "memory_desc_query": "PiP",
    "memory_create": "pPPP",
    "memory_set_data_handle": "PP",
    "memory_destroy": "P",
    "primitive_attr_create": "p",
    "primitive_attr_set_post_ops": "PP",
    "primitive_attr_destroy": "P",
    "post_ops_create": "p",
    "post_ops_append_eltwise": "Piff",
    "post_ops_destroy": "P",
    "primitive_desc_query": "PiiP",
    "primitive_desc_destroy": "P",
    "primitive_create": "pP",
    "primitive_execute": "PPiP",
    "primitive_destroy": "P",
    "reorder_primitive_desc_create": "pPPPPP",
    "convolution_forward_primitive_desc_create": "pPiiPPPPDDDDP",
    "convolution_backward_data_primitive_desc_create": "pPiPPPDDDDPP",
    "convolution_backward_weights_primitive_desc_create": "pPiPPPPDDDDPP",
    "pooling_forward_primitive_desc_create": "pPiiPPDDDDDP",
    "pooling_backward_primitive_desc_create": "pPiPPDDDDDPP",
    "batch_normalization_forward_primitive_desc_create": "pPiPPfuP",
    "batch_normalization_backward_primitive_desc_create": "pPiPPPfuPP",
    "layer_normalization_forward_primitive_desc_create": "pPiPPPfuP",
    "layer_normalization_backward_primitive_desc_create": "pPiPPPPfuPP",
    "softmax_forward_primitive_desc_create": "pPiiPPiP",
    "softmax_backward_primitive_desc_create": "pPiPPPiPP",
    "eltwise_forward_primitive_desc_create": "pPiiPPffP",
    "eltwise_backward_primitive_desc_create": "pPiPPPffPP",
    "matmul_primitive_desc_create": "pPPPPPP",
}


class OneDNNError(RuntimeError):
    """A oneDNN function did not succeed."""


class Unavailable(RuntimeError):
    """oneDNN cannot be used here; the message says why."""


class Argument(ctypes.Structure):
    """``dnnl_exec_arg_t``: an argument's number, and its memory object."""

    _fields_ = (("arg", ctypes.c_int), ("memory", ctypes.c_void_p))


class _Version(ctypes.Structure):
    _fields_ = (
        ("major", ctypes.c_int),
        ("minor", ctypes.c_int),
        ("patch", ctypes.c_int),
        ("hash", ctypes.c_char_p),
        ("cpu_runtime", ctypes.c_uint),
        ("gpu_runtime", ctypes.c_uint),
    )


class Library:
    """The functions of one loaded shared object, as attributes without the ``dnnl_`` prefix."""

    def __init__(self, path: str) -> None:
        try:
            with _short_waits():
                self._lib = ctypes.CDLL(path)
            version = self._lib.dnnl_version
        except (OSError, AttributeError) as error:
            raise Unavailable(f"{path} cannot be loaded: {error}") from None
        version.restype = ctypes.POINTER(_Version)
        found = version().contents
        self.version = (found.major, found.minor, found.patch)
        self.path = path
        if found.major != MAJOR:
            raise Unavailable(f"version {MAJOR} of oneDNN is needed, {path} is {self.version}")
        for name, letters in _FUNCTIONS.items():
            setattr(self, name, self._bound(name, letters))
        self.memory_desc_get_size = self._plain("memory_desc_get_size", "P", ctypes.c_size_t)
        self.memory_desc_equal = self._plain("memory_desc_equal", "PP", ctypes.c_int)
        self.query_md = self._plain("primitive_desc_query_md", "Pii", ctypes.c_void_p)
        # Called for every array and every run: the status is looked at by the caller.
        self.set_handle = self._plain("memory_set_data_handle", "PP", ctypes.c_int)
        self.execute = self._plain("primitive_execute", "PPiP", ctypes.c_int)
        # Of the OpenMP library that oneDNN is linked with; it counts for the calling thread.
        self.set_threads: Any = getattr(self._lib, "omp_set_num_threads", lambda number: None)
        self.engine = self.new("engine_create", 1, 0)  # the first engine of kind CPU

    def _plain(self, name: str, letters: str, result: Any) -> Callable[..., Any]:
        try:
            function: Any = getattr(self._lib, f"dnnl_{name}")
        except AttributeError:
            raise Unavailable(f"{self.path} has no function dnnl_{name}") from None
        function.argtypes = [_TYPES[letter] for letter in letters]
        function.restype = result
        return function  # type: ignore[no-any-return]

    def _bound(self, name: str, letters: str) -> Callable[..., None]:
        function = self._plain(name, letters, ctypes.c_int)

        def call(*args: Any) -> None:
            status = function(*args)
            if status:
                raise OneDNNError(f"dnnl_{name}: {_STATUS.get(status, f'status {status}')}")

        return call

    def new(self, name: str, *args: Any) -> int:
        """Call a function that makes an object, and return its address."""
        handle = ctypes.c_void_p()
        getattr(self, name)(ctypes.byref(handle), *args)
        if not handle.value:
            raise OneDNNError(f"dnnl_{name}: made nothing")
        return handle.value

    def query_text(self, descriptor: int) -> str:
        """The name of the implementation behind a primitive descriptor."""
        text = ctypes.c_char_p()
        self.primitive_desc_query(descriptor, QUERY_IMPLEMENTATION, 0, ctypes.byref(text))
        return (text.value or b"").decode()

    def query_number(self, layout: int, what: str) -> int:
        """One of `NUMBERS` of a memory descriptor."""
        number = ctypes.c_int()
        self.memory_desc_query(layout, NUMBERS[what], ctypes.byref(number))
        return number.value

    def query_list(self, layout: int, what: str, count: int) -> list[int]:
        """The first ``count`` of one of `LISTS` of a memory descriptor."""
        start = ctypes.c_void_p()
        self.memory_desc_query(layout, LISTS[what], ctypes.byref(start))
        return list((ctypes.c_int64 * count).from_address(start.value or 0)) if count else []

    if TYPE_CHECKING:  # the functions above are set by name

        def __getattr__(self, name: str) -> Any: ...


@contextmanager
def _short_waits() -> Iterator[None]:
    """Let the threads of the OpenMP library that is loaded here wait actively for some 30 us only.

    By default they spin for milliseconds after each computation, and slow NumPy's matrix products,
    which have threads of their own. Without any spinning a step of a small CNN took twice as long.
    What the user has set stays.
    """
    name = "GOMP_SPINCOUNT"
    if name in os.environ or "OMP_WAIT_POLICY" in os.environ:
        yield
        return
    os.environ[name] = "10000"
    try:
        yield
    finally:
        del os.environ[name]


def candidates() -> Iterator[str]:
    """Where the shared object may be: named by the user, or in the package of the extra."""
    named = os.environ.get("TENSORGRAD_ONEDNN")
    if named:
        yield named
        return
    import importlib.metadata  # slow to import, and needed by few

    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return
    for file in files:
        if file.name == f"libdnnl.so.{MAJOR}":
            yield str(file.locate())
