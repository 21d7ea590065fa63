"""In-place methods that fill a tensor with random numbers; none of them has a gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.graph.node import TensorBase, wrap
from tensorgrad.random import Generator, rng_of
from tensorgrad.sampling import cast, normal_array, uniform_array
from tensorgrad.views.following import write

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["InplaceRandomMethods"]


def _filled(tensor: Any, array: Any) -> Tensor:
    return write(tensor, wrap(cast(array, tensor._array.dtype)), "copy_")  # type: ignore[no-any-return]


def _continuous(tensor: Any, name: str, law: str) -> None:
    if tensor._array.dtype.kind != "f":
        raise RuntimeError(
            f"{name}: {law} distribution is a continuous probability distribution. dtype must be a "
            f"floating point but you specified {tensor.dtype}"
        )


class InplaceRandomMethods:
    """Random numbers, drawn from a `Generator` (the default one unless another is given)."""

    __slots__ = ()

    def uniform_(
        self: Any, from_: float = 0, to: float = 1, *, generator: Generator | None = None
    ) -> Tensor:
        """Uniform numbers on [from_, to)."""
        if from_ > to:
            raise RuntimeError(
                f"uniform_ expects to return a [from, to) range, but found from={from_} > to={to}"
            )
        drawn = uniform_array(rng_of(generator), self._array.shape, self._array.dtype)
        return _filled(self, drawn * (to - from_) + from_)

    def normal_(
        self: Any, mean: float = 0, std: float = 1, *, generator: Generator | None = None
    ) -> Tensor:
        """Normal numbers."""
        if std < 0:
            raise RuntimeError(f"normal_ expects std >= 0.0, but found std {std}")
        drawn = normal_array(rng_of(generator), self._array.shape, self._array.dtype)
        return _filled(self, drawn * std + mean)

    def log_normal_(
        self: Any, mean: float = 1, std: float = 2, *, generator: Generator | None = None
    ) -> Tensor:
        """e to the power of normal numbers with that mean and standard deviation."""
        _continuous(self, "log_normal_", "Log normal")
        if not std > 0:
            raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std}")
        drawn = normal_array(rng_of(generator), self._array.shape, self._array.dtype)
        return _filled(self, np.exp(drawn * std + mean))

    def cauchy_(
        self: Any, median: float = 0, sigma: float = 1, *, generator: Generator | None = None
    ) -> Tensor:
        """Cauchy's distribution around a median, half of it within sigma."""
        _continuous(self, "cauchy_", "Cauchy")
        if not sigma > 0:
            raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma}")
        drawn = rng_of(generator).standard_cauchy(self._array.shape)
        return _filled(self, drawn * sigma + median)

    def exponential_(self: Any, lambd: float = 1, *, generator: Generator | None = None) -> Tensor:
        """Waiting times of rate lambd: density lambd e^(-lambd x)."""
        _continuous(self, "exponential_", "Exponential")
        if not lambd > 0:
            raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
        drawn = rng_of(generator).standard_exponential(self._array.shape)
        # rounding to a narrower type must not give the 0 that the law never takes
        least = np.finfo(self._array.dtype).tiny
        return _filled(self, np.maximum(drawn / lambd, least))

    def geometric_(self: Any, p: float, *, generator: Generator | None = None) -> Tensor:
        """How many trials until the first success of probability p: 1, 2, ..."""
        if not 0 < p < 1:
            raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p}")
        if self._array.dtype.kind not in "iuf":
            raise NotImplementedError(f"geometric_: not implemented for {self.dtype}")
        return _filled(self, rng_of(generator).geometric(p, self._array.shape))

    def bernoulli_(self: Any, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
        """1 with probability p (a number, or a tensor that expands to this one), else 0."""
        shape = self._array.shape
        if self._array.dtype.kind == "c":
            raise NotImplementedError(f"bernoulli_: not implemented for {self.dtype}")
        if isinstance(p, TensorBase):
            chance: Any = p._array
            if chance.dtype.kind != "f":
                raise RuntimeError(
                    "bernoulli_: expected probabilities tensor to have floating type, got "
                    f"{chance.dtype}"
                )
            try:
                chance = np.broadcast_to(chance, shape)
            except ValueError:
                raise RuntimeError(
                    f"bernoulli_: probabilities of shape {list(chance.shape)} cannot be expanded "
                    f"to {list(shape)}"
                ) from None
        else:
            chance = p
        if not np.all((np.asarray(chance) >= 0) & (np.asarray(chance) <= 1)):
            raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p}")
        return _filled(self, rng_of(generator).random(shape) < chance)

    def random_(
        self: Any, from_: int = 0, to: int | None = None, *, generator: Generator | None = None
    ) -> Tensor:
        """Whole numbers from from_ to below to; of one number only, from 0 to below it.

        Without bounds: all that an integer type holds from 0 on, or a floating-point type exactly.
        """
        kind = self._array.dtype
        if kind.kind == "c":
            raise NotImplementedError(f"random_: not implemented for {self.dtype}")
        if kind.kind == "f":
            greatest = 2 ** (np.finfo(kind).nmant + 1)
        else:
            greatest = 1 if kind.kind == "b" else int(np.iinfo(kind).max)
        low, high = from_, to
        if to is None:
            low, high = (0, greatest + 1) if from_ == 0 else (0, from_)
        assert high is not None
        if low >= high:
            raise RuntimeError(
                f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"
            )
        least = -greatest if kind.kind == "f" else 0 if kind.kind in "bu" else -greatest - 1
        for what, value in (("from", low), ("to - 1", high - 1)):
            if not least <= value <= greatest:
                raise RuntimeError(f"random_: {what} is out of bounds for {self.dtype}: {value}")
        rng = rng_of(generator)
        if high > np.iinfo(np.int64).max:
            kinds = np.uint64 if high - 1 > np.iinfo(np.int64).max else np.int64
            return _filled(self, rng.integers(low, high - 1, self._array.shape, kinds, True))
        return _filled(self, rng.integers(low, high, self._array.shape))
