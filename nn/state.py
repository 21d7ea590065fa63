"""A module's state as a dictionary of tensors: written, read and checked."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import numpy as np

from tensorgrad.autograd import no_grad
from tensorgrad.creation import from_numpy
from tensorgrad.errors import describe
from tensorgrad.graph.node import TensorBase
from tensorgrad.graph.provenance import warn
from tensorgrad.nn.parameter import Parameter, is_lazy
from tensorgrad.nn.state_hooks import StateHooked
from tensorgrad.size import Size
from tensorgrad.tensor import Tensor

if TYPE_CHECKING:
    from tensorgrad.nn.module import Module

__all__ = ["State"]

EXTRA = "_extra_state"


class _Keys(NamedTuple):
    missing_keys: list[str]
    unexpected_keys: list[str]


class _IncompatibleKeys(_Keys):
    """The keys that a state_dict lacked and those that the module did not know."""

    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


class _Copy(NamedTuple):
    """One entry that was found to fit: the new values for a parameter or buffer."""

    module: Module
    table: str
    name: str
    source: Any  # Tensor or ndarray
    assign: bool


class _Plan:
    """What is to be written when everything was found to fit."""

    def __init__(self) -> None:
        self.copies: list[_Copy] = []
        self.extras: list[tuple[Module, Any]] = []

    def run(self) -> None:
        for copy in self.copies:
            _store(copy)
        for module, state in self.extras:
            module.set_extra_state(state)


class _Part(OrderedDict[str, Any]):
    """The entries of a module and of all below it, as `load_state_dict` hands them to it."""

    plan: _Plan
    _metadata: Any

    def __init__(self, entries: Mapping[str, Any], plan: _Plan) -> None:
        super().__init__(entries)
        self.plan = plan


class State(StateHooked):
    """``state_dict`` and ``load_state_dict``."""

    T_destination = TypeVar("T_destination", bound=dict[str, Any])  # for subclasses' annotations
    _version = 1  # of the layout of a class's own entries; part of the state's metadata

    def get_extra_state(self) -> Any:
        """State besides tensors for ``state_dict``; a subclass overrides it with its partner."""
        raise RuntimeError(f"{type(self).__name__} does not define get_extra_state()")

    def set_extra_state(self, state: Any) -> None:
        """Take back what `get_extra_state` gave."""
        raise RuntimeError(
            f"{type(self).__name__} does not define set_extra_state(), but the state_dict has an "
            "entry for it"
        )

    # --- Writing ----------------------------------------------------------------------------------

    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> Any:
        """Parameters and persistent buffers by dotted name, sharing memory with the module.

        destination: a dict to fill instead of a new OrderedDict.  prefix: put before every name.
        keep_vars: the Parameters themselves rather than detached tensors.  args: the same three by
        position, which is deprecated.
        """
        if args:
            warn(
                "Positional args are being deprecated, use kwargs instead: "
                "state_dict(destination=..., prefix=..., keep_vars=...)",
                FutureWarning,
            )
            given = (*args, *(destination, prefix, keep_vars)[len(args) :])
            destination, prefix, keep_vars = given
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()  # which version of each module wrote it
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        self._call_state_pre(prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, child in self._modules.items():
            if child is not None:
                child.state_dict(
                    destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars
                )
        return self._call_state_post(destination, prefix, metadata)

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Write the entries of this module alone; a subclass that keeps more may override it."""
        for name, _, value in self._state_entries():
            destination[prefix + name] = value if keep_vars or is_lazy(value) else value.detach()
        if type(self).get_extra_state is not State.get_extra_state:
            destination[prefix + EXTRA] = self.get_extra_state()

    def _state_entries(self) -> list[tuple[str, str, Any]]:
        """Name, table and tensor of everything of this module alone that state_dict lists."""
        entries = [("_parameters", name, value) for name, value in self._parameters.items()]
        entries += [
            ("_buffers", name, value)  # type: ignore[misc]
            for name, value in self._buffers.items()
            if name not in self._non_persistent_buffers_set
        ]
        return [(name, table, value) for table, name, value in entries if value is not None]

    # --- Reading ----------------------------------------------------------------------------------

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> _IncompatibleKeys:
        """Copy values by name into parameters and buffers.

        strict: missing and unexpected names are an error rather than only returned.
        assign: take the given tensors themselves (their dtypes too) instead of copying.

        Values may be Tensors or anything that NumPy takes as an array, such as PyTorch's tensors.
        Everything is checked first: when this raises RuntimeError, nothing has been changed, except
        where a module has a post-hook, which is called on the loaded module before missing and
        unexpected names are judged.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(
                "load_state_dict: expected state_dict to be dict-like, got "
                f"{type(state_dict).__name__}"
            )
        missing: list[str] = []
        unexpected: list[str] = []
        problems: list[str] = []
        plan = _Plan()
        given = _Part(state_dict, plan)
        metadata = getattr(state_dict, "_metadata", None) or {}
        if metadata:
            given._metadata = metadata

        def read(module: Module, part: _Part, path: str) -> None:
            told = dict(metadata.get(path, {}))
            if assign:
                told["assign_to_params_buffers"] = True
            prefix = f"{path}." if path else ""
            module._load_from_state_dict(part, prefix, told, True, missing, unexpected, problems)
            parts: dict[str, dict[str, Any]] = {}  # of the children, sorted out in one pass
            for key, value in part.items():
                first, dot, _ = key[len(prefix) :].partition(".")
                if dot and key.startswith(prefix):
                    parts.setdefault(first, {})[key] = value
            for name, child in module._modules.items():
                if child is not None:
                    read(child, _Part(parts.get(name, {}), plan), prefix + name)
            if module._hooks is not None and module._hooks.load_post:
                watched.append(module)

        watched: list[Module] = []
        read(cast("Module", self), given, "")
        found = _IncompatibleKeys(missing, unexpected)
        if not problems and watched:  # such a hook may accept what is missing, and reads the values
            plan.run()
            for module in watched:
                module._call_load_post(found)
        if strict and unexpected:
            problems.insert(0, "Unexpected key(s) in state_dict: " + _quoted(unexpected))
        if strict and missing:
            problems.insert(0, "Missing key(s) in state_dict: " + _quoted(missing))
        if problems:
            raise RuntimeError(
                f"Error(s) in loading state_dict for {type(self).__name__}:\n\t"
                + "\n\t".join(problems)
            )
        if not watched:
            plan.run()
        return found

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Read the entries of this module alone; a subclass that keeps others may override it.

        Under `load_state_dict` this only checks and plans: values are written when all modules'
        fit.  On any other dict it writes at once.
        """
        self._call_load_pre(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )
        plan = state_dict.plan if isinstance(state_dict, _Part) else _Plan()
        assign = bool(local_metadata.get("assign_to_params_buffers", False))
        version = local_metadata.get("version")
        this = cast("Module", self)
        known: set[str] = set()
        for name, table, target in self._state_entries():
            key = prefix + name
            known.add(key)
            if key not in state_dict:
                if strict and not self._may_lack(name, version):
                    missing_keys.append(key)
                continue
            source, problem = _fitting(key, target, state_dict[key], assign)
            if problem:
                error_msgs.append(problem)
            elif source is not target:
                plan.copies.append(_Copy(this, table, name, source, assign))
        key = prefix + EXTRA
        if type(self).set_extra_state is not State.set_extra_state:
            known.add(key)
            if key in state_dict:
                plan.extras.append((this, state_dict[key]))
            elif strict:
                missing_keys.append(key)
        if strict:
            for key in state_dict:
                first, dot, _ = key[len(prefix) :].partition(".")
                below = bool(dot) and self._modules.get(first) is not None
                if key.startswith(prefix) and key not in known and not below:
                    unexpected_keys.append(key)
        if not isinstance(state_dict, _Part):
            plan.run()

    def _may_lack(self, name: str, version: int | None) -> bool:
        """Whether a state of an older version of this class need not have an entry."""
        return False


def _quoted(keys: list[str]) -> str:
    return ", ".join(f'"{key}"' for key in keys) + "."


def _fitting(key: str, target: Tensor, given: Any, assign: bool) -> tuple[Any, str | None]:
    """The given value in a form that fits, or what is wrong with it."""
    if is_lazy(target):  # and still so: what is given is uninitialized as well
        return target, None
    if is_lazy(given):
        given.shape  # noqa: B018 - raises, and says why
    if isinstance(given, TensorBase):
        array = given._array
    elif isinstance(given, np.ndarray) or hasattr(given, "__array__"):
        try:
            array = given = np.asarray(given)
        except (TypeError, RuntimeError, ValueError) as error:
            return None, f'"{key}" cannot be read as an array: {error}'
    else:
        return None, (
            f'While copying the parameter named "{key}", expected a Tensor or an array from the '
            f"state_dict but received {type(given).__name__}"
        )
    there = target._array
    if array.dtype.kind not in "biufc":
        return None, f'"{key}" has elements of type {array.dtype}, which no tensor can hold'
    if there.shape == () and array.shape == (1,):  # scalars that were saved as vectors
        given = array = array[0:1].reshape(())
    if array.shape != there.shape:
        return None, (
            f"size mismatch for {key}: copying a param with shape {Size(array.shape)} from "
            f"checkpoint, the shape in current model is {Size(there.shape)}."
        )
    if array.dtype.kind == "c" and there.dtype.kind != "c":
        return None, f"{key} is {describe(array)} in state_dict, but {describe(there)} in the model"
    if not assign and not there.flags.writeable:
        return None, f"{key} of the model has read-only memory; load with assign=True"
    return given, None


def _store(copy: _Copy) -> None:
    entries = getattr(copy.module, copy.table)
    target = entries[copy.name]
    source = copy.source if isinstance(copy.source, Tensor) else from_numpy(copy.source)
    if not copy.assign:
        with no_grad():
            target.copy_(source)
    elif copy.table == "_buffers":
        entries[copy.name] = source
    else:
        if not isinstance(source, Parameter) or source.requires_grad != target.requires_grad:
            source = Parameter(source, requires_grad=target.requires_grad)
        entries[copy.name] = source
