"""Which implementation computes an operation: the one place where fast kernels are chosen.

An `Operation` has a reference, which computes everything, and faster kernels for some of it. All
of them have the same signature and the same results up to rounding::

    pooling = Operation("max_pool", reference=by_slices)

    @pooling.kernel("separable", applies=lambda p: "" if max(p.dilation) == 1 else "dilated")
    def by_axes(x, ...): ...

    y = pooling.choose(Problem(x.shape, x.dtype, ...))(x, ...)

``applies`` looks at the problem (a hashable description: shapes, dtype, windows, layout) and gives
the reason why the kernel cannot or should not be used, or "" if it should. Other libraries'
kernels are asked before NumPy's, and among one provider's the one registered last first.  What is
found is kept per problem: the rules run once for each shape, not for each call.

``TENSORGRAD_KERNELS=reference`` in the environment, or `use`, turns every fast kernel off, and
``numpy`` those of other providers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

__all__ = [
    "MODES",
    "Choice",
    "Kernel",
    "Operation",
    "described",
    "forget",
    "mode",
    "operations",
    "set_mode",
    "use",
]

Run = TypeVar("Run", bound=Callable[..., Any])

MODES = ("auto", "numpy", "reference")
REFERENCE = "reference"
# A program that meets more shapes than this (sentences of every length) chooses them anew.
_REMEMBERED = 2048


class Kernel(NamedTuple):
    """One implementation of an operation."""

    name: str
    run: Callable[..., Any]
    applies: Callable[[Any], str]
    provider: str


class Choice(NamedTuple):
    """What was chosen for a problem, and why each kernel asked before was not."""

    kernel: Kernel
    refused: tuple[tuple[str, str], ...]


# described(Problem, (..., ...)): a NamedTuple without the frame that calling its class takes, which
# a step of a small network has for each kernel that it asks for.
described: Any = tuple.__new__

operations: dict[str, Operation] = {}
_state = {"mode": "auto"}


class Operation:
    """An operation that several kernels compute; see the module."""

    def __init__(self, name: str, reference: Callable[..., Any]) -> None:
        if name in operations:
            raise ValueError(f"operation {name} is registered twice")
        self.name = name
        self.reference = Kernel(REFERENCE, reference, lambda problem: "", "numpy")
        self.kernels: list[Kernel] = []
        self.choices: dict[Hashable, Choice] = {}
        self._runs: dict[Hashable, Callable[..., Any]] = {}
        operations[name] = self

    def kernel(
        self, name: str, applies: Callable[[Any], str], provider: str = "numpy"
    ) -> Callable[[Run], Run]:
        """Register the decorated function; it is asked before its provider's others."""

        if name == REFERENCE or any(kernel.name == name for kernel in self.kernels):
            raise ValueError(f"{self.name} has a kernel {name} already")

        def register(run: Run) -> Run:
            self.kernels.append(Kernel(name, run, applies, provider))
            self.kernels.sort(key=lambda kernel: kernel.provider != "numpy")  # stable
            self.forget()
            return run

        return register

    def choose(self, problem: Hashable) -> Callable[..., Any]:
        """The implementation for a problem."""
        try:
            return self._runs[problem]
        except KeyError:
            return self.explain(problem).kernel.run

    def chosen(self, problem: Hashable) -> Callable[..., Any] | None:
        """The implementation, if one was chosen for this very problem before."""
        return self._runs.get(problem)

    def explain(self, problem: Hashable) -> Choice:
        """The choice for a problem, made if it is a new one."""
        found = self.choices.get(problem)
        if found is None:
            if len(self.choices) >= _REMEMBERED:
                self.forget()
            found = self.choices[problem] = self._choose(problem, {})
            self._runs[problem] = found.kernel.run
        return found

    def _choose(self, problem: Hashable, failed: dict[str, str]) -> Choice:
        refused: list[tuple[str, str]] = []
        for kernel in reversed(self.kernels):
            reason = failed.get(kernel.name) or _switched_off(kernel) or kernel.applies(problem)
            if not reason:
                return Choice(kernel, tuple(refused))
            refused.append((kernel.name, reason))
        return Choice(self.reference, tuple(refused))

    def refuse(self, problem: Hashable, name: str, reason: str) -> Callable[..., Any]:
        """Never choose a kernel for this problem again (it failed); the next one is returned."""
        failed = {**dict(self.explain(problem).refused), name: reason}
        found = self.choices[problem] = self._choose(problem, failed)
        self._runs[problem] = found.kernel.run
        return found.kernel.run

    def withdraw(self, provider: str) -> None:
        """Remove all kernels of a provider."""
        self.kernels = [kernel for kernel in self.kernels if kernel.provider != provider]
        self.forget()

    def forget(self) -> None:
        """Choose anew for every problem."""
        self.choices.clear()
        self._runs.clear()


def _switched_off(kernel: Kernel) -> str:
    mode = _state["mode"]
    if mode == "reference" or (mode == "numpy" and kernel.provider != "numpy"):
        return f"switched off: kernels={mode}"
    return ""


def mode() -> str:
    """``"auto"``, ``"numpy"`` or ``"reference"``: which kernels may be chosen."""
    return _state["mode"]


def set_mode(value: str) -> None:
    """Choose among all kernels, those in NumPy alone, or take references only.

    Raises ValueError for anything else.
    """
    if value not in MODES:
        raise ValueError(
            f"kernels: expected one of {', '.join(map(repr, MODES))}, got {value!r} "
            "(by tensorgrad.backends.use_kernels or TENSORGRAD_KERNELS in the environment)"
        )
    _state["mode"] = value
    forget()


def forget() -> None:
    """Choose anew for every operation and problem: what may be chosen has changed."""
    for operation in operations.values():
        operation.forget()


@contextmanager
def use(value: str) -> Iterator[None]:
    """`set_mode` for the length of a block."""
    before = mode()
    set_mode(value)
    try:
        yield
    finally:
        set_mode(before)


set_mode(os.environ.get("TENSORGRAD_KERNELS", "auto") or "auto")
