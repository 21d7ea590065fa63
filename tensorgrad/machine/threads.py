"""How many threads compute: NumPy's BLAS has threads of its own, and kernels are split in parts.

NumPy's loops and copies run on one core each, but release the interpreter while they do, so that a
kernel gains from working on parts of the batch in several threads, if it is large enough: handing a
part over takes some 30 us.  The parts depend on the number of threads alone, so two runs give the
same bits; another number of threads changes sums over the batch by rounding.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any

from tensorgrad.machine.blas import blas_name, openblas

__all__ = ["get_num_interop_threads", "get_num_threads", "one_blas_thread",
           "set_num_interop_threads", "set_num_threads", "split"]  # fmt: skip


@functools.cache
def _setting() -> Any:
    """(set, get) of OpenBLAS's number of threads; None where NumPy has another library."""
    functions = openblas("openblas_set_num_threads"), openblas("openblas_get_num_threads")
    return None if None in functions else functions


def _positive(number: Any, name: str) -> int:
    if not isinstance(number, int) or isinstance(number, bool):
        raise RuntimeError(f"{name} expects an int, but got {type(number).__name__}")
    if number <= 0:
        raise RuntimeError(f"{name} expects a positive integer, got {number}")
    return number


# What else must know a new number of threads: an accelerator, which has threads of its own.
on_change: list[Callable[[int], None]] = []


def set_num_threads(int: Any) -> None:
    """Set how many threads a matrix product may use, and into how many parts kernels are split.

    At the start it is what NumPy's BLAS was told by the environment (OPENBLAS_NUM_THREADS,
    OMP_NUM_THREADS) or found.  Processes started by `multiprocessing`, as a DataLoader's workers,
    and forked ones split no kernels until they set a number themselves.

    Raises RuntimeError where NumPy's BLAS is not the OpenBLAS of its wheels: those have environment
    variables of their own, to be set before Python starts.
    """
    number = _positive(int, "set_num_threads")
    found = _setting()
    if found is None:
        raise RuntimeError(
            f"set_num_threads: NumPy's BLAS ({blas_name()}) takes its number of threads from the "
            "environment: set OMP_NUM_THREADS (or MKL_NUM_THREADS, VECLIB_MAXIMUM_THREADS) before "
            "starting Python"
        )
    _blas.set(number)
    _pool.count = number
    for tell in on_change:
        tell(number)


def get_num_threads() -> int:
    """How many threads compute; 1 where NumPy's BLAS does not tell."""
    return _blas.get()


def get_num_interop_threads() -> int:
    """1: operations run one after another."""
    return 1


def set_num_interop_threads(int: Any) -> None:
    """Refused but for 1: operations run one after another."""
    if _positive(int, "set_num_interop_threads") != 1:
        raise RuntimeError(
            "set_num_interop_threads: operations run one after another; set_num_threads sets how "
            "many threads a matrix product uses"
        )


class _Blas:
    """OpenBLAS's number of threads, and how many ask for one at the moment."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.asking = 0
        self.number = 1  # what comes back after the last of them

    def get(self) -> int:
        """The number that is set for all; 1 where NumPy's BLAS does not tell."""
        found = _setting()
        if found is None:
            return 1
        with self.lock:
            return self.number if self.asking else int(found[1]())

    def set(self, number: int) -> None:
        """Set it for all, after those who ask for one thread."""
        with self.lock:
            self.number = number
            if not self.asking:
                _setting()[0](number)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """OpenBLAS computes on the thread that asks for it, for the length of a block.

    For many products in a row that are too small for two threads, each of which would wait for the
    other.  The setting is the process's: products of other Python threads have one thread too
    meanwhile, and so another rounding at most.  It costs about a microsecond.
    """
    found = _setting()
    if found is None:
        yield
        return
    state = _blas
    with state.lock:
        if not state.asking:
            state.number = int(found[1]())
            if state.number > 1:
                found[0](1)
        state.asking += 1
    try:
        yield
    finally:
        with state.lock:
            state.asking -= 1
            if not state.asking and state.number > 1:
                found[0](state.number)


class _Pool:
    """Threads that wait for parts of a kernel; they are started when first needed."""

    def __init__(self) -> None:
        self.count: int | None = None  # not yet asked for
        self.started = 0
        self.jobs: SimpleQueue[tuple[Callable[[], None], SimpleQueue[Any]]] = SimpleQueue()
        self.lock = threading.Lock()
        self.inside = threading.local()

    def size(self) -> int:
        """How many parts a kernel is split into."""
        if self.count is None:
            self.count = 1 if _is_child() else get_num_threads()
        return self.count

    def start(self, number: int) -> None:
        """Have at least so many threads."""
        with self.lock:
            while self.started < number:
                self.started += 1
                name = f"tensorgrad-{self.started}"
                threading.Thread(target=self.work, name=name, daemon=True).start()

    def work(self) -> None:
        """What a thread does: one part after another."""
        self.inside.value = True
        while True:
            job, done = self.jobs.get()
            try:
                job()
                done.put(None)
            except BaseException as error:
                done.put(error)
            del job, done  # they hold arrays


def _is_child() -> bool:
    """Whether `multiprocessing` started this process, whose siblings use the other cores."""
    module = sys.modules.get("multiprocessing.process")
    return module is not None and module.parent_process() is not None


def split(work: Callable[[int, int], None], size: int, worthwhile: bool = True) -> None:
    """Call ``work(start, stop)`` for consecutive parts of range(size), each in a thread of its own.

    work: must not return before it is done, and must write to its own part alone.
    worthwhile: False calls it for the whole range, here.
    The first error of any part is raised after all of them have ended.
    """
    pool = _pool
    parts = min(pool.size(), size) if worthwhile else 1
    if parts < 2 or getattr(pool.inside, "value", False):
        work(0, size)
        return
    pool.start(parts - 1)
    bounds = [size * i // parts for i in range(parts + 1)]
    done: SimpleQueue[Any] = SimpleQueue()
    for i in range(1, parts):
        run = copy_context().run  # np.errstate holds in the other threads too
        job = functools.partial(run, work, bounds[i], bounds[i + 1])
        pool.jobs.put((job, done))
    errors: list[BaseException] = []
    try:
        work(bounds[0], bounds[1])
    except BaseException as error:
        errors.append(error)
    errors += [error for error in (done.get() for _ in range(1, parts)) if error is not None]
    if errors:
        raise errors[0]


_pool = _Pool()
_blas = _Blas()


def _after_fork() -> None:
    """A child has none of the threads, and shares the cores with its parent."""
    global _pool, _blas
    _pool, _blas = _Pool(), _Blas()
    _pool.count = 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
