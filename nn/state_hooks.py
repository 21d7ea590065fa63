"""Hooks around the reading and writing of a module's state."""

from __future__ import annotations

from typing import Any

from tensorgrad.graph.hooks import RemovableHandle
from tensorgrad.nn.hooks import Hook, Hooked, add

__all__ = ["StateHooked"]


class StateHooked(Hooked):
    """Registering what is called by ``state_dict`` and ``load_state_dict``."""

    def register_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before this module's state is written."""
        return add(self._own_hooks().state_pre, hook)

    def register_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` when it is written.

        The hook may change state_dict in place, which has this module's entries and those of all
        below it (and of what was written before it); it must return None.
        """
        return add(self._own_hooks().state_post, hook)

    def _register_state_dict_hook(self, hook: Hook) -> RemovableHandle:
        """As `register_state_dict_post_hook`, for a hook that may return another dict."""
        hooks = self._own_hooks()
        return add(hooks.state_post, hook, flags=(hooks.may_replace,))

    def register_load_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call a hook before this module's entries are read, which may rename or change them.

        It is called as ``hook(module, state_dict, prefix, local_metadata, strict, missing_keys,
        unexpected_keys, error_msgs)``; what it puts into the lists is reported.
        """
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(
        self, hook: Hook, with_module: bool = False
    ) -> RemovableHandle:
        """As `register_load_state_dict_pre_hook`; without ``with_module`` not told the module."""
        hooks = self._own_hooks()
        return add(hooks.load_pre, hook, flags=(hooks.with_module,) if with_module else ())

    def register_load_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` when this module and all below it are loaded.

        The hook may change the lists missing_keys and unexpected_keys, and so make what strict
        loading would refuse acceptable; it must return None.
        """
        return add(self._own_hooks().load_post, hook)

    def _call_state_pre(self, prefix: str, keep_vars: bool) -> None:
        if self._hooks is not None:
            for hook in list(self._hooks.state_pre.values()):
                hook(self, prefix, keep_vars)

    def _call_state_post(self, state: Any, prefix: str, metadata: dict[str, Any]) -> Any:
        """The state as the hooks leave it."""
        if self._hooks is not None:
            for key, hook in list(self._hooks.state_post.items()):
                replaced = hook(self, state, prefix, metadata)
                if replaced is None:
                    continue
                if key not in self._hooks.may_replace:
                    raise RuntimeError("state_dict post-hook must return None")
                state = replaced
        return state

    def _call_load_pre(self, *arguments: Any) -> None:
        if self._hooks is not None:
            for key, hook in list(self._hooks.load_pre.items()):
                hook(*((self,) if key in self._hooks.with_module else ()), *arguments)

    def _call_load_post(self, incompatible: Any) -> None:
        if self._hooks is not None:
            for hook in list(self._hooks.load_post.values()):
                if hook(self, incompatible) is not None:
                    raise AssertionError(
                        "Hooks registered with register_load_state_dict_post_hook are not expected "
                        "to return new values: incompatible_keys is to be changed in place"
                    )
