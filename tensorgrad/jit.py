"""What programs take from ``torch.jit``: like `compile`, it returns what it is given.

Operations run as they are called, so a scripted function is the function, and a traced model the
model.  What a compiled program alone could do (to be saved, to run elsewhere) is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn

__all__ = [
    "Final",
    "ScriptFunction",
    "ScriptModule",
    "annotate",
    "export",
    "freeze",
    "ignore",
    "interface",
    "is_scripting",
    "is_tracing",
    "load",
    "optimize_for_inference",
    "save",
    "script",
    "script_if_tracing",
    "trace",
    "unused",
]


class ScriptFunction:
    """What a compiled function is in PyTorch: nothing here is one, and programs ask whether."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError(f"jit.{type(self).__name__}: nothing is compiled, and none can be made")


class ScriptModule(ScriptFunction):
    """What a compiled module is in PyTorch: nothing here is one."""


def script(
    obj: Any,
    optimize: None = None,
    _frames_up: int = 0,
    _rcb: Any = None,
    example_inputs: Any = None,
) -> Any:
    """The function, class or module itself.

    The other arguments say how to compile; there is nothing to apply them to.
    """
    if not callable(obj):
        raise TypeError(f"jit.script: a function, class or module is expected, got {obj!r}")
    return obj


def trace(
    func: Any = None,
    example_inputs: Any = None,
    optimize: Any = None,
    check_trace: bool = True,
    check_inputs: Any = None,
    check_tolerance: float = 1e-5,
    strict: bool = True,
    _force_outplace: bool = False,
    _module_class: Any = None,
    _compilation_unit: Any = None,
    example_kwarg_inputs: dict[str, Any] | None = None,
    _store_inputs: bool = True,
) -> Any:
    """The function or module itself, once it has run on the example.

    example_inputs: its arguments, a tuple or one Tensor; example_kwarg_inputs: or those by name.
    The other arguments say how a compiled program is checked; there is none.
    """
    if func is None:
        return lambda function: trace(function, example_inputs)
    if example_kwarg_inputs is not None:
        func(**example_kwarg_inputs)
    elif example_inputs is None:
        raise RuntimeError("jit.trace: give example_inputs or example_kwarg_inputs")
    else:
        several = isinstance(example_inputs, tuple | list)
        func(*(example_inputs if several else (example_inputs,)))
    return func


def script_if_tracing(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself."""
    return fn


def export(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The method itself."""
    return fn


def unused(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The method itself, which runs when it is called: nothing is compiled without it."""
    return fn


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """The method itself, or a decorator that returns it: ``@jit.ignore`` or ``@jit.ignore()``."""
    return drop if callable(drop) else lambda function: function


def interface(obj: type) -> type:
    """The class itself."""
    return obj


def annotate(the_type: Any, the_value: Any) -> Any:
    """The value: types are for readers."""
    return the_value


def freeze(
    mod: Any,
    preserved_attrs: list[str] | None = None,
    optimize_numerics: bool = True,
    preserve_parameters: bool = False,
) -> Any:
    """The module itself; as in PyTorch it must be in evaluation mode."""
    if mod.training:
        raise RuntimeError("jit.freeze: the module is in training mode; call its eval() first")
    return mod


def optimize_for_inference(mod: Any, other_methods: list[str] | None = None) -> Any:
    """The module itself."""
    return mod


def is_scripting() -> bool:
    """Always False."""
    return False


def is_tracing() -> bool:
    """Always False."""
    return False


def save(m: Any, f: Any, _extra_files: Any = None) -> NoReturn:
    """Refused: there is no compiled program."""
    raise RuntimeError(
        "jit.save: nothing is compiled, so there is no program to save; save the module's "
        "state_dict() and keep the code that makes it"
    )


def load(f: Any, map_location: Any = None, _extra_files: Any = None) -> NoReturn:
    """Refused: there is nothing that could run a compiled program."""
    raise RuntimeError(
        "jit.load: compiled programs cannot be run here; make the module in Python and load its "
        "state_dict(): save that in PyTorch, loaded.state_dict()"
    )
