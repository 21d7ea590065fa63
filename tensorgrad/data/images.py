"""What the image data sets share: byte images with labels, as samples, batches or whole arrays."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tensorgrad.creation import from_numpy
from tensorgrad.data.dataset import Dataset
from tensorgrad.tensor import Tensor

__all__ = ["ImageDataset", "check_labels"]


class ImageDataset(Dataset[tuple[Any, Any]]):
    """Images with class numbers, held in memory.

    Attributes, as in torchvision: ``data``, uint8 of shape (N, H, W) or (N, H, W, C); ``targets``,
    int64 of shape (N,); ``classes``, their names. Both arrays may be replaced or shortened.

    A sample is ``(image, label)``. Without a ``transform`` the image is a float32 Tensor of shape
    (C, H, W), scaled to 0..1, where torchvision would give a PIL image: what ``ToTensor()`` makes
    of it. A ``transform`` gets a copy of the image as an array (H, W) or (H, W, C); a
    ``target_transform`` gets the label, an int.
    """

    classes: ClassVar[list[str]]
    largest: ClassVar[int] = 255  # the pixel value that becomes 1

    data: NDArray[np.uint8]
    targets: NDArray[np.int64]

    def __init__(
        self,
        data: NDArray[np.uint8],
        targets: NDArray[np.int64],
        train: bool,
        transform: Callable[[Any], Any] | None,
        target_transform: Callable[[Any], Any] | None,
    ) -> None:
        for name, function in (("transform", transform), ("target_transform", target_transform)):
            if function is not None and not callable(function):
                raise TypeError(f"{type(self).__name__}: {name} must be callable, got {function!r}")
        self.data = data
        self.targets = targets
        self.train = train
        self.transform = transform
        self.target_transform = target_transform

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        position = operator.index(index)
        if not -len(self) <= position < len(self):
            raise IndexError(
                f"{type(self).__name__}: index {position} is out of range for {len(self)} images"
            )
        label: Any = int(self.targets[position])
        if self.target_transform is not None:
            label = self.target_transform(label)
        if self.transform is None:
            return self._scaled(_channels_first(self.data)[position]), label
        return self.transform(self._for_transform(self.data[position])), label

    def collated_items(self, indices: Sequence[int]) -> list[Tensor] | None:
        """A batch at once, (B, C, H, W) float32 and (B,) int64, where there is no transform."""
        positions = np.asarray(indices)
        if (
            self.transform is not None
            or self.target_transform is not None
            or positions.dtype.kind not in "iu"
        ):
            return None
        images = _channels_first(self.data)[positions]
        return [self._scaled(images), from_numpy(self.targets[positions])]

    def arrays(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """All images, uint8 (N, C, H, W) as networks take them, and all labels, int64 (N,).

        Not copied: they share memory with ``data`` and ``targets``. Pixels are as stored; an MLP
        on pixels minus the mean image takes ``x = images.reshape(len(images), -1).astype("f")``
        and ``x -= x.mean(axis=0)``, with the training images' mean.
        """
        return _channels_first(self.data), self.targets

    @property
    def class_to_idx(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.classes)}

    def _scaled(self, pixels: NDArray[np.uint8]) -> Tensor:
        scaled: NDArray[np.float32] = pixels.astype(np.float32, order="C")
        scaled /= np.float32(self.largest)
        return from_numpy(scaled)

    def _for_transform(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        # A copy: a transform that works in place must not change the data set.
        return pixels.copy()

    def __repr__(self) -> str:
        split = "train" if self.train else "test"
        return (
            f"{type(self).__name__}({split}, {len(self)} images of "
            f"{'x'.join(map(str, self.data.shape[1:]))}, {len(self.classes)} classes)"
        )


def _channels_first(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(N, C, H, W), without a copy, of (N, H, W) or (N, H, W, C)."""
    return data[:, np.newaxis] if data.ndim == 3 else data.transpose(0, 3, 1, 2)


def check_labels(labels: NDArray[Any], classes: int, source: object) -> NDArray[np.int64]:
    """The labels as int64; ValueError naming the file if one is not in 0..classes-1."""
    if wrong := np.flatnonzero((labels < 0) | (labels >= classes)).tolist():
        raise ValueError(
            f"{source}: label {labels[wrong[0]]} at position {wrong[0]}, but labels are from 0 to "
            f"{classes - 1}"
        )
    return labels.astype(np.int64)
