"""Rows of losses: with a margin, of distributions, and of alignments."""

from typing import Any

import numpy as np
from samples_layers import Layer, layer, weighted
from samples_nn import functional, quietly
from sampling import Case, Sample, case, fixed, real, row, whole

__all__ = ["LOSSES", "LOSS_LAYERS", "LOSS_PRIMITIVES"]

# fmt: off
X, CLASSES, POSITIVE = real(3, 4), fixed([0, 1, 3]), real(3, 4, of="positive")
SIGNS, FOUR = fixed([[1.0, -1, 1, -1]] * 3), fixed([1.0, -1, 1, -1])
LABELS = fixed([[0, 2, -1, 1], [3, -1, 0, 0], [-1, 0, 0, 0]])
SCALES = weighted(real(4))


CHECKED = "the values of targets and lengths are checked"


def every(name: str, *args: Any, more: tuple[Case, ...] = (), **fields: Any) -> Sample:
    """A loss in every reduction, by its new and by its old arguments."""
    return functional(name, case(*args), *(case(*args, reduction=how) for how in ("sum", "none")),
                      case(*args, size_average=False), case(*args, reduce=False), *more,
                      call=quietly, **fields)


def by_scores(ctc_loss: Any, scores: Any, *args: Any, **params: Any) -> Any:
    """CTC takes log-probabilities; PyTorch's gradient is right through log_softmax only."""
    return ctc_loss(scores.log_softmax(-1), *args, **params)


PADDED, ROW = fixed([[1, 2, 1], [3, 3, 0]]), fixed([1, 2, 1, 3, 3])
LENGTHS = (fixed([6, 5]), fixed([3, 2]))
SCORES = real(6, 2, 4)

LOSSES = [
    every("cosine_embedding_loss", X, X, fixed([1, -1, 0]), more=(
        case(X, X, fixed([1, -1, 1]), -0.5), case(real(4), real(4), fixed(1)),
        case(X, X, fixed([-1.0, -1, 1]), 0.2, reduction="none"))),
    every("hinge_embedding_loss", X, SIGNS, more=(case(X, FOUR, 0.3),
          case(X, fixed([1, 0, -1, 2])))),
    every("margin_ranking_loss", real(4), real(4), FOUR, more=(
        case(X, X, SIGNS, 0.5), case(real(), real(), fixed(-1.0)))),
    every("multi_margin_loss", X, CLASSES, vmap=CHECKED, more=(
        case(X, CLASSES, 2, 0.5, SCALES), case(X, CLASSES, weight=SCALES, reduction="none"),
        case(real(4), fixed(2), reduction="none"), case(real(4), fixed([2]), reduction="none"))),
    every("multilabel_margin_loss", X, LABELS, vmap=CHECKED, more=(
        case(real(4), fixed([0, 2, -1, 1])), case(X, fixed([[0, 0, 2, -1], [3, 2, 1, 0],
             [1, -1, 1, 2]]), reduction="none"))),
    every("multilabel_soft_margin_loss", X, real(3, 4, of="unit"), more=(
        case(X, real(3, 4, of="unit"), real(4)), case(real(4), real(4, of="unit")))),
    every("soft_margin_loss", X, SIGNS, more=(case(X, weighted(X)), case(real(), fixed(-1.0)))),
    functional("triplet_margin_loss", case(X, X, X), case(X, X, X, 0.5, 1.0, 1e-3, True),
               *(case(X, X, X, swap=True, reduction=how) for how in ("sum", "none")),
               case(real(4), real(4), real(4)), case(X, real(1, 4), X, 2.0, 3), case(X, X, X,
               size_average=False), call=quietly),
    functional("triplet_margin_with_distance_loss", case(X, X, X),
               *(case(X, X, X, swap=True, margin=0.3, reduction=how) for how in ("sum", "none")),
               case(X, X, X, distance_function=lambda a, b: ((a - b) ** 2).sum(-1))),
    every("poisson_nll_loss", X, POSITIVE, more=(
        case(X, real(3, 4, of="above one"), full=True),
        case(POSITIVE, POSITIVE, False, eps=0.1), case(POSITIVE, real(3, 4, of="unit"), False,
        True, reduction="none"))),
    functional("gaussian_nll_loss", case(X, X, POSITIVE), case(X, X, real(3, 1, of="positive")),
               *(case(X, X, POSITIVE, full=True, reduction=how) for how in ("sum", "none")),
               case(X, X, real(3, of="positive")),
               case(X, X, real(1, 4, of="positive")), case(X, X, 0.5), case(X, real(4), POSITIVE,
               eps=0.1)),
    functional("gaussian_nll_loss", case(X, X, POSITIVE, eps=5.0), order=0,
               reason="a variance below eps counts as eps, and has its own gradient, on purpose"),
    every("kl_div", X, POSITIVE, more=(
        case(X, POSITIVE, reduction="batchmean"), case(X, X, reduction="batchmean",
        log_target=True), case(X, real(4, of="positive"), reduction="none"),
        case(real(), real(of="positive"), reduction="batchmean"))),
    functional("ctc_loss", case(SCORES, PADDED, *LENGTHS),
               *(case(SCORES, PADDED, *LENGTHS, reduction=how) for how in ("sum", "none")),
               case(SCORES, ROW, *LENGTHS), case(SCORES, fixed([0, 1]), (6, 4), (1, 1), 2),
               case(real(5, 3), fixed([1, 2]), fixed(5), fixed(2)),
               case(SCORES, PADDED, fixed([6, 2]), fixed([3, 2]), zero_infinity=True),
               case(SCORES, PADDED, fixed([6, 4]), fixed([3, 0]), reduction="none"),
               call=by_scores, vmap=CHECKED),
]

SHORT = {"frames": np.array([4, 3]), "lengths": np.array([2, 1]), "blank": 0}
LOSS_PRIMITIVES = [
    row("primitive.ctc", case(real(4, 2, 3), targets=np.array([[1, 2], [2, 0]]),
                              zero_infinity=False, **SHORT),
        case(real(4, 2, 3), targets=np.array([[1, 1], [1, 0]]), zero_infinity=True, **SHORT),
        case(real(4, 1, 3), targets=np.array([[0, 0, 0]]), frames=np.array([4]),
             lengths=np.array([3]), blank=2, zero_infinity=True), torch=None, primitive="ctc"),
]

LOSS_LAYERS: list[Layer] = [
    layer("CosineEmbeddingLoss", case(0.1), case(X, X, fixed([1, -1, 1]))),
    layer("HingeEmbeddingLoss", case(0.5, reduction="sum"), case(X, SIGNS)),
    layer("MarginRankingLoss", case(0.2), case(real(4), real(4), FOUR)),
    layer("MultiLabelMarginLoss", case(reduction="none"), case(X, LABELS)),
    layer("MultiLabelSoftMarginLoss", case(SCALES), case(X, real(3, 4, of="unit"))),
    layer("MultiMarginLoss", case(2, 0.5, SCALES), case(X, CLASSES)),
    layer("MultiMarginLoss", case(), case(X, CLASSES)),
    layer("SoftMarginLoss", case(reduction="sum"), case(X, SIGNS)),
    layer("TripletMarginLoss", case(0.7, swap=True), case(X, X, X)),
    layer("TripletMarginWithDistanceLoss", case(swap=True), case(X, X, X)),
    layer("PoissonNLLLoss", case(full=True), case(X, POSITIVE)),
    layer("PoissonNLLLoss", case(log_input=False, eps=0.1), case(POSITIVE, POSITIVE)),
    layer("GaussianNLLLoss", case(full=True), case(X, X, POSITIVE)),
    layer("KLDivLoss", case(reduction="batchmean"), case(X, POSITIVE)),
    layer("KLDivLoss", case(reduction="sum", log_target=True), case(X, X)),
    layer("CTCLoss", case(), case(SCORES, PADDED, *LENGTHS), torch=False,
          reason="PyTorch's gradient is that of the scores before log_softmax"),
    layer("NLLLoss2d", case(weighted(real(3))), case(real(2, 3, 2, 1), whole(2, 2, 1, below=3))),
]
