"""How much of a signal a network's weights pass on, at its start."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tensorgrad.graph.node import Node
from tensorgrad.viz.diagnosis.examination import Examination
from tensorgrad.viz.snapshots.statistics import root_mean_square

__all__ = ["STARTS", "passed_on"]

STARTS = ("linear", "conv", "matmul", "conv_input")  # what multiplies a signal by a weight
_NORMS = ("batch_norm", "layer_norm", "rms_norm", "group_norm", "instance_norm")


def passed_on(facts: Examination, gains: Mapping[int, float]) -> float:
    """The share of the signal that reaches the loss on the way that passes most.

    gains: by the identity of a weight.  A skip connection goes around a small weight; a norm makes
    the signal as large as before; and inputs larger than 1, as pixels of 0..255 are, make up for
    small weights.
    """
    signal: dict[int, float] = {}
    for node in facts.nodes:  # inputs first
        gain, coming = 1.0, []
        for edge in node.inputs:
            variable = getattr(edge, "variable", None)
            if variable is not None:
                gain *= gains.get(id(variable), 1.0) if node.op.name in STARTS else 1.0
            elif edge is not None:
                made = edge.inputs[0] if hasattr(edge, "index") else edge
                coming.append(signal.get(id(made), 1.0))
        size = max(coming) if coming else max(1.0, _input_size(node))
        signal[id(node)] = 1.0 if node.op.name in _NORMS else size * gain
    return signal[id(facts.nodes[-1])] if facts.nodes else 1.0


def _input_size(node: Node) -> float:
    """The size of the data that an operation reads; 0 if it was not kept."""
    saved = node.saved
    if type(saved) is not tuple or len(saved) < 2 or not isinstance(saved[1], np.ndarray):
        return 0.0
    data = saved[1]
    return root_mean_square(data) if node.inputs[0] is None and data.dtype.kind == "f" else 0.0
