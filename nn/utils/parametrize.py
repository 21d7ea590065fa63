"""Parameters that are functions of others: ``module.weight`` becomes ``f(original)``.

The original is what is trained and saved; the function is a Module, computed whenever the weight
is read, so that gradients flow through it.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from tensorgrad.autograd import no_grad
from tensorgrad.nn.container import ModuleDict, ModuleList
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter
from tensorgrad.tensor import Tensor

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]

M = TypeVar("M", bound=Module)


class _Cache(threading.local):
    depth = 0  # how many `cached` blocks this thread is in

    def __init__(self) -> None:
        self.values: dict[tuple[int, str], Tensor] = {}


_cache = _Cache()


@contextmanager
def cached() -> Iterator[None]:
    """Inside it, and in this thread, each parametrized tensor is computed once, at its first use.

    For models that read one several times; the values are forgotten at the end.
    """
    _cache.depth += 1
    try:
        yield
    finally:
        _cache.depth -= 1
        if not _cache.depth:
            _cache.values.clear()


def _register(module: Module, name: str, tensor: Tensor) -> None:
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _inverse(parametrization: Module) -> Any:
    return getattr(parametrization, "right_inverse", None)


def _same_kind(what: str, before: Any, after: Any, unsafe: str = "the `unsafe` flag") -> None:
    """ValueError unless a parametrization kept dtype and shape."""
    if not isinstance(after, Tensor):
        raise ValueError(f"{what} must return a tensor. Got {type(after).__name__}.")
    for kind in ("dtype", "shape"):
        one, other = getattr(before, kind), getattr(after, kind)
        if one != other:
            raise ValueError(
                f"{what} may not change the {kind} of the tensor, unless {unsafe} is enabled: "
                f"{one} became {other}"
            )


class ParametrizationList(ModuleList):
    """The functions of one tensor, first to last, and its original, under ``original``.

    If the first has a ``right_inverse`` that returns several tensors, they are ``original0``,
    ``original1``, ... `register_parametrization` makes these lists.
    """

    unsafe: bool
    is_tensor: bool
    ntensors: int

    def __init__(
        self, modules: Sequence[Module], original: Tensor | Parameter, unsafe: bool = False
    ) -> None:
        if len(modules) == 0:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        dtype, shape = original.dtype, original.shape
        with no_grad():
            new: Any = original
            for module in reversed(list(self)):
                if _inverse(module) is not None:
                    with suppress(NotImplementedError):  # as if there were none: the identity
                        new = module.right_inverse(new)
        self.is_tensor = isinstance(new, Tensor)
        if not self.is_tensor and not isinstance(new, Sequence):
            raise ValueError(
                "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                f"Got {type(new).__name__}"
            )
        self.ntensors = 1 if self.is_tensor else len(new)
        if self.is_tensor:
            if new.dtype != dtype:
                raise ValueError(
                    "When `right_inverse` outputs one tensor, it may not change the dtype: "
                    f"{dtype} became {new.dtype}"
                )
            if new is not original:  # the same object, so that an optimizer goes on training it
                original.data = new.detach()
            _register(self, "original", original)
        else:
            for i, each in enumerate(new):
                if not isinstance(each, Tensor):
                    raise ValueError(
                        "'right_inverse' must return a Tensor or a Sequence of tensors (list, "
                        f"tuple...). Got element {i} of the sequence with type "
                        f"{type(each).__name__}."
                    )
                trained = original.requires_grad
                made = Parameter(each, trained) if isinstance(original, Parameter) else each
                _register(self, f"original{i}", made.requires_grad_(trained))
        if not unsafe:
            found = self()
            if not isinstance(found, Tensor):
                raise ValueError(
                    f"A parametrization must return a tensor. Got {type(found).__name__}."
                )
            for kind, before, after in (
                ("dtype", dtype, found.dtype),
                ("shape", shape, found.shape),
            ):
                if before != after:
                    raise ValueError(
                        f"Registering a parametrization may not change the {kind} of the tensor, "
                        f"unless the `unsafe` flag is enabled: {before} became {after}"
                    )

    def right_inverse(self, value: Tensor) -> None:
        """Set the original(s) so that the parametrized tensor is this value."""
        with no_grad():
            new: Any = value
            for module in reversed(list(self)):
                if _inverse(module) is None:
                    raise RuntimeError(
                        f"parametrization {type(module).__name__} does not implement "
                        "right_inverse: the tensor cannot be assigned to"
                    )
                new = module.right_inverse(new)
            if self.is_tensor:
                self._set("original", new, "`right_inverse`")
                return
            if not isinstance(new, Sequence):
                raise ValueError(
                    f"'right_inverse' must return a sequence of tensors. Got {type(new).__name__}."
                )
            if len(new) != self.ntensors:
                raise ValueError(
                    "'right_inverse' must return a sequence of tensors of length "
                    f"{self.ntensors}. Got a sequence of length {len(new)}."
                )
            for i, each in enumerate(new):
                self._set(f"original{i}", each, f"element {i} of `right_inverse`")

    def _set(self, name: str, value: Any, what: str) -> None:
        kept = getattr(self, name)
        if not isinstance(value, Tensor):
            raise ValueError(f"{what} should be a tensor. Got {type(value).__name__}")
        if value.dtype != kept.dtype:
            raise ValueError(
                f"The tensor returned as {what} has dtype {value.dtype} while `{name}` has dtype "
                f"{kept.dtype}"
            )
        kept.data = value.detach()

    def forward(self) -> Any:
        """The parametrized tensor."""
        first, *later = self
        names = ["original"] if self.is_tensor else [f"original{i}" for i in range(self.ntensors)]
        x = first(*(getattr(self, name) for name in names))
        for module in later:
            x = module(x)
        return x


def _refuse_state(self: Module) -> Any:
    raise RuntimeError(
        f"{type(self).__name__}: serialization of parametrized modules is only supported through "
        "state_dict()"
    )


def _deepcopy(self: Module, memo: dict[int, Any]) -> Any:
    """A copy with a class of its own: what is removed from one of them stays with the other."""
    if id(self) not in memo:
        cls = type(self)
        made: Any = cls.__new__(type(cls.__name__, cls.__bases__, dict(cls.__dict__)))
        memo[id(self)] = made
        made.__dict__.update(copy.deepcopy(self.__dict__, memo))
    return memo[id(self)]


def _inject_class(module: Module) -> None:
    """Give the module a class of its own, into which properties can be put."""
    cls = type(module)
    entries: dict[str, Any] = {"__getstate__": _refuse_state}
    if not hasattr(cls, "__deepcopy__"):
        entries["__deepcopy__"] = _deepcopy
    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), entries)


def _inject_property(module: Module, name: str) -> None:
    def read(self: Any) -> Any:
        parametrization = self.parametrizations[name]
        if not _cache.depth:
            return parametrization()
        key = (id(self), name)
        if key not in _cache.values:
            _cache.values[key] = parametrization()
        return _cache.values[key]

    def write(self: Any, value: Tensor) -> None:
        self.parametrizations[name].right_inverse(value)

    setattr(type(module), name, property(read, write))


def register_parametrization(
    module: M, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> M:
    """Make a parameter or buffer of a module the function ``parametrization`` of its original.

    Further ones are applied to what those before gave.  Assigning to the tensor sets the original
    by the functions' ``right_inverse``; so does registering, where there is one.
    unsafe: do not check that dtype and shape are kept.
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            before = getattr(module, tensor_name)
            after = parametrization(before)
            _same_kind("Registering a parametrization: it", before, after)
            if _inverse(parametrization) is not None:
                try:
                    back = parametrization.right_inverse(after)
                except NotImplementedError:
                    pass
                else:
                    _same_kind("parametrization.right_inverse", before, back)
        known = module.parametrizations[tensor_name]
        known.append(parametrization)
        known.unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        original = getattr(module, tensor_name)
        made = ParametrizationList([parametrization], original, unsafe)  # or an error, before all
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _inject_class(module)
            module.parametrizations = ModuleDict()
        _inject_property(module, tensor_name)
        module.parametrizations[tensor_name] = made
    else:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element "
            f"with name '{tensor_name}'"
        )
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a tensor of the module (any, for None) is parametrized."""
    known = getattr(module, "parametrizations", None)
    if not isinstance(known, ModuleDict):
        return False
    return len(known) > 0 if tensor_name is None else tensor_name in known


def remove_parametrizations(module: M, tensor_name: str, leave_parametrized: bool = True) -> M:
    """Make a tensor an ordinary one again: with its parametrized value, or with the original's."""
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    known = module.parametrizations[tensor_name]
    if known.is_tensor:
        original = known.original
        if leave_parametrized:
            with no_grad():
                original.data = getattr(module, tensor_name).detach()
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value) if value.requires_grad else value
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is "
            "parametrized in terms of a sequence of tensors."
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _register(module, tensor_name, original)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class that the module had before any of its tensors was parametrized."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(
    from_module: Module, to_module: M, tensor_name: str | None = None
) -> M:
    """Give one module the parametrizations of another, and the same originals.

    tensor_name: the one tensor to transfer; all for None.
    """
    if not is_parametrized(from_module):
        return to_module
    names: Iterable[str] = from_module.parametrizations if tensor_name is None else [tensor_name]
    for name in list(names):
        source = from_module.parametrizations[name]
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name)))
        for parametrization in source:
            register_parametrization(to_module, name, parametrization)
        target = to_module.parametrizations[name]
        for key in (*source._parameters, *source._buffers):
            setattr(target, key, getattr(source, key))
    return to_module
