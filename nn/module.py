"""`Module`: the base class of layers and models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.graph.node import Scope, local
from tensorgrad.nn.conversion import Conversion
from tensorgrad.nn.global_hooks import registered
from tensorgrad.nn.hooks import everywhere
from tensorgrad.nn.parameter import Buffer, Parameter, UninitializedBuffer
from tensorgrad.nn.short_calls import RULES, SEQUENCES, Rest, called, through
from tensorgrad.nn.state import State
from tensorgrad.tensor import Tensor

__all__ = ["Module"]

_NOTE = "in the forward of "  # what an error that a module raises is told
_TABLES = ("_parameters", "_buffers", "_modules")


def _unimplemented(self: Module, *args: Any, **kwargs: Any) -> Any:
    """What a module computes; every subclass that is called must define it."""
    raise NotImplementedError(
        f'Module [{type(self).__name__}] is missing the required "forward" function'
    )


class Module(State, Conversion):
    """Base class of layers and models.

    A subclass calls ``super().__init__()`` first, then sets parameters, buffers and other modules
    as attributes, which registers them, and defines ``forward``.  Calling the module runs its
    hooks and ``forward`` inside the module's scope, so that every node recorded there knows the
    path of the module that made it.
    """

    training: bool
    forward: Callable[..., Any] = _unimplemented

    # Asks PyTorch for patches of the source of pickled classes; here no class is loaded.
    dump_patches: bool = False
    call_super_init: bool = False  # whether __init__ hands its arguments on to the next class

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if (args or kwargs) and not self.call_super_init:
            name, given = type(self).__name__, [*map(repr, args), *kwargs]
            raise TypeError(f"{name}: Module.__init__() got unexpected arguments: {given}")
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _non_persistent_buffers_set=set(),
            _modules={},
            _hooks=None,  # a Hooks record, once the first hook is registered
            _name="",  # where it was last found below a parent, dotted
            _calls=0,
        )
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    # --- Calling ----------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the module: its hooks and its ``forward``, in its scope."""
        # Called once per layer and step: everything is read straight from the instance's dict, and
        # the scope is pushed here rather than by the context manager, which costs twice as much.
        state = self.__dict__
        try:
            call = state["_calls"]
        except KeyError:
            raise AttributeError(
                f"{type(self).__name__} was called before Module.__init__(): call "
                "super().__init__() first in its __init__"
            ) from None
        state["_calls"] = call + 1
        context = local.context
        own, general = state["_hooks"], everywhere.hooks
        unhooked = own is general is None or (
            (own is None or own.idle) and (general is None or general.idle)
        )
        if (
            unhooked
            and not (context.grad_enabled or kwargs or context.dispatch)
            and len(args) == 1
            and "forward" not in state
        ):
            forward = self.__class__.forward
            layer = RULES.get(forward)
            if layer is not None:
                found = called(self, layer, args[0])
                if found is not None:
                    return found
            elif forward in SEQUENCES:
                found = through(state["_modules"].values(), args[0])
                if found.__class__ is not Rest:
                    return found
                args = (found,)
        name = state["_name"]
        parent = context.module
        if name and parent is not None and parent.__dict__["_modules"].get(name) is not self:
            name = self._name_below(parent)
        outer = context.scope
        context.scope = scope = Scope()
        scope.parent = outer
        scope.name = name
        scope.cls = type(self).__name__
        scope.call = call
        scope.owner = id(self)
        context.module = self
        try:
            if unhooked:
                if kwargs:
                    return self.forward(*args, **kwargs)
                return self.forward(*args)
            return self._call_with_hooks(args, kwargs)
        except Exception as error:
            notes = getattr(error, "__notes__", ())
            if not any(note.startswith(_NOTE) for note in notes):  # the innermost module says it
                path = scope.path
                error.add_note(f"{_NOTE}{scope.cls}" + (f" {path!r}" if path else ""))
            raise
        finally:
            context.scope = outer
            context.module = parent

    def _name_below(self, parent: Module) -> str:
        """The dotted name under which the running module holds this one; "" if it does not.

        Kept after the first search: a child of a `ModuleList`, which itself is never called, is
        found again by following its name.
        """
        known: str = self.__dict__["_name"]
        holder: Module | None = parent
        for part in known.split("."):
            holder = holder._modules.get(part) if holder is not None else None
        if holder is self:
            return known
        for name, module in parent.named_modules():
            if module is self and name:
                self.__dict__["_name"] = name
                return name
        return ""

    # --- Registering ------------------------------------------------------------------------------

    def _check_name(self, what: str, name: Any, table: str) -> None:
        state = self.__dict__
        if table not in state:
            raise AttributeError(f"cannot assign {what} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{what} name should be a string, got {type(name).__name__}")
        if name not in state[table] and hasattr(self, name):
            raise KeyError(f"{type(self).__name__}: attribute {name!r} already exists")
        if "." in name or name == "":
            raise KeyError(f'{what} name can\'t contain "." or be empty, got {name!r}')

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter, which ``parameters()`` and ``state_dict()`` will list; None reserves."""
        self._check_name("parameter", name, "_parameters")
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign {type(param).__name__!r} object to parameter {name!r} "
                "(nn.Parameter or None required)"
            )
        if param is not None and param.grad_fn is not None:
            raise ValueError(
                f"cannot assign non-leaf Tensor to parameter {name!r}: parameters must be created "
                "explicitly, not computed; to express one as a function of another, compute it in "
                "forward()"
            )
        if param is not None:
            param = registered("parameter", self, name, param)
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is state but is not trained; ``state_dict()`` has it if persistent."""
        self._check_name("buffer", name, "_buffers")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign {type(tensor).__name__!r} object to buffer {name!r} "
                "(Tensor or None required)"
            )
        self._buffers[name] = registered("buffer", self, name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child module; None reserves the name."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(
                f"{type(module).__name__} object {module!r:.60} is not a Module subclass"
            )
        self._check_name("module", name, "_modules")
        self._modules[name] = module = registered("module", self, name, module)
        if module is not None and "_name" in module.__dict__:
            module.__dict__["_name"] = name

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as `add_module`."""
        self.add_module(name, module)

    # --- Attributes -------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        state = self.__dict__
        if "_modules" in state:  # table by table: a loop takes longer
            if name in (entries := state["_modules"]):
                return entries[name]
            if name in (entries := state["_parameters"]):
                return entries[name]
            if name in (entries := state["_buffers"]):
                return entries[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _forget(self, name: str, keep: str) -> None:
        """Take a name out of everything but one table, so that it means one thing."""
        state = self.__dict__
        if keep not in state:
            raise AttributeError(f"cannot assign {keep[1:]} before Module.__init__() call")
        state.pop(name, None)
        for table in _TABLES:
            if table != keep:
                state[table].pop(name, None)
        if keep != "_buffers":
            self._non_persistent_buffers_set.discard(name)

    def __setattr__(self, name: str, value: Any) -> None:
        state = self.__dict__
        if isinstance(value, Parameter):
            self._forget(name, "_parameters")
            self.register_parameter(name, value)
        elif name in state.get("_parameters", ()):
            self.register_parameter(name, value)  # None, or an error: a parameter stays one
        elif isinstance(value, Module):
            self._forget(name, "_modules")
            self.register_module(name, value)
        elif name in state.get("_modules", ()):
            if value is not None:
                raise TypeError(
                    f"cannot assign {type(value).__name__!r} object to child module {name!r} "
                    "(nn.Module or None expected)"
                )
            state["_modules"][name] = registered("module", self, name, None)
        elif isinstance(value, (Buffer, UninitializedBuffer)):
            self._forget(name, "_buffers")
            self.register_buffer(name, value, value.persistent)
        elif name in state.get("_buffers", ()):
            self.register_buffer(name, value, name not in state["_non_persistent_buffers_set"])
        else:
            super().__setattr__(name, value)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __delattr__(self, name: str) -> None:
        for table in _TABLES:
            if name in self.__dict__.get(table, ()):
                del self.__dict__[table][name]
                self._non_persistent_buffers_set.discard(name)
                return
        super().__delattr__(name)

    def __dir__(self) -> list[str]:
        names = {*super().__dir__(), *self._parameters, *self._buffers, *self._modules}
        return sorted(name for name in names if not name[:1].isdigit())  # "0" is no attribute

    # --- Printing ---------------------------------------------------------------------------------

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands in the parentheses of the printed module, besides its children."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): {indented(child)}" for name, child in self._modules.items()]
        if not children and len(lines) <= 1:
            return f"{self._get_name()}({extra})"
        body = "\n  ".join([*lines, *children])
        return f"{self._get_name()}(\n  {body}\n)"


def indented(value: Any) -> str:
    """The text of a module, its lines after the first moved right by two."""
    return repr(value).replace("\n", "\n  ")
