"""What every function of viz returns: a figure that prints, shows itself in Jupyter and saves."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tensorgrad.viz.figures.raster import convert_svg
from tensorgrad.viz.figures.svg import escape
from tensorgrad.viz.figures.tikz import svg_to_tikz

__all__ = ["Figure", "encode", "jsonable", "write_atomically"]


class Figure:
    """A picture with four faces: text, SVG, HTML and data.

    ``print(figure)`` and the REPL show the text, Jupyter the SVG, ``save("x.svg")`` writes the
    format that the suffix names.  Subclasses give ``_make_text``, ``_make_svg`` and
    ``_make_data``; each is made once, when first asked for, from what was captured when the figure
    was: changing a model afterwards does not change its picture.

    ``interactive`` figures show themselves in Jupyter as a page, in a frame that may run its script
    and nothing else.
    """

    interactive = False

    def __init__(self, title: str) -> None:
        self.title = title
        self._made: dict[str, Any] = {}

    # --- What a subclass gives -------------------------------------------------------------------

    def _make_text(self) -> str:
        raise NotImplementedError

    def _make_svg(self) -> str:
        raise NotImplementedError

    def _make_data(self) -> dict[str, Any]:
        raise NotImplementedError

    def _formats(self) -> dict[str, Callable[[], bytes]]:
        """The suffixes that `save` knows, each with the function that makes the file's bytes."""
        return {
            ".svg": lambda: encode(self.svg()),
            ".html": lambda: encode(self.html()),
            ".txt": lambda: encode(str(self) + "\n"),
            ".json": lambda: encode(self.json() + "\n"),
            ".tex": lambda: encode(svg_to_tikz(self.svg())),
            ".png": lambda: convert_svg(self.svg(), "png"),
            ".pdf": lambda: convert_svg(self.svg(), "pdf"),
        }

    # --- What a user has -------------------------------------------------------------------------

    @property
    def data(self) -> dict[str, Any]:
        """What the picture shows, as a new tree of dicts, lists, strings and numbers for JSON."""
        tree: dict[str, Any] = jsonable(self._make_data())
        return tree

    def svg(self) -> str:
        """The picture as a standalone SVG document."""
        return self._once("svg", self._make_svg)

    def html(self) -> str:
        """A self-contained page with the picture and its text; no scripts, nothing is fetched."""
        return self._once("html", self._make_html)

    def json(self) -> str:
        """`data` as JSON; numbers that JSON lacks are the strings "nan", "inf" and "-inf"."""
        return json.dumps(self.data, indent=1, allow_nan=False, ensure_ascii=True)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the figure to ``path`` in the format of its suffix, and return the path.

        The file appears complete or not at all.  Raises ValueError for a suffix that this figure
        cannot be saved as, FileNotFoundError where the folder does not exist, EngineError where a
        .png or .pdf needs a program that is not installed.
        """
        if not isinstance(path, str | os.PathLike):
            raise TypeError(
                f"{type(self).__name__}.save: path must be a string or a Path such as 'x.svg', got "
                f"{type(path).__name__}"
            )
        target = Path(path)
        formats = self._formats()
        make = formats.get(target.suffix.lower())
        if make is None:
            known = ", ".join(sorted(formats))
            given = repr(target.suffix) if target.suffix else "no suffix"
            raise ValueError(
                f"{type(self).__name__}.save: cannot save {str(target)!r}: {given} is not one of "
                f"the formats of this figure; choose {known}"
            )
        if not target.parent.is_dir():
            raise FileNotFoundError(
                f"{type(self).__name__}.save: the folder {str(target.parent)!r} does not exist; "
                "create it first"
            )
        write_atomically(target, make())
        return target

    def __str__(self) -> str:
        return self._once("text", self._make_text)

    def __repr__(self) -> str:
        return str(self)

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None, **kwargs: Any
    ) -> dict[str, str]:
        wanted = {"text/plain": self.__str__, "image/svg+xml": self.svg}
        if self.interactive:
            wanted["text/html"] = self._make_frame
        return {
            mime: make()
            for mime, make in wanted.items()
            if (not include or mime in include) and (not exclude or mime not in exclude)
        }

    def _once(self, key: str, make: Callable[[], str]) -> str:
        if key not in self._made:
            self._made[key] = make()
        made: str = self._made[key]
        return made

    def _make_frame(self) -> str:
        """The page in a frame without an origin: it cannot reach the notebook around it."""
        return (
            '<iframe sandbox="allow-scripts allow-downloads" width="100%" height="680" '
            f'style="border:0" title="{escape(self.title)}" '
            f'srcdoc="{escape(self.html())}"></iframe>'
        )

    def _make_html(self) -> str:
        text = escape(self._whole_text())
        return _PAGE.format(title=escape(self.title), svg=self.svg(), text=text)

    def _whole_text(self) -> str:
        """The text of the page: where printing leaves something out, with all of it."""
        return str(self)


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline';
 img-src data:">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ margin: 16px; background: #ffffff; color: #1b1f27; font: 14px/1.5 Helvetica, Arial,
 "Liberation Sans", "DejaVu Sans", sans-serif }}
.picture {{ overflow-x: auto }}
summary {{ margin-top: 16px; cursor: pointer }}
pre {{ overflow-x: auto; font: 12px/1.4 "DejaVu Sans Mono", "Liberation Mono", Menlo, Consolas,
 monospace }}
@media (prefers-color-scheme: dark) {{ body {{ background: #14161b; color: #e8eaf0 }} }}
</style>
</head>
<body>
<div class="picture">
{svg}</div>
<details><summary>As text</summary><pre>{text}</pre></details>
</body>
</html>
"""


def encode(text: str) -> bytes:
    """The text as a file has it."""
    # Names are cleaned on their way in, so nothing is replaced here; but a figure is never lost to
    # a lone surrogate that found another way.
    return text.encode("utf-8", "replace")


def jsonable(value: Any) -> Any:
    """A copy made of what JSON has: NaN and infinities become strings, tuples become lists."""
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, str | bool | int | float) or value is None:
        return value
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    raise TypeError(f"a {type(value).__name__} has no place in a figure's data")


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that readers see the old contents or the new, never a part.

    A link is followed, an existing file keeps its permissions, a new one gets the usual ones.
    Raises ValueError for a name that no file can have.
    """
    try:
        possible = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        possible = False
    if not possible:
        raise ValueError(
            f"{str(path)!r} cannot be the name of a file: a null character or a lone surrogate "
            "is in it"
        )
    target = Path(os.path.realpath(path))
    try:
        mode = target.stat().st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        mode = 0o666 & ~mask
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, mode)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise
