"""A module's state as a dictionary of tensors: written, read and checked."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tensorgrad.autograd import no_grad
from tensorgrad.creation import from_numpy
from tensorgrad.errors import describe
from tensorgrad.nn.parameter import Parameter
from tensorgrad.nn.tree import Tree
from tensorgrad.node import TensorBase
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


class State(Tree):
    """``state_dict`` and ``load_state_dict``."""

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
        self, *, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> Any:
        """Parameters and persistent buffers by dotted name, sharing memory with the module.

        destination: a dict to fill instead of a new OrderedDict.  prefix: put before every name.
        keep_vars: the Parameters themselves rather than detached tensors.
        """
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()  # which version of each module wrote it
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = {"version": self._version}
        for name, _, value in self._state_entries():
            destination[prefix + name] = value if keep_vars else value.detach()
        if type(self).get_extra_state is not State.get_extra_state:
            destination[prefix + EXTRA] = self.get_extra_state()
        for name, child in self._modules.items():
            if child is not None:
                child.state_dict(
                    destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars
                )
        return destination

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
        Everything is checked first: when this raises RuntimeError, nothing has been changed.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(
                "load_state_dict: expected state_dict to be dict-like, got "
                f"{type(state_dict).__name__}"
            )
        missing: list[str] = []
        problems: list[str] = []
        copies: list[_Copy] = []
        extras: list[tuple[Module, Any]] = []
        known: set[str] = set()
        metadata = getattr(state_dict, "_metadata", {})
        for path, module in self.named_modules(remove_duplicate=False):
            prefix = f"{path}." if path else ""
            version = metadata.get(path, {}).get("version")
            for name, table, target in module._state_entries():
                key = prefix + name
                known.add(key)
                if key not in state_dict:
                    if not module._may_lack(name, version):
                        missing.append(key)
                    continue
                source, problem = _fitting(key, target, state_dict[key], assign)
                if problem:
                    problems.append(problem)
                else:
                    copies.append(_Copy(module, table, name, source))
            key = prefix + EXTRA
            if type(module).set_extra_state is not State.set_extra_state:
                known.add(key)
                if key in state_dict:
                    extras.append((module, state_dict[key]))
                else:
                    missing.append(key)
        unexpected = [key for key in state_dict if key not in known]
        if strict and unexpected:
            problems.insert(0, "Unexpected key(s) in state_dict: " + _quoted(unexpected))
        if strict and missing:
            problems.insert(0, "Missing key(s) in state_dict: " + _quoted(missing))
        if problems:
            raise RuntimeError(
                f"Error(s) in loading state_dict for {type(self).__name__}:\n\t"
                + "\n\t".join(problems)
            )
        for copy in copies:
            _store(copy, assign)
        for module, state in extras:
            module.set_extra_state(state)
        return _IncompatibleKeys(missing, unexpected)

    def _may_lack(self, name: str, version: int | None) -> bool:
        """Whether a state of an older version of this class need not have an entry."""
        return False


def _quoted(keys: list[str]) -> str:
    return ", ".join(f'"{key}"' for key in keys) + "."


def _fitting(key: str, target: Tensor, given: Any, assign: bool) -> tuple[Any, str | None]:
    """The given value in a form that fits, or what is wrong with it."""
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
            f"size mismatch for {key}: copying a param with shape {tuple(array.shape)} from "
            f"state_dict, the shape in current model is {tuple(there.shape)}."
        )
    if array.dtype.kind == "c" and there.dtype.kind != "c":
        return None, f"{key} is {describe(array)} in state_dict, but {describe(there)} in the model"
    if not assign and not there.flags.writeable:
        return None, f"{key} of the model has read-only memory; load with assign=True"
    return given, None


def _store(copy: _Copy, assign: bool) -> None:
    entries = getattr(copy.module, copy.table)
    target = entries[copy.name]
    source = copy.source if isinstance(copy.source, Tensor) else from_numpy(copy.source)
    if not assign:
        with no_grad():
            target.copy_(source)
    elif copy.table == "_buffers":
        entries[copy.name] = source
    else:
        if not isinstance(source, Parameter) or source.requires_grad != target.requires_grad:
            source = Parameter(source, requires_grad=target.requires_grad)
        entries[copy.name] = source
