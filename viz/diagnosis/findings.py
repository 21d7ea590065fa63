"""What `doctor` and `Monitor.warnings` return: causes with their evidence and their cure."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from tensorgrad.viz.figures.figure import Figure, encode
from tensorgrad.viz.figures.latex import latex_escape
from tensorgrad.viz.figures.svg import Element, document, element, text
from tensorgrad.viz.figures.words import plural, shorten, text_width

__all__ = ["Finding", "Findings"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    cause: its name, one of the words of the documentation, such as "vanishing gradient".
    layer: the parameter, activation or operation concerned; "" for the model as a whole.
    evidence: what was measured, in a sentence; ``data`` has its numbers.
    line: file and line of the user's program, None where none is known.
    fix: what to do.
    """

    cause: str
    layer: str
    evidence: str
    fix: str
    line: str | None = None
    data: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        head = f"{self.cause}: {self.layer}" if self.layer else self.cause
        place = f" ({self.line})" if self.line else ""
        return f"{head}{place}. {self.evidence} {self.fix}"


class Findings(Figure):
    """A list of `Finding`s that prints, shows itself and saves.

    It is true if there is one (``if viz.doctor(model, loss): ...``), has a length, and is iterated
    and indexed like a list.
    """

    def __init__(self, findings: list[Finding], title: str, examined: str) -> None:
        super().__init__(title)
        self.findings = tuple(findings)
        self.examined = examined

    def __len__(self) -> int:
        return len(self.findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __getitem__(self, index: int) -> Finding:
        return self.findings[index]

    @property
    def causes(self) -> list[str]:
        """The causes found, each once, in order."""
        return list(dict.fromkeys(finding.cause for finding in self.findings))

    @property
    def _verdict(self) -> str:
        found = plural(len(self), "finding") if self.findings else "nothing found"
        return f"{self.title}: {found}"

    def _make_text(self) -> str:
        lines = [self._verdict, *_wrapped(self.examined, "")]
        for k, finding in enumerate(self.findings, 1):
            head = f"{finding.cause}: {finding.layer}" if finding.layer else finding.cause
            lines += ["", *_wrapped(head, f"{k}. ")]
            for name, value in _parts(finding):
                lines += _wrapped(value, f"   {name:<9} ")
        return "\n".join(lines)

    def _make_svg(self) -> str:
        width, left = 720.0, 100.0
        body: list[Element] = [text(16, 28, self._verdict, "title")]
        y = 46.0
        for line in _fitted(self.examined, width - 32):
            body.append(text(16, y, line, "muted"))
            y += 16
        for finding in self.findings:
            y += 8
            card = element("g")
            body.append(card)
            top = y
            y += 22
            head = shorten(finding.cause, 60)
            card.add(text(28, y, head, "strong warn"))
            # In bold a fallback font is a quarter wider.
            room = text_width(head, 11, bold=True) * 1.25 + 8
            limit = int((width - 60 - room) / 6.4)
            card.add(text(28 + room, y, shorten(finding.layer, limit, middle=True), "strong"))
            y += 4
            for name, value in _parts(finding):
                card.add(text(28, y + 16, name, "muted"))
                for line in _fitted(value, width - left - 32):
                    y += 16
                    card.add(text(left, y, line))
            y += 12
            card.children.insert(
                0,
                element("rect", class_="card", x=16, y=top, width=width - 32, height=y - top, rx=4),
            )
        return document(body, width, y + 12, label=self._verdict, kind="chart")

    def latex(self) -> str:
        """The findings as a numbered list in LaTeX, which may go over pages; no package."""
        out = [
            r"\begingroup\emergencystretch=3em",
            rf"\noindent\textbf{{{_prose(self._verdict)}}}\par\noindent {_prose(self.examined)}",
        ]
        if self.findings:
            out.append(r"\begin{enumerate}")
            for finding in self.findings:
                head = rf"\textbf{{{_prose(finding.cause)}}}"
                if finding.layer:
                    head += rf": \texttt{{{_prose(finding.layer)}}}"
                parts = (rf"\\ \emph{{{name}}}: {_prose(value)}" for name, value in _parts(finding))
                out.append(rf"\item\raggedright {head}{''.join(parts)}")
            out.append(r"\end{enumerate}")
        return "\n".join([*out, r"\par\endgroup", ""])

    def _formats(self) -> dict[str, Callable[[], bytes]]:
        # A picture of so much text would be too small to read on a page.
        return {**super()._formats(), ".tex": lambda: encode(self.latex())}

    def _make_data(self) -> dict[str, Any]:
        found = [asdict(finding) for finding in self.findings]
        return {
            "kind": "findings",
            "title": self.title,
            "examined": self.examined,
            "findings": found,
        }


def _parts(finding: Finding) -> list[tuple[str, str]]:
    parts = [("evidence", finding.evidence), ("line", finding.line or ""), ("fix", finding.fix)]
    return [(name, value) for name, value in parts if value]


def _prose(value: str) -> str:
    return latex_escape(value, breaks=True)


def _wrapped(value: str, lead: str) -> list[str]:
    """Lines of at most 80 columns, hanging under the first."""
    return textwrap.wrap(
        value, 80, initial_indent=lead, subsequent_indent=" " * len(lead), break_on_hyphens=False
    )


def _fitted(value: str, width: float) -> list[str]:
    """Lines that fit into a width in pixels."""
    lines, line = [], ""
    for word in value.split(" "):
        word = shorten(word, int(width / 6.6))
        longer = f"{line} {word}" if line else word
        if line and text_width(longer, 11) * 1.08 > width:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line]
