"""What a thread records: no_grad, enable_grad, set_grad_enabled, inference_mode."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Iterator
from typing import Any, Self, TypeVar

from tensorgrad.graph.node import Context, hook, local
from tensorgrad.graph.provenance import warn

__all__ = [
    "enable_grad",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "is_multithreading_enabled",
    "no_grad",
    "set_grad_enabled",
    "set_multithreading_enabled",
]

F = TypeVar("F", bound=Callable[..., Any])
_counting = threading.Lock()  # of the blocks that are open in all threads


def is_grad_enabled() -> bool:
    """Whether operations of this thread are recorded."""
    return local.context.grad_enabled


class _GradMode:
    """A context manager and decorator that sets whether this thread records."""

    # Of the class, so that no_grad() has nothing to set: small models are called in one.
    _mode = False
    _before: Any = None  # (mode, before): one object may be entered again inside itself

    def __enter__(self) -> None:
        context = local.context
        self._before = (context.grad_enabled, self._before)
        context.grad_enabled = self._mode and not context.inference

    def __exit__(self, *error: object) -> None:
        local.context.grad_enabled, self._before = self._before

    def __call__(self, function: F) -> F:
        again = self.clone
        if inspect.isclass(function):
            warn(
                "Decorating classes with a grad mode makes functions of them, and holds only while "
                "an instance is made: decorate __init__, or the methods that are meant",
                FutureWarning,
            )
        if inspect.isgeneratorfunction(function):
            return _wrap_generator(function, again)  # type: ignore[no-any-return]

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with again():
                return function(*args, **kwargs)

        return wrapped  # type: ignore[return-value]

    def clone(self) -> Self:
        """The same mode to enter anew, once for each call of a decorated function."""
        return type(self)()


def _wrap_generator(function: Any, again: Callable[[], Any]) -> Any:
    """The mode holds while the generator runs, not while its consumer does."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Iterator[Any]:
        generator = function(*args, **kwargs)
        step: Any = functools.partial(generator.send, None)
        try:
            while True:
                with again():
                    value = step()
                try:
                    step = functools.partial(generator.send, (yield value))
                except GeneratorExit:
                    raise
                except BaseException as error:  # goes to the generator, as if it had raised itself
                    step = functools.partial(generator.throw, error)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
        finally:
            generator.close()

    return wrapped


class no_grad(_GradMode):
    """Record nothing: ``with no_grad():``, ``@no_grad()`` or ``@no_grad``."""

    def __new__(cls, function: Any = None) -> Any:
        made = object.__new__(cls)
        return made if function is None else made(function)


class enable_grad(_GradMode):
    """Record again inside a `no_grad`; as context manager or decorator."""

    _mode = True

    def __new__(cls, function: Any = None) -> Any:
        made = object.__new__(cls)
        return made if function is None else made(function)


class set_grad_enabled(_GradMode):
    """Set the mode at once; as a context manager, until the end of the block."""

    def __init__(self, mode: bool) -> None:
        self._mode = bool(mode)
        self._previous = local.context.grad_enabled
        local.context.grad_enabled = self._mode

    def clone(self) -> Self:
        return type(self)(self._mode)

    def __enter__(self) -> None:
        self._before = (self._previous, self._before)
        local.context.grad_enabled = self._mode

    def __call__(self, function: F) -> F:
        local.context.grad_enabled = self._previous  # as a decorator it sets nothing now
        return super().__call__(function)


class inference_mode(_GradMode):
    """Record nothing, and let no graph save what is made in the block, now or later.

    ``with inference_mode():``, ``@inference_mode()`` or ``@inference_mode``; ``mode=False`` is the
    way out of an outer one.  Views of ordinary tensors stay ordinary.
    """

    def __new__(cls, mode: Any = True) -> Any:
        made = super().__new__(cls)
        if isinstance(mode, bool):
            return made
        made.__init__()  # type: ignore[misc]
        return made(mode)

    def __init__(self, mode: bool = True) -> None:
        self._mode = not mode
        self.mode = mode
        self._inference_before: list[bool] = []

    def __enter__(self) -> None:
        context = local.context
        self._inference_before.append(context.inference)
        _set_inference(context, self.mode)
        super().__enter__()

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        context = local.context
        _set_inference(context, self._inference_before.pop())

    def clone(self) -> Self:
        return type(self)(self.mode)


def _set_inference(context: Context, mode: bool) -> None:
    with _counting:
        hook.inference += mode - context.inference
    context.inference = mode


def is_inference_mode_enabled() -> bool:
    """Whether this thread is in an `inference_mode`."""
    return local.context.inference


class _Permission(threading.local):
    given = True


_several_threads = _Permission()


def is_multithreading_enabled() -> bool:
    """Whether PyTorch's permission stands for this thread; see `set_multithreading_enabled`."""
    return _several_threads.given


class set_multithreading_enabled:
    """PyTorch's permission to run backward on several threads.

    tensorgrad's backward runs on the calling thread, with or without it; what NumPy's BLAS does on
    several cores is not the graph's matter.
    """

    def __init__(self, mode: bool) -> None:
        self.mode = bool(mode)
        self._before = _several_threads.given
        _several_threads.given = self.mode

    def __enter__(self) -> None:
        return None

    def __exit__(self, *error: object) -> None:
        _several_threads.given = self._before
