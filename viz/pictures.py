"""Pictures of pictures: images with captions, what was misclassified, kernels of convolutions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tensorgrad.viz.figures.arguments import flag, heading, listed, real, whole
from tensorgrad.viz.figures.figure import Figure
from tensorgrad.viz.figures.pixels import as_array, as_images, picture, shades, to_bytes
from tensorgrad.viz.figures.svg import Element, document, element, text
from tensorgrad.viz.figures.words import (
    number,
    padded,
    plural,
    shape,
    shorten,
    text_width,
    visible,
    wrapped,
)
from tensorgrad.viz.snapshots.naming import is_module, kind_of

__all__ = ["ImagesFigure", "images", "kernels", "misclassified"]

MARGIN, GAP = 16.0, 10.0
TEXT_COLUMNS = 80
LONGEST_CAPTION = 150.0  # pixels; longer ones are cut


class ImagesFigure(Figure):
    """Images in rows, each with a caption: shades of text in a terminal, embedded PNGs as SVG."""

    def __init__(
        self,
        pixels: NDArray[np.uint8],
        captions: list[str],
        title: str,
        note: str,
        columns: int | None,
        size: float,
        data: dict[str, Any],
    ) -> None:
        super().__init__(title)
        self.pixels, self.captions, self.note = pixels, captions, note
        self._columns, self._size, self._facts = columns, size, data

    def _make_text(self) -> str:
        lines = [*wrapped(self.title), self.note] if self.note else wrapped(self.title)
        if not self.pixels.size:
            return "\n".join(lines)
        wide = max(2, min(TEXT_COLUMNS, 2 * self.pixels.shape[2]))
        if len(self.pixels) > 1:
            wide = min(wide, 38)
        across = max(1, (TEXT_COLUMNS + 2) // (wide + 2))
        for start in range(0, len(self.pixels), across):
            blocks = [shades(image, wide) for image in self.pixels[start : start + across]]
            lines.append("")
            lines += ["  ".join(part).rstrip() for part in zip(*blocks)]
            width = len(blocks[0][0])
            shown = self.captions[start : start + across]
            if any(shown):
                lines.append("  ".join(padded(shorten(c, width), width) for c in shown).rstrip())
        return "\n".join(lines)

    def _make_svg(self) -> str:
        n, height, width = self.pixels.shape[:3]
        longest = max(map(_caption_width, self.captions), default=0.0)
        side = self._size
        tall = side * height / width if width else side
        cell = max(side, min(longest, LONGEST_CAPTION))
        captioned = any(self.captions)
        row = tall + (18 if captioned else 0) + GAP
        across = self._columns or _even(n, max(1, int((760 + GAP) // (cell + GAP))))
        body: list[Element] = [text(MARGIN, 28, self.title, "title")]
        y = 42.0
        if self.note:
            body.append(text(MARGIN, 46, self.note, "muted"))
            y += 16
        for k in range(n if height and width else 0):
            left = MARGIN + (k % across) * (cell + GAP)
            top = y + (k // across) * row
            group = element("g", element("title", self.captions[k] or f"image {k}"))
            at = left + (cell - side) / 2
            group.add(picture(at, top, side, tall, self.pixels[k]))
            group.add(element("rect", class_="frame", x=at, y=top, width=side, height=tall))
            if self.captions[k]:
                caption = _fitting(self.captions[k], cell)
                middle = left + cell / 2
                group.add(text(middle, top + tall + 13, caption, "small", "middle"))
            body.append(group)
        rows = math.ceil(n / across) if n else 0
        total = max(
            2 * MARGIN + across * (cell + GAP) - GAP,
            *(2 * MARGIN + text_width(t, s) * 1.15 for t, s in ((self.title, 14), (self.note, 11))),
        )
        label = f"{self.title}: {plural(n, 'image')}"
        return document(body, total, y + rows * row + MARGIN - GAP, label=label, kind="chart")

    def _make_data(self) -> dict[str, Any]:
        return {"title": self.title, "captions": self.captions, **self._facts}


def images(
    images: Any,
    captions: Sequence[Any] | None = None,
    *,
    columns: int | None = None,
    limit: int = 100,
    size: float = 72.0,
    title: str = "Images",
) -> ImagesFigure:
    """Images side by side.

    images: (N, H, W), (N, 1, H, W), (N, 3, H, W) or (N, H, W, 3); a Tensor, an array or lists.
        uint8 is shown as it is (if its greatest is below 128, from 0 to that), numbers of 0..1 as
        shares of white, others from the least to the greatest of all.  What is not finite is red.
    captions: what stands under each.
    columns: images side by side.  limit: at most so many are shown.  size: their width in pixels.
    """
    array = as_images(images, "viz.images")
    names = [""] * len(array)
    if captions is not None:
        given = listed(captions, "viz.images", "captions", "a list of them")
        names = [visible(str(caption)) for caption in given]
    if len(names) != len(array):
        raise ValueError(f"viz.images: {len(names)} captions for {plural(len(array), 'image')}")
    _check(columns, limit, size, "viz.images")
    note = f"{limit} of {len(array):,} shown" if len(array) > limit else ""
    data = {"kind": "images", "shape": array.shape}
    pixels = to_bytes(array)[:limit]
    told = heading(title, "viz.images")
    return ImagesFigure(pixels, names[:limit], told, note, columns, size, data)


def misclassified(
    images: Any,
    outputs: Any,
    targets: Any,
    *,
    labels: Sequence[str] | None = None,
    columns: int | None = None,
    limit: int = 24,
    size: float = 72.0,
    title: str = "Misclassified",
) -> ImagesFigure:
    """The images that a classifier took for another class, the most confident mistakes first.

    images: N of them, as for `images`.  outputs: scores (N, C), or predicted classes (N,), which
    know no confidence: those come in their order.  targets: the true classes (N,).
    labels: names of the classes.  Each caption is "true → predicted".
    """
    array = as_images(images, "viz.misclassified")
    scores = as_array(outputs, "viz.misclassified", "outputs")
    true = as_array(targets, "viz.misclassified", "targets")
    if true.shape != array.shape[:1] or scores.shape[:1] != array.shape[:1]:
        raise ValueError(
            f"viz.misclassified: {plural(len(array), 'image')}, outputs {shape(scores.shape)} and "
            f"targets {shape(true.shape)}; expected N images, outputs (N, C) or (N), targets (N)"
        )
    _check(columns, limit, size, "viz.misclassified")
    if labels is not None:
        labels = listed(labels, "viz.misclassified", "labels", "names of the classes")
    if scores.ndim > 2 or (scores.ndim == 2 and not scores.shape[1]):
        raise ValueError(f"viz.misclassified: outputs {shape(scores.shape)} are not (N, C) or (N)")
    if scores.ndim == 2:
        _check_classes(true, scores.shape[1])
    taken = scores.argmax(1) if scores.ndim == 2 else scores
    wrong = np.flatnonzero(taken != true)
    if scores.ndim == 2 and wrong.size:
        part = scores[wrong].astype(np.float64)
        with np.errstate(all="ignore"):
            # By how much the class that was taken is ahead of the true one: of scores as of
            # probabilities the larger, the surer.
            classes = taken[wrong].astype(int), true[wrong].astype(int)
            rows = np.arange(len(wrong))
            ahead = part[rows, classes[0]] - part[rows, classes[1]]
        wrong = wrong[np.argsort(-np.nan_to_num(ahead, nan=0.0), kind="stable")]
    shown = wrong[:limit]

    def name(k: Any) -> str:
        known = labels is not None and 0 <= int(k) < len(labels)
        return visible(str(labels[int(k)] if known and labels is not None else k))

    captions = [f"{name(true[k])} → {name(taken[k])}" for k in shown]
    share = f" ({100 * len(wrong) / len(array):.2f} %)" if len(array) else ""
    note = f"{len(wrong):,} of {len(array):,}{share}, {len(shown)} shown; true → predicted"
    data = {
        "kind": "misclassified",
        "count": len(wrong),
        "of": len(array),
        "indices": shown.tolist(),
        "true": [name(true[k]) for k in shown],
        "predicted": [name(taken[k]) for k in shown],
    }
    pixels = to_bytes(array[shown])
    told = heading(title, "viz.misclassified")
    return ImagesFigure(pixels, captions, told, note, columns, size, data)


def kernels(
    layer: Any,
    *,
    each: bool = False,
    columns: int | None = None,
    limit: int = 128,
    size: float = 56.0,
    title: str = "",
) -> ImagesFigure:
    """The kernels of a convolution as images.

    layer: a Conv2d, or its weight (out, in, height, width).  With 3 inputs (colours) a kernel is
        a colour image, with any other number each pair of output and input is a grey one.
    each: scale every kernel by itself, not all together.  0 is the middle grey.
    """
    given = getattr(layer, "weight", layer)
    if is_module(given):
        raise TypeError(
            f"viz.kernels: layer must be a Conv2d or its weight, got {kind_of(layer)} "
            "without one; pass one of its layers, such as model[0]"
        )
    weight = as_array(given, "viz.kernels", "weights")
    if weight.ndim != 4:
        kind = "a weight" if not hasattr(layer, "weight") else f"{type(layer).__name__}'s weight"
        raise ValueError(
            f"viz.kernels: {kind} has shape {shape(weight.shape)}; expected that of a Conv2d, "
            "(out, in, height, width)"
        )
    _check(columns, limit, size, "viz.kernels")
    flag(each, "viz.kernels", "each")
    outs, ins, height, width = weight.shape
    if ins == 3:
        array, names = weight.transpose(0, 2, 3, 1), [str(k) for k in range(outs)]
    else:
        array = weight.reshape(outs * ins, height, width)
        names = [f"{o}" if ins == 1 else f"{o}, {i}" for o in range(outs) for i in range(ins)]
        columns = columns or (ins if 1 < ins <= 12 else None)
    pixels = to_bytes(array, each=each, centred=True)[:limit]
    largest = np.abs(weight[np.isfinite(weight)]).max(initial=0)
    scale = (
        "each scaled by itself" if each else f"black {number(-largest)}, white {number(largest)}"
    )
    note = f"{outs} x {ins} of {height}x{width}; {scale}"
    if len(array) > limit:
        note += f"; {limit} of {len(array):,} shown"
    data = {"kind": "kernels", "shape": weight.shape, "weight": weight.astype(float).tolist()}
    told = heading(title, "viz.kernels") or "Kernels"
    return ImagesFigure(pixels, names[:limit], told, note, columns, size, data)


def _even(n: int, most: int) -> int:
    """How many of n stand in a row of at most so many, if the rows are to be alike."""
    return math.ceil(n / math.ceil(n / most)) if n else 1


def _caption_width(caption: str) -> float:
    """In pixels, with room for a font that is a little wider than the one counted."""
    return text_width(caption, 10) * 1.08


def _fitting(caption: str, room: float) -> str:
    """The caption, cut where it is wider than ``room`` pixels."""
    length = len(caption)
    while length > 3 and _caption_width(shorten(caption, length)) > room:
        length -= 1
    return shorten(caption, length)


def _check(columns: Any, limit: Any, size: Any, caller: str) -> None:
    if columns is not None:
        whole(columns, 1, caller, "columns")
    whole(limit, 1, caller, "limit")
    if not 1 <= real(size, caller, "size") < math.inf:
        raise ValueError(f"{caller}: size must be at least 1 pixel, got {size}")


def _check_classes(targets: NDArray[Any], count: int) -> None:
    """Raise unless targets are numbers of ``count`` classes."""
    wrong = np.flatnonzero(~((targets >= 0) & (targets < count)))
    if wrong.size:
        raise ValueError(
            f"viz.misclassified: target {wrong[0]} is {targets[wrong[0]]}, and outputs score the "
            f"classes 0 to {count - 1}"
        )
