"""The training steps that are timed, the same for tensorgrad and for PyTorch.

``WORKLOADS[name](lib)``, with ``lib`` tensorgrad or torch, is a `Workload`: calling it makes one
step.  Numbers of data and weights come from seeds of NumPy, so that they are the same everywhere.
"""

from collections.abc import Callable, Mapping
from typing import Any

import models
import numpy as np


class Workload:
    """One training step as a function without arguments; it returns the loss as a float.

    A step is: gradients to None, forward, loss, backward, optimizer.  Without an optimizer it ends
    with the backward.  ``parameters`` are the leaves by name; ``predict``, where there is a model,
    makes the function that `inference` times; ``data`` are its arrays of inputs and targets;
    ``model`` is the module itself.
    """

    def __init__(
        self,
        parameters: Mapping[str, Any],
        loss: Callable[[], Any],
        optimizer: Any = None,
        predict: Callable[[int | None], Callable[[], Any]] | None = None,
        data: tuple[Any, Any] = (None, None),
        model: Any = None,
    ) -> None:
        self.parameters = dict(parameters)
        self.loss = loss
        self.optimizer = optimizer
        self.predict = predict
        self.data = data
        self.model = model

    def zero(self) -> None:
        """Gradients to None."""
        if self.optimizer is None:
            for p in self.parameters.values():
                p.grad = None
        else:
            self.optimizer.zero_grad()

    def update(self) -> None:
        """The optimizer's step, where there is one."""
        if self.optimizer is not None:
            self.optimizer.step()

    def __call__(self) -> float:
        self.zero()
        loss = self.loss()
        loss.backward()
        self.update()
        return float(loss.item())

    def gradients(self) -> dict[str, Any]:
        """Copies of the last step's gradients, as NumPy arrays."""
        return {name: np.array(p.grad.numpy()) for name, p in self.parameters.items()}


Build = Callable[[Any], Workload]


def normal(*shape: int, seed: int = 0) -> Any:
    """Numbers of a standard normal distribution in float32."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def labels(count: int, classes: int = 10) -> Any:
    """Random labels in int64."""
    return np.random.default_rng(7).integers(0, classes, count)


def weight(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    """A starting value: N(0, 1/fan-in) for matrices, near 1 for scales, near 0 for biases."""
    drawn = rng.standard_normal(shape)
    if len(shape) > 1:
        drawn /= np.sqrt(np.prod(shape[1:]))
    else:
        drawn *= 0.1
        drawn += not name.rsplit(".", 1)[-1].startswith("bias")
    return drawn.astype(np.float32)


def trained(
    lib: Any,
    model: Any,
    x: Any,
    y: Any,
    optimizer: Callable[[Any], Any],
    loss_of: Any = None,
) -> Workload:
    """The steps of a model on one batch; cross-entropy unless another loss is given."""
    rng = np.random.default_rng(1)
    with lib.no_grad():
        for name, p in model.named_parameters():
            p.copy_(lib.from_numpy(weight(name, tuple(p.shape), rng)))
    inputs, targets = lib.from_numpy(x), lib.from_numpy(y)
    loss_of = loss_of or lib.nn.CrossEntropyLoss()

    def predict(batch: int | None) -> Callable[[], Any]:
        model.eval()
        rows = inputs if batch is None else inputs[:batch]

        def run() -> Any:
            with lib.no_grad():
                return model(rows)

        return run

    return Workload(
        dict(model.named_parameters()),
        lambda: loss_of(model(inputs), targets),
        optimizer(model),
        predict,
        (x, y),
        model,
    )


def scalar(lib: Any) -> Workload:
    """A graph of some 300 operations on single numbers, forward and backward."""
    a = lib.tensor(-4.0, requires_grad=True)
    b = lib.tensor(2.0, requires_grad=True)

    def loss() -> Any:
        c = a + b
        for _ in range(25):
            d = a * b + c * 0.5
            c = c + d * 0.1 + (b - a).relu() * 0.01
            c = c / (c * c + 1.0)
        return c

    return Workload({"a": a, "b": b}, loss)


def tiny_mlp(lib: Any) -> Workload:
    """2-16-16-1, tanh, batch 32, squared error, SGD."""
    model = models.mlp(lib, (2, 16, 16, 1), "Tanh")
    y = labels(32, 2).astype(np.float32)[:, None]
    sgd = lambda model: lib.optim.SGD(model.parameters(), lr=0.01)  # noqa: E731
    return trained(lib, model, normal(32, 2), y, sgd, lib.nn.MSELoss())


def mnist_mlp(lib: Any) -> Workload:
    """784-300-10 with sigmoids, batch 50, SGD: report 002."""
    model = models.mlp(lib, (784, 300, 10), "Sigmoid")
    return trained(
        lib,
        model,
        normal(50, 784),
        labels(50),
        lambda model: lib.optim.SGD(model.parameters(), lr=0.01),
    )


def cifar_mlp(lib: Any, batch: int = 350, width: int = 512) -> Workload:
    """3072-512-10 with ReLU, batch 350, SGD, 0.01 times the squared weights: report 001."""

    def sgd(model: Any) -> Any:
        groups: list[Any] = [[], []]
        for name, p in model.named_parameters():
            groups["bias" in name].append(p)
        # The gradient of 0.01 ||W||^2 is 0.02 W: PyTorch's weight decay.
        return lib.optim.SGD(
            [{"params": groups[0], "weight_decay": 0.02}, {"params": groups[1]}], lr=1e-3
        )

    model = models.mlp(lib, (3072, width, 10), "ReLU")
    return trained(lib, model, normal(batch, 3072), labels(batch), sgd)


def deep_mlp_bn(lib: Any) -> Workload:
    """3072-300-200-10 with batch norm and ReLU, batch 200, Adam: report 000."""
    model = models.mlp(lib, (3072, 300, 200, 10), "ReLU", batch_norm=True)
    return trained(
        lib,
        model,
        normal(200, 3072),
        labels(200),
        lambda model: lib.optim.Adam(model.parameters(), lr=6e-4),
    )


def mnist_cnn(lib: Any, batch: int) -> Workload:
    """conv5x5x16, pool, conv5x5x16, pool, 784-10, momentum, weight decay: report 004."""
    return trained(
        lib,
        models.mnist_cnn(lib),
        normal(batch, 1, 28, 28),
        labels(batch),
        lambda model: lib.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=0.005),
    )


def cifar_vgg(lib: Any, batch: int = 32) -> Workload:
    """The mini-VGG with batch norm, batch 32, Adam: reports 000 and 003."""
    return trained(
        lib,
        models.mini_vgg(lib),
        normal(batch, 3, 32, 32),
        labels(batch),
        lambda model: lib.optim.Adam(model.parameters(), lr=1e-4),
    )


def transformer(lib: Any, batch: int = 16, length: int = 64, layers: int = 2) -> Workload:
    """A GPT of 2 layers, 128 features, 4 heads, 64 characters, batch 16, AdamW."""
    text = labels(batch * (length + 1), models.VOCABULARY).reshape(batch, length + 1)
    return trained(
        lib,
        models.gpt(lib, layers=layers, length=length),
        np.ascontiguousarray(text[:, :-1]),
        text[:, 1:].ravel(),
        lambda model: lib.optim.AdamW(model.parameters(), lr=3e-4),
    )


def lstm(lib: Any, batch: int = 32, time: int = 50) -> Workload:
    """An LSTM of 64 -> 128 over 50 steps and a linear layer, batch 32, Adam."""
    return trained(
        lib,
        models.lstm(lib),
        normal(batch, time, 64),
        labels(batch),
        lambda model: lib.optim.Adam(model.parameters(), lr=1e-3),
    )


def elementwise(lib: Any, rows: int = 2048) -> Workload:
    """mean(tanh(x * w + b)^2) of four million numbers, gradients of x, w and b."""
    arrays = {"x": normal(rows, 2048), "w": normal(2048, seed=1), "b": normal(2048, seed=2)}
    leaves = {name: lib.from_numpy(a).requires_grad_() for name, a in arrays.items()}
    x, w, b = leaves.values()
    return Workload(leaves, lambda: ((x * w + b).tanh() ** 2).mean())


def _mnist_cnn(batch: int) -> Build:
    def build(lib: Any) -> Workload:
        return mnist_cnn(lib, batch)

    build.__doc__ = f"{(mnist_cnn.__doc__ or '').rstrip('.')}, batch {batch}."
    return build


WORKLOADS: dict[str, Build] = {
    "scalar": scalar,
    "tiny_mlp": tiny_mlp,
    "mnist_mlp": mnist_mlp,
    "cifar_mlp": cifar_mlp,
    "deep_mlp_bn": deep_mlp_bn,
    "mnist_cnn_b16": _mnist_cnn(16),
    "mnist_cnn_b64": _mnist_cnn(64),
    "cifar_vgg": cifar_vgg,
    "transformer": transformer,
    "lstm": lstm,
    "elementwise": elementwise,
}
