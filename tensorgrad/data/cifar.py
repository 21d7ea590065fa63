"""CIFAR-10: 60,000 colour photographs of 32x32 pixels, from a local folder or archive."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from tensorgrad.data.cifar_files import find, read_binary_archive, read_split
from tensorgrad.data.download import download as fetch
from tensorgrad.data.images import ImageDataset
from tensorgrad.data.locate import data_folder, not_found

__all__ = ["CIFAR10"]

_LARGEST_ARCHIVE = 1 << 28  # 256 MiB; the archive has 170,052,171 bytes


class CIFAR10(ImageDataset):
    """50,000 photographs to train (``train=True``) and 10,000 to test.

    Reads the binary version (``cifar-10-batches-bin``) or the python version
    (``cifar-10-batches-py``), unpacked or in its ``.tar.gz``, from ``root`` (by default the folder
    named by the environment variable ``TENSORGRAD_DATA``) or from its folders ``cifar10``,
    ``CIFAR10``, ``cifar-10`` or ``cifar``. The pickles of the python version are read without
    running anything in them. If nothing is there, ``download=True`` fetches the binary version
    into ``cifar-10-batches-bin``; nothing is fetched otherwise. Files that are there but wrong
    raise ValueError naming the file and are never replaced.

    Source: A. Krizhevsky (2009), Learning Multiple Layers of Features from Tiny Images.
    """

    mirrors: ClassVar[list[str]] = [
        "https://www.cs.toronto.edu/~kriz/",
        "https://cave.cs.toronto.edu/kriz/",
    ]
    # The binary version, not the python one: nothing in it has to be unpickled.
    archive: ClassVar[tuple[str, str]] = (
        "cifar-10-binary.tar.gz",
        "c32a1d4ab5d03f1284b67883e8d87530",
    )
    classes: ClassVar[list[str]] = [
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
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
        source, looked = find(folder)
        if source is None and download:
            self._download(folder)
            source, looked = find(folder)
        if source is None:
            raise not_found(
                "CIFAR10", "the binary version and the python version were", looked, root
            )
        images, labels = read_split(source, train)
        # Kept as in the file, (N, C, H, W), and shown as torchvision has it, (N, H, W, C).
        super().__init__(images.transpose(0, 2, 3, 1), labels, train, transform, target_transform)

    def _download(self, folder: Path) -> None:
        """Fetch and unpack; the folder appears complete or not at all, and the archive goes."""
        name, md5 = self.archive
        archive = folder / name
        fetch([mirror + name for mirror in self.mirrors], archive, md5=md5, limit=_LARGEST_ARCHIVE)
        part = folder / f".cifar-10-batches-bin.{secrets.token_hex(8)}.part"
        try:
            part.mkdir()
            # Members are picked by their expected names; no name in the archive becomes a path.
            for file, content in read_binary_archive(archive).items():
                (part / file).write_bytes(content)
            part.rename(folder / "cifar-10-batches-bin")
        finally:
            shutil.rmtree(part, ignore_errors=True)
        archive.unlink()
