"""An optimizer's step on other parameters and another state than its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, NoReturn

from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.tensor import Tensor

__all__ = ["swap_in_optimizer_params_and_state"]

_NAME = "swap_in_optimizer_params_and_state"


def _refuse(reason: str) -> NoReturn:
    raise RuntimeError(f"{_NAME}: {reason}")


@contextmanager
def swap_in_optimizer_params_and_state(
    optimizer: Optimizer,
    swapin_parameters: dict[str, Tensor],
    swapin_optim_state: dict[str, Any],
) -> Iterator[None]:
    """In ``with``, the optimizer has these parameters and this state; afterwards its own again.

    swapin_parameters: as many tensors as the optimizer has, in the order of its groups.
    swapin_optim_state: a dict as ``optimizer.state_dict()`` gives; its groups have the options of
    the optimizer's. Its tensors are written in place; what else a step adds is forgotten.

    Raises RuntimeError if these do not fit, and for an optimizer that has no state yet; nothing
    is changed then.
    """
    state, groups, parameters = _checked(optimizer, swapin_parameters, swapin_optim_state)
    own_state = optimizer.state
    own_groups = [dict(group) for group in optimizer.param_groups]
    swapped: defaultdict[Tensor, Any] = defaultdict(dict)
    try:
        for live, group, tensors in zip(optimizer.param_groups, groups, parameters, strict=True):
            live.update({key: value for key, value in group.items() if key != "params"})
            live["params"] = tensors
            for tensor, number in zip(tensors, group["params"], strict=True):
                swapped[tensor] = dict(state.get(number, {}))
        optimizer.state = swapped
        yield
    finally:
        for live, own in zip(optimizer.param_groups, own_groups, strict=True):
            live.clear()
            live.update(own)
        optimizer.state = own_state


def _checked(
    optimizer: Optimizer, parameters: dict[str, Tensor], state_dict: Any
) -> tuple[dict[Any, Any], list[dict[str, Any]], list[list[Tensor]]]:
    """The state, the groups, and the tensors of each group."""
    if not optimizer.state:
        _refuse("the optimizer has no state yet; take a step first")
    if not isinstance(state_dict, dict):
        _refuse(f"the state must be a dict as state_dict() gives, got {type(state_dict).__name__}")
    state, groups = state_dict.get("state"), state_dict.get("param_groups")
    if not isinstance(state, dict):
        _refuse(f"'state' must be a dict, got {type(state).__name__}")
    for key, value in state.items():
        if isinstance(key, Tensor):
            _refuse("'state' must be keyed by the numbers of parameters, not by tensors")
        if isinstance(key, int) and not isinstance(value, dict):
            _refuse(f"the state of parameter {key} must be a dict, got {type(value).__name__}")
    if not isinstance(groups, list):
        _refuse(f"'param_groups' must be a list, got {type(groups).__name__}")
    if len(groups) != len(optimizer.param_groups):
        _refuse(
            f"the state has {len(groups)} parameter groups, the optimizer "
            f"{len(optimizer.param_groups)}"
        )
    tensors = iter(parameters.values())
    found = []
    for i, (live, group) in enumerate(zip(optimizer.param_groups, groups, strict=True)):
        if not isinstance(group, dict):
            _refuse(f"parameter group {i} must be a dict, got {type(group).__name__}")
        numbers = group.get("params")
        if not isinstance(numbers, list) or not all(isinstance(n, int) for n in numbers):
            _refuse(f"'params' of group {i} must be a list of the numbers of parameters")
        if len(numbers) != len(live["params"]):
            _refuse(
                f"group {i} has a different number of params, {len(numbers)}, than the "
                f"optimizer's, {len(live['params'])}"
            )
        if group.keys() != live.keys():
            _refuse(
                f"the options of group {i} differ from the optimizer's: "
                f"{sorted(map(str, group.keys() ^ live.keys()))}"
            )
        here = list(islice(tensors, len(numbers)))
        if len(here) != len(numbers):
            _refuse(
                f"{len(parameters)} parameters were given, fewer than the optimizer has in its "
                "groups"
            )
        found.append(here)
    known = {number for group in groups for number in group["params"]}
    extra = [key for key in state if key not in known]
    if extra:
        _refuse(f"'state' has keys that no group names: {extra!r}")
    return state, groups, found
