"""A program for PyTorch run with both libraries, and what it comes to as plain Python."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch

import tensorgrad

__all__ = ["outcome", "same"]


def plain(value: Any) -> Any:
    if isinstance(value, (torch.Tensor, tensorgrad.Tensor)):
        return str(value.dtype).split(".")[-1], tuple(value.shape), value.tolist()
    if isinstance(value, (tuple, list)):
        return [plain(v) for v in value]
    return value


def outcome(library: Any, before: str, expression: str) -> Any:
    """The value of the expression after the statements, or the name of the error's type."""
    names = {"torch": library, "np": np, "__name__": "program"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(before, names)
            return plain(eval(expression, names))
        except Exception as error:
            return type(error).__name__


def same(before: str, *expressions: str) -> None:
    """Assert that each expression comes to the same with PyTorch and with tensorgrad."""
    for expression in expressions:
        wanted, found = (outcome(library, before, expression) for library in (torch, tensorgrad))
        assert repr(found) == repr(wanted), (before, expression)
