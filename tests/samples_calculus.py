"""Rows of integration, differences, histograms and segments."""

from sampling import (
    ONE_ANSWER,
    OWN_BINS,
    OWN_LENGTHS,
    READS_MEMORY,
    Dtype,
    case,
    cplx,
    fixed,
    real,
    row,
    truth,
    whole,
)

# fmt: off
_AT = fixed([0.0, 0.5, 2.0, 2.25])

CALCULUS = [
    *(row(name, case(real(2, 4)), case(real(2, 4), dx=0.5, dim=0), case(real(2, 4), real(4)),
          case(real(2, 4), real(2, 4)), case(real(3, 4, 2), real(4), dim=1),
          case(real(2, 3, 4), real(3, 4)), case(real(1)), case(cplx(2, 3)),
          case(real(2, 1)))
      for name in ("trapezoid", "trapz", "cumulative_trapezoid")),
    row("gradient", case(real(4)), case(real(2, 3)), case(real(3, 4), spacing=0.5),
        case(real(3, 4), spacing=(2.0, 0.5), edge_order=2), case(real(2, 4), spacing=(_AT,), dim=1),
        case(real(2, 4), spacing=(_AT,), dim=(-1,), edge_order=2), case(real(2), spacing=2),
        case(real(3, 4), dim=(1, 0)), case(cplx(4))),
    *(row(name, case(whole(2, 3, below=9)), case(whole(4, below=9)), differentiable=False)
      for name in ("trapezoid", "cumulative_trapezoid", "gradient")),
    row("histogram", case(real(2, 5, grad=False), 3),
        case(real(6, grad=False), 4, range=(-1.0, 0.5), density=True),
        case(real(2, 5, grad=False), fixed([-1.0, -0.25, 0.0, 1.5]),
             weight=real(2, 5, grad=False), density=True),
        case(real(0, grad=False), 2), differentiable=False,
        vmap=OWN_BINS),
    row("histogramdd", case(real(6, 2, grad=False), [2, 3]),
        case(real(6, 2, grad=False), 2, range=(-1.0, 1.0, 0.0, 2.0)),
        case(real(2, 4, 1, grad=False), [fixed([-1.0, 0.0, 1.0])], weight=real(2, 4, grad=False)),
        case(real(7, 3, grad=False), 2, density=True), differentiable=False,
        vmap=OWN_BINS),
    row("index_reduce", *(case(real(3, 4, of="distinct"), 0, fixed([2, 0, 2]), real(3, 4), how)
                          for how in ("prod", "mean", "amax", "amin")),
        *(case(real(3, 2), 1, fixed([1, 1]), real(3, 2), how, include_self=False)
          for how in ("prod", "mean", "amax", "amin")),
        case(real(4), 0, fixed([3]), real(1), "mean"),
        case(real(2, 3), -1, whole(0, below=1), real(2, 0), "amax")),
    row("segment_reduce", *(case(real(5, 2), how, lengths=fixed([2, 3]))
                            for how in ("sum", "mean", "max", "min", "prod")),
        *(case(real(5), how, lengths=fixed([0, 4, 1]), initial=0.5)
          for how in ("sum", "mean", "max", "min")),
        case(real(2, 4), "mean", lengths=fixed([[1, 3], [2, 2]]), axis=1),
        case(real(5, 2), "sum", offsets=fixed([0, 1, 5])),
        vmap=OWN_LENGTHS),
    row("hash_tensor", case(real(2, 3)), case(whole(4, below=9), dim=0), case(truth(3)),
        case(real(2, 3), (0, 1), keepdim=True), differentiable=False,
        vmap=READS_MEMORY),
]

KINDS = [
    row("promote_types", case(Dtype("int32"), Dtype("float16")),
        case(Dtype("uint8"), Dtype("int8")),
        differentiable=False),
    row("result_type", case(real(2), whole(2, below=3)), case(whole(2, below=3), 1.5),
        case(2, 1.5), differentiable=False),
    row("can_cast", case(Dtype("float64"), Dtype("int32")), case(Dtype("int8"), Dtype("uint8")),
        differentiable=False),
    *(row(name, case(real(2, 3)), case(whole(2, below=3)), case(truth()), case(cplx(2)),
          differentiable=False)
      for name in ("is_floating_point", "is_signed", "is_conj", "is_neg", "get_device")),
    row("is_nonzero", case(real(1)), case(whole(below=1)), differentiable=False,
        vmap=ONE_ANSWER),
    row("is_same_size", case(real(2), real(2)), case(real(2), whole(3, below=2)),
        differentiable=False),
    *(row(name, case(real(2, 3)), case(real())) for name in
      ("resolve_conj", "resolve_neg", "conj_physical")),
    row("conj_physical", case(cplx(2, 3)), case(cplx())),
    row("resolve_conj", case(cplx(2, 3))),
    row("typename", case(1), case([1]), case("text"), differentiable=False),
]
