"""Rows of linear algebra under the names of the top level."""

from sampling import case, cplx, fixed, real, row

_SIGNS = "signs of vectors differ; tests/parity/test_top_level.py has what does not depend on them"


def _seeded(function, *args, **params):
    """Random projections that are the same in every call; only what does not depend on them."""
    import tensorgrad as tg

    state = tg.get_rng_state()
    tg.manual_seed(0)
    try:
        left, values, right = function(*args, **params)
    finally:
        tg.set_rng_state(state)
    return values, (left * values.unsqueeze(-2)) @ right.mH


def _int_pivots(function, data, pivots, *args, **params):
    return function(data, pivots.int(), *args, **params)


def _projector(function, *args, **params):
    """Eigenvalues, and the projection on the eigenvectors, which have no sign."""
    values, vectors = function(*args, **params)
    return values, vectors @ vectors.mH


# fmt: off
OLD_LINALG = [
    row("svd", case(real(3, 3)), case(real(4, 2)), case(real(2, 2, 3)), torch=None, reason=_SIGNS),
    row("svd", case(real(3, 2), compute_uv=False), case(real(2, 2, 3), compute_uv=False),
        case(cplx(2, 2), True, False)),
    row("qr", case(real(3, 3)), case(real(2, 4, 2)), case(real(2, 3)), case(real(3, 3), False)),
    row("lu", case(real(3, 3)), case(real(2, 3, 3)), case(real(4, 2)), case(real(3, 3), True, True),
        case(real(2, 2, 2), get_infos=True)),
    row("lu_unpack", case(real(3, 3), fixed([3, 3, 3])), case(real(2, 3), fixed([2, 2])),
        case(real(3, 2), fixed([1, 3])), case(real(3, 3), fixed([3, 3, 3]), True, False),
        call=_int_pivots),
    row("lu_unpack", case(real(3, 3, grad=False), fixed([3, 3, 3]), unpack_data=False),
        call=_int_pivots, differentiable=False),
    row("ger", case(real(3), real(2)), case(cplx(2), cplx(3))),
    row("dist", case(real(2, 3), real(2, 3)), case(real(2, 3), real(3), 1),
        case(real(2, 1), real(1, 3), 3), case(real(2, 3), real(2, 3), float("inf")),
        case(real(), real(), p=1)),
    row("frobenius_norm", case(real(2, 3), 1), case(real(2, 3), (0, 1), True),
        case(real(2, 3, 2), dim=(0, 2)), case(cplx(2, 3), 0)),
    row("nuclear_norm", case(real(3, 3)), case(real(2, 3), True), case(real(2, 3, 2), (0, 2)),
        case(real(2, 3, 2), dim=(1, 2), keepdim=True)),
    row("norm_except_dim", case(real(2, 3)), case(real(2, 3), 2, 1), case(real(2, 3), 1, 0),
        case(real(2, 3, 4), 2, -1), case(real(2, 3, 4), pow=3, dim=1), case(real(3))),
    *(row(name, case(real(4, 3), 3), case(real(3, 5), 2), case(real(2, 3, 4), q=2), call=_seeded,
          torch=None, reason="random; tests/parity/test_top_level.py compares what is not")
      for name in ("svd_lowrank", "pca_lowrank")),
    row("lobpcg", case(real(4, 4, of="positive definite"), 1), case(
        real(3, 3, of="positive definite"), 2, real(3, 3, of="positive definite"), largest=False),
        order=0, call=_projector, torch=None, reason="one triangle of the matrix is read, as by "
        "eigh; PyTorch iterates, tests/parity/test_top_level.py compares to fewer digits"),
]
# fmt: on
