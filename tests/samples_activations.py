"""Rows of activations and dropout, as functions and as layers."""

from typing import Any

from samples_layers import KINKED, Layer, both, layer
from samples_nn import functional, inplace
from sampling import Sample, case, real, unary

__all__ = ["ACTIVATIONS", "ACTIVATION_LAYERS"]

# fmt: off
RANDOM = "another random stream than PyTorch's"
SIXTH = "PyTorch's gradient has a sixth in float32"
# Clear of -3, -1, -0.5, 0, 0.5, 1, 3 and 6: parts of whole numbers from 0.1 to 0.4 and 0.6 to 0.9.
STEPS = real(3, 4, of="fractions")


def stepped(name: str, *more: Any, **fields: Any) -> Sample:
    return functional(name, case(STEPS), case(real(of="fractions")), case(real(0, 2)), *more,
                      **fields)


def random(name: str, *cases: Any, **fields: Any) -> Sample:
    return functional(name, *cases, torch=None, reason=RANDOM, **fields)


ACTIVATIONS = [
    *(unary(f"nn.functional.{name}", "nonzero", primitive=None)
      for name in ("celu", "selu", "mish", "softsign", "tanhshrink")),
    functional("celu", case(KINKED, 0.5), case(KINKED, alpha=-2.0)),
    stepped("hardtanh", case(STEPS, -2, 0.5)), stepped("relu6"), stepped("hardswish"),
    stepped("hardsigmoid", differs={"single": SIXTH}), stepped("hardshrink", case(STEPS, 0.95)),
    stepped("softshrink", case(STEPS, lambd=1)),
    functional("threshold", case(STEPS, 0.5, 2), case(STEPS, -1, -0.5)),
    functional("rrelu", case(KINKED), case(KINKED, 0.1, 0.9), case(KINKED, 0.5, 0.5, True)),
    *(functional(name, case(KINKED), call=inplace) for name in ("celu_", "selu_", "rrelu_")),
    functional("hardtanh_", case(STEPS, -2, 0.5), call=inplace),
    functional("threshold_", case(STEPS, 0.5, 2), call=inplace),
    *(functional(name, case(STEPS, inplace=True), call=inplace)
      for name in ("hardswish", "relu6", "mish")),
    functional("hardsigmoid", case(STEPS, inplace=True), call=inplace, differs={"single": SIXTH}),
    functional("prelu", case(KINKED, real(1)), case(KINKED, real(3)), case(real(of="nonzero"),
               real(1)), case(real(4, of="nonzero"), real(1)), case(real(4, of="nonzero"), real()),
               case(real(2, 3, 2, of="nonzero"), real(3)), case(real(0, 3), real(3))),
    functional("glu", case(real(2, 4)), case(real(2, 3), 0), case(real(1, 4, 2), dim=-2),
               case(real(0, 2))),
    random("gumbel_softmax", case(real(2, 3)), case(real(3, 2), 0.5, dim=0), case(real())),
    random("rrelu", case(KINKED, training=True)),
    random("dropout1d", case(real(2, 4, 3), 0.4), case(real(4, 2), 0.6)),
    random("dropout2d", case(real(2, 4, 2, 1), 0.4)),
    random("dropout3d", case(real(2, 3, 1, 2, 2), 0.4), case(real(4, 1, 2, 2), 0.5)),
    random("alpha_dropout", case(real(3, 4), 0.4, True)),
    random("feature_alpha_dropout", case(real(3, 4, 2), 0.4, True)),
    *(functional(name, case(real(2, 3, 2), 0.4, False), case(real(2, 3, 2), 1.0, True))
      for name in ("dropout1d", "alpha_dropout", "feature_alpha_dropout")),
]

ACTIVATION_LAYERS: list[Layer] = [
    *(layer(name, case(), case(STEPS)) for name in (
        "CELU", "SELU", "Mish", "Softsign", "Tanhshrink", "Hardshrink", "Hardswish", "Hardtanh",
        "ReLU6", "Softshrink", "PReLU")),
    layer("Hardsigmoid", case(), case(STEPS), torch=False, reason=SIXTH),
    layer("CELU", case(0.5), case(STEPS)),
    layer("Hardtanh", case(-2, 0.5), case(STEPS)),
    layer("PReLU", case(3, 0.1), case(KINKED), case(real(2, 3, 2, of="nonzero"))),
    layer("Threshold", case(0.5, 2), case(STEPS)),
    layer("GLU", case(1), case(real(2, 4))),
    layer("Softmax2d", case(), case(real(2, 3, 2, 1)), case(real(3, 1, 2))),
    layer("RReLU", case(0.1, 0.4), case(KINKED), mode="eval"),
    layer("RReLU", case(0.1, 0.4), case(KINKED), torch=False, reason=RANDOM),
    *(layer(name, case(0.4), case(real(2, 4, 3)), torch=False, reason=RANDOM)
      for name in ("Dropout1d", "AlphaDropout", "FeatureAlphaDropout")),
    layer("Dropout2d", case(0.4), case(real(2, 4, 2, 1)), torch=False, reason=RANDOM),
    layer("Dropout3d", case(0.4), case(real(2, 2, 1, 2, 2)), torch=False, reason=RANDOM),
    *(layer(name, case(0.4), case(real(2, 4, 3, 1, 1)), mode="eval")
      for name in ("Dropout3d", "AlphaDropout", "FeatureAlphaDropout")),
    *both("Dropout1d", case(0.0), case(real(2, 3))),
]
