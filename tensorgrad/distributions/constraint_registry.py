"""From a constraint to a transform that maps all real numbers onto what it allows.

``biject_to(constraint)`` is invertible and has the Jacobian that change of variables needs;
``transform_to(constraint)`` may be neither, and is what an optimizer wants.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any

from tensorgrad.distributions import constraints, transforms
from tensorgrad.distributions.transform import Transform

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]


def _key(constraint: Any) -> Any:
    # The constraints without parameters share one class here, and are told apart by their names.
    return getattr(constraint, "_name", None) if _is_simple(constraint) else type(constraint)


def _is_simple(constraint: Any) -> bool:
    return isinstance(constraint, constraints._Simple)


class ConstraintRegistry:
    """Functions from constraints to transforms, by the class of the constraint."""

    def __init__(self) -> None:
        self._registry: dict[Any, Callable[[Any], Transform]] = {}

    def register(self, constraint: Any, factory: Any = None) -> Any:
        """Have ``factory(constraint)`` make the transform for this class of constraints.

        constraint: a class, or one of its objects; without a factory it decorates one.
        """
        if factory is None:
            return lambda function: self.register(constraint, function)
        if isinstance(constraint, constraints.Constraint):
            key = _key(constraint)
        elif isinstance(constraint, type) and issubclass(constraint, constraints.Constraint):
            key = constraint
        else:
            raise TypeError(
                "Expected constraint to be either a Constraint subclass or instance, but got "
                f"{constraint!r}"
            )
        self._registry[key] = factory
        return factory

    def __call__(self, constraint: Any) -> Transform:
        """The transform; NotImplementedError if nobody registered one."""
        key = _key(constraint)
        if key not in self._registry:
            raise NotImplementedError(
                f"Cannot transform {constraint!r} constraints; register a transform for them"
            )
        return self._registry[key](constraint)


biject_to = ConstraintRegistry()
transform_to = ConstraintRegistry()
_BOTH = (biject_to, transform_to)


def _for(registry: ConstraintRegistry, *kinds: Any) -> Callable[[Any], Any]:
    def decorate(factory: Any) -> Any:
        for kind in kinds:
            registry.register(kind, factory)
        return factory

    return decorate


def _shifted(bound: Any, direction: int) -> Transform:
    parts = [transforms.ExpTransform(), transforms.AffineTransform(bound, direction)]
    return transforms.ComposeTransform(parts)


def _to_interval(constraint: Any) -> Transform:
    low, high = constraint.lower_bound, constraint.upper_bound
    plain = isinstance(low, numbers.Number) and isinstance(high, numbers.Number)
    if plain and (low, high) == (0, 1):
        return transforms.SigmoidTransform()
    return transforms.ComposeTransform(
        [transforms.SigmoidTransform(), transforms.AffineTransform(low, high - low)]
    )


def _register_the_known() -> None:
    for registry in _BOTH:
        _for(registry, constraints.real)(lambda _: transforms.identity_transform)
        _for(registry, constraints.greater_than, constraints.greater_than_eq)(
            lambda c: _shifted(c.lower_bound, 1)
        )
        _for(registry, constraints.less_than)(lambda c: _shifted(c.upper_bound, -1))
        _for(registry, constraints.interval, constraints.half_open_interval)(_to_interval)
        _for(registry, constraints.corr_cholesky)(lambda _: transforms.CorrCholeskyTransform())
        _register_the_joined(registry)
    _for(biject_to, constraints.simplex)(lambda _: transforms.StickBreakingTransform())
    _for(transform_to, constraints.simplex)(lambda _: transforms.SoftmaxTransform())
    _for(transform_to, constraints.lower_cholesky)(lambda _: transforms.LowerCholeskyTransform())
    _for(transform_to, constraints.positive_definite, constraints.positive_semidefinite)(
        lambda _: transforms.PositiveDefiniteTransform()
    )


def _register_the_joined(registry: ConstraintRegistry) -> None:
    """Those made of others, whose transforms come from the same registry."""
    _for(registry, constraints.independent)(
        lambda c: transforms.IndependentTransform(
            registry(c.base_constraint), c.reinterpreted_batch_ndims
        )
    )
    _for(registry, constraints.cat)(
        lambda c: transforms.CatTransform([registry(part) for part in c.cseq], c.dim, c.lengths)
    )
    _for(registry, constraints.stack)(
        lambda c: transforms.StackTransform([registry(part) for part in c.cseq], c.dim)
    )


_register_the_known()
