"""The figure that `derive` returns: text, HTML with MathML, LaTeX, data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.viz.derivation.data import as_data
from tensorgrad.viz.derivation.model import Derivation
from tensorgrad.viz.derivation.page import render_fragment, render_page
from tensorgrad.viz.derivation.tex import render_latex
from tensorgrad.viz.derivation.text import render_text
from tensorgrad.viz.derivation.text_svg import text_svg
from tensorgrad.viz.figures.arguments import whole
from tensorgrad.viz.figures.figure import Figure, encode
from tensorgrad.viz.figures.words import visible

__all__ = ["DerivationFigure"]


class DerivationFigure(Figure):
    """A derivation: prints as text, shows as MathML, saves as .txt, .html, .tex, .json and .svg.

    The SVG (and .png, .pdf) is a picture of the text; formulas are set by a browser or by LaTeX.

    ``derivation`` is what was found: steps, results, notices.
    """

    def __init__(self, derivation: Derivation) -> None:
        names = [result.name for result in derivation.results]
        shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        super().__init__(visible(f"How {derivation.loss_name} depends on {shown}"))
        self.derivation = derivation

    def text(self, width: int = 80) -> str:
        """The derivation as text, for a terminal of this many columns."""
        whole(width, 20, "DerivationFigure.text", "width")
        return render_text(self.derivation, width)

    def latex(self) -> str:
        """The derivation as an ``align`` of amsmath, to be put into a report."""
        return self._once("tex", lambda: render_latex(self.derivation))

    def _make_text(self) -> str:
        return self.text()

    def _make_svg(self) -> str:
        return text_svg(str(self), self.title)

    def _make_data(self) -> dict[str, Any]:
        return as_data(self.derivation)

    def _make_html(self) -> str:
        return render_page(self.derivation, self.title)

    def _formats(self) -> dict[str, Callable[[], bytes]]:
        return {**super()._formats(), ".tex": lambda: encode(self.latex() + "\n")}

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None, **kwargs: Any
    ) -> dict[str, str]:
        wanted: dict[str, Callable[[], str]] = {
            "text/plain": self.__str__,
            "image/svg+xml": self.svg,
            "text/html": lambda: render_fragment(self.derivation, self.title),
        }
        return {
            mime: make()
            for mime, make in wanted.items()
            if (not include or mime in include) and (not exclude or mime not in exclude)
        }
