"""Functions called around an optimizer's step, state_dict and load_state_dict."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from tensorgrad.graph.hooks import RemovableHandle, add_hook

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


class Appointment:
    """Hooks that are called around one step, once: a Monitor's, which looks at every tenth.

    step: the number of the step, as the optimizer's ``_begun`` counts them from 1.  If it fails,
    the next one is taken.  What ``before`` returns is not heeded.
    """

    __slots__ = ("after", "before", "step")

    def __init__(self, step: int, before: PreHook | None, after: PostHook) -> None:
        self.step, self.before, self.after = step, before, after


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
        self._begun = 0  # how many steps were begun
        self._appointments: list[Appointment] = []
        self._next = 0  # the step of the first of them; 0, which no step is, without any

    def _expect(self, appointment: Appointment) -> None:
        """Keep an appointment, after the hooks of the step; all others cost nothing for it."""
        if appointment.step <= self._begun:
            appointment.step = self._begun + 1
        self._appointments.append(appointment)
        if not self._next or appointment.step < self._next:
            self._next = appointment.step

    def _call_off(self, appointment: Appointment) -> None:
        """The appointment is not kept, if it was not yet."""
        self._appointments = [one for one in self._appointments if one is not appointment]
        self._next = min([one.step for one in self._appointments], default=0)

    def _due(self) -> list[Appointment]:
        """The appointments with the step that begins now; they are no longer in the list."""
        due, self._appointments, self._next = self._appointments, [], 0
        if len(due) > 1:
            self._appointments = [one for one in due if one.step > self._begun]
            self._next = min([one.step for one in self._appointments], default=0)
            due = [one for one in due if one.step <= self._begun]
        return due

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
        if self._stepping:
            return step(self, *args, **kwargs)
        self._opt_called = self._stepping = True
        self._begun += 1
        due: list[Appointment] = []
        try:
            if self._begun == self._next:
                due = self._due()
            elif not (self._step_pre or self._step_post or _every_pre or _every_post):
                return step(self, *args, **kwargs)
            args = (self, *args)
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
            for one in due:
                if one.before is not None:
                    one.before(self, args, kwargs)
            result = step(*args, **kwargs)
            for after in self._step_post.values():
                after(self, args, kwargs)
            while due:
                due.pop(0).after(self, args, kwargs)
            for after in _every_post.values():
                after(self, args, kwargs)
        finally:
            self._stepping = False
            for one in due:  # the step failed
                self._expect(one)
        return result

    return hooked
