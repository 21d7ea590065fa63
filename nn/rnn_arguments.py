"""What the constructors of recurrent layers take."""

from __future__ import annotations

import numbers
from typing import Any

from tensorgrad.graph.provenance import warn

__all__ = ["GATES", "check", "no_projection"]

# How many rows of weights there are for each hidden unit.
GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


def check(
    mode: str, input_size: Any, hidden_size: Any, num_layers: Any, bias: Any, batch_first: Any,
    dropout: Any, proj_size: Any,
) -> None:  # fmt: skip
    """The errors of PyTorch's constructor."""
    real = isinstance(dropout, numbers.Number) and not isinstance(dropout, bool)
    if not real or not 0 <= dropout <= 1:
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability of an element "
            f"being zeroed, got {dropout!r}"
        )
    if dropout > 0 and num_layers == 1:
        warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout "
            f"expects num_layers greater than 1, but got dropout={dropout} and "
            f"num_layers={num_layers}"
        )
    for name, value, kind in (
        ("bias", bias, bool),
        ("batch_first", batch_first, bool),
        ("input_size", input_size, int),
        ("hidden_size", hidden_size, int),
    ):
        if not isinstance(value, kind):
            raise TypeError(
                f"{name} should be of type {kind.__name__}, got: {type(value).__name__}"
            )
    for name, value in (
        ("input_size", input_size), ("hidden_size", hidden_size), ("num_layers", num_layers)
    ):  # fmt: skip
        if value <= 0:
            raise ValueError(f"{name} must be greater than zero, got {value}")
    if proj_size < 0:
        raise ValueError(
            "proj_size should be a positive integer or zero to disable projections, got "
            f"{proj_size}"
        )
    if proj_size >= hidden_size:
        raise ValueError(
            f"proj_size has to be smaller than hidden_size, got {proj_size} and {hidden_size}"
        )
    if mode not in GATES:
        raise ValueError(f"Unrecognized RNN mode: {mode}; use one of {', '.join(GATES)}")


def no_projection(proj_size: int | None) -> None:
    if proj_size is not None:
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
