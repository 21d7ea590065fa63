"""Rows of a summary that repeat each other, as one: a decoder that is called fifty times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

__all__ = ["fold_calls"]

MOST = 16  # lengths of a repeated part that are tried at a place

Row = TypeVar("Row")


class _Call(NamedTuple, Generic[Row]):
    """A module's calls that a row stands for, the first one first, and the calls within."""

    key: object
    rows: list[Row]
    inner: list[_Call[Row]]


def fold_calls(
    rows: Sequence[Row], depth: Callable[[Row], int], key: Callable[[Row], object]
) -> list[list[Row]]:
    """Rows in lists of those that are told as one; in the order of the first ones.

    rows: calls, each followed by those it made (of greater ``depth``).  Calls of equal ``key`` that
        made equal calls are one where they follow each other, alone or as parts of an equal
        sequence: a cell and a layer, 50 times.  How often an inner part repeats may differ.
    """
    at = 0

    def level(above: int) -> list[_Call[Row]]:
        """The calls that begin here, deeper than ``above``."""
        nonlocal at
        found = []
        while at < len(rows) and depth(rows[at]) > above:
            row = rows[at]
            at += 1
            inner = level(depth(row))
            found.append(_Call((key(row), tuple(call.key for call in inner)), [row], inner))
        return _folded(found)

    def flat(calls: list[_Call[Row]]) -> list[list[Row]]:
        return [rows for call in calls for rows in (call.rows, *flat(call.inner))]

    return flat(level(-1))


def _folded(calls: list[_Call[Row]]) -> list[_Call[Row]]:
    """Calls that follow each other with what repeats as one."""
    keys = [call.key for call in calls]
    out: list[_Call[Row]] = []
    at = 0
    while at < len(calls):
        period, times = _repeats(keys, at)
        end = at + period * times
        out += [_merged(calls[k:end:period]) for k in range(at, at + period)]
        at = end
    return out


def _repeats(keys: list[object], at: int) -> tuple[int, int]:
    """How many calls from here on repeat, and how often: what covers most, and is shortest."""
    best = (1, 1)
    tried = 0
    for period in range(1, (len(keys) - at) // 2 + 1):
        if keys[at + period] != keys[at]:
            continue
        part, end = keys[at : at + period], at + period
        while keys[end : end + period] == part:
            end += period
        if end - at > max(period, best[0] * best[1]):
            best = period, (end - at) // period
        tried += 1
        if tried == MOST or end == len(keys):
            break
    return best


def _merged(calls: list[_Call[Row]]) -> _Call[Row]:
    rows = [row for call in calls for row in call.rows]
    inner = [_merged(list(same)) for same in zip(*(call.inner for call in calls), strict=True)]
    return _Call(calls[0].key, rows, inner)
