"""The reports' data, prepared as each of them did, or as its course's starter code does."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tensorgrad.data import CIFAR10, MNIST


class Split(NamedTuple):
    """Images (N, C, H, W) or (N, D) as float32, and labels (N,) as int64."""

    x: Any
    y: Any


def cifar(folder: str | None, preparation: str, limit: int | None = None) -> tuple[Split, Split]:
    """CIFAR-10's training and test images.

    preparation: ``"centred"``: 0..255 minus the mean image of the training set;
        ``"standard"``: per channel to mean 0 and standard deviation 1;
        ``"half"``: 0..1, minus 0.5, over 0.5.
    limit: only so many of each, for quick runs.
    """
    train, test = (CIFAR10(folder, train=kind).arrays() for kind in (True, False))
    images, test_images = (pixels[:limit].astype(np.float32) for pixels, _ in (train, test))
    if preparation == "centred":
        mean = images.mean(0)
        images -= mean
        test_images -= mean
    elif preparation == "standard":
        axes = (0, 2, 3)
        mean, deviation = (f(images, axis=axes, keepdims=True) for f in (np.mean, np.std))
        images, test_images = ((pixels - mean) / deviation for pixels in (images, test_images))
    elif preparation == "half":
        images, test_images = (pixels / 127.5 - 1 for pixels in (images, test_images))
    else:
        raise ValueError(f"unknown preparation {preparation!r}")
    return Split(images, train[1][:limit]), Split(test_images, test[1][:limit])


def mnist(folder: str | None, limit: int | None = None) -> tuple[Split, Split]:
    """MNIST's training and test images, pixels / 255: (N, 1, 28, 28)."""
    splits = []
    for train in (True, False):
        images, labels = MNIST(folder, train=train).arrays()
        pixels = images[:limit].astype(np.float32).reshape(-1, 1, 28, 28) / 255
        splits.append(Split(pixels, labels[:limit].astype(np.int64)))
    return splits[0], splits[1]


def synthetic(seed: int, train: int = 60_000, test: int = 10_000) -> tuple[Split, Split]:
    """Report 002's two classes in the plane, which a parabola of second degree separates.

    x ~ N(0, I), y = 1 where x.T A x > 0.6 with A = [[1, 0.5], [1, 0.2]]: 45.7 % are positive.
    """
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((train + test, 2))
    form = np.array([[1, 0.5], [1, 0.2]])
    y = (np.einsum("ni,ij,nj->n", x, form, x) > 0.6).astype(np.int64)
    return Split(x[:train], y[:train]), Split(x[train:], y[train:])
