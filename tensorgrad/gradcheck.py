"""`gradcheck` and `gradgradcheck`: are these gradients right?  Differences answer, and say why not.

Small functions have their whole Jacobian compared; large ones are compared along random
directions, and searched element by element only where that fails.  What differs from PyTorch:

- The differences are complex steps where the function allows them (as exact as the function
  itself), otherwise Richardson's extrapolation; ``method`` names one, and an ``eps`` of your own
  asks for PyTorch's central differences with that step.
- At a kink (relu at 0, a tie of max) every value between the derivatives from the left and from
  the right passes, and the report says so.
- A wrong gradient is explained: `GradcheckError.report` names the mistake if it is a known one.
- float32 inputs get a tolerance from their arithmetic, unless eps, atol or rtol is given.
- ``fast_mode=None``, the default, chooses between the two ways by size; True and False are
  PyTorch's.
- A Module's parameters are checked too, under their names.  ``parameters`` names others (a Module,
  an iterable or a dict of tensors), for a loss that is a closure over a model; () means none.
- Functions that draw random numbers are run from the same random state each time, which is
  restored at the end, as are the buffers of a Module.
- ``check_forward_ad`` and ``check_fwd_over_rev`` check once more in forward mode, where a Function
  uses its own ``jvp``; every other operation has one rule for both modes.
- Sparse (masked) checks are refused: there is nothing here to check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from tensorgrad import autograd
from tensorgrad.checking.comparison import SEED, Check, Options
from tensorgrad.checking.differences import Point, Subject
from tensorgrad.checking.naming import argument_names
from tensorgrad.checking.report import GradcheckError, Report
from tensorgrad.checking.tolerance import Default
from tensorgrad.custom.context import by_jvp
from tensorgrad.custom.function import Function
from tensorgrad.graph.node import TensorBase, edge_of, wrap
from tensorgrad.graph.provenance import warn

__all__ = ["GradcheckError", "Report", "gradcheck", "gradcheck_report", "gradgradcheck"]

EPS, ATOL, RTOL = Default(1e-6), Default(1e-5), Default(1e-3)


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = EPS,
    atol: float = ATOL,
    rtol: float = RTOL,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool | None = None,
    masked: bool | None = None,
    parameters: Any = None,
    method: str | None = None,
    order: int = 1,
) -> bool:
    """Whether backward agrees with differences of the function, ``|a - n| <= atol + rtol * |n|``.

    func: a function, a Module, a `Function` or its ``apply``; it returns a tensor or nested tuples,
        lists and dicts of them.
    inputs: a tensor or a tuple; those that require grad are checked, best in double precision.
    eps: the step of central differences; giving it chooses them.
    method: "complex", "richardson", "central"; None takes the best that is possible.
    order: 2 checks the gradients of the gradients as well (`gradgradcheck`).
    nondet_tol: how much two runs of the same backward may differ.
    check_undefined_grad: with several outputs, that backward treats one that received no gradient
        as one that received zeros.
    check_grad_dtypes: that every gradient has its input's dtype.
    check_batched_grad: that backward under `func.vmap`, of many gradients at once, gives the same.

    Returns True, or raises `GradcheckError`, which explains what is wrong (False with
    ``raise_exception=False``).  ValueError if nothing requires grad.
    """
    _refuse(masked)
    if not (check_backward_ad or check_forward_ad):
        raise AssertionError(
            "gradcheck: Expected at least one of check_forward_ad or check_backward_ad to be True"
        )
    if check_batched_forward_grad and not check_forward_ad:
        raise ValueError("Setting check_batched_forward_grad=True requires check_forward_ad=True")
    options = _options(
        eps, atol, rtol, nondet_tol, check_undefined_grad, check_grad_dtypes, method, fast_mode
    )
    passed = True
    if check_backward_ad:
        backward = replace(options, batched=check_batched_grad)
        reports = _reports(func, inputs, parameters, backward, _order(order))
        passed = _answer(reports, raise_exception)
    if check_forward_ad and passed:
        forward = replace(options, batched=check_batched_forward_grad)
        with by_jvp():
            reports = _reports(func, inputs, parameters, forward, _order(order))
            passed = _answer(reports, raise_exception)
    return passed


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = EPS,
    atol: float = ATOL,
    rtol: float = RTOL,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool | None = None,
    masked: bool = False,
    parameters: Any = None,
    method: str | None = None,
) -> bool:
    """Whether the gradients, as functions of inputs and ``grad_outputs``, have right gradients.

    grad_outputs: the gradients of func's outputs (a tensor or a tuple); random ones, from a seed
        of their own, if left out; strided with ``gen_non_contig_grad_outputs``.
    The rest is as in `gradcheck`.
    """
    _refuse(masked)
    if not (check_rev_over_rev or check_fwd_over_rev):
        raise ValueError("gradgradcheck: check_rev_over_rev=False leaves nothing to check")
    options = _options(
        eps, atol, rtol, nondet_tol, check_undefined_grad, check_grad_dtypes, method, fast_mode
    )
    options = replace(options, batched=check_batched_grad)
    strided = gen_non_contig_grad_outputs
    passed = True
    if check_rev_over_rev:
        report = _second(func, inputs, parameters, options, grad_outputs, strided)
        passed = _answer(iter([report]), raise_exception)
    if check_fwd_over_rev and passed:
        with by_jvp():
            report = _second(func, inputs, parameters, options, grad_outputs, strided)
            passed = _answer(iter([report]), raise_exception)
    return passed


def gradcheck_report(
    func: Callable[..., Any],
    inputs: Any,
    *,
    order: int = 1,
    eps: float = EPS,
    atol: float = ATOL,
    rtol: float = RTOL,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    fast_mode: bool | None = None,
    parameters: Any = None,
    method: str | None = None,
) -> Report:
    """The `Report` of a gradcheck, whether it passes or not: ``ok``, ``finding``, ``compared``.

    It tells what a bare True does not: by which differences, how closely, with which tolerance, and
    which kinks were met.  With ``order=2`` the report of order 2, or of order 1 if that fails.
    """
    options = _options(
        eps, atol, rtol, nondet_tol, check_undefined_grad, check_grad_dtypes, method, fast_mode
    )
    report = Report("")
    for report in _reports(func, inputs, parameters, options, _order(order)):
        if not report.ok:
            break
    return report


# --- One order, then the other --------------------------------------------------------------------


def _options(
    eps: float,
    atol: float,
    rtol: float,
    nondet_tol: float,
    undefined: bool,
    dtypes: bool,
    method: str | None,
    fast: bool | None,
) -> Options:
    for name, tolerance in (("atol", atol), ("rtol", rtol), ("nondet_tol", nondet_tol)):
        if not tolerance >= 0:
            raise ValueError(f"gradcheck: {name} must be 0 or greater, got {tolerance}")
    if method is None and not isinstance(eps, Default):
        method = "central"
    return Options(eps, atol, rtol, nondet_tol, undefined, dtypes, method, fast)


def _order(order: int) -> int:
    if order not in (1, 2):
        raise ValueError(f"gradcheck: order must be 1 or 2, got {order!r}")
    return order


def _reports(
    func: Any, inputs: Any, parameters: Any, options: Options, order: int
) -> Iterator[Report]:
    subject = _subject(func, inputs, parameters, options, "gradcheck")
    yield Check(subject, options, func).report()
    if order == 2:
        yield _second(func, inputs, parameters, options, None, False)


def _answer(reports: Iterator[Report], raise_exception: bool) -> bool:
    for report in reports:
        if not report.ok:
            if raise_exception:
                raise GradcheckError(report)
            return False
    return True


def _second(
    func: Any, inputs: Any, parameters: Any, options: Options, grad_outputs: Any, strided: bool
) -> Report:
    first = _subject(func, inputs, parameters, options, "gradgradcheck")
    with first.undisturbed():
        outputs = first.record()
    if not outputs:
        raise ValueError("gradgradcheck: no output of the function requires grad")
    given: tuple[Any, ...]
    if grad_outputs is None:
        rng = np.random.default_rng(SEED)
        given = tuple(_random_like(rng, t._array, strided) for t in outputs)
    else:
        given = tuple(grad_outputs) if isinstance(grad_outputs, (tuple, list)) else (grad_outputs,)
        if len(given) != len(outputs):
            raise ValueError(
                f"gradgradcheck: {len(outputs)} outputs require grad, got {len(given)} grad_outputs"
            )
    count = len(first.inputs)

    def gradients(*arguments: Any) -> tuple[Any, ...]:
        first.inputs = arguments[:count]
        produced = first.record()
        found = autograd.grad(
            produced, targets, arguments[count:], create_graph=True, allow_unused=True
        )
        return tuple(g for g in found if g is not None)

    targets = [point.tensor for point in first.points]
    seeds = [Point(f"grad_outputs[{i}]", t) for i, t in enumerate(given) if _requires_grad(t)]
    second = Subject(gradients, (*first.inputs, *given), (*first.points, *seeds))
    check = Check(second, options, func, order=2)

    def first_is_right() -> bool:
        again = _subject(func, inputs, parameters, options, "gradgradcheck")
        return Check(again, options, func).report().ok

    check.first = first_is_right
    with first.undisturbed():
        return check.report()


# --- What is checked ------------------------------------------------------------------------------


def _refuse(masked: bool | None) -> None:
    if masked:
        raise RuntimeError(
            "masked=True is not supported: tensorgrad has no sparse gradients to check; leave it "
            "out"
        )


def _requires_grad(value: Any) -> bool:
    return isinstance(value, TensorBase) and edge_of(value) is not None


def _subject(func: Any, inputs: Any, parameters: Any, options: Options, caller: str) -> Subject:
    if isinstance(func, type) and issubclass(func, Function):
        func = func.apply
    chosen = all(isinstance(v, Default) for v in (options.eps, options.atol, options.rtol))
    given = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    names = argument_names(func, len(given))
    points = [
        Point(names[i] or f"input {i}", t, f"input {i} ({names[i]})" if names[i] else None)
        for i, t in enumerate(given)
        if _requires_grad(t)
    ]
    named = getattr(func if parameters is None else parameters, "named_parameters", None)
    if callable(named):
        others = list(named())
    elif isinstance(parameters, dict):
        others = list(parameters.items())
    elif isinstance(parameters, TensorBase):
        others = [("parameters", parameters)]
    else:
        others = [(f"parameters[{i}]", t) for i, t in enumerate(parameters or ())]
    points += [Point(name, t, f"parameter {name}") for name, t in others if _requires_grad(t)]
    if not points:
        raise ValueError(
            f"{caller} expects at least one input tensor to require gradient, but none of them "
            "have requires_grad=True."
        )
    for point in points:
        array = point.array
        if array.dtype not in (np.float64, np.complex128) and not chosen:
            warn(
                f"{caller}: {point.label} requires gradient and is {array.dtype}, not a double "
                "precision floating point or complex: differences of such numbers are mostly "
                "rounding errors, and the check will likely fail. Convert it with .double()."
            )
        strides = zip(array.strides, array.shape, strict=True)
        if array.size and any(s == 0 and n > 1 for s, n in strides):
            raise RuntimeError(
                f"{caller}: {point.label} has a dimension with stride 0: several of its elements "
                "are one place in memory, so that none can be moved alone. clone() it first."
            )
        if not array.flags.writeable:
            raise RuntimeError(f"{caller}: the memory of {point.label} is read-only; clone() it.")
    modules = [m for m in (func, parameters) if callable(getattr(m, "buffers", None))]
    return Subject(func, given, points, [buffer for m in modules for buffer in m.buffers()])


def _random_like(rng: np.random.Generator, array: Any, strided: bool) -> Any:
    shape = (*array.shape, 2) if strided else array.shape
    values = rng.standard_normal(shape).astype(array.dtype)
    if array.dtype.kind == "c":
        values = values + 1j * rng.standard_normal(shape)
    return wrap(values[..., 0] if strided else np.asarray(values)).requires_grad_()
