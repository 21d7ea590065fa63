"""Rows of the in-place functions: called on a copy of the first argument, which they change."""

from typing import Any

from sampling import READS_MEMORY, Case, Sample, case, cplx, fixed, real, row, whole

__all__ = ["INPLACE"]


def on_a_copy(function: Any, input: Any, *args: Any, **params: Any) -> Any:
    """What the in-place function makes of a copy, which is what it returns."""
    copy = input.clone()
    result = function(copy, *args, **params)
    assert result is copy
    return result


def inplace(name: str, *cases: Case, **fields: Any) -> Sample:
    return row(name, *cases, call=on_a_copy, **fields)


DOMAINS = {
    "any": "abs_ arctan_ atan_ cos_ cosh_ deg2rad_ erf_ erfc_ exp_ exp2_ expm1_ "
    "i0_ neg_ negative_ rad2deg_ sigmoid_ sin_ sinh_ square_ tan_ tanh_ zero_ nan_to_num_",
    "unit": "acos_ arccos_ asin_ arcsin_ logit_ sinc_",
    "positive": "log_ log2_ log10_ log1p_ reciprocal_ rsqrt_ sqrt_",
    "fractions": "ceil_ fix_ floor_ frac_ round_ trunc_",
    "nonzero": "relu_",
}

# Differentiable here; PyTorch has no derivative of the version in place.
NOT_IN_PYTORCH = {
    "any": "arcsinh_ asinh_",
    "unit": "arctanh_ atanh_",
    "above one": "acosh_ arccosh_",
}

# fmt: off
INPLACE = [
    *(inplace(name, *(case(real(*shape, of=of)) for shape in ((2, 3), (), (0, 3))))
      for of, names in DOMAINS.items() for name in names.split()),
    *(inplace(name, *(case(real(*shape, of=of)) for shape in ((2, 3), (), (0, 3))),
              differs={"gradient": "PyTorch has no derivative of the version in place"})
      for of, names in NOT_IN_PYTORCH.items() for name in names.split()),
    inplace("addmv_", case(real(2), real(2, 3), real(3)),
            case(real(2), real(2, 3), real(3), beta=3, alpha=2)),
    *(inplace(name, case(real(2, 3), -0.5, 0.5), case(real(2, 3), min=0.25),
              case(real(2, 3), None, real(3))) for name in ("clamp_", "clip_")),
    inplace("clamp_max_", case(real(2, 3), 0.25)),
    inplace("clamp_min_", case(real(2, 3), 0.25)),
    inplace("conj_physical_", case(cplx(2, 3)), case(real(3))),
    inplace("detach_", case(real(2, 3)), differentiable=False),
    inplace("fill_", case(real(2, 3), 1.5), case(real(2, 3), real())),
    inplace("gcd_", case(whole(2, 3, below=30), whole(3, below=30)), differentiable=False),
    inplace("lcm_", case(whole(2, 3, below=30), whole(3, below=30)), differentiable=False),
    inplace("ldexp_", case(real(2, 3), whole(3, below=4))),
    inplace("index_put_", case(real(2, 3), (fixed([0, 1]), fixed([2, 0])), real(2)),
            case(real(2, 3), (fixed([0, 0]),), real(2, 3), accumulate=True)),
    inplace("resize_as_", case(real(2, 3, grad=False), real(2, 2, grad=False)),
            differentiable=False,
        vmap=READS_MEMORY),
    inplace("round_", case(real(2, 3, of="fractions"), decimals=1)),
    inplace("xlogy_", case(real(2, 3), real(3, of="positive")), case(real(2, 3), 2.0)),
    row("index_reduce", *(case(real(3, 2, of="distinct"), 0, fixed([2, 0, 2]),
                               real(3, 2, of="positive"), how, include_self=own)
                          for how in ("prod", "mean", "amax", "amin") for own in (True, False)),
        case(real(2, 3), -1, fixed([1]), real(2, 1), "mean")),
]
# fmt: on
