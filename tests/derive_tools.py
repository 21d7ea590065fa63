"""What the tests of `viz.derive` share: drawn tensors, and what a derivation says, as strings."""

from __future__ import annotations

from typing import Any

import numpy as np

import tensorgrad as tg


def draw(*shape: int, seed: int = 0, grad: bool = True) -> Any:
    values = np.random.default_rng(seed).standard_normal(shape)
    return tg.tensor(values, requires_grad=grad)


def forward(figure: Any) -> list[str]:
    """What each step computes: ``h = tanh(z)``."""
    return [f"{s['variable']} = {s['forward']['text']}" for s in figure.data["steps"]]


def _ways(figure: Any) -> list[dict[str, Any]]:
    return [way for step in figure.data["steps"] for way in step["gives"]]


def backward(figure: Any) -> list[str]:
    """What each step gives back: ``∂L/∂z = ...``."""
    return [
        f"{way['gradient']['text']} = {way['formula']['text']}"
        for way in _ways(figure)
        if way["formula"] is not None
    ]


def _pairs(figure: Any, key: str) -> list[str]:
    found = [way[key] for way in _ways(figure) if way[key] is not None]
    return [f"{left['text']} = {right['text']}" for left, right in found]


def local(figure: Any) -> list[str]:
    """The local derivatives."""
    return _pairs(figure, "local")


def cases(figure: Any) -> list[str]:
    """The local derivatives, case by case."""
    return _pairs(figure, "cases")


def in_all(figure: Any) -> list[str]:
    """The gradients in terms of values alone."""
    return _pairs(figure, "closed")


def worst(figure: Any) -> float:
    """The largest relative error beside finite differences; every one must have been made."""
    checks = [item["check"] for item in _ways(figure) + figure.data["results"]]
    errors = [check["relative_error"] for check in checks]
    assert None not in errors, [check["why_not"] for check in checks]
    return float(max(errors))
