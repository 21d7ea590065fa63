"""NumPy's names of arguments, which PyTorch's functions and methods take beside their own.

``x.sum(axis=0, keepdims=True)`` is ``x.sum(dim=0, keepdim=True)``, ``add(x1=a, x2=b)`` is
``add(input=a, other=b)``.  PyTorch understands them wherever its own code is C++, and in its Python
functions not: `PYTHON` lists those.

What is public is wrapped once, where it is published: the functions inside of this package call
each other without the wrapper, whose cost (about 70 ns) is that of one more Python call.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from inspect import CO_VARARGS, CO_VARKEYWORDS
from types import FunctionType
from typing import Any, TypeVar

from tensorgrad.graph.node import TensorBase, hook

__all__ = [
    "NAMES",
    "PYTHON",
    "arguments_of",
    "called",
    "check_flag",
    "flags",
    "forwarding",
    "numpy_names",
    "renamed",
    "spelled",
]

NAMES = {
    "axis": "dim", "keepdims": "keepdim", "x": "input", "a": "input", "x1": "input", "x2": "other",
}  # fmt: skip

# Written in Python by PyTorch: they take their own names only.
PYTHON = frozenset({"norm", "split", "stft", "unique", "unique_consecutive"})
_PYTHON_METHODS = PYTHON | {"module_load", "unflatten"}

_ALIASED = frozenset(NAMES.values())
_: Any = object()  # an argument that is not given
Class = TypeVar("Class", bound=type)


def arguments_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a function's arguments, without *args and **kwargs."""
    code = getattr(function, "__code__", None)
    if code is None:
        return ()
    return tuple(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


def renamed(function: Callable[..., Any], words: dict[str, Any]) -> dict[str, Any]:
    """Arguments given by NumPy's names, by PyTorch's.

    A name that is the function's own stays, and so does one whose counterpart is given as well:
    the function then refuses it by a TypeError.
    """
    own = arguments_of(function)
    found = {}
    for name, value in words.items():
        meant = NAMES.get(name, name)
        stays = name in own or meant not in own or meant in words or meant in found
        found[name if stays else meant] = value
    return found


def explain(error: AttributeError, name: str, given: dict[str, Any], required: int) -> None:
    """Raise TypeError if a tensor's attribute was looked for in an argument that is no tensor.

    required: so many arguments have no default; of the others None may be anybody's.
    """
    if isinstance(error.obj, TensorBase) or not hasattr(hook.tensor, error.name or ""):
        return
    for i, (argument, value) in enumerate(given.items()):
        if value is error.obj and (value is not None or i < required):
            raise TypeError(
                f"{name}(): argument '{argument}' must be Tensor, not {type(value).__name__} "
                f"({value!r:.60}); make a tensor of it with tensorgrad.tensor(...)"
            ) from None


def flags(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a function's arguments that are True or False by default."""
    code: Any = function.__code__
    names, count, defaults = arguments_of(function), code.co_argcount, function.__defaults__ or ()
    given = {
        **dict(zip(names[count - len(defaults) : count], defaults, strict=True)),
        **(function.__kwdefaults__ or {}),
    }
    return tuple(name for name, value in given.items() if type(value) is bool)


def check_flag(name: str, argument: str, value: Any) -> None:
    """Refuse a number in the place of True or False: ``x.sum(0, 1)`` meant ``x.sum((0, 1))``."""
    if type(value) is bool:
        return
    advice = "; several dimensions are one tuple: dim=(0, 1)" if argument == "keepdim" else ""
    raise TypeError(
        f"{name}(): argument '{argument}' must be bool, not {type(value).__name__}{advice}"
    )


@functools.cache
def _template(
    required: int, optional: int, keywords: tuple[str, ...], switches: tuple[str, ...]
) -> Any:
    """A maker of functions with so many arguments, whose names stand in ``keywords``.

    Those in ``switches`` must be True or False.
    """
    plain, only = keywords[: required + optional], keywords[required + optional :]
    unset = [name for name in keywords[required:] if name in _ALIASED]
    head = [f"{name}=_" for name in plain[:required]]
    start = [
        f"{name}={'_' if name in unset else f'default_{name}'}" for name in keywords[required:]
    ]
    head += [*start[:optional], *(["*"] if only else []), *start[optional:]]
    missing = "".join(f" or {name} is _" for name in plain[:required])
    given = ", ".join(f"{name!r}: {name}" for name in keywords)
    passed = ", ".join([*plain, *(f"{name}={name}" for name in only)])
    defaults = ", ".join(f"default_{name}" for name in keywords[required:])
    settled = "".join(f"        if {n} is _:\n            {n} = default_{n}\n" for n in unset)
    settled += "".join(
        f"        if {n} is not default_{n} and type({n}) is not bool:\n"
        f"            check_flag(call.__name__, {n!r}, {n})\n"
        for n in switches
    )
    text = f"""
def make(function, further, _, {defaults}):
    def call({", ".join(head)}, **words):
        if words{missing}:
            return further({{{given}}}, words)
{settled}        try:
            return function({passed})
        except AttributeError as error:
            explain(error, call.__name__, {{{given}}}, {required})
            raise
    return call
"""
    # Named as a file of this package: `provenance` looks for the first frame outside of it.
    space: dict[str, Any] = {"__name__": __name__, "explain": explain, "check_flag": check_flag}
    exec(compile(text, f"{__file__} (call of {', '.join(keywords)})", "exec"), space)
    return space["make"]


def forwarding(
    function: Callable[..., Any], further: Callable[[dict[str, Any]], Any]
) -> Callable[..., Any]:
    """The function, but a call with names that it has not goes to ``further(words)``.

    ``words`` are all of the call's arguments, by name.  The wrapper is written with the function's
    own arguments and defaults: with ``*args, **words`` a call such as ``x.sum(dim=1)`` would take
    a tenth longer, with them written out it takes the fortieth part.
    """
    code: Any = function.__code__
    count, only = code.co_argcount, code.co_kwonlyargcount
    defaults, kwdefaults = function.__defaults__ or (), function.__kwdefaults__ or {}
    names = arguments_of(function)
    several = code.co_flags & (CO_VARARGS | CO_VARKEYWORDS)
    if several or code.co_posonlyargcount or len(kwdefaults) != only:
        return _general(function, further)

    default = dict(zip(names[count - len(defaults) : count], defaults, strict=True)) | kwdefaults

    def irregular(given: dict[str, Any], words: dict[str, Any]) -> Any:
        known = {
            k: v
            for k, v in given.items()
            if v is not _ and (k in _ALIASED or v is not default.get(k, _))
        }
        return further({**known, **words})

    required = count - len(defaults)
    make = _template(required, len(defaults), names, flags(function))
    call = make(function, irregular, _, *(default[name] for name in names[required:]))
    return functools.wraps(function)(call)


def _general(
    function: Callable[..., Any], further: Callable[[dict[str, Any]], Any]
) -> Callable[..., Any]:
    """`forwarding` of a function that takes any number of arguments, which go by position."""
    names = frozenset([*NAMES, "out"]) - set(arguments_of(function))

    @functools.wraps(function)
    def call(*args: Any, **words: Any) -> Any:
        if not names.isdisjoint(words):
            return further({"": args, **words})
        try:
            return function(*args, **words)
        except AttributeError as error:
            explain(error, call.__name__, dict(zip(arguments_of(function), args, strict=False)), 1)
            raise

    return call


def called(function: Callable[..., Any], words: dict[str, Any]) -> Any:
    """Call a function by names; what was given by position is under no name."""
    args = words.pop("", ())
    for name in flags(function):
        if name in words:
            check_flag(function.__name__, name, words[name])
    return function(*args, **words)


def spelled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, taking NumPy's names of its arguments too; itself where it has none."""
    if _ALIASED.isdisjoint(arguments_of(function)):
        return function
    return forwarding(function, lambda words: called(function, renamed(function, words)))


def numpy_names(cls: Class) -> Class:
    """A class decorator: its methods, inherited ones included, take NumPy's names too."""
    for name in dir(cls):
        method = getattr(cls, name)
        if isinstance(method, FunctionType) and name not in _PYTHON_METHODS and name[0] != "_":
            other = spelled(method)
            if other is not method:
                setattr(cls, name, other)
    return cls
