"""A tiny SVG builder: elements as objects, numbers rounded, text escaped, one document."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from tensorgrad.viz.figures.theme import stylesheet
from tensorgrad.viz.figures.words import visible

__all__ = ["Element", "document", "element", "escape", "fmt", "text"]

Value = str | float | int | None

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


def escape(string: str) -> str:
    """Any string as XML or HTML character data or attribute value; newlines stay."""
    return "\n".join(map(visible, string.split("\n"))).translate(_ESCAPES)


def fmt(value: float) -> str:
    """A coordinate with at most one decimal: ``12``, ``12.5``.  A tenth of a pixel is enough."""
    rounded = round(value, 1)
    whole = int(rounded)
    return str(whole) if whole == rounded else f"{rounded:.1f}"


class Element:
    """An SVG element: a tag, attributes in the order given, children or text."""

    __slots__ = ("attributes", "children", "tag")

    def __init__(
        self, tag: str, attributes: dict[str, Value], children: Iterable[Element | str]
    ) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children = list(children)

    def add(self, *children: Element | str) -> Element:
        """Append children, and return self."""
        self.children.extend(children)
        return self

    def write(self, out: list[str]) -> None:
        """Append this element's markup to a list of strings."""
        out.append(f"<{self.tag}")
        for key, value in self.attributes.items():
            if value is not None:
                shown = escape(value) if isinstance(value, str) else fmt(value)
                out.append(f' {key}="{shown}"')
        if not self.children:
            out.append("/>")
            return
        out.append(">")
        for child in self.children:
            if isinstance(child, str):
                out.append(escape(child))
            else:
                child.write(out)
        out.append(f"</{self.tag}>")

    def __str__(self) -> str:
        out: list[str] = []
        self.write(out)
        return "".join(out)


def element(tag: str, *children: Element | str, **attributes: Value) -> Element:
    """An element; ``class_`` is ``class`` and other underscores are hyphens (``text_anchor``)."""
    renamed = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
    return Element(tag, renamed, children)


def text(
    x: float, y: float, string: str, class_: str | None = None, anchor: str | None = None
) -> Element:
    """One line of text whose baseline starts (or, by ``anchor``, is centred or ends) at (x, y)."""
    return element("text", string, x=x, y=y, class_=class_, text_anchor=anchor)


def document(body: Iterable[Element], width: float, height: float, *, label: str, kind: str) -> str:
    """A standalone SVG of this size in CSS pixels, with a background, for light and dark screens.

    ``label`` is what a screen reader says; ``kind`` chooses the stylesheet (``graph``, ``chart``).
    The id that scopes the styles is a hash of the contents: the same picture always has the same
    bytes, and two pictures on one page do not restyle each other.
    """
    out: list[str] = []
    for item in body:
        item.write(out)
        out.append("\n")
    content = "".join(out)
    seed = f"{kind} {fmt(width)} {fmt(height)} {label} {content}"
    name = "tg" + hashlib.sha256(seed.encode("utf-8", "replace")).hexdigest()[:10]
    size = f'width="{fmt(width)}" height="{fmt(height)}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{name}" {size} '
        f'viewBox="0 0 {fmt(width)} {fmt(height)}" role="img" aria-label="{escape(label)}">\n'
        f"<style>{stylesheet(kind, name)}</style>\n"
        f'<rect class="paper" {size}/>\n{content}</svg>\n'
    )
