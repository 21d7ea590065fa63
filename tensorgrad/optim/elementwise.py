"""The step of optimizers whose rule treats every element alike, run on raw arrays in place.

A subclass names the arrays it keeps for each parameter, the constants of a step, and one rule
that updates a parameter from them.  Everything else is here: state, layouts, complex numbers,
scratch space and chunks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from threading import get_ident
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy import ndarray

from tensorgrad.autograd import enable_grad
from tensorgrad.dtypes import default_float
from tensorgrad.errors import describe
from tensorgrad.graph.node import accumulator, storage_of, wrap
from tensorgrad.graph.node import number as number_of_node
from tensorgrad.graph.provenance import caller
from tensorgrad.graph.storages import SAVED, note_stamp
from tensorgrad.machine.threads import split
from tensorgrad.optim.optimizer import Optimizer, ParamsT
from tensorgrad.tensor import Tensor

__all__ = ["Array", "ElementwiseOptimizer", "Rule", "array0", "descent"]

Array: TypeAlias = ndarray[Any, Any]

# rule(p, g, kept, constants, s, t) updates the parameter p and the kept arrays in place from the
# gradient g, which it must not write.  s and t are scratch of their shape.
Rule: TypeAlias = Callable[[Array, Array, tuple[Array, ...], Any, Array, Array], None]


class _Plan:
    """What is the same at each step of a parameter, as long as it has the same array.

    Not a tuple: Python finds a slot sooner than a part by name or by number.
    """

    __slots__ = ("array", "dtype", "edge", "scratch", "shape")

    def __init__(self, p: Tensor, scratch: tuple[Array, Array] | None) -> None:
        self.array = p._array
        self.shape, self.dtype = p._array.shape, p._array.dtype
        self.scratch = scratch  # None of what is not small or not real
        self.edge = accumulator(p)  # while nobody holds it every step makes it anew


# Beyond 2 * CHUNK bytes an array is updated in pieces of CHUNK bytes, which stay in a core's own
# cache from one line of the rule to the next: Adam on a million float32 takes 1.8 ms so, 3.3 ms
# with whole arrays. 64 KiB and 512 KiB were slower.
CHUNK = 1 << 18
# From this size in bytes on several threads take a part each, in larger pieces, so that they wait
# for the interpreter less often: Adam on 9.2 million float32 takes 15.5 ms on one thread, on two
# 9.7 ms in pieces of CHUNK and 9.1 of twice that, with memory near its limit.
SPLIT = 1 << 20


def array0(dtype: np.dtype[Any], value: float) -> Array:
    """A constant as ufuncs take it fastest: a 0-d array of the parameter's own dtype.

    A Python float would do the same sums in the same precision but is converted at each call,
    half as much again for a small parameter.
    """
    return np.array(value, dtype)


def descent(p: Array, g: Array, negate: bool, decay: Array | None, s: Array, t: Array) -> Array:
    """The gradient, negated to climb, with the decay added: ``g`` itself, or ``t``."""
    if negate:
        g = np.negative(g, t)
    if decay is not None:
        np.multiply(p, decay, s)
        g = np.add(g, s, t)
    return g


class ElementwiseOptimizer(Optimizer):
    """An `Optimizer` whose step is one elementwise rule, applied to each parameter's array."""

    _rule: ClassVar[Rule]
    # Whether state["step"] counts the steps of each parameter.
    _counts: ClassVar[bool] = True
    # Up to so many bytes the rule is called on a parameter's array as it lies, without `_run`.
    _small: ClassVar[int] = 2 * CHUNK
    # Options that older state dicts do not have, with what they meant.
    _later: ClassVar[dict[str, Any]] = {}

    def __init__(self, params: ParamsT, defaults: dict[str, Any]) -> None:
        self._scratches: dict[Any, Any] = {}
        self._plans: dict[int, _Plan] = {}
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        """The names of the arrays of a parameter's shape that are kept in its state."""
        raise NotImplementedError

    def _constants(self, group: dict[str, Any], dtype: np.dtype[Any], step: int) -> Any:
        """What the rule needs besides arrays; ``step`` is 1 at a parameter's first step."""
        raise NotImplementedError

    def _constants_of(
        self, group: dict[str, Any], dtype: np.dtype[Any], step: int, state: dict[str, Any]
    ) -> Any:
        """`_constants` of optimizers with ``_numbers`` in the state; it may write them."""
        raise NotImplementedError

    def _first(self, group: dict[str, Any], name: str, p: Array) -> Array:
        """What a kept array, or one of ``_numbers``, is before the first step."""
        return np.zeros_like(p)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step with the gradients in ``.grad``; parameters without one are left alone.

        closure: computes the loss anew, calls ``backward`` and returns the loss, which `step`
        returns.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        # All parameters are written at once, by the line that called step().
        stamp, writer = number_of_node(), caller(1)
        note_stamp(stamp)
        plans, rule = self._plans, type(self)._rule
        # Whether the second step of a parameter is as all later ones.
        even = not (self._counts or self._numbers)
        for group in self.param_groups:
            names = self._kept(group)
            latest: list[Any] = [None, 0, None]  # constants are mostly those of the one before
            kind = constants = None  # and of those that are updated here
            kept: Any = ()
            for p in group["params"]:
                grad = p._grad
                if grad is None:
                    continue
                g = grad._array
                plan = plans.get(id(p)) if even else None
                if (
                    plan is None
                    or plan.array is not p._array
                    or plan.scratch is None
                    or g.shape != plan.shape
                    or (names and (kept := self._as_before(p, names)) is None)
                ):
                    self._update(group, names, p, g, latest)
                else:  # as _update would do it; many parameters are small
                    if plan.dtype is not kind:
                        kind = plan.dtype
                        constants = self._constants(group, kind, 2)
                    s, t = plan.scratch
                    rule(plan.array, g, kept, constants, s, t)
                storage = p._held  # as in _bump
                if storage is None or storage is SAVED:
                    storage = storage_of(p)
                storage.version += 1
                storage.stamp, storage.writer = stamp, writer
        return loss

    def _as_before(self, p: Tensor, names: tuple[str, ...]) -> tuple[Array, ...] | None:
        """The kept arrays of a parameter; None if one is missing, or somebody has seen one."""
        state, kept = self.state.get(p), []
        if state is None:
            return None
        for name in names:
            tensor = state.get(name)
            if tensor is None or tensor._held is not None:
                return None
            kept.append(tensor._array)
        return tuple(kept)

    def _update(
        self, group: dict[str, Any], names: tuple[str, ...], p: Tensor, g: Array, latest: list[Any]
    ) -> None:
        array = p._array
        plan = self._plans.get(id(p))
        if plan is None or plan.array is not array:
            plan = self._plans[id(p)] = self._plan(p)
        dtype, scratch = plan.dtype, plan.scratch
        if g.shape != plan.shape:
            raise RuntimeError(
                f"{type(self).__name__}.step: the gradient is {describe(g)}, its parameter "
                f"{describe(p)}; their shapes must be the same"
            )
        kept: tuple[Array, ...] = ()
        step = 0
        if names or self._counts:
            state = self.state[p]
            step, kept = self._advance(group, p, state, names)
        if self._numbers:
            latest[2] = self._constants_of(group, array.real.dtype, step, state)
        elif latest[0] is not dtype or latest[1] != step:
            latest[:] = dtype, step, self._constants(group, array.real.dtype, step)
        if scratch is not None:
            type(self)._rule(array, g, kept, latest[2], *scratch)
        elif dtype.kind == "c":
            # Real and imaginary parts are updated as separate real numbers, as in PyTorch.
            self._run(array.real, g.real, tuple(a.real for a in kept), latest[2])
            self._run(array.imag, g.imag, tuple(a.imag for a in kept), latest[2])
        else:
            self._run(array, g, kept, latest[2])
        for name in names:
            tensor = state[name]
            if tensor._held is not None:  # somebody has seen it
                tensor._bump()

    def _plan(self, p: Tensor) -> _Plan:
        array = p._array
        small = array.dtype.kind != "c" and array.nbytes <= self._small
        return _Plan(p, self._scratch(array.shape, array.dtype) if small else None)

    def _advance(
        self, group: dict[str, Any], p: Tensor, state: dict[str, Any], names: tuple[str, ...]
    ) -> tuple[int, tuple[Array, ...]]:
        """The number of the parameter's step, from 1, and its kept arrays, made when missing."""
        fresh = False
        if self._counts and "step" not in state:
            state["step"] = wrap(np.zeros((), default_float()))
            for name in self._numbers:
                state[name] = wrap(self._first(group, name, p._array))
            fresh = True
        for name in names:
            if state.get(name) is None:
                if self._counts and not fresh:
                    raise RuntimeError(
                        f"{type(self).__name__}.step: the state of a parameter, {describe(p)}, "
                        f"has no {name!r}: it was saved with other options, or an option of its "
                        "group was changed; start again with state.clear()"
                    )
                state[name] = wrap(self._first(group, name, p._array))
                fresh = True
        kept = tuple([state[name]._array for name in names])
        if not self._counts:
            return (1 if fresh else 2), kept
        counter = state["step"]._array
        np.add(counter, 1, out=counter)
        return int(counter), kept

    # --- Arrays ----------------------------------------------------------------------------------

    def _run(self, p: Array, g: Array, kept: tuple[Array, ...], constants: Any) -> None:
        """Apply the rule to arrays of any layout, in chunks where they are large."""
        rule = type(self)._rule
        if p.nbytes <= 2 * CHUNK:
            rule(p, g, kept, constants, *self._scratch(p.shape, p.dtype))
            return
        if not p.flags.c_contiguous and p.flags.f_contiguous:
            p, g, kept = p.T, g.T, tuple([a.T for a in kept])
        if not all(a.flags.c_contiguous for a in (p, *kept)):
            # Rare: a parameter that is a strided view. Reshaping it would copy, so no chunks.
            rule(p, g, kept, constants, np.empty_like(p), np.empty_like(p))
            return
        p, g, kept = p.reshape(-1), g.reshape(-1), tuple([a.reshape(-1) for a in kept])
        large = p.nbytes >= SPLIT
        length = (2 * CHUNK if large else CHUNK) // p.itemsize

        def work(first: int, last: int) -> None:
            key = p.dtype, length, get_ident()  # each thread's own
            found = self._scratches.get(key)
            if found is None:
                found = self._scratches[key] = np.empty((2, length), p.dtype)
            s, t = found
            for i in range(first, last, length):
                j = min(i + length, last)
                n = j - i
                rule(p[i:j], g[i:j], tuple([a[i:j] for a in kept]), constants, s[:n], t[:n])

        split(work, p.size, large)

    def _scratch(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[Array, Array]:
        """Two arrays to write into, the same memory each time for all shapes."""
        found: tuple[Array, Array] | None = self._scratches.get((shape, dtype))
        if found is None:
            flat = self._scratches.get(dtype)
            if flat is None:
                size = 2 * CHUNK // dtype.itemsize
                flat = self._scratches[dtype] = np.empty(size, dtype), np.empty(size, dtype)
            n = math.prod(shape)
            found = flat[0][:n].reshape(shape), flat[1][:n].reshape(shape)
            self._scratches[shape, dtype] = found
        return found

    # --- State -----------------------------------------------------------------------------------

    def _check_loaded(self, loaded: dict[str, Any]) -> None:
        for group in loaded["param_groups"]:
            names = self._kept(group)
            for p in group["params"]:
                state = loaded["state"].get(p)
                if not state:
                    continue
                for name in names:
                    value = state.get(name)
                    if value is None and not self._counts:
                        continue
                    if not isinstance(value, Tensor) or value._array.shape != p._array.shape:
                        raise ValueError(
                            f"{type(self).__name__}.load_state_dict: the saved {name!r} of a "
                            f"parameter, {describe(p)}, is {describe(value)}; "
                            f"{type(self).__name__} needs a tensor of the same shape. Is it the "
                            "state of the same optimizer and model?"
                        )
                for name in self._numbers:
                    if name not in state:
                        raise ValueError(
                            f"{type(self).__name__}.load_state_dict: the saved state of a "
                            f"parameter, {describe(p)}, has no {name!r}; it has {list(state)}. "
                            "Is it the state of the same optimizer?"
                        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._scratches, self._plans = {}, {}
        for group in self.param_groups:
            for option, value in self._later.items():
                group.setdefault(option, value)
        for values in self.state.values():
            for name in ("step", *self._numbers):
                # Old PyTorch's state has plain numbers here.
                if isinstance(values, dict) and isinstance(values.get(name), (int, float)):
                    values[name] = wrap(np.array(values[name], default_float()))
