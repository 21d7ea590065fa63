"""Functions called around an optimizer's step, state_dict and load_state_dict."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from tensorgrad.hooks import RemovableHandle, add_hook

if TYPE_CHECKING:
    from tensorgrad.optim.optimizer import Optimizer

__all__ = [
    "HookTables",
    "register_optimizer_step_post_hook",
    "register_optimizer_step_pre_hook",
    "with_step_hooks",
]

StateDict: TypeAlias = dict[str, Any]
PreHook: TypeAlias = Callable[..., Any]  # (args, kwargs) or None; checked when it returns
PostHook: TypeAlias = Callable[..., None]

# Hooks on the steps of every optimizer.
_every_pre: OrderedDict[int, PreHook] = OrderedDict()
_every_post: OrderedDict[int, PostHook] = OrderedDict()


def register_optimizer_step_pre_hook(hook: PreHook) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` before each step of every optimizer.

    args: those of ``step`` as a function, so the optimizer is the first, as in PyTorch.  The hook
    may return ``(args, kwargs)`` to be used instead.
    """
    return add_hook(_every_pre, hook)


def register_optimizer_step_post_hook(hook: PostHook) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` after each step of every optimizer."""
    return add_hook(_every_post, hook)


class HookTables:
    """The hooks of one optimizer; they are not part of its state and do not survive a pickle."""

    def _make_hook_tables(self) -> None:
        self._step_pre: OrderedDict[int, PreHook] = OrderedDict()
        self._step_post: OrderedDict[int, PostHook] = OrderedDict()
        self._save_pre: OrderedDict[int, Callable[..., None]] = OrderedDict()
        self._save_post: OrderedDict[int, Callable[..., StateDict | None]] = OrderedDict()
        self._load_pre: OrderedDict[int, Callable[..., StateDict | None]] = OrderedDict()
        self._load_post: OrderedDict[int, Callable[..., None]] = OrderedDict()
        self._stepping = False

    def register_step_pre_hook(self, hook: PreHook) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step; it may return new ones."""
        return add_hook(self._step_pre, hook)

    def register_step_post_hook(self, hook: PostHook) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return add_hook(self._step_post, hook)

    def register_state_dict_pre_hook(
        self, hook: Callable[..., None], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer)`` before `state_dict`; ``prepend`` puts it before the others."""
        return _add(self._save_pre, hook, prepend)

    def register_state_dict_post_hook(
        self, hook: Callable[..., StateDict | None], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` after `state_dict`; it may return another dict."""
        return _add(self._save_post, hook, prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Callable[..., StateDict | None], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` before loading; it may return another dict."""
        return _add(self._load_pre, hook, prepend)

    def register_load_state_dict_post_hook(
        self, hook: Callable[..., None], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer)`` after loading."""
        return _add(self._load_post, hook, prepend)


def _add(table: OrderedDict[int, Any], hook: Any, prepend: bool) -> RemovableHandle:
    handle = add_hook(table, hook)
    if prepend:
        table.move_to_end(handle.id, last=False)
    return handle


def with_step_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """``step`` with the hooks around it, and a note for schedulers that it was called.

    Where a subclass's step calls its parent's, the hooks run once, around the outer one.
    """

    @functools.wraps(step)
    def hooked(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        self._opt_called = True
        if self._stepping or not (self._step_pre or self._step_post or _every_pre or _every_post):
            return step(self, *args, **kwargs)
        self._stepping = True
        args = (self, *args)
        try:
            for before in (*_every_pre.values(), *self._step_pre.values()):
                changed = before(self, args, kwargs)
                if changed is None:
                    continue
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError(
                        f"{type(self).__name__}.step: a pre hook must return None or a tuple of "
                        f"(new_args, new_kwargs), but got {changed!r}"
                    )
                args, kwargs = changed
            result = step(*args, **kwargs)
            for after in (*self._step_post.values(), *_every_post.values()):
                after(self, args, kwargs)
        finally:
            self._stepping = False
        return result

    return hooked
