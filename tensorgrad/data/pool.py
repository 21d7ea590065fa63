"""The worker processes of one pass, or of many: started, listened to, ended."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import secrets
import signal
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any

from tensorgrad.data.fetching import Recipe
from tensorgrad.data.handing import discard
from tensorgrad.data.worker import Reply, run

__all__ = ["Pool"]

_PATIENCE = 5.0  # seconds for workers to finish what they are at, as in PyTorch

# The parent's ends of all pipes in use: a forked worker closes its copies, or nobody would see
# the end of a pipe when the parent dies.
_ends: weakref.WeakSet[Connection] = weakref.WeakSet()
_starting = threading.Lock()


def _forget_lock() -> None:
    # A fork happens while it is held; in the child nobody would ever release it.
    global _starting
    _starting = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_lock)


class Pool:
    """Worker processes and a pair of pipes to each. `stop` may be called at any time, and again."""

    def __init__(
        self,
        recipe: Recipe,
        count: int,
        seed: int,
        init: Callable[[int], None] | None,
        context: Any,
        prefetch: int,
    ) -> None:
        self._owner = os.getpid()
        self._prefix = f"tg-{secrets.token_hex(4)}-"
        self._taken = [0] * count  # blocks of shared memory that arrived, of each worker
        self.processes: list[Any] = []
        self._tasks: list[Connection] = []
        self._replies: list[Connection] = []
        context = multiprocessing.get_context() if context is None else context
        if os.name == "posix":
            # Before the first fork: one tracker for all, or each worker's own would complain of
            # blocks that others have removed.
            from multiprocessing import resource_tracker

            resource_tracker.ensure_running()
        try:
            for number in range(count):
                self._start(recipe, (number, count, seed + number), init, context, prefetch)
        except BaseException:
            self.stop(patience=0)
            raise

    def _start(
        self, recipe: Recipe, info: tuple[int, int, int], init: Any, context: Any, prefetch: int
    ) -> None:
        with _starting:
            theirs_in, ours_out = context.Pipe(duplex=False)
            ours_in, theirs_out = context.Pipe(duplex=False)
            _ends.update((ours_out, ours_in))
            self._tasks.append(ours_out)
            self._replies.append(ours_in)
            inherited = list(_ends) if context.get_start_method() == "fork" else []
            process = context.Process(
                target=run,
                args=(recipe, info, init, theirs_in, theirs_out, inherited, self._prefix, prefetch),
                daemon=True,
            )
            try:
                with warnings.catch_warnings():
                    # Python 3.12 warns of any fork with threads; here they are OpenBLAS's, which
                    # is prepared for it.
                    warnings.filterwarnings("ignore", "This process .* is multi-threaded")
                    process.start()
            except (pickle.PicklingError, AttributeError, TypeError) as error:
                raise RuntimeError(
                    f"DataLoader: the dataset, collate_fn or worker_init_fn cannot be sent to a "
                    f"worker started by {context.get_start_method()!r}: {error}. Define them at "
                    "the top of a module, or use multiprocessing_context='fork'"
                ) from error
            finally:
                theirs_in.close()
                theirs_out.close()
            self.processes.append(process)

    def send(self, worker: int, message: Any) -> None:
        with contextlib.suppress(BrokenPipeError):  # it died: `receive` says so
            self._tasks[worker].send(message)

    def receive(self, workers: Sequence[int], timeout: float) -> tuple[int, Reply]:
        """The next reply of any of the workers; RuntimeError if one died, or after ``timeout``."""
        deadline = time.monotonic() + timeout if timeout > 0 else None
        by_end: dict[Any, int] = {self._replies[w]: w for w in workers}
        sentinels: dict[Any, int] = {self.processes[w].sentinel: w for w in workers}
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            ready = wait([*by_end, *sentinels], left)
            if not ready:
                raise RuntimeError(f"DataLoader timed out after {timeout} seconds")
            for end in ready:
                worker = by_end.get(end)
                if worker is None:
                    continue
                try:
                    reply: Reply = pickle.loads(self._replies[worker].recv_bytes())
                except (EOFError, OSError):
                    raise self._death(worker) from None
                self._note(worker, reply)
                return worker, reply
            # Only sentinels: it is dead, and nothing of it is left to be read.
            worker = sentinels[ready[0]]
            if not self._replies[worker].poll():
                raise self._death(worker)

    def _note(self, worker: int, reply: Reply) -> None:
        if reply.kind == "batch" and reply.content.name is not None:
            self._taken[worker] += 1

    def _death(self, worker: int) -> RuntimeError:
        process = self.processes[worker]
        process.join(_PATIENCE)
        code = process.exitcode
        how = f"exited unexpectedly with exit code {code}"
        if code is not None and code < 0:
            try:
                name = signal.Signals(-code).name
            except ValueError:
                name = str(-code)
            how = f"is killed by signal: {name}"
            if name == "SIGBUS":
                how += ", which happens when shared memory (/dev/shm) is full: use fewer workers, "
                how += "smaller batches or a smaller prefetch_factor"
            elif name == "SIGKILL":
                how += ", which the system does when memory runs out"
        return RuntimeError(f"DataLoader worker {worker} (pid {process.pid}) {how}")

    def stop(self, patience: float | None = None) -> None:
        """End all workers, gently at first, and remove the shared memory that was on its way."""
        if os.getpid() != self._owner:  # a fork's copy
            return
        processes, self.processes = self.processes, []
        tasks, self._tasks = self._tasks, []
        for end in tasks:
            with contextlib.suppress(OSError, ValueError):
                end.send(None)
        for end in self._replies:
            end.close()  # a worker that waits for us to read wakes up
        deadline = time.monotonic() + (_PATIENCE if patience is None else patience)
        for process in processes:
            process.join(max(0.0, deadline - time.monotonic()))
        for act in ("terminate", "kill"):
            left = [process for process in processes if process.is_alive()]
            for process in left:
                getattr(process, act)()
            for process in left:
                process.join(_PATIENCE)
        for end in tasks:
            end.close()
        for process in processes:
            if not process.is_alive():
                process.close()
        if processes:
            for worker, taken in enumerate(self._taken):
                while discard(f"{self._prefix}{worker}-{taken}"):
                    taken += 1
