"""`check_derivation`: is the gradient that I derived by hand right, and if not, what is missing?"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad import autograd
from tensorgrad.checking.report import Report
from tensorgrad.formula import to_text
from tensorgrad.viz.derivation.asking import ask, key_of_tensor
from tensorgrad.viz.derivation.between import between
from tensorgrad.viz.derivation.build import Builder
from tensorgrad.viz.derivation.gradients import Gradients
from tensorgrad.viz.derivation.own import OwnDerivation
from tensorgrad.viz.derivation.printing import Text
from tensorgrad.viz.derivation.values import Values
from tensorgrad.viz.figures.svg import escape
from tensorgrad.viz.figures.words import visible
from tensorgrad.viz.snapshots.naming import is_tensor

__all__ = ["DerivationCheck", "check_derivation"]

RIGHT = 1e-7  # up to which relative error, in double precision, a gradient is the same


class DerivationCheck:
    """Whether a gradient derived by hand is right: ``ok``, ``relative_error``, ``explanation``.

    ``print`` shows all of it; ``report`` is gradcheck's, with every derivative that differs.
    """

    def __init__(
        self, gradient: str, yours: str, machine: str, relative_error: float, report: Report
    ) -> None:
        self.gradient, self.yours, self.machine = gradient, yours, machine
        self.relative_error, self.report = relative_error, report

    @property
    def ok(self) -> bool:
        """Whether it agrees with the machine's, here and where its variable is moved."""
        return self.report.ok and self.relative_error <= RIGHT

    @property
    def explanation(self) -> str:
        """What is wrong with it, how that is known, and where to look."""
        return self.report.explanation

    def __str__(self) -> str:
        error = f"relative error {_error(self.relative_error)}"
        if self.ok:
            out = [f"Your {self.gradient} is right: {error}."]
        elif self.relative_error <= RIGHT:
            out = [f"Your {self.gradient} is wrong, though at these values it agrees: {error}."]
        else:
            out = [f"Your {self.gradient} is wrong: {error}."]
        out.append(f"  yours:    {self.yours}")
        if self.machine:
            out.append(f"  machine:  {self.machine}")
        if self.explanation:
            out.append(self.explanation)
        elif self.report.problem:
            out.append(f"  {self.report.problem}")
        return "\n".join(out)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def _error(value: float) -> str:
    return "< 1e-09" if value < 1e-9 else f"{value:.2g}"


def check_derivation(
    loss: Any,
    wrt: Any,
    own: str | Callable[..., Any],
    params: Any = None,
    *,
    through: Any = None,
) -> DerivationCheck:
    """Compare a gradient of your own with the machine's, and say which term is missing.

    loss, wrt, params: as for `derive`; ``wrt`` is one Tensor or name.
    own: the formula of the gradient, in the grammar of `tensorgrad.formula` (``"g * (1 - h**2)"``,
        ``"x.T @ g"``), or a function that is called with NumPy arrays by the names of its
        parameters.  Names are the program's: of its variables, as `derive` shows them, and of the
        constants between; ``g`` is the gradient that comes in.
    through: the Tensor whose gradient is ``g``; by default the loss, and ``g`` is 1.  Where one
        operation leads from ``wrt`` to it, the operation's own names are known too (``eps``).

    The graph is run again in double precision with ``wrt`` moved, so that a formula which is right
    by chance does not pass.  Raises what `derive` raises, `FormulaError` for a formula or function
    that names what is not there.
    """
    if not (isinstance(own, str) or callable(own)):
        raise TypeError(
            "viz.check_derivation: own must be a formula such as 'g * (1 - h**2)' or a function, "
            f"got {type(own).__name__}"
        )
    asked = ask(loss, wrt, params, None, sys._getframe(1), "viz.check_derivation")
    if len(asked.wanted) != 1:
        raise ValueError("viz.check_derivation: wrt must be one Tensor, got several")
    ((name, tensor),) = asked.wanted
    values = Values(asked.part.everything)
    if values.freed:
        raise RuntimeError(
            "viz.check_derivation: the arrays of this graph were freed by backward(); call it "
            "before, or pass retain_graph=True to backward()"
        )
    whole = asked.part
    goal = loss if through is None else through
    if not is_tensor(goal):
        raise TypeError(
            f"viz.check_derivation: through must be a Tensor, got {type(goal).__name__}"
        )
    if goal.grad_fn is None:
        raise RuntimeError("viz.check_derivation: through has no graph")
    part = between(goal.grad_fn, [tensor])
    key = key_of_tensor(tensor)
    if key not in part.targets:
        raise RuntimeError(f"viz.check_derivation: no path leads from {name or 'wrt'} to through")
    gradients = Gradients(values, whole, False)
    gradients.run(loss, asked.root, None)
    if gradients.problem:
        raise RuntimeError(gradients.problem)
    builder = Builder(
        whole._replace(operations=part.operations, reached=part.reached, targets=part.targets),
        asked.root, asked.names, None, "row", "matrix", True,
    )  # fmt: skip
    hand = OwnDerivation(builder, values, key, key_of_tensor(goal), own, through is None)
    incoming, machine = _numbers(loss, goal, tensor, gradients, key)
    shown = builder.symbol(part.targets[key])
    text = Text()
    left = f"∂{text.show(builder.loss)}/∂{text.show(shown)}"
    yours = to_text(own) if isinstance(own, str) else getattr(own, "__name__", "a function")
    return DerivationCheck(
        left,
        visible(yours),
        _machine(builder, part, key, key_of_tensor(goal)),
        hand.error(incoming, machine),
        hand.report(visible(asked.names.of(key))),
    )


def _numbers(loss: Any, goal: Any, tensor: Any, gradients: Gradients, key: Any) -> tuple[Any, Any]:
    """The gradient that comes in at the goal, and what the machine makes of it for the variable."""
    if goal is loss:
        return np.ones(loss.shape), gradients.arrays[key]
    (incoming,) = autograd.grad(loss, [goal], retain_graph=True)
    (found,) = autograd.grad(goal, [tensor], [incoming], retain_graph=True)
    return np.asarray(incoming.detach().numpy()), np.asarray(found.detach().numpy())


def _machine(builder: Builder, part: Any, key: Any, goal: Any) -> str:
    """The declared formula, where one operation leads from the variable to the goal."""
    if len(part.operations) != 1 or id(part.operations[0]) != goal:
        return ""
    (step,) = [builder.step(node) for node in part.operations]
    right = [way.right for way in step.ways if way.right is not None]
    return Text().show(right[0]) if len(right) == 1 else ""
