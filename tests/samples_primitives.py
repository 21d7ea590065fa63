"""Rows of the primitives whose arguments are not those of a public function."""

import numpy as np
from sampling import Case, Sample, case, real, row, unary

__all__ = ["PRIMITIVES"]

# fmt: off


def primitive(name: str, *cases: Case, **fields: object) -> Sample:
    return row(f"primitive.{name}", *cases, torch=None, primitive=name, **fields)


def reduced(name: str, of: str = "any", **params: object) -> Sample:
    return primitive(
        name, case(real(2, 3, of=of), axis=None, keepdims=False, **params),
        case(real(2, 3, of=of), axis=1, keepdims=False, **params),
        case(real(2, 3, 2, of=of), axis=(0, -1), keepdims=True, **params),
        case(real(1, 3, of=of), axis=1, keepdims=True, **params),
        case(real(of=of), axis=None, keepdims=False, **params),
    )


CONV = {"stride": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "groups": 1}
STRIDED = {"stride": (2, 1), "padding": ((1, 0), (1, 2)), "dilation": (1, 2), "groups": 2}
CONV1 = {"stride": (2,), "padding": ((1, 1),), "dilation": (2,), "groups": 1}
POOL = {"kernel": (2, 2), "stride": (2, 2), "padding": ((0, 0), (0, 0)), "dilation": (1, 1)}
OVERLAP = {"kernel": (3, 2), "stride": (2, 1), "padding": ((1, 1), (0, 1)), "dilation": (1, 2)}

MASK = np.array([[True, False, True], [False, False, True]])
ROWS, COLUMNS = np.array([0, 1, 1, 2]), np.array([3, 0, 0, 1])
PLACES = np.array([[2, 0], [1, 1]])
WON = np.array([[[[0, 3, 1], [2, 2, 0]]]], np.uint8)
WON_OVERLAP = np.array([[[[0, 5, 1], [4, 2, 3]]]], np.uint8)

INDICES = [
    (1,), (slice(None), slice(1, 4, 2)), (None, Ellipsis, 0), (ROWS, COLUMNS), (slice(None),
              COLUMNS),
    (ROWS,), (np.arange(12).reshape(3, 4) % 3 == 0,), (slice(3, 3),), (ROWS, None, COLUMNS),
]


def result_shape(index: tuple[object, ...]) -> tuple[int, ...]:
    return np.zeros((3, 4))[index].shape


def with_statistics(batch_norm, x, *affine, eps):  # type: ignore[no-untyped-def]
    """batch_norm is told the statistics of its input, which move with it."""
    axes = (0, *range(2, x.ndim))
    return batch_norm(x, *affine, mean=x._array.mean(axes), var=x._array.var(axes), eps=eps)


PRIMITIVES = [
    unary("primitive.log_sigmoid", primitive="log_sigmoid", torch=None),
    primitive("trunc_divide", case(real(2, 3, of="positive"), real(3, of="nonzero")),
              case(real(2, 3, of="positive"), 0.3)),
    unary("primitive.clone", primitive="clone", torch=None),
    unary("primitive.alias", primitive="alias", torch=None),
    unary("primitive.conj", primitive="conj", torch=None),
    unary("primitive.real", primitive="real", torch=None),
    primitive("round", case(real(2, 3, of="fractions"), decimals=0)),
    primitive("astype", case(real(2, 3), dtype=np.dtype(np.float64)),
              case(real(), dtype=np.dtype(np.complex128))),
    primitive("mask", case(real(2, 3), mask=MASK), case(real(), mask=np.array(True))),
    primitive("leaky_relu", case(real(2, 3), slope=np.where(MASK, 1, -0.5).astype("f")),
              case(real(), slope=np.array(2, "f"))),
    primitive("keep", case(real(2, 3), kept=MASK, other=0.5), case(real(2, 3), kept=MASK, other=0),
              case(real(2, 3), kept=MASK, other=np.where(MASK, 1, -0.5).astype("f")),
              case(real(), kept=np.array(True), other=0.5)),
    primitive("clamp", case(real(2, 3), min=-0.4, max=0.6), case(real(2, 3), min=None, max=0.1),
              case(real(4), min=0, max=None), case(real(), min=0, max=1)),
    reduced("sum"),
    reduced("mean"),
    reduced("var", correction=0),
    primitive("var", case(real(2, 3), axis=1, correction=1, keepdims=False),
              case(real(4), axis=None, correction=2, keepdims=True)),
    reduced("amax", "distinct"),
    reduced("amin", "distinct"),
    reduced("prod"),
    primitive("prod", case(real(3, 4, of="with zeros"), axis=1, keepdims=False)),
    reduced("logsumexp"),
    *(primitive(name, case(real(2, 3), axis=1, keepdims=False), differentiable=False)
      for name in ("argmax", "argmin", "all", "any")),
    primitive("cumsum", case(real(2, 3), axis=0), case(real(2, 3), axis=-1), case(real(), axis=0)),
    *(primitive(name, case(real(2, 3), axis=1), case(real(2, 3, 2), axis=-2),
    case(real(1, 3), axis=0))
      for name in ("softmax", "log_softmax")),
    primitive("gelu", case(real(2, 3), tanh=False), case(real(2, 3), tanh=True),
              case(real(), tanh=False)),
    primitive("cross_entropy",
              case(real(3, 4), target=np.array([0, 3, 1]), weight=np.array([0.5, 2, 0])),
              case(real(1, 3), target=np.array([2]), weight=np.array([1.0]))),
    primitive("mse_loss", case(real(2, 3), real(2, 3)), case(real(), real()),
              case(real(1, 4), real(1, 4))),
    primitive("binary_cross_entropy", case(real(2, 3, of="unit"), real(2, 3, of="unit")),
              case(real(1, of="unit"), real(1, of="unit"))),
    primitive("reshape", case(real(2, 3), shape=(3, 2)), case(real(), shape=(1, 1))),
    primitive("permute", case(real(2, 3, 4), axes=(2, 0, 1)), case(real(2, 3), axes=(1, 0))),
    primitive("broadcast_to", case(real(2, 1), shape=(4, 2, 3)), case(real(), shape=(2,))),
    primitive("flip", case(real(2, 3), axes=(0,)), case(real(2, 3), axes=(0, 1))),
    primitive("cat", case(real(2, 3), real(1, 3), axis=0),
              case(real(2, 1), real(2, 0), real(2, 2), axis=1),
              case(real(2), axis=0)),
    primitive("stack", case(real(2, 3), real(2, 3), axis=0), case(real(2), real(2), axis=1),
              case(real(), axis=0)),
    primitive("split", case(real(5, 2), sections=(2, 0, 3), axis=0),
              case(real(2, 4), sections=(1, 3), axis=1)),
    primitive("pad", case(real(2, 3), widths=((1, 0), (2, 1)), value=0),
              case(real(4, 4), widths=((-1, 1), (0, -2)), value=3.0)),
    primitive("tril", case(real(3, 3), diagonal=0), case(real(2, 3, 4), diagonal=1)),
    primitive("triu", case(real(3, 3), diagonal=0), case(real(2, 3, 4), diagonal=-1)),
    primitive("getitem", *(case(real(3, 4), index=index) for index in INDICES)),
    primitive("put", *(case(real(*result_shape(index)), index=index, shape=(3,
              4)) for index in INDICES)),
    primitive("index_fill", *(case(real(3, 4), real(*result_shape(index)), index=index)
                              for index in INDICES),
              case(real(3, 4), real(), index=(ROWS,)),
              case(real(3, 4), real(4), index=(slice(0, 2),))),
    primitive("gather", case(real(3, 2), index=PLACES, axis=0),
              case(real(2, 3), index=PLACES, axis=1)),
    primitive("scatter_add", case(real(2, 2), index=PLACES, axis=0, shape=(3, 2)),
              case(real(2, 2), index=PLACES, axis=1, shape=(2, 3))),
    primitive("take_rows", case(real(3, 2), index=ROWS, axis=0),
              case(real(2, 3), index=PLACES, axis=1)),
    primitive("continue_edges", case(real(3, 2), index=ROWS, axis=0),
              case(real(2, 3), index=np.array([1, 0, 1, 2, 1]), axis=1)),
    primitive("index_put_rows", case(real(4, 2), index=ROWS, axis=0, shape=(3, 2)),
              case(real(2, 2, 2, 3), index=PLACES, axis=1, shape=(2, 3, 3))),
    primitive("linear", case(real(2, 3), real(4, 3), real(4)), case(real(3), real(2, 3), real(2)),
              case(real(2, 1, 3), real(2, 3), real(2)), case(real(1, 3), real(2, 3), None)),
    primitive("batch_norm", case(real(3, 2), real(2), real(2), eps=1e-3),
              case(real(3, 2), None, None, eps=1e-3), case(real(3, 2), real(2), None, eps=0.1),
              case(real(2, 2, 3), real(2), real(2), eps=1e-3),
              case(real(1, 1, 3), real(1), real(1), eps=1.0),
              call=with_statistics),
    primitive("conv", case(real(1, 2, 3, 6), real(2, 2, 1, 3), real(2), **CONV),
              case(real(1, 2, 4, 3), real(3, 2, 2, 2), real(3), **CONV),
              case(real(2, 2, 3, 4), real(2, 1, 2, 2), None, **STRIDED),
              case(real(2, 1, 5), real(2, 1, 2), real(2), **CONV1)),
    primitive("conv_input", case(real(1, 3, 3, 2), real(3, 2, 2, 2), shape=(1, 2, 4, 3), **CONV),
              case(real(2, 2, 2, 5), real(2, 1, 2, 2), shape=(2, 2, 3, 4), **STRIDED)),
    primitive("conv_weight", case(real(1, 2, 4, 3), real(1, 3, 3, 2), shape=(3, 2, 2, 2), **CONV),
              case(real(2, 2, 3, 4), real(2, 2, 2, 5), shape=(2, 1, 2, 2), **STRIDED)),
    primitive("max_pool", case(real(1, 1, 4, 6, of="distinct"), **POOL, out=(2, 3)),
              case(real(1, 1, 4, 4, of="distinct"), **OVERLAP, out=(2, 3))),
    primitive("pool_scatter", case(real(1, 1, 2, 3), won=WON, shape=(1, 1, 4, 6), **POOL),
              case(real(1, 1, 2, 3), won=WON_OVERLAP, shape=(1, 1, 4, 4), **OVERLAP)),
    primitive("pool_gather", case(real(1, 1, 4, 6), won=WON, shape=(1, 1, 4, 6), **POOL),
              case(real(1, 1, 4, 4), won=WON_OVERLAP, shape=(1, 1, 4, 4), **OVERLAP)),
    primitive("gather_winners", case(real(3, 2), index=PLACES, axis=0),
              case(real(2, 3), index=PLACES, axis=1)),
    primitive("window_sum", case(real(1, 2, 4, 4), **POOL, out=(2, 2)),
              case(real(1, 1, 4, 4), **OVERLAP, out=(2, 3))),
    primitive("window_spread", case(real(1, 2, 2, 2), shape=(1, 2, 4, 4), **POOL, out=(2, 2)),
              case(real(1, 1, 2, 3), shape=(1, 1, 4, 4), **OVERLAP, out=(2, 3))),
]
