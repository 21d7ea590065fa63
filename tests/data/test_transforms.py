"""Transforms: shapes, scales and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data.transforms import Compose, Lambda, Normalize, ToTensor

IMAGE = np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)


def test_to_tensor_scales_bytes_and_puts_channels_first() -> None:
    tensor = ToTensor()(IMAGE)
    assert tensor.dtype == tg.float32
    assert tensor.is_contiguous()
    assert np.array_equal(tensor.numpy(), IMAGE.transpose(2, 0, 1).astype("f") / np.float32(255))
    assert tuple(ToTensor()(IMAGE[..., 0]).shape) == (1, 4, 5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.bool_])
def test_to_tensor_leaves_other_types_unscaled(dtype: Any) -> None:
    image = IMAGE.astype(dtype)
    tensor = ToTensor()(image)
    assert tensor.numpy().dtype == dtype
    assert np.array_equal(tensor.numpy(), image.transpose(2, 0, 1))
    assert not np.shares_memory(tensor.numpy(), image)


def test_to_tensor_takes_what_shows_itself_as_an_array() -> None:
    class Picture:
        def __init__(self, array: np.ndarray) -> None:
            self.__array_interface__ = array.__array_interface__
            self.kept = array

    assert np.array_equal(ToTensor()(Picture(IMAGE)).numpy(), ToTensor()(IMAGE).numpy())
    bits = ToTensor()(Picture(IMAGE[..., 0] > 99))
    assert bits.dtype == tg.float32
    assert bits.numpy().max() == 1.0


def test_to_tensor_refuses_what_is_no_image() -> None:
    with pytest.raises(TypeError, match="got list"):
        ToTensor()([[1]])
    with pytest.raises(TypeError, match="got Tensor"):
        ToTensor()(tg.zeros(2, 2))
    with pytest.raises(ValueError, match=r"\(H, W\) or \(H, W, C\), but this one has \(3,\)"):
        ToTensor()(np.zeros(3))


def test_normalize_per_channel_and_by_numbers() -> None:
    image = ToTensor()(IMAGE)
    mean, std = np.array([0.1, 0.2, 0.3], "f"), np.array([0.5, 1.0, 2.0], "f")
    expected = (image.numpy() - mean[:, None, None]) / std[:, None, None]
    before = image.numpy().copy()
    for values in ((mean.tolist(), std.tolist()), (tuple(mean.tolist()), std)):
        assert np.array_equal(Normalize(*values)(image).numpy(), expected)
    assert np.array_equal(image.numpy(), before)
    assert np.array_equal(Normalize(0.5, 0.5)(image).numpy(), (before - np.float32(0.5)) / 0.5)
    batch = tg.stack([image, image])
    assert np.array_equal(Normalize(mean, std)(batch).numpy()[1], expected)


def test_normalize_in_place_changes_and_returns_its_argument() -> None:
    image = ToTensor()(IMAGE)
    expected = Normalize((0.5,), (0.25,))(image).numpy()
    assert Normalize((0.5,), (0.25,), inplace=True)(image) is image
    assert np.array_equal(image.numpy(), expected)


@pytest.mark.parametrize(
    ("mean", "std", "image", "kind", "complaint"),
    [
        ((0.5,), (0.5,), IMAGE, TypeError, r"got ndarray; put ToTensor\(\) before"),
        ((0.5,), (0.5,), tg.zeros(3, 4, 5, dtype=tg.uint8), TypeError, "floating-point.*uint8"),
        (
            (0.5,),
            (0.5,),
            tg.zeros(4, 5),
            ValueError,
            r"\(..., C, H, W\) was expected, got \(4, 5\)",
        ),
        ((0.5, 0.5), (1.0,), tg.zeros(3, 4, 5), ValueError, "mean has 2 values.*3 channels"),
        ((0.5,), (1.0, 1.0), tg.zeros(3, 4, 5), ValueError, "std has 2 values.*3 channels"),
        ((0.5,), (0.0,), tg.zeros(3, 4, 5), ValueError, "has a zero"),
        ((0.5,), (1e-60,), tg.zeros(3, 4, 5), ValueError, "has a zero in .*float32"),
    ],
)
def test_normalize_refuses(
    mean: Any, std: Any, image: Any, kind: type[Exception], complaint: str
) -> None:
    with pytest.raises(kind, match=complaint):
        Normalize(mean, std)(image)


def test_compose_and_lambda() -> None:
    both = Compose([ToTensor(), Lambda(lambda image: image * 2), Normalize(0.5, 0.5)])
    assert np.allclose(both(IMAGE).numpy(), 4 * ToTensor()(IMAGE).numpy() - 1)
    assert repr(both) == (
        "Compose(\n    ToTensor()\n    Lambda()\n    Normalize(mean=0.5, std=0.5)\n)"
    )
    with pytest.raises(TypeError, match="item 1, 3, is not callable"):
        Compose([ToTensor(), 3])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="got int"):
        Lambda(3)  # type: ignore[arg-type]
