"""The two recorders that nearly every operation goes through, written for speed.

They do what `tensorgrad.recording.general` does, which is the one to read, for operations of one
argument (with parameters) and of two (without), and they take three short cuts:

- float32 and float64 go straight to the primitive's ``ufunc``, where it has one, or to Python's
  operator for it, which NumPy answers in four fifths of the time;
- a Python number beside such an array is a 0-d array kept from last time, which costs a ufunc half
  of what converting the number does.  What is saved is the number itself;
- where nothing has to be saved, a node has no tuple of saved arrays, and the walk takes the edges;
- a shape that an input's node knows already is not asked of an array, which makes a new tuple.

Everything else (promotion, NumPy's arrays, errors) is the general one's code.  A test compares the
nodes that both make.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from operator import add, mul, neg, sub, truediv
from typing import TYPE_CHECKING, Any, TypeVar

from numpy import asarray, ndarray

from tensorgrad.graph.node import (
    ONE,
    Node,
    Spec,
    TensorBase,
    accumulator,
    edge_of,
    hook,
    local,
    mark_inference,
    new,
    numbers,
)
from tensorgrad.graph.provenance import caller, outside
from tensorgrad.graph.storages import BY_ARRAY, SAVED, InferenceStorage, inference_saved
from tensorgrad.machine.blocks import ROOMY, spread
from tensorgrad.machine.constants import constant, doubles, float32, float64, singles
from tensorgrad.promotion import promote
from tensorgrad.recording.general import (
    as_operand,
    as_view,
    brought_together,
    failed,
    general,
    watch,
)
from tensorgrad.recording.ternary import ternary
from tensorgrad.recording.viewing import viewing

if TYPE_CHECKING:
    from tensorgrad.primitive import Primitive

__all__ = ["OPERATORS", "binary", "operator", "recorder", "unary"]

Method = TypeVar("Method", bound=Callable[..., Any])

_frame = sys._getframe
# What computes as the ufunc of the primitive does, but sooner: on arrays, where looking for
# keywords takes a fifth of a small operation's time, and on NumPy's scalars, where all of it goes.
OPERATORS = {"add": add, "sub": sub, "mul": mul, "div": truediv, "neg": neg}
_new_tuple: Any = tuple.__new__


def recorder(op: Primitive) -> Callable[..., Any]:
    """The function that users and the recorded namespace call."""
    single = not (op.outputs or op.variadic or op.joint)  # one output, a rule for each argument
    simple = single and not op.keeps
    fixed = single and not op.view and op.promote is None  # of new memory, dtypes as they come
    if fixed and op.keep_flag and op.differentiable and op.saves == (frozenset(op.arguments[:1]),):
        return unary(op)  # a loss of logits, GELU
    if fixed and op.differentiable and len(op.arguments) == 3:
        return ternary(op)
    if simple and op.differentiable and len(op.arguments) == 1:
        return viewing(op, unary(op)) if op.view else unary(op)
    if simple and len(op.arguments) == 2 and not op.has_params and not op.view:
        return binary(op)
    return general(op)


def unary(op: Primitive) -> Callable[..., Any]:
    """The recorder of an operation on one array, with parameters or without."""
    forward, view, to_float = op.forward, op.view, op.promote == "float"
    ufunc: Any = op.ufunc
    compute: Any = OPERATORS.get(op.name, ufunc)
    save_y, save_x = "y" in op.saves[0], op.arguments[0] in op.saves[0]
    keeps = op.keeps if op.keep_flag else None

    def record(a: Any, **params: Any) -> Any:
        context = local.context
        if (dispatch := context.dispatch) is not None:
            answer = dispatch(op, (a,), params)
            if answer is not NotImplemented:
                return answer
        tracked = isinstance(a, TensorBase)
        x = a._array if tracked else asarray(as_operand(a, op.name))
        try:
            kind = x.dtype
            quick = ufunc is not None and not params and (kind is float32 or kind is float64)
            if quick:
                y = compute(x) if x.size < ROOMY else spread(ufunc, x)
            else:
                if to_float and kind.kind in "biu":
                    (x,) = promote([x], to_float=True)
                if keeps:
                    wanted = tracked and context.grad_enabled and edge_of(a) is not None
                    kept = forward(x, **params, keep=wanted)
                    y = kept.y
                else:
                    y = forward(x, **params)
        except Exception as error:
            raise failed(op, (a,), params, error) from error
        if type(y) is not ndarray:
            y = asarray(y)
        out = new(hook.tensor)
        out._array = y
        out._grad = out._held = out._view = out._accumulator = out._hooks = None
        if tracked and context.grad_enabled:
            if a._view is not None and a._held.stamp > a._view[3]:
                hook.refresh_view(a)
            edge = a._node
            if edge is None and a._requires_grad:
                edge = accumulator(a)
            # Whole numbers and bools have no gradient: x.long() ends the graph.
            if edge is not None and (quick or y.dtype.kind in "fc"):
                node = Node()
                node.op = op
                node.first, node.second = edge, ONE
                node.params = params or None
                if quick:
                    node.shape, node.dtype = edge.shape, kind
                else:
                    node.shape, node.dtype = y.shape, y.dtype
                node.hooks = None
                node.scope = context.scope
                node.seq = next(numbers)
                if (place := context.place) is not None:
                    node.code, node.lasti = place
                elif (code := (frame := _frame(1)).f_code).co_filename in outside:
                    node.code, node.lasti = code, frame.f_lasti
                else:
                    node.code, node.lasti = caller(2)
                if save_x:
                    held = a._held
                    if held is None or held is SAVED:
                        a._held = SAVED
                        node.storages = BY_ARRAY
                    elif type(held) is InferenceStorage:
                        raise inference_saved(op.name)
                    else:
                        node.storages = (SAVED, held)
                    if save_y:
                        out._held = SAVED
                        node.saved = (y, x)
                    else:
                        node.saved = (None, x)
                elif save_y:
                    out._held = SAVED
                    node.saved = (y, edge)
                    node.storages = BY_ARRAY
                else:
                    node.saved = ()
                    node.storages = None
                if keeps:
                    node.saved += ({word: getattr(kept, word) for word in keeps},)
                out._node = node
                out._requires_grad = True
                if view:
                    as_view(op, a, out, params)
                if context.on_forward:
                    watch(node, out)
                return out
        out._node = None
        out._requires_grad = False
        if view and tracked:
            as_view(op, a, out, params)
        if hook.inference:
            mark_inference(out)
        return out

    return record


def operator(record: Callable[..., Any]) -> Callable[[Method], Method]:
    """Let a primitive's recorder stand for a method, where it need not ask.

    Of one operand: always.  Of two: on float32 and float64 tensors of one dtype, and with a number
    on one side; the method has everything else.  One Python frame or two less on the commonest
    paths.
    """

    def decorate(method: Method) -> Method:
        op: Primitive = record.primitive  # type: ignore[attr-defined]
        quick: Any = unary(op) if len(op.arguments) == 1 else binary(op, method)
        found: Any = functools.wraps(method)(quick)
        return found  # type: ignore[no-any-return]

    return decorate


def _alike(a: Any, b: Any) -> bool:
    """Whether two operands are such that a method has nothing to say of their dtypes."""
    if isinstance(a, TensorBase) and isinstance(b, TensorBase):
        return bool(a._array.dtype == b._array.dtype)
    return isinstance(a, (TensorBase, int, float)) and isinstance(b, (TensorBase, int, float))


def binary(op: Primitive, otherwise: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """The recorder of an operation on two arrays or numbers.

    otherwise: called instead where promotion, or something that is no operand, comes in.
    """
    forward, ufunc = op.forward, op.ufunc
    of_a, of_b = [rule is not None for rule in op.rules or (None, None)]
    nothing = False  # whether the gradients of both need nothing but the shapes
    if op.rules:
        # Whether to save y, a and b.
        for_a, for_b, for_both = map(op.places, ((True, False), (False, True), (True, True)))
        nothing = not any(for_both)
    compute: Any = OPERATORS.get(op.name, ufunc)
    on_scalars = compute is not ufunc

    def record(a: Any, b: Any) -> Any:
        context = local.context
        dispatch = context.dispatch
        if dispatch is not None and (otherwise is None or _alike(a, b)):
            answer = dispatch(op, (a, b), {})
            if answer is not NotImplemented:
                return answer
        has_a, has_b = isinstance(a, TensorBase), isinstance(b, TensorBase)
        quick = False  # floats of one dtype; x and z are what is saved, u and w what is computed on
        if has_a:
            x = u = a._array
            kind = x.dtype
            if kind is float32 or kind is float64:
                if has_b:
                    z = w = b._array
                    quick = w.dtype is kind
                elif type(b) is float or type(b) is int:
                    z = float(b)
                    w = (singles if kind is float32 else doubles).get(z)
                    if w is None:
                        w = constant(z, kind)
                    quick = True
        elif has_b and (type(a) is float or type(a) is int):
            z = w = b._array
            kind = z.dtype
            if kind is float32 or kind is float64:
                x = float(a)
                u = (singles if kind is float32 else doubles).get(x)
                if u is None:
                    u = constant(x, kind)
                quick = True
        if not quick:
            if otherwise is not None:
                return otherwise(a, b)
            x, z = brought_together(op, (a, b))
        edge_a: Any = None
        edge_b: Any = None
        if context.grad_enabled:
            if has_a and of_a:
                if a._view is not None and a._held.stamp > a._view[3]:
                    hook.refresh_view(a)
                edge_a = a._node
                if edge_a is None and a._requires_grad:
                    edge_a = accumulator(a)
            if has_b and of_b:
                if b._view is not None and b._held.stamp > b._view[3]:
                    hook.refresh_view(b)
                edge_b = b._node
                if edge_b is None and b._requires_grad:
                    edge_b = accumulator(b)
        recorded = edge_a is not None or edge_b is not None
        try:
            if not quick or ufunc is None:
                y = forward(x, z)
                if type(y) is not ndarray:
                    y = asarray(y)
                shape = None
            else:
                alike = False
                if not recorded:  # all that matters is whether these are single numbers
                    shape = None if u.ndim or w.ndim else ()
                else:
                    shape = u.shape if edge_a is None else edge_a.shape
                    other = w.shape if edge_b is None else edge_b.shape
                    if other is shape:
                        alike = True
                    elif not shape:
                        shape = other
                    elif other == shape:
                        if edge_b is not None:
                            edge_b.shape = shape  # the same tuple: the walk sees at once
                    elif other:
                        shape = None  # of the result: to be asked
                if not shape and shape is not None:
                    y = asarray(compute(u[()], w[()]) if on_scalars else compute(u, w))
                elif u.size < ROOMY and (alike or w.size < ROOMY):
                    y = compute(u, w)
                else:
                    y = spread(ufunc, u, w)
        except Exception as error:
            raise failed(op, (a, b), None, error) from error
        out = new(hook.tensor)
        out._array = y
        out._grad = out._held = out._view = out._accumulator = out._hooks = None
        if recorded:
            node = Node()
            node.op = op
            node.first, node.second = edge_a, edge_b
            node.params = None
            if shape is None:
                # Millions of nodes of one shape need not keep it a million times.
                shape = y.shape
                if edge_a is not None and edge_a.shape == shape:
                    shape = edge_a.shape
                node.dtype = y.dtype
            else:
                node.dtype = kind
            node.shape = shape
            node.hooks = None
            node.scope = context.scope
            node.seq = next(numbers)
            frame = _frame(1)
            code = frame.f_code
            if code.co_filename in outside:
                node.code, node.lasti = code, frame.f_lasti
            else:
                node.code, node.lasti = context.place or caller(2)
            if nothing and edge_a is not None and edge_b is not None:
                node.saved = ()
                node.storages = None
            else:
                if edge_b is None:
                    keep_y, keep_a, keep_b = for_a
                elif edge_a is None:
                    keep_y, keep_a, keep_b = for_b
                else:
                    keep_y, keep_a, keep_b = for_both
                # Without arrays there is nothing to check and to free: only numbers.
                storages: Any = None if quick else BY_ARRAY
                if keep_y:
                    out._held = SAVED
                    storages = BY_ARRAY
                if has_a:
                    # A promoted copy has no storage that could be written.
                    if keep_a and (quick or x is a._array):
                        held_a = a._held
                        if held_a is None or held_a is SAVED:
                            a._held = SAVED
                            storages = BY_ARRAY
                        elif type(held_a) is InferenceStorage:
                            raise inference_saved(op.name)
                        else:
                            storages = (SAVED, held_a, SAVED)
                    elif not keep_a:
                        # A number is always kept; of an array that is not, its shape and dtype.
                        x = edge_a or _new_tuple(Spec, (x.shape, x.dtype))
                if has_b:
                    if keep_b and (quick or z is b._array):
                        held_b = b._held
                        if held_b is None or held_b is SAVED:
                            b._held = SAVED
                            if storages is None:
                                storages = BY_ARRAY
                        elif type(held_b) is InferenceStorage:
                            raise inference_saved(op.name)
                        else:
                            storages = (SAVED, SAVED if storages is None else storages[1], held_b)
                    elif not keep_b:
                        z = edge_b or _new_tuple(Spec, (z.shape, z.dtype))
                node.saved = (y if keep_y else None, x, z)
                node.storages = storages
            out._node = node
            out._requires_grad = True
            if context.on_forward:
                watch(node, out)
            return out
        out._node = None
        out._requires_grad = False
        if hook.inference:
            mark_inference(out)
        return out

    return record
