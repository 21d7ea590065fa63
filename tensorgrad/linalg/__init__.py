"""Linear algebra with the names, arguments and results of `torch.linalg`.

Everything takes batches, in float32, float64, complex64 and complex128.  A matrix that an operation
cannot take, a singular one for `inv`, raises `LinAlgError`, a RuntimeError.  Gradients of `eigh`,
`eig`, `svd` and `qr` are those of losses that do not depend on what is arbitrary in the result:
signs or phases of vectors, and bases of equal eigenvalues or singular values.
"""

from __future__ import annotations

# fmt: off
from tensorgrad.linalg.checks import LinAlgError
from tensorgrad.linalg.factoring import (
    cholesky,
    cholesky_ex,
    eig,
    eigh,
    eigvals,
    eigvalsh,
    lu,
    lu_factor,
    lu_factor_ex,
    lu_solve,
    qr,
    svd,
    svdvals,
)
from tensorgrad.linalg.householder import householder_product
from tensorgrad.linalg.norms import cond, matrix_norm, matrix_rank, norm, vector_norm
from tensorgrad.linalg.products import cross, diagonal, matmul, multi_dot, vander, vecdot
from tensorgrad.linalg.solving import (
    det,
    inv,
    inv_ex,
    lstsq,
    matrix_exp,
    matrix_power,
    pinv,
    slogdet,
    solve,
    solve_ex,
    solve_triangular,
    tensorinv,
    tensorsolve,
)
from tensorgrad.linalg.symmetric import ldl_factor, ldl_factor_ex, ldl_solve
from tensorgrad.outputs import publish

__all__ = [
    "LinAlgError", "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eig", "eigh",
    "eigvals", "eigvalsh", "householder_product", "inv", "inv_ex", "ldl_factor", "ldl_factor_ex",
    "ldl_solve", "lstsq", "lu", "lu_factor", "lu_factor_ex", "lu_solve", "matmul", "matrix_exp",
    "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet",
    "solve", "solve_ex", "solve_triangular", "svd", "svdvals", "tensorinv", "tensorsolve", "vander",
    "vecdot", "vector_norm",
]
# fmt: on

publish(globals(), "linalg")
