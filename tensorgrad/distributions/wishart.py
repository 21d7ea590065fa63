"""Wishart's distribution of covariance matrices."""

from __future__ import annotations

import math
from typing import Any

import tensorgrad as tg
from tensorgrad.distributions import constraints
from tensorgrad.distributions.chi2 import Chi2
from tensorgrad.distributions.exp_family import ExponentialFamily
from tensorgrad.distributions.multivariate_normal import MultivariateNormal
from tensorgrad.graph.provenance import warn
from tensorgrad.tensor import Tensor

__all__ = ["Wishart"]

_NAMES = ("covariance_matrix", "precision_matrix", "scale_tril")


class Wishart(ExponentialFamily):
    """The sum of the outer products of df normal vectors; df need not be whole.

    One of three matrices says how the vectors spread, as in MultivariateNormal.
    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0
    _parameters = ("df", *_NAMES, "_tril")

    def __init__(
        self,
        df: Any,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        matrices = zip(_NAMES, (covariance_matrix, precision_matrix, scale_tril), strict=True)
        given = {name: matrix for name, matrix in matrices if matrix is not None}
        if len(given) != 1:
            raise AssertionError(
                "Exactly one of covariance_matrix or precision_matrix or scale_tril may be "
                "specified."
            )
        ((name, matrix),) = given.items()
        if matrix.ndim < 2:
            raise ValueError(
                f"{name} must be at least two-dimensional, with optional leading batch dimensions"
            )
        if not isinstance(df, Tensor):
            df = tg.tensor(df, dtype=matrix.dtype)
        batch = tg.broadcast_shapes(tuple(matrix.shape)[:-2], tuple(df.shape))
        event = tuple(matrix.shape)[-2:]
        self.df = df.expand(*batch)
        if (self.df <= event[-1] - 1).any().item():
            raise ValueError(
                f"Value of df={df} expected to be greater than ndim - 1 = {event[-1] - 1}."
            )
        if (self.df < event[-1]).any().item():
            warn(
                "Low df values detected. Singular samples are highly likely to occur for "
                "ndim - 1 < df < ndim."
            )
        setattr(self, name, matrix.expand(*batch, *event))
        super().__init__(batch, event, validate_args=validate_args)
        self._tril = MultivariateNormal._factor(name, matrix).expand(*batch, *event)

    @property
    def arg_constraints(self) -> Any:
        """What the parameters must satisfy; the degrees of freedom, by the size of matrices."""
        return {
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
            "df": constraints.greater_than(self._event_shape[-1] - 1),
        }

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
    def _whole(self) -> Tensor:
        """The degrees of freedom, in the shape of matrices."""
        return self.df.reshape(*self._batch_shape, 1, 1)  # type: ignore[no-any-return]

    @property
    def mean(self) -> Tensor:
        return self._whole * self.covariance_matrix  # type: ignore[no-any-return]

    @property
    def mode(self) -> Tensor:
        factor = self._whole - self._event_shape[-1] - 1
        return tg.where(factor <= 0, math.nan, factor) * self.covariance_matrix  # type: ignore[no-any-return]

    @property
    def variance(self) -> Tensor:
        v = self.covariance_matrix
        diagonal = v.diagonal(dim1=-2, dim2=-1)
        return self._whole * (v.pow(2) + diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2))  # type: ignore[no-any-return]

    def rsample(self, sample_shape: Any = (), max_try_correction: int | None = None) -> Tensor:
        """Outcomes by Bartlett's decomposition.

        max_try_correction: how often singular matrices are drawn anew, 10 times by default.
        """
        sample = self._bartlett(sample_shape)
        tries = 10 if max_try_correction is None else max_try_correction
        singular = ~self.support.check(sample.detach())
        if singular.any().item():
            warn("Singular sample detected.")
        for _ in range(tries):
            if not singular.any().item():
                break
            # all are drawn, and the good ones kept: their gradients stay
            sample = tg.where(singular[..., None, None], self._bartlett(sample_shape), sample)
            singular = ~self.support.check(sample.detach())
        return sample

    def _bartlett(self, sample_shape: Any) -> Tensor:
        n, kind = self._event_shape[-1], self._tril.dtype
        roots = Chi2(self.df.unsqueeze(-1) - tg.arange(n, dtype=kind), validate_args=False)
        diagonal = roots.rsample(sample_shape).sqrt().clamp(min=tg.finfo(kind).eps)
        below = tg.randn(self._extended_shape(sample_shape), dtype=kind).tril(-1)
        factor = self._tril @ (below + tg.diag_embed(diagonal))
        return factor @ factor.mT

    @property
    def _log_spread(self) -> Tensor:
        """log |L|, and what each degree of freedom has of log 2."""
        spread = self._tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        return spread + self._event_shape[-1] * math.log(2) / 2  # type: ignore[no-any-return]

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        nu, n = self.df, self._event_shape[-1]
        matrix, tril = tg.broadcast_tensors(value, self._tril)
        inside = tg.cholesky_solve(matrix, tril).diagonal(dim1=-2, dim2=-1).sum(-1)
        log_det = tg.linalg.slogdet(value)[1]
        norm = nu * self._log_spread + tg.mvlgamma(nu / 2, n)
        return (nu - n - 1) / 2 * log_det - inside / 2 - norm  # type: ignore[no-any-return]

    def entropy(self) -> Tensor:
        nu, n = self.df, self._event_shape[-1]
        steps = tg.arange(n, dtype=nu.dtype) / 2
        slope = ((nu / 2).unsqueeze(-1) - steps).digamma().sum(-1)
        norm = (n + 1) * self._log_spread + tg.mvlgamma(nu / 2, n)
        return norm - (nu - n - 1) / 2 * slope + nu * n / 2  # type: ignore[no-any-return]

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return -self.precision_matrix / 2, (self.df - self._event_shape[-1] - 1) / 2

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        x, y = natural_params
        n = self._event_shape[-1]
        half = y + (n + 1) / 2
        log_det = tg.linalg.slogdet(-2 * x)[1]
        return half * (n * math.log(2) - log_det) + tg.mvlgamma(half, n)  # type: ignore[no-any-return]
