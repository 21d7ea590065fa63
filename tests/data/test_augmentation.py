"""Random flips and crops: what they may give, that a seed repeats them, what they refuse."""

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data.transforms import RandomCrop, RandomHorizontalFlip, RandomVerticalFlip

IMAGE = tg.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize(("kind", "axis"), [(RandomHorizontalFlip, 2), (RandomVerticalFlip, 1)])
def test_flips(kind: Any, axis: int) -> None:
    assert kind(0)(IMAGE) is IMAGE
    assert kind(1)(IMAGE).tolist() == IMAGE.flip(axis).tolist()
    pixels = np.arange(12).reshape(3, 4, 1)
    assert (kind(1)(pixels) == np.flip(pixels, axis - 1)).all()
    tg.manual_seed(0)
    found = {tuple(kind()(IMAGE).flatten().tolist()) for _ in range(20)}
    assert len(found) == 2
    assert repr(kind(0.25)) == f"{kind.__name__}(p=0.25)"


def test_crops() -> None:
    tg.manual_seed(0)
    crop = RandomCrop(2)
    found = {tuple(crop(IMAGE)[0].flatten().tolist()) for _ in range(60)}
    places = {tuple(IMAGE[0, i : i + 2, j : j + 2].flatten().tolist())
              for i in range(2) for j in range(3)}  # fmt: skip
    assert found == places
    tg.manual_seed(5)
    first = RandomCrop((3, 4), padding=2)(IMAGE)
    tg.manual_seed(5)
    assert RandomCrop((3, 4), padding=2)(IMAGE).tolist() == first.tolist()
    assert first.shape == (2, 3, 4)
    assert RandomCrop((3, 4))(IMAGE).tolist() == IMAGE.tolist()


def test_padding() -> None:
    whole = RandomCrop((5, 8), padding=(2, 1), fill=9)(IMAGE)
    assert whole[0, 0].tolist() == [9] * 8
    assert whole[0, 1].tolist() == [9, 9, 0, 1, 2, 3, 9, 9]
    edges = RandomCrop((4, 5), padding=(1, 0, 0, 1), padding_mode="edge")(IMAGE.numpy()[0])
    assert edges[0].tolist() == [0, 0, 1, 2, 3]
    assert edges[3].tolist() == [8, 8, 9, 10, 11]
    assert RandomCrop(6, pad_if_needed=True)(IMAGE).shape == (2, 6, 6)


def test_refused() -> None:
    with pytest.raises(ValueError, match="larger than input image"):
        RandomCrop(6)(IMAGE)
    with pytest.raises(ValueError, match="padding_mode"):
        RandomCrop(2, padding_mode="wrap")
    with pytest.raises(ValueError, match="positive"):
        RandomCrop(0)
    with pytest.raises(ValueError, match="one number or two"):
        RandomCrop((2, 2, 2))
    with pytest.raises(ValueError, match="1, 2 or 4"):
        RandomCrop(2, padding=(1, 2, 3))(IMAGE)
    with pytest.raises(ValueError, match="probability"):
        RandomHorizontalFlip(2)
    with pytest.raises(TypeError, match="list"):
        RandomVerticalFlip()([[1.0]])
    with pytest.raises(ValueError, match="H, W"):
        RandomVerticalFlip()(tg.zeros(3))
