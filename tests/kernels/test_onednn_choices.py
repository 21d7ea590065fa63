"""Which convolutions oneDNN leaves to NumPy, since those are faster."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.kernels import convolution as numpy_convolution


@pytest.mark.parametrize(
    ("images", "channels", "size", "chosen"),
    [
        (32, 256, 8, ["onednn", "winograd", "winograd"]),
        (32, 128, 8, ["onednn", "winograd", "winograd"]),
        (32, 64, 8, ["onednn"] * 3),
        (8, 256, 8, ["onednn"] * 3),
        (32, 512, 2, ["onednn", "onednn", "by place"]),
        (1, 512, 2, ["one image", "onednn", "onednn"]),
        (1, 64, 40, ["onednn"] * 3),
    ],
)
def test_where_numpy_is_faster_it_computes(onednn, images, channels, size, chosen):
    problem = numpy_convolution.Problem(
        (images, channels, size, size), (channels, channels, 3, 3), (1, 1), ((1, 1), (1, 1)),
        (1, 1), 1, np.dtype(np.float32),
    )  # fmt: skip
    with tg.backends.use_kernels("auto"):
        found = [
            getattr(numpy_convolution, name).explain(problem).kernel.name
            for name in ("convolve", "input_gradient", "weight_gradient")
        ]
    assert found == chosen


def test_between_convolutions_of_one_image_numpy_computes_too(onednn):
    def chosen(*shape):
        x = tg.randn(*shape)
        tg.nn.functional.batch_norm(x, None, None, training=True)
        tg.nn.functional.max_pool2d(x, 2)
        names = ("batch_norm", "max_pool")
        return [tg.backends.kernels(name)[-1].kernel == "onednn" for name in names]

    with tg.backends.use_kernels("auto"):
        assert chosen(1, 64, 32, 32) == [False, False]
        assert chosen(1, 64, 40, 40) == [True, True]
        assert chosen(2, 64, 32, 32) == [True, True]
        assert chosen(1, 32, 32, 32) == [True, True]
