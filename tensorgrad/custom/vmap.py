"""`autograd.Function` under vmap: by the user's own rule, or by one derived from its parts."""

from __future__ import annotations

from typing import Any, NamedTuple

from tensorgrad.batching import Batch, Frame
from tensorgrad.batching.mapped import entered, unwrapped, wrapped
from tensorgrad.custom.function import Function, record_function
from tensorgrad.graph.node import TensorBase, edge_of, hook, local

__all__ = ["VmapInfo", "apply_batched"]


class VmapInfo(NamedTuple):
    """What a Function's ``vmap`` is told: how many examples, and how random numbers are drawn."""

    batch_size: int
    randomness: str


def apply_batched(cls: type[Function], args: tuple[Any, ...]) -> Any:
    """The outputs for batched arguments; NotImplemented where none is batched."""
    frames = [a._array.frame for a in args if _is_batched(a)]
    if not frames:
        return NotImplemented
    frame = max(frames, key=lambda f: f.level)
    own_rule = cls.vmap is not Function.vmap
    if own_rule and cls.generate_vmap_rule:
        raise RuntimeError(
            f"You tried to vmap over {cls.__name__}, but it has both generate_vmap_rule=True and "
            "an overriden vmap staticmethod. Please set generate_vmap_rule=False or delete the "
            "overriden vmap staticmethod to avoid ambiguity."
        )
    if not own_rule and not cls.generate_vmap_rule:
        raise RuntimeError(
            f"You tried to vmap over {cls.__name__}, but it does not have vmap support. Please "
            "override and implement the vmap staticmethod or set generate_vmap_rule=True."
        )
    if cls.setup_context is Function.setup_context:
        raise RuntimeError(
            f"{cls.__name__}: In order to use an autograd.Function with functorch transforms "
            "(vmap, grad, jvp, jacrev, ...), it must override the setup_context staticmethod."
        )
    dims = tuple(_dim(a, frame) for a in args)
    physical = [a._array.physical if _is_of(a, frame) else a for a in args]
    if own_rule:
        info = VmapInfo(frame.size, frame.randomness)
        result, out_dims = cls.vmap(info, dims, *physical)
    else:
        result = _derived(cls, frame, dims).apply(*physical)
        out_dims = _like(result, 0)
    outputs = _mapped(result, out_dims, frame)
    edges = tuple(
        edge_of(a) if local.context.grad_enabled and _is_of(a, frame) else None for a in args
    )
    return record_function(cls, args, edges, outputs) if any(edges) else outputs


def _is_batched(value: Any) -> bool:
    return isinstance(getattr(value, "_array", None), Batch)


def _is_of(value: Any, frame: Frame) -> bool:
    return _is_batched(value) and value._array.frame is frame


def _dim(value: Any, frame: Frame) -> int | None:
    return 0 if _is_of(value, frame) and value._array.batched else None


def _like(result: Any, dim: Any) -> Any:
    return tuple(dim for _ in result) if isinstance(result, tuple) else dim


def _mapped(result: Any, dims: Any, frame: Frame) -> Any:
    """Outputs of all examples as those of one; ``dims`` None where they share the value."""
    if isinstance(result, tuple):
        spread = dims if isinstance(dims, tuple) else _like(result, dims)
        return tuple(_mapped(r, d, frame) for r, d in zip(result, spread, strict=True))
    if not isinstance(result, TensorBase) or dims is None:
        return result
    return wrapped(result, dims, frame)


def _derived(cls: type[Function], frame: Frame, dims: tuple[int | None, ...]) -> type[Function]:
    """The Function of all examples: forward and backward of ``cls``, mapped."""

    def inside(values: Any) -> tuple[Any, ...]:
        return tuple(
            wrapped(v, d, frame) if d is not None else v for v, d in zip(values, dims, strict=True)
        )

    class Mapped(Function):
        generate_vmap_rule = True  # for the vmaps around this one

        @staticmethod
        def forward(*args: Any) -> Any:
            with entered(frame):
                result = cls.forward(*inside(args))
            return _unmapped(result, frame)

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
            outs = _mapped(output, _like(output, 0), frame)
            with entered(frame):
                cls.setup_context(ctx, inside(inputs), outs)
            # What was saved is of one example: save that of all, and remember which is which.
            ctx._saved_dims = tuple(_dim(t, frame) for t in ctx._to_save)
            ctx._to_save = tuple(t._array.physical if _is_of(t, frame) else t for t in ctx._to_save)

        @staticmethod
        def backward(ctx: Any, *gradients: Any) -> Any:
            shown = _Shown(ctx, frame)
            with entered(frame):
                given = [g if g is None else wrapped(g, 0, frame) for g in gradients]
                backward = cls.backward if cls.vjp is Function.vjp else cls.vjp
                found = backward(shown, *given)
            found = found if isinstance(found, tuple) else (found,)
            return tuple(
                None if g is None else _summed(g, d, frame)
                for g, d in zip(found, dims, strict=True)
            )

    Mapped.__name__ = Mapped.__qualname__ = cls.__name__
    return Mapped


class _Shown:
    """The ctx of all examples, shown to a backward of one."""

    def __init__(self, ctx: Any, frame: Frame) -> None:
        self._ctx, self._frame = ctx, frame

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        return tuple(
            wrapped(t, d, self._frame) if d is not None and t is not None else t
            for t, d in zip(self._ctx.saved_tensors, self._ctx._saved_dims, strict=True)
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ctx, name)


def _unmapped(result: Any, frame: Frame) -> Any:
    if isinstance(result, tuple):
        return tuple(_unmapped(r, frame) for r in result)
    return unwrapped(result, 0, frame) if isinstance(result, TensorBase) else result


def _summed(gradient: Any, dim: int | None, frame: Frame) -> Any:
    """The gradient of all examples; of what they share, its sum over them."""
    whole = unwrapped(gradient, 0, frame)
    return whole if dim is not None else hook.recorded.sum(whole, axis=(0,), keepdims=False)


hook.function = apply_batched
