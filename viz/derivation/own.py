"""A gradient that somebody derived by hand, as a backward that gradcheck can take apart."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad import autograd
from tensorgrad.checking.report import Report
from tensorgrad.formula import FormulaError, evaluate, fit, parse
from tensorgrad.gradcheck import gradcheck_report
from tensorgrad.graph.node import wrap
from tensorgrad.viz.derivation.between import Key, key_of
from tensorgrad.viz.derivation.build import Builder
from tensorgrad.viz.derivation.differences import Chain
from tensorgrad.viz.derivation.expression import Symbol
from tensorgrad.viz.derivation.values import Unknown, Values
from tensorgrad.viz.figures.words import shape, visible

__all__ = ["OwnDerivation"]

Array = np.ndarray[Any, Any]
Own = str | Callable[..., Any]


class OwnDerivation:
    """The values by name among which a derivation by hand is evaluated, wherever its variable is
    moved; and its comparison with differences."""

    def __init__(
        self, builder: Builder, values: Values, key: Key, goal: Key, own: Own, whole: bool
    ) -> None:
        self.values, self.key, self.goal, self.own = values, key, goal, own
        self.whole = whole  # down from the loss, so that no gradient comes in
        self.chain = Chain(values, builder.part, key)
        self.names: dict[str, Key] = {}
        self.constants: dict[str, Any] = {}
        for node in builder.part.everything:
            self._collect(builder, node)
        step = [n for n in builder.part.operations if id(n) == goal]
        if len(step) == 1 and any(e is not None and key_of(e) == key for e in step[0].inputs):
            self._step(step[0])
        if isinstance(own, str):
            try:
                parse(own)  # a formula that cannot be read is told before anything runs
            except FormulaError as error:
                raise FormulaError(
                    f"viz.check_derivation: own: {error}; a formula is such as 'g * (1 - h**2)'"
                ) from None

    def _collect(self, builder: Builder, node: Any) -> None:
        for edge in [*node.inputs, node]:
            if edge is not None and not isinstance(edge.dtype, tuple):
                self.names.setdefault(builder.names.of(key_of(edge)), key_of(edge))
        reader = builder.reader(node, [node])
        for i, edge in enumerate(node.inputs):
            argument = node.op.arguments[i] if i < len(node.op.arguments) else f"x{i}"
            shown = reader.names[argument].expr
            if edge is None and isinstance(shown, Symbol):
                try:
                    self.constants.setdefault(shown.name, self.values.argument(node, i))
                except Unknown:
                    continue
        target = reader.names.get("target")
        if target is not None and isinstance(target.expr, Symbol):
            self.constants.setdefault(target.expr.name, (node.params or {}).get("target"))

    def _step(self, node: Any) -> None:
        """One operation's own names of its arguments and parameters, where the program has none."""
        for name, value in (node.params or {}).items():
            self.constants.setdefault(name, value)
        for name, edge in zip(node.op.arguments, node.inputs, strict=False):
            if edge is not None:
                self.names.setdefault(name, key_of(edge))

    def known(self, moved: dict[Key, Any], g: Any) -> dict[str, Any]:
        """Every value by name, with those that depend on the variable as they are now."""
        found = dict(self.constants)
        for name, key in self.names.items():
            value = moved.get(key, self.values.of(key))
            if value is not None:
                found[name] = value
        found["g"] = g
        return found

    def gradient(self, known: dict[str, Any], like: Array) -> Array:
        """What the derivation by hand gives."""
        if isinstance(self.own, str):
            try:
                return fit(evaluate(self.own, known), like.shape)
            except FormulaError as error:
                raise FormulaError(f"viz.check_derivation: own: {error}") from None
        wanted = list(inspect.signature(self.own).parameters)
        missing = [name for name in wanted if name not in known]
        if missing:
            raise FormulaError(
                f"viz.check_derivation: the function asks for {missing[0]!r}; there are "
                f"{visible(', '.join(sorted(known)))}"
            )
        given = [np.array(v) if isinstance(v, np.ndarray) else v for v in map(known.get, wanted)]
        found = self.own(*given)
        if found is None:
            raise TypeError(
                "viz.check_derivation: your function returned None; it must return the gradient"
            )
        made = np.asarray(getattr(found, "_array", found), np.result_type(like))
        try:
            np.broadcast_to(made, like.shape)
        except ValueError:
            raise ValueError(
                f"viz.check_derivation: your function returned an array of shape "
                f"{shape(made.shape)}; the gradient has that of its variable, {shape(like.shape)}"
            ) from None
        return made

    def error(self, g: Any, machine: Array) -> float:
        """The relative error at the program's own values, as sizes of vectors."""
        own = self.gradient(self.known({}, g), machine)
        size = float(np.linalg.norm(machine))
        gap = float(np.linalg.norm(np.broadcast_to(own, machine.shape) - machine))
        return gap / size if size else gap

    def report(self, name: str) -> Report:
        """The comparison with differences, and its explanation."""
        start = self.values.of(self.key)
        if start is None:
            raise Unknown(self.values.why(self.key))
        own = self

        class ByHand(autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                ctx.moved = own.chain.run(x._array)
                return wrap(ctx.moved[own.goal])

            @staticmethod
            def backward(ctx: Any, g: Any) -> Any:
                like = ctx.moved[own.key]
                if not own.whole:
                    return wrap(np.array(own.gradient(own.known(ctx.moved, g._array), like)))
                found = own.gradient(own.known(ctx.moved, np.ones(())), like)
                return wrap(found * g._array.reshape(()))

        tensor = wrap(np.array(start)).requires_grad_()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return gradcheck_report(
                lambda: ByHand.apply(tensor), (), parameters={name: tensor}, fast_mode=False
            )
