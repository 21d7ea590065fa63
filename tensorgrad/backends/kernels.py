"""What was chosen to compute this program's operations, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from tensorgrad.kernels import registry

__all__ = ["KernelChoice", "KernelTable", "kernels", "use_kernels"]

use_kernels = registry.use


class KernelChoice(NamedTuple):
    """One operation on one kind of problem, the kernel that computes it, and why not others."""

    operation: str
    problem: Any
    kernel: str
    provider: str
    refused: tuple[tuple[str, str], ...]


class KernelTable(tuple[KernelChoice, ...]):
    """The choices made so far, in the order they were made; prints as a table."""

    def __repr__(self) -> str:
        if not self:
            return "no operation with several kernels has run yet"
        return "\n".join(_lines(self))


def kernels(operation: str | None = None) -> KernelTable:
    """What was chosen so far for each shape that the program met.

    operation: only of this one; `ValueError` if there is none of that name.
    """
    known = registry.operations
    if operation is not None and operation not in known:
        raise ValueError(f"kernels: no operation {operation!r}; there are {', '.join(known)}")
    names = known if operation is None else (operation,)
    return KernelTable(
        KernelChoice(name, problem, choice.kernel.name, choice.kernel.provider, choice.refused)
        for name in names
        for problem, choice in known[name].choices.items()
    )


def _lines(rows: KernelTable) -> Iterator[str]:
    for row in rows:
        yield f"{row.operation} {_words(row.problem)}"
        yield f"    {row.kernel} ({row.provider})"
        for name, reason in row.refused:
            yield f"    not {name}: {reason}"


def _words(problem: Any) -> str:
    fields = getattr(problem, "_fields", None)
    if fields is None:
        return str(problem)
    return " ".join(f"{name}={value}" for name, value in zip(fields, problem, strict=True))
