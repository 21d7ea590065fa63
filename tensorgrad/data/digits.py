"""Digits: 1,797 real handwritten digits of 8x8 pixels, part of the package."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tensorgrad.data.images import ImageDataset, check_labels

__all__ = ["Digits"]


class Digits(ImageDataset):
    """8x8 digits: 1,442 to train and 355 held out.

    ``train=False`` is every fifth image of each class, counted in the file's order (the fifth,
    the tenth, ...), ``train=True`` the others: a stratified fifth, the same on every machine
    because no random numbers are involved. The file goes through its 13 writers in turn, so both
    parts have digits of all of them.

    Pixels are 0 (paper) to 16 (ink), not 0 to 255. A ``transform`` therefore gets a float32 array
    of 0..1, so that ``ToTensor()`` means here what it means elsewhere. ``root=None`` reads the
    bundled file; otherwise ``root`` is a folder with a ``digits.npz`` of the same layout.

    Source: E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI
    Machine Learning Repository; see digits.md beside this file for the licence.
    """

    classes: ClassVar[list[str]] = [str(digit) for digit in range(10)]
    largest: ClassVar[int] = 16

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
    ) -> None:
        if root is None:
            source = files("tensorgrad.data").joinpath("digits.npz")
        else:
            source = Path(root).expanduser() / "digits.npz"
        if not source.is_file():
            raise FileNotFoundError(
                f"Digits: there is no file {source}; root=None reads the bundled one"
            )
        images, labels = _read(source.read_bytes(), str(source))
        held_out = _every_fifth_of_each_class(labels)
        chosen = ~held_out if train else held_out
        super().__init__(images[chosen], labels[chosen], train, transform, target_transform)

    def _for_transform(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.divide(pixels, self.largest, dtype=np.float32)


def _read(content: bytes, source: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            images, labels = archive["images"], archive["labels"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{source}: not an npz file with arrays 'images' and 'labels' ({error})"
        ) from error
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise ValueError(
            f"{source}: 'labels' is {labels.dtype} of shape {labels.shape}; integers of shape (N,) "
            "were expected"
        )
    if images.dtype != np.uint8 or images.shape != (len(labels), 8, 8) or (images > 16).any():
        raise ValueError(
            f"{source}: 'images' is {images.dtype} of shape {images.shape}; uint8 of shape "
            f"({len(labels)}, 8, 8) with values of 0 to 16 was expected"
        )
    return images, check_labels(labels, 10, source)


def _every_fifth_of_each_class(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    held_out = np.zeros(len(labels), np.bool_)
    for digit in range(10):
        held_out[np.flatnonzero(labels == digit)[4::5]] = True
    return held_out
