"""Losses with their own linear layers: cross-entropy after one, and the adaptive softmax."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from tensorgrad.errors import describe
from tensorgrad.graph.node import wrap
from tensorgrad.nn import functional as F
from tensorgrad.nn.container import ModuleList, Sequential
from tensorgrad.nn.linear import Linear
from tensorgrad.nn.loss import _WeightedLoss
from tensorgrad.nn.module import Module
from tensorgrad.ops import elementwise, indexing
from tensorgrad.ops import shape as shape_ops
from tensorgrad.tensor import Tensor

__all__ = ["AdaptiveLogSoftmaxWithLoss", "LinearCrossEntropyLoss"]


class LinearCrossEntropyLoss(_WeightedLoss):
    """Cross-entropy of a linear layer's outputs; see `functional.linear_cross_entropy`.

    out_features: the further dimensions of the targets.  options: None.
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        device: Any = None,
        dtype: Any = None,
        reduction: str = "mean",
        weight: Tensor | None = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        options: Any = None,
    ) -> None:
        if weight is not None and tuple(weight.shape) != (num_classes,):
            raise RuntimeError(
                f"LinearCrossEntropyLoss: expected weight shape to be {(num_classes,)}, got "
                f"{tuple(weight.shape)}"
            )
        if not 0 <= label_smoothing <= 1:
            raise RuntimeError(
                "LinearCrossEntropyLoss: expected label_smoothing to be in range [0, 1], got "
                f"{label_smoothing}"
            )
        super().__init__(weight, reduction=reduction)
        self.num_classes = num_classes
        self.out_features = out_features
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        self.options = options
        outputs = num_classes * prod(out_features)
        self.linear = Linear(in_features, outputs, bias, device, dtype)

    def reset_parameters(self) -> None:
        """Draw the linear layer's weights anew."""
        self.linear.reset_parameters()

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        outputs = (self.num_classes, *self.out_features)
        bias = self.linear.bias
        return F.linear_cross_entropy(
            input,
            self.linear.weight.reshape(*outputs, self.linear.in_features),
            target,
            linear_bias=None if bias is None else bias.reshape(*outputs),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            options=self.options,
            label_smoothing=self.label_smoothing,
        )

    def extra_repr(self) -> str:
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, "
            f"out_features={self.out_features}, bias={self.linear.bias is not None}, "
            f"reduction={self.reduction}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}, options={self.options}"
        )


class _ASMoutput(NamedTuple):
    """The log-probability of each sample's class, and minus their mean."""

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """A softmax over many classes, sorted by frequency, in clusters (Grave et al., 2017).

    The head scores the classes before the first cutoff and one entry per further cluster; a
    cluster's own classes have a smaller layer, computed only for the samples that need it.

    cutoffs: where the clusters begin, rising.  div_value: cluster i has a layer of
    in_features // div_value**i.  head_bias: whether the head has a bias.
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        starts = list(cutoffs)
        if not starts:
            raise ValueError("AdaptiveLogSoftmaxWithLoss: cutoffs should not be empty")
        if (
            starts != sorted(set(starts))
            or not 0 < starts[0] <= starts[-1] < n_classes
            or any(int(c) != c for c in starts)
        ):
            raise ValueError(
                "AdaptiveLogSoftmaxWithLoss: cutoffs should be a sequence of unique, positive "
                "integers sorted in an increasing order, where each value is between 1 and "
                f"n_classes-1 ({n_classes - 1}), got {starts}"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*starts, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = starts[0]
        self.n_clusters = len(starts)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, head_bias, device, dtype)
        self.tail = ModuleList()
        for i, (low, high) in enumerate(zip(self.cutoffs, self.cutoffs[1:])):
            width = int(in_features // div_value ** (i + 1))
            self.tail.append(
                Sequential(
                    Linear(in_features, width, False, device, dtype),
                    Linear(width, high - low, False, device, dtype),
                )
            )

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        self.head.reset_parameters()
        for layers in self.tail:
            for layer in layers:
                layer.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> _ASMoutput:
        """(output, loss) of inputs (N, in) with targets (N,), or (in,) with a target ()."""
        single = target_.ndim == 0
        if target_.ndim > 1:
            raise RuntimeError(
                "AdaptiveLogSoftmaxWithLoss: 0D or 1D target tensor expected, multi-target not "
                f"supported: got {describe(target_)}"
            )
        if input_.ndim != 2 - single or (not single and len(input_) != len(target_)):
            raise RuntimeError(
                "AdaptiveLogSoftmaxWithLoss: Input and target should have the same size in the "
                f"batch dimension, got {describe(input_)} and {describe(target_)}"
            )
        rows = input_.unsqueeze(0) if single else input_
        classes = target_._array.reshape(-1)
        if classes.size and (classes.min() < 0 or classes.max() >= self.n_classes):
            raise RuntimeError(
                "AdaptiveLogSoftmaxWithLoss: Target values should be in "
                f"[0, {self.n_classes - 1}], but values in range [{classes.min()}, "
                f"{classes.max()}] were found."
            )
        cluster = np.searchsorted(self.cutoffs, classes, side="right")
        entry = np.where(cluster == 0, classes, self.shortlist_size + cluster - 1)
        head = F.log_softmax(self.head(rows), 1)
        output: Any = _picked(head, entry)
        for i, layers in enumerate(self.tail):
            places = np.flatnonzero(cluster == i + 1)
            if places.size:
                scores = layers(indexing.take_rows(rows, index=places, axis=0))
                own = _picked(F.log_softmax(scores, 1), classes[places] - self.cutoffs[i])
                part = indexing.index_put_rows(own, index=places, axis=0, shape=classes.shape)
                output = elementwise.add(output, part)
        loss = elementwise.neg(output).mean()
        return _ASMoutput(output.squeeze(0) if single else output, loss)

    def log_prob(self, input: Tensor) -> Tensor:
        """The log-probabilities of all classes, (N, n_classes)."""
        head = F.log_softmax(self.head(input), 1)
        parts = [head[:, : self.shortlist_size]]
        for i, layers in enumerate(self.tail):
            at = self.shortlist_size + i
            parts.append(elementwise.add(F.log_softmax(layers(input), 1), head[:, at : at + 1]))
        return shape_ops.cat(*parts, axis=1)

    def predict(self, input: Tensor) -> Tensor:
        """The most likely class of each sample: the head's, if that is no cluster."""
        best = self.head(input)._array.argmax(1)
        places = np.flatnonzero(best >= self.shortlist_size)
        if places.size:
            best[places] = self.log_prob(input[places])._array.argmax(1)
        return wrap(best.astype(np.int64, copy=False))


def _picked(logs: Tensor, classes: Any) -> Any:
    """One entry of each row."""
    return shape_ops.reshape(
        indexing.gather(logs, index=classes.astype(np.int64)[:, None], axis=1), shape=(-1,)
    )
