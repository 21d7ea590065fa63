"""The workloads' losses as functions of arrays, for libraries with NumPy's functions.

``np`` is jax.numpy, autograd.numpy or mygrad; ``p`` are the parameters by tensorgrad's names.  What
those libraries have as one function of their own comes with ``own``, a `Functions`.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import models

Parameters = dict[str, Any]


class Functions(NamedTuple):
    """What a library brings besides NumPy's functions; None where it has no such thing."""

    np: Any
    erf: Callable[[Any], Any] | None = None
    conv: Callable[[Any, Any, int], Any] | None = None  # of images, kernels, padding
    max_pool: Callable[[Any, int, int, int], Any] | None = None  # of images, size, stride, padding
    scan: Callable[[Any, Any, Any], Any] | None = None  # of step, start, inputs; the last state


Loss = Callable[[Functions, Parameters, Any, Any], Any]


def _linear(p: Parameters, name: str, x: Any) -> Any:
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def _cross_entropy(np: Any, logits: Any, y: Any) -> Any:
    """The mean over the rows; logits of the workloads are small, nothing overflows."""
    picked = logits[range(len(y)), y] if isinstance(y, list) else logits[_rows(y), y]
    return np.mean(np.log(np.sum(np.exp(logits), axis=1)) - picked)


def _rows(y: Any) -> Any:
    import numpy

    return numpy.arange(y.shape[0])


def _sigmoid(np: Any, x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-x))


def _relu(np: Any, x: Any) -> Any:
    return np.maximum(x, 0.0)


def _normalise(np: Any, p: Parameters, name: str, x: Any, axes: tuple[int, ...]) -> Any:
    """Batch norm over ``axes``, or layer norm over the last one."""
    centred = x - np.mean(x, axis=axes, keepdims=True)
    deviation = np.sqrt(np.mean(centred * centred, axis=axes, keepdims=True) + 1e-5)
    weight, bias = p[f"{name}.weight"], p[f"{name}.bias"]
    if len(axes) == 3:
        weight, bias = weight.reshape(1, -1, 1, 1), bias.reshape(1, -1, 1, 1)
    return centred / deviation * weight + bias


def scalar(f: Functions, p: Parameters, x: Any, y: Any) -> Any:
    a, b = p["a"], p["b"]
    c = a + b
    for _ in range(25):
        d = a * b + c * 0.5
        c = c + d * 0.1 + f.np.maximum(b - a, 0.0) * 0.01
        c = c / (c * c + 1.0)
    return c


def tiny_mlp(f: Functions, p: Parameters, x: Any, y: Any) -> Any:
    for name in ("0", "2"):
        x = f.np.tanh(_linear(p, name, x))
    error = _linear(p, "4", x) - y
    return f.np.mean(error * error)


def mnist_mlp(f: Functions, p: Parameters, x: Any, y: Any) -> Any:
    hidden = _sigmoid(f.np, _linear(p, "0", x))
    return _cross_entropy(f.np, _linear(p, "2", hidden), y)


def cifar_mlp(f: Functions, p: Parameters, x: Any, y: Any) -> Any:
    return _cross_entropy(f.np, _linear(p, "2", _relu(f.np, _linear(p, "0", x))), y)


def deep_mlp_bn(f: Functions, p: Parameters, x: Any, y: Any) -> Any:
    for linear, norm in (("0", "1"), ("3", "4")):
        x = _relu(f.np, _normalise(f.np, p, norm, _linear(p, linear, x), (0,)))
    return _cross_entropy(f.np, _linear(p, "6", x), y)


def _conv(f: Functions, p: Parameters, name: str, x: Any, padding: int) -> Any:
    assert f.conv is not None
    return f.conv(x, p[f"{name}.weight"], padding) + p[f"{name}.bias"].reshape(1, -1, 1, 1)


def mnist_cnn(f: Functions, p: Parameters, x: Any, y: Any) -> Any:
    assert f.max_pool is not None
    for name in ("0", "3"):
        x = f.max_pool(_relu(f.np, _conv(f, p, name, x, 2)), 2, 2, 0)
    return _cross_entropy(f.np, _linear(p, "7", x.reshape(x.shape[0], -1)), y)


def cifar_vgg(f: Functions, p: Parameters, x: Any, y: Any) -> Any:
    assert f.max_pool is not None
    place = 0
    for count in (1, 1, 2, 2, 2):
        for _ in range(count):
            x = _conv(f, p, str(place), x, 1)
            x = _relu(f.np, _normalise(f.np, p, str(place + 1), x, (0, 2, 3)))
            place += 3
        x = f.max_pool(x, 3, 2, 1)
        place += 1
    return _cross_entropy(f.np, _linear(p, str(place + 2), x.reshape(x.shape[0], -1)), y)


def transformer(f: Functions, p: Parameters, x: Any, y: Any) -> Any:
    import numpy

    np, erf, heads = f.np, f.erf, 4
    assert erf is not None
    batch, length = x.shape
    features = p["tokens.weight"].shape[1]
    mask = numpy.triu(numpy.full((length, length), -1e30, numpy.float32), 1)
    h = p["tokens.weight"][x] + p["places.weight"][:length]
    for layer in range(sum(name.endswith("attention.out.weight") for name in p)):
        block = f"blocks.{layer}"
        normal = _normalise(np, p, f"{block}.norm1", h, (-1,))
        qkv = _linear(p, f"{block}.attention.qkv", normal)
        q, k, v = (
            np.transpose(
                qkv[..., i * features : (i + 1) * features].reshape(batch, length, heads, -1),
                (0, 2, 1, 3),
            )
            for i in range(3)
        )
        scores = q @ np.transpose(k, (0, 1, 3, 2)) * (1 / math.sqrt(features // heads)) + mask
        weights = np.exp(scores)
        weights = weights / np.sum(weights, axis=-1, keepdims=True)
        mixed = np.transpose(weights @ v, (0, 2, 1, 3)).reshape(batch, length, features)
        h = h + _linear(p, f"{block}.attention.out", mixed)
        wide = _linear(p, f"{block}.mlp.0", _normalise(np, p, f"{block}.norm2", h, (-1,)))
        wide = wide * 0.5 * (1.0 + erf(wide * (1 / math.sqrt(2))))
        h = h + _linear(p, f"{block}.mlp.2", wide)
    logits = _normalise(np, p, "norm", h, (-1,)) @ p["head.weight"].T
    return _cross_entropy(np, logits.reshape(-1, models.VOCABULARY), y)


def lstm(f: Functions, p: Parameters, x: Any, y: Any) -> Any:
    import numpy

    np, size = f.np, p["lstm.weight_hh_l0"].shape[1]
    projected = np.transpose(x, (1, 0, 2)) @ p["lstm.weight_ih_l0"].T
    projected = projected + (p["lstm.bias_ih_l0"] + p["lstm.bias_hh_l0"])

    def step(state: Any, given: Any) -> Any:
        h, c = state
        gates = given + h @ p["lstm.weight_hh_l0"].T
        i, f_, g, o = (gates[:, k * size : (k + 1) * size] for k in range(4))
        c = _sigmoid(np, f_) * c + _sigmoid(np, i) * np.tanh(g)
        return _sigmoid(np, o) * np.tanh(c), c

    state: Any = (numpy.zeros((x.shape[0], size), numpy.float32),) * 2
    if f.scan is not None:
        state = f.scan(step, state, projected)
    else:
        for time in range(projected.shape[0]):
            state = step(state, projected[time])
    return _cross_entropy(np, _linear(p, "head", state[0]), y)


def elementwise(f: Functions, p: Parameters, x: Any, y: Any) -> Any:
    return f.np.mean(f.np.tanh(p["x"] * p["w"] + p["b"]) ** 2)


LOSSES: dict[str, Loss] = {
    "scalar": scalar,
    "tiny_mlp": tiny_mlp,
    "mnist_mlp": mnist_mlp,
    "cifar_mlp": cifar_mlp,
    "deep_mlp_bn": deep_mlp_bn,
    "mnist_cnn_b16": mnist_cnn,
    "mnist_cnn_b64": mnist_cnn,
    "cifar_vgg": cifar_vgg,
    "transformer": transformer,
    "lstm": lstm,
    "elementwise": elementwise,
}
