"""What optimizers say of hyperparameters that cannot be."""

from __future__ import annotations

from typing import Any

from tensorgrad.optim.optimizer import number
from tensorgrad.tensor import Tensor

__all__ = ["check_betas", "check_not_negative", "check_rate"]


def check_rate(name: str, lr: float | Tensor, what: str = "learning rate") -> None:
    """Raise ValueError unless ``lr`` is one number that is not negative."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError(f"{name}: Tensor lr must be 1-element, got shape {tuple(lr.shape)}")
    if not number(lr) >= 0:
        raise ValueError(f"{name}: Invalid {what}: {lr}; it must not be negative")


def check_not_negative(name: str, **values: float) -> None:
    """Raise ValueError for a value below 0, or NaN."""
    for what, value in values.items():
        if not value >= 0:
            what = "epsilon" if what == "eps" else what
            raise ValueError(f"{name}: Invalid {what} value: {value}; it must not be negative")


def check_betas(name: str, betas: Any) -> None:
    """Raise ValueError unless both are in [0, 1)."""
    for i in (0, 1):
        if not 0 <= number(betas[i]) < 1:
            raise ValueError(
                f"{name}: Invalid beta parameter at index {i}: {betas[i]}; it must be in [0, 1)"
            )
