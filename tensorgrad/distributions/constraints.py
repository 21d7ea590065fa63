"""Constraints: what values a parameter or a sample may take, as objects that check tensors.

``constraint.check(value)`` is a bool tensor, with one bool per event: the last ``event_dim``
dimensions of the value are judged together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorgrad as tg
from tensorgrad.tensor import Tensor

__all__ = [
    "Constraint",
    "MixtureSameFamilyConstraint",
    "boolean",
    "cat",
    "corr_cholesky",
    "dependent",
    "dependent_property",
    "greater_than",
    "greater_than_eq",
    "half_open_interval",
    "independent",
    "integer_interval",
    "interval",
    "is_dependent",
    "less_than",
    "lower_cholesky",
    "lower_triangular",
    "multinomial",
    "nonnegative",
    "nonnegative_integer",
    "one_hot",
    "positive",
    "positive_definite",
    "positive_integer",
    "positive_semidefinite",
    "real",
    "real_vector",
    "simplex",
    "square",
    "stack",
    "symmetric",
    "unit_interval",
]


class Constraint:
    """A set of values; subclasses say which."""

    is_discrete = False
    event_dim = 0

    def check(self, value: Tensor) -> Tensor:
        """Whether each event lies in the set."""
        raise NotImplementedError(f"{type(self).__name__}.check")

    def __repr__(self) -> str:
        name = type(self).__name__.strip("_")
        return name[0].upper() + name[1:] + "()"


class _Simple(Constraint):
    """A set given by a function and a name."""

    def __init__(
        self,
        name: str,
        holds: Callable[[Tensor], Any],
        discrete: bool = False,
        event_dim: int = 0,
    ) -> None:
        self._name, self._holds = name, holds
        self.is_discrete, self.event_dim = discrete, event_dim

    def check(self, value: Tensor) -> Tensor:
        return self._holds(value)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return self._name


class _Dependent(Constraint):
    """The set depends on other parameters: it is not checked."""

    def __init__(self, *, is_discrete: bool = False, event_dim: int = 0) -> None:
        self.is_discrete, self.event_dim = is_discrete, event_dim

    def check(self, value: Tensor) -> Tensor:
        raise ValueError("Cannot determine validity of dependent constraint")

    def __call__(self, *, is_discrete: bool = False, event_dim: int = 0) -> _Dependent:
        return _Dependent(is_discrete=is_discrete, event_dim=event_dim)


class dependent_property(property, _Dependent):
    """A support that is computed from the parameters."""

    def __init__(self, fn: Any = None, *, is_discrete: bool = False, event_dim: int = 0) -> None:
        property.__init__(self, fn)
        self.is_discrete, self.event_dim = is_discrete, event_dim

    def __call__(self, fn: Any) -> dependent_property:  # type: ignore[override]
        return dependent_property(fn, is_discrete=self.is_discrete, event_dim=self.event_dim)


def is_dependent(constraint: Any) -> bool:
    """Whether the set depends on other parameters."""
    return isinstance(constraint, _Dependent)


class independent(Constraint):
    """A constraint whose last dimensions are judged together."""

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        self.base_constraint = base_constraint
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims
        self.is_discrete = base_constraint.is_discrete
        self.event_dim = base_constraint.event_dim + reinterpreted_batch_ndims

    def check(self, value: Tensor) -> Tensor:
        result = self.base_constraint.check(value)
        count = self.reinterpreted_batch_ndims
        if result.ndim < count:
            raise ValueError(
                f"Expected value.dim() >= {self.event_dim} but got {value.ndim} "
                f"(shape {tuple(value.shape)})"
            )
        kept = tuple(result.shape)[: result.ndim - count]
        return result.reshape(*kept, -1).all(-1)

    def __repr__(self) -> str:
        return f"IndependentConstraint({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


class greater_than(Constraint):
    """Numbers above a bound."""

    def __init__(self, lower_bound: Any) -> None:
        self.lower_bound = lower_bound

    def check(self, value: Tensor) -> Tensor:
        return self.lower_bound < value  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"GreaterThan(lower_bound={self.lower_bound})"


class greater_than_eq(Constraint):
    """Numbers from a bound on."""

    def __init__(self, lower_bound: Any) -> None:
        self.lower_bound = lower_bound

    def check(self, value: Tensor) -> Tensor:
        return self.lower_bound <= value  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"GreaterThanEq(lower_bound={self.lower_bound})"


class less_than(Constraint):
    """Numbers below a bound."""

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound

    def check(self, value: Tensor) -> Tensor:
        return value < self.upper_bound  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"LessThan(upper_bound={self.upper_bound})"


class interval(Constraint):
    """Numbers from one bound to another, both among them."""

    _name = "Interval"

    def __init__(self, lower_bound: Any, upper_bound: Any) -> None:
        self.lower_bound, self.upper_bound = lower_bound, upper_bound

    def check(self, value: Tensor) -> Tensor:
        return (self.lower_bound <= value) & (value <= self.upper_bound)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"{self._name}(lower_bound={self.lower_bound}, upper_bound={self.upper_bound})"


class half_open_interval(interval):
    """Numbers from one bound on, below another."""

    _name = "HalfOpenInterval"

    def check(self, value: Tensor) -> Tensor:
        return (self.lower_bound <= value) & (value < self.upper_bound)  # type: ignore[no-any-return]


class integer_interval(interval):
    """Whole numbers from one bound to another, both among them."""

    is_discrete = True
    _name = "IntegerInterval"

    def check(self, value: Tensor) -> Tensor:
        return (value % 1 == 0) & super().check(value)


class multinomial(Constraint):
    """Counts that add up to at most a bound."""

    is_discrete = True
    event_dim = 1

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound

    def check(self, value: Tensor) -> Tensor:
        return (value >= 0).all(-1) & (value.sum(-1) <= self.upper_bound)  # type: ignore[no-any-return]


def along(what: str, dim: int, value: Tensor) -> None:
    """Refuse a dimension that the value has not."""
    if not -value.ndim <= dim < value.ndim:
        raise AssertionError(
            f"{what}: dim {dim} out of range for a value of {value.ndim} dimensions"
        )


class cat(Constraint):
    """A constraint for each of several pieces along a dimension, of given lengths (1 each)."""

    def __init__(self, cseq: Any, dim: int = 0, lengths: Any = None) -> None:
        self.cseq = list(cseq)
        if not all(isinstance(c, Constraint) for c in self.cseq):
            raise AssertionError(f"cat: expected Constraints, got {self.cseq!r}")
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.cseq):
            raise AssertionError(
                f"cat: lengths ({len(self.lengths)}) must match cseq ({len(self.cseq)})"
            )
        self.dim = dim
        self.is_discrete = any(c.is_discrete for c in self.cseq)
        self.event_dim = max(c.event_dim for c in self.cseq)

    def check(self, value: Tensor) -> Tensor:
        along("cat", self.dim, value)
        pieces = value.split(self.lengths, self.dim)
        checks = [c.check(piece) for c, piece in zip(self.cseq, pieces, strict=True)]
        return tg.cat(checks, self.dim)


class stack(Constraint):
    """A constraint for each place along a dimension."""

    def __init__(self, cseq: Any, dim: int = 0) -> None:
        self.cseq = list(cseq)
        if not all(isinstance(c, Constraint) for c in self.cseq):
            raise AssertionError(f"stack: expected Constraints, got {self.cseq!r}")
        self.dim = dim
        self.is_discrete = any(c.is_discrete for c in self.cseq)
        inner = max(c.event_dim for c in self.cseq)
        self.event_dim = inner + 1 if dim + inner < 0 else inner

    def check(self, value: Tensor) -> Tensor:
        along("stack", self.dim, value)
        checks = [
            c.check(piece) for c, piece in zip(self.cseq, value.unbind(self.dim), strict=True)
        ]
        return tg.stack(checks, self.dim)


class MixtureSameFamilyConstraint(Constraint):
    """What all laws of a mixture take: the value is judged by each of them."""

    def __init__(self, base_constraint: Constraint) -> None:
        if not isinstance(base_constraint, Constraint):
            raise AssertionError(
                f"base_constraint must be a Constraint, got {type(base_constraint).__name__}"
            )
        self.base_constraint = base_constraint
        self.is_discrete = base_constraint.is_discrete
        self.event_dim = base_constraint.event_dim

    def check(self, value: Tensor) -> Tensor:
        if value.ndim < self.event_dim:
            raise ValueError(f"Expected value.dim() >= {self.event_dim} but got {value.ndim}")
        found = self.base_constraint.check(value.unsqueeze(-1 - self.event_dim))
        kept = tuple(value.shape)[: value.ndim - self.event_dim]
        return found.reshape(*kept, -1).all(-1)

    def __repr__(self) -> str:
        return f"MixtureSameFamilyConstraint({self.base_constraint!r})"


def _one_hot(value: Tensor) -> Tensor:
    return ((value == 0) | (value == 1)).all(-1) & (value.sum(-1) == 1)


def _simplex(value: Tensor) -> Tensor:
    return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6)


def _whole_from(lowest: int) -> Callable[[Tensor], Tensor]:
    return lambda value: (value % 1 == 0) & (value >= lowest)


def _matrix(check: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """A check of square matrices, one bool each."""

    def holds(value: Tensor) -> Tensor:
        if value.shape[-1] != value.shape[-2]:
            return tg.zeros(value.shape[:-2], dtype=tg.bool)
        return check(value)

    return holds


def _all2(value: Any) -> Tensor:
    return value.flatten(-2).all(-1)  # type: ignore[no-any-return]


def _symmetric(value: Tensor) -> Tensor:
    return _all2(tg.isclose(value, value.mT, atol=1e-6))


def _definite(strictly: bool) -> Callable[[Tensor], Tensor]:
    def check(value: Tensor) -> Tensor:
        least = tg.linalg.eigvalsh(value)[..., 0]
        return _symmetric(value) & (least > 0 if strictly else least >= 0)

    return check


def _lower(value: Tensor) -> Tensor:
    return _all2(value.tril() == value)


def _unit_rows(value: Tensor) -> Tensor:
    tolerance = tg.finfo(value.dtype).eps * value.shape[-1] * 10
    return ((value.detach().norm(dim=-1) - 1).abs() <= tolerance).all(-1)  # type: ignore[no-any-return]


dependent = _Dependent()
boolean = _Simple("Boolean()", lambda v: (v == 0) | (v == 1), discrete=True)
one_hot = _Simple("OneHot()", _one_hot, discrete=True, event_dim=1)
nonnegative_integer = _Simple("IntegerGreaterThan(lower_bound=0)", _whole_from(0), discrete=True)
positive_integer = _Simple("IntegerGreaterThan(lower_bound=1)", _whole_from(1), discrete=True)
real = _Simple("Real()", lambda v: v == v)  # not NaN
real_vector = independent(real, 1)
positive = greater_than(0.0)
nonnegative = greater_than_eq(0.0)
unit_interval = interval(0.0, 1.0)
simplex = _Simple("Simplex()", _simplex, event_dim=1)
square = _Simple("Square()", _matrix(lambda v: tg.ones(v.shape[:-2], dtype=tg.bool)), event_dim=2)
symmetric = _Simple("Symmetric()", _matrix(_symmetric), event_dim=2)
lower_triangular = _Simple("LowerTriangular()", _matrix(_lower), event_dim=2)
lower_cholesky = _Simple(
    "LowerCholesky()",
    _matrix(lambda v: _lower(v) & (v.diagonal(dim1=-2, dim2=-1) > 0).all(-1)),
    event_dim=2,
)
corr_cholesky = _Simple(
    "CorrCholesky()", lambda v: lower_cholesky.check(v) & _unit_rows(v), event_dim=2
)
positive_definite = _Simple("PositiveDefinite()", _matrix(_definite(True)), event_dim=2)
positive_semidefinite = _Simple("PositiveSemidefinite()", _matrix(_definite(False)), event_dim=2)
