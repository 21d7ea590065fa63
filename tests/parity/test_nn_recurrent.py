"""Recurrent layers and packed sequences beside PyTorch's: values, gradients, errors, state."""

from __future__ import annotations

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch
from parity.nn_compare import assert_same, errors, numbers, seed_of, sides

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn.utils import rnn as packing

KINDS = {
    "rnn": lambda nn, **words: nn.RNN(3, 4, **words),
    "relu": lambda nn, **words: nn.RNN(3, 4, nonlinearity="relu", **words),
    "lstm": lambda nn, **words: nn.LSTM(3, 4, **words),
    "gru": lambda nn, **words: nn.GRU(3, 4, **words),
}
OPTIONS = [
    {},
    {"num_layers": 3, "bias": False},
    {"bidirectional": True, "num_layers": 2, "batch_first": True},
    {"num_layers": 2, "dropout": 1.0},
]
LENGTHS = [2, 5, 1, 4]


def both(make, **words):
    """The layer in both libraries, with PyTorch's weights."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, ours = make(torch.nn, **words).double(), make(nn, **words).double()
    assert repr(ours) == repr(theirs)
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state)
    ours.load_state_dict({key: tg.from_numpy(t.numpy().copy()) for key, t in state.items()})
    return theirs, ours


def flat(value):
    """The tensors of nested tuples in order."""
    if isinstance(value, (tuple, list)):
        return [t for item in value for t in flat(item)]
    return [] if value is None else [value]


def check(theirs, ours, run):
    """The same outputs, and gradients of parameters and leaves, for one way to run a layer."""
    found = []
    for layer, side in zip((theirs, ours), sides()):
        layer.zero_grad()
        outputs = flat(run(layer, side))
        for out in outputs:
            if out.requires_grad:
                seed = seed_of(out).astype(out.detach().numpy().dtype)
                out.backward(
                    side.const(seed * (1 - 0.5j if out.is_complex() else 1)), retain_graph=True
                )
        gradients = [t.grad for t in (*side.leaves.values(), *layer.parameters())]
        found.append((outputs, gradients))
    assert_same(found[0][0], found[1][0], "output")
    assert_same(found[0][1], found[1][1], "gradient")


def states(side, layer, *shape):
    """Initial states of a layer as leaves, for what it is."""
    count = layer.num_layers * (2 if layer.bidirectional else 1)
    h = side.leaf(numbers(count, *shape, layer.proj_size or layer.hidden_size, seed=1), "h")
    if layer.mode != "LSTM":
        return h
    return h, side.leaf(numbers(count, *shape, layer.hidden_size, seed=2), "c")


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_layers(kind, options):
    theirs, ours = both(KINDS[kind], **options)
    x = numbers(4, 5, 3)
    check(theirs, ours, lambda layer, s: layer(s.leaf(x)))
    batch = 4 if options.get("batch_first") else 5
    check(theirs, ours, lambda layer, s: layer(s.leaf(x), states(s, layer, batch)))
    check(theirs, ours, lambda layer, s: layer(s.leaf(x[0])))
    check(theirs, ours, lambda layer, s: layer(s.leaf(x[0]), states(s, layer)))
    for layer in (theirs, ours):
        layer.eval()
    check(theirs, ours, lambda layer, s: layer(s.leaf(x)))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_packed(kind, options):
    theirs, ours = both(KINDS[kind], **options)

    def run(layer, s, **words):
        library = torch.nn if s.tg is torch else nn
        padded = s.leaf(numbers(4, 6, 3))
        packed = library.utils.rnn.pack_padded_sequence(
            padded, LENGTHS, batch_first=True, enforce_sorted=False
        )
        out, last = layer(packed, **words)
        whole = library.utils.rnn.pad_packed_sequence(out, True, 0.5, 7)
        return out.data, whole, last, out.batch_sizes, out.sorted_indices

    check(theirs, ours, run)
    check(theirs, ours, lambda layer, s: run(layer, s, hx=states(s, layer, 4)))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_projection(bidirectional):
    theirs, ours = both(KINDS["lstm"], proj_size=2, num_layers=2, bidirectional=bidirectional)
    x = numbers(5, 2, 3)
    check(theirs, ours, lambda layer, s: layer(s.leaf(x), states(s, layer, 2)))


CELLS = {
    "rnn": lambda nn: nn.RNNCell(3, 4),
    "relu": lambda nn: nn.RNNCell(3, 4, False, "relu"),
    "gru": lambda nn: nn.GRUCell(3, 4),
    "gru, no bias": lambda nn: nn.GRUCell(3, 4, bias=False),
    "lstm": lambda nn: nn.LSTMCell(3, 4),
    "lstm, no bias": lambda nn: nn.LSTMCell(3, 4, bias=False),
}


@pytest.mark.parametrize("name", CELLS)
def test_cells(name):
    theirs, ours = both(CELLS[name])

    def steps(layer, s, shape):
        x = s.leaf(numbers(3, *shape, 3))
        hx = None
        for step in range(3):
            hx = layer(x[step], hx)
        return hx

    check(theirs, ours, lambda layer, s: steps(layer, s, (2,)))
    check(theirs, ours, lambda layer, s: steps(layer, s, ()))


def test_complex():
    theirs, ours = torch.nn.LSTM(2, 3, dtype=torch.complex128), nn.LSTM(2, 3, dtype=tg.complex128)
    state = theirs.state_dict()
    ours.load_state_dict({key: tg.from_numpy(t.numpy().copy()) for key, t in state.items()})
    x = numbers(4, 2, 2) + 1j * numbers(4, 2, 2, seed=1)
    check(theirs, ours, lambda layer, s: layer(s.leaf(x)))


def test_twice_differentiated():
    theirs, ours = both(KINDS["lstm"])
    found = []
    for layer, s in zip((theirs, ours), sides()):
        x = s.leaf(numbers(4, 2, 3))
        (g,) = s.tg.autograd.grad(layer(x)[0].pow(2).sum(), x, create_graph=True)
        g.pow(2).sum().backward()
        found.append([x.grad, *(p.grad for p in layer.parameters())])
    assert_same(found[0], found[1], "second gradient")


def test_without_steps_of_the_batch():
    for make in KINDS.values():
        out, _ = make(nn)(tg.zeros(5, 0, 3))
        assert out.shape == (5, 0, 4)


# --- What is around -------------------------------------------------------------------------------


def test_weights():
    theirs, ours = torch.nn.LSTM(3, 4, 2, bidirectional=True), nn.LSTM(3, 4, 2, bidirectional=True)
    shapes = [[[tuple(w.shape) for w in ws] for ws in m.all_weights] for m in (theirs, ours)]
    assert shapes[0] == shapes[1]
    assert ours.flatten_parameters() is None
    for p in ours.parameters():
        values = p.detach().numpy()
        assert np.abs(values).max() <= 0.5
        assert values.std() > 0.15
    copied = pickle.loads(pickle.dumps(copy.deepcopy(ours)))
    x = tg.randn(5, 2, 3)
    assert tg.equal(copied(x)[0], ours(x)[0])


def test_a_written_output_does_not_change_the_gradient():
    layer = nn.GRU(3, 4)
    x = tg.randn(5, 2, 3, requires_grad=True)
    out, last = layer(x)
    out.sum().backward(retain_graph=True)
    expected, x.grad = x.grad, None
    total = out.sum()
    with tg.no_grad():
        out.zero_()
        last.zero_()
    total.backward()
    assert tg.equal(x.grad, expected)


def test_dropout_is_between_layers_and_only_in_training():
    layer = nn.LSTM(3, 64, 2, dropout=0.5)
    x = tg.randn(5, 2, 3)
    assert not tg.equal(layer(x)[0], layer(x)[0])
    layer.eval()
    assert tg.equal(layer(x)[0], layer(x)[0])
    with pytest.warns(UserWarning, match="num_layers greater than 1"):
        nn.LSTM(3, 4, dropout=0.5)


X = numbers(4, 5, 3)
ERRORS = {
    "size": lambda s: s.nn.LSTM(3, 0),
    "input size": lambda s: s.nn.LSTM(0, 3),
    "size's type": lambda s: s.nn.LSTM(3, 2.5),
    "layers": lambda s: s.nn.GRU(3, 4, 0),
    "bias": lambda s: s.nn.GRU(3, 4, bias=1),
    "batch first": lambda s: s.nn.GRU(3, 4, batch_first="yes"),
    "dropout": lambda s: s.nn.GRU(3, 4, 2, dropout=1.5),
    "dropout's type": lambda s: s.nn.GRU(3, 4, 2, dropout=True),
    "projection": lambda s: s.nn.LSTM(3, 4, proj_size=4),
    "projection below": lambda s: s.nn.LSTM(3, 4, proj_size=-1),
    "projection of a GRU": lambda s: s.nn.GRU(3, 4, proj_size=2),
    "nonlinearity": lambda s: s.nn.RNN(3, 4, nonlinearity="sin"),
    "mode": lambda s: s.nn.RNNBase("SRU", 3, 4),
    "abstract": lambda s: s.nn.RNNBase("GRU", 3, 4)(s.const(X)),
    "dimensions": lambda s: s.nn.GRU(3, 4).double()(s.const(X[None])),
    "features": lambda s: s.nn.GRU(2, 4).double()(s.const(X)),
    "dtype": lambda s: s.nn.GRU(3, 4)(s.const(X)),
    "no steps": lambda s: s.nn.LSTM(3, 4).double()(s.const(X[:0])),
    "state": lambda s: s.nn.GRU(3, 4).double()(s.const(X), s.const(numbers(1, 4, 4))),
    "state's rank": lambda s: s.nn.GRU(3, 4).double()(s.const(X), s.const(numbers(5, 4))),
    "state, unbatched": lambda s: s.nn.GRU(3, 4).double()(
        s.const(X[0]), s.const(numbers(1, 1, 4))
    ),
    "cell state": lambda s: s.nn.LSTM(3, 4).double()(
        s.const(X), (s.const(numbers(1, 5, 4)), s.const(numbers(1, 5, 3)))
    ),
    "cell state's rank": lambda s: s.nn.LSTM(3, 4).double()(
        s.const(X), (s.const(numbers(1, 5, 4)), s.const(numbers(5, 4)))
    ),
    "cell's input": lambda s: s.nn.LSTMCell(3, 4).double()(s.const(X)),
    "cell's features": lambda s: s.nn.GRUCell(2, 4).double()(s.const(X[0])),
    "cell's state": lambda s: s.nn.GRUCell(3, 4).double()(s.const(X[0]), s.const(X)),
    "cell's batch": lambda s: s.nn.RNNCell(3, 4).double()(s.const(X[0]), s.const(numbers(2, 4))),
    "cell's states": lambda s: s.nn.LSTMCell(3, 4).double()(s.const(X[0]), (s.const(X),)),
    "cell's nonlinearity": lambda s: s.nn.RNNCell(3, 4, nonlinearity="sin")(s.const(X[0])),
    "weights": lambda s: s.tg.gru(
        s.const(X), s.const(numbers(1, 5, 4)), [s.const(X)], True, 1, 0.0, False, False, False
    ),
    "states": lambda s: s.tg.lstm(
        s.const(X), [s.const(X)], [s.const(X)] * 4, True, 1, 0.0, False, False, False
    ),
    "few lengths": lambda s: s.nn.utils.rnn.pack_padded_sequence(s.const(X), [4, 2]),
    "a length of 0": lambda s: s.nn.utils.rnn.pack_padded_sequence(s.const(X), [4, 2, 1, 1, 0]),
    "unsorted": lambda s: s.nn.utils.rnn.pack_padded_sequence(s.const(X), [4, 2, 1, 3, 1]),
    "lengths' rank": lambda s: s.nn.utils.rnn.pack_padded_sequence(s.const(X), s.const(X)),
    "a vector": lambda s: s.nn.utils.rnn.pack_padded_sequence(s.const(X[0, 0]), [3]),
    "nothing to pack": lambda s: s.nn.utils.rnn.pack_padded_sequence(s.const(X[:, :0]), []),
    "nothing to pad": lambda s: s.nn.utils.rnn.pad_sequence([]),
    "not a list": lambda s: s.nn.utils.rnn.pad_sequence(3),
    "sequences": lambda s: s.nn.utils.rnn.pad_sequence([s.const(X), s.const(X[:, :2])]),
    "side": lambda s: s.nn.utils.rnn.pad_sequence([s.const(X)], padding_side="top"),
    "unsorted list": lambda s: s.nn.utils.rnn.pack_sequence([s.const(X[:2]), s.const(X)]),
    "lengths to unpad": lambda s: s.nn.utils.rnn.unpad_sequence(
        s.const(X), s.const(np.array([1, 2]))
    ),
    "packed of one": lambda s: s.nn.utils.rnn.PackedSequence(s.const(X)),
    "packed features": lambda s: s.nn.GRU(2, 4).double()(
        s.nn.utils.rnn.pack_sequence([s.const(X[0])])
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    theirs, ours, text = errors(ERRORS[name])
    assert theirs is not type(None), "PyTorch accepts it"
    assert ours is theirs, text


def test_a_length_beyond_the_input_is_refused():
    # PyTorch packs rows that are not there.
    with pytest.raises(RuntimeError, match="length of 5"):
        packing.pack_padded_sequence(tg.zeros(4, 1, 2), [5])


def test_arguments_of_the_functions():
    layer = nn.LSTM(3, 4)
    h = tg.zeros(1, 5, 4)
    x = tg.from_numpy(X).float()
    words = {
        "hx": (h, h), "params": list(layer.parameters()), "has_biases": True, "num_layers": 1,
        "dropout": 0.0, "train": False, "bidirectional": False,
    }  # fmt: skip
    out = tg.lstm(input=x, batch_first=False, **words)
    assert tg.equal(out[0], layer(x)[0])
    packed = tg.lstm(data=x.reshape(20, 3), batch_sizes=tg.tensor([5, 5, 5, 5]), **words)
    assert tg.equal(packed[0].reshape(4, 5, 4), out[0])
    with pytest.raises(TypeError, match="batch_first"):
        tg.lstm(input=x, **words)
    with pytest.raises(TypeError, match="masked"):
        tg.lstm(input=x, masked=True, batch_first=False, **words)


# --- Packing --------------------------------------------------------------------------------------

SEQUENCES = [numbers(2, 3), numbers(4, 3, seed=1), numbers(1, 3, seed=2)]
PACKING = {
    "pad": lambda r, xs: r.pad_sequence(xs),
    "pad, options": lambda r, xs: r.pad_sequence(xs, True, -1.5, padding_side="left"),
    "pack": lambda r, xs: r.pack_sequence(xs, enforce_sorted=False),
    "pack, sorted": lambda r, xs: r.pack_sequence([xs[1], xs[0], xs[2]]),
    "there and back": lambda r, xs: r.pad_packed_sequence(r.pack_sequence(xs, False), True, 2.0, 6),
    "there and back, steps first": lambda r, xs: r.pad_packed_sequence(r.pack_sequence(xs, False)),
    "unpack": lambda r, xs: r.unpack_sequence(r.pack_sequence(xs, False)),
    "unpad": lambda r, xs: r.unpad_sequence(
        r.pad_sequence(xs, True), r.pack_sequence(xs, False).batch_sizes[:3], True
    ),
    "to": lambda r, xs: r.pack_sequence(xs, False).float(),
}


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("name", PACKING)
def test_packing(name, rank):
    shaped = {1: lambda a: a[:, 0], 2: lambda a: a, 3: lambda a: a[:, :, None] * [1.0, 2.0]}[rank]
    results = []
    for library, side in zip((torch, tg), sides()):
        leaves = [side.leaf(shaped(a)) for a in SEQUENCES]
        out = PACKING[name](library.nn.utils.rnn, leaves)
        kept = [t for t in flat(out) if t.requires_grad]
        for t in kept:
            t.backward(side.const(seed_of(t).astype(t.detach().numpy().dtype)), retain_graph=True)
        results.append((flat(out), [leaf.grad for leaf in leaves]))
    assert_same(results[0], results[1], name)


def test_packed_sequences_are_printed_and_converted_as_pytorchs():
    found = []
    for library in (torch, tg):
        r = library.nn.utils.rnn
        packed = r.pack_sequence([library.arange(2), library.arange(3)], False)
        kinds = [
            getattr(packed, name)().data.dtype
            for name in ("double", "float", "half", "long", "int", "short", "char", "byte")
        ]
        assert packed.to(library.int64) is packed
        assert packed.cpu() is packed
        assert not packed.is_cuda
        assert not packed.is_pinned()
        pair = r.PackedSequence((library.arange(2), library.tensor([1, 1])))
        inverse = r.invert_permutation(library.tensor([2, 0, 1]))
        found.append([repr(packed), repr(pair), repr(inverse), [str(k)[-5:] for k in kinds]])
    assert found[0] == found[1]


def test_integers_are_padded_with_whole_numbers():
    for library in (torch, tg):
        padded = library.nn.utils.rnn.pad_sequence(
            [library.arange(3), library.arange(2)], padding_value=1.5
        )
        assert padded.tolist() == [[0, 0], [1, 1], [2, 1]]
