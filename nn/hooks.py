"""Hooks of modules: a user's functions called before and after forward, and during backward."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from tensorgrad.graph.hooks import RemovableHandle
from tensorgrad.graph.node import local
from tensorgrad.graph.provenance import warn
from tensorgrad.nn.tree import Tree
from tensorgrad.nn.watch import Watch, watch_last_node

if TYPE_CHECKING:
    from tensorgrad.nn.module import Module

__all__ = ["Hooked", "Hooks", "everywhere"]

Hook = Callable[..., Any]
Table = OrderedDict[int, Hook]


class Hooks:
    """The hooks of one module (or of all), by kind; made when the first one is registered."""

    def __init__(self) -> None:
        self.forward_pre: Table = OrderedDict()
        self.forward: Table = OrderedDict()
        self.backward_pre: Table = OrderedDict()
        self.backward: Table = OrderedDict()
        self.state_pre: Table = OrderedDict()
        self.state_post: Table = OrderedDict()
        self.load_pre: Table = OrderedDict()
        self.load_post: Table = OrderedDict()
        # Of some hooks, by the number of their handle:
        self.with_kwargs: set[int] = set()
        self.always_called: set[int] = set()
        self.may_replace: set[int] = set()  # a state_post hook that may return another dict
        self.with_module: set[int] = set()  # a load_pre hook that is told the module
        self.full: bool | None = None  # which kind the backward hooks are of

    @property
    def count(self) -> int:
        """How many there are now."""
        forward = len(self.forward_pre) + len(self.forward)
        backward = len(self.backward_pre) + len(self.backward)
        state = len(self.state_pre) + len(self.state_post)
        return forward + backward + state + len(self.load_pre) + len(self.load_post)

    @property
    def idle(self) -> bool:
        """Whether no call of a module must heed any of them: all have been removed again."""
        return not (self.forward or self.forward_pre or self.backward or self.backward_pre)

    @property
    def none_left(self) -> bool:
        """Whether all that were registered have been removed."""
        return self.count == 0


class Everywhere:
    """The hooks of all modules."""

    __slots__ = ("hooks",)

    def __init__(self) -> None:
        self.hooks: Hooks | None = None


everywhere = Everywhere()


def add(
    table: Table, function: Any, prepend: bool = False, flags: tuple[set[int], ...] = ()
) -> RemovableHandle:
    """Put a hook into a table, and its number into the sets of ``flags``."""
    if not callable(function):
        raise TypeError(f"a hook must be callable, got {type(function).__name__}")
    handle = RemovableHandle(table)
    table[handle.id] = function
    if prepend:
        table.move_to_end(handle.id, last=False)
    for flag in flags:
        flag.add(handle.id)
    return handle


def add_forward_pre(
    hooks: Hooks, hook: Any, prepend: bool = False, with_kwargs: bool = False
) -> RemovableHandle:
    return add(hooks.forward_pre, hook, prepend, (hooks.with_kwargs,) if with_kwargs else ())


def add_forward(
    hooks: Hooks, hook: Any, prepend: bool, with_kwargs: bool, always_call: bool
) -> RemovableHandle:
    flags = ((hooks.with_kwargs,) if with_kwargs else ()) + (
        (hooks.always_called,) if always_call else ()
    )
    return add(hooks.forward, hook, prepend, flags)


def add_backward(hooks: Hooks, hook: Any, prepend: bool, full: bool, where: str) -> RemovableHandle:
    """Add a backward hook; RuntimeError where there are hooks of the other kind."""
    if hooks.full is not None and hooks.full != full:
        raise RuntimeError(
            f"Cannot use both regular backward hooks and full backward hooks on {where}. Please "
            "use only one of them."
        )
    hooks.full = full
    return add(hooks.backward, hook, prepend)


class Hooked(Tree):
    """Registering hooks and calling a module that has some."""

    _hooks: Hooks | None
    forward: Callable[..., Any]

    def _own_hooks(self) -> Hooks:
        if self._hooks is None:
            self._hooks = Hooks()
        return self._hooks

    @property
    def _forward_pre_hooks(self) -> Table:
        """The hooks by the numbers of their handles, for programs that look there."""
        return self._own_hooks().forward_pre

    @property
    def _forward_hooks(self) -> Table:
        return self._own_hooks().forward

    @property
    def _backward_hooks(self) -> Table:
        return self._own_hooks().backward

    @property
    def _backward_pre_hooks(self) -> Table:
        return self._own_hooks().backward_pre

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before forward; what it returns replaces the arguments.

        It may return one value or a tuple.  With ``with_kwargs`` it is called as
        ``hook(module, args, kwargs)`` and returns None or ``(args, kwargs)``.
        """
        return add_forward_pre(self._own_hooks(), hook, prepend, with_kwargs)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after forward; what it returns replaces the output.

        With ``with_kwargs`` it is called as ``hook(module, args, kwargs, output)``; with
        ``always_call`` also when forward raised (with output None) or another hook did.
        """
        return add_forward(self._own_hooks(), hook, prepend, with_kwargs, always_call)

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` when the gradients of the outputs are there.

        grad_output is a tuple, one entry per output; a tuple that is returned replaces it.
        """
        return add(self._own_hooks().backward_pre, hook, prepend)

    def register_full_backward_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when the inputs' gradients are there.

        Both are tuples over the positional arguments and the outputs of forward, with None for
        what is no Tensor or needs no gradient; a tuple that is returned replaces grad_input.
        """
        return add_backward(self._own_hooks(), hook, prepend, True, "a single Module")

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """The old kind of `register_full_backward_hook`: told the gradients of one node.

        That is the node which made the (first) output, so grad_input has what the operation that
        came last in forward takes, in tensorgrad's order: see docs/differences.md.
        """
        return add_backward(self._own_hooks(), hook, False, False, "a single Module")

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        module = cast("Module", self)
        own, general = self._hooks, everywhere.hooks
        both = [hooks for hooks in (general, own) if hooks is not None]  # those of all come first
        backward = False
        for hooks in both:
            if hooks.backward or hooks.backward_pre:
                backward = True
        called: set[int] = set()
        result: Any = None
        try:
            for hooks in both:
                if hooks.forward_pre:
                    for key, hook in [*hooks.forward_pre.items()]:
                        args, kwargs = _before(module, hook, key in hooks.with_kwargs, args, kwargs)
            watch = None
            if backward and local.context.grad_enabled:
                before = [hook for hooks in both for hook in hooks.backward_pre.values()]
                full = [hook for hooks in both if hooks.full for hook in hooks.backward.values()]
                if before or full:
                    watch = Watch(module, before, full)
                    args = watch.enter(args)
            result = self.forward(*args, **kwargs)
            for hooks in both:
                for key, hook in [*hooks.forward.items()]:
                    called.add(key)
                    words = (kwargs,) if key in hooks.with_kwargs else ()
                    replaced = hook(module, args, *words, result)
                    if replaced is not None:
                        result = replaced
            if watch is not None:
                result = watch.leave(result)
            if backward:
                old = [h for hooks in both if hooks.full is False for h in hooks.backward.values()]
                if old:
                    watch_last_node(module, old, args, result)
            return result
        except Exception:
            for hooks in both:  # an error leaves out what is always to be called
                for key, hook in [*hooks.forward.items()]:
                    if key in hooks.always_called and key not in called:
                        words = (kwargs,) if key in hooks.with_kwargs else ()
                        try:
                            hook(module, args, *words, result)
                        except Exception as error:  # the first error is the one to be seen
                            warn(
                                "module forward hook with ``always_call=True`` raised an exception "
                                "that was silenced as another error was raised in forward: "
                                f"{error}"
                            )
            raise


def _before(
    module: Module,
    hook: Callable[..., Any],
    with_kwargs: bool,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """One forward-pre hook: the arguments it leaves."""
    if not with_kwargs:
        result = hook(module, args)
        if result is None:
            return args, kwargs
        return (result if isinstance(result, tuple) else (result,)), kwargs
    result = hook(module, args, kwargs)
    if result is None:
        return args, kwargs
    if isinstance(result, tuple) and len(result) == 2:
        return result
    raise RuntimeError(
        f"{type(module).__name__}: a forward pre-hook with kwargs must return None or a tuple of "
        f"(new_args, new_kwargs), but got {result!r:.80}"
    )
