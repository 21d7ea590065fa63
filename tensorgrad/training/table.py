"""Results as aligned text."""

from __future__ import annotations

from collections.abc import Sequence

from tensorgrad.consoles import cells as columns_of
from tensorgrad.consoles import padded

__all__ = ["format_table"]


def format_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns under their headings: the first one to the left, the others to the right.

    An empty row becomes a rule.
    """
    for row in rows:
        if row and len(row) != len(columns):
            raise ValueError(
                f"format_table: a row has {len(row)} cells, there are {len(columns)} columns: {row}"
            )
    cells = [columns, *(row for row in rows if row)]
    widths = [max(columns_of(line[k]) for line in cells) for k in range(len(columns))]
    rule = "  ".join("-" * width for width in widths)
    lines = [_line(columns, widths), rule]
    lines += [_line(row, widths) if row else rule for row in rows]
    return "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = padded(cells[0], widths[0])
    rest = [padded(c, width, right=True) for c, width in zip(cells[1:], widths[1:], strict=True)]
    return "  ".join([first, *rest]).rstrip()
