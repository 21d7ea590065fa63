"""A figure's SVG as PNG or PDF, by librsvg's ``rsvg-convert`` or the cairosvg package."""

from __future__ import annotations

import copy
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from typing import Any, Literal

__all__ = ["EngineError", "can_convert", "convert_svg", "undated"]

SVG = "http://www.w3.org/2000/svg"
ZOOM = 2.0  # pixels of a PNG for each of the picture's: sharp on paper and on fine screens
LARGEST = 32000.0  # cairo's limit is 32,767 pixels a side
TIMEOUT = 60.0  # seconds


class EngineError(RuntimeError):
    """The program that a format needs is missing, too slow, or has failed."""


def _cairosvg() -> Any:
    try:
        import cairosvg
    except (ImportError, OSError):  # OSError: the package is there, libcairo is not
        return None
    return cairosvg


def can_convert() -> bool:
    """Whether there is an engine for `convert_svg`."""
    return shutil.which("rsvg-convert") is not None or _cairosvg() is not None


def convert_svg(svg: str, kind: Literal["png", "pdf"]) -> bytes:
    """The picture as PNG (two pixels for each of its own) or PDF, light.

    Raises EngineError where neither engine is installed, or the one that is fails.
    """
    program = shutil.which("rsvg-convert")
    zoom = min(ZOOM, LARGEST / max(_size(svg))) if kind == "png" else 1.0
    if program is not None:
        return undated(_by_rsvg(program, svg, kind, zoom))
    cairosvg = _cairosvg()
    if cairosvg is None:
        raise EngineError(
            f"viz: making {kind} needs cairosvg (pip install 'tensorgrad[images]') or the program "
            "rsvg-convert (apt install librsvg2-bin, brew install librsvg); save as .svg or .html, "
            "which need nothing"
        )
    make = cairosvg.svg2png if kind == "png" else cairosvg.svg2pdf
    return undated(make(bytestring=_with_halos(svg), scale=zoom))


def undated(made: bytes) -> bytes:
    """A PDF that does not say when it was made: the same picture is the same file tomorrow."""
    return re.sub(rb"(/CreationDate \(D:)\d{14}", rb"\g<1>19700101000000", made)


def _by_rsvg(program: str, svg: str, kind: str, zoom: float) -> bytes:
    try:
        done = subprocess.run(
            [program, "--format", kind, "--zoom", f"{zoom:g}"],
            input=svg.encode("utf-8", "replace"),
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        raise EngineError(f"viz: rsvg-convert made no {kind}: {error}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()[:300]
        raise EngineError(f"viz: rsvg-convert failed with status {done.returncode}: {said}")
    return done.stdout


def _size(svg: str) -> tuple[float, float]:
    root = ET.fromstring(svg.encode("utf-8", "replace"))
    return float(root.get("width", "1")), float(root.get("height", "1"))


def _with_halos(svg: str) -> bytes:
    """Labels' halos as elements of their own: cairosvg paints strokes over what they surround."""
    root = ET.fromstring(svg.encode("utf-8", "replace"))
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{{{SVG}}}text" and "halo" in child.get("class", "").split():
                under = copy.copy(child)
                under.set("style", "fill:none")
                parent.insert(list(parent).index(child), under)
                child.set("style", "stroke:none")
    return ET.tostring(root)
