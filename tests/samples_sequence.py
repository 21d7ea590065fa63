"""Rows of recurrent layers and attention: primitives, functions, layers."""

from typing import Any

import numpy as np
from samples_layers import Layer, layer
from sampling import OWN_LENGTHS, Case, Drawn, Sample, case, fixed, real, row, truth

__all__ = ["SEQUENCE", "SEQUENCE_LAYERS", "SEQUENCE_PRIMITIVES"]

# fmt: off


def weights(gates: int, of: int, n: int, out: int | None = None) -> list[Drawn]:
    """The weights of a layer in one direction with biases."""
    return [real(gates * n, of), real(gates * n, out or n), real(gates * n), real(gates * n)]


def primitive(name: str, *cases: Case) -> Sample:
    return row(f"primitive.{name}", *cases, torch=None, primitive=name)


def hidden(*shape: int) -> Drawn:
    return real(*shape)


PACKED = (3, 2, 2, 1)  # three sequences of 4, 3 and 1 steps

SEQUENCE_PRIMITIVES = [
    *(primitive(
        "rnn",
        case(real(6, 3), hidden(2, 2), *weights(1, 3, 2), relu=relu, steps=3),
        case(real(8, 2), hidden(3, 3), real(3, 2), real(3, 3), None, None, relu=relu, steps=PACKED),
        case(real(2, 2), hidden(2, 1), real(1, 2), real(1, 1), real(1), None, relu=relu, steps=1),
    ) for relu in (False, True)),
    primitive(
        "gru",
        case(real(6, 3), hidden(2, 2), *weights(3, 3, 2), steps=3),
        case(real(8, 2), hidden(3, 3), real(9, 2), real(9, 3), None, None, steps=PACKED),
        case(real(2, 2), hidden(2, 1), real(3, 2), real(3, 1), None, real(3), steps=1),
    ),
    primitive(
        "lstm",
        case(real(6, 3), hidden(2, 2), hidden(2, 2), *weights(4, 3, 2), None, steps=3),
        case(real(8, 2), hidden(3, 3), hidden(3, 3), real(12, 2), real(12, 3), None, None, None,
             steps=PACKED),
        case(real(6, 2), hidden(2, 1), hidden(2, 3), *weights(4, 2, 3, 1), real(1, 3), steps=3),
        case(real(8, 2), hidden(3, 1), hidden(3, 2), *weights(4, 2, 2, 1), real(1, 2),
             steps=PACKED),
        case(real(2, 2), hidden(2, 1), hidden(2, 1), real(4, 2), real(4, 1), None, real(4), None,
             steps=1),
    ),
]

HEADS = {"scale": 0.5, "causal": False, "kept": None, "share": 1.0}
NOWHERE = np.array([[0.0, -np.inf, 1.0], [-np.inf] * 3])
KEPT = np.array([[[True, False], [True, True]], [[False, True], [True, True]], [[True] * 2] * 2])

SEQUENCE_PRIMITIVES += [
    primitive(
        "attention",
        case(real(2, 3), real(4, 3), real(4, 2), None, **HEADS),
        case(real(2, 1, 2, 3), real(2, 1, 3, 3), real(2, 1, 3, 2), real(2, 3), **HEADS),
        case(real(2, 2, 2, 2), real(2, 2, 3, 2), real(2, 2, 3, 1), real(2, 1, 1, 3), **HEADS),
        case(real(2, 3, 2), real(2, 3, 2), real(2, 3, 2), None, **{**HEADS, "causal": True}),
        case(real(2, 2, 2), real(2, 3, 2), real(2, 3, 1), None,
             **{**HEADS, "kept": KEPT, "share": 2.0}),
        case(real(2, 2, 2), real(2, 3, 2), real(2, 3, 1), fixed(NOWHERE), **HEADS),
        case(real(1, 2), real(1, 2), real(1, 1), real(1, 1), **HEADS),
    ),
]

LENGTHS = real(8, 2)


def recurrent(name: str, gates: int) -> Sample:
    """All layers and directions: steps first, batch first, packed, biases or none."""
    def states(*shape: int) -> Any:
        return (hidden(*shape), hidden(*shape)) if gates == 4 else hidden(*shape)

    two = [*weights(gates, 3, 2), *weights(gates, 3, 2)]
    deep = [*weights(gates, 2, 2), *weights(gates, 2, 2), *weights(gates, 4, 2),
            *weights(gates, 4, 2)]
    bare = [real(gates * 2, 2), real(gates * 2, 2)]
    return row(
        name,
        case(real(3, 2, 3), states(2, 2, 2), two, True, 1, 0.0, True, True, False),
        case(real(3, 2, 2), states(4, 3, 2), deep, True, 2, 0.0, False, True, True),
        case(LENGTHS, fixed(PACKED), states(1, 3, 2), bare, False, 1, 0.0, True, False),
        case(real(3, 2), fixed((2, 1)), states(2, 2, 2), deep[:8], True, 1, 0.0, True, True),
        vmap=OWN_LENGTHS,
    )


def cell(name: str, gates: int, **fields: Any) -> Sample:
    hx = [hidden(2, 3), hidden(2, 3)] if gates == 4 else hidden(2, 3)
    return row(name, case(real(2, 2), hx, *weights(gates, 2, 3)),
               case(real(2, 2), hx, *weights(gates, 2, 3)[:2]), **fields)


SEQUENCE = [
    recurrent("lstm", 4), recurrent("gru", 3), recurrent("rnn_tanh", 1), recurrent("rnn_relu", 1),
    cell("lstm_cell", 4), cell("gru_cell", 3), cell("rnn_tanh_cell", 1), cell("rnn_relu_cell", 1),
]
QKV = real(2, 2, 3, 2), real(2, 2, 4, 2), real(2, 2, 4, 3)
MASK = fixed([[True, False, True, True], [False] * 4, [True, True, False, True]])
HEAD = real(6, 2), real(6), None, None, False, 0.0, real(2, 2), real(2)

SEQUENCE += [
    row("nn.functional.scaled_dot_product_attention",
        case(*QKV), case(*QKV, MASK), case(*QKV, real(3, 4)), case(*QKV, real(2, 1, 1, 4)),
        case(*QKV, is_causal=True), case(*QKV, scale=0.3), case(*(real(3, 2) for _ in range(3))),
        case(real(2, 3, 2), real(4, 2), real(1, 4, 1)), case(*QKV, truth(2, 1, 3, 1)),
        case(real(1, 4, 2, 2), real(1, 2, 3, 2), real(1, 2, 3, 1), enable_gqa=True),
        case(real(0, 3, 2), real(0, 4, 2), real(0, 4, 1)), case(*QKV, dropout_p=1.0)),
    row("nn.functional.multi_head_attention_forward",
        case(real(3, 2, 2), real(4, 2, 2), real(4, 2, 2), 2, 1, *HEAD),
        case(real(3, 2), real(4, 2), real(4, 2), 2, 2, *HEAD, need_weights=False),
        case(real(2, 2, 2), real(3, 2, 2), real(3, 2, 2), 2, 2, real(6, 2), None, real(1, 1, 2),
             real(1, 1, 2), True, 0.5, real(2, 2), None, training=False, attn_mask=truth(2, 3),
             average_attn_weights=False),
        case(real(2, 2, 2), real(3, 2, 1), real(3, 2, 3), 2, 1, None, real(6), None, None, False,
             0.0, real(2, 2), None, key_padding_mask=fixed([[False, True, False]] * 2),
             use_separate_proj_weight=True, q_proj_weight=real(2, 2), k_proj_weight=real(2, 1),
             v_proj_weight=real(2, 3)),
        case(real(2, 1, 2), real(3, 1, 2), real(3, 1, 2), 2, 2, *HEAD, static_k=real(2, 4, 1),
             static_v=real(2, 4, 1))),
]


def layers(name: str, states: int, **only: Any) -> list[Layer]:
    """A recurrent layer and its cell, in their options."""
    def hx(*shape: int) -> Any:
        return hidden(*shape) if states == 1 else (hidden(*shape), hidden(*shape))

    deep = "the function it calls is checked at order 2, with as many layers and directions"
    return [
        layer(name, case(3, 2), case(real(3, 2, 3)), case(real(2, 3), hx(1, 2))),
        layer(name, case(2, 2, 2, bias=False, batch_first=True, bidirectional=True, **only),
              case(real(3, 2, 2), hx(4, 3, 2)), case(real(2, 2)), order=1, reason=deep),
        layer(name, case(2, 2, num_layers=2, dropout=0.5), case(real(2, 3, 2)), mode="eval"),
        layer(f"{name}Cell", case(2, 3), case(real(2, 2)), case(real(2), hx(3))),
        layer(f"{name}Cell", case(2, 3, bias=False, **only), case(real(2, 2), hx(2, 3))),
    ]


SEQUENCE_LAYERS = [
    *layers("RNN", 1, nonlinearity="relu"), *layers("LSTM", 2), *layers("GRU", 1),
    layer("LSTM", case(2, 3, proj_size=2, bidirectional=True, num_layers=2),
          case(real(2, 3, 2)), case(real(2, 3, 2), (hidden(4, 3, 2), hidden(4, 3, 3))), order=1,
          reason="LSTMs without projections, and one direction of this, are checked at order 2"),
    layer("GRU", case(2, 2, num_layers=2, dropout=1.0), case(real(2, 3, 2))),
    *(layer("MultiheadAttention", case(4, 2, **options), case(real(3, 2, 4), real(2, 2, 4),
                                                            real(2, 2, 4)))
      for options in ({}, {"bias": False, "add_zero_attn": True}, {"add_bias_kv": True})),
    layer("MultiheadAttention", case(2, 1, kdim=3, vdim=1, batch_first=True, dropout=0.5),
          case(real(2, 3, 2), real(2, 4, 3), real(2, 4, 1),
               fixed([[False, True, False, True]] * 2)),
          mode="eval"),
    layer("TransformerEncoderLayer", case(2, 1, 3, 0.0, "gelu"), case(real(3, 2, 2)),
          case(real(3, 2))),
    layer("TransformerEncoderLayer", case(2, 2, 3, 0.3, "gelu", 1e-3, True, True, False),
          case(real(2, 3, 2)), mode="eval"),
    layer("TransformerDecoderLayer", case(2, 1, 3, 0.0, "gelu"),
          case(real(3, 2, 2), real(2, 2, 2))),
    layer("TransformerDecoderLayer", case(2, 2, 2, 0.3, "gelu", 1e-3, True, True, False),
          case(real(2, 3, 2), real(2, 1, 2)), mode="eval"),
    layer("Transformer", case(2, 2, 1, 1, 2, 0.0, "gelu", batch_first=True),
          case(real(2, 2, 2), real(2, 3, 2)), order=1,
          reason="the layers it holds are checked at order 2"),
]
