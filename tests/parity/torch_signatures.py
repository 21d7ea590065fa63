"""The signatures of PyTorch's functions, methods and classes, every overload.

Builtins have no signature of their own; the type stubs that come with PyTorch have them, and for
linalg, fft and special the first line of the docstring.
"""

import ast
import functools
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

Parameter = inspect.Parameter
FOLDER = Path(torch.__file__).parent / "_C"


def of_arguments(arguments: ast.arguments) -> inspect.Signature:
    """The signature of a parsed ``def``; defaults as text."""
    plain = [*arguments.posonlyargs, *arguments.args]
    texts = [ast.unparse(default) for default in arguments.defaults]
    defaults: list[Any] = [Parameter.empty] * (len(plain) - len(texts)) + texts
    found = [
        Parameter(a.arg, Parameter.POSITIONAL_OR_KEYWORD, default=d)
        for a, d in zip(plain, defaults, strict=True)
    ]
    if arguments.vararg:
        found.append(Parameter(arguments.vararg.arg, Parameter.VAR_POSITIONAL))
    for a, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        text = Parameter.empty if default is None else ast.unparse(default)
        found.append(Parameter(a.arg, Parameter.KEYWORD_ONLY, default=text))
    return inspect.Signature(found)


@functools.cache
def stubs() -> dict[str, dict[str, list[inspect.Signature]]]:
    """{"" or "Tensor": {name: overloads}}"""
    found: dict[str, dict[str, list[inspect.Signature]]] = {"": {}, "Tensor": {}}
    functions = ast.parse((FOLDER / "_VariableFunctions.pyi").read_text(encoding="utf-8")).body
    classes = ast.parse((FOLDER / "__init__.pyi").read_text(encoding="utf-8")).body
    (methods,) = [c.body for c in classes if isinstance(c, ast.ClassDef) and c.name == "TensorBase"]
    for place, body in (("", functions), ("Tensor", methods)):
        for item in body:
            if isinstance(item, ast.FunctionDef):
                signature = of_arguments(item.args)
                property_ = any(getattr(d, "id", "") == "property" for d in item.decorator_list)
                if not property_:
                    found[place].setdefault(item.name, []).append(signature)
    return found


def of_docstring(function: Any) -> list[inspect.Signature]:
    """From the first line of a docstring: ``linalg.cond(A, p=None, *, out=None) -> Tensor``."""
    line = (function.__doc__ or "").strip().split("\n")[0].partition(" -> ")[0]
    inside = line.partition("(")[2].rpartition(")")[0]
    try:
        (parsed,) = ast.parse(f"def f({inside}): ...").body
    except SyntaxError:
        return []
    assert isinstance(parsed, ast.FunctionDef)
    return [of_arguments(parsed.args)]


def signatures(space: Any, name: str) -> list[inspect.Signature]:
    """Every overload of a function, method or class; none where nothing tells."""
    thing = getattr(space, name)
    place = {torch: "", torch.Tensor: "Tensor"}.get(space)
    try:
        return [inspect.signature(thing)]
    except (ValueError, TypeError):
        pass
    if place is not None and name in stubs()[place]:
        return stubs()[place][name]
    return of_docstring(thing) if callable(thing) else []


def callables(space: Any) -> Iterator[str]:
    """The public names of a namespace that can be called."""
    for name in sorted(dir(space)):
        if not name.startswith("_") and callable(getattr(space, name)):
            yield name
