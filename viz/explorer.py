"""`explore`: a page in which a reader walks through a graph and scrubs its backward pass."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib.resources import files
from typing import Any

from tensorgrad.viz.explorer_data import explorer_data, summary
from tensorgrad.viz.figures.arguments import heading
from tensorgrad.viz.figures.figure import Figure, jsonable
from tensorgrad.viz.figures.svg import escape
from tensorgrad.viz.graphs import GraphFigure, check_limit
from tensorgrad.viz.snapshots.capture import capture_with_sources
from tensorgrad.viz.snapshots.naming import is_module, kind_of, module_names, named_tensors
from tensorgrad.viz.tracing import Recording, Trace

__all__ = ["ExplorerFigure", "explore"]

# The page's program, in the order in which its parts are put together.
SCRIPTS = (
    "ranking.js",
    "ordering.js",
    "columns.js",
    "trunks.js",
    "curves.js",
    "layered.js",
    "model.js",
    "nesting.js",
    "colours.js",
    "scene.js",
    "camera.js",
    "panel.js",
    "player.js",
    "search.js",
    "saving.js",
    "main.js",
)


class ExplorerFigure(Figure):
    """An interactive page about a graph: shows itself in Jupyter, and saves as .html.

    As .svg and .dot it is saved as the same graph's `GraphFigure`, whose picture does not move.
    """

    interactive = True

    def __init__(self, data: dict[str, Any], still: GraphFigure, title: str) -> None:
        super().__init__(title)
        self._data, self.still = data, still

    def _make_text(self) -> str:
        return f"{summary(self._data)}\n\n{self.still}"

    def _make_svg(self) -> str:
        return self.still.svg()

    def _make_data(self) -> dict[str, Any]:
        return {"kind": "explorer", **self._data}

    def _make_html(self) -> str:
        return page(self._data, self.title)

    def _formats(self) -> dict[str, Any]:
        return {**self.still._formats(), **super()._formats()}


def explore(
    loss: Any,
    trace: Trace | None = None,
    record: Recording | None = None,
    params: Any = None,
    *,
    max_nodes: int | None = None,
    title: str | None = None,
) -> ExplorerFigure:
    """A page to explore the graph behind ``loss`` with: one HTML file that fetches nothing.

    loss: a Tensor, a tuple or list of them, a dict, or a node, as for `graph`.
    trace: what ``with viz.trace_backward(loss)`` gave around the backward pass; its slider then
        shows the gradients in the order in which they arrived.
    record: what ``with viz.record()`` gave around the forward pass.  Without one, values of
        operations are "not kept"; a leaf's value and ``.grad`` are shown as they are now.
    params: names for tensors, as for `graph`; usually the model.
    max_nodes: take only so many nodes, those nearest the loss.

    Statistics are kept, not arrays (but for those of at most 16 elements).  The page also holds
    three lines of your program around each that made a node.  Raises what `graph` raises.
    """
    for name, value, kind in (("trace", trace, Trace), ("record", record, Recording)):
        if value is not None and not isinstance(value, kind):
            model = is_module(value)
            raise TypeError(
                f"viz.explore: {name} must be what `with viz."
                f"{'trace_backward(loss)' if kind is Trace else 'record()'} as {name}` gave, "
                f"not {kind_of(value)}{'; a model goes to params=' if model else ''}"
            )
    check_limit(max_nodes, "viz.explore")
    names = named_tensors(params, "viz.explore: params")
    snapshot, sources = capture_with_sources(
        loss, names, max_nodes, module_names(params), "viz.explore"
    )
    shown = heading("Computation graph" if title is None else title, "viz.explore")
    data = jsonable(explorer_data(snapshot, sources, trace, record, shown))
    return ExplorerFigure(data, GraphFigure(snapshot, ("shape",), "TB", "auto"), shown)


def embedded(data: Any) -> str:
    """JSON that cannot end the script element that holds it, whatever its strings are."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False, ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def page(data: dict[str, Any], title: str) -> str:
    """The page: the template with its style, program and data, each allowed by its hash alone."""
    folder = files("tensorgrad.viz") / "page"
    style = (folder / "explorer.css").read_text("utf-8")
    parts = [(folder / name).read_text("utf-8") for name in SCRIPTS]
    script = '"use strict";\n(() => {\n' + "\n".join(parts) + "})();\n"
    template = (folder / "explorer.html").read_text("utf-8")
    marks = {
        "STYLE_HASH": _hash(style),
        "SCRIPT_HASH": _hash(script),
        "STYLE": style,
        "SCRIPT": script,
        "TITLE": escape(title),
        "DATA": embedded(data),
    }
    # In one pass: a title may contain a mark.
    return re.sub("@@([A-Z_]+)@@", lambda found: marks[found[1]], template)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()
