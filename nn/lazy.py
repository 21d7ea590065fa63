"""What modules share that learn the shapes of their parameters from their first input."""

from __future__ import annotations

from typing import Any

from tensorgrad.graph.hooks import RemovableHandle
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import is_lazy

__all__ = ["LazyModuleMixin"]


class LazyModuleMixin(Module):
    """Comes first among the bases of a lazy module.

    Such a module sets `UninitializedParameter`s and `UninitializedBuffer`s, and overrides
    ``initialize_parameters``, which is called with the arguments of the first call (or by a state
    that is loaded) and materializes them.  Then the module becomes a plain ``cls_to_become``.
    """

    cls_to_become: type[Module] | None = None
    _initialize_hook: RemovableHandle
    _load_hook: RemovableHandle

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._load_hook = self._register_load_state_dict_pre_hook(self._lazy_load_hook)
        self._initialize_hook = self.register_forward_pre_hook(
            self._infer_parameters, with_kwargs=True
        )

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Materialize what is uninitialized by the arguments of forward; a subclass defines it."""
        raise NotImplementedError(
            f"initialize_parameters is not implemented for {type(self).__name__}"
        )

    def has_uninitialized_params(self) -> bool:
        """Whether any parameter or buffer of this module alone has no shape yet."""
        return any(is_lazy(t) for t in (*self._parameters.values(), *self._buffers.values()))

    def _lazy_load_hook(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        """Give what is uninitialized the shapes of the state that is loaded."""
        for name, tensor in (*self._parameters.items(), *self._buffers.items()):
            given = state_dict.get(prefix + name)
            if is_lazy(tensor) and given is not None and not is_lazy(given):
                tensor.materialize(given.shape)  # type: ignore[union-attr]

    def _infer_parameters(
        self, module: LazyModuleMixin, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """The forward pre-hook: initialize, and be lazy no longer."""
        module.initialize_parameters(*args, **kwargs)
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {module._get_name()} has not been fully initialized")
        module._initialize_hook.remove()
        module._load_hook.remove()
        del module._initialize_hook, module._load_hook
        if module._hooks is not None and module._hooks.none_left:
            module._hooks = None  # calls take the short way again
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become  # type: ignore[assignment]
