"""Calling a module with other parameters than its own."""

from __future__ import annotations

from typing import Any

__all__ = ["functional_call"]


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

    tie_weights: a tensor that the module has under several names is replaced under all of them.
    strict: every parameter and buffer must be given, and nothing else.
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
    unknown, missing = given.keys() - own.keys(), own.keys() - given.keys()
    if strict and (unknown or missing):
        raise RuntimeError(
            f"functional_call: unexpected key(s) {sorted(unknown)}, missing key(s) "
            f"{sorted(missing)}"
        )
    if unknown:
        raise RuntimeError(f"functional_call: the module has no {sorted(unknown)}")
    if tie_weights:
        by_identity = {id(own[name]): value for name, value in given.items()}
        given = {name: by_identity[id(t)] for name, t in own.items() if id(t) in by_identity}
    tables = [_table(module, name) for name in given]
    kept = [table[key] for table, key in tables]
    try:
        for (table, key), value in zip(tables, given.values(), strict=True):
            table[key] = value
        positional = () if args is None else args if isinstance(args, tuple) else (args,)
        return module(*positional, **(kwargs or {}))
    finally:
        for (table, key), value in zip(tables, kept, strict=True):
            table[key] = value


def _table(module: Any, name: str) -> tuple[dict[str, Any], str]:
    """Where a module keeps the tensor of a dotted name."""
    path, _, key = name.rpartition(".")
    holder = module.get_submodule(path)
    return (holder._parameters if key in holder._parameters else holder._buffers), key
