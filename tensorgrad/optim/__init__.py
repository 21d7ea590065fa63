"""Optimizers and learning-rate schedulers."""

from tensorgrad.optim import lr_scheduler
from tensorgrad.optim.adam import Adam
from tensorgrad.optim.adamw import AdamW
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.optim.sgd import SGD

__all__ = ["Adam", "AdamW", "Optimizer", "SGD", "lr_scheduler"]
