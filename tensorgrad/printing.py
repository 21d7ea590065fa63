"""How tensors print: as PyTorch prints them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

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
    """One format for all numbers of a tensor, wide enough for the longest."""

    def __init__(self, array: Any) -> None:
        self.kind = array.dtype.kind
        self.whole = self.scientific = False
        if self.kind == "f":
            shown = array[np.isfinite(array) & (array != 0)].astype(np.float64)
            self.whole = bool(np.all(shown == np.ceil(shown)))
            if shown.size:
                high, low = float(np.abs(shown).max()), float(np.abs(shown).min())
                if self.whole:
                    self.scientific = (high / low > 1000.0 and high > 1e8) or high > 1e8
                else:
                    self.scientific = high / low > 1000.0 or high > 1e8 or low < 1e-4
            if OPTIONS.sci_mode is not None:
                self.scientific = OPTIONS.sci_mode
        self.width = max((len(self.text(v)) for v in array.ravel()), default=0)

    def text(self, value: Any) -> str:
        if self.kind == "b":
            return str(bool(value))
        if self.kind in "iu":
            return str(int(value))
        value = float(value)
        if self.scientific:
            return f"{value:.{OPTIONS.precision}e}"
        if self.whole:
            return f"{value:.0f}." if math.isfinite(value) else str(value)
        return f"{value:.{OPTIONS.precision}f}"

    def __call__(self, value: Any) -> str:
        return self.text(value).rjust(self.width)


class _Complex:
    """Real and imaginary parts, each in a format of its own."""

    def __init__(self, array: Any) -> None:
        self.real, self.imag = _Number(array.real), _Number(np.abs(array.imag))
        self.width = self.real.width + self.imag.width + 2

    def __call__(self, value: Any) -> str:
        sign = "-" if np.signbit(value.imag) else "+"
        return self.real(value.real) + sign + self.imag.text(abs(value.imag)) + "j"


def _shown(array: Any) -> Any:
    """The elements that will be printed, for choosing the format."""
    if array.size <= OPTIONS.threshold or not array.ndim:
        return array
    edge = OPTIONS.edgeitems
    for axis, n in enumerate(array.shape):
        if n > 2 * edge:
            array = np.take(array, [*range(edge), *range(n - edge, n)], axis)
    return array


def _rows(array: Any, form: Any, indent: int, summarize: bool) -> str:
    edge = OPTIONS.edgeitems
    cut = summarize and array.shape[0] > 2 * edge
    if array.ndim == 1:
        per_line = max(1, int((OPTIONS.linewidth - indent) // (form.width + 2)))
        if cut:
            words = [form(v) for v in array[:edge]] + [" ..."] + [form(v) for v in array[-edge:]]
        else:
            words = [form(v) for v in array]
        lines = [", ".join(words[i : i + per_line]) for i in range(0, len(words), per_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    if cut:
        parts = [_rows(a, form, indent + 1, summarize) for a in array[:edge]]
        parts += ["..."] + [_rows(a, form, indent + 1, summarize) for a in array[-edge:]]
    else:
        parts = [_rows(a, form, indent + 1, summarize) for a in array]
    between = "," + "\n" * (array.ndim - 1) + " " * (indent + 1)
    return "[" + between.join(parts) + "]"  # type: ignore[no-any-return]


def format_tensor(tensor: Tensor) -> str:
    """``tensor([...], dtype=..., grad_fn=<...>)``; the dtype only where it is not the default."""
    array = tensor._array
    prefix = "tensor("
    notes = []
    kind = array.dtype
    usual = kind in (default_float(), np.dtype(np.int64), np.dtype(np.bool_))
    if array.size == 0:
        body = "[]"
        if array.ndim != 1:
            notes.append(f"size={tuple(array.shape)}")
        usual = kind == default_float()
    else:
        form = (_Complex if kind.kind == "c" else _Number)(_shown(array))
        if array.ndim == 0:
            body = form(array[()]).strip()
        else:
            body = _rows(array, form, len(prefix), array.size > OPTIONS.threshold)
    if kind.kind == "c" and kind == np.dtype("complex64") and default_float() == np.float32:
        usual = True
    if not usual:
        notes.append(f"dtype={tensor.dtype!r}")
    node = tensor.grad_fn
    if node is not None:
        notes.append(f"grad_fn=<{node.name()}>")
    elif tensor.requires_grad:
        notes.append("requires_grad=True")
    text = prefix + body
    for note in notes:
        last = len(text) - text.rfind("\n") - 1
        text += (
            "," + ("\n" + " " * len(prefix) if last + len(note) + 3 > OPTIONS.linewidth else " ")
        ) + note
    return text + ")"
