"""MNIST: 70,000 handwritten digits of 28x28 pixels, from IDX files in a local folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tensorgrad.data.download import download as fetch
from tensorgrad.data.idx import read_idx
from tensorgrad.data.images import ImageDataset, check_labels
from tensorgrad.data.locate import data_folder, first_existing, not_found

__all__ = ["MNIST"]

# Where the files lie below the folder that holds data sets: torchvision's place is the last.
_PLACES = ("", "mnist", "MNIST", "mnist/raw", "MNIST/raw")
_LARGEST_FILE = 1 << 26  # 64 MiB; the training images are 47 MB unpacked


class MNIST(ImageDataset):
    """60,000 digits to train (``train=True``) and 10,000 to test.

    Reads the four IDX files, gzipped or not, from ``root`` (by default the folder named by the
    environment variable ``TENSORGRAD_DATA``) or from its folders ``mnist``, ``MNIST``,
    ``mnist/raw`` or ``MNIST/raw``. If they are not there, ``download=True`` fetches them into
    ``MNIST/raw``, torchvision's place; nothing is fetched otherwise. Files that are there but
    wrong raise ValueError naming the file and are never replaced.

    Source: Y. LeCun, C. Cortes and C. Burges, The MNIST database of handwritten digits.
    """

    mirrors: ClassVar[list[str]] = [
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ]
    # The MD5 of what the files unpack to: copies of them are often compressed anew.
    resources: ClassVar[list[tuple[str, str]]] = [
        ("train-images-idx3-ubyte", "6bbc9ace898e44ae57da46a324031adb"),
        ("train-labels-idx1-ubyte", "a25bea736e30d166cdddb491f175f624"),
        ("t10k-images-idx3-ubyte", "2646ac647ad5339dbf082846283269ea"),
        ("t10k-labels-idx1-ubyte", "27ae3e4e09519cfbb04c629615203637"),
    ]
    classes: ClassVar[list[str]] = [
        f"{digit} - {name}"
        for digit, name in enumerate(
            ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
        )
    ]

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
    ) -> None:
        folder = data_folder(root)
        split = "train" if train else "t10k"
        found = _find(folder, split)
        if found is None and download:
            self._download(folder / "MNIST" / "raw")
            found = _find(folder, split)
        if found is None:
            looked = [folder / place for place in _PLACES]
            names = f"{split}-images-idx3-ubyte and {split}-labels-idx1-ubyte (.gz or not)"
            raise not_found("MNIST", names, looked, root)
        images, labels = _read(*found)
        super().__init__(images, labels, train, transform, target_transform)

    def _download(self, folder: Path) -> None:
        for name, md5 in self.resources:
            target = folder / f"{name}.gz"
            if first_existing(folder, (name, target.name)) is None:
                urls = [mirror + target.name for mirror in self.mirrors]
                fetch(urls, target, md5=md5, limit=_LARGEST_FILE, unzipped=True)


def _find(folder: Path, split: str) -> tuple[Path, Path] | None:
    """The files of images and of labels, from one and the same place."""
    for place in _PLACES:
        images, labels = (
            first_existing(folder / place, (name, name + ".gz", dotted, dotted + ".gz"))
            for name, dotted in (
                # "train-images.idx3-ubyte" is what some archivers make of it.
                (f"{split}-images-idx3-ubyte", f"{split}-images.idx3-ubyte"),
                (f"{split}-labels-idx1-ubyte", f"{split}-labels.idx1-ubyte"),
            )
        )
        if images is not None and labels is not None:
            return images, labels
    return None


def _read(images_path: Path, labels_path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    images = read_idx(images_path, (None, 28, 28))
    labels = read_idx(labels_path, (None,))
    if len(images) != len(labels):
        raise ValueError(
            f"{images_path} has {len(images)} images, but {labels_path} has {len(labels)} labels; "
            "they do not belong together"
        )
    return images, check_labels(labels, 10, labels_path)
