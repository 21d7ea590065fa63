"""Attention and the Transformer beside PyTorch's: values, gradients, masks, errors, state."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from parity.nn_compare import assert_same, compare, errors, numbers, sides
from parity.nn_modules import both, check

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.kernels import attention as kernel

Q, K, V = numbers(2, 3, 4, 5), numbers(2, 3, 6, 5, seed=1), numbers(2, 3, 6, 2, seed=2)
SEEN = np.random.default_rng(3).random((2, 1, 4, 6)) < 0.6
SEEN[0, 0, 1] = False  # a query that sees nothing
BEYOND = np.where(SEEN, 0.5, -np.inf)


def sdpa(s, *arrays, **words):
    return s.F.scaled_dot_product_attention(*(s.leaf(a) for a in arrays), **words)


CASES = {
    "plain": lambda s: sdpa(s, Q, K, V),
    "bools": lambda s: sdpa(s, Q, K, V, attn_mask=s.const(SEEN)),
    "numbers": lambda s: sdpa(s, Q, K, V, attn_mask=s.leaf(numbers(4, 6))),
    "numbers of minus infinity": lambda s: sdpa(s, Q, K, V, attn_mask=s.leaf(BEYOND)),
    "one per key": lambda s: sdpa(s, Q, K, V, attn_mask=s.leaf(numbers(2, 3, 1, 6))),
    "one per query": lambda s: sdpa(s, Q, K, V, attn_mask=s.leaf(numbers(3, 4, 1))),
    "causal, more keys": lambda s: sdpa(s, Q, K, V, is_causal=True),
    "mask and causal": lambda s: sdpa(s, Q, K, K, attn_mask=s.const(SEEN), is_causal=True),
    "numbers and causal": lambda s: sdpa(s, Q, K, K, attn_mask=s.const(BEYOND), is_causal=True),
    "causal, fewer keys": lambda s: sdpa(s, K, Q, Q, is_causal=True),
    "scale": lambda s: sdpa(s, Q, K, V, scale=-0.7),
    "no scale": lambda s: sdpa(s, Q, K, V, scale=0.0),
    "matrices": lambda s: sdpa(s, Q[0, 0], K[0, 0], V[0, 0]),
    "broadcast": lambda s: sdpa(s, Q, K[:1], V[0]),
    "grouped": lambda s: sdpa(s, numbers(2, 6, 4, 5), K, V, enable_gqa=True),
    "grouped apart": lambda s: sdpa(s, numbers(2, 6, 4, 5), K, V[:, :2], enable_gqa=True),
    "not grouped": lambda s: sdpa(s, Q, K, V, enable_gqa=True),
    "no queries": lambda s: sdpa(s, Q[:, :, :0], K, V),
    "no keys": lambda s: sdpa(s, Q, K[:, :, :0], V[:, :, :0]),
    "no features": lambda s: sdpa(s, Q[..., :0], K[..., :0], V),
    "no values": lambda s: sdpa(s, Q, K, V[..., :0]),
    "all dropped": lambda s: sdpa(s, Q, K, V, dropout_p=1.0),
    "large": lambda s: sdpa(s, 40 * Q, 40 * K, V),
    "strided": lambda s: s.F.scaled_dot_product_attention(
        s.leaf(Q).transpose(0, 1), s.leaf(K).transpose(0, 1), s.leaf(V)[:, :, ::1].transpose(0, 1)
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_attention(name):
    compare(CASES[name])


@pytest.mark.parametrize("name", ["bools", "numbers of minus infinity", "causal, more keys"])
@pytest.mark.parametrize("limit", ["_CHUNK", "_KEPT"])
def test_pieces_and_recomputing_change_nothing(monkeypatch, request, name, limit):
    monkeypatch.setattr(kernel, limit, 24)
    kernel._plan.cache_clear()
    request.addfinalizer(kernel._plan.cache_clear)
    compare(CASES[name])


def test_dropped_weights_are_scaled():
    tg.manual_seed(0)
    q = tg.zeros(1, 200, 4)
    out = nn.functional.scaled_dot_product_attention(
        q, tg.zeros(1, 50, 4), tg.ones(1, 50, 1), dropout_p=0.4
    )
    share = out.numpy() * 50 * 0.6
    assert np.allclose(share, np.rint(share), atol=1e-4)
    assert 0.95 < out.mean().item() < 1.05
    assert out.std().item() > 0.05


ERRORS = {
    "mask and causal, other values": lambda s: sdpa(
        s, Q, K, V, attn_mask=s.const(SEEN), is_causal=True
    ),
    "mask and causal, three dimensions": lambda s: sdpa(
        s, Q[0], K[0], K[0], attn_mask=s.const(SEEN[0, 0]), is_causal=True
    ),
    "mask and causal, a gradient": lambda s: sdpa(
        s, Q, K, K, attn_mask=s.leaf(BEYOND), is_causal=True
    ),
    "mask and causal, dropout": lambda s: sdpa(
        s, Q, K, K, attn_mask=s.const(SEEN), is_causal=True, dropout_p=0.5
    ),
    "whole mask": lambda s: sdpa(s, Q, K, V, attn_mask=s.const(SEEN.astype(int))),
    "dtype": lambda s: sdpa(s, Q, K.astype(np.float32), V),
    "a vector": lambda s: sdpa(s, Q[0, 0, 0], K, V),
    "lengths": lambda s: sdpa(s, Q, K, V[:, :, :4]),
    "features": lambda s: sdpa(s, Q, K[..., :4], V),
    "batch": lambda s: sdpa(s, Q, numbers(3, 3, 6, 5), V),
    "mask's shape": lambda s: sdpa(s, Q, K, V, attn_mask=s.const(SEEN[..., :3, :])),
    "mask's batch": lambda s: sdpa(s, Q, K, V, attn_mask=s.const(np.ones((7, 2, 3, 4, 6), bool))),
    "mask's rank": lambda s: sdpa(s, Q, K, V, attn_mask=s.const(SEEN[0, 0, 0])),
    "heads": lambda s: sdpa(s, numbers(2, 4, 4, 5), K, V, enable_gqa=True),
    "heads, not shared": lambda s: sdpa(s, numbers(2, 6, 4, 5), K, V),
    "probability": lambda s: sdpa(s, Q, K, V, dropout_p=1.5),
    "a list": lambda s: s.F.scaled_dot_product_attention([1], s.const(K), s.const(V)),
    "no heads": lambda s: s.nn.MultiheadAttention(4, 0),
    "indivisible": lambda s: s.nn.MultiheadAttention(5, 2),
    "mha, width": lambda s: mha(s, numbers(3, 2, 5), K[0], K[0]),
    "mha, ranks": lambda s: mha(s, numbers(3, 2, 4), numbers(3, 4), numbers(3, 4)),
    "mha, rank": lambda s: mha(s, *[numbers(3)] * 3),
    "mha, lengths": lambda s: mha(s, numbers(3, 2, 4), numbers(3, 2, 4), numbers(4, 2, 4)),
    "mha, mask": lambda s: mha(s, *[numbers(3, 2, 4)] * 3, attn_mask=s.const(numbers(2, 2))),
    "mha, 3-D mask": lambda s: mha(s, *[numbers(3, 2, 4)] * 3, attn_mask=s.const(numbers(2, 3, 3))),
    "mha, vector as mask": lambda s: mha(s, *[numbers(3, 2, 4)] * 3, attn_mask=s.const(numbers(3))),
    "mha, whole mask": lambda s: mha(
        s, *[numbers(3, 2, 4)] * 3, attn_mask=s.const(np.ones((3, 3), int))
    ),
    "mha, padding": lambda s: mha(
        s, *[numbers(3, 2, 4)] * 3, key_padding_mask=s.const(np.ones((2, 4), bool))
    ),
    "mha, padding's rank": lambda s: mha(
        s, *[numbers(3, 2, 4)] * 3, key_padding_mask=s.const(np.ones(3, bool))
    ),
    "mha, hint alone": lambda s: mha(s, *[numbers(3, 2, 4)] * 3, is_causal=True),
    "activation": lambda s: s.nn.TransformerEncoderLayer(4, 2, activation="tanh"),
    "batches": lambda s: transformer(s)(s.const(numbers(3, 2, 4)), s.const(numbers(3, 5, 4))),
    "widths": lambda s: transformer(s)(s.const(numbers(3, 2, 5)), s.const(numbers(3, 2, 4))),
}


def mha(s, *arrays, **words):
    return s.nn.MultiheadAttention(4, 2).double()(*(s.const(a) for a in arrays), **words)


def transformer(s, **words):
    return s.nn.Transformer(4, 2, 1, 1, 8, 0.0, **words).double()


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    theirs, ours, text = errors(ERRORS[name])
    assert theirs is not type(None), "PyTorch accepts it"
    assert ours is theirs, text


# --- Modules --------------------------------------------------------------------------------------


HEADS = {
    "plain": lambda nn, first: nn.MultiheadAttention(4, 2, batch_first=first),
    "no bias": lambda nn, first: nn.MultiheadAttention(4, 4, bias=False, batch_first=first),
    "added keys": lambda nn, first: nn.MultiheadAttention(
        4, 2, add_bias_kv=True, add_zero_attn=True, batch_first=first
    ),
    "one head": lambda nn, first: nn.MultiheadAttention(4, 1, dropout=1.0, batch_first=first),
}
KEYS = np.array([[False, False, True], [False, True, True]])
LATER = np.triu(np.ones((3, 3), bool), 1)


@pytest.mark.parametrize("first", [False, True], ids=["steps first", "batch first"])
@pytest.mark.parametrize("name", HEADS)
def test_multihead(name, first):
    theirs, ours = both(lambda nn: HEADS[name](nn, first))
    x, shape = numbers(2, 3, 4), (2, 3, 4) if first else (3, 2, 4)
    x = x.reshape(shape)
    masks = [None, LATER, numbers(3, 3), numbers(2 * theirs.num_heads, 3, 3)]
    for needed, average, mask, padded in itertools.product(
        (True, False), (True, False), masks, (None, KEYS, numbers(2, 3, seed=5))
    ):
        if not needed and not average:
            continue

        def run(module, s, words=(needed, average, mask, padded)):
            needed, average, mask, padded = words
            leaf = s.leaf(x)
            return module(
                leaf, leaf, leaf, need_weights=needed, average_attn_weights=average,
                attn_mask=None if mask is None else s.const(mask),
                key_padding_mask=None if padded is None else s.const(padded),
            )  # fmt: skip

        check(theirs, ours, run)
    for module in (theirs, ours):
        module.eval()
    check(theirs, ours, lambda m, s: m(s.leaf(x), s.leaf(x + 1), s.leaf(x - 1)))
    other = s_first(x + 1)
    check(theirs, ours, lambda m, s: m(s.leaf(x), other(s), other(s)))
    check(theirs, ours, lambda m, s: m(*[s.leaf(x[0])] * 3, need_weights=False))
    causal = {"attn_mask": LATER, "is_causal": True}
    for needed in (True, False):
        check(
            theirs, ours,
            lambda m, s, needed=needed: m(
                *[s.leaf(x)] * 3, need_weights=needed, is_causal=True,
                attn_mask=s.const(causal["attn_mask"]),
            ),
        )  # fmt: skip


WIDE = numbers(2, 6, 4 * 5)
OTHERS = {
    "plain": lambda lib: {},
    "causal": lambda lib: {"is_causal": True},
    "mask": lambda lib: {"attn_mask": lib.zeros(6, 6)},
    "bools": lambda lib: {"attn_mask": lib.ones(2, 1, 1, 6, dtype=lib.bool)},
    "mask that is trained": lambda lib: {"attn_mask": lib.zeros(6, 6, requires_grad=True)},
    "dropout": lambda lib: {"dropout_p": 0.5},
    "other width": lambda lib: {"value": lib.ones(2, 6, 4, 3).double().transpose(1, 2)},
    "one for all": lambda lib: {"value": lib.ones(1, 6, 4, 5).double().transpose(1, 2)},
    "no keys": lambda lib: dict.fromkeys(["key", "value"], lib.ones(2, 4, 0, 5).double()),
}
LAID_OUT = {
    "heads of features": lambda x: x.view(2, 6, 4, 5).transpose(1, 2),
    "heads of a part": lambda x: x[:, 2:, 4:].view(2, 4, 4, 4).transpose(1, 2),
    "heads first": lambda x: x.view(2, 4, 6, 5),
    "one head": lambda x: x.view(2, 6, 1, 20).transpose(1, 2),
    "three dimensions": lambda x: x.view(12, 4, 5).transpose(0, 1),
}


@pytest.mark.parametrize("grad", [False, True])
@pytest.mark.parametrize(
    ("layout", "others"),
    [("heads of features", name) for name in OTHERS] + [(name, "causal") for name in LAID_OUT],
)
def test_heads_are_put_together_by_a_view_where_pytorch_can(layout, others, grad):
    """Of four dimensions the result has the query's order in memory, for everybody to see."""
    found = []
    for s in sides():
        x = s.leaf(WIDE)
        query = LAID_OUT[layout](x)
        given = {"key": query, "value": query, **OTHERS[others](s.tg)}
        with s.tg.set_grad_enabled(grad):
            y = s.F.scaled_dot_product_attention(query, **given)
            try:
                joined = y.transpose(-3, -2).view(*y.shape[:-3], y.shape[-2], -1)
            except RuntimeError:
                joined = None
            try:
                whole = y.view(-1)
            except RuntimeError:
                whole = None
        steps = [step for step, size in zip(y.stride(), y.shape, strict=True) if size > 1]
        found.append((steps, y.is_contiguous(), joined is None, whole is None))
        if grad and joined is not None:
            joined.sum().backward()
            found[-1] += (x.grad.abs().sum().item() > 0,)
    assert found[0] == found[1]


def s_first(array):
    """One leaf per side, however often it is asked for."""
    made = {}
    return lambda s: made.setdefault(id(s), s.leaf(array))


def test_multihead_of_other_widths():
    theirs, ours = both(lambda nn: nn.MultiheadAttention(4, 2, kdim=3, vdim=5, add_bias_kv=True))
    arrays = numbers(2, 3, 4), numbers(5, 3, 3), numbers(5, 3, 5)
    check(theirs, ours, lambda m, s: m(*(s.leaf(a) for a in arrays)))
    check(theirs, ours, lambda m, s: m(*(s.leaf(a[:, 0]) for a in arrays), need_weights=False))


def test_masked_out_rows_of_weights_are_nan_as_in_pytorch():
    theirs, ours = both(lambda nn: nn.MultiheadAttention(4, 2))
    x, nothing = numbers(3, 2, 4), np.ones((3, 3), bool)
    for needed in (True, False):
        found = [
            module(*[s.const(x)] * 3, attn_mask=s.const(nothing), need_weights=needed)[0]
            for module, s in zip((theirs, ours), sides())
        ]
        assert_same(found[0], found[1], "output")


@pytest.mark.parametrize("value", [np.inf, np.nan, 1e200])
def test_what_is_not_finite_is_as_in_pytorch(value):
    strange = Q.copy()
    strange[0, 0, 1, 2] = value
    for words in ({}, {"is_causal": True}):
        compare(lambda s, words=words: sdpa(s, strange, K, V, **words))
