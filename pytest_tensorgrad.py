"""Gradient checks in a pytest run: ``@pytest.mark.gradcheck`` and ``--gradcheck``.

- A test marked ``gradcheck`` returns ``(function, inputs)``, or a list of several; their gradients
  are checked by `tensorgrad.gradcheck`, whose arguments the mark takes.
- ``pytest --gradcheck`` checks every `autograd.Function` that the tests apply, at the inputs of its
  first calls, and fails the test that applied it; ``no_gradcheck`` on a test leaves its own out.

A module of its own, beside tensorgrad and not in it: pytest imports its plugins at the start of
every run, and importing a part of tensorgrad would import all of it, and NumPy, for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

__all__ = ["Watch"]

SHAPES = 3  # of how many different calls a Function is checked

MARKS = (
    "gradcheck(order=1, **options): the test returns (function, inputs) or a list of them; their "
    "gradients are checked, with the options of tensorgrad.gradcheck",
    "no_gradcheck(reason): leave the Functions that this test applies out of --gradcheck",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--gradcheck`` and its order."""
    group = parser.getgroup("tensorgrad")
    group.addoption(
        "--gradcheck",
        action="store_true",
        help="check the gradients of every tensorgrad.autograd.Function that the tests apply",
    )
    group.addoption(
        "--gradcheck-order",
        type=int,
        choices=(1, 2),
        default=1,
        help="with --gradcheck: 2 checks second derivatives too (default: 1)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marks; watch Functions if asked to."""
    for mark in MARKS:
        config.addinivalue_line("markers", mark)
    if config.getoption("gradcheck", False):  # loaded by `pytest_plugins`, it adds no options
        config.pluginmanager.register(Watch(config.getoption("gradcheck_order")), "gradcheck-watch")


# --- @pytest.mark.gradcheck -----------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a marked test, and check what it returns."""
    mark = pyfuncitem.get_closest_marker("gradcheck")
    if mark is None:
        return None
    if mark.args:
        pytest.fail(f"@pytest.mark.gradcheck takes keywords only, got {mark.args}", pytrace=False)
    names = pyfuncitem._fixtureinfo.argnames
    result = pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names})
    checked = 0
    for function, inputs, options in _cases(result):
        _check(function, inputs, {**mark.kwargs, **options})
        checked += 1
    if not checked:
        _wrong_form("[]")
    return True


def _cases(result: Any) -> Iterator[tuple[Callable[..., Any], Any, dict[str, Any]]]:
    for case in result if isinstance(result, list) else [result]:
        if not (isinstance(case, tuple) and len(case) in (2, 3) and callable(case[0])):
            _wrong_form(repr(case))
        options = case[2] if len(case) == 3 else {}
        if not isinstance(options, dict):
            _wrong_form(repr(case))
        yield case[0], case[1], options


def _wrong_form(got: str) -> None:
    pytest.fail(
        "a test marked gradcheck returns (function, inputs) or (function, inputs, options), or a "
        f"list of them; got {got if len(got) < 200 else got[:200] + '...'}",
        pytrace=False,
    )


def _check(function: Callable[..., Any], inputs: Any, options: dict[str, Any]) -> None:
    from tensorgrad.gradcheck import GradcheckError, gradcheck

    given = inputs if isinstance(inputs, (tuple, list)) else (inputs,)
    try:
        gradcheck(function, tuple(_tensor(value) for value in given), **options)
    except GradcheckError as error:
        pytest.fail(str(error), pytrace=False)  # the frames of gradcheck explain nothing


def _tensor(value: Any) -> Any:
    """A NumPy array of real or complex numbers as a tensor whose gradient is checked."""
    import numpy as np

    import tensorgrad as tg

    if isinstance(value, np.ndarray) and value.dtype.kind in "fc":
        return tg.tensor(value, requires_grad=True)
    return value


# --- --gradcheck ----------------------------------------------------------------------------------


class Watch:
    """Notes the first calls of every Function during a test, and checks them after it."""

    def __init__(self, order: int) -> None:
        from tensorgrad.autograd import Function

        self.order, self.function = order, Function
        self.original: Any = Function.__dict__["apply"]
        self.seen: dict[type, set[Any]] = {}
        self.pending: list[tuple[type, Any, tuple[Any, ...]]] = []
        self.checked: dict[str, int] = {}
        self.left_out: dict[str, str] = {}
        self.watching = False
        watch = self

        def apply(cls: Any, *args: Any, **kwargs: Any) -> Any:
            """`Function.apply`, noted."""
            noted = watch.note(cls, args) if watch.watching and not kwargs else None
            result = watch.original.__func__(cls, *args, **kwargs)
            if noted is not None:
                watch.pending.append(noted)
            return result

        Function.apply = classmethod(apply)  # type: ignore[method-assign, assignment]

    def pytest_unconfigure(self) -> None:
        """Leave Function as it was."""
        self.function.apply = self.original  # type: ignore[method-assign]

    def note(self, cls: Any, args: tuple[Any, ...]) -> tuple[type, Any, tuple[Any, ...]] | None:
        """A copy of a call that is worth a check, otherwise None."""
        import numpy as np

        import tensorgrad as tg

        if cls.__module__.partition(".")[0] == "tensorgrad" or not tg.is_grad_enabled():
            return None
        key = tuple(
            (tuple(a.shape), str(a.dtype), a.requires_grad) if isinstance(a, tg.Tensor) else type(a)
            for a in args
        )
        seen = self.seen.setdefault(cls, set())
        if key in seen or len(seen) >= SHAPES:
            return None
        copies, wanted = [], False
        for value in args:
            if isinstance(value, tg.Tensor):
                try:
                    array = value.detach().numpy()
                except RuntimeError:
                    return None  # one of vmap's: there is no array of one example to be checked at
                kind = {"f": np.float64, "c": np.complex128}.get(array.dtype.kind, array.dtype)
                wanted |= value.requires_grad
                # Of its own: backward of the test, or a write in it, must not touch the copy.
                copies.append(tg.tensor(array.astype(kind), requires_grad=value.requires_grad))
            else:
                copies.append(value)
        if not wanted:
            return None
        seen.add(key)
        return cls, key, tuple(copies)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Run the test, then check what it applied."""
        self.pending.clear()
        self.watching = True
        try:
            result = yield
        except BaseException:
            for cls, key, _ in self.pending:
                self.seen[cls].discard(key)  # another test may apply it, and get as far as here
            raise
        finally:
            self.watching = False
        mark = item.get_closest_marker("no_gradcheck")
        problems = []
        for cls, _, inputs in self.pending:
            if mark is not None:
                told = mark.kwargs.get("reason") or (mark.args[0] if mark.args else "no reason")
                self.left_out[cls.__qualname__] = str(told)
            elif problem := self.problem(cls, inputs):
                problems.append(problem)
        if problems:
            pytest.fail("\n\n".join(problems), pytrace=False)
        return result

    def problem(self, cls: Any, inputs: tuple[Any, ...]) -> str | None:
        """What is wrong with a Function's gradients."""
        from tensorgrad.gradcheck import gradcheck_report

        name = cls.__qualname__.rsplit("<locals>.", 1)[-1]
        self.checked[name] = self.checked.get(name, 0) + 1
        try:
            report = gradcheck_report(cls, inputs)
            if report.ok and self.order == 2:
                report = gradcheck_report(cls, inputs, order=2)
        except RuntimeError as error:
            if self.order == 2 and "once_differentiable" in str(error):
                return None  # it says itself that it has no second derivative
            return f"--gradcheck could not check {name}: {type(error).__name__}: {error}"
        return None if report.ok else f"--gradcheck: {report}"

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what was checked: none at all may be a surprise."""
        listed = ", ".join(sorted(self.checked)) or "none was applied"
        terminalreporter.write_sep("-", "gradcheck")
        terminalreporter.write_line(f"autograd.Functions checked: {listed}")
        for name, reason in sorted(self.left_out.items()):
            terminalreporter.write_line(f"left out: {name} ({reason})")
