"""The multivariate normal distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import tensorgrad as tg
from tensorgrad.distributions import constraints
from tensorgrad.distributions.distribution import Distribution
from tensorgrad.tensor import Tensor

__all__ = ["MultivariateNormal"]


class MultivariateNormal(Distribution):
    """Normal vectors with mean ``loc``; one of three matrices says how they spread.

    scale_tril: the Cholesky factor L of the covariance, with which it computes in any case;
    covariance_matrix: L L^T; precision_matrix: the covariance's inverse.
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True
    _parameters = ("loc", "covariance_matrix", "precision_matrix", "scale_tril", "_tril")

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if loc.ndim < 1:
            raise ValueError("loc must be at least one-dimensional.")
        given = {
            name: matrix
            for name, matrix in (
                ("covariance_matrix", covariance_matrix),
                ("precision_matrix", precision_matrix),
                ("scale_tril", scale_tril),
            )
            if matrix is not None
        }
        if len(given) != 1:
            raise ValueError(
                "Exactly one of covariance_matrix or precision_matrix or scale_tril may be "
                "specified."
            )
        ((name, matrix),) = given.items()
        if matrix.ndim < 2:
            raise ValueError(f"{name} must be at least two-dimensional")
        n = loc.shape[-1]
        batch = tg.broadcast_shapes(tuple(matrix.shape)[:-2], tuple(loc.shape)[:-1])
        self.loc = loc.expand(*batch, n)
        setattr(self, name, matrix.expand(*batch, n, n))
        super().__init__(batch, (n,), validate_args=validate_args)
        self._tril = self._factor(name, matrix).expand(*batch, n, n)

    @staticmethod
    def _factor(name: str, matrix: Tensor) -> Tensor:
        if name == "scale_tril":
            return matrix
        if name == "covariance_matrix":
            return tg.linalg.cholesky(matrix)
        # The factor of the inverse: of the matrix with its axes reversed, which keeps L triangular.
        reverse = tg.linalg.cholesky(matrix.flip(-2, -1)).flip(-2, -1).mT
        eye = tg.eye(matrix.shape[-1], dtype=matrix.dtype)
        return tg.linalg.solve_triangular(reverse, eye.expand(reverse.shape), upper=False)

    def __getattr__(self, name: str) -> Any:
        # The two matrices that were not given.
        if name == "scale_tril":
            return self._tril
        if name == "covariance_matrix":
            return self._tril @ self._tril.mT
        if name == "precision_matrix":
            return tg.cholesky_inverse(self._tril)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return self._tril.pow(2).sum(-1)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        drawn = tg.randn(self._extended_shape(sample_shape), dtype=self.loc.dtype)
        return self.loc + (self._tril @ drawn.unsqueeze(-1)).squeeze(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        off = (value - self.loc).unsqueeze(-1)
        tril = self._tril.expand(*tuple(off.shape)[:-2], *tuple(self._tril.shape)[-2:])
        solved = tg.linalg.solve_triangular(tril, off, upper=False).squeeze(-1)
        spread = self._tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        n = self._event_shape[0]
        return -0.5 * (n * math.log(2 * math.pi) + (solved**2).sum(-1)) - spread  # type: ignore[no-any-return]

    def entropy(self) -> Tensor:
        spread = self._tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        return 0.5 * self._event_shape[0] * (1 + math.log(2 * math.pi)) + spread  # type: ignore[no-any-return]
