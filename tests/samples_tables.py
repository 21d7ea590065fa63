"""Rows of bilinear maps, table look-ups in bags, and losses with their own linear layers."""

import numpy as np
from samples_layers import Layer, layer
from samples_nn import functional
from sampling import OWN_LENGTHS, case, fixed, real, whole

__all__ = ["TABLES", "TABLE_LAYERS"]

# fmt: off
WHOLE = dict.fromkeys(("int64", "int32"), "whole numbers: BLAS has no product of them")
INDICES, STARTS = fixed([1, 2, 4, 5, 4, 3, 2, 0]), fixed([0, 4, 4, 7])
BAGS, TABLE = fixed([[1, 2, 4], [4, 3, 0]]), real(6, 3)
# All different, so that no maximum is a tie.
STEPS = real(6, 3, of="distinct")
COUNTED = {"vmap": "which rows are looked up, and how often, decides the shapes within"}
CLASSES = fixed([0, 1, 2, 3, 3])
ENDS = fixed(np.array([2, 5], np.int32))
GROUPED = "PyTorch's takes 32-bit floats whose rows are multiples of 16 bytes only"

TABLES = [
    functional("bilinear", case(real(2, 3), real(2, 4), real(5, 3, 4), real(5)),
               case(real(2, 1, 3), real(2, 1, 2), real(1, 3, 2)), case(real(3), real(2),
               real(2, 3, 2)), case(real(0, 3), real(0, 2), real(2, 3, 2))),
    *(functional("embedding_bag", case(INDICES, table, STARTS, mode=mode), case(BAGS, table,
                 mode=mode), case(BAGS, table, mode=mode, padding_idx=4), case(INDICES, table,
                 fixed([0, 3, 8]), mode=mode, include_last_offset=True),
                 case(fixed([[4, 4], [1, 4]]), table, mode=mode, padding_idx=-2), **COUNTED)
      for mode, table in (("sum", TABLE), ("mean", TABLE), ("max", STEPS))),
    functional("embedding_bag",
               case(INDICES, TABLE, STARTS, mode="sum", per_sample_weights=real(8)),
               case(BAGS, TABLE, mode="sum", per_sample_weights=real(2, 3)),
               case(BAGS, TABLE, mode="sum", per_sample_weights=real(2, 3), padding_idx=4),
               **COUNTED),
    functional("embedding", case(fixed([1, 1, 2, 1]), TABLE, scale_grad_by_freq=True), order=0,
               **COUNTED,
               reason="the gradient is divided by the frequency of each index, on purpose"),
    functional("conv_tbc", case(real(5, 2, 3), real(2, 3, 4), real(4), 1),
               case(real(3, 1, 2), real(3, 2, 1), real(1)), differs=WHOLE),
    functional("native_channel_shuffle", case(real(1, 6, 2, 1), 3),
               differs={"gradient": "PyTorch has none for this name"}),
    functional("pdist", case(real(4, 3)), *(case(real(4, 3), p) for p in (1.0, 3.0, float("inf"))),
               case(real(1, 3)), case(real(3, 1), 2.5)),
    functional("pdist", case(fixed([[1.0, 2], [1, 2], [0, 0]]), 1.5), case(real(3, 2, grad=False),
               0), differentiable=False),
    functional("grouped_mm", case(real(5, 3), real(2, 3, 4), offs=ENDS),
               case(real(2, 5, 3), real(3, 7), offs=ENDS), case(real(3, 5), real(5, 2), offs=ENDS),
               case(real(2, 5, 3), real(2, 3, 4)),
               case(real(7, 3), real(2, 3, 4), offs=ENDS, bias=real(4)),
               torch=None, vmap=OWN_LENGTHS, reason=GROUPED),
    functional("linear_cross_entropy", case(real(5, 3), real(4, 3), CLASSES),
               case(real(5, 3), real(4, 3), CLASSES, linear_bias=real(4), weight=real(4,
               of="positive", grad=False), reduction="sum", ignore_index=3, label_smoothing=0.1),
               case(real(5, 3), real(4, 3), CLASSES, reduction="none"),
               case(real(5, 3), real(4, 3), real(5, 4, of="unit")),
               case(real(3), real(4, 3), fixed(2)),
               case(real(2, 3), real(4, 2, 3), fixed([[0, 1], [2, 3]]), linear_bias=real(4, 2))),
]

TABLE_LAYERS: list[Layer] = [
    layer("Bilinear", case(3, 4, 2), case(real(2, 3), real(2, 4)), case(real(3), real(4))),
    layer("Bilinear", case(3, 2, 2, bias=False), case(real(2, 3), real(2, 2))),
    *(layer("EmbeddingBag", case(6, 3, mode=mode), case(INDICES, STARTS), case(BAGS))
      for mode in ("sum", "mean", "max")),
    layer("EmbeddingBag", case(6, 3, padding_idx=4, include_last_offset=True), case(BAGS),
          case(INDICES, fixed([0, 3, 8]))),
    layer("AdaptiveLogSoftmaxWithLoss", case(8, 12, [3, 6], 2.0, True),
          case(real(5, 8), fixed([0, 2, 4, 11, 6])), case(real(8), fixed(5)),
          case(real(3, 8), fixed([1, 0, 2]))),
    layer("LinearCrossEntropyLoss", case(3, 4), case(real(5, 3), CLASSES)),
    layer("LinearCrossEntropyLoss", case(3, 4, bias=True, out_features=(2,), reduction="sum"),
          case(real(2, 3), whole(2, 2, below=4))),
]
