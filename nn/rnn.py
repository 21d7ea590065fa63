"""Recurrent layers over whole sequences: RNN, LSTM, GRU."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorgrad.functions import recurrent
from tensorgrad.functions.indexing import index_select
from tensorgrad.graph.node import wrap
from tensorgrad.nn import init
from tensorgrad.nn.factory import parameter
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter
from tensorgrad.nn.rnn_arguments import GATES, check, no_projection
from tensorgrad.nn.rnn_on_arrays import recurrent_layers
from tensorgrad.nn.short_calls import on_arrays
from tensorgrad.nn.utils.rnn import PackedSequence
from tensorgrad.tensor import Tensor

__all__ = ["GRU", "LSTM", "RNN", "RNNBase"]


class RNNBase(Module):
    """What the recurrent layers share; ``mode`` says which of them it is.

    Layer k has weight_ih_l{k} (gates * hidden, in), weight_hh_l{k} (gates * hidden, out),
    bias_ih_l{k}, bias_hh_l{k} (gates * hidden,) and, with proj_size, weight_hr_l{k} (proj_size,
    hidden); the backward direction's names end in ``_reverse``.  All are drawn from U(-k, k),
    k = 1 / sqrt(hidden_size).
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        check(mode, input_size, hidden_size, num_layers, bias, batch_first, dropout, proj_size)
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        directions = 2 if bidirectional else 1
        gates, out = GATES[mode] * hidden_size, proj_size or hidden_size
        self._all_weights: list[list[str]] = []
        for layer in range(num_layers):
            for suffix in ("", "_reverse")[:directions]:
                size = input_size if layer == 0 else out * directions
                shapes: dict[str, tuple[int, ...]] = {
                    "weight_ih": (gates, size),
                    "weight_hh": (gates, out),
                }
                if bias:
                    shapes |= {"bias_ih": (gates,), "bias_hh": (gates,)}
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                names = [f"{name}_l{layer}{suffix}" for name in shapes]
                for name, shape in zip(names, shapes.values(), strict=True):
                    setattr(self, name, parameter(self, shape, device, dtype))
                self._all_weights.append(names)
        self.reset_parameters()

    @property
    def _flat_weights_names(self) -> list[str]:
        return [name for names in self._all_weights for name in names]

    @property
    def _flat_weights(self) -> list[Tensor]:
        # Looked up by name on every call: a parametrized weight is computed anew each time.
        return [getattr(self, name) for name in self._flat_weights_names]

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The weights of every layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def flatten_parameters(self) -> None:
        """Nothing: it moves a GPU's weights together."""

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        bound = 1 / math.sqrt(self.hidden_size)
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    # --- Arguments --------------------------------------------------------------------------------

    def _batch_of(self, input: Tensor, batch_sizes: Tensor | None) -> int:
        if batch_sizes is not None:
            return int(batch_sizes._array[0])
        return int(input.size(0 if self.batch_first else 1))

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Raise unless the input has the weights' dtype and the right dimensions."""
        kind = getattr(self, self._all_weights[0][0]).dtype
        if input.dtype != kind:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({kind}). Convert "
                f"input: input.to({kind}), or convert model: model.to({input.dtype})"
            )
        expected = 3 if batch_sizes is None else 2
        if input.ndim != expected:
            raise RuntimeError(f"input must have {expected} dimensions, got {input.ndim}")
        if input.size(-1) != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got "
                f"{input.size(-1)}"
            )

    def get_expected_hidden_size(
        self, input: Tensor, batch_sizes: Tensor | None
    ) -> tuple[int, int, int]:
        """The shape of the hidden state: (layers * directions, batch, out)."""
        count = self.num_layers * (2 if self.bidirectional else 1)
        return count, self._batch_of(input, batch_sizes), self.proj_size or self.hidden_size

    def check_hidden_size(
        self,
        hx: Tensor,
        expected_hidden_size: tuple[int, int, int],
        msg: str = "Expected hidden size {}, got {}",
    ) -> None:
        """Raise RuntimeError unless a state has a shape."""
        if tuple(hx.shape) != expected_hidden_size:
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.shape)))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raise unless input and state fit."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """A state with its batch in another order; None leaves it."""
        return hx if permutation is None else index_select(hx, 1, permutation)

    # --- Running ----------------------------------------------------------------------------------

    def _zeros(self, input: Tensor, batch_sizes: Tensor | None) -> Any:
        shape = self.get_expected_hidden_size(input, batch_sizes)
        return wrap(np.zeros(shape, input._array.dtype))

    def _unsqueezed(self, hx: Any, batched: bool) -> Any:
        """A state with the dimension of the batch."""
        wanted = 3 if batched else 2
        if hx.ndim != wanted:
            kind = "batched 3-D" if batched else "unbatched 2-D"
            raise RuntimeError(
                f"For {kind} input, hx should also be {wanted}-D but got {hx.ndim}-D tensor"
            )
        return hx if batched else hx.unsqueeze(1)

    def _squeezed(self, hx: Any) -> Any:
        return hx.squeeze(1)

    def _run(self, input: Tensor, batch_sizes: Tensor | None, hx: Any) -> tuple[Tensor, Any]:
        """(output, state) of the function that the mode names."""
        call = recurrent.Call(
            input, batch_sizes, hx, self._flat_weights, self.bias, self.num_layers, self.dropout,
            self.training, self.bidirectional, self.batch_first and batch_sizes is None,
        )  # fmt: skip
        output, *state = recurrent.run(self.mode.lower(), call)
        return output, state[0] if len(state) == 1 else tuple(state)

    def _forward(self, input: Any, hx: Any) -> tuple[Any, Any]:
        if isinstance(input, PackedSequence):
            data, batch_sizes, order, back = input
            if hx is None:
                hx = self._zeros(data, batch_sizes)
            else:
                hx = self.permute_hidden(hx, order)
            self.check_forward_args(data, hx, batch_sizes)
            output, hidden = self._run(data, batch_sizes, hx)
            packed = PackedSequence(output, batch_sizes, order, back)
            return packed, self.permute_hidden(hidden, back)
        if input.ndim not in (2, 3):
            raise ValueError(
                f"{type(self).__name__}: Expected input to be 2D or 3D, got {input.ndim}D tensor "
                "instead"
            )
        batched = input.ndim == 3
        batch = 0 if self.batch_first else 1
        whole = input if batched else input.unsqueeze(batch)
        hx = self._zeros(whole, None) if hx is None else self._unsqueezed(hx, batched)
        self.check_forward_args(whole, hx, None)
        output, hidden = self._run(whole, None, hx)
        if batched:
            return output, hidden
        return output.squeeze(batch), self._squeezed(hidden)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        standard = {
            "proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0,
            "bidirectional": False,
        }  # fmt: skip
        for name, value in standard.items():
            if getattr(self, name) != value:
                text += f", {name}={getattr(self, name)}"
        return text


class RNN(RNNBase):
    """h = tanh(w_ih x + b_ih + w_hh h + b_hh), or relu of it, layer upon layer.

    Takes (steps, batch, input_size), with batch_first (batch, steps, input_size), (steps,
    input_size) or a PackedSequence, and h_0 (layers * directions, batch, hidden_size), zeros if
    left out; gives the last layer's h after every step, and every layer's last.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        proj_size: int | None = None,
    ) -> None:
        no_projection(proj_size)
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'."
            )
        super().__init__(
            f"RNN_{nonlinearity.upper()}", input_size, hidden_size, num_layers, bias, batch_first,
            dropout, bidirectional, 0, device, dtype,
        )  # fmt: skip
        self.nonlinearity = nonlinearity

    @on_arrays(recurrent_layers)
    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        """(output, h_n)."""
        return self._forward(input, hx)


class GRU(RNNBase):
    """Gated recurrent units; inputs and outputs as for `RNN`."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        proj_size: int | None = None,
    ) -> None:
        no_projection(proj_size)
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            0, device, dtype,
        )  # fmt: skip

    @on_arrays(recurrent_layers)
    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        """(output, h_n)."""
        return self._forward(input, hx)


class LSTM(RNNBase):
    """Long short-term memory; inputs and outputs as for `RNN`, with (h, c) for the state.

    proj_size: h is projected to so many features; c keeps hidden_size.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            proj_size, device, dtype,
        )  # fmt: skip

    def get_expected_cell_size(
        self, input: Tensor, batch_sizes: Tensor | None
    ) -> tuple[int, int, int]:
        """The shape of the cell state: (layers * directions, batch, hidden_size)."""
        count, batch, _ = self.get_expected_hidden_size(input, batch_sizes)
        return count, batch, self.hidden_size

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raise unless input and both states fit."""
        self.check_input(input, batch_sizes)
        shapes = (
            self.get_expected_hidden_size(input, batch_sizes),
            self.get_expected_cell_size(input, batch_sizes),
        )
        for number, shape in enumerate(shapes):
            message = f"Expected hidden[{number}] size {{}}, got {{}}"
            self.check_hidden_size(hidden[number], shape, message)

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """Both states with their batch in another order; None leaves them."""
        return tuple(super(LSTM, self).permute_hidden(state, permutation) for state in hx)

    def _zeros(self, input: Tensor, batch_sizes: Tensor | None) -> Any:
        shape = self.get_expected_cell_size(input, batch_sizes)
        cell = wrap(np.zeros(shape, input._array.dtype))
        return super()._zeros(input, batch_sizes), cell

    def _unsqueezed(self, hx: Any, batched: bool) -> Any:
        return tuple(super(LSTM, self)._unsqueezed(state, batched) for state in hx)

    def _squeezed(self, hx: Any) -> Any:
        return tuple(super(LSTM, self)._squeezed(state) for state in hx)

    @on_arrays(recurrent_layers)
    def forward(
        self, input: Any, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Any, tuple[Tensor, Tensor]]:
        """(output, (h_n, c_n))."""
        return self._forward(input, hx)
