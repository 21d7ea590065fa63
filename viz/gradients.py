"""`grad_flow`: how large the gradient is that reaches each parameter."""

from __future__ import annotations

import csv
import io
import math
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tensorgrad.viz.charts.gradient_chart import gradient_chart
from tensorgrad.viz.charts.gradient_table import gradient_table
from tensorgrad.viz.charts.row_folding import fold_rows, folded_words
from tensorgrad.viz.figures.arguments import heading, whole
from tensorgrad.viz.figures.figure import Figure, encode, write_atomically
from tensorgrad.viz.figures.words import no_formula, visible
from tensorgrad.viz.snapshots.naming import named_tensors

__all__ = ["GradFlowFigure", "GradStats", "grad_flow", "gradient_stats"]

_NUMBERS = ("mean", "max", "std", "norm", "data_norm", "ratio")

_BAD = {"nan": "NaN", "inf": "inf"}  # of several rows the numbers of elements are not told
# What is wrong with a row, the worst first.
_TROUBLES = (("nan", "inf"), ("none",), ("zero",))


@dataclass(frozen=True, slots=True)
class GradStats:
    """What is known of one parameter's gradient.

    status: "ok"; "zero" (computed, and 0 everywhere); "nan" or "inf" (some elements are);
    "none" (there is no gradient: it was not computed); "empty" (there are no elements).
    ``keeps_grad`` is False for a tensor that is no leaf and does not retain its gradient.
    The numbers are None unless they are known: a gradient that was not computed is never 0.
    ``mean`` and ``max`` are of the absolute values, ``std`` is the deviation of the gradient
    itself, ``norm`` the Euclidean norm, ``ratio`` is it divided by the norm of the parameter, None
    where that is 0.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    size: int
    requires_grad: bool
    keeps_grad: bool
    status: str
    mean: float | None = None
    max: float | None = None
    std: float | None = None
    norm: float | None = None
    data_norm: float | None = None
    ratio: float | None = None
    nan: int = 0
    inf: int = 0

    @property
    def remark(self) -> str:
        """What to write where a number would mislead; empty for an ordinary gradient."""
        if self.status == "none":
            if not self.requires_grad:
                return "no gradient (requires_grad=False)"
            return "no gradient" if self.keeps_grad else "no gradient kept (not a leaf)"
        if self.status == "empty":
            return "no elements"
        if self.status == "zero":
            return "all zero"
        found = [f"{n:,} {kind}" for n, kind in ((self.nan, "NaN"), (self.inf, "inf")) if n]
        return f"{' and '.join(found)} of {self.size:,}" if found else ""


class GradFlowFigure(Figure):
    """Gradient statistics per parameter: a table as text, rows on a log axis as SVG.

    ``rows`` has every parameter, ``shown`` those that are printed and drawn, with a string in the
    place of others.
    """

    def __init__(self, rows: list[GradStats], title: str, max_rows: int | None = None) -> None:
        super().__init__(title)
        self.rows = rows
        self.shown = _shown(rows, max_rows)

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str:
        """The numbers as CSV, a line for each parameter; also written to ``path`` if given.

        What was not computed is empty.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["name", "shape", "status", *_NUMBERS])
        for row in self.rows:
            numbers = [getattr(row, name) for name in _NUMBERS]
            cells = ["" if value is None else f"{value:.6g}" for value in numbers]
            dims = "x".join(map(str, row.shape))
            writer.writerow([no_formula(row.name), dims, row.status, *cells])
        if path is not None:
            write_atomically(Path(path), encode(text.getvalue()))
        return text.getvalue()

    def to_matplotlib(self) -> Any:
        """The same as a matplotlib Figure; needs ``pip install 'tensorgrad[matplotlib]'``."""
        from tensorgrad.viz.figures.matplotlib_export import gradients_to_matplotlib

        return gradients_to_matplotlib(self)

    def _formats(self) -> dict[str, Callable[[], bytes]]:
        return {**super()._formats(), ".csv": lambda: encode(self.to_csv())}

    def _make_text(self) -> str:
        return gradient_table(self.shown, self.title)

    def _whole_text(self) -> str:
        return gradient_table(self.rows, self.title)

    def _make_svg(self) -> str:
        return gradient_chart(self.shown, self.title, len(self.rows))

    def _make_data(self) -> dict[str, Any]:
        rows = [{**asdict(row), "remark": row.remark} for row in self.rows]
        return {"kind": "grad_flow", "title": self.title, "parameters": rows}


def grad_flow(
    model: Any, *, title: str = "Gradient flow", max_rows: int | None = 60
) -> GradFlowFigure:
    """Mean, maximum and norm of each parameter's gradient, and its ratio to the parameter's norm.

    model: a Module, a mapping of names to Tensors, or (name, Tensor) pairs.  Call it after
    ``backward()``, before ``zero_grad()``.  The statistics are taken now, in float64; a parameter
    without a gradient is shown as "no gradient", one with zeros as "all zero".  Raises TypeError
    for anything else, ValueError where there are no parameters.

    max_rows: of more parameters at most so many are printed and drawn: the first, the last, some of
        those with NaN, without a gradient, with zeros, with the smallest and the largest one;
        "… 4,940 rows" stands for the others; None shows all.  `data`, .json, .csv and the text in
        the .html have every one.
    """
    if model is None:
        raise TypeError("viz.grad_flow: expected a Module or named Tensors, got None")
    named = named_tensors(model, "viz.grad_flow")
    if not named:
        raise ValueError("viz.grad_flow: there are no parameters to show")
    shown = heading(title, "viz.grad_flow")
    if max_rows is not None:
        whole(max_rows, 2, "viz.grad_flow", "max_rows")
    return GradFlowFigure([gradient_stats(name, t) for name, t in named], shown, max_rows)


def _shown(rows: list[GradStats], limit: int | None) -> list[GradStats | str]:
    """The rows that are printed and drawn, and what stands in the place of the others."""
    if limit is None or len(rows) <= limit:
        return [*rows]
    worst = _worst(rows, max(1, limit // 10))
    found = fold_rows(len(rows), max(2, limit - len(worst)), worst)
    return [rows[i] if isinstance(i, int) else _folded(rows, i) for i in found]


def _worst(rows: list[GradStats], each: int) -> set[int]:
    """The rows that one looks for: so many of each kind of trouble, and of each end."""
    groups = [[k for k, row in enumerate(rows) if row.status in kinds] for kinds in _TROUBLES]
    known = [(row.mean, k) for k, row in enumerate(rows) if row.status == "ok"]
    by_size = [k for _, k in sorted(known)]
    return {k for group in (*groups, by_size, by_size[::-1]) for k in group[:each]}


def _folded(rows: list[GradStats], hidden: range) -> str:
    """What stands in the place of these rows; what was not computed among them is not hidden."""
    several = Counter(_BAD.get(rows[k].status) or rows[k].remark for k in hidden)
    told = [f"{n:,}: {what}" for what, n in several.items() if what]
    return ", ".join([folded_words(hidden), *told])


def gradient_stats(name: str, tensor: Any) -> GradStats:
    """The statistics of one tensor's ``.grad``."""
    shape = tuple(tensor.shape)
    # Reading .grad of a tensor that never keeps one is a mistake that PyTorch warns about; here it
    # is a fact to show.
    keeps = bool(tensor.is_leaf or getattr(tensor, "retains_grad", False))
    base = GradStats(
        name=visible(name),
        shape=shape,
        dtype=str(tensor.dtype).rpartition(".")[2],
        size=math.prod(shape),
        requires_grad=bool(tensor.requires_grad),
        keeps_grad=keeps,
        status="none",
    )
    grad = tensor.grad if keeps else None
    if grad is None:
        return base
    values = _array(grad).ravel()
    size = np.abs(values).astype(np.float64)
    data_norm = _norm(np.abs(_array(tensor)).astype(np.float64).ravel())
    fields = {**asdict(base), "data_norm": data_norm}
    if not size.size:
        return GradStats(**{**fields, "status": "empty"})
    nan, inf = int(np.isnan(size).sum()), int(np.isinf(size).sum())
    if nan or inf:
        kind = "nan" if nan else "inf"
        value = math.nan if nan else math.inf
        known = {"mean": value, "max": value, "std": value, "norm": value, "ratio": value}
        return GradStats(**{**fields, **known, "status": kind, "nan": nan, "inf": inf})
    norm = _norm(size)
    return GradStats(
        **{
            **fields,
            "status": "ok" if norm else "zero",
            "mean": _mean(size),
            "max": float(size.max()),
            "std": _std(values, float(size.max())),
            "norm": norm,
            "ratio": norm / data_norm if data_norm and math.isfinite(data_norm) else None,
        }
    )


def _array(tensor: Any) -> np.ndarray[Any, Any]:
    array: np.ndarray[Any, Any] = np.asarray(tensor.detach().numpy())
    return array


def _norm(size: np.ndarray[Any, Any]) -> float:
    """The Euclidean norm of magnitudes, scaled so that squares neither overflow nor vanish."""
    largest = float(size.max()) if size.size else 0.0
    if not largest or not math.isfinite(largest):
        return largest
    return largest * math.sqrt(float(np.square(size / largest).sum()))


def _std(values: np.ndarray[Any, Any], largest: float) -> float:
    if not largest:
        return 0.0
    scaled = values.astype(np.complex128 if values.dtype.kind == "c" else np.float64) / largest
    return largest * float(np.std(scaled))


def _mean(size: np.ndarray[Any, Any]) -> float:
    largest = float(size.max())
    return largest * float((size / largest).mean()) if largest else 0.0
