"""The base of all distributions: shapes, validation, what follows from other methods."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import tensorgrad as tg
from tensorgrad.distributions import constraints
from tensorgrad.distributions.parameters import always
from tensorgrad.graph.provenance import warn
from tensorgrad.size import Size
from tensorgrad.tensor import Tensor

__all__ = ["Distribution"]


class Distribution:
    """A law of random tensors.

    ``batch_shape``: independent laws that are held together; ``event_shape``: the shape of one
    outcome.  A sample has shape ``sample_shape + batch_shape + event_shape``, a log-probability
    ``sample_shape + batch_shape``.
    """

    has_rsample: Any = False
    has_enumerate_support = False
    arg_constraints: ClassVar[Any] = {}
    _validate_args = __debug__
    _parameters: ClassVar[tuple[str, ...]] = ()  # those that expand with the batch

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether distributions check their parameters and arguments, unless told otherwise."""
        if value not in (True, False):
            raise ValueError(f"set_default_validate_args: expected a bool, got {value!r}")
        Distribution._validate_args = value

    def __init__(
        self,
        batch_shape: Any = (),
        event_shape: Any = (),
        validate_args: bool | None = None,
    ) -> None:
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._check_parameters()

    def _check_parameters(self) -> None:
        for name, constraint in self.arg_constraints.items():
            if constraints.is_dependent(constraint) or name not in self.__dict__:
                continue
            value = getattr(self, name)
            if not always(constraint.check(value)):
                raise ValueError(
                    f"Expected parameter {name} ({type(value).__name__} of shape "
                    f"{tuple(value.shape)}) of distribution {self!r} to satisfy the constraint "
                    f"{constraint!r}, but found invalid values:\n{value}"
                )

    def expand(self, batch_shape: Any, _instance: Any = None) -> Self:
        """The same law for a larger batch; the parameters are expanded, as views."""
        shape = Size(batch_shape)
        new = type(self).__new__(type(self))
        for name in self._parameters:
            if name in self.__dict__:
                setattr(new, name, self._expanded(name, shape))
        for name, value in self.__dict__.items():
            new.__dict__.setdefault(name, value)
        new._batch_shape = shape
        return new

    def _expanded(self, name: str, batch_shape: Size) -> Tensor:
        value: Tensor = getattr(self, name)
        event = tuple(value.shape)[len(self._batch_shape) :]
        return value.expand(*batch_shape, *event)

    @property
    def batch_shape(self) -> Size:
        """The shape of the independent laws."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one outcome."""
        return self._event_shape

    @property
    def support(self) -> Any:
        """The constraint that outcomes satisfy."""
        raise NotImplementedError(f"{type(self).__name__}.support")

    @property
    def mean(self) -> Tensor:
        """The mean."""
        raise NotImplementedError(f"{type(self).__name__}.mean")

    @property
    def mode(self) -> Tensor:
        """The most probable outcome."""
        raise NotImplementedError(f"{type(self).__name__} does not implement mode")

    @property
    def variance(self) -> Tensor:
        """The variance."""
        raise NotImplementedError(f"{type(self).__name__}.variance")

    @property
    def stddev(self) -> Tensor:
        """The standard deviation."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Outcomes without a gradient."""
        with tg.no_grad():
            return self.rsample(sample_shape)

    def sample_n(self, n: int) -> Tensor:
        """``sample((n,))``: PyTorch's old name, with its warning."""
        warn("sample_n(n) will be deprecated. Use .sample((n,)) instead.")
        return self.sample((n,))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Outcomes as differentiable functions of the parameters."""
        raise NotImplementedError(f"{type(self).__name__}.rsample")

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density, or of the probability, at value."""
        raise NotImplementedError(f"{type(self).__name__}.log_prob")

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of outcomes up to value."""
        raise NotImplementedError(f"{type(self).__name__}.cdf")

    def icdf(self, value: Tensor) -> Tensor:
        """The outcome up to which the probability is value."""
        raise NotImplementedError(f"{type(self).__name__}.icdf")

    def entropy(self) -> Tensor:
        """The mean of -log_prob."""
        raise NotImplementedError(f"{type(self).__name__}.entropy")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All outcomes of a discrete law, along a new first dimension."""
        raise NotImplementedError(f"{type(self).__name__}.enumerate_support")

    def perplexity(self) -> Tensor:
        """e to the entropy."""
        return self.entropy().exp()

    def _extended_shape(self, sample_shape: Any = ()) -> Size:
        return Size((*tuple(sample_shape), *self._batch_shape, *self._event_shape))

    def _validate_sample(self, value: Any) -> None:
        """Refuse what log_prob, cdf and icdf cannot judge."""
        if not self._validate_args:
            return
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        depth = value.ndim - len(self._event_shape)
        if tuple(value.shape)[max(depth, 0) :] != tuple(self._event_shape):
            raise ValueError(
                "The right-most size of value must match event_shape: "
                f"{tuple(value.shape)} vs {tuple(self._event_shape)}."
            )
        wanted = self._extended_shape()
        for i, j in zip(reversed(value.shape), reversed(wanted), strict=False):
            if i != 1 and j != 1 and i != j:
                raise ValueError(
                    f"Value is not broadcastable with batch_shape+event_shape: "
                    f"{tuple(value.shape)} vs {tuple(wanted)}."
                )
        try:
            support = self.support
        except NotImplementedError:
            return
        if not always(support.check(value)):
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) "
                f"to be within the support ({support!r}) of the distribution {self!r}, but found "
                f"invalid values:\n{value}"
            )

    def __repr__(self) -> str:
        names = [name for name in self.arg_constraints if name in self.__dict__]
        parts = [(name, self.__dict__[name]) for name in names]
        words = ", ".join(
            f"{name}: {value if value.numel() == 1 else value.size()}"
            for name, value in parts
            if isinstance(value, Tensor)
        )
        return f"{type(self).__name__}({words})"
