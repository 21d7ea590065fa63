"""Recurrent layers as functions: all layers and directions over a sequence, and single steps.

The sequence is either a tensor (steps, batch, features) or, as `nn.utils.rnn` packs it, a matrix of
rows with the batch size of every step; the list of weights is that of `nn.LSTM` and its kin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tensorgrad.errors import describe
from tensorgrad.graph.node import TensorBase, local, wrap
from tensorgrad.ops import linalg, shape
from tensorgrad.ops.arithmetic import add
from tensorgrad.ops.gru import gru as gru_layer
from tensorgrad.ops.kinks import relu
from tensorgrad.ops.lstm import lstm as lstm_layer
from tensorgrad.ops.unary import tanh
from tensorgrad.primitive import raw, recorded
from tensorgrad.random import rng_of

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "gru",
    "gru_cell",
    "lstm",
    "lstm_cell",
    "rnn_relu",
    "rnn_relu_cell",
    "rnn_tanh",
    "rnn_tanh_cell",
]


# --- The arguments --------------------------------------------------------------------------------


class Call(NamedTuple):
    """A call of one of the four functions, whichever of the two lists of arguments it used.

    Input, states and weights are arrays where it is computed on arrays.
    """

    input: Any
    batch_sizes: Tensor | None
    hx: Any
    params: Sequence[Any]
    has_biases: bool
    num_layers: int
    dropout: float
    train: bool
    bidirectional: bool
    batch_first: bool


_PADDED = ("input", "hx", "params", "has_biases", "num_layers", "dropout", "train",
           "bidirectional", "batch_first")  # fmt: skip
_PACKED = ("data", "batch_sizes", *_PADDED[1:-1])


def _read(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    """The two lists of arguments told apart: a packed sequence has its batch sizes second."""
    second = args[1] if len(args) > 1 else None
    packed = bool({"data", "batch_sizes"} & set(kwargs)) or (
        isinstance(second, TensorBase) and second._array.ndim == 1
    )
    names = _PACKED if packed else _PADDED
    if len(args) > len(names):
        raise TypeError(f"{name}() takes {len(names)} arguments, got {len(args)}")
    given = dict(zip(names, args, strict=False))
    if wrong := [key for key in kwargs if key in given or key not in names]:
        raise TypeError(f"{name}() got an unexpected or repeated argument {wrong[0]!r}")
    given |= kwargs
    if missing := [key for key in names if key not in given]:
        raise TypeError(f"{name}() missing the argument {missing[0]!r}; it takes {names}")
    if packed:
        given |= {"input": given.pop("data"), "batch_first": False}
    else:
        given["batch_sizes"] = None
    return Call(**given)


def _checked(name: str, call: Call) -> tuple[tuple[Tensor, ...], Any, int]:
    """The first states, the steps as `tensorgrad.ops.recurrence` has them, and the batch."""
    states: Any = call.hx if name == "lstm" else (call.hx,)
    if name == "lstm" and len(states) != 2:
        raise RuntimeError(f"{name} expects two hidden states, got {len(states)}")
    for value in (call.input, *states, *call.params):
        if not isinstance(value, TensorBase):
            raise TypeError(f"{name}(): expected Tensors, got {type(value).__name__}")
    count = call.num_layers * (2 if call.bidirectional else 1)
    per = len(call.params) // count if count else 0
    least = 4 if call.has_biases else 2
    if per * count != len(call.params) or per not in (least, least + (name == "lstm")):
        raise RuntimeError(
            f"{name}: got an incorrect number of RNN parameters: {len(call.params)} for "
            f"{call.num_layers} layers in {count // max(call.num_layers, 1)} directions with "
            f"has_biases={call.has_biases}"
        )
    sizes = call.input._array.shape
    steps: Any
    if call.batch_sizes is not None:
        steps = tuple(int(n) for n in call.batch_sizes._array)
        batch = steps[0] if steps else 0
        if len(sizes) != 2 or sum(steps) != sizes[0]:
            raise RuntimeError(
                f"{name}: expected data of {sum(steps)} rows, as batch_sizes says, got "
                f"{describe(call.input)}"
            )
    else:
        if len(sizes) != 3:
            raise IndexError(f"{name}: expected a 3-D input, got {describe(call.input)}")
        batch, steps = sizes[:2] if call.batch_first else sizes[1::-1]
    if not steps:
        raise RuntimeError(f"{name}: Expected sequence length to be larger than 0 in RNN")
    for state in states:
        given = state._array.shape
        if len(given) != 3 or given[:2] != (count, batch):
            raise RuntimeError(
                f"{name}: expected hidden states of shape ({count}, {batch}, ...), for the layers "
                f"times directions and the batch, got {describe(state)}"
            )
    return tuple(states), steps, batch


# --- Layers and directions ------------------------------------------------------------------------
# ``xp`` is the namespace of primitives on Tensors, or on arrays where nothing is recorded.


def _turned(xp: Any, rows: Any, steps: Any) -> Any:
    """Every sequence with its steps in the opposite order; doing it twice undoes it."""
    if isinstance(steps, int):
        whole = xp.reshape(rows, shape=(steps, rows.shape[0] // steps, rows.shape[1]))
        return xp.reshape(xp.flip(whole, axes=(0,)), shape=tuple(rows.shape))
    starts = np.cumsum([0, *steps[:-1]])
    lengths = np.add.reduce(np.asarray(steps)[:, None] > np.arange(steps[0]), axis=0)
    order = [
        starts[lengths[member] - 1 - t] + member
        for t, size in enumerate(steps)
        for member in range(size)
    ]
    return xp.take_rows(rows, index=np.array(order, np.int64), axis=0)


def _dropped(xp: Any, rows: Any, p: float) -> Any:
    kept = rng_of(None).random(tuple(rows.shape), np.float32) >= p
    rows = xp.mask(rows, mask=kept)
    return xp.mul(rows, 1 / (1 - p)) if p < 1 else rows


def _layer(
    xp: Any, name: str, rows: Any, states: list[Any], weights: Sequence[Any], biased: bool,
    steps: Any,
) -> tuple[Any, ...]:  # fmt: skip
    """One layer in one direction: its output, and its last states."""
    w_ih, w_hh = weights[:2]
    b_ih, b_hh = weights[2:4] if biased else (None, None)
    found: Any
    if name == "lstm":
        projection = weights[-1] if len(weights) % 2 else None
        found = xp.lstm(rows, *states, w_ih, w_hh, b_ih, b_hh, projection, steps=steps)
    elif name == "gru":
        found = xp.gru(rows, *states, w_ih, w_hh, b_ih, b_hh, steps=steps)
    else:
        relu = name == "rnn_relu"
        found = xp.rnn(rows, *states, w_ih, w_hh, b_ih, b_hh, relu=relu, steps=steps)
    return found  # type: ignore[no-any-return]


def _layers(xp: Any, name: str, call: Call, steps: Any, batch: int) -> list[Any]:
    """The output, steps first, and the last state of every layer and direction, for each state."""
    rows, first, params = call.input, call.hx, call.params
    directions = 2 if call.bidirectional else 1
    count = call.num_layers * directions
    per = len(params) // count
    if call.batch_sizes is None:
        if call.batch_first:
            rows = xp.permute(rows, axes=(1, 0, 2))
        rows = xp.reshape(rows, shape=(steps * batch, rows.shape[2]))
    last: list[list[Any]] = [[] for _ in first]
    for layer in range(call.num_layers):
        outputs = []
        for direction in range(directions):
            number = layer * directions + direction
            weights = params[number * per : (number + 1) * per]
            states = [xp.getitem(state, index=(number,)) for state in first]
            given = _turned(xp, rows, steps) if direction else rows
            out, *now = _layer(xp, name, given, states, weights, call.has_biases, steps)
            outputs.append(_turned(xp, out, steps) if direction else out)
            for held, state in zip(last, now, strict=True):
                held.append(xp.reshape(state, shape=(1, *state.shape)))
        rows = outputs[0] if len(outputs) == 1 else xp.cat(*outputs, axis=1)
        if call.train and call.dropout > 0 and layer < call.num_layers - 1:
            rows = _dropped(xp, rows, call.dropout)
    if call.batch_sizes is None:
        rows = xp.reshape(rows, shape=(steps, batch, rows.shape[1]))
    return [rows, *(held[0] if count == 1 else xp.cat(*held, axis=0) for held in last)]


def unrecorded(name: str, call: Call, steps: Any, batch: int) -> list[Any]:
    """What `run` returns, computed on the arrays of a call whose arguments fit."""
    found: list[Any] = [wrap(array) for array in _layers(raw, name, call, steps, batch)]
    if call.batch_first:
        found[0] = shape.permute(found[0], axes=(1, 0, 2))
    return found


def run(name: str, call: Call) -> list[Any]:
    """[output, last state of every layer and direction, for each state] of a function's call."""
    states, steps, batch = _checked(name, call)
    context = local.context
    if not context.grad_enabled and context.dispatch is None:
        arrays = [[t._array for t in tensors] for tensors in (states, call.params)]
        given = call._replace(input=call.input._array, hx=arrays[0], params=arrays[1])
        try:
            return unrecorded(name, given, steps, batch)
        except Exception:
            pass  # the operations on Tensors say what is wrong, and where
    found = _layers(recorded, name, call._replace(hx=states), steps, batch)
    if call.batch_first:
        found[0] = shape.permute(found[0], axes=(1, 0, 2))
    return found


def lstm(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor, Tensor]:
    """A long short-term memory: (output, h_n, c_n).

    lstm(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first), or
    lstm(data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional) for
    a packed sequence; hx is (h_0, c_0), params the weights layer by layer.
    """
    output, h, c = run("lstm", _read("lstm", args, kwargs))
    return output, h, c


def gru(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """Gated recurrent units: (output, h_n).  The arguments are those of `lstm`; hx is h_0."""
    output, h = run("gru", _read("gru", args, kwargs))
    return output, h


def rnn_tanh(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """The plain recurrence with tanh: (output, h_n).  Arguments as for `lstm`; hx is h_0."""
    output, h = run("rnn_tanh", _read("rnn_tanh", args, kwargs))
    return output, h


def rnn_relu(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """The plain recurrence with relu: (output, h_n).  Arguments as for `lstm`; hx is h_0."""
    output, h = run("rnn_relu", _read("rnn_relu", args, kwargs))
    return output, h


# --- Single steps ---------------------------------------------------------------------------------


def _check_step(name: str, input: Any, hidden: Sequence[Any], w_ih: Any, w_hh: Any) -> None:
    for value in (input, *hidden, w_ih, w_hh):
        if not isinstance(value, TensorBase):
            raise TypeError(f"{name}(): expected a Tensor, got {type(value).__name__}")
    if input._array.ndim != 2:
        raise IndexError(f"{name}: expected input to be 2-D, got {describe(input)}")
    if input._array.shape[1] != w_ih._array.shape[1]:
        raise RuntimeError(
            f"{name}: input has inconsistent input_size: got {input._array.shape[1]} expected "
            f"{w_ih._array.shape[1]}"
        )
    for number, state in enumerate(hidden):
        if state._array.ndim != 2 or len(state._array) != len(input._array):
            raise RuntimeError(
                f"{name}: Input batch size {len(input._array)} doesn't match hidden{number} batch "
                f"size {len(state._array) if state._array.ndim else 0}: {describe(state)}"
            )
    if hidden[0]._array.shape[1] != w_hh._array.shape[1]:
        raise RuntimeError(
            f"{name}: hidden0 has inconsistent hidden_size: got {hidden[0]._array.shape[1]}, "
            f"expected {w_hh._array.shape[1]}"
        )


def lstm_cell(
    input: Tensor,
    hx: Sequence[Tensor],
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """One step of a long short-term memory: (h, c), both (batch, hidden), from hx = (h, c)."""
    if len(hx) != 2:
        raise RuntimeError(f"lstm_cell expects two hidden states, got {len(hx)}")
    _check_step("lstm_cell", input, hx, w_ih, w_hh)
    found: Any = lstm_layer(input, *hx, w_ih, w_hh, b_ih, b_hh, None, steps=1)
    return found[1], found[2]


def gru_cell(
    input: Tensor,
    hx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """One step of gated recurrent units: the new h (batch, hidden)."""
    _check_step("gru_cell", input, [hx], w_ih, w_hh)
    found: Any = gru_layer(input, hx, w_ih, w_hh, b_ih, b_hh, steps=1)
    return found[1]  # type: ignore[no-any-return]


def rnn_tanh_cell(
    input: Tensor,
    hx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """tanh(w_ih x + b_ih + w_hh h + b_hh): one step of the plain recurrence."""
    _check_step("rnn_tanh_cell", input, [hx], w_ih, w_hh)
    return tanh(add(linalg.linear(input, w_ih, b_ih), linalg.linear(hx, w_hh, b_hh)))


def rnn_relu_cell(
    input: Tensor,
    hx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """relu(w_ih x + b_ih + w_hh h + b_hh): one step of the plain recurrence."""
    _check_step("rnn_relu_cell", input, [hx], w_ih, w_hh)
    return relu(add(linalg.linear(input, w_ih, b_ih), linalg.linear(hx, w_hh, b_hh)))
