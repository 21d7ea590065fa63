"""Losses over classes: cross-entropy of logits, and of log-probabilities."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from tensorgrad.batching import Batch, everything
from tensorgrad.errors import describe
from tensorgrad.nn.functional.checks import (
    choice,
    expect_tensor,
    legacy_reduction,
    optional_tensor,
)
from tensorgrad.ops import elementwise, indexing, reduction, shape
from tensorgrad.ops import softmax as ops
from tensorgrad.ops.kinds import every
from tensorgrad.primitive import recorded
from tensorgrad.tensor import Tensor

__all__ = ["cross_entropy", "nll_loss"]

Array = np.ndarray[Any, Any]
_INT64 = np.dtype(np.int64)
_REDUCTIONS = ("none", "mean", "sum")


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-log softmax(input)[target] over the class dimension, which is 1 (0 for a single sample).

    input: logits (C,), (N, C) or (N, C, d1, ...).
    target: classes, int64 of shape (), (N,) or (N, d1, ...), or probabilities of input's shape.
    weight: one factor per class (C,); the mean over classes' targets is then weighted.
    ignore_index: targets of this class count nothing.
    label_smoothing: this share of each target is spread evenly over all classes.
    """
    name = "cross_entropy"
    reduction = _check(name, input, target, weight, size_average, reduce, reduction)
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(
            f"{name}(): label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}"
        )
    if input._array.shape == target._array.shape:
        if ignore_index >= 0:
            raise RuntimeError(
                f"{name}(): ignore_index is not supported for floating point target, got "
                f"{ignore_index}"
            )
        return _of_probabilities(input, target, weight, reduction, label_smoothing)
    rows, classes = _flattened(name, input, target)
    if label_smoothing == 0 and weight is None and reduction != "none":
        # What nearly every training step is: nothing ignored, every sample with one factor.
        count = _class_count(input)
        if _all_inside(classes, count) and not 0 <= ignore_index < count:
            share = 1 / len(classes) if reduction == "mean" else 1.0
            even = _even(len(classes), share, rows._array.dtype.char)
            return ops.cross_entropy(rows, target=classes, weight=even)
    classes, kept, factors = _counted(name, input, target, classes, weight, ignore_index)
    out_shape = target._array.shape if input.ndim > 1 else ()
    divisor = _divisor(factors, kept, reduction)
    factors, kept = factors / divisor, kept / divisor
    if label_smoothing == 0:
        if reduction == "none":
            return _picked(ops.log_softmax(rows, axis=1), classes, factors, out_shape)
        total = ops.cross_entropy(rows, target=classes, weight=factors)
    else:
        # One row of coefficients per sample: its own class's share, and what is spread over all.
        count = rows._array.shape[1]
        spread = np.full(count, label_smoothing / count, kept.dtype)
        if weight is not None:
            spread = spread * weight._array
        own = np.equal(classes[:, None], np.arange(count)) * factors[:, None]
        shares = kept[:, None] * spread + own * kept.dtype.type(1 - label_smoothing)
        sums = _total(elementwise.mul(ops.log_softmax(rows, axis=1), shares), 1)
        losses = _where_counted(elementwise.neg(sums), kept)
        if reduction == "none":
            return shape.reshape(losses, shape=out_shape)
        total = _total(losses, None)
    return _or_nan(total, kept, reduction)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-input[target] over the class dimension of log-probabilities; see `cross_entropy`."""
    name = "nll_loss"
    reduction = _check(name, input, target, weight, size_average, reduce, reduction)
    rows, classes = _flattened(name, input, target)
    classes, kept, factors = _counted(name, input, target, classes, weight, ignore_index)
    factors = factors / _divisor(factors, kept, reduction)
    out_shape = target._array.shape if input.ndim > 1 else ()
    losses = _picked(rows, classes, factors, out_shape)
    return losses if reduction == "none" else _or_nan(_total(losses, None), kept, reduction)


def _divisor(factors: Array, kept: Array, how: str) -> Any:
    """What the mean divides by: the factors of the targets that count."""
    if how == "mean" and isinstance(kept, Batch):
        return np.where(kept.sum() > 0, factors.sum(), 1)
    return factors.sum() if how == "mean" and kept.any() else factors.dtype.type(1)


def _or_nan(total: Tensor, kept: Array, how: str) -> Tensor:
    """The mean of nothing is NaN; its gradient is 0, as in PyTorch, not NaN in every logit."""
    if how == "mean" and isinstance(kept, Batch):
        return elementwise.where(kept.sum() > 0, total, float("nan"))
    return elementwise.add(total, float("nan")) if how == "mean" and not kept.any() else total


def _check(
    name: str,
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    size_average: bool | None,
    reduce: bool | None,
    reduction: str,
) -> str:
    """Check what both losses have in common; the reduction that is meant."""
    expect_tensor(name, "input", input)
    expect_tensor(name, "target", target)
    optional_tensor(name, "weight", weight)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce, reduction)
    choice(name, "reduction", reduction, _REDUCTIONS)
    if input._array.dtype.kind != "f":
        raise NotImplementedError(
            f"{name}(): expected an input of floating-point numbers, got {describe(input)}; "
            "convert it with .float()"
        )
    if weight is not None:
        shape_, count = weight._array.shape, _class_count(input)
        if shape_ != (count,):
            raise RuntimeError(
                f"{name}(): weight tensor should be defined either for all {count} classes or no "
                f"classes but got weight tensor of shape: {list(shape_)}"
            )
    return reduction


def _class_count(input: Tensor) -> int:
    shape_ = input._array.shape
    return shape_[1] if len(shape_) > 1 else shape_[0] if shape_ else 0


def _flattened(name: str, input: Tensor, target: Tensor) -> tuple[Tensor, Array]:
    """Samples as rows (M, C) and their classes (M,), after a check of the shapes and dtypes."""
    x, t = input._array, target._array
    if x.ndim == 2 and t.dtype is _INT64 and t.shape == x.shape[:1]:  # as mostly
        return input, t
    if x.ndim > 1 and (t.ndim == 0 or t.shape[0] != x.shape[0]):
        raise ValueError(
            f"{name}(): Expected input batch_size ({x.shape[0]}) to match target batch_size "
            f"({t.shape[0] if t.ndim else 1}): got input {describe(input)} and target "
            f"{describe(target)}"
        )
    if t.dtype not in (np.int64, np.uint8):
        if x.ndim > 1 and t.ndim > 1 and t.dtype.kind == "f" and x.ndim != t.ndim + 1:
            raise RuntimeError(
                f"{name}(): a target of class probabilities must have the input's shape, got input "
                f"{describe(input)} and target {describe(target)}"
            )
        raise RuntimeError(
            f"{name}(): expected target dtype to be Long or Byte (int64 or uint8), but got "
            f"{describe(target)}; convert classes with .long()"
        )
    if x.ndim == 0 or (x.ndim == 1 and t.size != 1) or (x.ndim == 1 and t.ndim > 1):
        raise RuntimeError(
            f"{name}(): expected an input (C,) with a target (), or (N, C, ...) with (N, ...), got "
            f"input {describe(input)} and target {describe(target)}"
        )
    if x.ndim > 1 and t.shape != (x.shape[0], *x.shape[2:]):
        raise RuntimeError(
            f"{name}(): size mismatch (got input: {list(x.shape)}, target: {list(t.shape)}); "
            f"Expected target size {[x.shape[0], *x.shape[2:]]} for classes"
        )
    classes = t.reshape(-1).astype(np.int64, copy=False)
    if x.ndim == 2:
        return input, classes
    if x.ndim == 1:
        return shape.reshape(input, shape=(1, len(x))), classes
    rows = shape.permute(input, axes=(0, *range(2, x.ndim), 1))
    return shape.reshape(rows, shape=(len(classes), x.shape[1])), classes


# Up to so many numbers Python looks through sooner than NumPy begins.
_FEW = 64


def _all_inside(classes: Array, count: int) -> bool:
    """Whether int64 numbers, and there are some, are classes."""
    if not classes.size:
        return False
    if type(classes) is np.ndarray:
        if classes.size <= _FEW:
            numbers = classes.tolist()
            return bool(min(numbers) >= 0 and max(numbers) < count)
        # Negative ones as the large unsigned numbers that they are.
        return bool(np.maximum.reduce(classes.view(np.uint64)) < count)
    return bool(classes.min() >= 0 and classes.max() < count)


@lru_cache(maxsize=64)
def _even(count: int, share: float, kind: str) -> Array:
    """The same factor for every sample; shared, so read-only."""
    factors = np.full(count, share, np.dtype(kind))
    factors.flags.writeable = False
    return factors


def _counted(
    name: str,
    input: Tensor,
    target: Tensor,
    classes: Array,
    weight: Tensor | None,
    ignore_index: int,
) -> tuple[Array, Array, Array]:
    """Classes, 1 where they count, their factors, each (M,); an ignored target has all three 0."""
    kind = input._array.dtype
    if weight is not None:
        if weight._array.dtype != kind:
            raise RuntimeError(
                f"{name}(): expected weight of dtype {kind}, got {describe(weight)}; convert it"
            )
        if weight.requires_grad:
            raise RuntimeError(
                f"{name}(): not differentiable with respect to argument 'weight' for class "
                "targets; this input cannot have requires_grad=True: detach() it"
            )
    count = _class_count(input)
    ignored = classes == ignore_index
    outside = (classes < 0) | (classes >= count)
    outside &= ~ignored
    if outside.any():
        place = int(everything(outside).argmax())
        wrong = everything(classes).flat[place]
        raise IndexError(
            f"{name}(): Target {wrong} is out of bounds: element {place} of the target "
            f"{describe(target)} must be a class from 0 to {count - 1}, or ignore_index "
            f"({ignore_index})"
        )
    classes = np.where(ignored, 0, classes)
    kept = np.logical_not(ignored).astype(kind)
    return classes, kept, kept if weight is None else kept * np.take(weight._array, classes)


def _picked(logs: Tensor, classes: Array, factors: Array, out: tuple[int, ...]) -> Tensor:
    """-factor * logs[class] for every row, in the shape ``out``."""
    picked = indexing.gather(logs, index=classes[:, None], axis=1)
    losses = elementwise.mul(shape.reshape(picked, shape=factors.shape), np.negative(factors))
    return shape.reshape(_where_counted(losses, factors), shape=out)


def _where_counted(losses: Tensor, factors: Array) -> Tensor:
    """0 for what does not count, also where the logits are infinite or NaN."""
    counts = np.not_equal(factors, 0)
    return losses if every(counts) else recorded.mask(losses, mask=counts)


def _total(x: Any, axis: int | None) -> Tensor:
    return reduction.sum(x, axis=axis, keepdims=False)


def _of_probabilities(
    input: Tensor, target: Tensor, weight: Tensor | None, how: str, label_smoothing: float
) -> Tensor:
    """-sum_c weight_c * target_c * log softmax(input)_c."""
    if target._array.dtype.kind != "f":
        raise RuntimeError(
            "cross_entropy(): Expected floating point type for target with class probabilities, "
            f"got {describe(target)}"
        )
    axis = 0 if input.ndim == 1 else 1
    count = _class_count(input)
    shares: Any = target
    if label_smoothing > 0:
        shares = elementwise.add(
            elementwise.mul(target, 1 - label_smoothing), label_smoothing / max(count, 1)
        )
    if weight is not None:
        wide = (1,) * axis + (count,) + (1,) * (input.ndim - axis - 1)
        shares = elementwise.mul(shares, shape.reshape(weight, shape=wide))
    logs = ops.log_softmax(input, axis=axis)
    products = elementwise.mul(logs, shares)
    if how == "none":
        return elementwise.neg(_total(products, axis))
    total = elementwise.neg(_total(products, None))
    samples = input.numel() // count if count else 0
    if how == "mean":
        total = (
            elementwise.div(total, float(samples))
            if samples
            else elementwise.mul(total, float("nan"))
        )
    return total
