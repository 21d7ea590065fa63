"""The summaries beside those that PyTorch makes."""

from __future__ import annotations

import numpy as np
import pytest
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard import summary as theirs

from tensorgrad.utils.tensorboard import summaries as ours

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("new_style", [False, True])
@pytest.mark.parametrize("double", [False, True])
def test_scalar(new_style, double):
    expected = theirs.scalar("a", 1.25, new_style=new_style, double_precision=double)
    assert ours.scalar("a", np.array([[1.25]]), new_style, double) == expected


@pytest.mark.parametrize("values", [RNG.normal(size=(30, 4)), np.zeros(5), np.arange(7)])
@pytest.mark.parametrize(("bins", "max_bins"), [("auto", None), ("tensorflow", None), (64, 10)])
def test_histogram(values, bins, max_bins, tmp_path):
    edges = bins
    if bins == "tensorflow":
        with SummaryWriter(tmp_path) as writer:
            edges = writer.default_bins
    expected = theirs.histogram("a", values, edges, max_bins=max_bins).value[0].histo
    found = ours.histogram("a", values, bins, max_bins).value[0].histo
    assert list(found.bucket_limit) == list(expected.bucket_limit)
    assert list(found.bucket) == list(expected.bucket)
    for name in ("min", "max", "num", "sum", "sum_squares"):
        assert getattr(found, name) == getattr(expected, name), name


def test_text():
    assert ours.text("a", "b ü") == theirs.text("a", "b ü")


@pytest.mark.parametrize(
    ("shape", "formats"),
    [((3, 4, 5), "CHW"), ((4, 5, 3), "HWC"), ((4, 5), "HW"), ((9, 3, 4, 5), "NCHW")],
)
@pytest.mark.parametrize("kind", ["float32", "uint8"])
def test_image(shape, formats, kind):
    import io

    from PIL import Image

    pixels = RNG.uniform(0, 1.2, shape).astype("f")
    if kind == "uint8":
        pixels = (pixels * 200).astype(np.uint8)
    expected = theirs.image("a", pixels, dataformats=formats).value[0].image
    found = ours.image("a", pixels, formats).value[0].image
    assert (found.height, found.width, found.colorspace) == (
        expected.height, expected.width, expected.colorspace,
    )  # fmt: skip
    a, b = (np.asarray(Image.open(io.BytesIO(i.encoded_image_string))) for i in (found, expected))
    np.testing.assert_array_equal(a, b)
