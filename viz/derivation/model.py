"""A derivation as data: what every rendering of it reads, and nothing of the engine."""

from __future__ import annotations

from dataclasses import dataclass, field

from tensorgrad.viz.derivation.differences import NOTHING, Checked
from tensorgrad.viz.derivation.expression import Expr, Symbol

__all__ = ["Derivation", "Result", "Size", "Step", "Way"]


@dataclass(frozen=True, slots=True)
class Size:
    """The Euclidean norm of a gradient, or why it is not known.

    status: "ok", "zero", "nan", "inf" (some elements are), "empty" (there are none), "none" (it was
    not computed: never a 0).
    """

    norm: float | None = None
    status: str = "none"


@dataclass(slots=True)
class Way:
    """What one step gives to one of its inputs: a term of that input's gradient."""

    step: int
    label: str  # "3", or "3a" where a step gives to one variable twice
    argument: str  # what the operation calls the input
    to: str  # the input's name
    left: Expr  # ∂L/∂x, or the part of it that comes through this step
    right: Expr | None  # the formula; None where there is none
    local: tuple[Expr, Expr] | None  # ∂y/∂x and what it is
    cases: tuple[Expr, Expr] | None  # the same, case by case
    closed: tuple[Expr, Expr] | None  # ∂L/∂x in terms of values alone
    shape: tuple[int, ...]
    of_parts: int  # of how many terms the gradient is the sum
    prose: str = ""  # in place of a formula
    remark: str = ""  # on the batch, on a broadcast
    size: Size = Size()
    ratio: float | None = None  # its norm over that of the step's own gradient
    checked: Checked = NOTHING
    onwards: bool = False  # whether the chain goes on behind it


@dataclass(slots=True)
class Step:
    """One operation on the way back: what it computed, and what it gives to its inputs."""

    number: int
    op: str
    left: Expr  # the variable it made
    right: Expr  # what it computed
    gradient: Expr  # ∂L/∂y, which comes in
    shape: tuple[int, ...]
    dtype: str
    modules: tuple[str, ...]  # the modules around it, outermost first: "fc1: Linear"
    place: str  # file:line
    code: str  # the line
    summed: tuple[Expr, ...] = ()  # the terms of the gradient, where several come in
    terms: tuple[Size, ...] = ()
    size: Size = Size()
    ways: list[Way] = field(default_factory=list)


@dataclass(slots=True)
class Result:
    """The gradient by one of the variables that were asked for."""

    name: str
    gradient: Expr
    shape: tuple[int, ...]
    dtype: str
    paths: int
    reached: bool
    summed: tuple[Expr, ...] = ()
    terms: tuple[Size, ...] = ()
    size: Size = Size()
    checked: Checked = NOTHING


@dataclass(slots=True)
class Derivation:
    """The whole chain, from the loss to each variable."""

    loss: Expr
    loss_name: str
    convention: str
    notation: str
    steps: list[Step]
    results: list[Result]
    legend: list[tuple[Symbol, str]]  # what a symbol is the symbol of
    sizes: list[tuple[Symbol, str]]  # how many elements a letter stands for
    notices: list[str]
    shrinks: tuple[Way, str] | None = None
    grows: tuple[Way, str] | None = None
    lost: tuple[Way, str] | None = None  # where it is 0 but for rounding
