"""Differentiation: backward, grad, grad modes, and functions with a backward of their own."""

from __future__ import annotations

import importlib
from typing import Any

from tensorgrad.autograd import (
    anomaly_mode,
    forward_ad,
    function,
    functional,
    grad_mode,
    graph,
    variable,
)
from tensorgrad.autograd.core import backward, grad, observe_backward, observe_forward
from tensorgrad.autograd.grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    is_multithreading_enabled,
    no_grad,
    set_grad_enabled,
    set_multithreading_enabled,
)
from tensorgrad.autograd.variable import Variable
from tensorgrad.backward.anomaly import detect_anomaly, set_detect_anomaly
from tensorgrad.custom.function import Function, once_differentiable

__all__ = [
    "Function",
    "Variable",
    "anomaly_mode",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "forward_ad",
    "function",
    "functional",
    "grad",
    "grad_mode",
    "graph",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "is_multithreading_enabled",
    "no_grad",
    "observe_backward",
    "observe_forward",
    "once_differentiable",
    "set_detect_anomaly",
    "set_grad_enabled",
    "set_multithreading_enabled",
    "variable",
]


def __getattr__(name: str) -> Any:
    """What PyTorch has here and is a client of this package, so that it loads on use."""
    if name in ("gradcheck", "gradgradcheck"):
        return getattr(importlib.import_module("tensorgrad.gradcheck"), name)
    if name == "profiler":
        return importlib.import_module("tensorgrad.autograd.profiler")
    raise AttributeError(f"module 'tensorgrad.autograd' has no attribute {name!r}")
