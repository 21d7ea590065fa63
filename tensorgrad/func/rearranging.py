"""rearrange: transpose, reshape and stack, written as a pattern of named axes."""

from __future__ import annotations

import re
from typing import Any

from tensorgrad.functions.joining import stack
from tensorgrad.graph.node import TensorBase
from tensorgrad.ops import shape

__all__ = ["rearrange"]

_TOKEN = re.compile(r"\s*(\.\.\.|[()]|[A-Za-z_][A-Za-z0-9_]*|\d+)")


def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Any:
    """The tensor with its axes reordered, merged and split as ``pattern`` says.

    pattern: "b (h k) c -> (b h) k c": names of axes on both sides, brackets around axes that are
        one, "..." for any number of axes, 1 (or an empty bracket) for an axis of length 1.
    axes_lengths: the lengths of named axes that a bracket on the left does not determine.
    A list or tuple of tensors is stacked along a new first axis.
    """
    x = tensor if isinstance(tensor, TensorBase) else stack(list(tensor))
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ValueError(f"rearrange: expected one '->' in the pattern, got {pattern!r}")
    left, right = (_groups(side, pattern) for side in sides)
    left, right = _expanded(left, right, x._array.ndim, pattern)
    lengths = _lengths(left, x._array.shape, axes_lengths, pattern)
    names_left = [name for group in left for name in group]
    names_right = [name for group in right for name in group]
    if sorted(names_left) != sorted(names_right):
        only = set(names_left) ^ set(names_right)
        raise ValueError(
            f"rearrange: Identifiers only on one side of expression (should be on both): "
            f"{sorted(only)} in {pattern!r}"
        )
    x = shape.reshape(x, shape=tuple(lengths[name] for name in names_left))
    x = shape.permute(x, axes=tuple(names_left.index(name) for name in names_right))
    out = []
    for group in right:
        size = 1
        for name in group:
            size *= lengths[name]
        out.append(size)
    return shape.reshape(x, shape=tuple(out))


def _groups(side: str, pattern: str) -> list[list[str]]:
    """One list of names per axis."""
    groups: list[list[str]] = []
    inside: list[str] | None = None
    place = 0
    text = side.rstrip()
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise ValueError(f"rearrange: cannot read {text[place:]!r} in {pattern!r}")
        token, place = found.group(1), found.end()
        if token == "(":
            if inside is not None:
                raise ValueError(f"rearrange: brackets inside brackets in {pattern!r}")
            inside = []
        elif token == ")":
            if inside is None:
                raise ValueError(f"rearrange: brackets are not balanced in {pattern!r}")
            groups.append(inside)
            inside = None
        elif token.isdigit():
            if token != "1":
                raise ValueError(
                    f"rearrange: a number in the pattern can only be 1, got {token} in {pattern!r}"
                )
            if inside is None:
                groups.append([])
        elif inside is not None:
            inside.append(token)
        else:
            groups.append([token])
    if inside is not None:
        raise ValueError(f"rearrange: brackets are not balanced in {pattern!r}")
    names = [name for group in groups for name in group]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"rearrange: {sorted(repeated)} appear twice on one side of {pattern!r}")
    return groups


def _expanded(
    left: list[list[str]], right: list[list[str]], ndim: int, pattern: str
) -> tuple[list[list[str]], list[list[str]]]:
    """The axes that "..." stands for, with names of their own."""
    if ["..."] not in left:
        if any("..." in group for group in left + right):
            raise ValueError(
                f"rearrange: '...' must stand alone on the left to be on the right: {pattern!r}"
            )
        if len(left) != ndim:
            raise ValueError(
                f"rearrange: {pattern!r} names {len(left)} axes, the tensor has {ndim}"
            )
        return left, right
    count = ndim - len(left) + 1
    if count < 0:
        raise ValueError(f"rearrange: {pattern!r} names more axes than the tensor's {ndim}")
    hidden = [f"...{i}" for i in range(count)]
    place = left.index(["..."])
    left = left[:place] + [[name] for name in hidden] + left[place + 1 :]
    full: list[list[str]] = []
    for group in right:
        if group == ["..."]:
            full += [[name] for name in hidden]
        else:
            full.append([n for name in group for n in (hidden if name == "..." else [name])])
    return left, full


def _lengths(
    left: list[list[str]], sizes: tuple[int, ...], given: dict[str, int], pattern: str
) -> dict[str, int]:
    """The length of every named axis; one unknown in a bracket is what is left."""
    known = {name: int(n) for name, n in given.items()}
    if extra := known.keys() - {name for group in left for name in group}:
        raise ValueError(f"rearrange: {sorted(extra)} are not on the left of {pattern!r}")
    for group, size in zip(left, sizes, strict=True):
        product, unknown = 1, []
        for name in group:
            if name in known:
                product *= known[name]
            else:
                unknown.append(name)
        if len(unknown) > 1:
            raise ValueError(
                f"rearrange: give the lengths of all but one of {unknown} in {pattern!r}, as "
                f"{unknown[0]}=..."
            )
        if product != size if not unknown else not product or size % product:
            raise ValueError(
                f"rearrange: an axis of {size} elements cannot be {' x '.join(group) or '1'} with "
                f"{ {n: known[n] for n in group if n in known} } in {pattern!r}"
            )
        if unknown:
            known[unknown[0]] = size // product
    return known
