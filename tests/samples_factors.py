"""Rows of matrices' factors as LAPACK packs them."""

from typing import Any

from sampling import case, cplx, fixed, real, row

__all__ = ["FACTORS"]


def _int_pivots(function: Any, first: Any, second: Any, third: Any, **params: Any) -> Any:
    """PyTorch takes int32 pivots only; they stand second or third."""
    if second.dtype.is_floating_point or second.dtype.is_complex:
        return function(first, second, third.int(), **params)
    return function(first, second.int(), third, **params)


MAPPED = "LAPACK's packed form is made one matrix after the other"
# fmt: off
REFLECTIONS = (
    case(real(3, 3), real(3)), case(real(4, 2), real(2)), case(real(2, 4, 3), real(2, 2)),
    case(cplx(3, 2), cplx(2)),
)
FACTORS = [
    row("linalg.householder_product", *REFLECTIONS),
    row("orgqr", *REFLECTIONS),
    row("ormqr", *(case(real(3, 2), real(2), real(*shape), left, transpose)
                   for shape, left in (((3, 2), True), ((2, 3), False))
                   for transpose in (False, True)),
        case(real(2, 3, 3), real(2, 3), real(2, 3, 1)), case(cplx(3, 2), cplx(2), cplx(3, 2)),
        case(cplx(3, 2), cplx(2), cplx(2, 3), False, True),
        case(real(2, 3), real(2), real(2, 2)), case(real(2, 4), real(2), real(3, 2), False)),
    row("geqrf", case(real(3, 3, grad=False)), case(real(2, 4, 2, grad=False)),
        case(real(2, 3, grad=False)), differentiable=False, vmap=MAPPED),
    *(row(name, case(real(3, 3, of="positive definite", grad=False)),
          case(real(2, 4, 4, grad=False)), case(real(3, 3, grad=False), hermitian=True),
          differentiable=False, vmap=MAPPED)
      for name in ("linalg.ldl_factor", "linalg.ldl_factor_ex")),
    row("linalg.ldl_solve", case(real(3, 3, of="positive"), fixed([1, 2, 3]), real(3, 2)),
        case(real(3, 3, of="positive"), fixed([-3, -3, 3]), real(3, 1)),
        case(real(4, 4, of="positive"), fixed([3, -4, -4, 4]), real(2, 4, 1)),
        case(cplx(3, 3), fixed([1, -3, -3]), cplx(3, 2), hermitian=True),
        torch=None, vmap=MAPPED, reason="PyTorch's has no derivative, and int32 pivots only; "
        "tests/parity/test_linalg_factors.py has the values"),
    row("linalg.lu_factor_ex", case(real(3, 3)), case(real(2, 3, 2))),
    row("lu_solve", case(real(3, 2), real(3, 3), fixed([3, 3, 3])),
        case(real(2, 2, 1), real(2, 2, 2), fixed([[2, 2], [1, 2]])), call=_int_pivots),
    *(row("triangular_solve",
          case(real(3, 2), real(3, 3, of="positive"), upper, transpose, unit),
          case(cplx(2, 1), cplx(2, 2), upper, transpose, unitriangular=unit))
      for upper in (False, True) for transpose in (False, True) for unit in (False, True)),
    row("triangular_solve", case(real(2, 2), real(3, 2, 2, of="positive"))),
]
