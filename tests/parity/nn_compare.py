"""What the parity tests of nn share: one case run by both libraries, and the comparison."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as torch_functional

import tensorgrad as tg
from tensorgrad.nn import functional as our_functional

TOLERANCE = 1e-10


class Side:
    """One library, as a case sees it: ``nn``, ``F``, and tensors made of the same arrays."""

    def __init__(self, library: Any, functional: Any) -> None:
        self.tg = library
        self.nn = library.nn
        self.F = functional
        self.leaves: dict[str, Any] = {}

    def const(self, values: Any, dtype: str | None = None) -> Any:
        array = np.asarray(values) if dtype is None else np.asarray(values, dtype)
        return self.tg.from_numpy(array.copy())

    def leaf(self, values: Any, name: str | None = None) -> Any:
        made = self.const(values).requires_grad_()
        self.leaves[name or f"leaf {len(self.leaves)}"] = made
        return made


def sides() -> tuple[Side, Side]:
    return Side(torch, torch_functional), Side(tg, our_functional)


def array(value: Any) -> np.ndarray:
    return value.detach().numpy()


def assert_same(theirs: Any, ours: Any, what: str, tolerance: float = TOLERANCE) -> None:
    """Equal nesting, shapes and dtypes, and values to the tolerance."""
    if isinstance(theirs, (tuple, list)):
        assert isinstance(ours, (tuple, list)), what
        assert len(theirs) == len(ours), what
        for i, (a, b) in enumerate(zip(theirs, ours)):
            assert_same(a, b, f"{what}[{i}]", tolerance)
        return
    if theirs is None:
        assert ours is None, f"{what}: PyTorch has none"
        return
    assert ours is not None, f"{what}: tensorgrad has none"
    a, b = array(theirs), array(ours)
    assert a.shape == b.shape, f"{what}: {a.shape} != {b.shape}"
    assert a.dtype == b.dtype, f"{what}: {a.dtype} != {b.dtype}"
    np.testing.assert_allclose(b, a, rtol=tolerance, atol=tolerance, err_msg=what)


def seed_of(output: Any) -> np.ndarray:
    """A gradient for an output: no two elements alike, so that none can hide in a sum."""
    shape = tuple(output.shape)
    count = int(np.prod(shape))
    return np.cos(np.arange(1.0, count + 1)).reshape(shape)


def compare(case: Callable[[Side], Any], tolerance: float = TOLERANCE) -> tuple[Side, Side]:
    """Run a case on both sides; outputs and the gradients of all its leaves must agree."""
    pair = sides()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outputs = [case(side) for side in pair]
    assert_same(outputs[0], outputs[1], "output", tolerance)
    first = [out[0] if isinstance(out, (tuple, list)) else out for out in outputs]
    if pair[0].leaves and first[0].requires_grad:
        assert first[1].requires_grad
        for side, output in zip(pair, first):
            output.backward(side.const(seed_of(output)))
        for name, leaf in pair[0].leaves.items():
            assert_same(leaf.grad, pair[1].leaves[name].grad, f"gradient of {name}", tolerance)
    return pair


def errors(case: Callable[[Side], Any]) -> tuple[type, type, str]:
    """The types of the errors that a case raises, and the text of ours."""
    found = []
    text = ""
    for side in sides():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                case(side)
            found.append(type(None))
        except Exception as error:
            found.append(type(error))
            text = str(error)
    return found[0], found[1], text


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    """Normal numbers in float64."""
    return np.random.default_rng(seed).standard_normal(shape)


def positive(*shape: int, seed: int = 0) -> np.ndarray:
    """Numbers from (0, 1), off the ends."""
    return np.random.default_rng(seed).uniform(0.05, 0.95, shape)


def classes(count: int, *shape: int, seed: int = 0) -> np.ndarray:
    """int64 class numbers."""
    return np.random.default_rng(seed).integers(0, count, shape)
