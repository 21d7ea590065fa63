"""What `gradcheck` says when a gradient is wrong."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorgrad.checking.differences import Point, Subject
from tensorgrad.custom import Function
from tensorgrad.node import AccumulateGrad

__all__ = ["GradcheckError", "argument_names", "report"]

NAMED = 8  # primitives listed in a message


class GradcheckError(RuntimeError):
    """A gradient that differs from the finite differences, and where.

    ``function``, ``primitives``, ``argument``; and where elements were compared ``index`` (of the
    argument's worst element), ``output_index`` (of the output's; None for a combination of all),
    ``expected`` (numerical), ``got`` (analytical), ``relative_error``, and both whole Jacobians
    (output elements, input elements) as ``numerical`` and ``analytical``.
    """

    function: str
    primitives: tuple[str, ...] = ()
    argument: str | None = None
    index: tuple[int, ...] | None = None
    output_index: tuple[int, ...] | None = None
    expected: float | None = None
    got: float | None = None
    relative_error: float | None = None
    numerical: Any = None
    analytical: Any = None


def function_name(func: Any) -> str:
    """What to call a function, a Module or a Function's apply; a lambda by its place."""
    if isinstance(func, functools.partial):
        return function_name(func.func)
    owner = getattr(func, "__self__", None)
    if isinstance(owner, type) and getattr(func, "__name__", "") == "apply":
        return owner.__name__
    name = getattr(func, "__qualname__", None)
    if name is None:
        return type(func).__name__
    name = str(name).rsplit("<locals>.", 1)[-1]
    code = getattr(func, "__code__", None)
    if name == "<lambda>" and code is not None:
        return f"<lambda> at {code.co_filename}:{code.co_firstlineno}"
    return name


def argument_names(func: Any, count: int) -> list[str | None]:
    """The names of the positional arguments, None where the function does not tell."""
    target: Callable[..., Any] = func
    owner = getattr(func, "__self__", None)
    skip = 0
    if isinstance(owner, type) and issubclass(owner, Function):
        target = owner.forward
        skip = 1 if owner.setup_context is Function.setup_context else 0  # forward's ctx
    elif callable(getattr(func, "forward", None)):
        target = func.forward
    try:
        kinds = list(inspect.signature(target).parameters.values())[skip:]
    except (TypeError, ValueError):  # some builtins have no signature
        kinds = []
    names = [p.name for p in kinds if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [names[i] if i < len(names) else None for i in range(count)]


def primitives_of(outputs: Sequence[Any]) -> tuple[str, ...]:
    """The names of the primitives behind the outputs, in the order in which they ran."""
    stack = [t._node for t in outputs if t._node is not None]
    seen = set(stack)
    nodes = []
    while stack:
        node = stack.pop()
        nodes.append(node)
        fresh = [edge for edge in node.inputs if edge is not None and edge not in seen]
        seen.update(fresh)
        stack += fresh
    nodes.sort(key=lambda node: node.seq)
    return tuple(dict.fromkeys(n.op.name for n in nodes if not isinstance(n, AccumulateGrad)))


def report(
    about: Any,
    subject: Subject,
    problem: str,
    *,
    order: int,
    point: Point | None = None,
    output: tuple[int, Any] | None = None,
    outputs: Sequence[Any] = (),
    numerical: Any = None,
    analytical: Any = None,
    over: Any = None,
    tolerance: tuple[float, float] | None = None,
    tried: Any = None,
) -> GradcheckError:
    """The error for a problem, with everything that is known about it."""
    name = function_name(about)
    lines = [f"{'gradcheck' if order == 1 else 'gradgradcheck'} of {name}: {problem}"]
    ran = primitives_of(outputs)
    if ran:
        more = ", ..." if len(ran) > NAMED else ""
        lines.append(f"  primitives:           {', '.join(ran[:NAMED])}{more}")
    details: dict[str, Any] = {}
    if point is not None:
        shape = tuple(point.array.shape)
        lines.append(f"  argument:             {point.label}, {point.array.dtype}{shape}")
    if point is not None and numerical is not None and output is not None:
        row, column = (int(i) for i in np.unravel_index(np.argmax(over), over.shape))
        expected, got = float(numerical[row, column]), float(analytical[row, column])
        element, part = point.index(column if tried is None else int(tried[column]))
        wrong = int(np.count_nonzero(over > 0))
        whose, where = _output_place(output, row, order, tried is None)
        lines.append(
            f"  worst element:        d {whose} / d {point.name}{list(element)}"
            + (f" ({part})" if part else "")
        )
        error = abs(got - expected) / abs(expected) if expected else float("inf")
        atol, rtol = tolerance or (0.0, 0.0)
        lines += [
            f"  expected (numerical): {expected:.10g}",
            f"  got (analytical):     {got:.10g}",
            f"  relative error:       {error:.3g} (atol {atol:g} + rtol {rtol:g} * |expected| is "
            "allowed)",
            f"  wrong elements:       {wrong} of {over.size}"
            + ("" if tried is None or tried.size == point.size else " that were tried"),
        ]
        details = {
            "index": element,
            "output_index": where,
            "expected": expected,
            "got": got,
            "relative_error": error,
            "numerical": numerical,
            "analytical": analytical,
        }
    made = GradcheckError("\n".join(lines))
    made.function, made.primitives = name, ran
    made.argument = None if point is None else point.name
    for key, value in details.items():
        setattr(made, key, value)
    return made


def _output_place(
    output: tuple[int, Any], row: int, order: int, single: bool
) -> tuple[str, tuple[int, ...] | None]:
    """An element of an output, in words and as an index."""
    number, tensor = output
    word = f"output {number}" if order == 1 else f"gradient {number}"
    if not single:
        return f"(a random combination of {word})", None
    array = tensor._array
    part = ""
    if array.dtype.kind == "c":
        row, half = divmod(row, 2)
        part = (" (real part)", " (imaginary part)")[half]
    where = tuple(int(i) for i in np.unravel_index(row, array.shape))
    return f"{word}{list(where)}{part}", where
