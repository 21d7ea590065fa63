"""Which rows of a long table or chart are shown, and which stand together as one line."""

from __future__ import annotations

from collections.abc import Collection

from tensorgrad.viz.figures.words import plural

__all__ = ["fold_rows", "folded_words"]


def fold_rows(count: int, limit: int | None, always: Collection[int] = ()) -> list[int | range]:
    """The first and the last of ``count`` rows, ``limit`` together; between them ranges of others.

    ``always`` are rows that must be seen wherever they are.  A line that says "1 row" would take
    the place of that row, so single rows are not left out.
    """
    if limit is None or count <= limit:
        return list(range(count))
    tail = limit // 2
    kept = sorted({*range(limit - tail), *always, *range(count - tail, count)})
    out: list[int | range] = []
    expected = 0
    for row in kept:
        if row == expected + 1:
            out.append(expected)
        elif row > expected:
            out.append(range(expected, row))
        out.append(row)
        expected = row + 1
    return out


def folded_words(rows: range) -> str:
    """What stands in the place of rows that are left out."""
    return f"… {plural(len(rows), 'row')}"
