"""Random tensors whose law another tensor gives: Bernoulli, binomial, Poisson, multinomial, normal.

All draw from a `Generator`, the default one unless another is given.  Their gradient is zero, as in
PyTorch: how a sample changes with its law's parameters is not a derivative of these functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.batching.value import is_batched
from tensorgrad.creation import check_options, finish, real_dtype, size_of
from tensorgrad.graph.node import TensorBase, wrap
from tensorgrad.primitive import recorded
from tensorgrad.random import Generator, rng_of
from tensorgrad.sampling import cast, normal_array

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["bernoulli", "binomial", "multinomial", "normal", "poisson"]


def _floating(input: Any, name: str) -> None:
    if input._array.dtype.kind != "f":
        raise NotImplementedError(
            f"{name}: not implemented for {input.dtype}; it needs a floating-point tensor"
        )


def _drawn(array: Any, kind: np.dtype[Any], *inputs: Any) -> Tensor:
    """The sample, recorded with a gradient of zero where an input requires grad."""
    out: Any = wrap(cast(array, kind))
    for given in inputs:
        if isinstance(given, TensorBase) and given._requires_grad:
            zero = recorded.mask(given, mask=np.zeros((), bool))
            if zero._array.dtype != kind:
                zero = recorded.astype(zero, dtype=kind)
            out = recorded.add(out, zero)
    return out  # type: ignore[no-any-return]


def bernoulli(
    input: Tensor, p: float | None = None, *, generator: Generator | None = None
) -> Tensor:
    """1 with the probability that the input gives at each place (or everywhere p), else 0.

    The result has the input's shape and dtype.
    """
    kind, chance = input._array.dtype, input._array
    if p is None:
        _floating(input, "bernoulli")
    else:
        chance = np.full(chance.shape, float(p))
    if not is_batched(input) and not np.all((chance >= 0) & (chance <= 1)):
        raise RuntimeError(
            "bernoulli: expected p_in >= 0 && p_in <= 1, but found probabilities outside [0, 1]"
        )
    return _drawn(rng_of(generator).random(chance.shape) < chance, kind, input)


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Counts of Poisson's law with the rates that the input gives; the input's dtype."""
    _floating(input, "poisson")
    if np.any(input._array < 0):
        raise RuntimeError("poisson: invalid Poisson rate, expected rate to be non-negative")
    rates = input._array.astype(np.float64)
    return _drawn(rng_of(generator).poisson(rates), input._array.dtype, input)


def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """How many of ``count`` trials succeed, each with probability ``prob``; they broadcast."""
    for name, given in (("count", count), ("prob", prob)):
        if given._array.dtype.kind != "f":
            raise ValueError(
                f"binomial only supports floating-point dtypes for {name}, got: {given.dtype}"
            )
    if count._array.dtype != prob._array.dtype:
        raise RuntimeError(
            f"binomial: found dtype {count.dtype} for count but {prob.dtype} for prob"
        )
    trials = np.floor(np.maximum(count._array, 0)).astype(np.int64)
    chance = np.clip(prob._array.astype(np.float64), 0, 1)
    if np.isnan(chance).any() or np.isnan(count._array).any():
        raise RuntimeError("binomial: count or prob is nan")
    return _drawn(rng_of(generator).binomial(trials, chance), count._array.dtype, count, prob)


def multinomial(
    input: Tensor,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Places along the last dimension, drawn with probabilities proportional to the input there.

    input: weights of shape (n,) or (rows, n); returns int64 of shape (num_samples,) or
    (rows, num_samples).  Without replacement no place comes twice.
    """
    weights: Any = input._array
    if weights.ndim not in (1, 2):
        raise RuntimeError(f"multinomial: prob_dist must be 1 or 2 dim, got {weights.ndim}")
    if weights.dtype.kind != "f":
        raise RuntimeError(
            f"multinomial only supports floating-point dtypes for input, got: {input.dtype}"
        )
    if num_samples <= 0:
        raise RuntimeError(f"multinomial: cannot sample n_sample <= 0 samples, got {num_samples}")
    places = weights.shape[-1]
    if not replacement and num_samples > places:
        raise RuntimeError(
            "multinomial: cannot sample n_sample > prob_dist.size(-1) samples without replacement, "
            f"got {num_samples} > {places}"
        )
    weights = weights.astype(np.float64)
    if not np.all((weights >= 0) & np.isfinite(weights)):
        raise RuntimeError(
            "multinomial: probability tensor contains either `inf`, `nan` or element < 0"
        )
    total = weights.sum(-1, keepdims=True)
    if np.any(total <= 0):
        raise RuntimeError(
            "multinomial: invalid multinomial distribution (sum of probabilities <= 0)"
        )
    rng = rng_of(generator)
    if replacement:
        bounds = np.cumsum(weights, -1)
        bounds /= bounds[..., -1:]
        spots = rng.random((*weights.shape[:-1], num_samples))
        rows = zip(bounds.reshape(-1, places), spots.reshape(-1, num_samples), strict=True)
        found = [np.searchsorted(bound, spot, side="right") for bound, spot in rows]
        drawn = np.array(found, np.int64).reshape(spots.shape)
        # a spot in the last rounding error belongs to the last place that has any weight
        last = places - 1 - np.argmax(weights[..., ::-1] > 0, -1)
        return wrap(np.minimum(drawn, last[..., None]))
    # The race of exponential clocks: the order of E / w is a draw without replacement.
    with np.errstate(divide="ignore"):
        times = rng.standard_exponential(weights.shape) / weights
    return wrap(np.argsort(times, axis=-1, kind="stable")[..., :num_samples].astype(np.int64))


def normal(
    mean: Any,
    std: Any = 1.0,
    size: Sequence[int] | None = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Normal numbers with the given means and standard deviations.

    mean, std: tensors that broadcast, or numbers; with two numbers ``size`` is needed, and
    ``dtype`` and ``requires_grad`` are for that form only.
    """
    check_options(device, layout, pin_memory)
    given = [value for value in (mean, std) if isinstance(value, TensorBase)]
    if not given:
        if size is None:
            raise TypeError("normal: size is needed when mean and std are numbers")
        if std < 0:
            raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
        kind = real_dtype(dtype)
        array = normal_array(rng_of(generator), size_of((tuple(size),)), kind)
        return finish(np.asarray(array * std + mean).astype(kind, copy=False), requires_grad)
    if size is not None or dtype is not None or requires_grad:
        raise TypeError("normal: size, dtype and requires_grad go with a mean and std of numbers")
    for value in given:
        if value._array.dtype.kind not in "fc":
            raise NotImplementedError(f"normal: not implemented for {value._array.dtype}")
    m, s = (v._array if isinstance(v, TensorBase) else v for v in (mean, std))
    if isinstance(std, TensorBase) and std._array.dtype.kind == "c":
        raise RuntimeError("normal expects standard deviation to be non-complex")
    if not np.all(np.greater_equal(s, 0)):
        raise RuntimeError("normal expects all elements of std >= 0.0")
    kind = given[0]._array.dtype
    try:
        shape = np.broadcast_shapes(np.shape(m), np.shape(s))
    except ValueError:
        raise RuntimeError(
            f"normal: mean of shape {list(np.shape(m))} and std of shape {list(np.shape(s))} do "
            "not broadcast"
        ) from None
    array = normal_array(rng_of(generator), shape, kind)
    return _drawn(array * s + m, kind, mean, std)
