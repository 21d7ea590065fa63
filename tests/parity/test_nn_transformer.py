"""The Transformer's layers and stacks beside PyTorch's."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from parity.nn_compare import assert_same, numbers, sides
from parity.nn_modules import both, check

import tensorgrad as tg
from tensorgrad import nn

KEYS = np.array([[False, False, True], [False, True, True]])
LATER = np.triu(np.ones((3, 3), bool), 1)

ENCODERS = {
    "plain": lambda nn: nn.TransformerEncoderLayer(4, 2, 6, 0.0),
    "gelu, norm first": lambda nn: nn.TransformerEncoderLayer(
        4, 2, 6, 1.0, "gelu", norm_first=True, batch_first=True, layer_norm_eps=1e-3
    ),
    "no bias": lambda nn: nn.TransformerEncoderLayer(4, 1, 6, 0.0, nn.functional.silu, bias=False),
    "a module": lambda nn: nn.TransformerEncoderLayer(4, 2, 6, 0.0, nn.Tanh()),
}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", ENCODERS)
def test_encoder_layer(name, training):
    theirs, ours = (m.train(training) for m in both(ENCODERS[name]))
    x = numbers(2, 3, 4) if theirs.self_attn.batch_first else numbers(3, 2, 4)
    check(theirs, ours, lambda m, s: m(s.leaf(x)))
    check(theirs, ours, lambda m, s: m(s.leaf(x[0])))
    check(theirs, ours, lambda m, s: m(s.leaf(x), s.const(LATER), is_causal=True))
    check(theirs, ours, lambda m, s: m(s.leaf(x), s.const(numbers(3, 3)), s.const(KEYS)))


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("norm_first", [True, False])
def test_transformer(norm_first, first):
    theirs, ours = both(
        lambda nn: nn.Transformer(
            4, 2, 2, 2, 6, 0.0, "gelu", batch_first=first, norm_first=norm_first
        )
    )
    src, tgt = numbers(3, 2, 4), numbers(5, 2, 4, seed=1)
    if first:
        src, tgt = src.swapaxes(0, 1), tgt.swapaxes(0, 1)
    check(theirs, ours, lambda m, s: m(s.leaf(src), s.leaf(tgt)))
    unbatched = (src[0], tgt[0]) if first else (src[:, 0], tgt[:, 0])
    check(theirs, ours, lambda m, s: m(*map(s.leaf, unbatched)))
    check(
        theirs, ours,
        lambda m, s: m(
            s.leaf(src), s.leaf(tgt), s.const(LATER),
            m.generate_square_subsequent_mask(5).double(), s.const(numbers(5, 3)),
            s.const(KEYS), s.const(np.zeros((2, 5), bool)), s.const(KEYS),
        ),
    )  # fmt: skip
    causal = np.triu(np.ones((5, 5), bool), 1)
    check(
        theirs, ours,
        lambda m, s: m(s.leaf(src), s.leaf(tgt), tgt_mask=s.const(causal), tgt_is_causal=True),
    )  # fmt: skip


def test_masks_are_made_as_pytorchs():
    for words in ({}, {"dtype": "float64"}):
        found = [
            library.nn.Transformer.generate_square_subsequent_mask(
                3, **{key: getattr(library, name) for key, name in words.items()}
            )
            for library in (torch, tg)
        ]
        assert_same(found[0], found[1], "mask")


def encoder(nn, **words):
    layer = nn.TransformerEncoderLayer(4, 2, 6, batch_first=words.pop("first", True))
    return nn.TransformerEncoder(layer, 2, nn.LayerNorm(4), **words)


PADDED_LEFT = KEYS[:, ::-1].copy()


@pytest.mark.parametrize(
    "words", [{}, {"enable_nested_tensor": False}, {"mask_check": False}, {"first": False}], ids=str
)
@pytest.mark.parametrize("no_grad", [True, False])
@pytest.mark.parametrize("mask", [None, LATER])
@pytest.mark.parametrize("padding", [KEYS, PADDED_LEFT])
def test_padding_in_evaluation(words, no_grad, mask, padding):
    """PyTorch's nested tensors come back with zeros at the padding, before the last norm."""
    if padding is PADDED_LEFT and (words == {"mask_check": False} or mask is not None):
        return  # a broken promise, and queries that see nothing: NaN in PyTorch's other path
    theirs, ours = (m.eval() for m in both(lambda nn: encoder(nn, **words)))
    x = numbers(2, 3, 4) if words.get("first", True) else numbers(3, 2, 4)

    def run(module, s):
        given = None if mask is None else s.const(mask)
        with s.tg.set_grad_enabled(not no_grad):
            return module(s.const(x), given, s.const(padding))

    check(theirs, ours, run)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("first", {}),
        ("odd", {"nhead": 1, "batch_first": True}),
        ("norm", {"norm_first": True, "batch_first": True}),
        ("bias", {"bias": False, "batch_first": True}),
        ("activation", {"activation": "function", "batch_first": True}),
    ],
)
def test_the_warning_is_pytorchs(name, words):
    texts = []
    for library in (torch, tg):
        given = dict(words)
        if "activation" in given:
            given["activation"] = library.nn.functional.silu
        layer = library.nn.TransformerEncoderLayer(**{"d_model": 4, "nhead": 2, **given})
        with pytest.warns(UserWarning, match="enable_nested_tensor") as caught:
            stack = library.nn.TransformerEncoder(layer, 1)
        assert not stack.use_nested_tensor
        texts.append([str(w.message) for w in caught])
    assert texts[0] == texts[1]


def test_copies():
    stack = encoder(nn)
    assert tg.equal(stack.layers[0].linear1.weight, stack.layers[1].linear1.weight)
    assert stack.layers[0].linear1.weight is not stack.layers[1].linear1.weight
    copied = copy.deepcopy(stack).eval()
    x = tg.randn(2, 3, 4)
    assert tg.equal(copied(x), stack.eval()(x))


def test_initial_parameters():
    for library in (torch, tg):
        layer = library.nn.MultiheadAttention(60, 4, add_bias_kv=True)
        bound = np.sqrt(6 / 240)
        weight = layer.in_proj_weight.detach().numpy()
        assert 0.95 * bound < np.abs(weight).max() <= bound
        assert not layer.in_proj_bias.detach().numpy().any()
        assert not layer.out_proj.bias.detach().numpy().any()
        assert 0.05 < layer.bias_k.detach().numpy().std() < 0.3
        whole = library.nn.Transformer(60, 4, 1, 1, 20, batch_first=True)
        first = np.abs(whole.encoder.layers[0].linear1.weight.detach().numpy())
        assert 0.9 * np.sqrt(6 / 80) < first.max() <= np.sqrt(6 / 80)


def test_twice_differentiated():
    # PyTorch's own kernel has no second derivative; its composed one has.
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        twice_differentiated()


def twice_differentiated():
    theirs, ours = both(lambda nn: nn.TransformerEncoderLayer(4, 2, 6, 0.0, "gelu"))
    found = []
    for module, s in zip((theirs, ours), sides()):
        x = s.leaf(numbers(3, 2, 4))
        out = module(x, s.const(numbers(3, 3)))
        (g,) = s.tg.autograd.grad(out.pow(2).sum(), x, create_graph=True)
        g.pow(2).sum().backward()
        found.append([x.grad, *(p.grad for p in module.parameters())])
    assert_same(found[0], found[1], "second gradient", 1e-8)
