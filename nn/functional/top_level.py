"""Functions of nn with the arguments that PyTorch gives them at its top level.

There they are the C++ functions behind `nn.functional`: reductions are the numbers 0, 1 and 2 for
"none", "mean" and "sum" (0 if left out, whatever PyTorch's stubs say), arguments stand in another
order, and those about cuDNN, which say what a GPU may use, change nothing on a CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad import from_numpy
from tensorgrad.nn import functional as F
from tensorgrad.nn.functional.dropout import check_probability, dropped
from tensorgrad.nn.functional.linear import shrink_rows
from tensorgrad.nn.functional.piecewise import randomly_leaky
from tensorgrad.random import Generator
from tensorgrad.tensor import Tensor
from tensorgrad.views.following import before_write, write

_REDUCTIONS = ("none", "mean", "sum")
_INTERPOLATIONS = ("bilinear", "nearest", "bicubic")
_PADDINGS = ("zeros", "border", "reflection")


def _word(name: str, what: str, number: int, words: Sequence[str]) -> str:
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"{name}(): argument '{what}' must be int, not {type(number).__name__}")
    if not 0 <= number < len(words):
        raise RuntimeError(
            f"{name}(): {what}={number} is none of "
            + ", ".join(f"{i} ({word})" for i, word in enumerate(words))
        )
    return words[number]


# --- Losses ---------------------------------------------------------------------------------------


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    pos_weight: Tensor | None = None,
    reduction: int = 0,
) -> Tensor:
    """See `nn.functional.binary_cross_entropy_with_logits`."""
    how = _word("binary_cross_entropy_with_logits", "reduction", reduction, _REDUCTIONS)
    return F.binary_cross_entropy_with_logits(
        input, target, weight, pos_weight=pos_weight, reduction=how
    )


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 0
) -> Tensor:
    """See `nn.functional.cosine_embedding_loss`."""
    how = _word("cosine_embedding_loss", "reduction", reduction, _REDUCTIONS)
    return F.cosine_embedding_loss(input1, input2, target, margin, reduction=how)


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: int = 0,
    zero_infinity: bool = False,
) -> Tensor:
    """See `nn.functional.ctc_loss`."""
    how = _word("ctc_loss", "reduction", reduction, _REDUCTIONS)
    return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, how, zero_infinity)


def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, reduction: int = 0
) -> Tensor:
    """See `nn.functional.hinge_embedding_loss`."""
    how = _word("hinge_embedding_loss", "reduction", reduction, _REDUCTIONS)
    return F.hinge_embedding_loss(input, target, margin, reduction=how)


def kl_div(
    input: Tensor, target: Tensor, reduction: int = 0, *, log_target: bool = False
) -> Tensor:
    """See `nn.functional.kl_div`."""
    how = _word("kl_div", "reduction", reduction, _REDUCTIONS)
    if how == "mean":  # over all elements, of which nn.functional's warns
        return F.kl_div(input, target, reduction="none", log_target=log_target).mean()
    return F.kl_div(input, target, reduction=how, log_target=log_target)


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 0
) -> Tensor:
    """See `nn.functional.margin_ranking_loss`."""
    how = _word("margin_ranking_loss", "reduction", reduction, _REDUCTIONS)
    return F.margin_ranking_loss(input1, input2, target, margin, reduction=how)


def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int
) -> Tensor:
    """See `nn.functional.poisson_nll_loss`."""
    how = _word("poisson_nll_loss", "reduction", reduction, _REDUCTIONS)
    return F.poisson_nll_loss(input, target, log_input=log_input, full=full, eps=eps, reduction=how)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-06,
    swap: bool = False,
    reduction: int = 0,
) -> Tensor:
    """See `nn.functional.triplet_margin_loss`."""
    how = _word("triplet_margin_loss", "reduction", reduction, _REDUCTIONS)
    return F.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction=how)


# --- Normalisation --------------------------------------------------------------------------------


def batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    """See `nn.functional.batch_norm`."""
    return F.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
    cudnn_enabled: bool = True,
) -> Tensor:
    """See `nn.functional.group_norm`."""
    return F.group_norm(input, num_groups, weight, bias, eps)


def instance_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    """See `nn.functional.instance_norm`."""
    return F.instance_norm(
        input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps
    )


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
    cudnn_enable: bool = True,
) -> Tensor:
    """See `nn.functional.layer_norm`."""
    return F.layer_norm(input, normalized_shape, weight, bias, eps)


# --- Dropout --------------------------------------------------------------------------------------


def _drop(name: str, input: Tensor, p: float, train: bool, inplace: bool, **how: Any) -> Tensor:
    try:
        check_probability(name, input, p)
    except ValueError as error:
        raise RuntimeError(str(error)) from None  # as PyTorch's functions of the top level raise it
    return dropped(name, input, p, train, inplace, **how)


def dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Each element zeroed with probability p while training; see `nn.functional.dropout`."""
    return _drop("dropout", input, p, train, False)


def dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`dropout` in place."""
    return _drop("dropout_", input, p, train, True)


def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Each channel of (N, C, ...) zeroed with probability p while training."""
    return _drop("feature_dropout", input, p, train, False, axes=2)


def feature_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`feature_dropout` in place."""
    return _drop("feature_dropout_", input, p, train, True, axes=2)


def alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Dropout for SELU; see `nn.functional.alpha_dropout`."""
    return _drop("alpha_dropout", input, p, train, False, alpha=True)


def alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`alpha_dropout` in place."""
    return _drop("alpha_dropout_", input, p, train, True, alpha=True)


def feature_alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """`alpha_dropout` of whole channels of (N, C, ...)."""
    return _drop("feature_alpha_dropout", input, p, train, False, axes=2, alpha=True)


def feature_alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`feature_alpha_dropout` in place."""
    return _drop("feature_alpha_dropout_", input, p, train, True, axes=2, alpha=True)


def rrelu(
    input: Tensor,
    lower: float = 0.125,
    upper: float = 0.3333333333333333,
    training: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """See `nn.functional.rrelu`; drawn from the generator given."""
    return randomly_leaky("rrelu", input, lower, upper, training, generator)


def rrelu_(
    input: Tensor,
    lower: float = 0.125,
    upper: float = 0.3333333333333333,
    training: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """`rrelu` in place."""
    leaky = randomly_leaky("rrelu_", before_write(input), lower, upper, training, generator)
    out: Tensor = write(input, leaky, "rrelu_")
    return out


# --- Others ---------------------------------------------------------------------------------------


def embedding_bag(
    weight: Tensor,
    indices: Tensor,
    offsets: Tensor,
    scale_grad_by_freq: bool = False,
    mode: int = 0,
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`nn.functional.embedding_bag` with its workings: (output, offset2bag, bag_size, max_indices).

    mode: 0 for "sum", 1 for "mean", 2 for "max".  offset2bag: the bag of each index; bag_size: how
    many indices count in each; max_indices: (bags, d), which row has the maximum, for mode 2, else
    zeros (bags,).
    """
    how = _word("embedding_bag", "mode", mode, ("sum", "mean", "max"))
    if indices.ndim != 1 or offsets.ndim != 1:
        raise RuntimeError(
            "embedding_bag(): expected indices and offsets of one dimension, got "
            f"{indices.ndim} and {offsets.ndim}"
        )
    out = F.embedding_bag(
        indices, weight, offsets, None, 2, scale_grad_by_freq, how, sparse, per_sample_weights,
        include_last_offset, padding_idx,
    )  # fmt: skip
    rows, table = indices.numpy(), weight.detach().numpy()
    starts = offsets.numpy()[: out.shape[0]]
    bags = np.searchsorted(starts, np.arange(len(rows)), side="right") - 1
    skipped = -1 if padding_idx is None else padding_idx % len(table)
    counts = rows != skipped
    sizes = np.bincount(bags[counts], minlength=len(starts))
    largest = np.zeros((len(starts), *((table.shape[1],) if mode == 2 else ())), rows.dtype)
    if mode == 2:
        for bag in np.flatnonzero(sizes):
            mine = rows[counts & (bags == bag)]
            largest[bag] = mine[table[mine].argmax(0)]
    workings = (bags, sizes, largest)
    second, third, fourth = (from_numpy(np.asarray(w, rows.dtype)) for w in workings)
    return out, second, third, fourth


def embedding(
    weight: Tensor,
    indices: Tensor,
    padding_idx: int = -1,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Rows of a weight; see `nn.functional.embedding`.  A negative padding_idx stands for none."""
    padding = padding_idx if padding_idx >= 0 else None
    return F.embedding(
        indices, weight, padding, scale_grad_by_freq=scale_grad_by_freq, sparse=sparse
    )


def embedding_renorm_(input: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> Tensor:
    """The rows of a weight that ``indices`` name, scaled down in place to a norm at most."""
    shrink_rows(input, indices, max_norm, norm_type)
    return input


def adaptive_max_pool1d(input: Tensor, output_size: Any) -> Any:
    """The maxima and where they stand; see `nn.functional.adaptive_max_pool1d`."""
    return F.adaptive_max_pool1d(input, output_size, return_indices=True)


def max_pool1d_with_indices(
    input: Tensor,
    kernel_size: Any,
    stride: Any = (),
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
) -> Any:
    """The maxima and where they stand; see `nn.functional.max_pool1d`."""
    return F.max_pool1d(
        input, kernel_size, stride or None, padding, dilation, ceil_mode, return_indices=True
    )


def constant_pad_nd(input: Tensor, pad: Sequence[int], value: float = 0) -> Tensor:
    """A border of one value; see `nn.functional.pad`."""
    return F.pad(input, pad, "constant", value)


def affine_grid_generator(theta: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    """See `nn.functional.affine_grid`."""
    return F.affine_grid(theta, size, align_corners)


def grid_sampler(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """See `nn.functional.grid_sample`.

    interpolation_mode: 0 bilinear, 1 nearest, 2 bicubic.  padding_mode: 0 zeros, 1 border,
    2 reflection.
    """
    mode = _word("grid_sampler", "interpolation_mode", interpolation_mode, _INTERPOLATIONS)
    padding = _word("grid_sampler", "padding_mode", padding_mode, _PADDINGS)
    return F.grid_sample(input, grid, mode, padding, align_corners)


def grid_sampler_2d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """`grid_sampler` of images."""
    return grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners)


def grid_sampler_3d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """`grid_sampler` of volumes."""
    return grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners)
