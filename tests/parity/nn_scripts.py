"""Scripts that are run with both libraries, and what they say compared.

A script gets ``tg`` (the library), ``nn`` and ``say``; what it says must be the same on both
sides, errors by their type.
"""

from __future__ import annotations

import warnings

import numpy as np
import torch

import tensorgrad as tg


def plain(value):
    """What was said, without the library's name and with tensors as lists."""
    if isinstance(value, (tg.Tensor, torch.Tensor)):
        return "tensor", str(value.dtype).split(".")[-1], value.detach().numpy().tolist()
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (tg.nn.Module, torch.nn.Module)):
        return type(value).__name__
    if isinstance(value, str):
        return value.replace("tensorgrad", "torch")
    return value


class Journal(list):
    def __call__(self, *values):
        self.append([plain(v) for v in values])

    def attempt(self, function, *args, **kwargs):
        try:
            self("done", function(*args, **kwargs))
        except Exception as error:
            # PyTorch raises some errors by way of a subclass.
            self("raised", [k.__name__ for k in (KeyError, TypeError) if isinstance(error, k)])


def rounded(value):
    """Floats to six digits: these scripts run in float32."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, (list, tuple)):
        return [rounded(v) for v in value]
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return value


def run_script(function):
    """Run a script with both libraries and compare what it said."""
    journals = []
    for library in (torch, tg):
        journal = Journal()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            function(library, library.nn, journal)
        journals.append(journal)
    assert len(journals[0]) == len(journals[1])
    for i, (theirs, ours) in enumerate(zip(*journals)):
        if "tensor" in str(theirs):
            np.testing.assert_equal(rounded(ours), rounded(theirs), f"entry {i}")
        else:
            assert ours == theirs, f"entry {i}"


def two_layers(tg, nn):
    class Block(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.lin = nn.Linear(width, width)
            self.register_buffer("scale", tg.ones(1))
            self.register_buffer("scratch", tg.zeros(2), persistent=False)
            self.gain = nn.Parameter(tg.ones(width))

        def forward(self, x):
            return self.lin(x) * self.gain * self.scale

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = Block(3)
            self.second = Block(3)
            self.head = nn.Linear(3, 2, bias=False)
            self.again = self.first
            self.nothing = None
            self.register_parameter("absent", None)
            self.add_module("missing", None)

        def forward(self, x):
            return self.head(self.second(self.first(x)))

    net = Net()
    for i, p in enumerate(net.parameters()):
        with tg.no_grad():
            p.copy_(tg.arange(p.numel(), dtype=p.dtype).reshape(p.shape) / 10 - 0.1 * i)
    return net
