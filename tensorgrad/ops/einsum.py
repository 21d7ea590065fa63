"""einsum: sums of products over named axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.batching import families
from tensorgrad.kernels.einsum import contract
from tensorgrad.primitive import primitive


def _rule(xp: Any, g: Any, y: Any, *xs: Any, equation: str, needs: tuple[bool, ...]) -> list[Any]:
    inputs, output = equation.split("->")
    names = inputs.split(",")
    found: list[Any] = []
    for i, need in enumerate(needs):
        if not need:
            found.append(None)
            continue
        others = [x for k, x in enumerate(xs) if k != i]
        theirs = [n for k, n in enumerate(names) if k != i]
        known = set(output).union(*theirs)
        reached = "".join(n for n in names[i] if n in known)
        part = xp.einsum(g, *others, equation=f"{','.join((output, *theirs))}->{reached}")
        if reached != names[i]:  # what only this operand had was summed: spread over it again
            sizes = dict(zip(reached, part.shape, strict=True))
            shape = tuple(sizes.get(n, 1) for n in names[i])
            full = tuple(sizes.get(n, m) for n, m in zip(names[i], xs[i].shape, strict=True))
            part = xp.broadcast_to(xp.reshape(part, shape=shape), shape=full)
        found.append(part)
    return found


def _contract(*xs: Any, equation: str) -> Any:
    inputs, output = equation.split("->")
    return contract(list(xs), inputs.split(","), output)


@primitive(
    joint=_rule,
    saves="*",
    prose="for each operand the einsum of g with the other operands; as many arguments as operands,"
    " which have no names to write a formula with",
    promote="common",
    variadic=True,
    batch=families.einsum,
    raw=_contract,
)
def einsum(*xs: Any, equation: str) -> Any:
    """The sum of products that an equation ``ij,jk->ik`` names; no label twice in one term."""
    y = _contract(*xs, equation=equation)
    # Where nothing is summed but axes of length 1, the only operand is its own sum.
    return y.copy() if len(xs) == 1 and np.may_share_memory(y, xs[0]) else y
