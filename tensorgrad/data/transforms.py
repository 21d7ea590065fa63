"""Transforms of single images, as in torchvision: composed, and given to a data set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorgrad.creation import as_tensor, from_numpy
from tensorgrad.data.augmentation import RandomCrop, RandomHorizontalFlip, RandomVerticalFlip
from tensorgrad.tensor import Tensor

__all__ = [
    "Compose",
    "Lambda",
    "Normalize",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomVerticalFlip",
    "ToTensor",
]


class Compose:
    """Transforms applied one after another."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        for position, transform in enumerate(transforms):
            if not callable(transform):
                raise TypeError(f"Compose: item {position}, {transform!r}, is not callable")
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        lines = "".join(f"\n    {transform}" for transform in self.transforms)
        return f"Compose({lines}\n)"


class ToTensor:
    """An image as a Tensor (C, H, W): bytes scaled from 0..255 to float32 0..1, others unscaled.

    Takes an array (H, W) or (H, W, C), or what shows itself to NumPy as one (a PIL image). The
    Tensor never shares memory with the image.
    """

    def __call__(self, pic: Any) -> Tensor:
        if isinstance(pic, np.ndarray):
            array = pic
        elif hasattr(pic, "__array_interface__"):
            array = np.asarray(pic)
            if (
                array.dtype == np.bool_
            ):  # a PIL image of one bit: its white is 255, as in torchvision
                array = array * np.uint8(255)
        else:
            raise TypeError(
                f"ToTensor: an ndarray or an image was expected, got {type(pic).__name__}"
            )
        if array.ndim not in (2, 3):
            raise ValueError(
                f"ToTensor: an image has shape (H, W) or (H, W, C), but this one has {array.shape}"
            )
        planes = array[np.newaxis] if array.ndim == 2 else array.transpose(2, 0, 1)
        if array.dtype != np.uint8:
            return from_numpy(planes.copy(order="C"))
        scaled = planes.astype(np.float32, order="C")
        scaled /= np.float32(255)
        return from_numpy(scaled)

    def __repr__(self) -> str:
        return "ToTensor()"


class Normalize:
    """(x - mean) / std, per channel, of a floating-point Tensor (..., C, H, W).

    ``mean`` and ``std`` are numbers or have one value per channel. ``inplace=True`` changes the
    Tensor it is given, and returns it.
    """

    def __init__(
        self, mean: float | Sequence[float], std: float | Sequence[float], inplace: bool = False
    ) -> None:
        self.mean = mean
        self.std = std
        self.inplace = inplace

    def __call__(self, tensor: Tensor) -> Tensor:
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"Normalize: a Tensor was expected, got {type(tensor).__name__}; "
                "put ToTensor() before it"
            )
        if not tensor.dtype.is_floating_point:
            raise TypeError(f"Normalize: a floating-point Tensor was expected, got {tensor.dtype}")
        if tensor.ndim < 3:
            raise ValueError(
                f"Normalize: shape (..., C, H, W) was expected, got {tuple(tensor.shape)}"
            )
        mean = self._per_channel("mean", self.mean, tensor)
        std = self._per_channel("std", self.std, tensor)
        if not np.all(std._array):
            raise ValueError(f"Normalize: std={self.std} has a zero in {tensor.dtype}")
        if self.inplace:
            return tensor.sub_(mean).div_(std)
        return (tensor - mean) / std

    @staticmethod
    def _per_channel(name: str, values: float | Sequence[float], like: Tensor) -> Tensor:
        column = as_tensor(values, dtype=like.dtype).reshape(-1, 1, 1)
        if column.shape[0] not in (1, like.shape[-3]):
            raise ValueError(
                f"Normalize: {name} has {column.shape[0]} values, but the image has "
                f"{like.shape[-3]} channels (shape {tuple(like.shape)})"
            )
        return column

    def __repr__(self) -> str:
        return f"Normalize(mean={self.mean}, std={self.std})"


class Lambda:
    """A function of yours as a transform."""

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        if not callable(lambd):
            raise TypeError(f"Lambda: a function was expected, got {type(lambd).__name__}")
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        return self.lambd(img)

    def __repr__(self) -> str:
        return "Lambda()"
