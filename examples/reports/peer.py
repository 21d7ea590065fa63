"""A model in PyTorch, from the same weights and on the same batches: what is not the framework's.

Where CIFAR-10 was decoded from JPEGs it is not quite the CIFAR-10 of the reports, and what they do
not state can differ. If PyTorch misses their number on the same images by as much, it is that and
not tensorgrad.
"""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from examples.reports.data import Split
from examples.reports.training import Batches, Curves
from tensorgrad import nn

CHECKPOINT_EVERY = 30.0  # seconds: it holds all losses, and is long to write after many steps


def torch_copy(model: nn.Sequential) -> Any:
    """The same network with the same weights in PyTorch."""
    import torch

    layers = []
    for layer in model:
        if isinstance(layer, nn.Conv2d):
            sizes = layer.in_channels, layer.out_channels, layer.kernel_size
            layers.append(torch.nn.Conv2d(*sizes, padding=layer.padding))
        elif isinstance(layer, nn.Linear):
            layers.append(torch.nn.Linear(layer.in_features, layer.out_features))
        elif isinstance(layer, nn.BatchNorm2d):
            layers.append(torch.nn.BatchNorm2d(layer.num_features))
        elif isinstance(layer, nn.MaxPool2d):
            how = layer.kernel_size, layer.stride, layer.padding
            layers.append(torch.nn.MaxPool2d(*how))
        elif isinstance(layer, nn.AvgPool2d):
            layers.append(torch.nn.AvgPool2d(layer.kernel_size))
        else:
            layers.append(getattr(torch.nn, type(layer).__name__)())  # ReLU, Flatten
    copy = torch.nn.Sequential(*layers)
    copy.load_state_dict(
        {name: torch.from_numpy(np.array(t.numpy())) for name, t in model.state_dict().items()}
    )
    return copy


def train_torch(
    model: nn.Sequential, batches: Batches, test: Split, steps: int, rate: float, path: Path,
    *, optimizer: str = "Adam", weight_decay: float = 0.0, per_epoch: float = 1.0,
) -> Curves:  # fmt: skip
    """Some steps of training: the loss of each, and at the end the test loss and accuracy.

    ``path``: a checkpoint, from which an interrupted run goes on.  ``per_epoch``: what the rate is
    multiplied by after each epoch.
    """
    import torch

    copy = torch_copy(model)
    kind = getattr(torch.optim, optimizer)
    stepped = kind(copy.parameters(), lr=rate, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.StepLR(stepped, batches.per_epoch, per_epoch)
    losses: list[float] = []
    if path.exists():
        kept = torch.load(path)
        copy.load_state_dict(kept["model"])
        stepped.load_state_dict(kept["optimizer"])
        schedule.load_state_dict(kept["schedule"])
        batches.load_state_dict(kept["batches"])
        losses = kept["losses"]
    path.parent.mkdir(parents=True, exist_ok=True)
    saved = monotonic()
    while len(losses) < steps:
        inputs, labels = (torch.from_numpy(t.numpy()) for t in batches.next())
        stepped.zero_grad()
        loss = torch.nn.functional.cross_entropy(copy(inputs), labels)
        loss.backward()
        stepped.step()
        schedule.step()
        losses.append(loss.item())
        if monotonic() - saved > CHECKPOINT_EVERY or len(losses) == steps:
            saved = monotonic()
            torch.save({"model": copy.state_dict(), "optimizer": stepped.state_dict(),
                        "schedule": schedule.state_dict(), "batches": batches.state_dict(),
                        "losses": losses}, path)  # fmt: skip
    copy.eval()
    with torch.no_grad():
        parts = [copy(torch.from_numpy(test.x[k : k + 500])) for k in range(0, len(test.x), 500)]
        found, labels = torch.cat(parts), torch.from_numpy(test.y)
        loss = torch.nn.functional.cross_entropy(found, labels)
    right = (found.argmax(1) == labels).double().mean()
    return {"loss": losses, "test loss": [loss.item()], "test accuracy": [right.item()]}
