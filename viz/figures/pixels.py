"""Arrays as pixels: scaling to 0..255, and grids of pictures as PNG inside of SVG."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tensorgrad.utils.png import encode_png
from tensorgrad.viz.figures.svg import Element, element
from tensorgrad.viz.figures.words import shape

__all__ = ["as_array", "as_images", "picture", "shades", "to_bytes"]

Array = NDArray[Any]
COARSE = 5  # a pixel of so many pixels of the picture is seen as a square
WRONG = (179, 38, 30)  # what is not finite: no grey, so that it is seen


def as_array(value: Any, caller: str, name: str) -> Array:
    """The array of a Tensor, an array or nested lists (of Tensors too); a copy is not made.

    Raises ValueError where lists are of different lengths, TypeError where they are not of numbers.
    """
    if hasattr(value, "detach"):
        value = value.detach().numpy()
    if isinstance(value, list | tuple):
        value = [as_array(v, caller, name) if not _is_number(v) else v for v in value]
        shapes = {np.shape(v) for v in value}
        if len(shapes) > 1:
            a, b, *_ = sorted(shapes)
            raise ValueError(f"{caller}: {name} hold shapes {shape(a)} and {shape(b)}: they differ")
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        kind = array.dtype if isinstance(value, np.ndarray | list) else type(value).__name__
        raise TypeError(f"{caller}: {name} must be numbers, got {kind}")
    return array


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.generic)


def as_images(value: Any, caller: str) -> Array:
    """Images as (N, H, W) for grey or (N, H, W, 3) for colour.

    value: (H, W), (N, H, W), (N, 1, H, W), (N, 3, H, W) or (N, H, W, 3); numbers or bools.
    Raises ValueError for other shapes, TypeError for what is no array of numbers.
    """
    array = as_array(value, caller, "images")
    if array.ndim == 2:
        array = array[None]
    if array.ndim == 4 and array.shape[1] == 1:
        array = array[:, 0]
    elif array.ndim == 4 and array.shape[3] == 1:
        array = array[..., 0]
    elif array.ndim == 4 and array.shape[1] == 3:
        array = array.transpose(0, 2, 3, 1)
    if not (array.ndim == 3 or (array.ndim == 4 and array.shape[3] == 3)):
        raise ValueError(
            f"{caller}: images have shape {array.shape}; expected (N, H, W), (N, 1, H, W), "
            "(N, 3, H, W) or (N, H, W, 3); flat rows are reshaped with .reshape(-1, 28, 28)"
        )
    return array


def to_bytes(images: Array, *, each: bool = False, centred: bool = False) -> NDArray[np.uint8]:
    """Pixels of 0..255 in colour, (N, H, W, 3).

    uint8 is taken as it is if it reaches beyond 127, else from 0 to its greatest (the digits
    have 0..16); numbers within 0..1 (or bools) are 255 times them; others are scaled
    from the least to the greatest of all (of each image, if ``each``), and with ``centred`` so
    that 0 is the middle grey.  What is not finite is red.
    """
    if images.ndim == 3:
        images = np.repeat(images[..., None], 3, axis=3)
    if images.dtype == np.uint8:
        if images.max(initial=0) > 127 or not images.any():
            return images
        images = images / images.max()
    values = images.astype(np.float64)
    finite = np.isfinite(values)
    known = np.where(finite, values, 0.0)
    axes = tuple(range(1, 4)) if each else None
    low = np.where(finite, values, np.inf).min(axis=axes, keepdims=True, initial=np.inf)
    high = np.where(finite, values, -np.inf).max(axis=axes, keepdims=True, initial=-np.inf)
    low, high = (np.where(np.isfinite(v), v, 0.0) for v in (low, high))
    if centred:
        high = np.maximum(np.abs(low), np.abs(high))
        low = -high
    elif not each and low.min() >= 0 and high.max() <= 1:
        low, high = np.zeros_like(low), np.ones_like(high)
    with np.errstate(all="ignore"):
        half = np.where(high > low, high / 2 - low / 2, 1.0)  # halves: the difference may overflow
        share = np.where(high > low, (known / 2 - low / 2) / half, 0.5)
    pixels: NDArray[np.uint8] = np.clip(np.rint(share * 255), 0, 255).astype(np.uint8)
    bad = ~finite.all(axis=3)
    pixels[bad] = WRONG
    return pixels


def picture(x: float, y: float, width: float, height: float, pixels: Array) -> Element:
    """Pixels (H, W, 3) as an image of this size, its pixels sharp, its bytes inside of the SVG."""
    if (pixels == pixels[..., :1]).all():
        pixels = pixels[..., 0]  # a grey PNG is a third of the size
    # Renderers without image-rendering would blur a kernel of 5x5 to a cloud: few pixels are
    # written as squares of many.
    across = width / pixels.shape[1]
    times = int(2 * across) if across >= COARSE else 1
    pixels = pixels.repeat(times, 0).repeat(times, 1)
    data = base64.b64encode(encode_png(np.ascontiguousarray(pixels))).decode("ascii")
    made = element("image", x=x, y=y, width=width, height=height, preserveAspectRatio="none")
    # Hyphenated and camel-case names as SVG spells them; `element` would hyphenate underscores.
    made.attributes["image-rendering"] = "pixelated"
    made.attributes["href"] = f"data:image/png;base64,{data}"
    return made


def shades(pixels: NDArray[np.uint8], columns: int) -> list[str]:
    """An image as lines of text, a pixel two characters wide, at most ``columns`` wide."""
    grey = pixels.astype(np.float64).mean(axis=2)
    step = max(1, -(-grey.shape[1] * 2 // max(2, columns)))
    grey = grey[::step, ::step]
    return ["".join(" ░▒▓█"[min(4, int(v / 51.2))] * 2 for v in row) for row in grey]
