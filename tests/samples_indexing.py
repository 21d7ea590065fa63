"""Rows of functions that rearrange, sort, count and write at indices."""

from sampling import SHAPE_VARIES, Drawn, case, fixed, real, row, truth, whole

__all__ = ["REARRANGING", "SCATTERING", "SORTING", "STATISTICS"]


def distinct(*shape: int) -> Drawn:
    return real(*shape, of="distinct")


# fmt: off
REARRANGING = [
    row("roll", case(real(2, 3), 1), case(real(2, 3), (1, -2), (0, 1)), case(real(4), 0, 0),
        case(real(0, 3), 2), case(real(2, 3), -4, -1)),
    row("rot90", *(case(real(2, 3), k) for k in (-1, 0, 1, 2, 3)), case(real(2, 3, 2), 1, (1, 2))),
    row("fliplr", case(real(2, 3))),
    row("flipud", case(real(2, 3)), case(real(3))),
    row("repeat_interleave", case(real(2, 3), 2), case(real(2, 3), 3, 1), case(real(3), 0, 0),
        case(real(2, 3), whole(3, below=3), dim=1), vmap=SHAPE_VARIES),
    row("meshgrid", case(real(2), real(3), indexing="ij"), case(real(2), real(3), indexing="xy"),
        case(real(2), real(), real(3), indexing="ij")),
    row("Tensor.unfold", case(real(7), 0, 3, 2), case(real(2, 5), 1, 2, 1),
        case(real(3, 2), -2, 2, 1), aliases=()),
    row("tensor_split", case(real(5, 2), 3), case(real(2, 5), (1, 3), 1), case(real(2), 3),
        case(real(5), (4, 2))),
    row("hsplit", case(real(2, 4), 2), case(real(4), (1,))),
    row("vsplit", case(real(4, 2), 2)),
    row("dsplit", case(real(2, 1, 4), (1, 3))),
    row("atleast_1d", case(real()), case(real(2))),
    row("atleast_2d", case(real()), case(real(2)), case(real(2, 3))),
    row("atleast_3d", case(real()), case(real(2)), case(real(2, 3)), case(real(1, 2, 3))),
    row("dstack", case([real(2, 3), real(2, 3)]), case([real(3), real(3)])),
    row("column_stack", case([real(3), real(3, 2)]), case([real(2), real(2)])),
    row("row_stack", case([real(3), real(2, 3)])),
]

SORTING = [
    row("sort", case(distinct(2, 3)), case(distinct(2, 3), 0, True), case(distinct()),
        case(distinct(0, 2), 0), case(distinct(4), dim=0, descending=True, stable=True)),
    row("argsort", case(distinct(2, 3)), case(distinct(2, 3), 0, True), case(distinct()),
        differentiable=False),
    row("msort", case(distinct(3, 2))),
    row("topk", case(distinct(2, 4), 2), case(distinct(4, 2), 3, 0, False), case(distinct(), 1),
        case(distinct(3), 0)),
    row("kthvalue", case(distinct(2, 4), 2), case(distinct(4, 2), 1, 0, True), case(distinct(), 1)),
    row("searchsorted", case(fixed([-1.0, 0.0, 0.5]), real(2, 3)),
        case(fixed([-1.0, 0.0, 0.5]), real(4), right=True, out_int32=True),
        case(fixed([[-1.0, 0.0], [0.2, 0.4]]), real(2, 3), side="right"), differentiable=False),
    row("bucketize", case(real(2, 3), fixed([-1.0, 0.0, 0.5])),
        case(real(2), fixed([-1.0, 0.0, 0.5]), right=True), differentiable=False),
    row("bincount", case(whole(7, below=4)), case(whole(7, below=4), real(7, grad=False), 6),
        differentiable=False, vmap=SHAPE_VARIES),
    row("histc", case(real(9), 4, -1, 1), case(real(9), bins=3), differentiable=False),
    row("unique", case(whole(2, 5, below=4)), case(whole(7, below=3), True, True, True),
        case(whole(4, 2, below=2), dim=0, return_inverse=True), differentiable=False,
        vmap=SHAPE_VARIES),
    row("unique_consecutive", case(whole(8, below=2), True, True),
        case(whole(5, 2, below=2), dim=0), differentiable=False, vmap=SHAPE_VARIES),
]

STATISTICS = [
    row("aminmax", case(distinct(2, 3)), case(distinct(2, 3), dim=1, keepdim=True)),
    *(row(name, case(distinct(2, 3)), case(distinct(2, 4), 1), case(distinct(3, 2), 0, True),
          case(distinct(), 0))
      for name in ("median", "nanmedian")),
    row("mode", case(whole(2, 5, below=3)), case(whole(4, 2, below=2), 0, True),
        differentiable=False),
    *(row(name, case(distinct(2, 4), 1), case(distinct(3, 2), 0), case(distinct(), 0))
      for name in ("cummax", "cummin")),
    row("cumprod", case(real(2, 3, of="nonzero"), 1), case(real(4, of="with zeros"), 0),
        case(real(), 0), case(real(3, 2, of="with zeros"), -2)),
    row("primitive.cumprod", case(real(2, 3, of="nonzero"), axis=1), primitive="cumprod",
        torch=None),
    row("logcumsumexp", case(real(2, 3), 1), case(real(3, 2), 0), case(real(), 0),
        case(real(0, 2), 0)),
    *(row(name, case(distinct(2, 5), 0.3), case(distinct(2, 5), 0.5, 1),
          case(distinct(4, 2), fixed([0.1, 0.5, 1.0]), 0, True),
          *(case(distinct(7), 0.4, interpolation=how)
            for how in ("linear", "lower", "higher", "midpoint", "nearest")))
      for name in ("quantile", "nanquantile")),
    row("nansum", case(real(2, 3)), case(real(2, 3), 1, True), case(real(0))),
    row("nanmean", case(real(2, 3)), case(real(2, 3), 1, True)),
    row("diff", case(real(5)), case(real(2, 4), 2), case(real(3, 2), 1, 0),
        case(real(2, 3), prepend=real(2, 1), append=real(2, 2)), case(real(2), 3)),
    row("diff", case(truth(4)), differentiable=False),
    row("cov", case(real(2, 5)), case(real(4)), case(real(2, 4), correction=0),
        case(real(2, 3), fweights=fixed([1, 2, 3])),
        case(real(2, 3), aweights=fixed([0.5, 1.0, 2.0]))),
    row("corrcoef", case(real(3, 5))),
]

SCATTERING = [
    row("scatter", case(real(2, 3), 1, fixed([[0, 2], [1, 0]]), real(2, 2)),
        case(real(3, 2), 0, fixed([[2, 0]]), 7.0),
        case(real(3, 2), 0, fixed([[2, 0], [0, 1]]), real(2, 2))),
    row("scatter_add", case(real(2, 3), 1, whole(2, 4, below=3), real(2, 4)),
        case(real(3, 2), 0, whole(2, 2, below=3), real(2, 2))),
    *(row("scatter_reduce",
          case(real(2, 3, of="nonzero"), 1, whole(2, 4, below=3), distinct(2, 4), how),
          case(real(3, 2, of="nonzero"), 0, whole(2, 2, below=3), distinct(2, 2), how,
               include_self=False))
      for how in ("sum", "prod", "mean", "amax", "amin")),
    row("index_add", case(real(2, 3), 1, whole(4, below=3), real(2, 4)),
        case(real(3), 0, whole(2, below=3), real(2), alpha=2.5)),
    row("index_copy", case(real(2, 3), 1, fixed([2, 0]), real(2, 2))),
    row("index_fill", case(real(2, 3), 1, fixed([0, 2]), 1.5),
        case(real(3), 0, fixed([1]), real())),
    row("index_put", case(real(2, 3), (fixed([0, 1]), fixed([2, 0])), real(2)),
        case(real(3), (whole(4, below=3),), real(4), True),
        case(real(3), (truth(3),), real()), vmap=SHAPE_VARIES),
    row("masked_scatter", case(real(2, 3), truth(2, 3), real(7)),
        case(real(3), truth(2, 3), real(7)), case(real(2, 1), truth(3), real(7)),
        case(real(2, 3), truth(3), real(6))),
    row("take", case(real(2, 3), whole(2, 2, below=6)), case(real(3), fixed([-1, 0]))),
    row("Tensor.put", case(real(2, 3), fixed([0, 5]), real(2)),
        case(real(2, 3), whole(4, below=6), real(4), True)),
    row("select_scatter", case(real(2, 3), real(3), 0, 1), case(real(2, 3), real(2), -1, -1)),
    row("slice_scatter", case(real(4, 2), real(2, 2), 0, 1, 3),
        case(real(2, 5), real(2, 2), 1, 1, 5, 2)),
]
# fmt: on
