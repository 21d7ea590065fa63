"""`derive`: the chain rule from a loss to a parameter, written out and checked."""

from __future__ import annotations

import sys
from typing import Any, Literal, get_args

from tensorgrad.viz.derivation.asking import ask, key_of_tensor
from tensorgrad.viz.derivation.build import Builder
from tensorgrad.viz.derivation.figure import DerivationFigure
from tensorgrad.viz.derivation.gradients import Gradients
from tensorgrad.viz.derivation.values import Values
from tensorgrad.viz.figures.arguments import flag, one_of

__all__ = ["Convention", "DerivationFigure", "Notation", "derive"]

Convention = Literal["row", "column"]
Notation = Literal["matrix", "index"]
LARGE = 30_000_000  # saved numbers above which differences wait to be asked for


def derive(
    loss: Any,
    wrt: Any,
    params: Any = None,
    *,
    convention: Convention = "row",
    notation: Notation = "matrix",
    differences: bool | None = None,
    gradient: Any = None,
) -> DerivationFigure:
    """Every step of the chain rule from ``loss`` to ``wrt``, with formulas, norms and a check.

    loss: a scalar Tensor whose graph has not been freed (call it before ``backward()``, or pass
        ``retain_graph=True`` there); of a freed graph the formulas are shown, and no numbers.
    wrt: what to differentiate by: a Tensor, a list of them, a mapping of names to Tensors, a
        Module (all its parameters), or a parameter's name with ``params=model``.
    params: names for tensors: a Module, a mapping, or (name, Tensor) pairs.  What has no name here
        is called as the caller's variables and source lines call it, or else x1, x2, ...
    convention: "row", y = x W, or "column", y = W x, with each matrix of the program transposed.
    notation: "matrix", or "index": each element's derivative, with Kronecker deltas.
    differences: whether finite differences stand beside each step, in double precision; by
        default unless the graph holds more than 30 million numbers.
    gradient: the gradient of ``loss``, needed if it has more than one element.

    The walk is over the nodes between, never over the paths.  Runs one backward that leaves
    ``.grad`` alone; hooks of the program's tensors see it.  Raises TypeError for what is no
    Tensor, RuntimeError where there is no graph, ValueError for an unknown name or choice.
    """
    for name, value, known in (
        ("convention", convention, get_args(Convention)),
        ("notation", notation, get_args(Notation)),
    ):
        one_of(value, known, "viz.derive", name)
    if differences is not None:
        flag(differences, "viz.derive", "differences")
    asked = ask(loss, wrt, params, gradient, sys._getframe(1), "viz.derive")
    root, wanted, part, names = asked.root, asked.wanted, asked.part, asked.names
    values = Values(part.everything)
    gradients = None
    notices = []
    if values.freed:
        notices.append(
            "The arrays of this graph were freed by backward(): formulas and shapes are shown, "
            "norms and checks are not known. Call viz.derive before backward(), or pass "
            "retain_graph=True to it."
        )
    elif part.operations or part.targets:
        few = _numbers(part.everything) <= LARGE
        gradients = Gradients(values, part, few if differences is None else differences)
        gradients.run(loss, root, gradient)
        if gradients.problem:
            notices.append(f"There are no numbers, because backward fails: {gradients.problem}")
    builder = Builder(part, root, names, gradients, convention, notation, gradient is None)
    final = [(n or names.of(key_of_tensor(t)), t) for n, t in wanted]
    made = builder.build(final)
    made.notices[:0] = notices
    if gradients is not None and not gradients.check:
        made.notices.append("Not checked by finite differences (differences=True does).")
    return DerivationFigure(made)


def _numbers(operations: list[Any]) -> int:
    return sum(
        int(getattr(entry, "size", 0) or 0)
        for node in operations
        for entry in node.saved
        if hasattr(entry, "dtype")
    )
