"""Rows of linear algebra: products, diagonals, decompositions, norms."""

from sampling import Case, Sample, case, cplx, real, row, whole

__all__ = ["LINEAR_ALGEBRA", "LINEAR_ALGEBRA_PRIMITIVES"]

# fmt: off


def primitive(name: str, *cases: Case, **fields: object) -> Sample:
    return row(f"primitive.{name}", *cases, torch=None, primitive=name, **fields)


PRODUCTS = [
    row("einsum", case("ij,jk->ik", real(2, 3), real(3, 4)), case("ij,jk", real(2, 1), real(3, 4)),
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
    row("tensordot", case(real(2, 3, 4), real(3, 4, 2)),
        case(real(2, 3), real(2, 3), ([0, 1], [0, 1])),
        case(real(2, 3), real(3), dims=1), case(real(2), real(3), 0),
        case(real(2, 3), real(4, 2), ([0], [-1])),
        case(real(2, 1), real(3, 4), 1)),
    row("inner", case(real(3), real(3)), case(real(2, 3), real(4, 3)), case(real(), real(2)),
        case(real(2, 3), real(3))),
    row("kron", case(real(2, 3), real(2, 2)), case(real(2), real(2, 1, 2)), case(real(), real(2)),
        case(real(2), real(3))),
    row("vdot", case(real(3), real(3)), case(cplx(3), cplx(3))),
    row("addmm", case(real(2, 4), real(2, 3), real(3, 4)),
        case(real(4), real(2, 3), real(3, 4), beta=0.5, alpha=2),
        case(real(), real(2, 3), real(3, 4), beta=0)),
    row("addmv", case(real(2), real(2, 3), real(3)),
        case(real(1), real(2, 3), real(3), beta=2, alpha=-1)),
    row("addr", case(real(2, 3), real(2), real(3)),
        case(real(3), real(2), real(3), beta=2, alpha=0.5)),
    row("baddbmm", case(real(2, 2, 2), real(2, 2, 3), real(2, 3, 2)),
        case(real(2), real(2, 2, 3), real(2, 3, 2), beta=0.5, alpha=2)),
    row("addbmm", case(real(2, 2), real(3, 2, 3), real(3, 3, 2)),
        case(real(2), real(3, 2, 3), real(3, 3, 2), beta=0.5, alpha=2)),
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

LINEAR_ALGEBRA = [*PRODUCTS, *DIAGONALS]
LINEAR_ALGEBRA_PRIMITIVES = [*PRODUCT_PRIMITIVES]
