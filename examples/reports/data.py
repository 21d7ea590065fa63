"""The reports' data, prepared as each of them did, or as its course's starter code does."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tensorgrad.data import CIFAR10, MNIST


def read(dataset: Any, folder: str | None, train: bool) -> tuple[Any, Any]:
    """Images and labels of a data set, downloaded with its checksum if it is not there."""
    try:
        images, labels = dataset(folder, train=train, download=True).arrays()
    except RuntimeError as error:  # no network
        raise FileNotFoundError(
            f"{error}\nName a folder that has {dataset.__name__}: --data FOLDER or TENSORGRAD_DATA"
        ) from error
    return images, labels


class Split(NamedTuple):
    """Images (N, C, H, W) or rows (N, D) as float32, and labels (N,) as int64."""

    x: Any
    y: Any

    def flat(self) -> Split:
        """Images as rows."""
        return Split(self.x.reshape(len(self.x), -1), self.y)

    def first(self, n: int) -> Split:
        """The first ``n``."""
        return Split(self.x[:n], self.y[:n])

    def last(self, n: int) -> Split:
        """The last ``n``."""
        return Split(self.x[-n:], self.y[-n:])

    def but_last(self, n: int) -> Split:
        """All but the last ``n``."""
        return Split(self.x[:-n], self.y[:-n])


def cifar(folder: str | None, preparation: str, limit: int | None = None) -> tuple[Split, Split]:
    """CIFAR-10's training and test images.

    preparation: ``"centred"``: 0..255 minus the mean image of the training set;
        ``"standard"``: per channel to mean 0 and standard deviation 1;
        ``"half"``: 0..1, minus 0.5, over 0.5.
    limit: only so many of each, for quick runs.
    """
    if preparation not in ("centred", "standard", "half"):
        raise ValueError(f"cifar: unknown preparation {preparation!r}")
    found = []
    for train in (True, False):
        pixels, labels = read(CIFAR10, folder, train)
        found.append(Split(pixels[:limit].astype(np.float32, order="C"), labels[:limit]))
    training = found[0].x
    if preparation == "centred":
        shift, scale = training.mean(0), 1.0
    elif preparation == "standard":
        shift, scale = (f(training, (0, 2, 3), keepdims=True) for f in (np.mean, np.std))
    else:
        shift, scale = 127.5, 127.5
    for images, _ in found:
        images -= np.float32(shift) if np.isscalar(shift) else shift
        images /= np.float32(scale) if np.isscalar(scale) else scale
    return found[0], found[1]


def mnist(folder: str | None, limit: int | None = None) -> tuple[Split, Split]:
    """MNIST's training and test images, pixels / 255: (N, 1, 28, 28)."""
    found = []
    for train in (True, False):
        images, labels = read(MNIST, folder, train)
        pixels = images[:limit].astype(np.float32).reshape(-1, 1, 28, 28) / np.float32(255)
        found.append(Split(pixels, labels[:limit].astype(np.int64)))
    return found[0], found[1]


def synthetic(seed: int, train: int = 60_000) -> Split:
    """Report 002's two classes of points in the plane.

    x ~ N(0, I), y = 1 where x.T A x > 0.6 with A = [[1, 0.5], [1, 0.2]]: 45.7 % are positive.
    """
    x = np.random.default_rng(seed).standard_normal((train, 2))
    form = np.array([[1, 0.5], [1, 0.2]])
    return Split(x, (np.einsum("ni,ij,nj->n", x, form, x) > 0.6).astype(np.int64))
