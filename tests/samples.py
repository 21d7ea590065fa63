"""The samples table: one row per public function, from which most tests come.

Adding an operation costs one row here (and one in `samples_primitives` for its primitive, unless
that takes the same arguments and is named in the row).  `test_samples_complete` fails otherwise.
"""

from samples_activations import ACTIVATION_LAYERS, ACTIVATIONS
from samples_calculus import CALCULUS, KINDS
from samples_copies import COPIES
from samples_factors import FACTORS
from samples_fft import FOURIER, FOURIER_PRIMITIVES
from samples_indexing import REARRANGING, SCATTERING, SORTING, STATISTICS
from samples_inplace import INPLACE
from samples_layers import LAYERS as BASIC_LAYERS
from samples_linalg import LINEAR_ALGEBRA, LINEAR_ALGEBRA_PRIMITIVES
from samples_losses import LOSS_LAYERS, LOSS_PRIMITIVES, LOSSES
from samples_nn import FUNCTIONAL
from samples_normalization import (
    NORMALIZATION,
    NORMALIZATION_LAYERS,
    NORMALIZATION_PRIMITIVES,
)
from samples_old_linalg import OLD_LINALG
from samples_primitives import PRIMITIVES
from samples_sequence import SEQUENCE, SEQUENCE_LAYERS, SEQUENCE_PRIMITIVES
from samples_signal import SIGNAL
from samples_special import SPECIAL
from samples_strided import STRIDED, STRIDED_PRIMITIVES
from samples_tables import TABLE_LAYERS, TABLES
from samples_windows import WINDOW_LAYERS, WINDOW_PRIMITIVES, WINDOWS
from sampling import (
    ONE_ANSWER,
    SHAPE_VARIES,
    Dtype,
    Sample,
    binary,
    case,
    cplx,
    real,
    row,
    truth,
    unary,
    whole,
)

__all__ = ["FUNCTIONS", "LAYERS", "SAMPLES"]

# fmt: off
ELEMENTWISE = [
    unary("exp"),
    unary("expm1"),
    unary("log", "positive"),
    unary("log2", "positive"),
    unary("log10", "positive"),
    unary("log1p", "positive"),
    unary("sqrt", "positive"),
    unary("rsqrt", "positive"),
    unary("reciprocal", "nonzero"),
    unary("sin"),
    unary("cos"),
    unary("tanh"),
    unary("sigmoid"),
    unary("relu", "nonzero"),
    unary("abs", "nonzero", aliases=("absolute",)),
    unary("neg", aliases=("negative",)),
    unary("sign", "nonzero"),
    unary("sgn", "nonzero"),
    unary("floor", "fractions"),
    unary("ceil", "fractions"),
    unary("trunc", "fractions", aliases=("fix",)),
    unary("frac", "fractions", primitive=None),
    unary("square", primitive=None),
    unary("positive", primitive=None),
    row("round", *(case(real(2, 3, of="fractions"), decimals=d) for d in (0, 1, -1)),
        case(real(of="fractions"))),
    unary("conj", primitive=None),
    unary("real", primitive=None),
    row("conj", case(cplx(2, 3)), case(cplx()), primitive="conj"),
    row("real", case(cplx(2, 3)), case(cplx()), primitive="real"),
    row("imag", case(cplx(2, 3)), case(cplx()), primitive="imag"),
    row("clamp", case(real(2, 3), -0.5, 0.5), case(real(2, 3), min=0), case(real(4), max=0.25),
        case(real(2, 3), real(3, of="unit"), None), case(real(2, 3), None, real(2, 1)),
        case(real(2, 3), real(2, 3, of="unit"), real(of="positive")), aliases=("clip",)),
    binary("add"),
    row("add", case(real(2, 3), real(3), alpha=2.5), case(real(2), 1, alpha=2)),
    binary("sub", aliases=("subtract",)),
    row("sub", case(real(2, 3), real(3), alpha=2.5), case(real(2), 1, alpha=2)),
    binary("mul", aliases=("multiply",)),
    binary("div", "nonzero", aliases=("divide", "true_divide")),
    row("div", *(case(real(2, 3, of="positive"), real(3, of="nonzero"), rounding_mode=mode)
                 for mode in ("floor", "trunc"))),
    binary("pow", "positive", "any"),
    row("pow", *(case(real(2, 3, of="nonzero"), p) for p in (0, 1, 2, 3, -1, -2)),
        *(case(real(3, of="positive"), p) for p in (0.5, -0.5, 1.5, 2.5)),
        case(2, real(2, 3)), case(2.5, real(3)), case(real(2, 3, of="nonzero"), whole(3, below=4)),
        case(whole(2, 3, low=1, below=4), real(2, 3))),
    binary("maximum", scalars=False),
    binary("minimum", scalars=False),
    binary("remainder", "positive"),
    binary("floor_divide", "positive", differs={
        "gradient": "PyTorch raises; div(rounding_mode='floor') has this zero in both"}),
    row("lerp", case(real(2, 3), real(2, 3), 0.3), case(real(2, 3), real(3), real(2, 1)),
        case(real(3), real(3), real())),
    row("where", case(truth(2, 3), real(2, 3), real(2, 3)), case(truth(3), real(2, 3), real(2, 1)),
        case(truth(2, 1), real(), real(3)), case(truth(2, 3), real(2, 3), 1.5),
        case(truth(2, 3), 2, real(3)), primitive="where"),
    row("where", case(truth(2, 3)), case(truth()), differentiable=False, vmap=SHAPE_VARIES),
]

COMPARISON = [
    *(binary(name, "with zeros", primitive=name, differentiable=False, aliases=aliases)
      for name, aliases in (
          ("eq", ()), ("ne", ("not_equal",)), ("lt", ("less",)), ("le", ("less_equal",)),
          ("gt", ("greater",)), ("ge", ("greater_equal",)))),
    *(row(name, case(real(2, 3, of="with zeros"), real(3, of="with zeros")),
          case(truth(2, 3), truth(3)), case(whole(3, below=2), truth()), primitive=name,
          differentiable=False)
      for name in ("logical_and", "logical_or", "logical_xor")),
    *(row(name, case(whole(2, 3, below=9), whole(3, below=9)), case(truth(2, 3), truth(2, 1)),
          case(whole(2, low=-5, below=5), 3), primitive=name, differentiable=False)
      for name in ("bitwise_and", "bitwise_or", "bitwise_xor")),
    row("bitwise_not", case(whole(2, 3, low=-5, below=9)), case(truth(3)), primitive="bitwise_not",
        differentiable=False),
    unary("logical_not", "with zeros", differentiable=False),
    unary("isnan", differentiable=False),
    unary("isinf", differentiable=False),
    unary("isfinite", differentiable=False),
    row("isclose", case(real(2, 3), real(2, 3)), case(real(2, 3), real(3), rtol=0.5, atol=0.5),
        differentiable=False),
    row("allclose", case(real(2, 3), real(2, 3)), case(real(3), real(3), atol=9.0),
        differentiable=False, vmap=ONE_ANSWER),
    row("equal", case(real(2, 3), real(2, 3)), case(whole(0, below=2), whole(0, below=2)),
        differentiable=False, vmap=ONE_ANSWER),
]


def reduced(name: str, of: str = "any", **fields: object) -> Sample:
    """A reduction over any set of dimensions."""
    return row(
        name, case(real(2, 3, of=of)), case(real(2, 3, of=of), 1), case(real(2, 3, of=of), dim=0),
        case(real(2, 3, 2, of=of), (0, 2)), case(real(2, 3, of=of), -1, True),
        case(real(2, 1, 3, of=of), dim=(1, 2), keepdim=True), case(real(of=of)),
        case(real(1, of=of), 0), **fields,
    )


REDUCTION = [
    reduced("sum"),
    row("sum", case(real(0, 3)), case(real(0, 3), 0), case(real(2, 0), 1, True)),
    reduced("mean"),
    row("prod", case(real(2, 3)), case(real(2, 3), 1), case(real(3, 2), dim=0, keepdim=True),
        case(real(3, 3, of="with zeros"), 1), case(real()), case(real(0, 2), 0), case(real(5), 0)),
    *(row(name, case(real(2, 3)), case(real(2, 3), 1), case(real(2, 3), dim=(0, 1), correction=0),
          case(real(3, 2), 0, keepdim=True), case(real(2, 3), 1, False),
          case(real(2, 3), False), case(real(4), dim=0, correction=2))
      for name in ("var", "std", "var_mean", "std_mean")),
    *(row(name, case(cplx(4)), case(cplx(2, 3), 1), case(cplx(2, 3), dim=0, correction=0))
      for name in ("var", "std", "var_mean", "std_mean")),
    row("amax", case(real(2, 3, of="distinct")), case(real(2, 3, of="distinct"), 1),
        case(real(2, 3, 2, of="distinct"), (0, 2), True), case(real()), case(real(1, 3), dim=0)),
    row("amin", case(real(2, 3, of="distinct")), case(real(2, 3, of="distinct"), 1),
        case(real(2, 3, 2, of="distinct"), (0, 2), True), case(real()), case(real(1, 3), dim=0)),
    *(row(name, case(real(2, 3, of="distinct")), case(real(2, 3, of="distinct"), 1),
          case(real(2, 3, of="distinct"), dim=0, keepdim=True), case(real(), 0), case(real()),
          case(real(2, 3, of="distinct"), real(3)), case(real(0, 3), 1))
      for name in ("max", "min")),
    *(row(name, case(real(2, 3)), case(real(2, 3), 1), case(real(2, 3), dim=0, keepdim=True),
          case(real()), differentiable=False)
      for name in ("argmax", "argmin")),
    *(row(name, case(truth(2, 3)), case(truth(2, 3), 1), case(real(2, 3, of="with zeros"), dim=0),
          case(truth(2, 3), 1, True), case(truth()), case(truth(0)), case(truth(2, 3), (0, 1)),
          differentiable=False)
      for name in ("all", "any")),
    row("count_nonzero", case(real(2, 3, of="with zeros")), case(truth(2, 3), 1),
        case(real(2, 3, of="with zeros"), dim=(0, 1)), differentiable=False),
    row("cumsum", case(real(2, 3), 0), case(real(2, 3), dim=-1), case(real(), 0),
        case(real(0, 3), 0)),
    row("softmax", case(real(2, 3), 1), case(real(2, 3), dim=0), case(real(), 0),
        case(real(2, 3, 2), -2), case(real(0, 3), 1)),
    row("log_softmax", case(real(2, 3), 1), case(real(2, 3), dim=0), case(real(), 0),
        case(real(2, 3, 2), -2), case(real(0, 3), 1)),
    row("logsumexp", case(real(2, 3), 1), case(real(2, 3), dim=(0, 1)), case(real(), 0),
        case(real(2, 3), 0, keepdim=True), case(real(2, 3, 2), (0, -1), True)),
    *(row(name, case(real(2, 3), 1, dtype=Dtype("float32")), tolerance={"eps": 1e-2, "atol": 1e-3},
          reason="computed in float32") for name in ("sum", "cumsum", "softmax", "log_softmax")),
    row("norm", *(case(real(2, 3, of="nonzero"), p) for p in ("fro", 1, 2, 3, 2.5, float("inf"))),
        case(real(2, 3, of="nonzero"), float("-inf")), case(real(2, 3), 0),
        case(real(2, 3, of="nonzero"), 2, 1), case(real(2, 3, of="nonzero"), dim=(0, 1)),
        case(real(2, 3, of="nonzero"), 3, 0, True), case(real(of="nonzero"))),
]

SHAPE = [
    row("reshape", case(real(2, 3), (3, 2)), case(real(2, 3), (-1,)), case(real(4), (2, 1, 2)),
        case(real(), (1, 1)), case(real(1), ()), case(real(0, 3), (3, 0))),
    row("Tensor.view", case(real(2, 3), 3, 2), case(real(2, 3), (-1,)), case(real(), 1)),
    row("flatten", case(real(2, 3, 2)), case(real(2, 3, 2), 1), case(real(2, 3, 2), 0, 1),
        case(real()), case(real(3))),
    row("unflatten", case(real(2, 6), 1, (2, 3)), case(real(6), 0, (-1, 2))),
    row("ravel", case(real(2, 3)), case(real())),
    row("permute", case(real(2, 3, 2), (2, 0, 1)), case(real(2, 3), (-1, 0)), case(real(), ())),
    row("transpose", case(real(2, 3), 0, 1), case(real(2, 3, 2), -1, 0), case(real(), 0, 0),
        aliases=("swapdims",)),
    row("swapaxes", case(real(2, 3), 0, 1), case(real(2, 3, 2), axis0=-1, axis1=0)),
    row("t", case(real(2, 3)), case(real(3)), case(real())),
    row("movedim", case(real(2, 3, 4), 0, 2), case(real(2, 3, 4), (0, 1), (-1, 0)),
        aliases=("moveaxis",)),
    row("squeeze", case(real(1, 3, 1)), case(real(1, 3, 1), 0), case(real(1, 3, 1), (0, -1)),
        case(real(2, 3), 0), case(real())),
    row("unsqueeze", case(real(2, 3), 0), case(real(2, 3), -1), case(real(), 0)),
    row("broadcast_to", case(real(3), (2, 3)), case(real(2, 1), (2, 3)), case(real(), (2,)),
        case(real(1, 3), (0, 3))),
    row("Tensor.expand", case(real(2, 1), -1, 3), case(real(3), 2, 3), case(real(1), (0,))),
    row("broadcast_tensors", case(real(2, 1), real(3)), case(real(), real(2), real(2, 2))),
    row("broadcast_shapes", case((2, 1), (3,)), case((), (4, 1)), differentiable=False),
    row("narrow", case(real(4, 3), 0, 1, 2), case(real(4, 3), -1, -2, 1), case(real(3), 0, 3, 0)),
    row("select", case(real(2, 3), 0, 1), case(real(2, 3), -1, -1)),
    row("flip", case(real(2, 3), (0,)), case(real(2, 3), (0, -1)), case(real(3), [0])),
    row("tril", case(real(3, 3)), case(real(2, 3), 1), case(real(2, 3, 2), -1)),
    row("triu", case(real(3, 3)), case(real(2, 3), 1), case(real(2, 3, 2), diagonal=-1)),
    row("numel", case(real(2, 3)), case(real(0, 2)), differentiable=False),
    row("cat", case([real(2, 3), real(1, 3)]), case([real(2, 1), real(2, 2)], 1),
        case([real(2), real(0), real(3)]), case((real(2, 3), real(2, 3)), dim=-1),
        aliases=("concat", "concatenate")),
    row("stack", case([real(2, 3), real(2, 3)]), case([real(2), real(2)], -1), case([real()])),
    row("hstack", case([real(2), real(3)]), case([real(2, 1), real(2, 2)]), case([real(), real()])),
    row("vstack", case([real(3), real(3)]), case([real(1, 2), real(2, 2)]), case([real(), real()])),
    row("split", case(real(5, 2), 2), case(real(2, 5), [1, 4], 1), case(real(3), 5),
        case(real(2, 4), 2, dim=-1)),
    row("chunk", case(real(5, 2), 2), case(real(2, 6), 3, -1), case(real(2), 4)),
    row("unbind", case(real(2, 3)), case(real(2, 3), 1), case(real(1))),
    row("tile", case(real(2, 3), (2, 1)), case(real(3), (2, 2)), case(real(2, 1), (3,))),
]

INDEXING = [
    *(row("Tensor.__getitem__", *(case(real(3, 4), index) for index in indices), vmap=SHAPE_VARIES)
      for indices in (
          (0, -1, (1, 2), (slice(None), 1), (slice(0, 2), slice(1, 4, 2)), Ellipsis, (Ellipsis, 0)),
          (None, (0, None), [0, 2], ([0, 1, 1], [3, 0, 0]), (slice(None), [1, 1]), slice(3, 3)),
          (whole(2, 2, below=3), (whole(2, below=3), whole(2, below=4)), (0, whole(3, below=4))),
          (truth(3, 4), truth(3), (slice(None), truth(4)), (whole(2, below=3), slice(1, 3)),
           (whole(2, below=3), None, whole(2, below=4)), (Ellipsis, whole(2, 1, below=4))))),
    row("gather", case(real(2, 3), 1, whole(2, 2, below=3)),
              case(real(3, 2), 0, whole(1, 2, below=3)),
        case(real(2, 3), -1, whole(1, 5, below=3)), case(real(), 0, whole(below=1))),
    row("take_along_dim", case(real(2, 3), whole(2, 1, below=3), 1),
              case(real(2, 3), whole(4, below=6)),
        case(real(2, 3), whole(1, 2, below=3), dim=1)),
    row("index_select", case(real(3, 2), 0, whole(4, below=3)),
              case(real(2, 3), -1, whole(2, below=3)),
        case(real(2, 3), 1, whole(0, below=1)), case(real(3), 0, whole(below=3))),
    row("masked_fill", case(real(2, 3), truth(2, 3), 1.5), case(real(2, 3), truth(3), 0),
        case(real(2, 3), truth(2, 1), real())),
    row("masked_select", case(real(2, 3), truth(2, 3)), case(real(2, 3), truth(3)),
        case(real(2, 1), truth(2, 3)), vmap=SHAPE_VARIES),
    row("nonzero", case(truth(2, 3)), case(real(3, of="with zeros"), as_tuple=True), case(truth()),
        differentiable=False, vmap=SHAPE_VARIES),
    row("argwhere", case(truth(2, 3)), case(real(3, of="with zeros")), differentiable=False,
        vmap=SHAPE_VARIES),
]

LINALG = [
    row("matmul", case(real(2, 3), real(3, 4)), case(real(3), real(3)), case(real(2, 3), real(3)),
        case(real(3), real(3, 2)), case(real(2, 2, 3), real(3, 2)),
        case(real(2, 2, 3), real(2, 3, 1)),
        case(real(2, 1, 2, 3), real(2, 3, 2)), case(real(3), real(2, 3, 2)),
        case(real(2, 2, 3), real(3)), case(real(1, 3), real(3, 1)), case(real(0, 3), real(3, 2)),
        case(real(2, 0), real(0, 2)), case(real(2, 2, 1, 3), real(3)),
        case(real(2, 3), real(2, 3, 2)),
        case(cplx(2, 3), cplx(3, 2)), primitive="matmul"),
    row("mm", case(real(2, 3), real(3, 2))),
    row("bmm", case(real(2, 2, 3), real(2, 3, 1))),
    row("mv", case(real(2, 3), real(3))),
    row("dot", case(real(3), real(3))),
    row("outer", case(real(3), real(2))),
]

# fmt: on

FUNCTIONS = [
    *ELEMENTWISE, *COMPARISON, *REDUCTION, *SHAPE, *INDEXING, *LINALG, *SPECIAL, *FUNCTIONAL,
    *LINEAR_ALGEBRA, *FOURIER, *REARRANGING, *SORTING, *STATISTICS, *SCATTERING, *WINDOWS,
    *LOSSES, *TABLES,
    *ACTIVATIONS, *INPLACE, *SEQUENCE, *CALCULUS, *KINDS, *NORMALIZATION, *COPIES, *SIGNAL,
    *OLD_LINALG, *STRIDED, *FACTORS,
]  # fmt: skip
SAMPLES = [
    *FUNCTIONS, *PRIMITIVES, *LINEAR_ALGEBRA_PRIMITIVES, *FOURIER_PRIMITIVES, *WINDOW_PRIMITIVES,
    *LOSS_PRIMITIVES,
    *NORMALIZATION_PRIMITIVES,
    *SEQUENCE_PRIMITIVES, *STRIDED_PRIMITIVES,
]  # fmt: skip
LAYERS = [
    *BASIC_LAYERS, *WINDOW_LAYERS, *ACTIVATION_LAYERS,
    *LOSS_LAYERS, *TABLE_LAYERS,
    *NORMALIZATION_LAYERS,
    *SEQUENCE_LAYERS,
]  # fmt: skip
