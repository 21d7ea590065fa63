"""Checkpoints: save a function's inputs only, and run it again when backward needs the rest.

The form without re-entering backward is built on saved-tensor hooks: in the forward pass a number
is kept in place of each saved array, and the first one that backward asks for starts the function
again, whose arrays are then found under the same numbers.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from tensorgrad.autograd import enable_grad
from tensorgrad.autograd.graph import saved_tensors_hooks
from tensorgrad.graph.node import Storage, TensorBase, local, number, storage_of
from tensorgrad.graph.provenance import warn
from tensorgrad.graph.saved import SavedValue
from tensorgrad.random import get_rng_state, set_rng_state
from tensorgrad.utils.reentrant import CheckpointFunction, check_backward_validity, detach_variable

__all__ = [
    "CheckpointError",
    "CheckpointFunction",
    "check_backward_validity",
    "checkpoint",
    "checkpoint_sequential",
    "detach_variable",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
]

_early_stop: bool | None = None  # what the context managers below set; None: as the call says
_debug: bool | None = None


class CheckpointError(RuntimeError):
    """The function did something else when it was run again."""


class _Stop(BaseException):
    """All that is needed has been computed again; no user's ``except Exception`` may catch it."""


def noop_context_fn() -> tuple[Any, Any]:
    """Two contexts that do nothing."""
    return contextlib.nullcontext(), contextlib.nullcontext()


@contextlib.contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Whether checkpoints made in the block stop as soon as what is needed has been computed."""
    global _early_stop
    before, _early_stop = _early_stop, enable
    try:
        yield
    finally:
        _early_stop = before


@contextlib.contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Set ``debug`` for checkpoints made in the block; None leaves it to each call."""
    global _debug
    before, _debug = _debug, enabled
    try:
        yield
    finally:
        _debug = before


# --- One checkpointed call ------------------------------------------------------------------------


class _Handle:
    """What a node keeps in place of an array."""

    __slots__ = ("__weakref__", "frame", "place")

    def __init__(self, frame: _Frame, place: int) -> None:
        self.frame, self.place = frame, place


class _Frame:
    """One call: how to run it again, what it saved, and what is there again."""

    def __init__(
        self, run: Callable[[], Any], context: Any, early_stop: bool, check: bool, debug: bool
    ) -> None:
        self.run, self.context = run, context
        self.early_stop, self.check, self.debug = early_stop, check, debug
        self.handles: list[weakref.ref[_Handle]] = []
        self.kinds: list[tuple[Any, Any]] = []  # (shape, dtype) of each array saved
        self.leaves: dict[Storage, int] = {}  # the parameters used, and since when
        self.found: dict[int, SavedValue] = {}
        self.log: list[str] = []
        self.complete = False

    def pack(self, tensor: Any) -> _Handle:
        """The forward pass saves an array."""
        handle = _Handle(self, len(self.handles))
        self.handles.append(weakref.ref(handle))
        self.kinds.append((tensor._array.shape, tensor._array.dtype))
        if tensor._node is None and tensor._requires_grad:
            self.leaves.setdefault(storage_of(tensor), number())
        return handle

    def unpack(self, handle: _Handle) -> Any:
        """Backward asks for it."""
        if handle.place not in self.found:
            self._again()
        value = self.found.pop(handle.place, None)
        if value is None:
            raise CheckpointError(
                "checkpoint: A different number of tensors was saved during the original forward "
                f"and recomputation: {len(self.handles)} in the forward pass, fewer now. The "
                "function must do the same when it is run again." + self._logs([])
            )
        return value.value()

    def _again(self) -> None:
        for storage, stamp in self.leaves.items():
            if storage.stamp > stamp:
                raise RuntimeError(
                    "checkpoint: one of the variables needed for gradient computation has been "
                    "modified by an inplace operation: a parameter was written (an optimizer's "
                    "step?) between the forward pass and the backward pass that runs it again"
                )
        walk = local.context.walk
        if walk is not None:
            walk.at_end.append(self.found.clear)
        self.found.clear()
        count, place = len(self.handles), 0
        log: list[str] = []

        def pack(tensor: Any) -> Any:
            nonlocal place
            here = place
            place += 1
            kept = tensor.detach()
            if here < count:
                if self.check:
                    self._compare(here, kept, log)
                if self.handles[here]() is not None:
                    self.found[here] = SavedValue(kept, None)
                if place == count and self.early_stop:
                    raise _Stop
            return kept

        watch = [_logger(log)] if self.debug else []
        with contextlib.suppress(_Stop), _watching(watch), enable_grad():
            with saved_tensors_hooks(pack, lambda kept: kept), self.context:
                self.run()
            if self.complete and place != count and self.check:
                self.found.clear()
                raise CheckpointError(
                    "checkpoint: A different number of tensors was saved during the original "
                    f"forward and recomputation: {count} in the forward pass, {place} now. The "
                    "function must do the same when it is run again." + self._logs(log)
                )

    def _compare(self, place: int, tensor: Any, log: list[str]) -> None:
        shape, dtype = self.kinds[place]
        array = tensor._array
        if (array.shape, array.dtype) != (shape, dtype):
            raise CheckpointError(
                "checkpoint: Recomputed values for the following tensors have different metadata "
                f"than during the forward pass: tensor {place} was {dtype}{shape} and is now "
                f"{array.dtype}{array.shape}. The function must do the same when it is run again."
                + self._logs(log)
            )

    def _logs(self, log: list[str]) -> str:
        if not self.debug:
            return " Pass debug=True to see the operations of both runs."
        return "\n".join(
            ["\nOperations in the forward pass:", *self.log, "Operations when run again:", *log]
        )


def _logger(log: list[str]) -> Callable[[Any, Any], None]:
    def note(node: Any, out: Any) -> None:
        log.append(f"  {node.op.name} {out._array.dtype}{out._array.shape} at {node.location}")

    return note


@contextlib.contextmanager
def _watching(observers: list[Any]) -> Iterator[None]:
    context = local.context
    before = context.on_forward
    context.on_forward = (*before, *observers)
    try:
        yield
    finally:
        context.on_forward = before


def _input(tensor: Any) -> Callable[[], Any]:
    """An argument, to be had again outside its graph.

    Inside another checkpoint it is packed by that one's hooks, and so is not held here.
    """
    wants = tensor.requires_grad
    hooks = local.context.saved_hooks
    inside = local.context.grad_enabled and hooks
    detached = tensor.detach()
    saved = SavedValue(detached, None, hooks[-1] if inside else None)
    return lambda: saved.value().detach().requires_grad_(wants)


def _map(tree: Any, function: Callable[[Any], Any], kind: Any) -> Any:
    if isinstance(tree, kind):
        return function(tree)
    if type(tree) in (tuple, list):
        return type(tree)(_map(item, function, kind) for item in tree)
    if type(tree) is dict:
        return {key: _map(item, function, kind) for key, item in tree.items()}
    return tree


class _Input:
    """The place of a tensor among the kept arguments."""

    def __init__(self, tensor: Any) -> None:
        self.again = _input(tensor)


def _non_reentrant(
    function: Callable[..., Any],
    preserve: bool,
    contexts: tuple[Any, Any],
    check: bool,
    debug: bool,
    early_stop: bool,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    if not local.context.grad_enabled:
        with contexts[0]:
            return function(*args, **kwargs)
    kept = _map((args, kwargs), _Input, TensorBase)
    state = get_rng_state() if preserve else None

    def run() -> Any:
        new_args, new_kwargs = _map(kept, lambda place: place.again(), _Input)
        now = get_rng_state() if preserve else None
        if preserve:
            set_rng_state(state)
        try:
            return function(*new_args, **new_kwargs)
        finally:
            if preserve:
                set_rng_state(now)

    frame = _Frame(run, contexts[1], early_stop, check, debug)
    watch = [_logger(frame.log)] if debug else []
    with _watching(watch), saved_tensors_hooks(frame.pack, _unpack), contexts[0]:
        result = function(*args, **kwargs)
    frame.complete = True
    return result


def _unpack(handle: _Handle) -> Any:
    return handle.frame.unpack(handle)


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """``function(*args, **kwargs)`` without keeping what it saves: backward runs it again.

    use_reentrant: False is the one to use; True runs a backward inside backward, as PyTorch's first
        form did, with its limits: no keyword arguments, no `grad`, no second order.
    preserve_rng_state: (among kwargs, default True) random numbers are the same the second time.
    context_fn: returns a context for the forward pass and one for the run in backward.
    determinism_check: "default" compares shapes and dtypes of the two runs, "none" does not.
    debug: an error shows the operations of both runs.
    early_stop: the second run ends as soon as everything needed is there.
    """
    if use_reentrant is None:
        warn(
            "utils.checkpoint: the use_reentrant parameter should be passed explicitly. "
            "use_reentrant=False is recommended; the default is use_reentrant=True, as in PyTorch."
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs and use_reentrant:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if use_reentrant:
        if context_fn is not noop_context_fn or debug is not False:
            raise ValueError(
                "Passing `context_fn` or `debug` is only supported when use_reentrant=False."
            )
        return CheckpointFunction.apply(function, preserve, *args)
    if determinism_check not in ("default", "none"):
        raise ValueError(
            f"determinism_check should be one of ['default', 'none'], got {determinism_check!r}"
        )
    debug = debug if _debug is None else _debug
    if debug and context_fn is not noop_context_fn:
        raise ValueError("debug=True is incompatible with non-default context_fn")
    return _non_reentrant(
        function,
        preserve,
        context_fn(),
        determinism_check == "default",
        debug,
        early_stop if _early_stop is None else _early_stop,
        args,
        kwargs,
    )


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """Run modules one after the other in ``segments`` checkpoints; the last segment is plain.

    functions: a Sequential, or a list of functions of one argument.
    """
    if use_reentrant is None:
        warn(
            "utils.checkpoint.checkpoint_sequential: the use_reentrant parameter should be passed "
            "explicitly. use_reentrant=False is recommended; the default is use_reentrant=True, as "
            "in PyTorch."
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    steps = list(functions.children()) if hasattr(functions, "children") else list(functions)

    def run(first: int, last: int) -> Callable[[Any], Any]:
        def forward(value: Any) -> Any:
            for step in steps[first:last]:
                value = step(value)
            return value

        return forward

    if not 1 <= segments <= len(steps):
        raise ValueError(
            f"checkpoint_sequential: {segments} segments of {len(steps)} functions; use at least "
            "one, and at most one per function"
        )
    size = len(steps) // segments
    for segment in range(segments - 1):
        input = checkpoint(
            run(segment * size, (segment + 1) * size),
            input,
            use_reentrant=use_reentrant,
            preserve_rng_state=preserve,
        )
    return run((segments - 1) * size, len(steps))(input)
