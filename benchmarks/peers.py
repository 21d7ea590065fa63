"""JAX, HIPS autograd and MyGrad in the race, where they are installed.

Each gets the weights and data of tensorgrad's workload, the loss from `peer_models`, and the same
optimizer, in that library's usual style: a whole step under `jax.jit`; `value_and_grad` and NumPy
updates for autograd; tensors with `.backward()` for MyGrad.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from peer_models import LOSSES, Functions
from workloads import Workload

Update = Callable[[Any, Any, Any, Any], tuple[Any, Any]]  # parameter, gradient, state, step number


class Refused(Exception):
    """Why a library cannot take part in a workload."""


def _sgd(lr: float, momentum: float = 0.0, decay: Callable[[str], float] = lambda _: 0.0) -> Any:
    def update(name: str, p: Any, g: Any, state: Any, count: Any) -> tuple[Any, Any]:
        if decay(name):
            g = g + decay(name) * p
        if momentum:
            state = g if state is None else momentum * state + g
            g = state
        return p - lr * g, state

    return update


def _adam(lr: float, decay: float = 0.0) -> Any:
    def update(name: str, p: Any, g: Any, state: Any, count: Any) -> tuple[Any, Any]:
        m, v = state or (0 * p, 0 * p)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        rate = lr / (1 - 0.9**count)
        root = (v / (1 - 0.999**count)) ** 0.5 + 1e-8
        return p * (1 - lr * decay) - rate * m / root, (m, v)

    return update


# The same as in workloads.py; three steps of losses are compared before each race.
UPDATES: dict[str, Any] = {
    "tiny_mlp": _sgd(0.01),
    "mnist_mlp": _sgd(0.01),
    "cifar_mlp": _sgd(1e-3, decay=lambda name: 0.0 if "bias" in name else 0.02),
    "deep_mlp_bn": _adam(6e-4),
    "mnist_cnn_b16": _sgd(0.01, momentum=0.9, decay=lambda _: 0.005),
    "mnist_cnn_b64": _sgd(0.01, momentum=0.9, decay=lambda _: 0.005),
    "cifar_vgg": _adam(1e-4),
    "transformer": _adam(3e-4, decay=0.01),
    "lstm": _adam(1e-3),
}


class Peer:
    """A library's training step: called, it makes one and returns the loss."""

    def __init__(self, name: str, parameters: dict[str, Any], x: Any, y: Any) -> None:
        self.loss = LOSSES[name]
        self.update = UPDATES.get(name)
        self.parameters = parameters
        self.state: dict[str, Any] = dict.fromkeys(parameters)
        self.count = 0
        self.last: dict[str, Any] = {}
        self.x, self.y = x, y

    def apply(self, gradients: dict[str, Any]) -> None:
        """The optimizer's step on NumPy arrays."""
        self.count += 1
        self.last = gradients
        for name in gradients if self.update else ():
            self.parameters[name], self.state[name] = self.update(
                name, self.parameters[name], gradients[name], self.state[name], self.count
            )

    def gradients(self) -> dict[str, Any]:
        """Of the last step, as NumPy arrays."""
        return {name: np.asarray(g) for name, g in self.last.items()}

    def __call__(self) -> float:
        raise NotImplementedError


class Jax(Peer):
    def __init__(self, name: str, parameters: dict[str, Any], x: Any, y: Any) -> None:
        jax = import_module("jax")
        lax = jax.lax

        def conv(x: Any, w: Any, padding: int) -> Any:
            return lax.conv_general_dilated(x, w, (1, 1), [(padding, padding)] * 2)

        def pool(x: Any, size: int, stride: int, padding: int) -> Any:
            pads = ((0, 0), (0, 0), (padding, padding), (padding, padding))
            window, steps = (1, 1, size, size), (1, 1, stride, stride)
            return lax.reduce_window(x, -np.inf, lax.max, window, steps, pads)

        def scan(step: Any, state: Any, inputs: Any) -> Any:
            return lax.scan(lambda state, given: (step(state, given), None), state, inputs)[0]

        functions = Functions(jax.numpy, jax.scipy.special.erf, conv, pool, scan)
        arrays = {key: jax.numpy.asarray(value) for key, value in parameters.items()}
        super().__init__(name, arrays, x, y)
        self.x, self.y = (None if a is None else jax.numpy.asarray(a) for a in (x, y))

        def value(p: Any, x: Any, y: Any) -> Any:
            return self.loss(functions, p, x, y)

        def step(p: Any, state: Any, count: Any, x: Any, y: Any) -> Any:
            loss, g = jax.value_and_grad(value)(p, x, y)
            if self.update is None:
                return loss, g, state  # without an optimizer the gradients are the result
            new = {key: self.update(key, p[key], g[key], state[key], count) for key in p}
            return loss, {k: v[0] for k, v in new.items()}, {k: v[1] for k, v in new.items()}

        self.step = jax.jit(step)
        self.grad = jax.jit(jax.grad(value))
        self.previous = arrays

    def __call__(self) -> float:
        self.count += 1
        self.previous = self.parameters
        loss, new, state = self.step(self.parameters, self.state, float(self.count), self.x, self.y)
        if self.update is not None:
            self.parameters, self.state = new, state
        return float(loss)

    def gradients(self) -> dict[str, Any]:
        return {k: np.asarray(g) for k, g in self.grad(self.previous, self.x, self.y).items()}


class Autograd(Peer):
    def __init__(self, name: str, parameters: dict[str, Any], x: Any, y: Any) -> None:
        if "cnn" in name or "vgg" in name:
            raise Refused("it has no convolution with channels")
        autograd = import_module("autograd")
        functions = Functions(
            import_module("autograd.numpy"), import_module("autograd.scipy.special").erf
        )
        super().__init__(name, {k: v.copy() for k, v in parameters.items()}, x, y)
        self.value_and_grad = autograd.value_and_grad(lambda p, x, y: self.loss(functions, p, x, y))

    def __call__(self) -> float:
        loss, gradients = self.value_and_grad(self.parameters, self.x, self.y)
        self.apply(gradients)
        return float(loss)


class MyGrad(Peer):
    def __init__(self, name: str, parameters: dict[str, Any], x: Any, y: Any) -> None:
        if name == "transformer":
            raise Refused("it has no error function for GELU")
        if name == "cifar_vgg":
            raise Refused("its max_pool has no padding")
        self.mg = import_module("mygrad")
        layers = import_module("mygrad.nnet.layers")

        def conv(x: Any, w: Any, padding: int) -> Any:
            return layers.conv_nd(x, w, stride=1, padding=padding)

        def pool(x: Any, size: int, stride: int, padding: int) -> Any:
            return layers.max_pool(x, (size, size), stride)

        self.functions = Functions(self.mg, None, conv, pool)
        super().__init__(name, {k: v.copy() for k, v in parameters.items()}, x, y)

    def __call__(self) -> float:
        leaves = {name: self.mg.tensor(p, copy=False) for name, p in self.parameters.items()}
        loss = self.loss(self.functions, leaves, self.x, self.y)
        loss.backward()
        self.apply({name: leaf.grad for name, leaf in leaves.items()})
        return float(loss.item())


PEERS: dict[str, type[Peer]] = {"jax": Jax, "autograd": Autograd, "mygrad": MyGrad}


def build(name: str, ours: Workload) -> tuple[dict[str, Any], dict[str, str]]:
    """(the steps of those that are installed and able, and why the others are not there)."""
    start = {key: np.array(p.detach().numpy()) for key, p in ours.parameters.items()}
    steps: dict[str, Any] = {}
    absent: dict[str, str] = {}
    for library, peer in PEERS.items():
        try:
            import_module(library)
        except ImportError:
            absent[library] = "not installed"
            continue
        try:
            steps[library] = peer(name, start, *ours.data)
        except Refused as reason:
            absent[library] = str(reason)
    return steps, absent
