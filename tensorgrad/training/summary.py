"""A model as a table: what each layer gives, what it has to learn, what it costs."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from tensorgrad.autograd import enable_grad
from tensorgrad.consoles import shorten
from tensorgrad.dtypes import dtype as DType
from tensorgrad.graph.node import local
from tensorgrad.nn import Module
from tensorgrad.nn.parameter import is_lazy
from tensorgrad.random import fork_rng
from tensorgrad.tensor import Tensor
from tensorgrad.training.costs import multiply_adds
from tensorgrad.training.folding import fold_calls
from tensorgrad.training.inputs import inputs_of, recorded
from tensorgrad.training.table import format_table

__all__ = ["Summary", "SummaryError", "summary"]


@dataclasses.dataclass
class _Row:
    """A call of a module."""

    name: str
    type: str
    depth: int
    label: str  # the name as seen from the row above it
    input_shape: Any = None
    output_shape: Any = None
    parameters: int = 0
    formula: str = ""
    trainable: bool | str | None = None
    trained: int = 0  # how many of the parameters' numbers require a gradient
    buffers: int = 0
    multiply_adds: int = 0
    note: str = ""


class Summary:
    """What `summary` found. Printed, it is a table; ``data`` has its rows as dicts.

    A row's keys: name (dotted; "" for the model), type, depth (of the call, below the model's),
    input_shape, output_shape (of one tensor, or a list of several; None if the layer was not called
    or failed), parameters (a number), formula ("" without parameters), trainable (True, False,
    "partly", or None without parameters), buffers, multiply_adds, flops (twice that), note.

    A row counts the module's own parameters, buffers and multiply-adds, without those of the rows
    below it, so that columns add up to the totals: total_parameters, trainable_parameters,
    total_buffers, total_multiply_adds, total_flops.
    """

    def __init__(self, rows: list[_Row]) -> None:
        self._rows = rows

    @property
    def data(self) -> list[dict[str, Any]]:
        """The rows."""
        rows = [dataclasses.asdict(row) for row in self._rows]
        for row in rows:
            row["flops"] = 2 * row["multiply_adds"]
            del row["label"], row["trained"]
        return rows

    def _sum(self, name: str) -> int:
        return sum(getattr(row, name) for row in self._rows)

    @property
    def total_parameters(self) -> int:
        """The numbers of all parameters, each counted once."""
        return self._sum("parameters")

    @property
    def trainable_parameters(self) -> int:
        """The numbers of those that require a gradient."""
        return self._sum("trained")

    @property
    def total_buffers(self) -> int:
        """The numbers in all buffers."""
        return self._sum("buffers")

    @property
    def total_multiply_adds(self) -> int:
        """Of one forward pass on the given input."""
        return self._sum("multiply_adds")

    @property
    def total_flops(self) -> int:
        """Two for each multiply-add."""
        return 2 * self.total_multiply_adds

    def __repr__(self) -> str:
        columns = ["layer", "output", "parameters", "trainable", "buffers", "multiply-adds"]
        folded = fold_calls(self._rows, lambda row: row.depth, _kind_of_call)
        cells = [_cells(rows) for rows in folded]
        for k, empty in ((4, {"-"}), (3, {"-", "yes"})):  # columns that would say nothing
            if all(row[k] in empty for row in cells):
                columns.pop(k)
                for row in cells:
                    row.pop(k)
        _narrow(columns, cells)
        frozen = self.total_parameters - self.trainable_parameters
        lines = [
            format_table(columns, cells),
            "",
            f"parameters: {self.total_parameters:,}"
            + (f", {self.trainable_parameters:,} of them trainable" if frozen else ""),
        ]
        if self.total_buffers:
            lines.append(f"numbers in buffers: {self.total_buffers:,}")
        lines.append(
            f"multiply-adds: {self.total_multiply_adds:,} ({self.total_flops:,} FLOPs)\n"
            "in matrix products and convolutions; nothing elementwise is counted"
        )
        return "\n".join(lines)


class SummaryError(RuntimeError):
    """The model failed on the input; ``summary`` has the rows up to the layer that did."""

    def __init__(self, message: str, found: Summary) -> None:
        super().__init__(message)
        self.summary = found


def summary(
    model: Module,
    input: Any,
    *,
    depth: int | None = None,
    dtype: DType | None = None,
    kwargs: Mapping[str, Any] | None = None,
) -> Summary:
    """Run a model once and tell of every layer its output shapes, parameters and cost.

    input: a tensor; a tuple or list of what forward takes; or sizes, ``(1, 3, 32, 32)``, or a list
        of sizes for several inputs, each with the batch, for which zeros of ``dtype`` are made.
    depth: how many levels of modules have rows of their own; what lies below counts with the row
        above it. None: all.
    kwargs: forward's keyword arguments.

    The model runs in evaluation mode and is left as it was, but that lazy modules get their sizes.
    Parameters are written as ``5x5x16+16 = 416`` (a vector alone as ``4``), a kernel by its height,
    width, input channels (unless there is one) and output channels. A module that is called again
    has a row for each call, its parameters in the first; calls that follow each other are printed
    as one row, marked "x50", with their multiply-adds together. Modules that are never called have
    a row if they have parameters. Raises SummaryError, with the rows so far, if the model fails.
    """
    if not isinstance(model, Module):
        raise TypeError(f"summary: model must be an nn.Module, got {type(model).__name__}")
    if depth is not None and depth < 0:
        raise ValueError(f"summary: depth must not be negative, got {depth}")
    inputs = inputs_of(input, dtype)
    frozen = {id(p) for p in model.parameters() if not p.requires_grad}
    watch = _Watch(model, depth, frozen)
    try:
        with _undisturbed(model), watch.watching():
            model(*map(recorded, inputs), **(kwargs or {}))
    except Exception as error:
        found = Summary(watch.rows)
        place = "the model"
        if watch.failed is not None:
            watch.failed.note = "failed"
            place = f"{watch.failed.type} {watch.failed.name!r}".removesuffix(" ''")
            place += f", given {_shape(watch.failed.input_shape)}"
        raise SummaryError(
            f"summary: {place}: {type(error).__name__}: {error}\nThe rows up to there:\n{found!r}",
            found,
        ) from error
    watch.add_uncalled()
    return Summary(watch.rows)


class _Watch:
    """Makes a row whenever a module is called, and counts what happens inside."""

    def __init__(self, model: Module, depth: int | None, frozen: set[int]) -> None:
        self.rows: list[_Row] = []
        self.failed: _Row | None = None
        names: dict[Module, str] = {}
        for name, module in model.named_modules():
            names.setdefault(module, name)
        self._shown = {
            module: name
            for module, name in names.items()
            if depth is None or not name or name.count(".") < depth
        }
        self._depth, self._frozen = depth, frozen
        self._open: list[_Row] = []
        self._counted: set[int] = set()  # ids of parameters and buffers that have their row
        self._seen: set[Module] = set()
        self._outside = sys.exception()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Hooks on the modules, and an observer of what is recorded."""
        context = local.context
        before = context.on_forward
        with ExitStack() as stack:
            for module in self._shown:
                enter = module.register_forward_pre_hook(self._enter, with_kwargs=True)
                leave = module.register_forward_hook(self._leave, always_call=True)
                stack.callback(enter.remove)
                stack.callback(leave.remove)
            context.on_forward = (*before, self._count)
            try:
                yield
            finally:
                context.on_forward = before

    def _enter(self, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        row = self._row(module)
        row.input_shape = _shapes([*args, *kwargs.values()])
        self.rows.append(row)
        self._open.append(row)

    def _leave(self, module: Module, args: tuple[Any, ...], output: Any) -> None:
        row = self._open.pop()
        row.output_shape = _shapes(output)
        self._fill(row, module)  # not before: a lazy module has its sizes only now
        if self.failed is None and sys.exception() is not self._outside:
            self.failed = row

    def _count(self, node: Any, out: Any) -> None:
        if self._open:
            self._open[-1].multiply_adds += multiply_adds(node)

    def _row(self, module: Module) -> _Row:
        name = self._shown[module]
        above = self._open[-1].name if self._open else ""
        label = name.removeprefix(above + ".") if above else name
        again = "called again" if module in self._seen else ""
        return _Row(name, type(module).__name__, len(self._open), label, note=again)

    def _fill(self, row: _Row, module: Module) -> None:
        """The parameters and buffers that the row stands for and no row before it did."""
        self._seen.add(module)
        row.type = type(module).__name__
        level = self._shown[module].count(".") + 1 if self._shown[module] else 0
        own = list(module.modules()) if level == self._depth else [module]
        terms, frozen = [], 0
        for part in own:
            for parameter in part._parameters.values():
                if parameter is None or is_lazy(parameter):
                    continue
                if id(parameter) in self._counted:
                    row.note = row.note or "shared"
                    continue
                self._counted.add(id(parameter))
                size = int(parameter.numel())
                still = id(parameter) in self._frozen
                row.parameters += size
                row.trained += 0 if still else size
                frozen += still
                terms.append(_term(part, tuple(parameter.shape)))
            for buffer in part._buffers.values():
                if buffer is None or is_lazy(buffer) or id(buffer) in self._counted:
                    continue
                self._counted.add(id(buffer))
                row.buffers += int(buffer.numel())
        if terms:
            told = "+".join(terms)
            row.formula = told if told == str(row.parameters) else f"{told} = {row.parameters}"
            row.trainable = {0: True, len(terms): False}.get(frozen, "partly")

    def add_uncalled(self) -> None:
        """Rows for modules that have parameters and were not called, if only for the totals."""
        for module in self._shown:
            if module in self._seen:
                continue
            row = self._row(module)
            row.depth = 1
            self._fill(row, module)
            if row.parameters or row.buffers:
                # A ModuleList cannot be called; what it holds may have been.
                callable_ = type(module).forward is not Module.forward
                row.note = "not called" if callable_ else ""
                self.rows.append(row)


def _term(module: Module, shape: tuple[int, ...]) -> str:
    """The sizes of a parameter multiplied, in the order in which they are told: 5x5x16, 784x10."""
    if len(shape) > 2 and type(module).__name__.startswith("Conv"):
        first, second, *kernel = shape
        out_first = "Transpose" not in type(module).__name__
        inner, outer = (second, first) if out_first else (first, second)
        sizes = [*kernel, *([inner] if inner > 1 else []), outer]
    elif len(shape) == 2:
        sizes = [shape[1], shape[0]] if _maps(module) else list(shape)
    else:
        sizes = list(shape)
    return "x".join(map(str, sizes)) if sizes else "1"


def _maps(module: Module) -> bool:
    """Whether a matrix is (out, in), to be told as inputs times outputs."""
    return hasattr(module, "in_features") and hasattr(module, "out_features")


def _kind_of_call(row: _Row) -> object:
    """Calls of which this is equal are printed as one row, one after the other."""
    return row.name, row.type, row.note == "failed", row.note == "not called"


def _cells(rows: list[_Row]) -> list[str]:
    """What is printed of a call, or of several together: what adds up is their sum."""
    first = rows[0]
    label = f"{first.label}: {first.type}" if first.label else first.type
    times = f" x{len(rows)}" if len(rows) > 1 else ""
    note = f" ({first.note})" if first.note else ""
    names: dict[Any, str] = {True: "yes", False: "no", None: "-", "partly": "partly"}
    buffers, cost = sum(r.buffers for r in rows), sum(r.multiply_adds for r in rows)
    # A text that grows is longer at each call.
    shapes = dict.fromkeys(_shape(row.output_shape) for row in (first, rows[-1]))
    return [
        f"{'  ' * first.depth}{label}{times}{note}",
        " to ".join(shapes),
        first.formula or "-",
        names[first.trainable],
        f"{buffers:,}" if buffers else "-",
        f"{cost:,}" if cost else "-",
    ]


def _narrow(columns: list[str], cells: list[list[str]]) -> None:
    """Long names give way, down to 40 columns, to what has no room beside them."""
    lines = [columns, *cells]
    taken = sum(max(len(line[k]) for line in lines) + 2 for k in range(1, len(columns)))
    for row in cells:
        name = row[0].lstrip()
        indent = len(row[0]) - len(name)
        row[0] = " " * indent + shorten(name, max(40, 80 - taken - indent), middle=True)


def _shape(shape: Any) -> str:
    if isinstance(shape, list):
        return ", ".join(map(_shape, shape)) or "no tensor"
    return "-" if shape is None else "(" + ", ".join(map(str, shape)) + ")"


def _shapes(value: Any) -> Any:
    """The shape of a tensor, a list of those of several, None if there is none."""
    found: list[tuple[int, ...]] = []

    def walk(item: Any) -> None:
        if isinstance(item, Tensor):
            found.append(tuple(item.shape))
        elif isinstance(item, Mapping):
            for inner in item.values():
                walk(inner)
        elif isinstance(item, (tuple, list)):
            for inner in item:
                walk(inner)

    walk(value)
    return None if not found else found[0] if len(found) == 1 else found


@contextmanager
def _undisturbed(model: Module) -> Iterator[None]:
    """Evaluation mode, everything recorded, and afterwards everything as it was.

    Costs are read from what is recorded, so parameters that are frozen must record too.
    """
    modes = {module: module.training for module in model.modules()}
    frozen = [p for p in model.parameters() if not p.requires_grad and p.is_floating_point()]
    model.eval()
    for parameter in frozen:
        parameter.requires_grad_(True)
    try:
        with fork_rng(), enable_grad():
            yield
    finally:
        for module, was in modes.items():
            module.training = was
        for parameter in frozen:
            parameter.requires_grad_(False)
