"""Between an optimizer's state and the dict of plain numbers and tensors that is saved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from copy import deepcopy
from itertools import chain
from typing import Any

import numpy as np

from tensorgrad.errors import describe
from tensorgrad.graph.node import wrap
from tensorgrad.tensor import Tensor

__all__ = ["load_state", "packed_state"]


def packed_state(
    state: Mapping[Any, Any], param_groups: Iterable[dict[str, Any]]
) -> dict[str, Any]:
    """State and groups with each parameter replaced by its number in the order of the groups."""
    numbers: dict[int, int] = {}
    packed_groups = []
    start = 0
    for group in param_groups:
        packed = {key: value for key, value in group.items() if key != "params"}
        for i, p in enumerate(group["params"], start):
            numbers.setdefault(id(p), i)  # a duplicate keeps its first number
        packed["params"] = [numbers[id(p)] for p in group["params"]]
        start += len(packed["params"])
        packed_groups.append(packed)
    packed_state = {
        (numbers[id(key)] if isinstance(key, Tensor) else key): value
        for key, value in state.items()
    }
    return {"state": packed_state, "param_groups": packed_groups}


def load_state(
    name: str,
    state_dict: Mapping[str, Any],
    param_groups: list[dict[str, Any]],
    as_is: tuple[str, ...] = ("step",),
) -> dict[str, Any]:
    """The ``state`` and ``param_groups`` of an optimizer that continues from ``state_dict``.

    The numbers are matched with the parameters of ``param_groups`` by order. Everything is copied.
    as_is: names in a parameter's state that keep their own dtype.
    """
    for key in ("state", "param_groups"):
        if key not in state_dict:
            raise KeyError(
                f"{name}.load_state_dict: the dict has no {key!r}, so it is not an optimizer's "
                f"state_dict; its keys are {list(state_dict)[:6]}"
            )
    saved = deepcopy(state_dict["param_groups"])
    if len(saved) != len(param_groups):
        raise ValueError(
            f"{name}.load_state_dict: loaded state dict has a different number of parameter "
            f"groups: {len(saved)}, the optimizer has {len(param_groups)}"
        )
    for i, (mine, loaded) in enumerate(zip(param_groups, saved, strict=True)):
        if len(mine["params"]) != len(loaded["params"]):
            raise ValueError(
                f"{name}.load_state_dict: loaded state dict contains a parameter group that "
                f"doesn't match the size of optimizer's group: group {i} has "
                f"{len(loaded['params'])} parameters, the optimizer's {len(mine['params'])}"
            )
    parameters = dict(
        zip(
            chain.from_iterable(group["params"] for group in saved),
            chain.from_iterable(group["params"] for group in param_groups),
            strict=True,
        )
    )
    state: defaultdict[Any, Any] = defaultdict(dict)
    for key, value in state_dict["state"].items():
        if key in parameters:
            p = parameters[key]
            state[p] = _copied(value, p, as_is)
        else:
            state[key] = deepcopy(value)
    for mine, loaded in zip(param_groups, saved, strict=True):
        loaded["params"] = mine["params"]
        if "param_names" in mine:
            loaded.setdefault("param_names", mine["param_names"])
    return {"state": state, "param_groups": saved}


def _copied(value: Any, p: Tensor, as_is: tuple[str, ...], key: Any = None) -> Any:
    """A deep copy; floating-point tensors get the dtype and the memory layout of ``p``.

    What is named in ``as_is`` keeps its own dtype: a float16 counter would stop at 2048, and a
    run that is continued must round as it did before. So do real arrays beside a complex
    parameter.
    """
    if isinstance(value, Tensor):
        source = value._array
        dtype = p._array.dtype
        if key in as_is or source.dtype.kind not in "fc" or dtype.kind not in "fc":
            return wrap(source.copy())
        if source.dtype.kind == "f" and dtype.kind == "c":
            return wrap(source.copy())
        if source.shape == p._array.shape:
            copy = np.empty_like(p._array)
        else:
            copy = np.empty(source.shape, dtype)
        if source.dtype.kind == "c" and copy.dtype.kind != "c":
            raise ValueError(
                f"load_state_dict: the saved {key!r} is {describe(value)}, complex, but its "
                f"parameter is {describe(p)}"
            )
        copy[...] = source
        return wrap(copy)
    if isinstance(value, dict):
        return {k: _copied(v, p, as_is, k) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_copied(v, p, as_is) for v in value)
    return deepcopy(value)
