"""Optimizers, learning-rate schedulers, and averages of parameters.

``optim.swa_utils`` loads when first used: unlike the rest it needs `nn`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tensorgrad.optim import lr_scheduler
from tensorgrad.optim.adadelta import Adadelta
from tensorgrad.optim.adafactor import Adafactor
from tensorgrad.optim.adagrad import Adagrad
from tensorgrad.optim.adam import Adam
from tensorgrad.optim.adamax import Adamax
from tensorgrad.optim.adamw import AdamW
from tensorgrad.optim.asgd import ASGD
from tensorgrad.optim.lbfgs import LBFGS
from tensorgrad.optim.muon import Muon
from tensorgrad.optim.nadam import NAdam
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.optim.radam import RAdam
from tensorgrad.optim.rmsprop import RMSprop
from tensorgrad.optim.rprop import Rprop
from tensorgrad.optim.sgd import SGD
from tensorgrad.optim.stateless import swap_in_optimizer_params_and_state

if TYPE_CHECKING:
    from tensorgrad.optim import swa_utils as swa_utils

__all__ = [
    "ASGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "LBFGS",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "SGD",
    "lr_scheduler",
    "swa_utils",
    "swap_in_optimizer_params_and_state",
]


def __getattr__(name: str) -> Any:
    if name == "swa_utils":
        return importlib.import_module("tensorgrad.optim.swa_utils")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
