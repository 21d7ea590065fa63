"""The multivariate normal distribution whose covariance is of low rank but for a diagonal."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import tensorgrad as tg
from tensorgrad.distributions import constraints
from tensorgrad.distributions.distribution import Distribution
from tensorgrad.tensor import Tensor

__all__ = ["LowRankMultivariateNormal"]


class LowRankMultivariateNormal(Distribution):
    """Normal vectors with covariance W W^T + diag(D), of n numbers with W an (n, m) matrix.

    Everything goes through the m x m matrix I + W^T D^-1 W (Woodbury's identity and the matrix
    determinant lemma), so that it costs n m**2 rather than n**3.
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True
    _parameters = ("loc", "cov_factor", "cov_diag")

    def __init__(
        self,
        loc: Tensor,
        cov_factor: Tensor,
        cov_diag: Tensor,
        validate_args: bool | None = None,
    ) -> None:
        if loc.ndim < 1:
            raise ValueError("loc must be at least one-dimensional.")
        n = loc.shape[-1]
        if cov_factor.ndim < 2:
            raise ValueError(
                "cov_factor must be at least two-dimensional, with optional leading batch "
                "dimensions"
            )
        if cov_factor.shape[-2] != n:
            raise ValueError(
                f"cov_factor must be a batch of matrices with shape {n} x m, got "
                f"{tuple(cov_factor.shape)}"
            )
        if tuple(cov_diag.shape)[-1:] != (n,):
            raise ValueError(
                f"cov_diag must be a batch of vectors with shape ({n},), got "
                f"{tuple(cov_diag.shape)}"
            )
        shapes = (tuple(loc.shape)[:-1], tuple(cov_factor.shape)[:-2], tuple(cov_diag.shape)[:-1])
        try:
            batch = tg.broadcast_shapes(*shapes)
        except RuntimeError as error:
            raise ValueError(
                f"Incompatible batch shapes: loc {tuple(loc.shape)}, cov_factor "
                f"{tuple(cov_factor.shape)}, cov_diag {tuple(cov_diag.shape)}"
            ) from error
        self.loc = loc.expand(*batch, n)
        self.cov_factor = cov_factor.expand(*batch, *cov_factor.shape[-2:])
        self.cov_diag = cov_diag.expand(*batch, n)
        self._narrow, self._diagonal = cov_factor, cov_diag
        super().__init__(batch, (n,), validate_args=validate_args)

    @property
    def _scaled(self) -> Tensor:
        """W^T D^-1."""
        return self._narrow.mT / self._diagonal.unsqueeze(-2)

    @property
    def _capacitance_tril(self) -> Tensor:
        """The Cholesky factor of I + W^T D^-1 W."""
        m = self._narrow.shape[-1]
        return tg.linalg.cholesky(self._scaled @ self._narrow + tg.eye(m, dtype=self.loc.dtype))

    def _matrix(self, matrix: Tensor) -> Tensor:
        return matrix.expand(*self._batch_shape, *self._event_shape, *self._event_shape)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        found = self._narrow.pow(2).sum(-1) + self._diagonal
        return found.expand(*self._batch_shape, *self._event_shape)

    @property
    def covariance_matrix(self) -> Tensor:
        """W W^T + diag(D)."""
        return self._matrix(self._narrow @ self._narrow.mT + tg.diag_embed(self._diagonal))

    @property
    def scale_tril(self) -> Tensor:
        """The Cholesky factor of the covariance."""
        root = self._diagonal.sqrt().unsqueeze(-1)
        tall = self._narrow / root
        eye = tg.eye(self._event_shape[0], dtype=self.loc.dtype)
        return self._matrix(root * tg.linalg.cholesky(tall @ tall.mT + eye))

    @property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance."""
        inner = tg.linalg.solve_triangular(self._capacitance_tril, self._scaled, upper=False)
        return self._matrix(tg.diag_embed(self._diagonal.reciprocal()) - inner.mT @ inner)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = tuple(self._extended_shape(sample_shape))
        kind = self.loc.dtype
        wide = tg.randn((*shape[:-1], self._narrow.shape[-1], 1), dtype=kind)
        own = tg.randn(shape, dtype=kind)
        return self.loc + (self._narrow @ wide).squeeze(-1) + self._diagonal.sqrt() * own

    def _log_det(self, tril: Tensor) -> Tensor:
        logs = tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        return 2 * logs + self._diagonal.log().sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        off, tril = value - self.loc, self._capacitance_tril
        inner = self._scaled @ off.unsqueeze(-1)
        wide = tril.expand(*tuple(inner.shape)[:-2], *tuple(tril.shape)[-2:])
        solved = tg.linalg.solve_triangular(wide, inner, upper=False).squeeze(-1)
        distance = (off.pow(2) / self._diagonal).sum(-1) - solved.pow(2).sum(-1)
        n = self._event_shape[0]
        return -0.5 * (n * math.log(2 * math.pi) + self._log_det(tril) + distance)  # type: ignore[no-any-return]

    def entropy(self) -> Tensor:
        n = self._event_shape[0]
        found = 0.5 * (n * (1 + math.log(2 * math.pi)) + self._log_det(self._capacitance_tril))
        return found.expand(*self._batch_shape) if self._batch_shape else found  # type: ignore[no-any-return]
