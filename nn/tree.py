"""What a module holds: parameters, buffers and other modules, and the ways to walk over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar, cast

from tensorgrad.tensor import Tensor

if TYPE_CHECKING:
    from tensorgrad.nn.module import Module
    from tensorgrad.nn.parameter import Parameter

__all__ = ["Tree"]

T = TypeVar("T", bound="Tree")


class Tree:
    """A node of a tree of modules, with its tables of parameters, buffers and children."""

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _non_persistent_buffers_set: set[str]
    _modules: dict[str, Module | None]

    # --- Walking ----------------------------------------------------------------------------------

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it, parents first, each with its dotted name.

        memo: modules that are skipped; it receives those that are given out.
        remove_duplicate: give a module that is registered twice only under its first name.
        """
        memo = set() if memo is None else memo
        this = cast("Module", self)
        if this in memo:
            return
        if remove_duplicate:
            memo.add(this)
        yield prefix, this
        for name, child in self._modules.items():
            if child is not None:
                below = f"{prefix}.{name}" if prefix else name
                yield from child.named_modules(memo, below, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it, each once unless ``remove_duplicate`` is False."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules registered directly in this one, each once, with their names."""
        seen: set[Module] = set()
        for name, child in self._modules.items():
            if child is not None and child not in seen:
                seen.add(child)
                yield name, child

    def children(self) -> Iterator[Module]:
        """The modules registered directly in this one, each once."""
        for _, child in self.named_children():
            yield child

    def _named_members(
        self,
        members: Callable[[Module], Iterable[tuple[str, Any]]],
        prefix: str = "",
        recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:
        """The entries of one table of every module, each object once; None is left out."""
        seen: set[int] = set()
        if recurse:
            holders: Iterable[tuple[str, Module]] = self.named_modules(
                prefix=prefix, remove_duplicate=remove_duplicate
            )
        else:
            holders = [(prefix, cast("Module", self))]
        for path, module in holders:
            for name, value in members(module):
                if value is None or id(value) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(value))
                yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their dotted names; one that is shared, under its first name."""
        return self._named_members(
            lambda module: module._parameters.items(), prefix, recurse, remove_duplicate
        )

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters of this module and, with ``recurse``, of all below it, each once."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their dotted names."""
        return self._named_members(
            lambda module: module._buffers.items(), prefix, recurse, remove_duplicate
        )

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers of this module and, with ``recurse``, of all below it, each once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    # --- Finding ----------------------------------------------------------------------------------

    def get_submodule(self, target: str) -> Module:
        """The module with a dotted name, as in ``named_modules``; "" is this one."""
        found = cast("Module", self)
        walked: list[str] = []
        for part in target.split(".") if target else ():
            child = found._modules.get(part)
            if child is None:
                what = "a None entry" if part in found._modules else "no submodule"
                known = ", ".join(found._modules) or "none"
                raise AttributeError(
                    f"get_submodule({target!r}): {type(found).__name__} "
                    f"{'.'.join(walked)!r} has {what} `{part}`; its submodules: {known}"
                )
            walked.append(part)
            found = child
        return found

    def _get_member(self, target: str, table: str, what: str) -> Any:
        path, _, name = target.rpartition(".")
        holder = self.get_submodule(path)
        entries = getattr(holder, table)
        if entries.get(name) is None:
            known = ", ".join(entries) or "none"
            raise AttributeError(
                f"get_{what}({target!r}): {type(holder).__name__} has no {what} `{name}`; "
                f"its {what}s: {known}"
            )
        return entries[name]

    def get_parameter(self, target: str) -> Parameter:
        """The parameter with a dotted name, as in ``named_parameters``."""
        found: Parameter = self._get_member(target, "_parameters", "parameter")
        return found

    def get_buffer(self, target: str) -> Tensor:
        """The buffer with a dotted name, as in ``named_buffers``."""
        found: Tensor = self._get_member(target, "_buffers", "buffer")
        return found

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put a module at a dotted name; with ``strict`` only where there is one already."""
        if not target:
            raise ValueError("set_submodule: the name of the submodule to replace is empty")
        if not isinstance(module, Tree):
            raise ValueError(
                f"set_submodule: `module` is not an nn.Module, found {type(module).__name__}"
            )
        path, _, name = target.rpartition(".")
        holder = self.get_submodule(path)
        if strict and name not in holder._modules:
            raise AttributeError(
                f"set_submodule({target!r}): {type(holder).__name__} has no submodule `{name}` "
                "to replace; pass strict=False to add one"
            )
        if name not in holder._modules and hasattr(holder, name):
            raise AttributeError(f"set_submodule({target!r}): `{name}` is not an nn.Module")
        holder.register_module(name, module)

    # --- Acting on all ----------------------------------------------------------------------------

    def apply(self: T, fn: Callable[[Module], object]) -> T:
        """Call ``fn(module)`` on every module, children first; returns this module."""
        for child in self.children():
            child.apply(fn)
        fn(cast("Module", self))
        return self

    def train(self: T, mode: bool = True) -> T:
        """Set training mode (or, with ``mode=False``, evaluation mode) here and below."""
        if not isinstance(mode, bool):
            raise ValueError(f"train: training mode is expected to be boolean, got {mode!r}")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self: T) -> T:
        """Set evaluation mode here and below."""
        return self.train(False)

    def requires_grad_(self: T, requires_grad: bool = True) -> T:
        """Say for all parameters whether gradients are recorded for them."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the parameters' gradients, or fill them with zeros."""
        for parameter in self.parameters():
            gradient = parameter.grad
            if gradient is None:
                continue
            if set_to_none:
                parameter.grad = None
            elif gradient.requires_grad:  # recorded by create_graph: cut off, then zero
                gradient = gradient.detach()
                parameter.grad = gradient.zero_()
            else:
                gradient.zero_()
