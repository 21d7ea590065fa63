"""Random fills inside a mapped function."""

import pytest

import tensorgrad as tg
from tensorgrad.func import vmap


@pytest.mark.parametrize(
    "fill",
    [
        lambda x: x.exponential_(2.0),
        lambda x: x.cauchy_(),
        lambda x: x.geometric_(0.02),
        lambda x: x.log_normal_(),
    ],
)
def test_random_fills_for_each_example(fill):
    def drawn(row):
        return fill(tg.empty_like(row))

    tg.manual_seed(0)
    x = tg.zeros(50, 40)
    one = vmap(drawn, randomness="same")(x)
    assert tg.equal(one, one[:1].expand(50, 40))
    each = vmap(drawn, randomness="different")(x)
    assert each.shape == (50, 40)
    assert len({tuple(row) for row in each.tolist()}) == 50
    nested = vmap(vmap(drawn, randomness="different"), randomness="different")(tg.zeros(3, 4, 9))
    assert len({tuple(row) for row in nested.reshape(12, 9).tolist()}) == 12
    with pytest.raises(RuntimeError, match="randomness"):
        vmap(drawn)(x)
