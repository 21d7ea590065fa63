"""The old place of `tensorgrad.func.functional_call`."""

from __future__ import annotations

from typing import Any

from tensorgrad import func
from tensorgrad.graph.provenance import warn
from tensorgrad.nn.module import Module
from tensorgrad.tensor import Tensor

__all__ = ["functional_call"]


def functional_call(
    module: Module,
    parameters_and_buffers: dict[str, Tensor],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """The same as `tensorgrad.func.functional_call`, with a FutureWarning."""
    warn(
        "nn.utils.stateless.functional_call is deprecated as of PyTorch 2.0; use "
        "tensorgrad.func.functional_call instead",
        FutureWarning,
    )
    return func.functional_call(
        module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict
    )
