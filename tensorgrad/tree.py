"""Nested tuples, lists and dicts of tensors, taken apart and put together again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["flatten", "tree_map"]

Build = Callable[[Sequence[Any]], Any]


def flatten(tree: Any) -> tuple[list[Any], Build]:
    """The leaves in order, and a function that puts new leaves in their places.

    Tuples (named ones too), lists and dicts are branches; everything else is a leaf.
    """
    if isinstance(tree, dict):
        keys = list(tree)
        leaves, build = _branches([tree[key] for key in keys])
        kind: Any = type(tree)
        return leaves, lambda new: kind(zip(keys, build(new), strict=True))
    if isinstance(tree, (tuple, list)):
        leaves, build = _branches(tree)
        kind = type(tree)
        if hasattr(tree, "_fields"):
            return leaves, lambda new: kind(*build(new))
        return leaves, lambda new: kind(build(new))
    return [tree], lambda new: new[0]


def _branches(trees: Sequence[Any]) -> tuple[list[Any], Callable[[Sequence[Any]], list[Any]]]:
    parts = [flatten(tree) for tree in trees]
    leaves = [leaf for found, _ in parts for leaf in found]

    def build(new: Sequence[Any]) -> list[Any]:
        made, start = [], 0
        for found, put_together in parts:
            made.append(put_together(new[start : start + len(found)]))
            start += len(found)
        return made

    return leaves, build


def tree_map(function: Callable[[Any], Any], tree: Any) -> Any:
    """The same tree with a function applied to every leaf."""
    leaves, build = flatten(tree)
    return build([function(leaf) for leaf in leaves])
