"""Hooks of modules: a user's functions called before and after forward, and during backward."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from tensorgrad.custom import Function
from tensorgrad.hooks import RemovableHandle
from tensorgrad.nn.tree import Tree
from tensorgrad.node import local, storage_of
from tensorgrad.tensor import Tensor

if TYPE_CHECKING:
    from tensorgrad.nn.module import Module

__all__ = ["Hooked"]


class Hooks:
    """The hooks of one module, by kind; made when the first one is registered."""

    def __init__(self) -> None:
        # Forward hooks are kept as (function, with_kwargs[, always_call]).
        self.forward_pre: OrderedDict[int, tuple[Callable[..., Any], bool]] = OrderedDict()
        self.forward: OrderedDict[int, tuple[Callable[..., Any], bool, bool]] = OrderedDict()
        self.backward_pre: OrderedDict[int, Callable[..., Any]] = OrderedDict()
        self.backward: OrderedDict[int, Callable[..., Any]] = OrderedDict()


def _add(table: OrderedDict[int, Any], entry: Any, function: Any, prepend: bool) -> RemovableHandle:
    if not callable(function):
        raise TypeError(f"a hook must be callable, got {type(function).__name__}")
    handle = RemovableHandle(table)
    table[handle.id] = entry
    if prepend:
        table.move_to_end(handle.id, last=False)
    return handle


class Hooked(Tree):
    """Registering hooks and calling a module that has some."""

    _hooks: Hooks | None
    forward: Callable[..., Any]

    def _own_hooks(self) -> Hooks:
        if self._hooks is None:
            self._hooks = Hooks()
        return self._hooks

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before forward; what it returns replaces the arguments.

        It may return one value or a tuple.  With ``with_kwargs`` it is called as
        ``hook(module, args, kwargs)`` and returns None or ``(args, kwargs)``.
        """
        return _add(self._own_hooks().forward_pre, (hook, with_kwargs), hook, prepend)

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
        ``always_call`` also (with output None) when forward raised.
        """
        return _add(self._own_hooks().forward, (hook, with_kwargs, always_call), hook, prepend)

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` when the gradients of the outputs are there.

        grad_output is a tuple, one entry per output; a tuple that is returned replaces it.
        """
        return _add(self._own_hooks().backward_pre, hook, hook, prepend)

    def register_full_backward_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when the inputs' gradients are there.

        Both are tuples over the positional arguments and the outputs of forward, with None for
        what is no Tensor or needs no gradient; a tuple that is returned replaces grad_input.
        """
        return _add(self._own_hooks().backward, hook, hook, prepend)

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        module = cast("Module", self)
        hooks = self._own_hooks()
        uncalled = dict(hooks.forward)  # always_call hooks that an error would leave out
        try:
            for hook, with_kwargs in list(hooks.forward_pre.values()):
                args, kwargs = _before(module, hook, with_kwargs, args, kwargs)
            watch = None
            if (hooks.backward or hooks.backward_pre) and local.context.grad_enabled:
                watch = _Watch(
                    module, list(hooks.backward_pre.values()), list(hooks.backward.values())
                )
                args = watch.enter(args)
            result = self.forward(*args, **kwargs)
            for key, (hook, with_kwargs, _) in list(hooks.forward.items()):
                uncalled.pop(key, None)
                words = (kwargs,) if with_kwargs else ()
                replaced = hook(module, args, *words, result)
                if replaced is not None:
                    result = replaced
            return result if watch is None else watch.leave(result)
        except Exception:
            for hook, with_kwargs, always_call in uncalled.values():
                if always_call:
                    words = (kwargs,) if with_kwargs else ()
                    hook(module, args, *words, None)
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


class _Through(Function):
    """The identity on several tensors at once: one node through which all their gradients pass."""

    @staticmethod
    def forward(ctx: Any, *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        return tensors

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return gradients


class _Watch:
    """The backward hooks of one call: identities around forward tell them both gradients.

    A plain tensor hook on inputs and outputs would not do: an input that is used elsewhere too
    has a gradient that is not this module's alone.
    """

    def __init__(self, module: Module, before: list[Any], after: list[Any]) -> None:
        self.module, self.before, self.after = module, before, after
        self.grad_output: tuple[Any, ...] = ()
        self.inputs_watched = False
        self.count = 0

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Pass the arguments that are Tensors through an identity whose gradients are seen."""
        self.count = len(args)
        places = [i for i, a in enumerate(args) if isinstance(a, Tensor)]
        args, node = _pass_through(args, places)
        if node is not None and self.after:
            self.inputs_watched = True

            def arrived(grad_inputs: tuple[Any, ...], _: Any) -> tuple[Any, ...] | None:
                spread: list[Any] = [None] * self.count
                for place, gradient in zip(places, grad_inputs, strict=True):
                    spread[place] = gradient
                found = self._tell(tuple(spread))
                return None if found is None else tuple(found[place] for place in places)

            node.register_hook(arrived)
        return args

    def leave(self, result: Any) -> Any:
        """Pass the outputs that are Tensors through an identity whose gradients are seen."""
        several = isinstance(result, (tuple, list))
        outputs = tuple(result) if several else (result,)
        places = [i for i, out in enumerate(outputs) if isinstance(out, Tensor)]
        watched, node = _pass_through(outputs, places)
        if node is None:
            return result

        def arrived(gradients: tuple[Any, ...]) -> tuple[Any, ...] | None:
            spread: list[Any] = [None] * len(outputs)
            for place, gradient in zip(places, gradients, strict=True):
                spread[place] = gradient
            current = tuple(spread)
            for hook in self.before:
                changed = hook(self.module, current)
                if changed is not None:
                    current = _same_length("full_backward_pre_hook", changed, current)
            self.grad_output = current
            if self.after and not self.inputs_watched:
                self._tell((None,) * self.count)
            return tuple(current[place] for place in places)

        node.register_prehook(arrived)
        if not several:
            return watched[0]
        if isinstance(result, tuple) and hasattr(result, "_fields"):
            return type(result)(*watched)
        return type(result)(watched)

    def _tell(self, grad_input: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Call the backward hooks; the gradients they put in place of the inputs', if any."""
        changed = False
        for hook in self.after:
            found = hook(self.module, grad_input, self.grad_output)
            if found is not None:
                grad_input = _same_length("full_backward_hook", found, grad_input)
                changed = True
        return grad_input if changed else None


def _same_length(name: str, found: Any, expected: tuple[Any, ...]) -> tuple[Any, ...]:
    given: tuple[Any, ...] = found if isinstance(found, tuple) else (found,)
    if len(given) != len(expected):
        raise RuntimeError(
            f"{name} returned {len(given)} gradients, but expected {len(expected)}: one per "
            "argument or output of the module"
        )
    return given


def _pass_through(values: tuple[Any, ...], places: list[int]) -> tuple[tuple[Any, ...], Any]:
    """The values with those at ``places`` passed through one identity node, and that node."""
    tensors = [values[i] for i in places]
    if not any(t.requires_grad for t in tensors):
        return values, None
    passed = _Through.apply(*tensors)
    made = list(values)
    node = None
    for i, before, after in zip(places, tensors, passed, strict=True):
        # One memory, one version: a write to either must be seen by nodes that saved it.
        after._storage = storage_of(before)
        if before.dtype.is_floating_point or before.dtype.is_complex:
            made[i] = after
            node = after.grad_fn
    return tuple(made), node
