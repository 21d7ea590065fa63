"""Sums for each channel."""

import numpy as np
import pytest

from tensorgrad.kernels import channels


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(16, 3, 30, 30), (7, 16, 13, 11), (5, 200, 9), (64, 1, 20, 20)])
def test_total(shape, dtype):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype(dtype)
    last = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
    axes = (0, *range(2, x.ndim))
    found, expected = channels.total(last, axes), x.sum(axes, dtype=float)
    assert (channels.total(x, axes) is None) == (shape[1] > 1)
    assert found.dtype == dtype
    assert found.shape == expected.shape
    assert np.allclose(found, expected, rtol=0, atol=1e-3 if dtype == np.float32 else 1e-10)


def test_other_sums_are_not_its_business():
    x = np.moveaxis(np.ones((16, 30, 30, 8), np.float32), -1, 1)
    assert channels.total(x, (0, 2)) is None
    assert channels.total(x, (0, 1, 2)) is None
    assert channels.total(x.astype(complex), (0, 2, 3)) is None
    assert channels.total(x[:2, :, :3, :3], (0, 2, 3)) is None
