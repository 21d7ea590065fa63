"""Rows of nn.functional."""

import warnings
from typing import Any

from sampling import SHAPE_VARIES, Case, Sample, case, real, row, unary, whole

__all__ = ["FUNCTIONAL"]

# fmt: off


def functional(name: str, *cases: Case, **fields: Any) -> Sample:
    return row(f"nn.functional.{name}", *cases, **fields)


def activation(name: str, **fields: Any) -> Sample:
    return unary(f"nn.functional.{name}", "nonzero", primitive=None, **fields)


def inplace(function: Any, input: Any, *args: Any, **params: Any) -> Any:
    """An in-place function on a copy: a leaf that requires grad must not be written."""
    copy = input.clone()
    result = function(copy, *args, **params)
    assert result is copy
    return result


def quietly(function: Any, *args: Any, **params: Any) -> Any:
    """A call that warns, as PyTorch's does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **params)


def pairs(name: str, of: str = "any", **params: Any) -> Sample:
    """A loss of two tensors, in every reduction and with broadcasting."""
    return functional(
        name, case(real(2, 3, of=of), real(2, 3, of=of), **params),
        *(case(real(2, 3, of=of), real(2, 3, of=of), reduction=how, **params) for how in ("sum",
        "none")),
        case(real(of=of), real(of=of), **params), case(real(2, 3, of=of), real(1, 3, of=of),
        **params),
        call=quietly,
    )


WHOLE = "whole numbers are refused: BLAS has no product of them"
INTEGERS = {"int64": WHOLE, "int32": WHOLE}
LOGITS, CLASSES = real(4, 3), whole(4, below=3)
IMAGE = real(2, 2, 4, 5)

FUNCTIONAL = [
    activation("relu"), activation("sigmoid"), activation("tanh"), activation("silu"),
    activation("logsigmoid"), activation("gelu"),
    functional("gelu", case(real(2, 3), approximate="tanh")),
    functional("relu", case(real(2, 3, of="nonzero"))),
    functional("leaky_relu", case(real(2, 3, of="nonzero")),
              case(real(2, 3, of="nonzero"), 0.3), case(real(of="nonzero"))),
    functional("elu", case(real(2, 3, of="nonzero")), case(real(2, 3, of="nonzero"), 0.5),
              case(real(of="nonzero"))),
    *(functional(name, case(real(2, 3, of="nonzero")), call=inplace) for name in ("relu_", "elu_",
    "leaky_relu_")),
    functional("softplus", case(real(2, 3)), case(real(2, 3), beta=2),
              case(real(2, 3), beta=3, threshold=1)),
    *(functional(name, case(real(2, 3), 1), case(real(2, 3), dim=0), case(real(2, 3, 2), -2),
                 case(real(3), 0), case(real(0, 3), dim=1))
      for name in ("softmax", "log_softmax", "softmin")),
    functional("linear", case(real(2, 3), real(4, 3), real(4)), case(real(3), real(2, 3)),
               case(real(2, 2, 3), real(1, 3), real(1)), case(real(2, 3), real(3)),
               case(real(0, 3), real(2, 3))),
    functional("embedding", case(whole(2, 3, below=4), real(4, 2)),
              case(whole(below=4), real(4, 2))),
    functional("embedding", case(whole(9, below=4), real(4, 2), padding_idx=1), order=0,
               reason="the row of padding_idx is used and has no gradient, on purpose"),
    functional("one_hot", case(whole(3, below=4), 5),
              case(whole(2, 2, below=3)), differentiable=False, vmap=SHAPE_VARIES),
    functional("dropout", case(real(2, 3), training=False), case(real(2, 3), 0.0)),
    functional("dropout", case(real(3, 4), 0.3), case(real(8), 0.5), case(real(3), 1.0), torch=None,
               reason="another random stream than PyTorch's"),
    pairs("mse_loss"), pairs("l1_loss"), pairs("smooth_l1_loss"), pairs("huber_loss"),
    pairs("smooth_l1_loss", beta=0.3), pairs("huber_loss", delta=0.4),
    functional("mse_loss", case(real(2, 3), real(2, 3), weight=real(2, 3, of="positive",
              grad=False))),
    functional("binary_cross_entropy", *(
        case(real(2, 3, of="unit"), real(2, 3, of="unit"), **how) for how in (
            {}, {"reduction": "sum"}, {"reduction": "none"}, {"weight": real(3, of="positive",
            grad=False)}))),
    functional("binary_cross_entropy_with_logits", *(
        case(real(2, 3), real(2, 3, of="unit"), **how) for how in (
            {}, {"reduction": "sum"}, {"reduction": "none"}, {"weight": real(3, of="positive",
            grad=False)},
            {"pos_weight": real(3, of="positive", grad=False)}))),
    functional("cross_entropy", case(LOGITS, CLASSES), case(real(3), whole(below=3)),
               *(case(LOGITS, CLASSES, reduction=how) for how in ("sum", "none")),
               case(LOGITS, CLASSES, weight=real(3, of="positive", grad=False)),
               case(LOGITS, CLASSES, weight=real(3, of="positive", grad=False), reduction="none"),
               case(LOGITS, CLASSES, ignore_index=1), case(LOGITS, CLASSES, label_smoothing=0.2),
               case(LOGITS, CLASSES, real(3, of="positive", grad=False), ignore_index=0,
               label_smoothing=0.1),
               case(real(2, 3, 2), whole(2, 2, below=3)), case(LOGITS, real(4, 3, of="unit")),
               case(LOGITS, real(4, 3, of="unit"), label_smoothing=0.1, reduction="sum"),
               case(real(2, 3, 2), real(2, 3, 2, of="unit"), real(3, of="positive", grad=False))),
    functional("nll_loss", case(LOGITS, CLASSES), case(LOGITS, CLASSES, real(3, of="positive",
              grad=False)),
               *(case(LOGITS, CLASSES, reduction=how) for how in ("sum", "none")),
               case(LOGITS, CLASSES, ignore_index=2), case(real(2, 3, 2), whole(2, 2, below=3)),
               case(real(3), whole(below=3))),
    functional("batch_norm", case(real(3, 2), None, None, training=True),
               case(real(3, 2), None, None, real(2), real(2), True, eps=1e-3),
               case(real(2, 2, 3), None, None, real(2), None, True, eps=0.1),
               case(real(2, 2, 2, 2), real(2, grad=False), real(2, of="positive", grad=False),
               real(2), real(2)),
               case(real(2, 3), real(3, grad=False), real(3, of="positive", grad=False))),
    functional("conv1d", case(real(2, 2, 5), real(3, 2, 2), real(3)),
               case(real(2, 6), real(2, 1, 3), None, 2, 1, 2, 2),
               case(real(1, 1, 4), real(1, 1, 2), padding="same"), differs=INTEGERS),
    functional("conv2d", case(real(1, 2, 4, 3), real(3, 2, 2, 2), real(3)),
              case(real(2, 3, 3), real(2, 2, 1, 1)),
               case(real(2, 2, 3, 4), real(2, 1, 2, 2), real(2), (2, 1), (1, 2), (1, 2), 2),
               case(IMAGE, real(1, 2, 3, 3), padding="same"),
               case(IMAGE, real(1, 2, 2, 3), padding="valid"),
               case(real(1, 1, 4, 8), real(2, 1, 3, 5), real(2), padding=2),
               case(real(1, 4, 3, 3), real(4, 1, 2, 2), groups=4),
               case(real(0, 2, 3, 3), real(1, 2, 2, 2)), differs=INTEGERS),
    functional("conv3d", case(real(1, 1, 3, 2, 3), real(2, 1, 2, 1, 2), real(2)),
               case(real(1, 2, 2, 3, 3), real(2, 1, 2, 2, 2), None, (1, 2, 1), 1, 1, 2),
               differs=INTEGERS),
    functional("max_pool2d", case(real(1, 2, 4, 4, of="distinct"), 2),
              case(real(2, 4, 5, of="distinct"), (2, 3), 1),
               case(real(1, 1, 5, 5, of="distinct"), 3, 2, 1),
               case(real(1, 1, 5, 4, of="distinct"), 2, ceil_mode=True),
               case(real(1, 1, 5, 5, of="distinct"), 2, 1, dilation=2),
               case(real(1, 1, 4, 4, of="distinct"), 3, 2, 1, return_indices=True)),
    functional("max_pool2d_with_indices", case(real(1, 2, 4, 4, of="distinct"), 2),
               case(real(1, 1, 5, 5, of="distinct"), 3, 2, 1)),
    functional("avg_pool2d", case(IMAGE, 2), case(real(2, 4, 5), (2, 3), 1), case(IMAGE, 3, 2, 1),
               case(IMAGE, 3, 2, 1, count_include_pad=False), case(IMAGE, 2, ceil_mode=True),
               case(IMAGE, 3, 2, 1, True, False), case(IMAGE, 2, divisor_override=3),
               differs={"int64": "a mean of whole numbers is refused, as for mean()"}),
    functional("adaptive_avg_pool2d", case(IMAGE, 1), case(IMAGE, (2, 3)),
              case(real(2, 4, 5), (None, 2)), case(IMAGE, (3, 7))),
    functional("pad", case(real(2, 3), (1, 2)), case(real(2, 3), (1, 0, 0, 2), value=1.5),
              case(real(3, 4), (-1, 1)),
               *(case(real(1, 2, 3, 4), (1, 2, 2, 0), mode) for mode in ("reflect", "replicate",
               "circular")),
               case(real(2, 3), (1, 2), "replicate"), case(real(1, 2, 3), (1, 2), "circular"),
               case(real(1, 3, 4, 4), (-1, 1, 2, -1), "circular"),
               case(real(1, 4), (1, -2), "reflect")),
]
