"""A derivation in index notation: what comes back, each Jacobian, and the gradient in all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.formula import evaluate
from tensorgrad.formula.forward import forward_formula
from tensorgrad.viz.derivation import algebra as al
from tensorgrad.viz.derivation import expression as ex
from tensorgrad.viz.derivation.between import Key, key_of
from tensorgrad.viz.derivation.details import declared
from tensorgrad.viz.derivation.evaluation import Unevaluable, evaluate_indexed
from tensorgrad.viz.derivation.expression import Expr, Symbol
from tensorgrad.viz.derivation.indexing import Indexed, Letters, NoIndexForm, Variable, index
from tensorgrad.viz.derivation.letters import (
    OTHER,
    OWN,
    element_at,
    element_of,
    instance,
    kept_letters,
    letters_for,
    used_letters,
    without_batch,
)

if TYPE_CHECKING:
    from tensorgrad.viz.derivation.build import Builder

__all__ = ["Forms"]

LONG = 26  # of more parts than this, the gradient in all is no formula that one reads
_PER_ELEMENT = {"tanh", "relu", "sigmoid", "erf", "tan", "asin", "acos", "atan", "log_sigmoid"}


class Forms:
    """Index notation for the steps of one derivation."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.arrays: dict[Any, np.ndarray[Any, Any]] = {}
        self.constants: set[str] = set()  # the symbols of what is not differentiated
        self._closed: dict[Key, tuple[Letters, Expr] | None] = {}
        self._aliases: dict[Key, Callable[[Letters], Expr]] = {}

    # --- What is asked for --------------------------------------------------------------------

    def forward(self, node: Any) -> tuple[Expr, Expr] | None:
        """y = f(x), element by element."""
        if node.op.outputs:
            return None
        letters = letters_for(OWN, node.shape)
        if letters is None:
            return None
        left = self.element(node)(letters)
        formula = forward_formula(node.op, self._shapes(node), node.params or {})
        try:
            if formula is not None:
                reader = self._reader(node, lambda own: ex.ONE, used_letters(letters))
                return left, reader.read(formula, letters, tuple(node.shape))
            return left, self._named(node, letters)
        except NoIndexForm:
            return None

    def backward(self, node: Any, i: int, formula: str) -> tuple[Letters, Expr] | None:
        """The gradient of an element of an input, from those of the output."""
        edge = node.inputs[i]
        letters = self._of_input(node, i)
        if letters is None or node.op.outputs:
            return None
        incoming = self._incoming(node)
        try:
            reader = self._reader(node, incoming, used_letters(letters))
            return letters, reader.read(formula, letters, tuple(edge.shape))
        except NoIndexForm:
            return None

    def jacobian(self, node: Any, i: int, formula: str) -> tuple[Expr, Expr, bool] | None:
        """∂y/∂x of elements; and whether each row of a batch has its own."""
        edge = node.inputs[i]
        out, into = letters_for(OWN, node.shape), letters_for(OTHER, edge.shape)
        if out is None or into is None or node.op.outputs:
            return None
        if "m" in into and "n" not in out:
            into = tuple("k" if a == "m" else a for a in into)
        if node.op.name in ("linear", "matmul") and i == 1 and len(edge.shape) == 2:
            into = ("j", "k")

        def incoming(own: Letters) -> Expr:
            pairs = zip(own, out, strict=True)
            deltas = (al.delta(index(a), index(b)) for a, b in pairs if a and b)
            return al.multiply(*deltas)

        try:
            reader = self._reader(node, incoming, used_letters(out) | used_letters(into))
            found = reader.read(formula, into, tuple(edge.shape))
        except NoIndexForm:
            return None
        by = self.element(edge)
        alone = without_batch(found)
        if alone is not None:
            found = al.substitute(alone, "m", index("n"))
            into = tuple("n" if a == "m" else a for a in into)
        left = ex.Gradient(self.element(node)(out), by(into))
        return left, found, alone is not None

    def closed(self, edge: Any) -> tuple[Letters, Expr] | None:
        """The gradient of a variable's element in terms of values alone, if that is short."""
        key = key_of(edge)
        if key not in self._closed:
            self._closed[key] = None  # while it is being found
            self._closed[key] = self._close(edge)
        return self._closed[key]

    def agrees(
        self, letters: Letters, x: Expr, array: Any, *, exact: bool | None = None
    ) -> bool | None:
        """Whether an expression has these numbers; None if its symbols' values are not known.

        exact: whether they were computed in double precision; by default as their dtype says.
        """
        free = [a for a in letters if a is not None]
        squeezed = np.squeeze(np.asarray(array))
        try:
            with np.errstate(all="ignore"):
                sizes = dict(zip(free, squeezed.shape, strict=True))
                found = evaluate_indexed(x, free, sizes, self.arrays)
        except (Unevaluable, ValueError, KeyError, IndexError, TypeError):
            return None
        scale = float(np.max(np.abs(squeezed), initial=0.0)) or 1.0
        if exact is None:
            exact = np.asarray(array).dtype in (np.float64, np.complex128)
        loose = 1e-9 if exact else 1e-3
        return bool(np.all(np.abs(found - squeezed) <= loose * scale))

    # --- The gradient in all ------------------------------------------------------------------

    def _close(self, edge: Any) -> tuple[Letters, Expr] | None:
        builder, key = self.builder, key_of(edge)
        letters = self._letters_of(edge)
        if letters is None:
            return None
        terms: list[Expr] = []
        if key == key_of(builder.root):
            if not builder.plain_seed:
                return None
            terms.append(ex.ONE)
        for number, i in builder.incoming.get(key, []):
            node = builder.by_id[number]
            formulas, _ = declared(node)
            formula = formulas[i] if i < len(formulas) else None
            above = None if node.op.outputs else self.closed(node)
            if formula is None or above is None:
                return None
            used = used_letters(letters)

            def incoming(own: Letters, above: Any = above, used: set[str] = used) -> Expr:
                return instance(above, own, used)

            try:
                reader = self._reader(node, incoming, used)
                terms.append(reader.read(formula, letters, tuple(edge.shape)))
            except NoIndexForm:
                return None
        made = al.rebuilt(al.add(*terms), self._unit)
        return (letters, made) if al.size(made) <= LONG else None

    def _unit(self, x: ex.Total) -> Expr | None:
        """Σₖ tₖ of a constant whose elements add up to 1, as those of a one-hot vector: 1."""
        body = x.body
        if not isinstance(body, ex.At) or body.index[-1:] != (index(x.indices[-1]),):
            return None
        if not isinstance(body.x, Symbol) or body.x.name not in self.constants:
            return None
        array = self.arrays.get(("", body.x.name, ""))
        if array is None or len(x.indices) != 1:
            return None
        return ex.ONE if np.all(array.sum(axis=-1) == 1) else None

    # --- Names --------------------------------------------------------------------------------

    def element(self, edge: Any) -> Callable[[Letters], Expr]:
        """The element of a variable at given indices; a picked element under its own name."""
        key = key_of(edge)
        if key in self._aliases:
            return self._aliases[key]
        symbol = self.builder.symbol(edge)
        gradients = self.builder.gradients
        value = None if gradients is None else gradients.values.of(key)
        if value is not None:
            self.arrays["", symbol.name, ""] = np.squeeze(value)
        self._aliases[key] = lambda letters: element_at(symbol, letters)
        picked = self._picked(edge)
        if picked is not None:
            self._aliases[key] = picked
        return self._aliases[key]

    def _picked(self, edge: Any) -> Callable[[Letters], Expr] | None:
        """``y[c]`` is y at c: one element of a vector is no variable of its own."""
        op = edge.op.name
        if op != "getitem" or edge.inputs[0] is None or edge.shape != ():
            return None
        source = edge.inputs[0]
        place = (edge.params or {}).get("index")
        if not isinstance(place, tuple) or len(place) != len(source.shape):
            return None
        if not all(isinstance(p, (int, np.integer)) for p in place) or len(place) != 1:
            return None
        name = self._index_symbol(edge, int(place[0]) % source.shape[0])
        whole = self.builder.symbol(source)
        return lambda letters: ex.At(whole, (name,))

    def _index_symbol(self, node: Any, value: int) -> Expr:
        written = self.builder.names.sources.index(node)
        if written is None or not written.isidentifier():
            return ex.Num(value)
        symbol = Symbol(written)
        self.arrays["", written, ""] = np.asarray(value)
        return symbol

    def _incoming(self, node: Any) -> Callable[[Letters], Expr]:
        builder = self.builder
        if key_of(node) == key_of(builder.root) and builder.plain_seed:
            return lambda own: ex.ONE
        element = self.element(node)
        gradient = builder.gradients
        symbol = builder.symbol(node)
        if gradient is not None and key_of(node) in gradient.arrays:
            self.arrays["∂", symbol.name, ""] = np.squeeze(gradient.arrays[key_of(node)])
        return lambda own: ex.Gradient(builder.loss, element(own))

    def _reader(self, node: Any, incoming: Callable[[Letters], Expr], used: set[str]) -> Indexed:
        names: dict[str, Variable] = {"none": Variable((), lambda own: ex.ONE, None)}
        for key, value in (node.params or {}).items():
            names[key] = self._parameter(node, key, value)
        names["g"] = Variable(tuple(node.shape), incoming)
        names["y"] = Variable(tuple(node.shape), self.element(node))
        plain = self.builder.reader(node, [node]).names
        for i, (edge, spec) in enumerate(zip(node.inputs, node.input_specs, strict=False)):
            name = node.op.arguments[i] if i < len(node.op.arguments) else f"x{i}"
            if edge is not None:
                names[name] = Variable(tuple(edge.shape), self.element(edge))
                continue
            shown = plain[name].expr
            names[name] = Variable(tuple(getattr(spec, "shape", ())), element_of(shown))
            entry = self.constant(node, i)
            if entry is not None and isinstance(shown, Symbol):
                self.constants.add(shown.name)
                self.arrays["", shown.name, ""] = np.squeeze(entry)
        target = plain.get("target")
        if target is not None and isinstance(target.expr, Symbol):
            classes = np.asarray((node.params or {})["target"])
            names["target"] = Variable(classes.shape, element_of(target.expr))
            self.arrays["", target.expr.name, ""] = np.squeeze(classes)
        self._statistics(node, names)
        return Indexed(names, self.builder.counts, used)

    def constant(self, node: Any, i: int) -> Any:
        """The value of an argument that is no variable; None if it was not kept."""
        gradients = self.builder.gradients
        if gradients is None:
            return None
        try:
            return gradients.values.argument(node, i)
        except Exception:  # a constant that was not kept: its symbol has no number
            return None

    def _parameter(self, node: Any, name: str, value: Any) -> Variable:
        if name == "index" and node.op.name == "getitem":
            return self._index_of(node, value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return Variable((), lambda own: ex.Num(value), value)
        array = value if isinstance(value, np.ndarray) else None
        if array is not None and array.ndim == 1 and array.size and array.dtype.kind == "f":
            n = array.size
            if np.all(array == array[0]):
                even: Expr = ex.Num(float(array[0]))
                if np.isclose(array[0] * n, 1, rtol=1e-6, atol=0) and n > 1:
                    even = ex.Over(ex.ONE, self.builder.counts.symbol(n))
                return Variable((n,), lambda own: even, value)
        if array is not None:
            name = self.builder.constant((id(node), name), name, array)
            self.arrays["", name, ""] = np.squeeze(array)
        symbol = Symbol(name)
        shape = () if array is None else array.shape
        return Variable(shape, element_of(symbol), value)

    def _index_of(self, node: Any, value: Any) -> Variable:
        """An index: a letter or number that picks one element, or a row of classes."""
        place = value if isinstance(value, tuple) else (value,)
        if len(place) == 1 and isinstance(place[0], (int, np.integer)):
            source = node.inputs[0]
            size = source.shape[0] if source is not None else 1
            name = self._index_symbol(node, int(place[0]) % size)
            return Variable((), lambda own: name, value)
        written = (self.builder.names.sources.index(node) or "").rpartition(", ")[2]
        symbol = Symbol(written if written.isidentifier() else "t")
        arrays = [p for p in place if isinstance(p, np.ndarray)]
        if arrays:
            self.arrays["", symbol.name, ""] = np.squeeze(arrays[-1])
        return Variable((), lambda own: symbol, value)

    def _statistics(self, node: Any, names: dict[str, Variable]) -> None:
        """The numbers of x̂ and σ in batch norm, and of softmax in a loss."""
        gradients = self.builder.gradients
        edge = node.inputs[0] if node.inputs else None
        if gradients is None or edge is None:
            return
        value = gradients.values.of(key_of(edge))
        if value is None:
            return
        symbol = self.builder.symbol(edge)
        known = {"x": value, "eps": (node.params or {}).get("eps", 0.0)}
        if node.op.name == "batch_norm":
            normal, spread = evaluate("normal(x, eps)", known), evaluate("deviation(x, eps)", known)
            self.arrays["", symbol.name, "hat"] = np.squeeze(normal)
            self.arrays["", "σ", ""] = np.squeeze(spread)
        if node.op.name in ("cross_entropy", "softmax"):
            axis = (node.params or {}).get("axis", 1)
            found = evaluate("softmax(x, axis)", {**known, "axis": axis})
            self.arrays[ex.Call("softmax", (symbol,))] = np.squeeze(found)

    # --- Letters ------------------------------------------------------------------------------

    def _of_input(self, node: Any, i: int) -> Letters | None:
        """The letters of an input in the formula of its gradient."""
        edge = node.inputs[i]
        shape = tuple(edge.shape)
        if node.op.name == "linear" and i == 1:
            return kept_letters(("i", "j"), shape)
        if node.op.name == "matmul" and len(shape) <= 2 and len(node.shape) <= 2:
            if i == 1 and len(shape) == 2:
                return kept_letters(("j", "i"), shape)
            if i == 0:
                return kept_letters(("n", "j")[-len(shape) :], shape)
        if node.op.name in ("linear", "softmax", "log_softmax") and i == 0 and len(shape) <= 2:
            return kept_letters(("n", "j")[-len(shape) :], shape)
        return letters_for(OWN, shape)

    def _letters_of(self, edge: Any) -> Letters | None:
        """The letters of a variable: of a matrix of weights those of its product."""
        for number, i in self.builder.incoming.get(key_of(edge), []):
            node = self.builder.by_id[number]
            if node.op.name in ("linear", "matmul") and i == 1:
                return self._of_input(node, i)
        return letters_for(OWN, edge.shape)

    def _shapes(self, node: Any) -> list[Any]:
        return [
            getattr(spec, "shape", () if spec is not None else None) for spec in node.input_specs
        ]

    def _named(self, node: Any, letters: Letters) -> Expr:
        """f(x) of an operation without a formula for what it computes."""
        edge = node.inputs[0]
        if edge is None or len(node.inputs) != 1:
            raise NoIndexForm(node.op.name)
        if node.op.name in _PER_ELEMENT:
            return ex.Call(node.op.name, (self.element(edge)(letters),))
        if node.op.name in ("softmax", "log_softmax"):
            whole = ex.Call(node.op.name, (self.builder.symbol(edge),))
            return element_at(whole, letters)
        raise NoIndexForm(node.op.name)
