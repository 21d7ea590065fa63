"""``torch.multiprocessing``: Python's `multiprocessing`, and `spawn` to run one function in many.

A tensor that goes through a queue or a pipe, or is given to a process, is pickled: the other
process has a copy, where PyTorch's has the same memory.  Parallel training therefore sends what it
computed back, through a queue; ``share_memory_`` is refused.
"""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import time
import traceback
import weakref
from collections.abc import Callable, Sequence
from multiprocessing import (
    Array,
    AuthenticationError,
    Barrier,
    BoundedSemaphore,
    BufferTooShort,
    Condition,
    Event,
    JoinableQueue,
    Lock,
    Manager,
    Pipe,
    Pool,
    Process,
    ProcessError,
    Queue,
    RawArray,
    RawValue,
    RLock,
    Semaphore,
    SimpleQueue,
    TimeoutError,
    Value,
    active_children,
    allow_connection_pickling,
    connection,
    cpu_count,
    current_process,
    freeze_support,
    get_all_start_methods,
    get_context,
    get_logger,
    get_start_method,
    log_to_stderr,
    parent_process,
    set_executable,
    set_forkserver_preload,
    set_start_method,
)
from pathlib import Path
from typing import Any

__all__ = [
    "Array",
    "AuthenticationError",
    "Barrier",
    "BoundedSemaphore",
    "BufferTooShort",
    "Condition",
    "Event",
    "JoinableQueue",
    "Lock",
    "Manager",
    "Pipe",
    "Pool",
    "Process",
    "ProcessContext",
    "ProcessError",
    "ProcessException",
    "ProcessExitedException",
    "ProcessRaisedException",
    "Queue",
    "RLock",
    "RawArray",
    "RawValue",
    "Semaphore",
    "SimpleQueue",
    "TimeoutError",
    "Value",
    "active_children",
    "allow_connection_pickling",
    "cpu_count",
    "current_process",
    "freeze_support",
    "get_all_sharing_strategies",
    "get_all_start_methods",
    "get_context",
    "get_logger",
    "get_sharing_strategy",
    "get_start_method",
    "log_to_stderr",
    "parent_process",
    "set_executable",
    "set_forkserver_preload",
    "set_sharing_strategy",
    "set_start_method",
    "spawn",
    "start_processes",
]

_STRATEGIES = frozenset({"file_descriptor", "file_system"})
_strategy = "file_descriptor"


def get_all_sharing_strategies() -> set[str]:
    """The names that PyTorch has on Linux."""
    return set(_STRATEGIES)


def get_sharing_strategy() -> str:
    """What was set; tensors are copied under every name."""
    return _strategy


def set_sharing_strategy(new_strategy: str) -> None:
    """Kept for who asks: programs set it against "too many open files", of which none is open."""
    global _strategy
    if new_strategy not in _STRATEGIES:
        raise ValueError(f"set_sharing_strategy: {new_strategy!r} is none of {sorted(_STRATEGIES)}")
    _strategy = new_strategy


class ProcessException(Exception):
    """One of the processes of `spawn` failed: ``error_index``, ``error_pid``, ``msg``."""

    def __init__(self, msg: str, error_index: int, error_pid: int) -> None:
        super().__init__(msg)
        self.msg, self.error_index, self.error_pid = msg, error_index, error_pid

    def __reduce__(self) -> Any:
        return type(self), (self.msg, self.error_index, self.error_pid)


class ProcessRaisedException(ProcessException):
    """Its function raised; the message ends with the traceback."""


class ProcessExitedException(ProcessException):
    """It was ended: by a signal, or with an ``exit_code`` of its own."""

    def __init__(
        self,
        msg: str,
        error_index: int,
        error_pid: int,
        exit_code: int,
        signal_name: str | None = None,
    ) -> None:
        super().__init__(msg, error_index, error_pid)
        self.exit_code, self.signal_name = exit_code, signal_name

    def __reduce__(self) -> Any:
        parts = self.msg, self.error_index, self.error_pid, self.exit_code, self.signal_name
        return type(self), parts


def _run(fn: Callable[..., Any], index: int, args: Sequence[Any], report: Path) -> None:
    """What a process does: the function, and if it raises, the traceback into a file."""
    try:
        fn(index, *args)
    except KeyboardInterrupt:
        pass  # the parent was interrupted too, and says so
    except Exception:
        report.write_text(traceback.format_exc(), encoding="utf-8")
        sys.exit(1)


class ProcessContext:
    """The processes that `start_processes` started."""

    def __init__(self) -> None:
        self.processes: list[Any] = []
        self.sentinels: dict[Any, int] = {}
        folder = tempfile.mkdtemp(prefix="tensorgrad-processes-")
        self._folder = Path(folder)  # of what they report
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)

    def start(self, context: Any, fn: Any, args: Sequence[Any], daemon: bool) -> None:
        """One more process; ``context`` is of `get_context`."""
        index = len(self.processes)
        parts = fn, index, args, self._report(index)
        process = context.Process(target=_run, args=parts, daemon=daemon)
        process.start()
        self.processes.append(process)
        self.sentinels[process.sentinel] = index

    def _report(self, index: int) -> Path:
        return self._folder / f"{index}.txt"

    def pids(self) -> list[int]:
        """The processes' ids."""
        return [int(process.pid) for process in self.processes]

    def join(self, timeout: float | None = None, grace_period: float | None = None) -> bool:
        """Wait until a process ends, or for ``timeout`` seconds; whether all have ended.

        If one failed the others are ended too, after ``grace_period`` seconds in which they may
        end by themselves, and its error is raised.
        """
        if not self.sentinels:
            return True
        failed = None
        for sentinel in connection.wait(list(self.sentinels), timeout):
            index = self.sentinels.pop(sentinel)
            self.processes[index].join()
            if self.processes[index].exitcode:
                failed = index
                break
        if failed is None:
            return not self.sentinels
        if grace_period is not None:
            self._wait(grace_period)
        for process in self.processes:
            if process.is_alive():
                process.terminate()
        self._wait(30 if grace_period is None else grace_period)
        for process in self.processes:
            if process.is_alive():
                process.kill()
            process.join()
        raise self._error(failed)

    def _wait(self, seconds: float) -> None:
        """For all of them together."""
        end = time.monotonic() + seconds
        for process in self.processes:
            process.join(max(0.0, end - time.monotonic()))

    def _error(self, index: int) -> ProcessException:
        process = self.processes[index]
        report = self._report(index)
        if report.exists():
            words = report.read_text(encoding="utf-8")
            return ProcessRaisedException(
                f"\n\n-- Process {index} terminated with the following error:\n{words}",
                index,
                process.pid,
            )
        code, name = process.exitcode, None
        how = f"exit code {code}"
        if code < 0:
            known = {int(one): one.name for one in signal.Signals}
            name = known.get(-code, f"<Unknown signal {-code}>")
            how = f"signal {name}"
        return ProcessExitedException(
            f"process {index} terminated with {how}", index, process.pid, code, name
        )


def start_processes(
    fn: Callable[..., Any],
    args: Sequence[Any] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """Run ``fn(i, *args)`` in ``nprocs`` processes, for i from 0 on.

    join: wait for all of them; otherwise the `ProcessContext` is returned, to be joined later.
    Where one fails the others are ended and `ProcessRaisedException` or `ProcessExitedException`
    is raised.
    """
    started, context = ProcessContext(), get_context(start_method)
    for _ in range(nprocs):
        started.start(context, fn, tuple(args), daemon)
    if not join:
        return started
    while not started.join():
        pass
    return None


def spawn(
    fn: Callable[..., Any],
    args: Sequence[Any] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """`start_processes` with new interpreters: ``fn`` must be importable, ``args`` are pickled."""
    if start_method != "spawn":
        raise ValueError(
            f"spawn: start_method is {start_method!r}; use start_processes() for another than "
            "'spawn'"
        )
    return start_processes(fn, args, nprocs, join, daemon, start_method)
