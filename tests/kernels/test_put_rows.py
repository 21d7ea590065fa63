"""Rows added at positions, by sorting them: the gradient of an embedding."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.primitive import raw


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("shape", [(3000,), (70, 50), (2, 40, 30)])
def test_large_ones_are_those_of_add_at(axis, shape):
    rng = np.random.default_rng(0)
    index = rng.integers(-7, 7, shape)  # one position has two names
    wide = [4, 5]
    wide[axis] = 7
    rest = [n for i, n in enumerate(wide) if i != axis % 2]
    at = axis % 2
    x = rng.standard_normal((*rest[:at], *shape, *rest[at:]))
    assert x.size >= 4096
    found = raw.index_put_rows(x, index=index, axis=axis % 2, shape=tuple(wide))
    expected = np.zeros(wide)
    source = np.moveaxis(x, range(at, at + index.ndim), range(index.ndim))
    np.add.at(np.moveaxis(expected, at, 0), index, source)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_of_an_embedding():
    table = tg.zeros(50, 96, dtype=tg.float64, requires_grad=True)
    index = tg.arange(100) % 48
    table[index].sum().backward()
    assert table.grad.sum(1).tolist() == [288.0] * 4 + [192.0] * 44 + [0.0] * 2
