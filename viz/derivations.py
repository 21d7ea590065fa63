"""`derive`: the chain rule from a loss to a parameter, written out and checked."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Literal, get_args

from tensorgrad.viz.derivation.between import between, key_of
from tensorgrad.viz.derivation.build import Builder
from tensorgrad.viz.derivation.figure import DerivationFigure
from tensorgrad.viz.derivation.gradients import Gradients
from tensorgrad.viz.derivation.naming import Names
from tensorgrad.viz.derivation.values import Values
from tensorgrad.viz.naming import is_tensor, named_tensors

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
        if value not in known:
            choices = " or ".join(map(repr, known))
            raise ValueError(f"viz.derive: {name} must be {choices}, not {value!r}")
    root = _root(loss, gradient)
    frame = sys._getframe(1)
    around = {**frame.f_globals, **frame.f_locals}
    given = named_tensors(params, "viz.derive: params")
    wanted = _wanted(wrt, given, around)
    part = between(root, [tensor for _, tensor in wanted])
    known_names = {id(tensor) for _, tensor in given}
    named = given + [(n, t) for n, t in wanted if n and id(t) not in known_names]
    names = Names(part.everything, [(n, t) for n, t in named if n], around, _key_of_tensor)
    names.name(key_of(root), _variable(loss, around) or "L")
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
    final = [(n or names.of(_key_of_tensor(t)), t) for n, t in wanted]
    made = builder.build(final)
    made.notices[:0] = notices
    if gradients is not None and not gradients.check:
        made.notices.append("Not checked by finite differences (differences=True does).")
    return DerivationFigure(made)


def _root(loss: Any, gradient: Any) -> Any:
    if not is_tensor(loss):
        raise TypeError(f"viz.derive: loss must be a Tensor, got {type(loss).__name__}")
    if loss.grad_fn is None:
        raise RuntimeError(
            "viz.derive: loss has no graph: it was computed from tensors none of which requires "
            "grad, or under no_grad(); set requires_grad=True on what you differentiate by"
        )
    if gradient is None and loss.numel() != 1:
        raise RuntimeError(
            f"viz.derive: loss has shape {tuple(loss.shape)}; reduce it to one number (.sum(), "
            ".mean()), or pass its gradient"
        )
    return loss.grad_fn


def _wanted(wrt: Any, given: list[tuple[str, Any]], around: Mapping[str, Any]) -> list[Any]:
    """(name or "", tensor) pairs of what to differentiate by."""
    if isinstance(wrt, str):
        for name, tensor in given:
            if name == wrt:
                return [(name, tensor)]
        known = ", ".join(name for name, _ in given[:8]) or "none: pass params=model"
        raise ValueError(f"viz.derive: no parameter is called {wrt!r}; there are {known}")
    called = {id(tensor): name for name, tensor in given}
    if is_tensor(wrt):
        pairs = [("", wrt)]
    elif callable(getattr(wrt, "named_parameters", None)) or isinstance(wrt, Mapping):
        pairs = named_tensors(wrt, "viz.derive: wrt")
    elif isinstance(wrt, (list, tuple)):
        pairs = []
        for item in wrt:
            if isinstance(item, str):
                pairs += _wanted(item, given, around)
            elif is_tensor(item):
                pairs.append(("", item))
            else:
                raise TypeError(f"viz.derive: wrt must hold Tensors, got {type(item).__name__}")
    else:
        raise TypeError(
            "viz.derive: wrt must be a Tensor, a list or mapping of Tensors, a Module, or a name "
            f"with params=model, got {type(wrt).__name__}"
        )
    if not pairs:
        raise ValueError("viz.derive: wrt is empty")
    found = []
    for name, tensor in pairs:
        if not tensor.requires_grad:
            raise RuntimeError(
                f"viz.derive: {name or 'wrt'} does not require grad; call requires_grad_() on it "
                "before the loss is computed"
            )
        name = called.get(id(tensor), name) or _variable(tensor, around) or ""
        found.append((name, tensor))
    return found


def _variable(tensor: Any, around: Mapping[str, Any]) -> str | None:
    """What the caller calls a tensor."""
    for name, value in around.items():
        if value is tensor and not name.startswith("_"):
            return name
    return None


def _key_of_tensor(tensor: Any) -> Any:
    return id(tensor) if tensor.grad_fn is None else key_of(tensor.grad_fn)


def _numbers(operations: list[Any]) -> int:
    return sum(
        int(getattr(entry, "size", 0) or 0)
        for node in operations
        for entry in node.saved
        if hasattr(entry, "dtype")
    )
