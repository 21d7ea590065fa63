"""Whether oneDNN may be used in this process, and if not, why.

The library is looked for when a computation is first large enough for it, and tried on a small one
before it is trusted. A process that was forked after that does without: its OpenMP threads were
not copied by the fork, and the first parallel region would wait for them for ever.
"""

from __future__ import annotations

import os
import platform
import sys
import threading
from typing import Any

from tensorgrad.kernels.onednn.library import PACKAGE, Library, Unavailable, candidates

__all__ = ["enabled", "library", "on_fork", "reason", "switch"]

_lock = threading.RLock()
_state: dict[str, Any] = {"library": None, "reason": None, "enabled": True}


def reason() -> str:
    """Why oneDNN is not used; "" where it is."""
    if not _state["enabled"]:
        return "switched off: backends.mkldnn.enabled = False"
    found: str | None = _state["reason"]
    if found is None:
        with _lock:
            if _state["reason"] is None:
                _state["reason"] = _load()
            found = _state["reason"]
    return found


def library() -> Library:
    """The library, loaded and tried. Raises `Unavailable` with the reason where it cannot be."""
    why = reason()
    if why:
        raise Unavailable(why)
    return _state["library"]  # type: ignore[no-any-return]


def switch(on: bool) -> None:
    """Use oneDNN or not, from now on; what the registry chose is chosen anew by the caller."""
    _state["enabled"] = bool(on)


def enabled() -> bool:
    """Whether `switch` is on, which does not say that the library is there."""
    return bool(_state["enabled"])


def _load() -> str:
    if not sys.platform.startswith("linux") or platform.machine() not in ("x86_64", "AMD64"):
        return f"there is no package of it for {sys.platform} on {platform.machine()}"
    why = f"not installed: pip install tensorgrad[accel] brings it ({PACKAGE})"
    for path in candidates():
        try:
            _state["library"] = Library(path)
            why = ""
            break
        except (Unavailable, RuntimeError) as error:
            why = str(error)
    if why:
        return why
    from tensorgrad.kernels.onednn.smoke import smoke

    try:
        why = smoke(_state["library"])
    except Exception as error:
        why = f"its smoke test raised {type(error).__name__}: {error}"
    if why:
        _state["library"] = None
    return why


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()  # the parent may have held it
    if _state["library"] is not None:
        _state["library"] = None
        _state["reason"] = "this process was forked from one that uses it: its threads stayed there"
        for forget in on_fork:
            forget()


# What else must be forgotten in a forked process; the registry's choices, above all.
on_fork: list[Any] = []

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
