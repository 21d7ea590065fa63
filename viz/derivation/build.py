"""From a graph to a `Derivation`: steps, formulas, names, and what was found beside them."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np

from tensorgrad.formula.forward import forward_formula
from tensorgrad.viz.derivation import expression as ex
from tensorgrad.viz.derivation.between import Key, Part, key_of, leaf_of
from tensorgrad.viz.derivation.convention import turned
from tensorgrad.viz.derivation.details import (
    class_names,
    declared,
    exchanges_last_axes,
    extremes,
    fitted,
    line_of,
    modules_of,
    one_number,
    parameter_value,
    prose_of,
    staying,
    tuple_of,
)
from tensorgrad.viz.derivation.differences import NOTHING
from tensorgrad.viz.derivation.expression import Expr, Symbol
from tensorgrad.viz.derivation.forms import Forms
from tensorgrad.viz.derivation.gradients import Gradients
from tensorgrad.viz.derivation.local import closed_form, local_derivative
from tensorgrad.viz.derivation.model import Derivation, Result, Size, Step, Way
from tensorgrad.viz.derivation.naming import Names
from tensorgrad.viz.derivation.parts import Counts, Read
from tensorgrad.viz.derivation.printing import Text
from tensorgrad.viz.derivation.reading import Reader, conjugated, turns
from tensorgrad.viz.figures.words import shorten, visible
from tensorgrad.viz.snapshots.places import short_place

__all__ = ["Builder"]

_STANDARD = "(x − mean) / σ with σ² = variance + eps, "


class Builder:
    """Puts a derivation together, step by step from the loss."""

    def __init__(
        self,
        part: Part,
        root: Any,
        names: Names,
        gradients: Gradients | None,
        convention: str,
        notation: str,
        plain_seed: bool,
    ) -> None:
        self.part, self.root, self.names, self.gradients = part, root, names, gradients
        self.convention, self.notation = convention, notation
        self.counts = Counts()
        self.plain_seed = plain_seed
        self.stays = staying(part.everything)
        self.symbols: dict[Key, Symbol] = {}
        self.numbers: dict[int, int] = {}
        self.here = os.getcwd()
        self.incoming: dict[Key, list[tuple[int, int]]] = {}
        order = list(reversed(part.operations))
        for number, node in enumerate(order, 1):
            self.numbers[id(node)] = number
            for i, edge in enumerate(node.inputs):
                if edge is not None and key_of(edge) in part.reached:
                    self.incoming.setdefault(key_of(edge), []).append((id(node), i))
        self.several: dict[int, dict[int, Any]] = {}  # the outputs of operations with several
        for other in [self.root, *(e for node in part.everything for e in node.inputs)]:
            if other is not None and hasattr(other, "index"):
                self.several.setdefault(id(other.inputs[0]), {})[other.index] = other
        self._constants: dict[tuple[int, int | str], str] = {}  # (node, argument) -> name
        self._alike: dict[str, list[tuple[str, Any]]] = {}
        self.order = order
        self.by_id = {id(node): node for node in order}
        self.forms = Forms(self)
        self.loss = self.symbol(root)

    # --- Names --------------------------------------------------------------------------------

    def symbol(self, edge: Any) -> Symbol:
        """The symbol of a variable."""
        key = key_of(edge)
        if key not in self.symbols:
            several = isinstance(edge.dtype, tuple)
            ndim = 0 if several else len(edge.shape)
            self.symbols[key] = Symbol(self.names.of(key), ndim, stays=key in self.stays)
        return self.symbols[key]

    def gradient(self, edge: Any) -> Expr:
        """∂L/∂x; of the loss itself it is 1."""
        if key_of(edge) == key_of(self.root) and self.plain_seed:
            return ex.ONE
        return ex.Gradient(self.loss, self.symbol(edge))

    def oriented(self, x: Expr, of: Any = None) -> Expr:
        """An expression in the convention that was asked for.

        ``of``: the variable whose gradient it is, so that one which keeps its orientation gets the
        gradient in that.
        """
        if self.convention == "row":
            return x
        back = of is not None and self.symbol(of).stays
        return ex.transposed(turned(x)) if back else turned(x)

    # --- Steps --------------------------------------------------------------------------------

    def build(self, wanted: list[tuple[str, Any]]) -> Derivation:
        """The derivation; ``wanted`` are the variables' names and tensors."""
        steps = [self.step(node) for node in self.order]
        results = [self.result(name, tensor) for name, tensor in wanted]
        shrinks, grows, lost = extremes(steps)
        return Derivation(
            self.loss,
            self.names.of(key_of(self.root)),
            self.convention,
            self.notation,
            steps,
            results,
            self.legend(),
            [(symbol, str(n)) for n, symbol in self.counts.symbols.items()],
            [],
            shrinks,
            grows,
            lost,
        )

    def step(self, node: Any) -> Step:
        """One operation: what it computed, and what it gives back to each input."""
        outputs = self.outputs(node)
        reader = self.reader(node, outputs)
        own = outputs[0]
        element = self.forms.forward(node) if self.notation == "index" else None
        left, right = element or (
            self.oriented(tuple_of([self.symbol(o) for o in outputs])),
            self.oriented(self.forward(node, reader)),
        )
        formulas, prose = declared(node)
        if any(re.search(r"\by\d", formula or "") for formula in formulas):
            # Its rules read outputs that the loss does not depend on.
            every = [reader.names[f"y{k}"].expr for k in range(len(node.shape))]
            left = self.oriented(tuple_of(every))
        made = Step(
            number=self.numbers[id(node)],
            op=visible(node.op.name),
            left=left,
            right=right,
            gradient=self.gradient(own),
            shape=tuple(own.shape),
            dtype=str(own.dtype),
            modules=modules_of(node.scope, self.names.modules),
            place=self.place(node),
            code=line_of(node),
            size=self.size(key_of(own)),
        )
        made.summed, made.terms = self.sum_of(own)
        for i, edge in enumerate(node.inputs):
            if edge is None or key_of(edge) not in self.part.reached:
                continue
            formula = formulas[i] if i < len(formulas) else None
            made.ways.append(self.way(node, i, edge, formula, prose, reader, own))
        return made

    def way(
        self,
        node: Any,
        i: int,
        edge: Any,
        formula: str | None,
        prose: str,
        reader: Reader,
        own: Any,
    ) -> Way:
        """What a step gives to one input."""
        right: Expr | None = None
        remark = ""
        if formula is not None:
            found = conjugated(node, reader).read(formula)
            body, remark = fitted(found, tuple(own.shape), tuple(edge.shape))
            right = self.oriented(body, edge)
        label, parts = self.label(node, i, edge)
        local, cases, closed = None, None, None
        if formula is not None:
            local, cases = local_derivative(self, node, i, formula, reader)
        gradient = ex.Gradient(self.loss, self.symbol(edge))
        left: Expr = gradient if parts == 1 else ex.Part(gradient, label)
        # In index notation a rule is read without the conjugates that complex numbers need.
        if formula is not None and self.notation == "index" and not turns(node):
            indexed = self.forms.backward(node, i, formula)
            if indexed is not None:
                letters, right = indexed
                element = ex.Gradient(self.loss, self.forms.element(edge)(letters))
                left = element if parts == 1 else ex.Part(element, label)
        if self.last_of(edge) == (id(node), i):
            closed = closed_form(self, edge, right)
        gradients = self.gradients
        size = Size() if gradients is None else gradients.terms.get((id(node), i), Size())
        checked = NOTHING if gradients is None else gradients.checked.get((id(node), i), NOTHING)
        before = self.size(key_of(own)).norm
        known = before and size.norm is not None and np.isfinite(before)
        return Way(
            step=self.numbers[id(node)],
            label=label,
            argument=node.op.arguments[i] if i < len(node.op.arguments) else str(i),
            to=self.names.of(key_of(edge)),
            left=left,
            right=right,
            local=local,
            cases=cases,
            closed=closed,
            shape=tuple(edge.shape),
            of_parts=parts,
            prose=prose_of(node, i, prose) if right is None else "",
            remark=remark,
            size=size,
            ratio=size.norm / before if known and size.norm is not None and before else None,
            checked=checked,
            onwards=leaf_of(edge) is None and bool(size.norm),
        )

    def result(self, name: str, tensor: Any) -> Result:
        """The gradient by one variable that was asked for."""
        key = id(tensor) if tensor.grad_fn is None else key_of(tensor.grad_fn)
        reached = key in self.part.targets
        edge = self.part.targets.get(key)
        symbol = self.symbol(edge) if edge is not None else Symbol(name, tensor.ndim)
        summed, terms = self.sum_of(edge) if edge is not None else ((), ())
        gradients = self.gradients
        return Result(
            name=visible(name),
            gradient=ex.Gradient(self.loss, symbol),
            shape=tuple(tensor.shape),
            dtype=str(tensor.dtype).rpartition(".")[2],
            paths=self.part.paths.get(key, 0),
            reached=reached,
            summed=summed,
            terms=terms,
            size=self.size(key),
            checked=NOTHING if gradients is None else gradients.whole.get(key, NOTHING),
        )

    # --- Parts of a step ----------------------------------------------------------------------

    def outputs(self, node: Any) -> list[Any]:
        """The variables that an operation made, as far as the loss depends on them."""
        if not node.op.outputs:
            return [node]
        found = self.several.get(id(node), {})
        return [found[k] for k in sorted(found)] or [node]

    def reader(self, node: Any, outputs: list[Any]) -> Reader:
        """What the names of the operation's formulas stand for."""
        names: dict[str, Read] = {"none": Read(ex.Words("all"), None)}
        for key, value in (node.params or {}).items():
            array = isinstance(value, np.ndarray) and key not in ("index", "target")
            shown = self.constant((id(node), key), key, value) if array else key
            names[key] = parameter_value(shown, value)
        if node.op.outputs:
            for k in range(len(node.shape)):
                names[f"g{k}"], names[f"y{k}"] = Read(ex.Num(0), ()), Read(Symbol(f"y{k}"), None)
            for edge in outputs:
                if hasattr(edge, "index"):
                    shape = tuple(edge.shape)
                    names[f"g{edge.index}"] = Read(self.gradient(edge), shape)
                    names[f"y{edge.index}"] = Read(self.symbol(edge), shape)
        else:
            plain = self.gradient(node)
            names["g"] = Read(plain, () if ex.is_one(plain) else tuple(node.shape))
            names["y"] = Read(self.symbol(node), tuple(node.shape))
        operands = self.names.sources.operands(node)
        for i, (edge, spec) in enumerate(zip(node.inputs, node.input_specs, strict=False)):
            name = node.op.arguments[i] if i < len(node.op.arguments) else f"x{i}"
            called = operands[i] if i < len(operands) and node.scope is None else None
            names[name] = self.argument(node, i, edge, spec, called, name)
        written = self.names.sources.index(node)
        if written and "index" in names:
            names["index"] = names["index"]._replace(expr=ex.Words(shorten(written, 24)))
        target = class_names(node, operands)
        if target and "target" in names:
            names["target"] = names["target"]._replace(expr=Symbol(target))
        return Reader(names, self.counts)

    def argument(
        self, node: Any, i: int, edge: Any, spec: Any, called: str | None, own: str
    ) -> Read:
        """An argument of an operation: a variable, a constant, a number.

        ``called``: the program's word for it where it has one; ``own`` is that of the formula.
        """
        if edge is not None:
            return Read(self.symbol(edge), tuple(edge.shape))
        number = one_number(spec)
        if number is not None:
            return number
        shape = getattr(spec, "shape", None)
        value = self.forms.constant(node, i)
        if called and not self.names.may_be(called, shape):
            called = None
        word = called or self.names.of_constant(own, value)
        called = self.constant((id(node), i), word, value, own=called is None)
        return Read(Symbol(called, len(shape or ())), None if shape is None else tuple(shape))

    def constant(
        self, place: tuple[int, int | str], called: str, value: Any, *, own: bool = False
    ) -> str:
        """The name of a constant: two that are called alike and are not are numbered.

        ``own``: it is called as the operation calls its argument, which says nothing of two of
        them whose values are not known; the same word of a program does.
        """
        if place not in self._constants:
            alike = self._alike.setdefault(called, [])
            for name, other in alike:
                unknown = value is None or other is None
                if not own if unknown else np.array_equal(value, other):
                    self._constants[place] = name
                    break
            else:
                self._constants[place] = self.names.another(called)
                alike.append((self._constants[place], value))
        return self._constants[place]

    def forward(self, node: Any, reader: Reader) -> Expr:
        """What an operation computes, by its formula or its name."""
        shapes = [
            getattr(spec, "shape", () if spec is not None else None) for spec in node.input_specs
        ]
        formula = forward_formula(node.op, shapes, node.params or {})
        if formula is not None:
            return reader.read(formula).expr
        arguments = [reader.names[n].expr for n in node.op.arguments if n in reader.names]
        if not arguments or len(arguments) < len(node.inputs):
            arguments = [self.symbol(e) if e is not None else ex.Words("…") for e in node.inputs]
        if exchanges_last_axes(node):
            return ex.transposed(arguments[0])
        given = [a for a, s in zip(arguments, node.input_specs, strict=False) if s is not None]
        return ex.Call(visible(node.op.name), tuple(given))

    def label(self, node: Any, i: int, edge: Any) -> tuple[str, int]:
        """The number of a step, with a letter where it gives to one variable more than once."""
        ways = self.incoming[key_of(edge)]
        own = [way for way in ways if way[0] == id(node)]
        number = str(self.numbers[id(node)])
        if len(own) > 1:
            number += "abcdefghijklmnopqrstuvwxyz"[own.index((id(node), i)) % 26]
        return number, len(ways) + (key_of(edge) == key_of(self.root))

    def last_of(self, edge: Any) -> tuple[int, int]:
        """The last way, in the order of the steps, that gives to a variable."""
        return self.incoming[key_of(edge)][-1]

    def sum_of(self, edge: Any) -> tuple[tuple[Expr, ...], tuple[Size, ...]]:
        """The terms of a gradient, where paths meet."""
        ways = self.incoming.get(key_of(edge), [])
        if len(ways) < 2:
            return (), ()
        gradient = ex.Gradient(self.loss, self.symbol(edge))
        terms = tuple(
            ex.Part(gradient, self.label(self.by_id[number], i, edge)[0]) for number, i in ways
        )
        found = self.gradients
        sizes = tuple(Size() if found is None else found.terms.get(way, Size()) for way in ways)
        return terms, sizes

    def size(self, key: Key) -> Size:
        """The norm of a variable's gradient."""
        return Size() if self.gradients is None else self.gradients.sizes.get(key, Size())

    def place(self, node: Any) -> str:
        """File and line of the user's program."""
        return short_place(node.location, self.here) or ""

    def legend(self) -> list[tuple[Symbol, str]]:
        """What is not said by a symbol itself."""
        paths = [
            (symbol, self.names.whole.get(symbol.name, symbol.name))
            for symbol in self.symbols.values()
            if symbol.name in self.names.whole
            or ("." in symbol.name and Text().symbol(symbol) != symbol.name)
        ]
        norms = [n for n in self.order if n.op.name in ("batch_norm", "layer_norm")]
        around = {"batch_norm": "over the batch", "layer_norm": "over the last axes"}
        paths += [
            (Symbol(self.symbol(n.inputs[0]).name, 0, "hat"), _STANDARD + around[n.op.name])
            for n in norms
            if n.inputs[0] is not None
        ]
        return sorted(paths, key=lambda line: line[1])
