"""The real MNIST and CIFAR-10, where TENSORGRAD_DATA names a folder that has them."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import numpy as np
import pytest

from tensorgrad.data import CIFAR10, MNIST

FOLDER = os.environ.get("TENSORGRAD_DATA")

# The files cannot be part of the repository; everything that small made-up files can show is
# tested elsewhere without them.
pytestmark = pytest.mark.skipif(FOLDER is None, reason="TENSORGRAD_DATA names no folder of data")


@pytest.fixture(autouse=True)
def data_folder(no_data_folder: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENSORGRAD_DATA", str(FOLDER))


@pytest.mark.parametrize(
    ("train", "count", "first"), [(True, 60_000, [5, 0, 4, 1, 9]), (False, 10_000, [7, 2, 1, 0, 4])]
)
def test_mnist(train: bool, count: int, first: list[int]) -> None:
    dataset = MNIST(train=train)
    images, labels = dataset.arrays()
    assert images.shape == (count, 1, 28, 28)
    assert labels[:5].tolist() == first
    # The MD5 of the whole file is known; behind its header are the pixels.
    sums = {name: md5 for name, md5 in MNIST.resources if "images" in name}
    header = np.array([0x803, count, 28, 28], ">u4").tobytes()
    name = ("train" if train else "t10k") + "-images-idx3-ubyte"
    assert hashlib.md5(header + images.tobytes()).hexdigest() == sums[name]


@pytest.mark.parametrize(
    ("train", "count", "first"), [(True, 50_000, [6, 9, 9, 4, 1]), (False, 10_000, [3, 8, 8, 0, 6])]
)
def test_cifar10(train: bool, count: int, first: list[int]) -> None:
    dataset: Any = CIFAR10(train=train)
    images, labels = dataset.arrays()
    assert images.shape == (count, 3, 32, 32)
    assert dataset.data.shape == (count, 32, 32, 3)
    assert labels[:5].tolist() == first
    assert np.bincount(labels).tolist() == [count // 10] * 10
