"""When an array may be seen under another shape: the rule against what NumPy does."""

import math

import numpy as np

from tensorgrad.views.strides import fits


def views(rng: np.random.Generator) -> np.ndarray:
    """Some view: cut, stepped, turned, repeated, with dimensions of length 1."""
    x = np.empty(rng.integers(1, 5, rng.integers(1, 5)), np.int8)
    for _ in range(rng.integers(0, 4)):
        axis = int(rng.integers(x.ndim))
        before = (slice(None),) * axis
        match rng.integers(5):
            case 0:
                x = x.transpose(rng.permutation(x.ndim))
            case 1:
                x = x[*before, :: int(rng.integers(1, 3))]
            case 2:
                x = x[*before, : max(1, x.shape[axis] - 1)]
            case 3:
                x = x[*before, None]
            case 4:
                x = np.broadcast_to(x, (2, *x.shape))
    return x


def test_fits_is_what_numpy_does_without_a_copy() -> None:
    rng = np.random.default_rng(0)
    answers = []
    for _ in range(3000):
        x = views(rng)
        sizes: list[int] = []
        left = x.size
        while left > 1:
            n = int(rng.choice([d for d in range(2, left + 1) if left % d == 0]))
            sizes.append(n)
            left //= n
        for _ in range(rng.integers(3)):
            sizes.insert(int(rng.integers(len(sizes) + 1)), 1)
        assert math.prod(sizes) == x.size
        try:
            x.reshape(sizes, copy=False)
            expected = True
        except ValueError:
            expected = False
        assert fits(x.shape, x.strides, tuple(sizes)) == expected, (x.shape, x.strides, sizes)
        answers.append(expected)
    assert 300 < sum(answers) < 2900


def test_nothing_fits_every_shape_without_elements() -> None:
    assert fits((0, 3), (12, 4), (5, 0))
