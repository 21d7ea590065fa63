"""Training steps as closures, the same for tensorgrad and for PyTorch.

Each workload is a function of the library's modules that returns ``step()``: zero_grad, forward,
loss, backward, optimizer; it returns the loss as a float.  Data and weights come from one seed.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Step = Callable[[], float]


def _data(shape: tuple[int, ...], classes: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype(np.float32)
    return x, rng.integers(0, classes, shape[0])


def _set_weights(lib: Any, model: Any) -> None:
    """The same numbers in both libraries, whatever their own generators draw."""
    rng = np.random.default_rng(1)
    with lib.no_grad():
        for p in model.parameters():
            fan_in = int(np.prod(p.shape[1:])) if p.ndim > 1 else 1
            drawn = rng.standard_normal(tuple(p.shape)) / np.sqrt(max(fan_in, 1))
            p.copy_(lib.from_numpy((drawn if p.ndim > 1 else 0 * drawn).astype(np.float32)))


def _classifier(lib: Any, nn: Any, optim: Any, model: Any, x: Any, y: Any, lr: float) -> Step:
    _set_weights(lib, model)
    inputs, labels = lib.from_numpy(x), lib.from_numpy(y)
    loss_of = nn.CrossEntropyLoss()
    optimizer = optim.SGD(model.parameters(), lr=lr)

    def step() -> float:
        optimizer.zero_grad()
        loss = loss_of(model(inputs), labels)
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return step


def scalar(lib: Any, nn: Any, optim: Any) -> Step:
    """A graph of some 250 operations on single numbers, forward and backward."""
    a = lib.tensor(-4.0, requires_grad=True)
    b = lib.tensor(2.0, requires_grad=True)

    def step() -> float:
        a.grad = b.grad = None
        c = a + b
        for _ in range(25):
            d = a * b + c * 0.5
            c = c + d * 0.1 + (b - a).relu() * 0.01
            c = c / (c * c + 1.0)
        c.backward()
        return float(c.item())

    return step


def tiny_mlp(lib: Any, nn: Any, optim: Any) -> Step:
    """2-16-16-1, tanh, batch 32, squared error."""
    model = nn.Sequential(
        nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1)
    )
    _set_weights(lib, model)
    x, y = _data((32, 2), 2)
    inputs, targets = lib.from_numpy(x), lib.from_numpy(y.astype(np.float32)[:, None])
    loss_of = nn.MSELoss()
    optimizer = optim.SGD(model.parameters(), lr=0.01)

    def step() -> float:
        optimizer.zero_grad()
        loss = loss_of(model(inputs), targets)
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return step


def mnist_mlp(lib: Any, nn: Any, optim: Any) -> Step:
    """784-300-10 with sigmoids, batch 50: report 002."""
    model = nn.Sequential(nn.Linear(784, 300), nn.Sigmoid(), nn.Linear(300, 10))
    return _classifier(lib, nn, optim, model, *_data((50, 784), 10), 0.01)


def cifar_mlp(lib: Any, nn: Any, optim: Any) -> Step:
    """3072-512-10 with ReLU, batch 350: report 001."""
    model = nn.Sequential(nn.Linear(3072, 512), nn.ReLU(), nn.Linear(512, 10))
    return _classifier(lib, nn, optim, model, *_data((350, 3072), 10), 0.001)


def _mnist_cnn(batch: int) -> Callable[..., Step]:
    def build(lib: Any, nn: Any, optim: Any) -> Step:
        model = nn.Sequential(
            nn.Conv2d(1, 16, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 16, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(784, 10),
        )
        return _classifier(lib, nn, optim, model, *_data((batch, 1, 28, 28), 10), 0.01)

    build.__doc__ = f"conv5x5x16, pool, conv5x5x16, pool, 784-10, batch {batch}: report 004."
    return build


WORKLOADS: dict[str, Callable[..., Step]] = {
    "scalar": scalar,
    "tiny_mlp": tiny_mlp,
    "mnist_mlp": mnist_mlp,
    "cifar_mlp": cifar_mlp,
    "mnist_cnn_b16": _mnist_cnn(16),
    "mnist_cnn_b64": _mnist_cnn(64),
}
