"""Rows of the optimizers and of the schedules of their rates: one per class, with its variants.

From a row come 20 steps beside PyTorch in float64 and the exchange of state dicts both ways
(`tests/parity`), and, in the default suite, continuing from a state dict to the same numbers.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

__all__ = ["ADAFACTOR", "LBFGS", "MUON", "OPTIMIZERS", "SCHEDULERS", "Optimizing", "Scheduling"]

SHAPES = ((3, 4), (5,), (), (2, 1, 3), (0, 3))
MATRICES = ((3, 4), (5, 2), (1, 6), (4, 4))


@dataclass(frozen=True)
class Optimizing:
    """An optimizer: keyword arguments, one dict per variant, and what it is given to optimize.

    by_closure: it evaluates the loss itself.
    """

    name: str
    variants: tuple[dict[str, Any], ...]
    shapes: tuple[tuple[int, ...], ...] = SHAPES
    by_closure: bool = False

    def make(self, library: Any, parameters: Any, variant: int) -> Any:
        return getattr(library.optim, self.name)(parameters, **self.variants[variant])


@dataclass(frozen=True)
class Scheduling:
    """A schedule of rates: keyword arguments, one dict per variant, or functions that build one.

    module: where the class is.  measured: its step takes a loss.  torch: whether PyTorch has it;
    if not, ``reason`` says why it is here.
    """

    name: str
    variants: tuple[Any, ...]
    module: str = "lr_scheduler"
    measured: bool = False
    torch: bool = True
    reason: str = ""

    def make(self, library: Any, optimizer: Any, variant: int, **more: Any) -> Any:
        arguments = self.variants[variant]
        module = getattr(library.optim, self.module)
        if callable(arguments):
            return arguments(module, optimizer)
        return getattr(module, self.name)(optimizer, **arguments, **more)


# --- Optimizers -----------------------------------------------------------------------------------


def options(**values: Any) -> list[dict[str, Any]]:
    """Every combination of the values, as keyword arguments."""
    return [dict(zip(values, chosen)) for chosen in itertools.product(*values.values())]


SGD = [
    o
    for o in options(
        momentum=[0.0, 0.9],
        dampening=[0.0, 0.3],
        weight_decay=[0.0, 0.1],
        nesterov=[False, True],
        maximize=[False, True],
    )
    if not (o["nesterov"] and (o["momentum"] == 0 or o["dampening"] != 0))
]
ADAM = options(
    betas=[(0.9, 0.999), (0.0, 0.5)],
    eps=[1e-8, 1e-3],
    weight_decay=[0.0, 0.1],
    amsgrad=[False, True],
    maximize=[False, True],
)
WEIGHT = {"weight_decay": [0.0, 0.1], "maximize": [False, True]}
OTHERS = {
    "NAdam": options(
        **WEIGHT, momentum_decay=[4e-3, 0.3], decoupled_weight_decay=[False, True], eps=[1e-8, 0.1]
    ),
    "RAdam": options(
        **WEIGHT, betas=[(0.9, 0.999), (0.5, 0.6)], decoupled_weight_decay=[False, True]
    ),
    "Adamax": options(**WEIGHT, betas=[(0.9, 0.999), (0.5, 0.6)], eps=[1e-8, 0.1]),
    "Adagrad": options(**WEIGHT, lr_decay=[0.0, 0.2], initial_accumulator_value=[0.0, 0.3]),
    "Adadelta": options(**WEIGHT, rho=[0.9, 0.5], eps=[1e-6, 1e-2], lr=[1.0, 0.3]),
    "RMSprop": options(**WEIGHT, momentum=[0.0, 0.9], centered=[False, True], alpha=[0.99, 0.6]),
    "Rprop": options(
        etas=[(0.5, 1.2), (0.3, 1.5)], step_sizes=[(1e-6, 50), (0.05, 0.2)], maximize=[False, True]
    ),
    "ASGD": options(**WEIGHT, lambd=[1e-4, 0.3], t0=[1e6, 5], alpha=[0.75, 1.5]),
}

ADAFACTOR = Optimizing(
    "Adafactor",
    (
        {},
        *options(
            lr=[0.3, 0.01],
            beta2_decay=[-0.8, -0.3],
            eps=[(None, 1e-3), (0.1, 1.0)],
            d=[1.0, 3.0],
            weight_decay=[0.0, 0.1],
            maximize=[False, True],
        ),
    ),
    shapes=((3, 4), (5,), (), (2, 1, 3), (1, 1)),
)
MUON = Optimizing(
    "Muon",
    (
        {},
        *options(
            lr=[0.3],
            momentum=[0.95, 0.0],
            nesterov=[False, True],
            weight_decay=[0.0, 0.1],
            adjust_lr_fn=[None, "original", "match_rms_adamw"],
        ),
        {"ns_coefficients": (2.0, -1.5, 0.5), "ns_steps": 3, "eps": 1e-3},
        {"ns_steps": 0},
    ),
    shapes=MATRICES,
)
LBFGS = Optimizing(
    "LBFGS",
    (
        *(
            {"line_search_fn": "strong_wolfe", **o}
            for o in options(lr=[1, 0.1, 10.0], history_size=[100, 3], max_iter=[20, 4, 1])
        ),
        *({"lr": 0.002, **o} for o in options(history_size=[100, 2], max_iter=[20, 3])),
        {"line_search_fn": "strong_wolfe", "max_eval": 3},
        {"lr": 0.002, "max_eval": 3, "tolerance_change": 1e-3, "tolerance_grad": 1e-2},
    ),
    shapes=((2, 3), (4,)),
    by_closure=True,
)
OPTIMIZERS = [
    Optimizing("SGD", ({}, *({"lr": 0.1, **o} for o in SGD))),
    Optimizing("Adam", (
        {}, *({"lr": 0.01, **o} for o in ADAM),
        *({"lr": 0.01, "decoupled_weight_decay": True, **o} for o in ADAM[:8]),
    )),
    Optimizing("AdamW", ({}, *({"lr": 0.01, **o} for o in ADAM))),
    *(Optimizing(name, ({}, *found)) for name, found in OTHERS.items()),
    ADAFACTOR,
    MUON,
    LBFGS,
]  # fmt: skip


# --- Schedules ------------------------------------------------------------------------------------


class Halving:
    """A factor to the power of the epoch, as an object with a state."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, epoch: int) -> float:
        return float(self.factor**epoch)


_EPOCHS: list[tuple[str, dict[str, Any]]] = [
    ("StepLR", {"step_size": 3}),
    ("StepLR", {"step_size": 1, "gamma": 0.7}),
    ("MultiStepLR", {"milestones": [2, 5, 5, 9], "gamma": 0.3}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("LambdaLR", {"lr_lambda": lambda epoch: 1 / (1 + epoch)}),
    ("LambdaLR", {"lr_lambda": [lambda epoch: 0.95**epoch, Halving(0.5)]}),
    ("MultiplicativeLR", {"lr_lambda": lambda epoch: 0.9 + 0.01 * epoch}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.25, "total_iters": 4}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.5, "end_factor": 0.1, "total_iters": 7}),
    ("PolynomialLR", {"total_iters": 8, "power": 2.0}),
    ("PolynomialLR", {}),
    ("CosineAnnealingLR", {"T_max": 7}),
    ("CosineAnnealingLR", {"T_max": 4, "eta_min": 0.01}),
    ("CosineAnnealingLR", {"T_max": 100}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3}),
    ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 2, "eta_min": 0.001}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 3}),
    ("CyclicLR", {"base_lr": [0.1, 0.01], "max_lr": [0.5, 0.2], "step_size_up": 3}),
    (
        "CyclicLR",
        {
            "base_lr": 0.1,
            "max_lr": 0.5,
            "step_size_up": 3,
            "step_size_down": 5,
            "mode": "triangular2",
            "base_momentum": [0.5, 0.6],
            "max_momentum": 0.8,
        },
    ),
    (
        "CyclicLR",
        {
            "base_lr": 0.1,
            "max_lr": 0.5,
            "step_size_up": 4,
            "mode": "exp_range",
            "gamma": 0.9,
            "cycle_momentum": False,
        },
    ),
    (
        "CyclicLR",
        {
            "base_lr": 0.1,
            "max_lr": 0.5,
            "step_size_up": 4,
            "scale_fn": lambda x: 0.9**x,
            "scale_mode": "iterations",
            "mode": "other",
        },
    ),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 2, "scale_fn": Halving(0.5)}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 20}),
    ("OneCycleLR", {"max_lr": [0.5, 0.2], "total_steps": 30, "anneal_strategy": "linear"}),
    ("OneCycleLR", {"max_lr": 0.5, "epochs": 5, "steps_per_epoch": 6, "three_phase": True}),
    (
        "OneCycleLR",
        {
            "max_lr": 0.5,
            "total_steps": 25,
            "pct_start": 0.4,
            "div_factor": 10.0,
            "final_div_factor": 100.0,
            "base_momentum": [0.1, 0.2],
            "max_momentum": 0.7,
        },
    ),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 25, "pct_start": 0.0, "cycle_momentum": False}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 25, "pct_start": 1.0}),
]


def sequential(module: Any, optimizer: Any) -> Any:
    parts = [
        module.LinearLR(optimizer, 0.1, total_iters=4),
        module.CosineAnnealingLR(optimizer, 6),
        module.ExponentialLR(optimizer, 0.5),
    ]
    return module.SequentialLR(optimizer, parts, [4, 9])


def from_the_second(module: Any, optimizer: Any) -> Any:
    parts = [module.ConstantLR(optimizer), module.StepLR(optimizer, 3, 0.5)]
    return module.SequentialLR(optimizer, parts, [0])


def chained(module: Any, optimizer: Any) -> Any:
    return module.ChainedScheduler(
        [module.ConstantLR(optimizer, 0.1, 4), module.ExponentialLR(optimizer, 0.9)]
    )


def _by_name(rows: list[tuple[str, dict[str, Any]]]) -> list[Scheduling]:
    names = list(dict.fromkeys(name for name, _ in rows))
    return [Scheduling(n, tuple(kwargs for name, kwargs in rows if name == n)) for n in names]


SCHEDULERS = [
    *_by_name(_EPOCHS),
    Scheduling("SequentialLR", (sequential, from_the_second)),
    Scheduling("ChainedScheduler", (chained,)),
    Scheduling(
        "ReduceLROnPlateau",
        (
            {},
            {"patience": 2},
            {"patience": 0, "factor": 0.5, "min_lr": 0.01},
            {"patience": 1, "mode": "max", "threshold": 0.1},
            {"patience": 1, "mode": "max", "threshold": 0.1, "threshold_mode": "abs"},
            {"patience": 1, "threshold": 0.05, "threshold_mode": "abs", "cooldown": 2},
            {"patience": 0, "min_lr": [0.01, 0.02], "eps": 0.02},
        ),
        measured=True,
    ),
    Scheduling(
        "LossRatioLR",
        ({"window": 3}, {"window": 2, "min_lr": 0.2, "max_lr": 0.6}),
        measured=True,
        torch=False,
        reason="a rule of tensorgrad's own",
    ),
    Scheduling(
        "SWALR",
        (
            {"swa_lr": 0.05},
            {"swa_lr": [0.05, 0.2], "anneal_epochs": 4, "anneal_strategy": "linear"},
            {"swa_lr": 0.3, "anneal_epochs": 0},
        ),
        module="swa_utils",
    ),
]
