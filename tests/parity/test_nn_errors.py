"""What does not fit raises the type of error that PyTorch raises, with a text that helps."""

from __future__ import annotations

import numpy as np
import pytest
from parity.nn_compare import errors, numbers, positive

X = numbers(2, 3, 5, 5)


def ce(input, target, **words):
    """A cross-entropy case; targets are given as lists of classes or as arrays."""
    return lambda s: s.F.cross_entropy(
        s.const(input),
        s.const(target),
        **{k: s.const(v) if k == "weight" else v for k, v in words.items()},
    )


def conv(w=(4, 3, 3, 3), x=X, **words):
    return lambda s: s.F.conv2d(s.const(x), s.const(numbers(*w)), **words)


LOGITS = numbers(3, 4)

# Case, what our message must mention.
CASES = {
    "class too large": (ce(LOGITS, [0, 1, 4]), ["cross_entropy", "4", "0 to 3"]),
    "class negative": (ce(LOGITS, [0, -1, 1]), ["-1"]),
    "classes int32": (ce(LOGITS, np.array([0, 1, 2], np.int32)), ["int64", "long"]),
    "classes float": (ce(LOGITS, [0.0, 1.0, 2.0]), ["float64"]),
    "batch": (ce(LOGITS, [0, 1]), ["(3)", "(2)"]),
    "probabilities' shape": (ce(LOGITS, positive(3, 5)), ["(3, 5)"]),
    "probabilities int": (ce(LOGITS, np.ones((3, 4), np.int64)), ["int64"]),
    "ignore with probabilities": (ce(LOGITS, positive(3, 4), ignore_index=1), ["ignore_index"]),
    "spatial": (ce(numbers(2, 3, 4, 5), np.zeros((2, 4, 6), np.int64)), ["[2, 4, 5]"]),
    "weights": (ce(LOGITS, [0, 1, 2], weight=positive(3)), ["4 classes", "[3]"]),
    "weights' dtype": (ce(LOGITS, [0, 1, 2], weight=np.ones(4, "f4")), ["float32", "float64"]),
    "reduction": (ce(LOGITS, [0, 1, 2], reduction="average"), ["average", "'mean'"]),
    "smoothing": (ce(LOGITS, [0, 1, 2], label_smoothing=1.5), ["1.5"]),
    "scalar": (ce(np.float64(1.0), np.int64(0)), ["int64"]),
    "nll class": (
        lambda s: s.F.nll_loss(s.const(LOGITS), s.const([0, 1, 9])),
        ["nll_loss", "9"],
    ),
    "nll probabilities": (lambda s: s.F.nll_loss(s.const(LOGITS), s.const(LOGITS)), ["nll_loss"]),
    "mse shapes": (lambda s: s.F.mse_loss(s.const(LOGITS), s.const(numbers(3, 2))), ["4"]),
    "bce shapes": (
        lambda s: s.F.binary_cross_entropy(s.const(positive(3)), s.const(positive(4))),
        ["[4]", "[3]"],
    ),
    "bce range": (
        lambda s: s.F.binary_cross_entropy(s.const([0.5, 1.5]), s.const([0.0, 1.0])),
        ["1.5", "with_logits"],
    ),
    "bce nan": (
        lambda s: s.F.binary_cross_entropy(s.const([0.5, np.nan]), s.const([0.0, 1.0])),
        ["nan"],
    ),
    "bce target range": (
        lambda s: s.F.binary_cross_entropy(s.const([0.5, 0.5]), s.const([0.0, 2.0])),
        ["2.0", "target"],
    ),
    "bce dtype": (
        lambda s: s.F.binary_cross_entropy(s.const([0.5]), s.const(np.array([1.0], "f4"))),
        ["float32"],
    ),
    "logits shapes": (
        lambda s: s.F.binary_cross_entropy_with_logits(s.const(numbers(3)), s.const(numbers(4))),
        ["[4]", "[3]"],
    ),
    "pos_weight": (
        lambda s: s.F.binary_cross_entropy_with_logits(
            s.const(positive(3, 2)), s.const(positive(3, 2)), pos_weight=s.const(positive(3))
        ),
        ["(3, 2)"],
    ),
    "conv channels": (conv((4, 2, 3, 3)), ["2 channels", "(4, 2, 3, 3)", "(2, 3, 5, 5)"]),
    "conv same, stride": (conv(padding="same", stride=2), ["conv2d", "same"]),
    "conv padding word": (conv(padding="full"), ["full"]),
    "conv stride 0": (conv(stride=0), ["stride", "0"]),
    "conv padding -1": (conv(padding=-1), ["padding", "-1"]),
    "conv dilation 0": (conv(dilation=0), ["dilation"]),
    "conv three strides": (conv(stride=(1, 2, 3)), ["stride"]),
    "conv groups": (conv((4, 3, 3, 3), groups=2), ["groups=2"]),
    "conv groups 0": (conv(groups=0), ["groups"]),
    "conv rank": (conv(x=numbers(3, 5)), ["conv2d", "[3, 5]"]),
    "conv kernel": (conv((4, 3, 7, 7)), ["7"]),
    "conv int": (conv(x=np.ones((1, 3, 5, 5), np.int64)), ["int64"]),
    "conv dtypes": (conv(x=X.astype("f4")), ["float32", "float64"]),
    "conv weight's rank": (conv((4, 3, 3)), ["(4, 3, 3)"]),
    "conv array": (lambda s: s.F.conv2d(X, s.const(numbers(4, 3, 3, 3))), ["must be Tensor"]),
    "max pool padding": (lambda s: s.F.max_pool2d(s.const(X), 3, padding=2), ["pad=2"]),
    "max pool kernel": (lambda s: s.F.max_pool2d(s.const(X), 7), ["3x5x5"]),
    "max pool rank": (lambda s: s.F.max_pool2d(s.const(X[0, 0]), 2), ["[5, 5]"]),
    "max pool channels": (lambda s: s.F.max_pool2d(s.const(X[:, :0]), 2), ["[2, 0, 5, 5]"]),
    "max pool stride 0": (lambda s: s.F.max_pool2d(s.const(X), 2, 0), ["stride"]),
    "avg pool divisor": (
        lambda s: s.F.avg_pool2d(s.const(X), 2, divisor_override=0),
        ["divisor"],
    ),
    "avg pool kernel": (lambda s: s.F.avg_pool2d(s.const(X), 9), ["3x5x5"]),
    "adaptive rank": (lambda s: s.F.adaptive_avg_pool2d(s.const(X[0, 0]), 2), ["[5, 5]"]),
    "adaptive empty": (lambda s: s.F.adaptive_avg_pool2d(s.const(X[..., :0]), 2), ["non-zero"]),
    "adaptive three": (lambda s: s.F.adaptive_avg_pool2d(s.const(X), (1, 2, 3)), ["output_size"]),
    "batch of one": (
        lambda s: s.F.batch_norm(s.const(numbers(1, 3)), None, None, training=True),
        ["more than 1 value"],
    ),
    "no running mean": (lambda s: s.F.batch_norm(s.const(numbers(2, 3)), None, None), ["mean"]),
    "running sizes": (
        lambda s: s.F.batch_norm(s.const(numbers(2, 3)), s.const(numbers(2)), s.const(numbers(3))),
        ["running_mean", "3", "2"],
    ),
    "weight's size": (
        lambda s: s.F.batch_norm(
            s.const(numbers(2, 3)), None, None, s.const(numbers(2)), training=True
        ),
        ["weight"],
    ),
    "batch norm of a vector": (
        lambda s: s.F.batch_norm(s.const(numbers(2)), None, None, training=True),
        ["(2)"],
    ),
    "batch norm dtypes": (lambda s: s.nn.BatchNorm1d(3)(s.const(numbers(2, 3))), ["float64"]),
    "batchnorm2d of a matrix": (lambda s: s.nn.BatchNorm2d(3)(s.const(numbers(2, 3))), ["4D"]),
    "batchnorm1d of images": (lambda s: s.nn.BatchNorm1d(3)(s.const(X)), ["2D or 3D"]),
    "batchnorm features": (
        lambda s: s.nn.BatchNorm1d(3).double()(s.const(numbers(2, 4))),
        ["3", "4"],
    ),
    "dropout p": (lambda s: s.F.dropout(s.const(X), 1.5), ["1.5"]),
    "dropout layer's p": (lambda s: s.nn.Dropout(-0.1), ["-0.1"]),
    "dropout int": (lambda s: s.F.dropout(s.const([1, 2, 3]), 0.5), ["int64"]),
    "one_hot large": (lambda s: s.F.one_hot(s.const([0, 5]), 3), ["5", "3"]),
    "one_hot negative": (lambda s: s.F.one_hot(s.const([0, -1]), 3), ["-1"]),
    "one_hot float": (lambda s: s.F.one_hot(s.const([0.0, 1.0])), ["float64"]),
    "one_hot of nothing": (lambda s: s.F.one_hot(s.const(np.zeros(0, np.int64))), ["infer"]),
    "pad odd": (lambda s: s.F.pad(s.const(X), (1, 1, 1)), ["divisible by 2"]),
    "pad long": (lambda s: s.F.pad(s.const(LOGITS), (1,) * 6), ["6"]),
    "pad mode": (lambda s: s.F.pad(s.const(X), (1, 1), mode="mirror"), ["mirror"]),
    "pad reflect": (lambda s: s.F.pad(s.const(X), (5, 1, 0, 0), mode="reflect"), ["(5, 1)"]),
    "pad circular": (lambda s: s.F.pad(s.const(X), (6, 1, 0, 0), mode="circular"), ["(6, 1)"]),
    "pad too much off": (lambda s: s.F.pad(s.const(X), (-3, -3)), ["-3"]),
    "linear shapes": (
        lambda s: s.F.linear(s.const(LOGITS), s.const(numbers(4, 5))),
        ["(3, 4)", "(4, 5)"],
    ),
    "linear dtypes": (
        lambda s: s.F.linear(s.const(LOGITS), s.const(numbers(2, 4).astype("f4"))),
        ["float32", "float64"],
    ),
    "linear array": (lambda s: s.F.linear(LOGITS, s.const(numbers(2, 4))), ["must be Tensor"]),
    "softmax dim": (lambda s: s.F.softmax(s.const(LOGITS), 2), ["2"]),
    "softmax int": (lambda s: s.F.softmax(s.const([1, 2]), 0), ["int64"]),
    "leaky relu int": (lambda s: s.F.leaky_relu(s.const([1, 2])), ["int64"]),
    "elu int": (lambda s: s.F.elu(s.const([1, 2])), ["int64"]),
    "gelu word": (lambda s: s.F.gelu(s.const(LOGITS), approximate="exact"), ["exact", "tanh"]),
    "gelu int": (lambda s: s.F.gelu(s.const([1, 2])), ["int64"]),
    "relu bool": (lambda s: s.F.relu(s.const([True])), ["Boolean"]),
    "relu in place on a leaf": (lambda s: s.F.relu(s.leaf(LOGITS), inplace=True), ["leaf"]),
    "embedding index": (
        lambda s: s.F.embedding(s.const([0, 3]), s.const(LOGITS)),
        ["3", "(3, 4)", "index out of range in self"],
    ),
    "embedding of floats": (
        lambda s: s.F.embedding(s.const([0.0]), s.const(LOGITS)),
        ["Long", "float64"],
    ),
    "batch norm eps in evaluation": (
        lambda s: s.nn.BatchNorm2d(3, eps=-1.0).eval()(s.const(X.astype("f4"))),
        ["eps must be non-negative", "-1.0"],
    ),
    "batch norm eps": (
        lambda s: s.nn.BatchNorm2d(3, eps=0.0)(s.const(X.astype("f4"))),
        ["eps must be positive"],
    ),
    "huber delta": (lambda s: s.nn.HuberLoss(delta=1j), ["delta", "complex"]),
    "linear cross-entropy weights": (
        lambda s: s.nn.LinearCrossEntropyLoss(3, 2, weight=s.const(positive(3))),
        ["(2,)", "(3,)"],
    ),
    "linear cross-entropy smoothing": (
        lambda s: s.nn.LinearCrossEntropyLoss(3, 2, label_smoothing=2.0),
        ["[0, 1]", "2.0"],
    ),
    "cell batch": (
        lambda s: s.nn.GRUCell(2, 3)(
            s.const(numbers(3, 2).astype("f4")), s.const(numbers(5, 3).astype("f4"))
        ),
        ["Input batch size 3 doesn't match hidden0 batch size 5"],
    ),
    "conv layer groups": (lambda s: s.nn.Conv2d(3, 4, 3, groups=2), ["groups=2"]),
    "conv layer groups 0": (lambda s: s.nn.Conv2d(3, 4, 3, groups=0), ["0"]),
    "conv layer padding": (lambda s: s.nn.Conv2d(3, 4, 3, padding="full"), ["full"]),
    "conv layer same": (lambda s: s.nn.Conv2d(3, 4, 3, 2, "same"), ["same"]),
    "conv layer mode": (lambda s: s.nn.Conv2d(3, 4, 3, padding_mode="mirror"), ["mirror"]),
    "linear negative": (lambda s: s.nn.Linear(-1, 2), ["-1"]),
    "linear int weights": (lambda s: s.nn.Linear(1, 2, dtype=s.tg.int64), ["int64"]),
    "unflatten": (lambda s: s.nn.Unflatten(1, (2, 3))(s.const(numbers(2, 5))), ["5"]),
    "no forward": (lambda s: s.nn.Module()(1), ["forward"]),
    "forward of a list": (lambda s: s.nn.ModuleList()(1), ["forward"]),
    "parameter of ints": (lambda s: s.nn.Parameter(s.const([1])), ["int64"]),
    "sequential of a function": (lambda s: s.nn.Sequential(abs), ["abs"]),
    "sequential index": (lambda s: s.nn.Sequential(s.nn.ReLU())[1], ["1"]),
    "module to int": (lambda s: s.nn.Linear(1, 1).to(s.tg.int64), ["int64"]),
    "module to elsewhere": (lambda s: s.nn.Linear(1, 1).to("nowhere"), ["nowhere"]),
    "made elsewhere": (lambda s: s.nn.Linear(1, 1, device="nowhere"), ["nowhere"]),
    "no such submodule": (lambda s: s.nn.Linear(1, 1).get_submodule("a.b"), ["`a`"]),
    "no such parameter": (lambda s: s.nn.Linear(1, 1).get_parameter("gain"), ["gain", "weight"]),
    "no such attribute": (lambda s: s.nn.Linear(1, 1).gain, ["gain"]),
    "train of a word": (lambda s: s.nn.Linear(1, 1).train("yes"), ["yes"]),
}


@pytest.mark.parametrize("name", CASES)
def test_error(name):
    case, mentioned = CASES[name]
    theirs, ours, text = errors(case)
    assert theirs is not type(None), "PyTorch raises nothing here"
    assert ours is not type(None), "tensorgrad raises nothing"
    assert issubclass(ours, theirs) or issubclass(theirs, ours), (theirs, ours, text)
    assert all(word in text for word in mentioned), text
