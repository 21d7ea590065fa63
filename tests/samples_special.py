"""Rows of the special, trigonometric and floating-point functions."""

import numpy as np
from sampling import Sample, case, cplx, fixed, real, row, unary, whole

__all__ = ["SPECIAL"]

# fmt: off


def special(name: str, of: str = "any", **fields: object) -> Sample:
    return unary(f"special.{name}", of, primitive=name, **fields)


def same(name: str, *cases: object, **fields: object) -> Sample:
    """A second name in ``special`` of a function that has a row of its own."""
    return row(f"special.{name}", *(cases or (case(real(2, 3, of="unit")),)), **fields)


LOOSE = {"differs": {"precision": "PyTorch's trigamma is good to 5e-10 only"}}

TRIGONOMETRIC = [
    unary("tan"),
    unary("asin", "unit", aliases=("arcsin",)),
    unary("acos", "unit", aliases=("arccos",)),
    unary("atan", aliases=("arctan",)),
    unary("sinh"),
    unary("cosh"),
    unary("asinh", aliases=("arcsinh",)),
    unary("acosh", "above one", aliases=("arccosh",)),
    unary("atanh", "unit", aliases=("arctanh",)),
    unary("exp2"),
    unary("sinc", primitive=None),
    row("primitive.sinc", *(case(real(2, 3), order=n) for n in (0, 1, 2, 3)), torch=None,
        primitive="sinc"),
    unary("deg2rad", primitive=None),
    unary("rad2deg", primitive=None),
    row("atan2", case(real(2, 3), real(2, 3)), case(real(2, 3), real(3, of="nonzero")),
        case(real(), real(2)), case(real(0, 3), real(1, 3)), primitive="atan2",
        aliases=("arctan2",)),
    row("hypot", case(real(2, 3), real(2, 3)), case(real(2, 3), real(3, of="nonzero")),
        case(real(), real(2)), case(real(0, 3), real(1, 3)), primitive="hypot"),
]

ERROR_AND_GAMMA = [
    unary("erf"),
    unary("erfc"),
    unary("erfinv", "unit"),
    unary("lgamma", "positive"),
    row("lgamma", case(real(2, 3, of="fractions"))),
    unary("digamma", "positive", **LOOSE),
    row("digamma", case(real(2, 3, of="fractions")), **LOOSE),
    row("polygamma", *(case(n, real(2, 3, of="positive")) for n in (0, 1, 2, 5)),
        case(2, real(2, 3, of="fractions")), case(1, real(of="positive")), **LOOSE),
    row("primitive.polygamma", *(case(real(2, 3, of="positive"), n=n) for n in (0, 1, 2, 5)),
        torch=None, primitive="polygamma"),
    row("mvlgamma", *(case(real(2, 3, of="above two"), p) for p in (1, 2, 4)),
        case(real(of="above two"), p=3)),
    unary("i0"),
    unary("logit", "unit", primitive=None),
    row("logit", case(real(2, 3, of="unit"), 0.05), case(real(4, of="any"), eps=0.01)),
    row("primitive.logit", case(real(2, 3, of="unit"), eps=None),
        case(real(2, 3, of="unit"), eps=0.05), torch=None, primitive="logit"),
    row("xlogy", case(real(2, 3), real(2, 3, of="positive")), case(real(2, 1), real(3, of="unit")),
        case(real(3, of="positive"), 2.5), case(1.5, real(2, of="positive")),
        case(real(), real(of="positive")), case(real(0, 3), real(1, 3, of="unit")),
        primitive="xlogy"),
    *(row(name, case(real(2, 3), real(2, 3)), case(real(2, 3), real(3)), case(real(), real(2)),
          case(real(0, 3), real(1, 3)), *more, primitive=name)
      for name, more in (("logaddexp", [case(cplx(2, 3), cplx(3))]), ("logaddexp2", []))),
    special("erfcx"),
    special("ndtr"),
    special("log_ndtr"),
    special("ndtri", "unit"),
    special("entr", "positive"),
    special("i0e", "nonzero"),
    special("i1"),
    special("i1e", "nonzero"),
    row("special.xlog1py", case(real(2, 3), real(2, 3, of="positive")),
        case(real(2, 1), real(3, of="unit")), case(real(3, of="positive"), 2.5),
        case(1.5, real(2, of="positive")), primitive="xlog1py"),
    row("special.zeta", case(real(2, 3, of="above two", grad=False), real(2, 3, of="positive")),
        case(3.0, real(3, of="positive")),
        case(real(3, of="above two", grad=False), real(2, 1, of="unit")), primitive="zeta"),
    *(row(name, case(real(2, 3, of="positive", grad=False), real(2, 3, of="positive")),
          case(real(3, of="above two", grad=False), real(2, 1, of="unit")),
          case(real(of="unit", grad=False), real(3, of="above two")),
          case(real(0, 3, of="unit", grad=False), real(of="positive")), primitive=name)
      for name in ("igamma", "igammac")),
    *(same(name, case(real(3, of="unit", grad=False), real(3, of="positive")))
      for name in ("gammainc", "gammaincc")),
    *(same(name) for name in ("erf", "erfc", "erfinv", "exp2", "expit", "expm1",
                              "gammaln", "i0", "log1p", "logit", "sinc")),
    *(same(name, **LOOSE) for name in ("digamma", "psi")),
    *(same(f"modified_bessel_{name}", case(real(3, grad=False)), differentiable=False)
      for name in ("i0", "i1")),
    same("polygamma", case(2, real(3, of="positive"))),
    same("multigammaln", case(real(3, of="above two"), 2)),
    same("xlogy", case(real(3), real(3, of="unit"))),
    same("round", case(real(3, of="fractions")), case(real(3, of="fractions"), decimals=1)),
    same("softmax", case(real(2, 3), 1)),
    same("log_softmax", case(real(2, 3), 1)),
    same("logsumexp", case(real(2, 3), 1), case(real(2, 3), (0, 1), keepdim=True)),
]

# PyTorch has values of these only: the first rows compare them, the second look at gradients.
DEGREES = whole(2, 3, below=9)
POLYNOMIALS = [
    *(row(f"special.{name}", case(real(2, 3, grad=False), DEGREES), case(real(3, grad=False), 5),
          case(real(2, 1, grad=False), whole(3, low=-2, below=12)), case(0.5, whole(4, below=5)),
          case(real(grad=False), whole(below=5)), case(real(0, 3, grad=False), 2),
          differentiable=False)
      for name in (*(f"{shifted}chebyshev_polynomial_{kind}" for kind in "tuvw"
                     for shifted in ("", "shifted_")),
                   "hermite_polynomial_h", "hermite_polynomial_he", "laguerre_polynomial_l",
                   "legendre_polynomial_p")),
    *(row(f"primitive.{name}",
          *(case(*arrays, **params)
            for params in each
            for arrays in ((real(2, 3), fixed([[0.0, 1, 2], [3, 4, 5]])),
                           (real(2, 1), fixed([-1.0, 2.5, 6])), (real(), fixed(3.0)))),
          torch=None, primitive=name)
      for name, each in {
          "chebyshev": [{"kind": kind} for kind in "tuvw"],
          "gegenbauer": [{"order": order} for order in (0.5, 1.0, 2.0)],
          "hermite": [{"scale": scale} for scale in (1, 2)],
          "laguerre": [{"order": order} for order in (0, 2)],
      }.items()),
]

BESSEL_ARGUMENTS = {
    **dict.fromkeys(("airy_ai", "bessel_j0", "bessel_j1", "spherical_bessel_j0"), "any"),
    **dict.fromkeys(("bessel_y0", "bessel_y1", "modified_bessel_k0", "modified_bessel_k1",
                     "scaled_modified_bessel_k0", "scaled_modified_bessel_k1"), "positive"),
}
BESSEL = [
    *(row(f"special.{name}",
          *(case(real(*shape, of=of, grad=False)) for shape in ((2, 3), (), (0, 3))),
          case(whole(3, low=1, below=9)), differentiable=False)
      for name, of in BESSEL_ARGUMENTS.items()),
    *(row(f"primitive.{name}", case(real(2, 3, of=of)), case(real(of=of)),
          case(real(4, of="above two")), torch=None, primitive=name)
      for name, of in {**BESSEL_ARGUMENTS, "airy_ai_slope": "any"}.items()),
]

WHOLE = (case(whole(2, 3, low=-9, below=20), whole(3, low=1, below=9)),
         case(whole(4, low=0, below=9), whole(low=0, below=5)),
         case(whole(0, 2, below=3), whole(2, below=3)))

FLOATING = [
    row("copysign", case(real(2, 3, of="nonzero"), real(2, 3, of="nonzero")),
        case(real(2, 1, of="nonzero"), real(3, of="nonzero")), case(real(3, of="nonzero"), -2.0),
        case(real(of="nonzero"), real(2, of="nonzero")), case(real(0, 2), real(2)),
        primitive="copysign"),
    row("signbit", case(real(2, 3)), case(whole(3, low=-3, below=3)), case(real()),
        primitive="signbit", differentiable=False),
    row("fmod", case(real(2, 3), real(2, 3, of="positive")),
        case(real(2, 1), real(3, of="nonzero")), case(real(3), 0.75),
        case(real(), real(2, of="positive")), primitive="fmod"),
    *(row(name, case(real(2, 3, of="distinct"), real(2, 3)),
          case(real(2, 3, of="distinct"), real(3)), case(real(), real(2)),
          case(real(0, 3), real(1, 3)), primitive=name)
      for name in ("fmax", "fmin")),
    row("clamp_min", case(real(2, 3), -0.25), case(real(2, 3), real(3)), case(real(), min=0.5)),
    row("clamp_max", case(real(2, 3), -0.25), case(real(2, 3), real(3)), case(real(), max=0.5)),
    row("heaviside", case(real(2, 3, of="with zeros", grad=False), real(3, grad=False)),
        case(real(grad=False), real(2, grad=False)),
        primitive="heaviside", differentiable=False),
    row("nan_to_num", case(real(2, 3)), case(real(3), 1.5), case(real(), posinf=2.0, neginf=-2.0)),
    row("primitive.nan_to_num", case(real(2, 3), nan=0.0, posinf=None, neginf=None), torch=None,
        primitive="nan_to_num"),
    row("nextafter", case(real(2, 3), real(2, 3)), case(real(3), real(2, 1)),
        primitive="nextafter"),
    row("rsub", case(real(2, 3), real(3)), case(real(2, 3), 2),
        case(real(3), real(2, 1), alpha=0.5)),
    *(row(name, case(real(2, 3), real(2, 3), real(2, 3, of="nonzero")),
          case(real(2, 1), real(3), real(2, 3, of="nonzero"), value=0.5),
          case(real(), real(2), real(1, of="nonzero"), value=-2))
      for name in ("addcmul", "addcdiv")),
    row("float_power", case(real(2, 3, of="positive"), real(3)), case(real(2, 3, of="positive"), 2),
        case(2, real(3)), case(real(of="positive"), 0.5)),
    row("ldexp", case(real(2, 3), whole(3, low=-3, below=5)), case(real(2, 3), real(2, 3)),
        case(real(2), whole(below=3))),
    row("frexp", case(real(2, 3, of="nonzero")), case(real(of="nonzero")), case(real(0, 2))),
    row("primitive.scale_by_power", case(real(2, 3), exponent=np.array([1, -2, 0])), torch=None,
        primitive="scale_by_power"),
    *(row(name, *WHOLE, primitive=name, differentiable=False)
      for name in ("gcd", "lcm", "bitwise_left_shift", "bitwise_right_shift")),
    *(unary(name, differentiable=False) for name in ("isposinf", "isneginf", "isreal")),
    row("isin", case(whole(2, 3, below=5), whole(2, below=5)), case(real(3), 0.5),
        case(2, whole(3, below=3)), case(whole(2, 3, below=5), whole(2, below=5), invert=True),
        differentiable=False),
]

SPECIAL = [*TRIGONOMETRIC, *ERROR_AND_GAMMA, *POLYNOMIALS, *BESSEL, *FLOATING]
