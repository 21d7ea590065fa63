"""A figure's SVG as a TikZ picture, so that a LaTeX document typesets its text in its own fonts."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import NamedTuple

from tensorgrad.viz.figures.latex import as_pdflatex_shows, both_forms, latex_escape
from tensorgrad.viz.figures.svg import fmt
from tensorgrad.viz.figures.tikz_pixels import LARGEST, pixel_lines
from tensorgrad.viz.figures.words import text_width

__all__ = ["svg_to_tikz"]

PIXEL = 0.75  # points in a CSS pixel
LONGEST = 16_000  # points; TeX has no longer lengths than 16,384
CODES = 24  # characters of code points that may stand for a short name
# The picture is set into a box first: as an argument of \resizebox a large one is read twice.
_HEAD = ["% Needs \\usepackage{tikz}.", "\\noindent\\begingroup\\setbox2=\\hbox{%"]
_FOOT = [
    "\\resizebox*{!}{\\ifdim\\totalheight>.95\\textheight .95\\textheight\\else"
    "\\totalheight\\fi}{%",
    "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{\\box2}}\\endgroup",
]
_PRESENTATION = ("fill", "stroke", "stroke-width", "text-anchor", "font-size", "fill-opacity")

Style = dict[str, str]


class _Rule(NamedTuple):
    """One selector's compounds, outermost first, as sets like {"text", ".halo"}."""

    compounds: tuple[frozenset[str], ...]
    weight: int
    properties: Style


def svg_to_tikz(svg: str) -> str:
    """A ``tikzpicture`` of the light picture, scaled down to the page where it is larger.

    Images in it need an engine that makes PDF.  Raises ValueError where they have more bytes than
    TeX has room for, and for a picture that is longer than its lengths.
    """
    root = ET.fromstring(svg.encode("utf-8", "replace"))
    size = [round(float(root.get(key, "0"))) for key in ("width", "height")]
    if max(size) * PIXEL > LONGEST:
        raise ValueError(
            f"viz: a picture of {size[0]:,} x {size[1]:,} pixels is larger than TeX can place "
            f"(at most {round(LONGEST / PIXEL):,}); draw less of it (depth=, max_nodes=), or "
            "save as .pdf or .png and include that by \\includegraphics"
        )
    writer = _Writer(root)
    writer.children(root, [], {}, (0.0, 0.0))
    if writer.pixels > LARGEST:
        raise ValueError(
            f"viz: images of {writer.pixels:,} bytes are more than TeX has room for as .tex (at "
            f"most {LARGEST:,}); show fewer (limit=), or save as .pdf or .png and include that by "
            "\\includegraphics"
        )
    colours = [
        f"\\definecolor{{{name}}}{{HTML}}{{{name[2:].upper()}}}%" for name in sorted(writer.colours)
    ]
    begin = f"\\begin{{tikzpicture}}[x={PIXEL}bp, y=-{PIXEL}bp]"
    return "\n".join([*_HEAD, *colours, begin, *writer.lines, "\\end{tikzpicture}}%", *_FOOT, ""])


class _Writer:
    def __init__(self, root: ET.Element) -> None:
        self.rules = _rules(root)
        self.lines: list[str] = []
        self.colours: set[str] = set()
        self.pixels = 0  # their bytes

    def children(
        self,
        parent: ET.Element,
        around: list[frozenset[str]],
        inherited: Style,
        shift: tuple[float, float],
    ) -> None:
        for child in parent:
            tag = child.tag.rpartition("}")[2]
            if tag in ("style", "title"):
                continue
            names = frozenset([tag, *("." + c for c in child.get("class", "").split())])
            style = {**inherited, **self._style([*around, names])}
            for key in _PRESENTATION:
                if key in child.attrib:
                    style[key] = child.attrib[key]
            if tag == "g":
                moved = _translation(child)
                below = (shift[0] + moved[0], shift[1] + moved[1])
                self.children(child, [*around, names], style, below)
            elif tag == "text":
                self._text(child, style, shift)
            elif tag == "image":
                self._image(child, shift)
            else:
                self._shape(tag, child, style, shift)

    def _style(self, path: list[frozenset[str]]) -> Style:
        found = [rule for rule in self.rules if _matches(rule.compounds, path)]
        style: Style = {}
        for rule in sorted(found, key=lambda rule: rule.weight):  # stable: later rules win
            style.update(rule.properties)
        return style

    def _colour(self, value: str) -> str:
        name = "tg" + value.lstrip("#")
        self.colours.add(name)
        return name

    def _shape(
        self, tag: str, element: ET.Element, style: Style, shift: tuple[float, float]
    ) -> None:
        options = []
        fill, stroke = style.get("fill", "#000000"), style.get("stroke", "none")
        if fill != "none":
            options.append(f"fill={self._colour(fill)}")
            if "fill-opacity" in style:
                options.append(f"fill opacity={style['fill-opacity']}")
        if stroke != "none":
            width = float(style.get("stroke-width", "1").removesuffix("px")) * PIXEL
            options += [f"draw={self._colour(stroke)}", f"line width={width:.2f}bp"]
            if "stroke-opacity" in style:
                options.append(f"draw opacity={style['stroke-opacity']}")
            if style.get("stroke-dasharray", "none") != "none":
                options.append(_dashes(style["stroke-dasharray"]))
        if not options:
            return
        number = {key: float(value) for key, value in element.items() if _is_number(value)}
        dx, dy = shift
        if tag == "rect":
            x, y = number.get("x", 0.0) + dx, number.get("y", 0.0) + dy
            if number.get("rx"):
                options.append(f"rounded corners={number['rx'] * PIXEL:.2f}bp")
            corner = _point(x + number["width"], y + number["height"])
            way = f"{_point(x, y)} rectangle {corner}"
        elif tag == "circle":
            radius = number["r"] * PIXEL
            way = f"{_point(number['cx'] + dx, number['cy'] + dy)} circle [radius={radius:.2f}bp]"
        else:
            way = _way(element.get("d", ""), shift)
        self.lines.append(f"\\path[{', '.join(options)}] {way};")

    def _image(self, element: ET.Element, shift: tuple[float, float]) -> None:
        x, y, width, height = (float(element.get(k, "0")) for k in ("x", "y", "width", "height"))
        left, bottom = (x + shift[0]) * PIXEL, -(y + shift[1] + height) * PIXEL
        href = element.get("href", "")
        lines, size = pixel_lines(href, left, bottom, width * PIXEL, height * PIXEL)
        self.lines += lines
        self.pixels += size

    def _text(self, element: ET.Element, style: Style, shift: tuple[float, float]) -> None:
        dx, dy = _translation(element)
        x = float(element.get("x", "0")) + shift[0] + dx
        y = float(element.get("y", "0")) + shift[1] + dy
        anchor = {"middle": "base", "end": "base east"}.get(
            style.get("text-anchor", ""), "base west"
        )
        size = float(style.get("font-size", "11px").removesuffix("px")) * PIXEL
        bold = "\\bfseries" if style.get("font-weight") in ("600", "700", "bold") else ""
        options = [f"anchor={anchor}", "inner sep=0pt", f"text={self._colour(style['fill'])}"]
        options.append(
            f"font=\\sffamily{bold}\\fontsize{{{size:.2f}}}{{{size * 1.2:.2f}}}\\selectfont"
        )
        turned = re.search(r"rotate\((-?[\d.]+)", element.get("transform", ""))
        if turned:
            options.append(f"rotate={-float(turned[1]):g}")
        if style.get("paint-order") == "stroke":  # a halo
            options += [f"fill={self._colour(style['stroke'])}", "inner sep=0.8pt"]
        string = "".join(element.itertext())
        shown = latex_escape(string)
        wide = as_pdflatex_shows(string, CODES)
        if wide != string:
            # Code points in the place of characters: as wide as the picture has room for them.
            share = min(1.0, text_width(string, size) / text_width(wide, size))
            own, codes = both_forms(string, CODES)
            shown = f"\\ifdefined\\Umathchar {own}\\else\\scalebox{{{share:.2f}}}{{{codes}}}\\fi"
        self.lines.append(f"\\node[{', '.join(options)}] at {_point(x, y)} {{{shown}}};")


def _rules(root: ET.Element) -> list[_Rule]:
    """The rules of the picture's style sheet for light screens."""
    sheet = "".join(e.text or "" for e in root if e.tag.endswith("style")).partition("@media")[0]
    rules = []
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", sheet):
        pairs = (p.partition(":")[::2] for p in body.split(";") if ":" in p)
        properties = {key.strip(): value.strip() for key, value in pairs}
        for selector in selectors.split(","):
            compounds = tuple(
                frozenset(re.findall(r"[.]?[\w-]+", part))
                for part in selector.split()
                if not part.startswith("#")
            )
            names = [name for compound in compounds for name in compound]
            weight = sum(10 if name.startswith(".") else 1 for name in names)
            rules.append(_Rule(compounds, weight, properties))
    return rules


def _matches(compounds: tuple[frozenset[str], ...], path: list[frozenset[str]]) -> bool:
    """Whether a selector of descendants matches the last element of a path."""
    if not compounds or not compounds[-1] <= path[-1]:
        return False
    left = list(compounds[:-1])
    for names in reversed(path[:-1]):
        if left and left[-1] <= names:
            left.pop()
    return not left


def _translation(element: ET.Element) -> tuple[float, float]:
    found = re.search(r"translate\(([-\d.]+)[ ,]+([-\d.]+)", element.get("transform", ""))
    return (float(found[1]), float(found[2])) if found else (0.0, 0.0)


def _dashes(value: str) -> str:
    lengths = [float(n) * PIXEL for n in value.replace(",", " ").split()]
    words = (f"{'off' if i % 2 else 'on'} {n:.2f}bp" for i, n in enumerate(lengths))
    return f"dash pattern={' '.join(words)}"


def _way(data: str, shift: tuple[float, float]) -> str:
    """Path data as TikZ writes it; small letters are relative to the last point."""
    out: list[str] = []
    here = shift
    for command, numbers in re.findall(r"([A-Za-z])([^A-Za-z]*)", data):
        kind = command.upper()
        if kind not in "MLCZHV":
            raise ValueError(f"viz: the path command {command!r} has no TikZ form here")
        if kind == "Z":
            out.append("-- cycle")
            continue
        values = [float(n) for n in re.findall(r"-?\d*\.?\d+", numbers)]
        start = here if command.islower() else shift
        if kind in "HV":
            across = kind == "H"
            ends = [(start[0] + v, here[1]) if across else (here[0], start[1] + v) for v in values]
        else:
            ends = [(start[0] + x, start[1] + y) for x, y in zip(values[::2], values[1::2])]
        points = [_point(*end) for end in ends]
        here = ends[-1]
        if kind == "C":
            for a, b, c in zip(points[::3], points[1::3], points[2::3]):
                out.append(f".. controls {a} and {b} .. {c}")
        else:
            first = 1 if kind == "M" else 0
            out += [*points[:first], *(f"-- {point}" for point in points[first:])]
    return " ".join(out)


def _point(x: float, y: float) -> str:
    return f"({fmt(x)}, {fmt(y)})"


def _is_number(value: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", value) is not None
