"""Sobol sequences beside PyTorch's."""

import numpy as np
import pytest
import torch

import tensorgrad as tg

LIBRARIES = (tg, torch)


@pytest.mark.parametrize("dimension", [1, 3, 50])
def test_points(dimension):
    ours, theirs = (library.quasirandom.SobolEngine(dimension) for library in LIBRARIES)
    for n in (3, 1, 7):
        np.testing.assert_array_equal(ours.draw(n).numpy(), theirs.draw(n).numpy())
    for engine in (ours, theirs):
        engine.fast_forward(5)
    a, b = ours.draw(4, dtype=tg.float64), theirs.draw(4, dtype=torch.float64)
    np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert ours.num_generated == theirs.num_generated == 20
    a, b = (engine.reset().draw_base2(4).numpy() for engine in (ours, theirs))
    np.testing.assert_array_equal(a, b)
    assert repr(ours) == repr(theirs)


def test_scrambled():
    engine = tg.quasirandom.SobolEngine(2, scramble=True, seed=3)
    assert repr(engine) == repr(torch.quasirandom.SobolEngine(2, scramble=True, seed=3))
    points = engine.draw(64).numpy()
    # Balanced: as many points in each of 64 boxes.
    boxes = {(int(8 * x), int(8 * y)) for x, y in points}
    assert len(boxes) == 64
    assert (tg.quasirandom.SobolEngine(2, True, 3).draw(64).numpy() == points).all()
    out = tg.empty(0)
    assert engine.draw(2, out=out) is out
    assert out.shape == (2, 2)


def test_refused():
    for library in LIBRARIES:
        for dimension in (0, 30000):
            with pytest.raises(ValueError, match="Supported range"):
                library.quasirandom.SobolEngine(dimension)
        engine = library.quasirandom.SobolEngine(2)
        engine.draw(3)
        with pytest.raises(ValueError, match="power of 2"):
            engine.draw_base2(2)
