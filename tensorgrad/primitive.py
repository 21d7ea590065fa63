"""Primitives, nodes and recording: how a call becomes a vertex of the graph.

A primitive is declared once::

    @primitive(
        lambda xp, g, y, a, b: g * b,
        lambda xp, g, y, a, b: g * a,
        saves=("b", "a"),
        formula=("g * b", "g * a"),
        promote="common",
    )
    def mul(a, b):
        \"\"\"a * b, elementwise.\"\"\"
        return np.multiply(a, b)

The function is the forward, on raw arrays.  Each rule gives the gradient of one argument from the
gradient ``g`` of the output; it is called as ``rule(xp, g, y, *arguments, **parameters)`` and only
if that argument needs its gradient.  ``xp`` is `raw` (arrays: nothing is recorded) or `recorded`
(Tensors: the gradient can itself be differentiated), two namespaces with the same names.  ``saves``
names what the rules read (``y``, argument names); what is not saved reaches a rule as something
with a shape and a dtype only.  The engine undoes broadcasting, keeps dtypes and accumulates.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tensorgrad.batching.dispatch import Rule as BatchingRule
from tensorgrad.batching.families import elementwise
from tensorgrad.graph.node import (
    AccumulateGrad,
    Kept,
    Node,
    OutputNode,
    Scope,
    Spec,
    TensorBase,
    hook,
    push_scope,
    register_tensor_class,
)
from tensorgrad.recording.recorders import OPERATORS, recorder

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "AccumulateGrad",
    "Kept",
    "Node",
    "OutputNode",
    "Primitive",
    "Scope",
    "Spec",
    "TensorBase",
    "primitive",
    "primitives",
    "push_scope",
    "raw",
    "recorded",
    "scalars",
    "register_tensor_class",
    "structural",
]

# Modules, because Python reads their attributes fastest.
raw: Any = ModuleType("raw")
recorded: Any = ModuleType("recorded")
# Arithmetic on single numbers, NumPy's scalars: the same results as `raw` on arrays without
# dimensions, in a sixth of the time.  The rules of these operations need no others.
scalars: Any = ModuleType("scalars")
for _name, _operator in OPERATORS.items():
    setattr(scalars, _name, _operator)
scalars.mask = lambda x, *, mask: x if mask else type(x)(0)
_ON_SCALARS = frozenset({
    "add", "sub", "mul", "div", "neg", "relu", "exp", "log", "sqrt", "tanh", "sigmoid",
})  # fmt: skip
hook.recorded = recorded
primitives: dict[str, Primitive] = {}

namespace = raw  # under a name that no argument has

Rule = Callable[..., Any]


class Primitive:
    """A declared operation: forward, rules, what is saved, formula.  See `primitive`."""

    def __init__(
        self,
        forward: Callable[..., Any],
        rules: tuple[Rule | None, ...],
        *,
        joint: Rule | None,
        saves: str | tuple[str, ...],
        formula: Any,
        prose: str | None,
        promote: str | None,
        keeps: str,
        outputs: bool,
        view: bool,
        holomorphic: bool,
        composed: Callable[..., Any] | None,
        variadic: bool,
        batch: BatchingRule | None,
        ufunc: Callable[..., Any] | None,
        exact: bool,
        selects: bool = False,
        conserves: Callable[[Any], bool] | None = None,
    ) -> None:
        self.forward = forward
        self.ufunc = ufunc
        self.name = forward.__name__.rstrip("_")
        self.__doc__ = forward.__doc__
        self.rules, self.joint = rules, joint
        self.rule_count = 0 if joint else len(rules)
        self.formula, self.prose = formula, prose
        self.promote = promote
        self.keeps = frozenset(keeps.split())
        self.outputs, self.view, self.holomorphic = outputs, view, holomorphic
        self.composed = composed
        self.variadic = variadic
        self.selects, self.conserves = selects, conserves
        self.batch = batch
        self.elementwise = batch is elementwise
        names = list(inspect.signature(forward).parameters.values())
        self.arguments = tuple(p.name for p in names if p.kind == p.POSITIONAL_OR_KEYWORD)
        self.has_params = any(p.kind == p.KEYWORD_ONLY and p.name != "keep" for p in names)
        self.keep_flag = any(p.name == "keep" for p in names)
        per_rule = saves if isinstance(saves, tuple) else (saves,) * max(len(rules), 1)
        self.saves = tuple(frozenset(names.split()) for names in per_rule)
        self._places: dict[tuple[bool, ...], tuple[bool, ...]] = {}
        # Whether the rules may be called with `scalars`.
        self.arithmetic = self.name in _ON_SCALARS
        # Whether to arguments of the output's shape and dtype the rules give arrays of both.
        self.even = self.arithmetic or (self.elementwise and ufunc is not None)
        self.exact = exact
        # Whether the rules take a gradient and what was saved, and no more: not a user's backward.
        self.plain = not outputs
        known = {"y", *self.arguments, "*"}
        if unknown := frozenset().union(*self.saves) - known:
            raise TypeError(f"primitive {self.name}: saves names {set(unknown)}, not among {known}")

    @property
    def differentiable(self) -> bool:
        return bool(self.joint) or any(rule is not None for rule in self.rules)

    def places(self, needs: tuple[bool, ...]) -> tuple[bool, ...]:
        """Whether to save the output, and each argument, for the gradients that are needed."""
        found = self._places.get(needs)
        if found is None:
            wanted = self.wanted(needs)
            named = [*self.arguments, *("*" for _ in needs[len(self.arguments) :])]
            found = ("y" in wanted, *("*" in wanted or name in wanted for name in named))
            self._places[needs] = found
        return found

    def wanted(self, needs: Sequence[bool]) -> frozenset[str]:
        """What must be saved so that the rules of the arguments that need gradients can run."""
        if self.joint is not None:
            return self.saves[0]
        return frozenset().union(*(s for s, need in zip(self.saves, needs, strict=True) if need))

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"


def primitive(
    *rules: Rule | None,
    joint: Rule | None = None,
    saves: str | tuple[str, ...] = "",
    formula: Any = None,
    prose: str | None = None,
    promote: str | None = None,
    keeps: str = "",
    outputs: bool = False,
    view: bool = False,
    holomorphic: bool = True,
    composed: Callable[..., Any] | None = None,
    variadic: bool = False,
    batch: BatchingRule | None = None,
    ufunc: Any = None,
    raw: Any = None,
    selects: bool = False,
    conserves: Callable[[Any], bool] | None = None,
    exact: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Tensor]]:
    """Declare a primitive; the decorated forward becomes the function that records it.

    rules: one per argument, in order; None where an argument has no gradient.
    joint: instead of rules, one function of all gradients, for work that is really shared:
        ``joint(xp, g, y, *arguments, needs, **parameters)`` returns one gradient per argument.
    saves: names among ``y``, the arguments and ``*`` (all of a variadic primitive's), for every
        rule, or a tuple with one string per rule.
    formula: per argument, in the grammar of `tensorgrad.formula`, or a function of
        (input shapes, parameters) returning it.  ``prose`` instead, with the reason, where it
        cannot be evaluated.
    promote: ``"common"`` brings arguments to their common type, ``"float"`` integers to the
        default float besides; None leaves them.
    keeps: ``"constants"``, ``"cache"``: the forward returns `Kept`, and the rules get those words.
        A forward with a ``keep`` parameter is told whether a rule will ever read them.
    outputs: the forward returns a tuple; ``g`` is a tuple with None for unused outputs.
    view: the output may share memory with the first argument, and writes go both ways.
    holomorphic: for complex arguments the engine conjugates around the rule; False leaves it be.
    composed: for a nonlinear fused primitive, the same function written with other primitives;
        differentiated in its place when the gradient is itself recorded.
    batch: what it does under `func.vmap`: one of the rules by family in `tensorgrad.batching`.
        Without one the composed function is run, or the forward example by example.
    ufunc: of NumPy, where it computes on float32 and float64 arrays just what the forward does;
        called in its place, without a Python frame around it.
    raw: what rules on arrays call instead of the forward; the same values, perhaps not as a view.
    selects: of one argument, which is saved as the output is, and exact: each number of the output
        is one of the input's, and its gradient goes there. Then relu's mask may be applied to the
        output's gradient, which is smaller, instead of to the input's
        (`tensorgrad.backward.shortcuts`).
    conserves: of one that selects: whether by these parameters each number of a gradient arrives
        somewhere in its own channel, so that the sum of each channel is what it was.
    exact: to arguments of one dtype the rules give gradients of their very shapes and dtype, so
        that the walk need not look.
    """

    def declare(forward: Callable[..., Any]) -> Callable[..., Tensor]:
        op = Primitive(
            forward,
            rules,
            joint=joint,
            saves=saves,
            formula=formula,
            prose=prose,
            promote=promote,
            keeps=keeps,
            outputs=outputs,
            view=view,
            holomorphic=holomorphic,
            composed=composed,
            variadic=variadic,
            batch=batch,
            ufunc=ufunc,
            selects=selects,
            conserves=conserves,
            exact=exact,
        )
        record = recorder(op)
        record.__name__ = record.__qualname__ = op.name
        record.__doc__ = op.__doc__
        record.primitive = op  # type: ignore[attr-defined]
        if op.name in primitives:
            raise TypeError(f"primitive {op.name} is declared twice")
        primitives[op.name] = op
        setattr(recorded, op.name, record)
        setattr(namespace, op.name, raw or OPERATORS.get(op.name) or ufunc or silent(op))
        return record

    return declare


def silent(op: Primitive) -> Callable[..., Any]:
    """The forward for rules on raw arrays: no recording, extras dropped."""
    if not op.keeps:
        return op.forward
    forward = op.forward

    def plain(*args: Any, **params: Any) -> Any:
        if op.keep_flag:
            params["keep"] = False
        return forward(*args, **params).y

    return plain


def structural(name: str, doc: str, **words: Any) -> Primitive:
    """A primitive without a forward of its own: a step that only the engine takes."""

    def forward(x: Any) -> Any:
        return x

    forward.__name__, forward.__doc__ = name, doc
    defaults: dict[str, Any] = {
        "joint": None, "saves": "", "formula": None, "prose": doc, "promote": None, "keeps": "",
        "outputs": False, "view": False, "holomorphic": False, "composed": None, "variadic": False,
        "batch": None, "ufunc": None, "exact": False,
    }  # fmt: skip
    return Primitive(forward, (), **{**defaults, **words})


hook.accumulate = structural("accumulate_grad", "Adds the gradient to the leaf's .grad.")
