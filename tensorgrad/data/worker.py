"""What runs in a worker process of a DataLoader."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import random
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tensorgrad.creation import from_numpy
from tensorgrad.data.fetching import Recipe
from tensorgrad.data.handing import Sender
from tensorgrad.machine.threads import set_num_threads
from tensorgrad.random import default_generator

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["Begin", "Reply", "Task", "WorkerInfo", "get_worker_info", "plain_states", "run"]

_WATCH = 2.0  # seconds between looks at whether the parent is still there


class WorkerInfo(NamedTuple):
    """What `get_worker_info` tells in a worker: its number, of how many, its seed, its dataset."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


class Begin(NamedTuple):
    """A pass begins: what the generators start from, and how many batches of a stream to skip."""

    number: int
    states: Any
    skip: int


class Task(NamedTuple):
    number: int  # of the pass
    task: int
    entry: Any  # the sampler's


class Reply(NamedTuple):
    number: int
    task: int
    kind: str  # "batch", "error" or "end"
    content: Any  # a Parcel, or (type or None, text)
    states: bytes


_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """In a worker process its ``id``, ``num_workers``, ``seed`` and ``dataset`` (its own copy).

    None elsewhere. Streams ask it to share out their samples.
    """
    return _info


def run(
    recipe: Recipe,
    info: tuple[int, int, int],
    init: Callable[[int], None] | None,
    tasks: Connection,
    replies: Connection,
    inherited: list[Connection],
    prefix: str,
    prefetch: int,
) -> None:
    """Serve tasks until told to stop, or until the parent is gone."""
    global _info
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is the parent's, which ends us
    for connection in inherited:  # of a fork: while these are open nobody sees that the parent died
        with contextlib.suppress(OSError):
            connection.close()
    with contextlib.suppress(RuntimeError):  # another BLAS: it has environment variables
        set_num_threads(1)  # the workers are the parallelism
    number, of, seed = info
    _info = WorkerInfo(number, of, seed, recipe.dataset)
    _seed(seed)
    failure: BaseException | None = None
    if init is not None:
        try:
            init(number)
        except Exception as error:
            failure = error
    sender = Sender(f"{prefix}{number}-", prefetch + 1)
    fetch: Callable[[Any], Any] | None = None
    current, skip, ended = -1, 0, False
    for message in _messages(tasks, sender):
        if isinstance(message, Begin):
            current, skip, fetch, ended = message.number, message.skip, None, False
            if message.states is not None:
                _set_states(message.states)
            continue
        if message.number != current:
            continue
        kind: str = "end"
        content: Any = None
        if not ended:
            try:
                if failure is not None:
                    broken, failure = failure, None
                    raise broken
                if fetch is None:
                    fetch = recipe.fetcher()
                for _ in range(skip):
                    fetch(message.entry)
                skip = 0
                kind, content = "batch", sender.pack(fetch(message.entry))
            except StopIteration as error:
                if recipe.is_stream:
                    ended = True
                else:
                    kind, content = "error", _described(error, number)
            except Exception as error:
                kind, content = "error", _described(error, number)
        reply = Reply(message.number, message.task, kind, content, _states())
        try:
            replies.send_bytes(pickle.dumps(reply, 5))
        except (BrokenPipeError, OSError):
            return  # nobody wants it any more


def _messages(tasks: Connection, sender: Sender) -> Iterator[Any]:
    """What the parent sends. A thread reads it, so that the parent never waits to send, and a
    worker in the middle of a batch notices that the parent is gone.
    """
    received: queue.SimpleQueue[Any] = queue.SimpleQueue()
    stopping = threading.Event()
    parent = os.getppid()

    def read() -> None:
        while True:
            try:
                while not tasks.poll(_WATCH):
                    if os.getppid() != parent:
                        raise EOFError
                message = tasks.recv()
            except (EOFError, OSError):
                sender.abandon()
                os._exit(1)
            if message is None:
                stopping.set()
            received.put(message)
            if message is None:
                return

    threading.Thread(target=read, daemon=True).start()
    while (message := received.get()) is not None and not stopping.is_set():
        yield message


def _described(error: Exception, number: int) -> tuple[type[Exception] | None, str]:
    """The error's type, if the parent can have it, and its text with the traceback."""
    kind: type[Exception] | None = type(error)
    try:
        pickle.dumps(kind)
    except Exception:
        kind = None
    text = "".join(traceback.format_exception(error))
    return kind, (
        f"Caught {type(error).__name__} in DataLoader worker process {number}.\nOriginal {text}"
    )


def _seed(seed: int) -> None:
    """Seed what samples may be drawn with: ours, Python's and NumPy's."""
    default_generator.manual_seed(seed)
    random.seed(seed)
    np.random.seed(np.random.SeedSequence(seed).generate_state(4))


def _states() -> bytes:
    """The generators' states, pickled: few are ever looked at."""
    return pickle.dumps(
        (default_generator.get_state(), random.getstate(), np.random.get_state()), 5
    )


def plain_states(pickled: bytes) -> dict[str, Any]:
    """A worker's states as plain values and tensors, for a state_dict."""
    ours, (version, words, python_gauss), (name, keys, position, has, gauss) = pickle.loads(pickled)
    return {
        "tensorgrad": ours,
        "python": [version, from_numpy(np.array(words, np.uint32)), python_gauss],
        "numpy": [name, from_numpy(keys), position, has, gauss],
    }


def _set_states(states: dict[str, Any]) -> None:
    default_generator.set_state(states["tensorgrad"])
    version, words, python_gauss = states["python"]
    random.setstate((version, tuple(words.tolist()), python_gauss))
    name, keys, position, has, gauss = states["numpy"]
    np.random.set_state((name, keys.numpy(), position, has, gauss))
