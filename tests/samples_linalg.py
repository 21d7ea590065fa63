"""Rows of linear algebra: products, diagonals, decompositions, norms."""

from sampling import Case, Sample, case, cplx, real, row, whole

__all__ = ["LINEAR_ALGEBRA", "LINEAR_ALGEBRA_PRIMITIVES"]

# fmt: off


def primitive(name: str, *cases: Case, **fields: object) -> Sample:
    return row(f"primitive.{name}", *cases, torch=None, primitive=name, **fields)



PRODUCTS = [
    row("einsum", case("ij,jk->ik", real(2, 3), real(3, 4)),
        case("ii", real(3, 3)), case("bii->ib", real(2, 3, 3)),
        case("...ij,...jk", real(2, 1, 2, 3), real(4, 3, 2)),
        case("i,j->ij", real(2), real(3)), case("ij->", real(2, 3)), case("ba", real(2, 3)),
        case("ij,kl->i", real(2, 3), real(3, 2)),
        case("ijk,jil,kl->lj", real(2, 3, 4), real(3, 2, 2), real(4, 2)),
        case("...,...", real(), real(2)), case("a...b,b->...a", real(2, 3, 2, 4), real(4)),
        case("...a->a", real(2, 3)),
        case("ij,jk,kl,lm->im", real(2, 3), real(3, 4), real(4, 2), real(2, 2)),
        case("ij,j->i", real(2, 0), real(0)), case("i j, jk -> ki", [real(2, 3), real(3, 2)]),
        case(real(2, 3), [0, 1], real(3, 4), [1, 2], [2, 0]),
        case(real(2, 3, 2), [..., 5], real(2), [5]),
        case("ij,jk->ik", cplx(2, 3), cplx(3, 2))),
    row("einsum", case("ij,jk", real(2, 1), real(3, 4))),
    row("tensordot", case(real(2, 3, 4), real(3, 4, 2)),
        case(real(2, 3), real(2, 3), ([0, 1], [0, 1])),
        case(real(2, 3), real(3), dims=1), case(real(2), real(3), 0),
        case(real(2, 3), real(4, 2), ([0], [-1])), case(real(2, 1), real(3, 4), 1)),
    row("inner", case(real(3), real(3)), case(real(2, 3), real(4, 3)), case(real(), real(2)),
        case(real(2, 3), real(3))),
    row("kron", case(real(2, 3), real(2, 2)), case(real(2), real(2, 1, 2)), case(real(), real(2)),
        case(real(2), real(3))),
    row("vdot", case(real(3), real(3)), case(cplx(3), cplx(3))),
    row("addmm", case(real(2, 4), real(2, 3), real(3, 4)),
        case(real(), real(2, 3), real(3, 4), beta=0),
        case(real(4), real(2, 3), real(3, 4), beta=0.5, alpha=2)),
    row("addmv", case(real(2), real(2, 3), real(3)),
        case(real(1), real(2, 3), real(3), beta=2, alpha=-1)),
    row("addr", case(real(2, 3), real(2), real(3)),
        case(real(3), real(2), real(3), beta=2, alpha=0.5)),
    row("baddbmm", case(real(2, 2, 2), real(2, 2, 3), real(2, 3, 2))),
    row("baddbmm", case(real(2), real(2, 2, 3), real(2, 3, 2), beta=0.5, alpha=2)),
    row("addbmm", case(real(2, 2), real(3, 2, 3), real(3, 3, 2))),
    row("addbmm", case(real(2), real(3, 2, 3), real(3, 3, 2), beta=0.5, alpha=2)),
    row("cross", case(real(3), real(3)), case(real(2, 3), real(2, 3)),
        case(real(3, 2), real(3, 2), dim=0),
        case(real(2, 3), real(1, 3), -1), case(cplx(3), cplx(3))),
    row("chain_matmul", case(real(2, 3), real(3, 4), real(4, 2)), case(real(2, 3)),
        case(real(2, 5), real(5, 1), real(1, 3), real(3, 2))),
]

DIAGONALS = [
    row("diagonal", case(real(3, 4)), case(real(3, 4), 1), case(real(2, 3, 3), -1, 1, 2),
        case(real(2, 3, 4), offset=1, dim1=2, dim2=0), case(real(2, 3), 5)),
    row("diag", case(real(3)), case(real(3), 1), case(real(2), -2), case(real(3, 4)),
        case(real(3, 4), -1)),
    row("diag_embed", case(real(2, 3)), case(real(2, 3), 1), case(real(2, 3), -1, 0, 2),
        case(real(3), 0, 1, 0)),
    row("diagflat", case(real(3)), case(real(2, 2), 1), case(real())),
    row("diagonal_scatter", case(real(3, 4), real(3)), case(real(2, 3, 3), real(2, 2), -1, 1, 2)),
    row("trace", case(real(3, 3)), case(real(2, 4)), case(cplx(2, 2))),
    row("tril_indices", case(3, 4), case(4, 3, -1), case(0, 2), differentiable=False),
    row("triu_indices", case(3, 4), case(4, 3, -1), case(2, 0), differentiable=False),
    row("block_diag", case(real(2, 3), real(1, 2)), case(real(), real(3), real(2, 2))),
    row("cartesian_prod", case(real(2), real(3)), case(real(3)), case(real(2), real(1), real(2))),
    row("combinations", case(real(4)), case(real(3), 3), case(real(3), 2, True),
        case(real(3), r=1)),
    row("vander", case(whole(3, below=5)), case(whole(3, below=5), 2), differentiable=False),
    row("vander", case(real(3)), case(real(3), 2), case(real(3), N=4, increasing=True), torch=None,
        reason="PyTorch's writes over what its backward needs; linalg.vander is compared"),
    row("cdist", case(real(3, 2), real(4, 2)), case(real(2, 3, 2), real(1, 4, 2), 1.0),
        case(real(3, 2), real(2, 2), 3.0), case(real(3, 4), real(2, 4), p=float("inf")),
        case(real(3, 2), real(2, 2), compute_mode="donot_use_mm_for_euclid_dist")),
    row("renorm", case(real(3, 4), 2, 0, 1.5), case(real(3, 4), 1, 1, 2.0),
        case(real(2, 3, 2), 3, -1, 0.5)),
    row("angle", case(cplx(2, 3)), case(real(2, 3, of="nonzero")), primitive="angle"),
    row("is_complex", case(cplx(2)), case(real(2)), differentiable=False),
    row("complex", case(real(2, 3), real(3)), case(real(), real(2))),
    row("polar", case(real(2, 3, of="positive"), real(2, 3))),
    row("view_as_real", case(cplx(2, 3)), case(cplx()), primitive="view_as_real"),
    row("view_as_complex", case(real(2, 3, 2)), case(real(2)), primitive="view_as_complex"),
]

PRODUCT_PRIMITIVES = [
    primitive("einsum", case(real(2, 3), real(3, 2), equation="ij,jk->ki"),
              case(real(2, 3), equation="ij->i"),
              case(real(2, 3), real(1, 2), real(2), equation="ab,cd,a->bd")),
    primitive("diagonal", case(real(3, 4), offset=1, axis1=0, axis2=1),
              case(real(2, 3, 2), offset=0, axis1=2, axis2=0)),
    primitive("diag_embed", case(real(3), offset=1, axis1=0, axis2=1, shape=(3, 4)),
              case(real(3, 2), offset=0, axis1=2, axis2=0, shape=(2, 3, 2))),
]

SQUARE = (case(real(3, 3)), case(real(2, 2, 2)), case(real(1, 1)))

MATRIX_PRIMITIVES = [
    primitive("inv", *SQUARE),
    primitive("solve", case(real(3, 3), real(3, 2)), case(real(2, 2, 2), real(2, 1)),
              case(real(2, 2), real(3, 2, 2))),
    *(primitive("solve_triangular",
        case(real(3, 3, of="positive"), real(3, 2), upper=upper, unit=unit),
                case(real(2, 2, 2, of="positive"), real(2, 1), upper=upper, unit=unit))
      for upper in (False, True) for unit in (False, True)),
    primitive("pinv", *(case(real(*shape), atol=0.0, rtol=1e-12, hermitian=False)
                        for shape in ((3, 2), (2, 3), (2, 2, 2)))),
    primitive("det", *SQUARE),
    primitive("cofactor", *SQUARE[:2], case(real(1, 1)), case(cplx(3, 3))),
    primitive("cofactor_along", case(real(3, 3), real(3, 3)), case(real(2, 2), real(2, 2)),
              case(real(2, 4, 4), real(2, 4, 4)), case(real(1, 1), real(1, 1)),
              case(cplx(3, 3), cplx(3, 3))),
    primitive("slogdet", *SQUARE),
    primitive("matrix_exp", *SQUARE),
    primitive("cholesky", case(real(3, 3, of="positive definite")),
              case(real(2, 2, 2, of="positive definite")), order=0,
              reason="it reads one triangle: tests/test_linalg_gradients.py has symmetric inputs"),
    primitive("qr", case(real(3, 3), mode="reduced"), case(real(2, 4, 2), mode="reduced")),
    primitive("lu_packed", case(real(3, 3, of="positive definite")),
              case(real(2, 2, 2, of="positive definite"))),
    primitive("eigh", case(real(3, 3, of="positive definite"), lower=True),
              case(real(2, 2, 2, of="positive definite"), lower=False), order=0,
              reason="it reads one triangle: tests/test_linalg_gradients.py has symmetric inputs"),
    primitive("eig", case(real(3, 3, of="positive definite")), order=0,
              reason="vectors have no phase: tests/test_linalg_gradients.py has losses without"),
    primitive("svd", case(real(3, 3), full=False), case(real(4, 2), full=False),
              case(real(2, 2, 3), full=False)),
]

VECTORS = "vectors have no sign: tests/test_linalg_gradients.py has losses without"
TRIANGLE = "it reads one triangle: tests/test_linalg_gradients.py has symmetric inputs"
DEFINITE = (case(real(3, 3, of="positive definite")), case(real(2, 2, 2, of="positive definite")),
            case(real(1, 1, of="positive definite")))
INF = float("inf")

LINALG = [
    row("linalg.inv", *SQUARE, case(cplx(2, 2)), case(real(0, 0)), case(real(0, 2, 2))),
    row("linalg.inv_ex", *SQUARE),
    row("linalg.pinv", case(real(3, 2)), case(real(2, 3)), case(real(2, 2, 2)), case(cplx(3, 2)),
        case(real(3, 2), rtol=0.01), case(real(3, 3), atol=0.001), case(real(0, 2))),
    row("linalg.solve", case(real(3, 3), real(3, 2)), case(real(3, 3), real(3)),
        case(real(2, 2, 2), real(2, 2)), case(real(2, 2, 2), real(2, 2, 1)),
        case(cplx(2, 2), cplx(2)),
        case(real(2, 2), real(3, 2), left=False), case(real(2, 2), real(3, 2, 1)),
        case(real(0, 0), real(0, 2))),
    row("linalg.solve_ex", case(real(3, 3), real(3, 2)), case(real(2, 2), real(3, 2), left=False)),
    *(row("linalg.solve_triangular",
          case(real(3, 3, of="positive"), real(3, 2), upper=upper, unitriangular=unit),
          case(real(2, 2, 2, of="positive"), real(2, 3, 2), upper=upper, left=False,
          unitriangular=unit),
          case(cplx(2, 2), cplx(2, 2), upper=upper, unitriangular=unit))
      for upper in (False, True) for unit in (False, True)),
    row("linalg.lstsq", case(real(3, 2), real(3, 2)), case(real(2, 3), real(2, 1)),
        case(real(2, 4, 2), real(2, 4, 1), driver="gelsy"),
        case(cplx(3, 2), cplx(3, 1)), torch=None,
        reason="PyTorch's empty residuals claim to need gradients; tests/parity/test_linalg.py has "
        "the values"),
    row("linalg.lstsq", case(real(3, 2), real(3, 2), driver="gels")),
    row("linalg.det", *SQUARE, case(cplx(3, 3)), case(real(0, 0))),
    row("linalg.slogdet", *SQUARE, case(cplx(2, 2))),
    row("linalg.matrix_exp", *SQUARE, case(cplx(2, 2)), case(real(2, 0, 0))),
    *(row("linalg.matrix_power", case(real(3, 3), n), case(real(2, 2, 2), n), case(cplx(2, 2), n))
      for n in (0, 1, 2, 3, 5, -1, -2)),
    row("linalg.tensorinv", case(real(2, 3, 6), 2), case(real(4, 2, 2), ind=1)),
    row("linalg.tensorsolve", case(real(2, 3, 6), real(2, 3)), case(real(6, 2, 3), real(6)),
        case(real(2, 6, 3), real(2, 3), dims=(1,))),
    row("linalg.cholesky", *DEFINITE, case(real(2, 2, of="positive definite"), upper=True), order=0,
        reason=TRIANGLE),
    row("linalg.cholesky_ex", *DEFINITE, order=0, reason=TRIANGLE),
    row("linalg.qr", case(real(3, 3)), case(real(2, 4, 2)), case(real(2, 3)), case(cplx(3, 2)),
        case(real(3, 3), mode="complete")),
    row("linalg.qr", case(real(3, 3, grad=False), mode="r"),
        case(real(4, 2, grad=False), mode="complete"),
        differentiable=False),
    row("linalg.lu", case(real(3, 3)), case(real(2, 4, 2)), case(real(2, 2, 3)), case(cplx(2, 2))),
    row("linalg.lu_factor", case(real(3, 3)), case(real(2, 4, 2)), case(real(2, 2, 3)),
        case(cplx(2, 2))),
    row("linalg.lu_solve", *(
        case(real(3, 3), whole(3, low=3, below=4), real(*shape), left=left, adjoint=adjoint)
        for shape, left, adjoint in (((3, 2), True, False), ((3, 2), True, True),
                                     ((2, 3), False, False))),
        torch=None, reason="PyTorch takes int32 pivots only; tests/parity/test_linalg.py has them"),
    row("linalg.eigh", *DEFINITE,
        case(real(2, 2, of="positive definite"), "U"), order=0, reason=TRIANGLE),
    row("linalg.eigvalsh", *DEFINITE, order=0, reason=TRIANGLE),
    row("linalg.eig", *DEFINITE, order=0, torch=None, reason=VECTORS),
    row("linalg.eigvals", case(real(3, 3)), case(real(2, 2, 2)), case(cplx(3, 3))),
    row("linalg.svd", case(real(3, 3), False), case(real(4, 2), full_matrices=False),
        case(real(2, 2, 3), False), case(real(2, 2)), torch=None, reason="signs of vectors differ; "
        "tests/parity/test_linalg.py compares what does not depend on them"),
    row("linalg.svdvals", case(real(3, 3)), case(real(4, 2)), case(real(2, 2, 3)),
        case(cplx(3, 2))),
    *(row("linalg.vector_norm", case(real(2, 3, of="nonzero"), ord),
        case(real(2, 3, of="nonzero"), ord, 1),
          case(real(2, 3, of="nonzero"), ord, dim=(0, 1), keepdim=True), case(cplx(3), ord))
      for ord in (2, 1, 3, 0.5, -1, 2.5, INF, -INF)),
    row("linalg.vector_norm", case(real(2, 3, of="nonzero"), 0), case(cplx(3), 0)),
    *(row("linalg.matrix_norm", case(real(3, 2, of="nonzero"), ord),
        case(real(2, 2, 3, of="nonzero"), ord),
          case(real(2, 2, 3, of="nonzero"), ord, dim=(0, 1), keepdim=True), case(cplx(2, 3), ord))
      for ord in ("fro", "nuc", 1, -1, 2, -2, INF, -INF)),
    row("linalg.norm", case(real(2, 3)), case(real(3), 1), case(real(2, 3), "fro"),
        case(real(2, 3), 2),
        case(real(2, 3), 3, 1), case(real(2, 2, 3), dim=(1, 2)),
        case(real(2, 2, 3), 1, (1, 2), True),
        case(real(2, 3, 2))),
    *(row("linalg.cond", case(real(3, 3), p), case(real(2, 2, 2), p), case(cplx(2, 2), p))
      for p in (None, 2, -2)),
    *(row("linalg.cond", case(real(3, 3), p), case(real(2, 2, 2), p), case(cplx(2, 2), p),
          torch=None, reason="PyTorch's writes over the inverse that its backward needs; "
          "tests/parity/test_linalg.py has the values")
      for p in ("fro", "nuc", 1, -1, INF, -INF)),
    row("linalg.cond", case(real(3, 2))),
    row("linalg.matrix_rank", case(real(3, 2)), case(real(2, 2, 3)), case(real(3, 3), atol=1.0),
        case(real(3, 3), rtol=0.5), case(real(3, 3, of="positive definite"), hermitian=True),
        case(real(0, 3)),
        differentiable=False),
    row("linalg.cross", case(real(2, 3), real(2, 3)), case(real(3, 2), real(3, 1), dim=0)),
    row("linalg.diagonal", case(real(2, 3, 4)), case(real(2, 3), offset=1),
        case(real(2, 3, 4), dim1=0, dim2=2)),
    row("linalg.vecdot", case(real(2, 3), real(2, 3)), case(real(2, 3), real(2, 1), dim=0),
        case(cplx(2, 3), cplx(3))),
    row("linalg.matmul", case(real(2, 3), real(3, 2))),
    row("linalg.multi_dot", case([real(2, 3), real(3, 4), real(4, 2)]),
        case([real(3), real(3, 2), real(2)]),
        case([real(3), real(3)]), case([real(2, 3), real(3)])),
    row("linalg.vander", case(real(3)), case(real(2, 3), N=4), case(cplx(2)), case(real(), N=3)),
]

TOP_LEVEL = [
    row("inverse", *SQUARE),
    row("pinverse", case(real(3, 2)), case(real(2, 3), 1e-3)),
    row("det", *SQUARE),
    row("slogdet", *SQUARE),
    row("logdet", *DEFINITE),
    row("matrix_exp", *SQUARE),
    row("matrix_power", case(real(3, 3), 2), case(real(2, 2), -1)),
    row("adjoint", case(real(2, 3)), case(cplx(2, 3))),
    row("cholesky", *DEFINITE, case(real(2, 2, of="positive definite"), True), order=0,
        reason=TRIANGLE),
    row("cholesky_solve", case(real(3, 2), real(3, 3, of="positive definite")),
        case(real(2, 2, 1), real(2, 2, 2, of="positive definite"), True), order=0, torch=None,
        reason="PyTorch's gradient does not know that one triangle of the factor is 0"),
    row("cholesky_inverse", *DEFINITE, order=0, torch=None,
        reason="PyTorch's gradient does not know that one triangle of the factor is 0"),
]

LINEAR_ALGEBRA = [*PRODUCTS, *DIAGONALS, *LINALG, *TOP_LEVEL]
LINEAR_ALGEBRA_PRIMITIVES = [*PRODUCT_PRIMITIVES, *MATRIX_PRIMITIVES]
