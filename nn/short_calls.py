"""Short ways through the layers that run nobody else's code, alone and in a `Sequential`.

A small layer's time is mostly the module's call, the checks of its function and the Tensor around
its result.  So a layer may declare, beside its forward, the rule that computes the same on the
array alone, for calls under `no_grad`::

    @on_arrays(_tanh)
    def forward(self, input): ...

A rule is called as ``rule(module, x, own)`` with an array of float32 or float64 (of integers, if it
was declared so) in any order, which it may write if ``own`` says so; it returns an array (or, of a
layer with several results, the tuple of Tensors that the forward would), or None where the forward
must be called.  What a rule raises is not shown: the forward will say what is wrong.  Rules run no
code of the user's.

A rule belongs to the function that it stands beside.  So a subclass with a forward of its own, a
function put in the forward's place, and an instance that was given one have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from numpy import ascontiguousarray, ndarray

from tensorgrad.graph.node import Scope, TensorBase, local, wrap
from tensorgrad.graph.provenance import caller
from tensorgrad.kernels import bounds
from tensorgrad.machine.constants import float32, float64
from tensorgrad.nn.hooks import Hooks, everywhere
from tensorgrad.ops.rectified_convolution import rectified

if TYPE_CHECKING:
    from tensorgrad.nn.module import Module

__all__ = [
    "RULES",
    "SEQUENCES",
    "Layer",
    "Rest",
    "before_relu",
    "called",
    "in_turn",
    "of_maxima",
    "on_arrays",
    "recorded",
    "through",
    "unrecorded",
]

Rule = Callable[[Any, Any, bool], Any]
OnTensor = Callable[[Any, Any], Any]


class Layer(NamedTuple):
    """What is declared of a forward: what it computes on arrays, and what it records."""

    arrays: Any  # a Rule; None where there is none
    tensors: OnTensor
    integers: bool = False  # whether the rule takes those, and nothing else
    rectified: OnTensor | None = None  # what it records together with the ReLU behind it


Forward = TypeVar("Forward", bound=Callable[..., Any])

RULES: dict[Any, Layer] = {}  # by the function of the forward
SEQUENCES: set[Any] = set()  # functions of forwards that are `in_turn`

_RISING: set[Callable[..., Any]] = set()
_MAXIMA: set[Callable[..., Any]] = set()


def on_arrays(
    rule: Rule, on_tensor: OnTensor | None = None, rising: bool = False, integers: bool = False
) -> Callable[[Forward], Forward]:
    """Declare what the decorated forward computes on arrays.

    on_tensor: on (module, Tensor) what the forward records, without its checks; it may raise, as a
    rule may, but not return None.  rising: number by number, a larger result of a larger number, or
    the same one, exactly.  integers: the input is an array of integers.
    """

    def declare(forward: Forward) -> Forward:
        RULES[forward] = Layer(rule, on_tensor or forward, integers)
        if rising:
            _RISING.add(forward)
        return forward

    return declare


def of_maxima(forward: Forward) -> Forward:
    """Declare that the decorated forward takes the largest numbers of its input, and no more."""
    _MAXIMA.add(forward)
    return forward


def in_turn(forward: Forward) -> Forward:
    """Declare that the decorated forward calls the children one by one; it takes a `Rest`, too."""
    SEQUENCES.add(forward)
    return forward


def before_relu(on_tensor: OnTensor) -> Callable[[Forward], Forward]:
    """Declare what a forward with a rule and the ReLU behind it give together, recorded as the
    forward alone; the ReLU then only passes it on.  None where no kernel gives both at once.
    """

    def declare(forward: Forward) -> Forward:
        RULES[forward] = RULES[forward]._replace(rectified=on_tensor)
        return forward

    return declare


_DONE = Layer(None, lambda module, x: rectified(x))


def called(module: Module, layer: Layer, value: Any) -> Any:
    """What a module without hooks gives for a value, as a Tensor; None if it must be called."""
    if not isinstance(value, TensorBase):
        return None
    array = value._array
    if type(array) is not ndarray:
        return None
    kind = array.dtype
    if kind is float32 or kind is float64:
        if layer.integers:
            return None
    elif not layer.integers or kind.kind not in "iu":
        return None
    try:
        found = layer.arrays(module, array, False)
    except Exception:
        return None
    if type(found) is ndarray and (found.flags.c_contiguous or found.ndim != 2):
        return wrap(found)
    return found if found is None or type(found) is tuple else _tensor(found)


class Rest:
    """What is left of a walk through modules: the value now, and those still to be called."""

    __slots__ = ("modules", "value")

    def __init__(self, modules: Iterator[Any], value: Any) -> None:
        self.modules, self.value = modules, value


def through(modules: Iterable[Any], value: Any) -> Any:
    """The value through modules, one after the other, as far as their rules go; then `Rest`.

    Between rules only arrays are made, and each works in the memory that the one before allocated.
    Nothing of it can be seen from outside, so a `Sequential` needs no scope for it: 0.8 us.
    """
    array = _array(value)  # what the value is now, if that can be on arrays
    own = False
    if array is not None and array.ndim > 2:
        modules = order = [*modules]
        for i in range(len(order) - 1):
            if _may_wait(order[i], order[i + 1]):
                order[i : i + 2] = order[i + 1], order[i]
    modules, rule_of = iter(modules), RULES.get
    for module in modules:
        if array is not None and module is not None:
            layer = rule_of(module.__class__.forward)
            state = module.__dict__
            hooks = state["_hooks"]
            if layer is not None and (hooks is None or hooks.idle) and "forward" not in state:
                try:
                    found = layer.arrays(module, array, own)
                except Exception:
                    found = None
                if found is not None:
                    state["_calls"] += 1
                    if found.__class__ is tuple:
                        array, own, value = None, False, found
                    else:
                        array, own = found, True
                    continue
        return Rest(chain((module,), modules), _tensor(array) if own else value)
    return _tensor(array) if own else value


def unrecorded(modules: Iterable[Any], value: Any) -> Any:
    """The value through modules, one after the other: by their rules, and by calls."""
    if _watched() or local.context.dispatch:
        for module in modules:
            value = module(value)
        return value
    found = through(modules, value)
    while found.__class__ is Rest:
        value = next(found.modules)(found.value)
        found = through(found.modules, value)
    return found


def _may_wait(rising: Any, pooling: Any) -> bool:
    """Whether a function may come after the max pooling that follows it.

    The largest of rectified numbers is the rectified largest one, and there are fewer of those.
    """
    if rising is None or type(rising).forward not in _RISING:
        return False
    if pooling is None or type(pooling).forward not in _MAXIMA:
        return False
    first, second = rising.__dict__, pooling.__dict__
    if not (_unhooked(first) and _unhooked(second)) or first["inplace"]:
        return False
    return not ("forward" in first or "forward" in second or second["return_indices"])


def _relu_follows(modules: dict[str, Any], name: str) -> bool:
    """Whether nobody observes, and the module after the named one is a ReLU and nothing else."""
    context, names = local.context, [*modules]
    place = names.index(name) + 1
    if context.on_forward or context.dispatch or place == len(names):
        return False
    module = modules[names[place]]
    if module is None or type(module).__dict__.get("forward") not in _RISING:
        return False
    state = module.__dict__
    return _unhooked(state) and "forward" not in state and not state["inplace"]


def recorded(modules: dict[str, Any], value: Any) -> Any:
    """The value through modules by name, one after the other, where operations are recorded.

    Layers with rules run no code of the user's, so the line that calls the first of them is looked
    up once and stands for all.
    """
    if _watched():
        for module in modules.values():
            value = module(value)
        return value
    context = local.context
    outer, place = context.scope, None
    ready = False  # whether the value is a convolution's, and holds what the ReLU after it gives
    bounded = False  # whether something may be known of the value's numbers
    try:
        for name, module in modules.items():
            # One that inherits its forward may have a property, a user's, in a weight's place.
            kind = module.__class__
            layer = _DONE if ready else RULES.get(kind.__dict__.get("forward"))
            if layer is not None and isinstance(value, TensorBase):
                state = module.__dict__
                hooks = state["_hooks"]
                if (
                    (hooks is None or hooks.idle)
                    and "forward" not in state
                    and ((dtype := value._array.dtype) is float32 or dtype is float64)
                ):
                    context.scope = scope = Scope()  # as in Module.__call__
                    scope.parent, scope.name, scope.cls = outer, name, kind.__name__
                    scope.call = call = state["_calls"]
                    scope.owner = id(module)
                    if place is None:
                        place = caller(2)
                    context.place = place
                    found, ready = None, False
                    try:
                        if layer.rectified is not None and _relu_follows(modules, name):
                            bounded = True
                            found = layer.rectified(module, value)
                            ready = found is not None  # else no kernel computes both at once
                        if found is None:
                            found = layer.tensors(module, value)
                    except Exception:
                        found = None  # the module will say what is wrong
                    if found is not None:
                        state["_calls"] = call + 1
                        value, found = found, None  # a rule may ask whether somebody else has it
                        continue
            if bounded:
                bounds.forget()
            ready = bounded = False
            context.scope, context.place = outer, None
            value = module(value)
    finally:
        context.scope, context.place = outer, None
        if bounded:
            bounds.forget()
    return value


def _watched() -> bool:
    """Whether there are hooks of all modules."""
    hooks = everywhere.hooks
    return not (hooks is None or hooks.idle)


def _unhooked(state: dict[str, Any]) -> bool:
    """Whether a module, of this state, has no hooks that a call of it must heed."""
    hooks: Hooks | None = state["_hooks"]
    return hooks is None or hooks.idle


def _array(value: Any) -> Any:
    """A Tensor's array, if it has numbers that rules take; None of anything else."""
    if isinstance(value, TensorBase):
        array = value._array
        if type(array) is ndarray and (array.dtype is float32 or array.dtype is float64):
            return array
    return None


def _tensor(array: Any) -> Any:
    """The Tensor of a rule's result: a matrix in C order, images as they lie."""
    if array.ndim == 2 and not array.flags.c_contiguous:
        array = ascontiguousarray(array)
    return wrap(array)
