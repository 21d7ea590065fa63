"""What a node is, in words: dtype, size, formulas, parameters; the same from run to run."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.formula import formulas_of, to_text
from tensorgrad.viz.figures.words import shorten, visible

__all__ = ["dtype_of", "formula_of", "nbytes_of", "parameters_of"]


def dtype_of(tensor: Any) -> str:
    """The dtype's bare name: ``float32``, of the engine's dtypes as of NumPy's."""
    return str(tensor.dtype).rpartition(".")[2]


def nbytes_of(shape: tuple[int, ...], dtype: str) -> int:
    size = 1
    for n in shape:
        size *= n
    return size * np.dtype(dtype).itemsize


def formula_of(node: Any) -> tuple[str | None, ...]:
    """The declared gradient of each argument as an equation, ``ā = ȳ ⊙ b``; None where there is
    none, or none that can be known any more.
    """
    op = node.op
    if op.formula is None:
        return ()
    shapes = [getattr(spec, "shape", None) for spec in node.input_specs]
    formulas = formulas_of(op, shapes, node.params or {})
    names = [*op.arguments, *(f"x{i}" for i in range(len(op.arguments), len(formulas)))]
    return tuple(
        None if formula is None else visible(to_text(formula, name))
        for name, formula in zip(names, formulas)
    )


def parameters_of(params: dict[str, Any] | None) -> str:
    """Keyword parameters as one would write them; arrays by type and shape, never by value."""
    shown = []
    for key, value in (params or {}).items():
        shown.append(f"{visible(key)}={shorten(visible(_brief(value)), 60)}")
    return ", ".join(shown)


def _brief(value: Any, depth: int = 0) -> str:
    if value is None or isinstance(value, bool | int | float | complex | str | slice):
        return repr(value)
    if isinstance(value, np.generic):
        return repr(value.item())
    if isinstance(value, np.dtype):
        return value.name
    if isinstance(value, tuple | list) and depth < 3:
        inside = ", ".join(_brief(item, depth + 1) for item in value[:8])
        inside += ", …" if len(value) > 8 else ""
        if isinstance(value, list):
            return f"[{inside}]"
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        dims = ", ".join(map(str, value.shape))
        return f"{str(value.dtype).rpartition('.')[2]}[{dims}]"
    # Not repr(): it may hold an address, and the same program must give the same picture.
    return getattr(value, "__name__", None) or type(value).__name__
