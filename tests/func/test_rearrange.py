"""rearrange: patterns of named axes, and what is wrong with one."""

import pytest

import tensorgrad as tg
from tensorgrad.func import rearrange


def test_rearrange():
    t = tg.arange(24).reshape(2, 3, 4)
    assert rearrange(t, "a b (c d) -> d (a b) c", d=2).tolist() == t.reshape(6, 2, 2).permute(
        2, 0, 1).tolist()  # fmt: skip
    assert rearrange([t[0], t[1]], "a ... -> ... a").shape == (3, 4, 2)
    assert rearrange(t, "a b c -> b 1 (c a)").shape == (3, 1, 8)
    for pattern in ("a b -> a b", "a b c -> a b", "(a d) b c -> a d b c", "a b c", "2 b c -> b c"):
        with pytest.raises(ValueError, match="rearrange"):
            rearrange(t, pattern)
