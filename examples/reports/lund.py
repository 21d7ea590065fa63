"""Report 004's networks, and its momentum."""

from __future__ import annotations

from typing import Any

import tensorgrad as tg
from tensorgrad import nn, optim


def mnist_net() -> nn.Sequential:
    """Table 1: 14,682 parameters."""
    return initialised(nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(784, 10),
    ))  # fmt: skip


def baseline_net() -> nn.Sequential:
    """The assignment's network for CIFAR-10: one pool, 48,602 parameters."""
    return initialised(nn.Sequential(
        nn.Conv2d(3, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 16, 5, padding=2), nn.ReLU(), nn.Flatten(), nn.Linear(4096, 10),
    ), scale=0.1)  # fmt: skip


def modified_net() -> nn.Sequential:
    """Table 3: 51,766 parameters."""
    return initialised(nn.Sequential(
        nn.Conv2d(3, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 24, 5, padding=2), nn.ReLU(), nn.Conv2d(24, 24, 5, padding=2), nn.ReLU(),
        nn.MaxPool2d(2), nn.Conv2d(24, 16, 3, padding=1), nn.ReLU(),
        nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.Flatten(),
        nn.Linear(1024, 20), nn.ReLU(), nn.Linear(20, 10),
    ))  # fmt: skip


def initialised(model: nn.Sequential, scale: float = 1.0) -> nn.Sequential:
    """Weights from N(0, 2 / inputs), times ``scale``; biases 0: the course's starter code."""
    for layer in model:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            with tg.no_grad():
                layer.weight.mul_(scale)
            nn.init.zeros_(layer.bias)
    return model


class RunningMean(optim.Optimizer):
    """Report 004, equations 30 and 31: m <- mu m + (1 - mu) g from m = 0; w <- w - lr m.

    `optim.SGD` with dampening = momentum is the same but for its start: there m is g at first.
    """

    def __init__(self, params: Any, lr: float, momentum: float, weight_decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @tg.no_grad()
    def step(self, closure: Any = None) -> Any:
        """One step."""
        loss = None
        if closure is not None:
            with tg.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = p.grad.add(p, alpha=group["weight_decay"])
                state = self.state[p]
                if not state:
                    state["mean"] = tg.zeros_like(p)
                state["mean"].mul_(group["momentum"]).add_(g, alpha=1 - group["momentum"])
                p.sub_(state["mean"], alpha=group["lr"])
        return loss


def three_steps(make: Any, gradients: Any = (1.0, -0.5, 2.0)) -> list[float]:
    """Where an optimizer takes a parameter from 1 with these gradients."""
    p = nn.Parameter(tg.tensor(1.0, dtype=tg.float64))
    optimizer, places = make([p]), []
    for g in gradients:
        p.grad = tg.tensor(g, dtype=tg.float64)
        optimizer.step()
        places.append(p.item())
    return places
