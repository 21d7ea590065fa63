"""Rows of nn's layers and losses: how each is made, and what it is called with."""

import dataclasses
import warnings
from dataclasses import dataclass
from typing import Any

from sampling import Call, Case, Drawn, case, draw, real, whole

__all__ = ["CONTAINERS", "LAYERS", "Layer"]


@dataclass(frozen=True)
class Layer:
    """A Module: the arguments of its constructor, and one call per case.

    mode: "train" or "eval"; a row of training is run in evaluation too.  order: to which its
    gradients are checked.  torch: whether PyTorch's gives the same; if not, ``reason`` says why.
    """

    name: str
    made: Case
    cases: tuple[Case, ...]
    mode: str = "train"
    order: int = 2
    torch: bool = True
    reason: str = ""

    @property
    def random(self) -> bool:
        """Whether it differs from PyTorch's only by the numbers it draws while training."""
        return "random" in self.reason

    @property
    def compared(self) -> tuple[str, ...]:
        """The modes in which PyTorch's gives the same: random numbers differ in training only.

        A row of evaluation alone is beside one of training.
        """
        if self.torch:
            return ("train", "eval") if self.mode == "train" else ("eval",)
        return ("eval",) if self.random else ()

    def module(self) -> Any:
        """The layer in float64, with the parameters of a fixed seed."""
        from tensorgrad import manual_seed, nn

        manual_seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # an old name
            made = Call(self.draw_made()).run(getattr(nn, self.name))
        made.double()
        if hasattr(made, "has_uninitialized_params"):  # lazy until its first call
            Call(self.draw(0)).run(made.eval())
        return made.train(self.mode == "train")

    def draw_made(self) -> Case:
        """The constructor's arguments with their arrays drawn."""
        return draw(self.made, self.name, 0)

    def draw(self, number: int) -> Case:
        """A case with its arrays drawn."""
        return draw(self.cases[number], self.name, number)


def layer(name: str, made: Case, *cases: Case, **fields: Any) -> Layer:
    return Layer(name, made, cases, **fields)


def both(name: str, made: Case, *cases: Case) -> list[Layer]:
    """A layer whose training and evaluation differ."""
    return [layer(name, made, *cases), layer(name, made, *cases, mode="eval")]


def weighted(shape: Drawn) -> Drawn:
    """Factors of a loss: not differentiated."""
    return dataclasses.replace(shape, grad=False, domain="positive")


# fmt: off
IMAGE = real(2, 2, 4, 5)
LOGITS, CLASSES = real(4, 3), whole(4, below=3)
KINKED = real(2, 3, of="nonzero")

# Modules that only hold others, or are bases of others: tested where they are used.
CONTAINERS = ("DataParallel", "Module", "ModuleDict", "ModuleList", "ParameterDict",
              "ParameterList", "Sequential", "RNNBase", "RNNCellBase", "TransformerDecoder",
              "TransformerEncoder")

LAYERS = [
    layer("Linear", case(3, 2), case(real(2, 3)), case(real(3)), case(real(2, 2, 3))),
    layer("Linear", case(3, 2, bias=False), case(real(2, 3))),
    layer("Embedding", case(4, 3), case(whole(2, 2, below=4))),
    layer("Embedding", case(4, 3, padding_idx=1), case(whole(9, below=4)), order=0,
          reason="the row of padding_idx is used and has no gradient, on purpose"),
    layer("Conv1d", case(2, 3, 2, stride=2, padding=1), case(real(2, 2, 5))),
    layer("Conv2d", case(2, 3, 2), case(IMAGE), case(real(2, 3, 3))),
    layer("Conv2d", case(2, 4, (2, 3), (2, 1), (1, 2), groups=2, bias=False), case(IMAGE)),
    layer("Conv2d", case(2, 2, 3, padding="same", padding_mode="reflect"), case(IMAGE)),
    layer("Conv2d", case(2, 2, 3, padding=1, padding_mode="circular"), case(IMAGE)),
    layer("Conv3d", case(1, 2, 2), case(real(1, 1, 2, 3, 2))),
    *both("BatchNorm1d", case(3), case(real(4, 3)), case(real(2, 3, 2))),
    *both("BatchNorm2d", case(2, eps=1e-3, momentum=0.3), case(IMAGE)),
    layer("BatchNorm2d", case(2, affine=False, track_running_stats=False), case(IMAGE)),
    layer("BatchNorm2d", case(2, momentum=None), case(IMAGE)),
    layer("BatchNorm3d", case(2), case(real(2, 2, 2, 1, 2))),
    layer("MaxPool2d", case(2), case(real(1, 2, 4, 4, of="distinct"))),
    layer("MaxPool2d", case(3, 2, 1, return_indices=True, ceil_mode=True),
              case(real(1, 1, 4, 4, of="distinct"))),
    layer("AvgPool2d", case(2, 1, count_include_pad=False), case(IMAGE)),
    layer("AdaptiveAvgPool2d", case((2, None)), case(IMAGE)),
    layer("Dropout", case(0.4), case(real(3, 4)), torch=False,
              reason="another random stream than PyTorch's"),
    layer("Dropout", case(0.4), case(real(3, 4)), mode="eval"),
    layer("Flatten", case(), case(IMAGE)),
    layer("Flatten", case(0, 1), case(IMAGE)),
    layer("LazyLinear", case(2), case(real(2, 3))),
    layer("LazyConv1d", case(2, 2, groups=2), case(real(1, 4, 3))),
    layer("LazyConv2d", case(2, 2, bias=False), case(IMAGE), case(real(2, 3, 3))),
    layer("LazyConv3d", case(2, 1, padding=1), case(real(1, 2, 1, 2, 1))),
    layer("LazyConvTranspose1d", case(2, 2, groups=2), case(real(1, 4, 3))),
    layer("LazyConvTranspose2d", case(3, 2, stride=2), case(IMAGE)),
    layer("LazyConvTranspose3d", case(2, 1, bias=False), case(real(1, 2, 1, 2, 1))),
    layer("LazyBatchNorm1d", case(), case(real(4, 3))),
    layer("LazyBatchNorm2d", case(bias=False), case(IMAGE)),
    layer("LazyBatchNorm3d", case(affine=False), case(real(2, 2, 2, 1, 2))),
    layer("LazyInstanceNorm1d", case(), case(real(2, 3, 3))),
    layer("LazyInstanceNorm2d", case(), case(IMAGE)),
    layer("LazyInstanceNorm3d", case(track_running_stats=False), case(real(1, 2, 2, 1, 2))),
    layer("Unflatten", case(1, (1, 2)), case(real(3, 2))),
    layer("Identity", case(), case(real(2, 3))),
    layer("ReLU", case(), case(KINKED)),
    layer("LeakyReLU", case(0.2), case(KINKED)),
    layer("ELU", case(0.7), case(KINKED)),
    *(layer(name, case(), case(real(2, 3))) for name in ("Sigmoid", "Tanh", "SiLU", "LogSigmoid",
    "Softplus", "GELU")),
    layer("GELU", case("tanh"), case(real(2, 3))),
    *(layer(name, case(dim=1), case(real(2, 3))) for name in ("Softmax", "LogSoftmax", "Softmin")),
    layer("CrossEntropyLoss", case(), case(LOGITS, CLASSES)),
    layer("CrossEntropyLoss", case(weighted(real(3)), ignore_index=0, reduction="sum",
              label_smoothing=0.1),
          case(LOGITS, CLASSES)),
    layer("NLLLoss", case(), case(LOGITS, CLASSES)),
    layer("NLLLoss", case(weighted(real(3)), reduction="none"), case(LOGITS, CLASSES)),
    *(layer(name, case(reduction=how), case(real(2, 3), real(2, 3)))
      for name in ("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss") for how in ("mean", "none")),
    layer("BCELoss", case(), case(real(2, 3, of="unit"), real(2, 3, of="unit"))),
    layer("BCEWithLogitsLoss", case(), case(real(2, 3), real(2, 3, of="unit"))),
    layer("BCEWithLogitsLoss", case(pos_weight=weighted(real(3))),
              case(real(2, 3), real(2, 3, of="unit"))),
]
