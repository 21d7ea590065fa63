"""The system's ``dot``: running it with a time-out, and reading its layout."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any, Literal

from tensorgrad.viz.drawing.dot_source import skeleton
from tensorgrad.viz.drawing.wasi_engine import run_wasi
from tensorgrad.viz.figures.raster import EngineError
from tensorgrad.viz.layouts.layout import Box, Layout, Point, RankDir, Stroke
from tensorgrad.viz.snapshots.snapshot import Snapshot

__all__ = ["DotError", "dot_layout", "find_dot", "run_dot"]

TIMEOUT = 30.0  # seconds, by default


class DotError(EngineError):
    """Graphviz is missing, too slow, or has failed."""


def find_dot() -> str | None:
    """The path of Graphviz's ``dot`` program, if it is installed."""
    return shutil.which("dot")


def run_dot(
    source: str, output: str, timeout: float | None = None, dpi: int | None = None
) -> bytes:
    """What ``dot -T<output>`` makes of DOT source; ``dpi`` is the resolution of a raster image.

    Raises DotError where there is no ``dot``, it fails, or it takes longer than ``timeout``
    seconds (30 if None).  ``graphviz.pipe`` was rejected for want of a time-out: dot can take
    hours.
    """
    timeout = TIMEOUT if timeout is None else timeout
    program = find_dot()
    if program is None:
        raise DotError(
            f"viz: making {output.partition(':')[0]} needs Graphviz, and there is no program 'dot' "
            "on PATH; install it (apt install graphviz, brew install graphviz, "
            "winget install graphviz), or for .png and .pdf `pip install 'tensorgrad[images]'`; "
            ".svg and .html need nothing"
        )
    try:
        done = subprocess.run(
            [program, f"-T{output}", *([] if dpi is None else [f"-Gdpi={dpi}"])],
            input=source.encode("utf-8", "replace"),
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DotError(
            f"viz: dot did not finish within {timeout:g} s; use engine='builtin', or cut the graph "
            "with max_nodes"
        ) from error
    except OSError as error:
        raise DotError(f"viz: {program!r} could not be started: {error}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()[:300]
        raise DotError(f"viz: dot failed with status {done.returncode}: {said or 'no message'}")
    return done.stdout


def dot_layout(
    snapshot: Snapshot,
    sizes: Mapping[int, tuple[float, float]],
    labels: Mapping[int, float],
    rankdir: RankDir = "TB",
    timeout: float | None = None,
    engine: Literal["dot", "wasi"] = "dot",
) -> Layout:
    """Lay out a snapshot by Graphviz: sizes in pixels (its points) as for the built-in layout.

    engine: the system's ``dot``, or ``wasi``; ``timeout`` is in seconds for both.
    """
    source = skeleton(snapshot, sizes, labels, rankdir)
    run = run_dot if engine == "dot" else run_wasi
    answer = run(source, "json0", timeout)
    try:
        layout = _read(json.loads(answer), snapshot, sizes)
    except (ValueError, KeyError, IndexError) as error:
        raise DotError(f"viz: {engine}'s answer could not be read ({error!r})") from error
    layout.engine = engine
    return layout


def _read(
    answer: dict[str, Any], snapshot: Snapshot, sizes: Mapping[int, tuple[float, float]]
) -> Layout:
    x0, y0, x1, y1 = map(float, answer["bb"].split(","))
    margin = 12.0

    def point(text: str) -> Point:
        x, y = text.split(",")[:2]
        return float(x) - x0 + margin, y1 - float(y) + margin

    layout = Layout(x1 - x0 + 2 * margin, y1 - y0 + 2 * margin, {}, {}, [], "dot")
    ids: dict[int, int] = {}
    for item in answer.get("objects", ()):
        name = item["name"]
        if name.startswith("cluster_"):
            left, low, right, high = map(float, item["bb"].split(","))
            box = Box(left - x0 + margin, y1 - high + margin, right - left, high - low)
            layout.groups[int(name.removeprefix("cluster_"))] = box
            continue
        ids[item["_gvid"]] = vertex = int(name)
        x, y = point(item["pos"])
        width, height = sizes[vertex]
        layout.vertices[vertex] = Box(x - width / 2, y - height / 2, width, height)
    for item in answer.get("edges", ()):
        source, target = ids[item["tail"]], ids[item["head"]]
        end: Point | None = None
        points: list[Point] = []
        for word in item["pos"].split():
            if word.startswith("e,"):
                end = point(word[2:])
            elif not word.startswith("s,"):
                points.append(point(word))
        tip = None
        if end is not None:
            tip = (end[0] - points[-1][0], end[1] - points[-1][1])
            points += [points[-1], end, end]
        label = point(item["lp"]) if "lp" in item else None
        layout.strokes.append(Stroke(source, target, tuple(points), tip, label))
    return layout
