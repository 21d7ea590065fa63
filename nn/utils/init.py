"""Modules made without drawing their parameters."""

from __future__ import annotations

import inspect
from typing import Any, TypeVar

from tensorgrad.nn.module import Module
from tensorgrad.nn.skipping import skipped

__all__ = ["skip_init"]

M = TypeVar("M", bound=Module)


def skip_init(module_cls: type[M], *args: Any, **kwargs: Any) -> M:
    """``module_cls(*args, **kwargs)`` whose parameters hold whatever the memory held.

    What `nn.init` would fill stays as it is, and no random number is drawn.  For parameters that
    are loaded right after.  The class must take a ``device``.
    """
    if not (isinstance(module_cls, type) and issubclass(module_cls, Module)):
        raise RuntimeError(f"skip_init: Expected a Module; got {module_cls!r}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError(
            f"skip_init: {module_cls.__name__} must support a 'device' arg to skip initialization"
        )
    with skipped():
        return module_cls(*args, **kwargs)
