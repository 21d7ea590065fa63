"""How tensors print: as PyTorch prints them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.batching import Batch
from tensorgrad.dtypes import default_float

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["format_tensor", "set_printoptions"]


class _Options:
    precision = 4
    threshold = 1000
    edgeitems = 3
    linewidth = 80
    sci_mode: bool | None = None


OPTIONS = _Options()
_PROFILES = {
    "default": (4, 1000, 3, 80),
    "short": (2, 1000, 2, 80),
    "full": (4, math.inf, 3, 80),
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Digits after the point, elements before a tensor is summarised, items at its edges, width."""
    for what, number in (("precision", precision), ("edgeitems", edgeitems)):
        if number is not None and not isinstance(number, int):
            raise TypeError(f"set_printoptions: {what} must be an int, got {number!r}")
    if profile is not None:
        if profile not in _PROFILES:
            raise ValueError(f"profile must be one of {', '.join(_PROFILES)}, got {profile!r}")
        values: Any = _PROFILES[profile]
        OPTIONS.precision, OPTIONS.threshold, OPTIONS.edgeitems, OPTIONS.linewidth = values
    for name, value in (
        ("precision", precision),
        ("threshold", threshold),
        ("edgeitems", edgeitems),
        ("linewidth", linewidth),
    ):
        if value is not None:
            setattr(OPTIONS, name, value)
    OPTIONS.sci_mode = sci_mode


class _Number:
    """One format for all real numbers of a tensor, wide enough for the longest.

    Zeros, infinities and NaN have no part in choosing it: they are shown as they fit.
    """

    def __init__(self, array: Any) -> None:
        self.floating = array.dtype.kind == "f"
        self.whole, self.scientific, self.width = True, False, 1
        if not self.floating:
            self.width = max((len(str(v)) for v in array.ravel().tolist()), default=1)
            return
        array = array.astype(np.float64)
        chosen = array[np.isfinite(array) & (array != 0)]
        if not chosen.size:
            return
        high, low = float(np.abs(chosen).max()), float(np.abs(chosen).min())
        self.whole = bool(np.all(chosen == np.ceil(chosen)))
        self.scientific = high / low > 1000 or high > 1e8 or low < 1e-4
        if OPTIONS.sci_mode is not None:
            self.scientific = OPTIONS.sci_mode
        self.width = max(len(self.text(v)) for v in chosen.tolist())

    def text(self, value: Any) -> str:
        if not self.floating:
            return str(value)
        if self.scientific:
            return f"{value:.{OPTIONS.precision}e}"
        if self.whole:  # the point tells that the type is not an integer one
            return f"{value:.0f}." if math.isfinite(value) else f"{value:.0f}"
        return f"{value:.{OPTIONS.precision}f}"

    def __call__(self, value: Any) -> str:
        return self.text(value).rjust(self.width)


class _Complex:
    """Real and imaginary parts, each in a format of its own."""

    def __init__(self, array: Any) -> None:
        self.real, self.imag = _Number(array.real), _Number(array.imag)
        self.width = self.real.width + self.imag.width + 1

    def __call__(self, value: Any) -> str:
        imag = self.imag(value.imag).lstrip()
        return self.real(value.real) + ("" if imag[0] in "+-" else "+") + imag + "j"


def _shown(array: Any) -> Any:
    """The elements that will be printed, for choosing the format."""
    if array.size <= OPTIONS.threshold:
        return array
    edge = OPTIONS.edgeitems
    for axis, n in enumerate(array.shape):
        if n > 2 * edge:
            array = np.take(array, [*range(edge), *range(n - edge, n)], axis)
    return array


def _rows(array: Any, form: Any, indent: int, summarize: bool) -> str:
    edge = OPTIONS.edgeitems
    cut = summarize and array.shape[0] > 2 * edge
    parts = [array] if not cut else [array[:edge], array[len(array) - edge :]]
    if array.ndim == 1:
        per_line = max(1, int((OPTIONS.linewidth - indent) // (form.width + 2)))
        groups = [[form(v) for v in part.tolist()] for part in parts]
        words = [*groups[0], " ...", *groups[1]] if cut else groups[0]
        lines = [", ".join(words[i : i + per_line]) for i in range(0, len(words), per_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    groups = [[_rows(a, form, indent + 1, summarize) for a in part] for part in parts]
    words = [*groups[0], "...", *groups[1]] if cut else groups[0]
    return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(words) + "]"  # type: ignore[no-any-return]


def _body(array: Any, indent: int) -> str:
    if not array.size:
        return "[]"
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    form = (_Complex if array.dtype.kind == "c" else _Number)(_shown(array))
    if array.ndim == 0:
        return form(array.item())
    return _rows(array, form, indent, array.size > OPTIONS.threshold)


def _notes(tensor: Tensor) -> list[str]:
    """What stands after the numbers: size, dtype, how the tensor hangs in the graph."""
    array = tensor._array
    notes = []
    default = default_float()
    if array.size:
        complex_default = np.dtype(np.complex128 if default == np.float64 else np.complex64)
        usual = array.dtype in (default, complex_default, np.dtype(np.int64), np.dtype(np.bool_))
    else:  # there is no number that would show that it is an integer
        usual = array.dtype == default
        if array.ndim != 1:
            notes.append(f"size={tuple(array.shape)}")
    if not usual:
        notes.append(f"dtype={tensor.dtype!r}")
    node = tensor.grad_fn
    if node is not None:
        notes.append(f"grad_fn=<{node.name()}>")
    elif tensor.requires_grad:
        notes.append("requires_grad=True")
    return notes


def _batched(batch: Batch) -> str:
    """Under vmap all the examples are shown, as PyTorch shows them."""
    inner = format_tensor(batch.physical).replace("\n", "\n    ")
    bdim = 0 if batch.batched else None
    return f"BatchedTensor(lvl={batch.frame.level}, bdim={bdim}, value=\n    {inner}\n)"


def format_tensor(tensor: Tensor) -> str:
    """``tensor([...], dtype=..., grad_fn=<...>)``; the dtype only where it is not the default."""
    if isinstance(tensor._array, Batch):
        return _batched(tensor._array)
    prefix = "tensor("
    text = prefix + _body(tensor._array, len(prefix))
    used = len(text) - text.rfind("\n") + 1
    for note in _notes(tensor):
        if used + len(note) + 2 > OPTIONS.linewidth:
            text += ",\n" + " " * len(prefix) + note
            used = len(prefix) + len(note)
        else:
            text += ", " + note
            used += len(note) + 2
    return text + ")"
