"""Random changes of single images, as in torchvision: flips and crops.

They take a Tensor (..., H, W) or an array (H, W) or (H, W, C), give back the same kind, and draw
from the default generator, so that `manual_seed` (and a loader's seeds for its workers) repeats
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad.creation import from_numpy
from tensorgrad.random import rng_of
from tensorgrad.tensor import Tensor

__all__ = ["RandomCrop", "RandomHorizontalFlip", "RandomVerticalFlip"]


def _axes(name: str, image: Any) -> tuple[int, int]:
    """The axes of height and width."""
    if isinstance(image, Tensor):
        if image.ndim < 2:
            raise ValueError(f"{name}: shape (..., H, W) was expected, got {tuple(image.shape)}")
        return image.ndim - 2, image.ndim - 1
    if isinstance(image, np.ndarray):
        if image.ndim not in (2, 3):
            raise ValueError(
                f"{name}: an array has shape (H, W) or (H, W, C), but this one has {image.shape}"
            )
        return 0, 1
    raise TypeError(f"{name}: a Tensor or an ndarray was expected, got {type(image).__name__}")


class _RandomFlip:
    """A flip along one of the two axes, with probability p."""

    which: int

    def __init__(self, p: float = 0.5) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"{type(self).__name__}: p is a probability, got {p}")
        self.p = p

    def __call__(self, img: Any) -> Any:
        axis = _axes(type(self).__name__, img)[self.which]
        if rng_of(None).random() >= self.p:
            return img
        return img.flip(axis) if isinstance(img, Tensor) else np.flip(img, axis).copy()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class RandomHorizontalFlip(_RandomFlip):
    """Left and right exchanged, with probability p."""

    which = 1


class RandomVerticalFlip(_RandomFlip):
    """Top and bottom exchanged, with probability p."""

    which = 0


_MODES = {"constant": "constant", "edge": "edge", "reflect": "reflect", "symmetric": "symmetric"}


class RandomCrop:
    """A part of size (h, w) at a random place.

    size: a number for squares, or (h, w).
    padding: added around the image before: a number, (left and right, top and bottom), or
        (left, top, right, bottom).
    pad_if_needed: an image that is too small is padded to the size, on both sides.
    fill: what constant padding consists of.
    padding_mode: "constant", "edge", "reflect" (the border itself not repeated) or "symmetric".
    """

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int | Sequence[int] | None = None,
        pad_if_needed: bool = False,
        fill: float = 0,
        padding_mode: str = "constant",
    ) -> None:
        sizes = (size, size) if isinstance(size, int) else tuple(size)
        if len(sizes) != 2:
            raise ValueError(f"RandomCrop: size must be one number or two, got {size}")
        height, width = sizes
        if height < 1 or width < 1:
            raise ValueError(f"RandomCrop: size must be positive, got {size}")
        if padding_mode not in _MODES:
            raise ValueError(
                f"RandomCrop: padding_mode is one of {sorted(_MODES)}, got {padding_mode!r}"
            )
        self.size = (int(height), int(width))
        self.padding, self.pad_if_needed = padding, pad_if_needed
        self.fill, self.padding_mode = fill, padding_mode

    def _borders(self) -> tuple[int, int, int, int]:
        """left, top, right, bottom"""
        p = self.padding
        if p is None:
            return 0, 0, 0, 0
        if isinstance(p, int):
            return p, p, p, p
        given = tuple(int(n) for n in p)
        if len(given) == 1:
            return given * 4
        if len(given) == 2:
            return given[0], given[1], given[0], given[1]
        if len(given) == 4:
            return given
        raise ValueError(f"RandomCrop: padding has 1, 2 or 4 numbers, got {self.padding}")

    def __call__(self, img: Any) -> Any:
        rows, columns = _axes("RandomCrop", img)
        array = img.detach().numpy() if isinstance(img, Tensor) else img
        left, top, right, bottom = self._borders()
        array = self._padded(array, rows, (top, bottom))
        array = self._padded(array, columns, (left, right))
        for axis, wanted in ((rows, self.size[0]), (columns, self.size[1])):
            missing = wanted - array.shape[axis]
            if missing > 0 and self.pad_if_needed:
                array = self._padded(array, axis, (missing, missing))
        spare = [array.shape[a] - n for a, n in zip((rows, columns), self.size, strict=True)]
        if min(spare) < 0:
            raise ValueError(
                f"Required crop size {self.size} is larger than input image size "
                f"{(array.shape[rows], array.shape[columns])}"
            )
        rng = rng_of(None)
        for axis, room, wanted in zip((rows, columns), spare, self.size, strict=True):
            start = int(rng.integers(0, room + 1))
            array = array[(slice(None),) * axis + (slice(start, start + wanted),)]
        array = np.ascontiguousarray(array)
        return from_numpy(array) if isinstance(img, Tensor) else array

    def _padded(self, array: Any, axis: int, widths: tuple[int, int]) -> Any:
        if not any(widths):
            return array
        every = [(0, 0)] * array.ndim
        every[axis] = widths
        mode: Any = _MODES[self.padding_mode]
        words = {"constant_values": self.fill} if mode == "constant" else {}
        return np.pad(array, every, mode, **words)

    def __repr__(self) -> str:
        return f"RandomCrop(size={self.size}, padding={self.padding})"
