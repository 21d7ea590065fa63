"""Calling a module with other parameters than its own, and several modules at once."""

from __future__ import annotations

from typing import Any

from tensorgrad.functions.joining import stack

__all__ = ["functional_call", "replace_all_batch_norm_modules_", "stack_module_state"]


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Any,
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with other tensors in place of its parameters and buffers, by name.

    A dictionary that is given alone holds afterwards what forward assigned to those names.
    tie_weights: a tensor that the module has under several names is replaced under all of them.
    strict: every parameter and buffer must be given, and nothing else; otherwise names that the
        module does not have are passed over.
    """
    given: dict[str, Any] = {}
    dicts = parameter_and_buffer_dicts
    for part in [dicts] if isinstance(dicts, dict) else dicts:
        if repeated := given.keys() & part.keys():
            raise ValueError(f"functional_call: {sorted(repeated)} appear in two dictionaries")
        given.update(part)
    own = {
        **dict(module.named_parameters(remove_duplicate=False)),
        **dict(module.named_buffers(remove_duplicate=False)),
    }
    if tie_weights:
        given = _tied(own, given)
    unknown, missing = given.keys() - own.keys(), own.keys() - given.keys()
    if strict and (unknown or missing):
        raise RuntimeError(
            f"functional_call: unexpected key(s) {sorted(unknown)}, missing key(s) "
            f"{sorted(missing)}"
        )
    given = {name: value for name, value in given.items() if name in own}
    tables = [_table(module, name) for name in given]
    kept = [table[key] for table, key in tables]
    try:
        for (table, key), value in zip(tables, given.values(), strict=True):
            table[key] = value
        positional = () if args is None else args if isinstance(args, tuple) else (args,)
        return module(*positional, **(kwargs or {}))
    finally:
        if isinstance(dicts, dict):
            found = {name: table[key] for name, (table, key) in zip(given, tables, strict=True)}
            dicts.update({name: found[name] for name in dicts.keys() & found.keys()})
        for (table, key), value in zip(tables, kept, strict=True):
            table[key] = value


def _tied(own: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """What is given, under all names that the module has for the same tensor."""
    values: dict[int, Any] = {}
    for name in given.keys() & own.keys():
        if values.setdefault(id(own[name]), given[name]) is not given[name]:
            names = sorted(n for n, t in own.items() if t is own[name] and n in given)
            raise ValueError(
                f"functional_call: {names} are one tensor of the module, but were given different "
                "ones; give one of them, or tie_weights=False"
            )
    return given | {name: values[id(t)] for name, t in own.items() if id(t) in values}


def _table(module: Any, name: str) -> tuple[dict[str, Any], str]:
    """Where a module keeps the tensor of a dotted name."""
    path, _, key = name.rpartition(".")
    holder = module.get_submodule(path)
    return (holder._parameters if key in holder._parameters else holder._buffers), key


def stack_module_state(models: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """(parameters, buffers) of several modules of one class, stacked along a new first dimension.

    The stacked parameters are leaves of their own.  `vmap` of a `functional_call` runs all the
    models at once.
    """
    every = list(models)
    if not every:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if any(m.training != every[0].training for m in every):
        raise RuntimeError(
            "stack_module_state: Expected all models to have the same training/eval mode."
        )
    if any(type(m) is not type(every[0]) for m in every):
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    parameters = _stacked([dict(m.named_parameters()) for m in every], leaves=True)
    return parameters, _stacked([dict(m.named_buffers()) for m in every], leaves=False)


def _stacked(tables: list[dict[str, Any]], leaves: bool) -> dict[str, Any]:
    stacked = {}
    for name, first in tables[0].items():
        parts = [table[name] for table in tables]
        if leaves and any(p.requires_grad != first.requires_grad for p in parts):
            raise RuntimeError(
                f"stack_module_state: Expected {name} of all models to have the same requires_grad"
            )
        whole: Any = stack([p.detach() for p in parts])
        stacked[name] = whole.requires_grad_(first.requires_grad) if leaves else whole
    return stacked


def replace_all_batch_norm_modules_(root: Any) -> Any:
    """Let every batch norm below ``root`` use the batch's own statistics only; returns root.

    Running statistics are written in place, which under vmap they cannot be.
    """
    for module in root.modules():
        if "BatchNorm" in type(module).__name__ and hasattr(module, "track_running_stats"):
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root
