"""The largest singular value of a weight, followed by the power method as the weight moves.

T. Miyato et al., Spectral normalization for generative adversarial networks, 2018.
"""

from __future__ import annotations

from tensorgrad.autograd import no_grad
from tensorgrad.creation import empty
from tensorgrad.functions.linalg import mv
from tensorgrad.functions.products import vdot
from tensorgrad.nn import functional as F
from tensorgrad.tensor import Tensor

__all__ = ["matrix_of", "sigma", "start_vector", "step_u", "step_v"]


def matrix_of(weight: Tensor, dim: int) -> Tensor:
    """The weight with ``dim`` as its rows and all others as its columns."""
    dim %= weight.ndim
    if dim != 0:
        weight = weight.permute(dim, *(d for d in range(weight.ndim) if d != dim))
    return weight.reshape(weight.shape[0], -1)


def start_vector(size: int, like: Tensor, eps: float) -> Tensor:
    """A random direction."""
    drawn = empty(size, dtype=like.dtype).normal_(0, 1)
    return F.normalize(drawn, dim=0, eps=eps)


def sigma(matrix: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """u^H W v with the vectors as they are now: later steps write into u and v themselves."""
    return vdot(u.clone(), mv(matrix, v.clone()))


def step_u(matrix: Tensor, u: Tensor, v: Tensor, eps: float) -> None:
    """u, in place: the direction of W v."""
    with no_grad():
        u.copy_(F.normalize(mv(matrix, v), dim=0, eps=eps))


def step_v(matrix: Tensor, u: Tensor, v: Tensor, eps: float) -> None:
    """v, in place: the direction of W^H u."""
    with no_grad():
        v.copy_(F.normalize(mv(matrix.mH, u), dim=0, eps=eps))
