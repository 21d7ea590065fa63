"""Ready-made parametrizations: weights of a given norm, of spectral norm 1, or orthogonal."""

from __future__ import annotations

from typing import Any, TypeVar

from tensorgrad.linalg.old_names import norm_except_dim
from tensorgrad.nn import functional as F
from tensorgrad.nn.conv_transpose import _ConvTransposeNd
from tensorgrad.nn.module import Module
from tensorgrad.nn.utils.orthogonal import MAPS, _Orthogonal
from tensorgrad.nn.utils.parametrize import register_parametrization
from tensorgrad.nn.utils.power_method import matrix_of, sigma, start_vector, step_u, step_v
from tensorgrad.tensor import Tensor

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]

M = TypeVar("M", bound=Module)


def _tensor_of(module: Module, name: str) -> Tensor:
    tensor = getattr(module, name, None)
    if not isinstance(tensor, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return tensor


def orthogonal(
    module: M,
    name: str = "weight",
    orthogonal_map: str | None = None,
    *,
    use_trivialization: bool = True,
) -> M:
    """Keep a matrix (or a batch of them) orthogonal, or unitary: Q^H Q = I, or Q Q^H if it is wide.

    orthogonal_map: how the matrix is made of any other: "matrix_exp", exp(A) of a skew-symmetric A;
    "cayley", (I + A/2)(I - A/2)^-1; or "householder", a product of reflections.  The default is
    "matrix_exp" for square and complex ones, else "householder".
    use_trivialization: start from the present matrix, made orthogonal, as a fixed factor; a matrix
    of another shape than a square is completed at random.
    """
    weight = _tensor_of(module, name)
    if weight.ndim < 2:
        raise ValueError(
            "orthogonal: Expected a matrix or batch of matrices. Got a tensor of "
            f"{weight.ndim} dimensions."
        )
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1]
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    if orthogonal_map not in MAPS:
        raise ValueError(
            f"orthogonal: orthogonal_map has to be one of {MAPS}. Got: {orthogonal_map}"
        )
    made = _Orthogonal(weight, orthogonal_map, use_trivialization=use_trivialization)
    return register_parametrization(module, name, made, unsafe=True)


class _WeightNorm(Module):
    """g * v / |v|, the norms over all dimensions but one (over all, for -1)."""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return weight_v * (weight_g / norm_except_dim(weight_v, 2, self.dim))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return norm_except_dim(weight, 2, self.dim), weight


def weight_norm(module: M, name: str = "weight", dim: int = 0) -> M:
    """Train a weight's lengths g and directions v apart: w = g * v / |v|.

    ``parametrizations.<name>.original0`` is g, ``original1`` v.  dim: the dimension that has a
    length for each index, usually that of the outputs; None for one length of all.
    A state of the old `nn.utils.weight_norm` is read as well.
    T. Salimans, D. Kingma, Weight normalization, 2016.
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def renamed(state_dict: Any, prefix: str, *rest: Any) -> None:
        old = [f"{prefix}{name}_g", f"{prefix}{name}_v"]
        if all(key in state_dict for key in old):
            for i, key in enumerate(old):
                new = f"{prefix}parametrizations.{name}.original{i}"
                state_dict[new] = state_dict.pop(key)

    module._register_load_state_dict_pre_hook(renamed)
    return module


class _SpectralNorm(Module):
    """The weight divided by its largest singular value, as the power method knows it."""

    _u: Tensor
    _v: Tensor

    def __init__(
        self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ) -> None:
        super().__init__()
        ndim = weight.ndim
        if not -ndim <= dim < ndim:
            raise IndexError(
                "spectral_norm: Dimension out of range (expected to be in range of "
                f"[-{ndim}, {ndim - 1}] but got {dim})"
            )
        if n_power_iterations <= 0:
            raise ValueError(
                "spectral_norm: Expected n_power_iterations to be positive, but got "
                f"n_power_iterations={n_power_iterations}"
            )
        self.dim = dim % ndim
        self.eps = eps
        if ndim > 1:  # the norm of a vector is known exactly
            self.n_power_iterations = n_power_iterations
            matrix = matrix_of(weight, self.dim)
            self.register_buffer("_u", start_vector(matrix.shape[0], matrix, eps))
            self.register_buffer("_v", start_vector(matrix.shape[1], matrix, eps))
            self._iterate(matrix, 15)

    def _iterate(self, matrix: Tensor, times: int) -> None:
        for _ in range(times):
            step_u(matrix, self._u, self._v, self.eps)
            step_v(matrix, self._u, self._v, self.eps)

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = matrix_of(weight, self.dim)
        if self.training:
            self._iterate(matrix, self.n_power_iterations)
        return weight / sigma(matrix, self._u, self._v)

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> M:
    """Divide a weight by its largest singular value, so that the layer stretches nothing.

    While training, every use of the weight takes n_power_iterations steps of the power method.
    dim: the dimension of the outputs: 1 for transposed convolutions, else 0, unless given.
    """
    weight = _tensor_of(module, name)
    if dim is None:
        dim = 1 if isinstance(module, _ConvTransposeNd) else 0
    made = _SpectralNorm(weight, n_power_iterations, dim, eps)
    return register_parametrization(module, name, made)
