"""Recurrent layers where nothing is recorded: see `tensorgrad.nn.short_calls`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.functions.recurrent import Call, unrecorded

__all__ = ["recurrent_layers"]


def recurrent_layers(module: Any, x: Any, own: bool) -> Any:
    """(output, last states) of a padded batch, from states of zeros; None for anything else.

    A subclass may have any of the methods that its forward calls, so it has no short way.
    """
    state = module.__dict__
    if (
        x.ndim != 3
        or not x.size
        or "forward" not in type(module).__dict__
        or x.shape[2] != state["input_size"]
        or (state["training"] and state["dropout"])
    ):
        return None
    parameters, biased, projected = state["_parameters"], state["bias"], state["proj_size"]
    weights = [parameters[name]._array for names in state["_all_weights"] for name in names]
    layers, bidirectional = state["num_layers"], state["bidirectional"]
    count = layers * 2 if bidirectional else layers
    if len(weights) != count * ((4 if biased else 2) + (1 if projected else 0)):
        return None
    batch, steps, _ = x.shape
    if not state["batch_first"]:
        batch, steps = steps, batch
    name, units = state["mode"].lower(), state["hidden_size"]
    h = np.zeros((count, batch, projected or units), x.dtype)
    states = (h, np.zeros((count, batch, units), x.dtype)) if name == "lstm" else (h,)
    call = Call(
        x, None, states, weights, biased, layers, 0.0, False, bidirectional, state["batch_first"]
    )
    output, *last = unrecorded(name, call, steps, batch)
    return output, tuple(last) if name == "lstm" else last[0]
