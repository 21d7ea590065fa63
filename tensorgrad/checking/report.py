"""What `gradcheck` says: which gradient is wrong, where, and why it thinks so."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from html import escape
from typing import Any

from tensorgrad.checking import pictures
from tensorgrad.checking.evidence import Finding, count

__all__ = ["Compared", "GradcheckError", "Report"]

NAMED = 8  # primitives listed in a message
WIDTH = 96
WORDS = {
    "complex": "complex step",
    "richardson": "Richardson",
    "central": "central",
}


@dataclass
class Compared:
    """One input's gradient, compared for one output."""

    name: str
    output: str
    method: str
    elements: int
    difference: float  # the largest
    relative: float  # the same, over the largest derivative
    wrong: int
    reason: str = ""  # why the complex step was not possible
    kinks: list[str] = field(default_factory=list)


@dataclass
class Report:
    """The answer of a gradcheck, and everything that led to it.

    ``str`` is the text, in a notebook it is shown with a map of the wrong elements (`to_svg`).
    """

    function: str
    order: int = 1
    problem: str | None = None
    primitives: tuple[str, ...] = ()
    finding: Finding | None = None
    others: int = 0  # how many other inputs gave the same finding
    compared: list[Compared] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tolerance: dict[str, str] = field(default_factory=dict)
    argument: str | None = None
    details: dict[str, Any] = field(default_factory=dict)
    facts: list[tuple[str, str]] = field(default_factory=list)
    table: list[str] = field(default_factory=list)
    maps: tuple[Any, Any, Any] | None = None  # expected, got, how wrong, in the input's shape

    @property
    def ok(self) -> bool:
        """Whether no mistake was found."""
        return self.problem is None

    @property
    def explanation(self) -> str:
        """What is wrong, how that is known and where to look; empty where nothing is known."""
        if self.finding is None:
            return ""
        lines = self.finding.lines()
        if self.others:
            lines[-2] += f" The same at {count(self.others, 'other input')}."
        return "\n".join(line for text in lines for line in _wrapped(text))

    def __str__(self) -> str:
        check = "gradcheck" if self.order == 1 else "gradgradcheck"
        first = f"{check} of {self.function}: {self.problem or 'every gradient is right'}"
        blocks = [[first]]
        if self.explanation:
            blocks.append(self.explanation.splitlines())
        if self.facts:
            blocks.append(_facts(self.facts))
        if self.table:
            blocks.append(self.table)
        if self.maps is not None and self.maps[2].size > 1:
            title = f"  where {self.argument} is wrong (· right, ░ a little, █ most)"
            blocks.append([title, *pictures.shades(self.maps[2])])
        blocks.append(self._summary())
        return "\n\n".join("\n".join(block) for block in blocks if block)

    def _summary(self) -> list[str]:
        lines = []
        if self.compared:
            head = ("input", "output", "differences", "largest difference", "verdict")
            rows = [
                (
                    c.name,
                    c.output,
                    WORDS[c.method],
                    f"{c.difference:.1e}",
                    f"{c.wrong} wrong" if c.wrong else ("right, at a kink" if c.kinks else "right"),
                )
                for c in self.compared
            ]
            lines = pictures.columns(head, rows)
        for c in self.compared:
            lines += [line for kink in c.kinks for line in _wrapped(kink)]
        for why, names in self._tolerances().items():
            whose = f" ({', '.join(names)})" if len(self._tolerances()) > 1 else ""
            lines += _wrapped(f"tolerance{whose}: {why}.")
        lines += [line for note in self.notes for line in _wrapped(note)]
        if self.primitives and not self.ok:
            more = ", ..." if len(self.primitives) > NAMED else ""
            lines += _wrapped(f"primitives: {', '.join(self.primitives[:NAMED])}{more}")
        return lines

    def _tolerances(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, why in self.tolerance.items():
            found.setdefault(why, []).append(name)
        return found

    def to_svg(self) -> str:
        """A picture: the gradient expected and got (for one random gradient of the output), and
        where they differ.  ValueError if no elements were compared."""
        if self.maps is None:
            raise ValueError("Report.to_svg: there are no elements to show; nothing was wrong")
        return pictures.svg(*self.maps, title=f"gradient of {self.argument} in {self.function}")

    def _repr_html_(self) -> str:
        drawn = self.to_svg() if self.maps is not None else ""
        return f"<pre>{escape(str(self))}</pre>{drawn}"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")


def _facts(facts: list[tuple[str, str]]) -> list[str]:
    width = max(len(name) for name, _ in facts)
    return [f"  {name:{width}}  {value}" for name, value in facts]


class GradcheckError(RuntimeError):
    """A gradient that differs from the finite differences, and where.

    ``report`` is the whole story.  ``function``, ``primitives``, ``argument``; and where elements
    were compared ``index`` (of the argument's worst element), ``output_index`` (of the output's;
    None for a combination of all), ``expected`` (numerical), ``got`` (analytical),
    ``relative_error``, and both whole Jacobians (output elements, input elements) as ``numerical``
    and ``analytical``.
    """

    index: tuple[int, ...] | None = None
    output_index: tuple[int, ...] | None = None
    expected: float | None = None
    got: float | None = None
    relative_error: float | None = None
    numerical: Any = None
    analytical: Any = None

    def __init__(self, report: Report) -> None:
        super().__init__(str(report))
        self.report = report
        self.function, self.primitives = report.function, report.primitives
        self.argument = report.argument
        for key, value in report.details.items():
            setattr(self, key, value)

    def __reduce__(self) -> Any:
        return GradcheckError, (self.report,)  # not made from its message
